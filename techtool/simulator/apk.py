"""What an APK says of itself, and whether its signature holds: the judge inside a simulated terminal.

pyaxmlparser reads the manifest and v1 certificates; the APK Signature Scheme v2/v3 block (source.android.com,
“APK signature scheme v2 / v3”) is read and checked by :mod:`techtool.simulator.signing`.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from techtool.domain.release import ApkFacts
from techtool.simulator.signing import SigningError, signer_certificate

_NATIVE = re.compile(r"lib/([^/]+)/[^/]+\.so\Z")
_V1_BLOCK = re.compile(r"META-INF/[^/]+\.(RSA|EC|DSA)\Z")
_PACKAGE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+\Z")


class InstallRefused(ValueError):
    """Android's word for why a package is not installed, and its explanation."""

    def __init__(self, word: str, detail: str = "") -> None:
        super().__init__(f"{word}: {detail}" if detail else word)
        self.word = word
        self.detail = detail


class ParsedApk(Protocol):
    """What is used of pyaxmlparser's (untyped) view of an APK."""

    @property
    def package(self) -> object:
        """The package name, or None."""
        ...

    @property
    def androidversion(self) -> Mapping[str, object]:
        """``Code`` and ``Name``, as text or None."""
        ...

    @property
    def valid_apk(self) -> bool:
        """Whether the manifest was understood."""
        ...

    def get_min_sdk_version(self) -> object:
        """``minSdkVersion`` as text, or None."""
        ...

    def get_target_sdk_version(self) -> object:
        """``targetSdkVersion`` as text, or None."""
        ...

    def get_attribute_value(self, tag_name: str, attribute: str) -> object:
        """An attribute of the first such tag as text, or None."""
        ...

    def get_certificate_der(self, filename: str) -> bytes:
        """The first certificate of a v1 signature block."""
        ...


@dataclass(frozen=True, slots=True)
class ApkFile:
    """An APK file that was read whole."""

    facts: ApkFacts
    target_sdk: int
    debuggable: bool
    test_only: bool
    signature_hash: str
    """The certificate's Java ``hashCode`` in hex: all that ``dumpsys package`` shows of a signer."""
    signing_version: int
    size_bytes: int
    sha256: str


def read_apk(path: Path, shown: str = "base.apk") -> ApkFile:
    """Read and check an APK; raises :class:`InstallRefused` with the word Android has for what is wrong.

    ``shown`` is the file's name on the terminal, for those words.
    """
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            names = archive.namelist()
            apk = _manifest(path, names, shown)
    except (zipfile.BadZipFile, OSError, EOFError, struct.error, NotImplementedError) as error:
        raise InstallRefused("INSTALL_PARSE_FAILED_NOT_APK", f"Failed to parse {shown}") from error
    if damaged is not None:
        raise InstallRefused("INSTALL_PARSE_FAILED_UNEXPECTED_EXCEPTION", f"Failed to read {damaged}: bad CRC")
    certificate, version = _signer(data, apk, names, shown)
    return ApkFile(
        facts=ApkFacts(
            id=_package_id(apk),
            version=_text(apk.androidversion.get("Name")),
            version_code=_number(apk.androidversion.get("Code"), 0),
            min_sdk=_number(apk.get_min_sdk_version(), 1),
            abis=tuple(sorted({match[1] for name in names if (match := _NATIVE.match(name))})),
            signer=hashlib.sha256(certificate).hexdigest(),
        ),
        target_sdk=_number(apk.get_target_sdk_version(), _number(apk.get_min_sdk_version(), 1)),
        debuggable=_flag(apk, "debuggable"),
        test_only=_flag(apk, "testOnly"),
        signature_hash=java_hash(certificate),
        signing_version=version,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _manifest(path: Path, names: list[str], shown: str) -> ParsedApk:
    """pyaxmlparser's view of the file, once its manifest is known to be one."""
    import logging

    from pyaxmlparser.core import APK

    logging.getLogger("pyaxmlparser").setLevel(logging.CRITICAL)
    if "AndroidManifest.xml" not in names:
        raise InstallRefused("INSTALL_PARSE_FAILED_NOT_APK", f"Failed to parse {shown}: no AndroidManifest.xml")
    try:
        apk: ParsedApk = APK(str(path))  # type: ignore[no-untyped-call]
    except Exception as error:  # the library raises whatever its parser stumbles over
        raise InstallRefused("INSTALL_PARSE_FAILED_MANIFEST_MALFORMED", f"Failed to parse {shown}") from error
    if not apk.valid_apk:
        raise InstallRefused("INSTALL_PARSE_FAILED_MANIFEST_MALFORMED", f"Failed to parse {shown}")
    return apk


def _signer(data: bytes, apk: ParsedApk, names: list[str], name: str) -> tuple[bytes, int]:
    """DER certificate of the signer and the scheme (3, 2 or 1) that gave it."""
    try:
        signed = signer_certificate(data)
        if signed is not None:
            return signed
        blocks = sorted(entry for entry in names if _V1_BLOCK.match(entry))
        if blocks:
            return bytes(apk.get_certificate_der(blocks[0])), 1
    except SigningError as error:
        raise InstallRefused(
            "INSTALL_PARSE_FAILED_NO_CERTIFICATES", f"Failed to collect certificates from {name}: {error}"
        ) from error
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise InstallRefused(
            "INSTALL_PARSE_FAILED_NO_CERTIFICATES", f"Failed to collect certificates from {name}"
        ) from error
    raise InstallRefused(
        "INSTALL_PARSE_FAILED_NO_CERTIFICATES",
        f"Failed to collect certificates from {name}: Attempt to get length of null array",
    )


def _package_id(apk: ParsedApk) -> str:
    """The package name; anything else than one could become a path."""
    package = _text(apk.package)
    if not _PACKAGE_ID.match(package):
        raise InstallRefused("INSTALL_PARSE_FAILED_BAD_PACKAGE_NAME", "Invalid manifest package")
    return package


def _flag(apk: ParsedApk, attribute: str) -> bool:
    return _text(apk.get_attribute_value("application", attribute)).lower() == "true"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object, default: int) -> int:
    """A manifest number, decimal or hexadecimal; a platform's code name (preview) fits no released terminal."""
    if not isinstance(value, str) or not value:
        return default
    try:
        return int(value, 0)
    except ValueError:
        return 10_000


def java_hash(data: bytes) -> str:
    """``java.util.Arrays.hashCode`` of signed bytes, in hex as ``Integer.toHexString`` writes it."""
    value = 1
    for byte in data:
        value = (31 * value + (byte if byte < 128 else byte - 256)) & 0xFFFFFFFF
    return f"{value:x}"
