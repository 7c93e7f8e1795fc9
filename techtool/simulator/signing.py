"""APK Signature Scheme v2 and v3: find the signing block, check digest and signature, name the certificate.

Format: source.android.com, “APK signature scheme v2” and “v3”. Pure; ``cryptography`` loads when a block is checked.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_EOCD: Final = b"PK\x05\x06"
_MAGIC: Final = b"APK Sig Block 42"
_V2: Final = 0x7109871A
_V3: Final = 0xF05368C0
_CHUNK: Final = 1 << 20
_DIGESTS: Final = {0x0101: "sha256", 0x0102: "sha512", 0x0103: "sha256", 0x0104: "sha512", 0x0201: "sha256"} | {
    0x0202: "sha512"
}
"""Signature algorithm id → content digest: RSA-PSS, RSA PKCS#1 v1.5, ECDSA; the others are not simulated."""


class SigningError(ValueError):
    """A signature that does not hold; the text is the detail of Android's refusal."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the parts of a signed APK lie."""

    block_start: int
    directory_start: int
    end_record_start: int
    block: bytes


def signer_certificate(data: bytes) -> tuple[bytes, int] | None:
    """The signer's DER certificate and the scheme (3 or 2), after checking it; None for a file without such a block.

    Raises :class:`SigningError` when the block is malformed or the signature or a digest does not hold.
    """
    layout = _find_block(data)
    if layout is None:
        return None
    try:
        schemes = dict(_pairs(layout.block))
        for scheme, number in ((_V3, 3), (_V2, 2)):
            if scheme in schemes:
                return _check_signer(data, layout, schemes[scheme], number), number
    except (struct.error, IndexError) as error:
        raise SigningError("malformed APK Signing Block") from error
    return None


def _find_block(data: bytes) -> _Layout | None:
    end = data.rfind(_EOCD)
    if end < 0 or end + 22 > len(data):
        return None
    (directory,) = struct.unpack_from("<I", data, end + 16)
    if directory < 32 or directory > end or data[directory - 16 : directory] != _MAGIC:
        return None
    (size,) = struct.unpack_from("<Q", data, directory - 24)
    start = directory - size - 8
    if start < 0 or struct.unpack_from("<Q", data, start) != (size,):
        raise SigningError("APK Signing Block sizes in header and footer do not match")
    return _Layout(start, directory, end, data[start + 8 : directory - 24])


def _pairs(block: bytes) -> Iterator[tuple[int, bytes]]:
    """The block's entries: 64-bit length, 32-bit id, value."""
    at = 0
    while at < len(block):
        size, key = struct.unpack_from("<QI", block, at)
        if size < 4 or at + 8 + size > len(block):
            raise SigningError("APK Signing Block entry of impossible size")
        yield key, block[at + 12 : at + 8 + size]
        at += 8 + size


def _field(data: bytes, at: int = 0) -> tuple[bytes, int]:
    """One length-prefixed field and where the next begins."""
    (size,) = struct.unpack_from("<I", data, at)
    if at + 4 + size > len(data):
        raise SigningError("length-prefixed field is longer than its container")
    return data[at + 4 : at + 4 + size], at + 4 + size


def _sequence(data: bytes) -> list[bytes]:
    fields, at = [], 0
    while at < len(data):
        value, at = _field(data, at)
        fields.append(value)
    return fields


def _by_algorithm(sequence: bytes) -> dict[int, bytes]:
    """Digests or signatures: 32-bit algorithm id and a length-prefixed value each."""
    return {struct.unpack_from("<I", entry)[0]: _field(entry, 4)[0] for entry in _sequence(sequence)}


def _check_signer(data: bytes, layout: _Layout, value: bytes, scheme: int) -> bytes:
    """The first signer's certificate, once its signature and digest hold."""
    signers = _sequence(_field(value)[0])
    if not signers:
        raise SigningError("no signers")
    signed, at = _field(signers[0])
    if scheme == 3:
        at += 8  # lowest and highest SDK
    signatures, at = _field(signers[0], at)
    public, _ = _field(signers[0], at)
    digests, after = _field(signed)
    certificates = _sequence(_field(signed, after)[0])
    if not certificates:
        raise SigningError("no certificates listed in signer's signed data block")
    known = sorted(set(_by_algorithm(signatures)) & set(_DIGESTS), key=lambda a: (_DIGESTS[a], a))
    if not known:
        raise SigningError("no supported signatures found")
    algorithm = known[-1]
    _check_signature(certificates[0], public, algorithm, _by_algorithm(signatures)[algorithm], signed)
    if _by_algorithm(digests).get(algorithm) != _content_digest(data, layout, _DIGESTS[algorithm]):
        raise SigningError(f"{_DIGESTS[algorithm].upper()} digest of contents did not verify")
    return certificates[0]


def _check_signature(certificate: bytes, public: bytes, algorithm: int, signature: bytes, signed: bytes) -> None:
    """Raise :class:`SigningError` unless the certificate's key is ``public`` and made the signature."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.x509 import InvalidVersion, load_der_x509_certificate

    chosen = hashes.SHA256() if _DIGESTS[algorithm] == "sha256" else hashes.SHA512()
    try:
        key = load_der_x509_certificate(certificate).public_key()
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        if key.public_bytes(serialization.Encoding.DER, spki) != public:
            raise SigningError("public key mismatch between certificate and signature record")
        if isinstance(key, rsa.RSAPublicKey) and algorithm in (0x0101, 0x0102):
            pss = padding.PSS(mgf=padding.MGF1(chosen), salt_length=chosen.digest_size)
            key.verify(signature, signed, pss, chosen)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm in (0x0103, 0x0104):
            key.verify(signature, signed, padding.PKCS1v15(), chosen)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in (0x0201, 0x0202):
            key.verify(signature, signed, ec.ECDSA(chosen))
        else:
            raise SigningError("the certificate's key does not fit the signature algorithm")
    except InvalidSignature as error:
        raise SigningError("signature over signed-data did not verify") from error
    except (ValueError, InvalidVersion, UnsupportedAlgorithm) as error:
        raise SigningError(f"failed to decode certificate: {error}") from error


def _content_digest(data: bytes, layout: _Layout, name: str) -> bytes:
    """The digest over 1 MiB chunks of everything but the block, the end record read as if the block were not there."""
    end_record = bytearray(data[layout.end_record_start :])
    struct.pack_into("<I", end_record, 16, layout.block_start)
    parts = (
        memoryview(data)[: layout.block_start],
        memoryview(data)[layout.directory_start : layout.end_record_start],
        memoryview(bytes(end_record)),
    )
    count, digests = 0, []
    for part in parts:
        for at in range(0, len(part), _CHUNK):
            chunk = part[at : at + _CHUNK]
            digest = hashlib.new(name, b"\xa5" + struct.pack("<I", len(chunk)))
            digest.update(chunk)
            digests.append(digest.digest())
            count += 1
    return hashlib.new(name, b"\x5a" + struct.pack("<I", count) + b"".join(digests)).digest()
