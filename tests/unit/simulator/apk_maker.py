"""Small APKs made in Python, so that the simulator's rules are tested without Java: binary manifest, v2 signature.

The peers test has apksigner and aapt read one of them, so that this maker is itself checked against something real.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_ANDROID = "http://schemas.android.com/apk/res/android"
_IDS = {
    "versionCode": 0x0101021B,
    "versionName": 0x0101021C,
    "minSdkVersion": 0x0101020C,
    "targetSdkVersion": 0x01010270,
    "debuggable": 0x0101000F,
    "testOnly": 0x01010272,
    "hasCode": 0x0101000C,
}
_NONE = 0xFFFFFFFF
_ECDSA_SHA256 = 0x0201


@dataclass(frozen=True)
class Signer:
    key: ec.EllipticCurvePrivateKey
    certificate: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.certificate).hexdigest()


@cache
def signer(name: str) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    certificate = builder.not_valid_after(datetime(2060, 1, 1, tzinfo=UTC)).sign(key, hashes.SHA256())
    return Signer(key, certificate.public_bytes(serialization.Encoding.DER))


def make_apk(
    package: str = "org.example.pay",
    code: int = 2,
    name: str = "1.2",
    *,
    min_sdk: int = 23,
    abis: tuple[str, ...] = (),
    by: str = "acme",
    debuggable: bool = False,
    test_only: bool = False,
    padding: int = 100,
    signed: bool = True,
) -> bytes:
    """An APK as bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        flags: dict[str, int | str | bool] = {"hasCode": False}
        flags |= {"debuggable": True} if debuggable else {}
        flags |= {"testOnly": True} if test_only else {}
        entries: dict[str, bytes] = {
            "AndroidManifest.xml": manifest(
                ("manifest", {"package": package, "versionCode": code, "versionName": name}),
                ("uses-sdk", {"minSdkVersion": min_sdk, "targetSdkVersion": 29}),
                ("application", flags),
            ),
            "assets/padding.bin": b"p" * padding,
        } | {f"lib/{abi}/libpay.so": b"\x7fELF" for abi in abis}
        for path, data in entries.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return sign_v2(buffer.getvalue(), signer(by)) if signed else buffer.getvalue()


def manifest(
    root: tuple[str, dict[str, int | str | bool]], *children: tuple[str, dict[str, int | str | bool]]
) -> bytes:
    """A binary manifest: one root element and empty children."""
    attributes = [name for _, values in (root, *children) for name in values if name in _IDS]
    strings = list(dict.fromkeys(attributes))
    resources = [_IDS[name] for name in strings]
    for tag, values in (root, *children):
        strings += [tag, *values, *(v for v in values.values() if isinstance(v, str))]
    strings = list(dict.fromkeys([*strings, "android", _ANDROID]))
    index = {text: i for i, text in enumerate(strings)}
    namespace = struct.pack("<II", index["android"], index[_ANDROID])
    body = _chunk(0x0180, b"".join(struct.pack("<I", r) for r in resources), 8)
    body += _node(0x0100, namespace) + _start(root, index)
    for child in children:
        body += _start(child, index) + _end(child[0], index)
    body += _end(root[0], index) + _node(0x0101, namespace)
    return _chunk(0x0003, _string_pool(strings) + body, 8)


def _chunk(kind: int, body: bytes, header: int) -> bytes:
    return struct.pack("<HHI", kind, header, 8 + len(body)) + body


def _node(kind: int, body: bytes) -> bytes:
    return _chunk(kind, struct.pack("<II", 1, _NONE) + body, 16)


def _string_pool(strings: list[str]) -> bytes:
    data, offsets = b"", []
    for text in strings:
        offsets.append(len(data))
        data += struct.pack("<H", len(text)) + text.encode("utf-16-le") + b"\0\0"
    data += b"\0" * (-len(data) % 4)
    table = b"".join(struct.pack("<I", offset) for offset in offsets)
    head = struct.pack("<IIIII", len(strings), 0, 0, 28 + len(table), 0)
    return _chunk(0x0001, head + table + data, 28)


def _start(element: tuple[str, dict[str, int | str | bool]], index: dict[str, int]) -> bytes:
    tag, values = element
    body = struct.pack("<IIHHHHHH", _NONE, index[tag], 20, 20, len(values), 0, 0, 0)
    for name, value in sorted(values.items(), key=lambda item: _IDS.get(item[0], 1 << 31)):
        space = index[_ANDROID] if name in _IDS else _NONE
        if isinstance(value, str):
            raw, kind, data = index[value], 0x03, index[value]
        elif isinstance(value, bool):
            raw, kind, data = _NONE, 0x12, _NONE if value else 0
        else:
            raw, kind, data = _NONE, 0x10, value
        body += struct.pack("<IIIHBBI", space, index[name], raw, 8, 0, kind, data)
    return _node(0x0102, body)


def _end(tag: str, index: dict[str, int]) -> bytes:
    return _node(0x0103, struct.pack("<II", _NONE, index[tag]))


def sign_v2(apk: bytes, by: Signer) -> bytes:
    """Insert an APK Signing Block with a v2 signature before the central directory."""
    end = apk.rfind(b"PK\x05\x06")
    (directory,) = struct.unpack_from("<I", apk, end + 16)
    parts = (apk[:directory], apk[directory:end], apk[end:])
    chunks = [part[at : at + (1 << 20)] for part in parts for at in range(0, len(part), 1 << 20)]
    digests = b"".join(hashlib.sha256(b"\xa5" + struct.pack("<I", len(c)) + c).digest() for c in chunks)
    digest = hashlib.sha256(b"\x5a" + struct.pack("<I", len(chunks)) + digests).digest()
    signed = _field(_field(struct.pack("<I", _ECDSA_SHA256) + _field(digest)))
    signed += _field(_field(by.certificate)) + _field(b"")
    signature = by.key.sign(signed, ec.ECDSA(hashes.SHA256()))
    public = by.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    one = _field(signed) + _field(_field(struct.pack("<I", _ECDSA_SHA256) + _field(signature))) + _field(public)
    value = _field(_field(one))
    pair = struct.pack("<QI", 4 + len(value), 0x7109871A) + value
    size = struct.pack("<Q", len(pair) + 24)
    block = size + pair + size + b"APK Sig Block 42"
    tail = bytearray(apk[end:])
    struct.pack_into("<I", tail, 16, directory + len(block))
    return parts[0] + block + parts[1] + bytes(tail)


def _field(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data
