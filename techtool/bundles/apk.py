"""What an APK states of itself: read from the file on the publisher's side, never typed.

The certificate is the one a terminal will report: of the APK Signature Scheme v3 block where there is one, else v2,
else the JAR signature. Whether the signature is *good* is for the terminal to judge; a file without any is refused.
"""

from __future__ import annotations

import hashlib
import logging
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, cast

from techtool.domain.release import ApkFacts
from techtool.errors import PublisherError
from techtool.i18n import Phrase, phrase

MANIFEST: Final = "AndroidManifest.xml"
_MAX_FILE_BYTES: Final = 1 << 30
_MAX_MANIFEST_BYTES: Final = 8 << 20
_MAX_SIGNATURE_BYTES: Final = 1 << 20
_MAX_ENTRIES: Final = 200_000
_PACKAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
_LIBRARY: Final = re.compile(r"lib/([A-Za-z0-9_-]{1,40})/[^/]+\.so")
_V1: Final = re.compile(r"META-INF/[^/]+\.(RSA|EC|DSA)")


class _SignedData(Protocol):
    certificates: Sequence[bytes]


class _SignerBlock(Protocol):
    signed_data: _SignedData
    maxSDK: int  # noqa: N815 - pyaxmlparser's name


class _Apk(Protocol):
    """What is used of ``pyaxmlparser.core.APK``, which has no types."""

    zip: zipfile.ZipFile
    package: str | None
    valid_apk: bool
    androidversion: Mapping[str, str | None]
    _v2_signing_data: Sequence[_SignerBlock]
    _v3_signing_data: Sequence[_SignerBlock]

    def get_attribute_value(self, tag_name: str, attribute: str) -> str | None: ...
    def get_min_sdk_version(self) -> str | None: ...
    def get_files(self) -> Sequence[str]: ...
    def is_signed_v3(self) -> bool: ...
    def parse_v3_signing_block(self) -> None: ...
    def parse_v2_signing_block(self) -> None: ...
    def get_signature_names(self) -> Sequence[str]: ...
    def get_certificate_der(self, filename: str) -> bytes: ...


def read_apk(path: Path) -> ApkFacts:
    """Package, versions, minimum SDK, ABIs and signer of the APK at ``path``; raises :class:`PublisherError`.

    An APK without ``versionCode`` (test packages have none) counts as code 0, as Android counts it; one without
    ``versionName`` goes by its code. A version name that is a resource goes by the code too: it differs by language.
    """
    _check_container(path)
    import pyaxmlparser.core

    # The library logs to the console where nobody has set up logging; what is wrong is said in our own words below.
    logging.getLogger("pyaxmlparser").addHandler(logging.NullHandler())
    logging.getLogger("pyaxmlparser").propagate = False
    try:
        apk = cast("Callable[[str], _Apk]", pyaxmlparser.core.APK)(str(path))
        try:
            return _facts(apk, path)
        finally:
            apk.zip.close()
    except PublisherError:
        raise
    except Exception as error:
        # The parsers below fail in a dozen ways on bytes that are no APK; all of them mean the same.
        raise _no_apk(path, phrase("it cannot be read"), repr(error)) from error


def _check_container(path: Path) -> None:
    """Bounds that hold before anything is unpacked: a parser of ours or theirs reads the manifest whole."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(2) != b"PK" or size > _MAX_FILE_BYTES:
                raise _no_apk(path, phrase("it is no ZIP file"))
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except OSError as error:
        raise _no_apk(path, phrase("it cannot be read"), str(error)) from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _no_apk(path, phrase("it is no ZIP file"), str(error)) from error
    names = [entry.filename for entry in entries]
    if len(names) > _MAX_ENTRIES or len(names) != len(set(names)):
        raise _no_apk(path, phrase("its list of files is damaged"))
    if MANIFEST not in names:
        raise _no_apk(path, phrase("it has no {name}", name=MANIFEST))
    for entry in entries:
        limit = _MAX_MANIFEST_BYTES if entry.filename == MANIFEST else _MAX_SIGNATURE_BYTES
        if (entry.filename == MANIFEST or _V1.fullmatch(entry.filename)) and entry.file_size > limit:
            raise _no_apk(path, phrase("{name} is too large", name=entry.filename))


def _facts(apk: _Apk, path: Path) -> ApkFacts:
    package = apk.package or ""
    if not apk.valid_apk or not _PACKAGE.fullmatch(package):
        raise _no_apk(path, phrase("its manifest cannot be read"))
    if apk.get_attribute_value("manifest", "split"):
        raise _no_apk(path, phrase("it is one part of a split package; give the whole one"))
    major = _number(apk.get_attribute_value("manifest", "versionCodeMajor"), 0, path)
    code = (major << 32) + _number(apk.androidversion.get("Code"), 0, path)
    name = str(apk.androidversion.get("Name") or "").strip()
    libraries = {found[1] for found in map(_LIBRARY.fullmatch, apk.get_files()) if found}
    return ApkFacts(
        id=package,
        version=str(code) if not name or name.startswith("@") else name,
        version_code=code,
        min_sdk=_number(apk.get_min_sdk_version(), 1, path),
        abis=tuple(sorted(libraries)),
        signer=_signer(apk, path),
    )


def _number(text: object, absent: int, path: Path) -> int:
    """A number of the manifest; a code name in its place means a preview that no terminal runs."""
    if text is None or text == "":
        return absent
    try:
        return int(str(text), 0)
    except ValueError:
        raise _no_apk(path, phrase("“{text}” in its manifest is no number", text=str(text)[:40])) from None


def _signer(apk: _Apk, path: Path) -> str:
    """SHA-256 of the one certificate that signs it."""
    if apk.is_signed_v3():
        apk.parse_v3_signing_block()
        # Of several v3 signers each is for a range of Android versions; the one for the newest is the one kept.
        signers: Sequence[_SignerBlock] = sorted(apk._v3_signing_data, key=lambda signer: signer.maxSDK)[-1:]
    else:
        apk.parse_v2_signing_block()
        signers = apk._v2_signing_data
    certificates = [bytes(signer.signed_data.certificates[0]) for signer in signers]
    if not certificates:
        certificates = [bytes(apk.get_certificate_der(name)) for name in apk.get_signature_names()]
    if not certificates:
        raise _no_apk(path, phrase("it is not signed"))
    if len(certificates) > 1:
        raise _no_apk(path, phrase("it has more than one signer"))
    return hashlib.sha256(certificates[0]).hexdigest()


def _no_apk(path: Path, problem: Phrase, detail: str = "") -> PublisherError:
    text = phrase("{path} is no usable APK: {problem}", path=str(path), problem=problem)
    return PublisherError(problem=text, detail=detail)
