"""The support bundle as a file: packed so that the same content gives the same bytes, searched before it is kept."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import Final
from zlib import error as zlib_error

from techtool.domain.case_code import case_code, parse_code
from techtool.domain.redacting import standing_alone
from techtool.domain.sensitive import KIND_LABEL, Scanner
from techtool.errors import BadCaseCode, SupportDamaged, SupportRefused
from techtool.i18n import Phrase, phrase
from techtool.paths import os_problem
from techtool.reports.redaction import masked

SUMS: Final = "SHA256SUMS"
MAX_BYTES: Final = 64 << 20
"""Of a bundle and of all that is in it: what is larger is none of ours."""
MOST_BYTES: Final = MAX_BYTES - (1 << 20)
"""Of its parts together: the list of digests, and of what was left out, comes to them."""
_LINES: Final = ".jsonl"
_LOGS: Final = "logs/"
_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The zip format's first moment: when a bundle was made is no part of it."""
_SECRETS: Final = (b"AGE-SECRET-KEY-", b"PRIVATE KEY-----", b"age-encryption.org/v1")
_HEX: Final = r"[0-9a-f]{32,128}"
_UNPACKABLE: Final = (
    *(zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError),
    *(OSError, zlib_error, LZMAError),
)
"""What a file that is no zip, or a broken one, raises, whichever way its parts claim to be packed."""
_KEY_IDS: Final = re.compile(r'"keys":\s*\[(?:\s*"[0-9a-f]{64}",?)*\s*\]')
"""TrustFacts.keys: digests of public keys, which only by their field's name look like keys."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the visit's own numbers are, and which of this laptop's words may never leave it."""

    serials: frozenset[str] = frozenset()
    """They stand: without them a bundle is about nothing."""
    numbers: frozenset[str] = frozenset()
    """Terminal and merchant numbers: only their last four may be in it."""
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that was checked."""

    names: tuple[str, ...]
    size_bytes: int
    sha256: str

    @property
    def code(self) -> str:
        """Its case code."""
        return case_code(self.sha256)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part that would have made the bundle larger than anybody opens."""

    name: str
    size_bytes: int
    kept_bytes: int
    """0: it is not in the bundle at all."""
    sha256: str
    """Of the whole part."""


def fitting(files: Mapping[str, bytes], most_bytes: int = MOST_BYTES) -> tuple[dict[str, bytes], tuple[LeftOut, ...]]:
    """What fits, the largest part shortened first: of a file of lines the older half goes, another goes whole."""
    kept = dict(files)
    while sum(map(len, kept.values())) > most_bytes:
        name = max(kept, key=lambda one: (len(kept[one]), one))
        kept[name] = _newer_half(kept[name]) if name.endswith(_LINES) or name.startswith(_LOGS) else b""
    short = [name for name in sorted(files) if len(kept[name]) < len(files[name])]
    left = tuple(
        LeftOut(name, len(files[name]), len(kept[name]), hashlib.sha256(files[name]).hexdigest()) for name in short
    )
    return {name: data for name, data in kept.items() if data or not files[name]}, left


def _newer_half(data: bytes) -> bytes:
    """From the first whole line behind the middle on; empty where there is none."""
    return data[len(data) // 2 :].partition(b"\n")[2]


def numbers_masked(text: str, numbers: Collection[str]) -> str:
    """``text`` with only the last four of these numbers, wherever no digit touches them; digests stand."""
    words = sorted(filter(None, numbers), key=len, reverse=True)
    if not words:
        return text
    pattern = rf"(?P<keep>\b{_HEX}\b)|(?<![0-9])(?:{'|'.join(map(re.escape, words))})(?![0-9])"
    return re.sub(pattern, lambda found: found.group() if found.group("keep") else masked(found.group()), text)


def pack(files: Mapping[str, bytes], known: Known) -> bytes:
    """The bundle's bytes, with the digests of everything in it; raises :class:`SupportRefused`."""
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    whole = {**files, SUMS: sums.encode()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(whole):
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o600 << 16
            archive.writestr(info, whole[name])
    data = buffer.getvalue()
    _refuse_secrets(data, known)
    return data


def _refuse_secrets(data: bytes, known: Known) -> None:
    """Look at the finished file as whoever receives it will: everything in it, names too."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            problem = _forbidden(archive.read(info), known) or _forbidden(info.filename.encode(), known)
            if problem is not None:
                raise SupportRefused(item=info.filename, kind=problem)
    if any(mark in data for mark in _SECRETS):
        raise SupportRefused(item="zip", kind=phrase("a key or a backup"))


def _forbidden(content: bytes, known: Known) -> Phrase | None:
    if any(mark in content for mark in _SECRETS) or any(s.encode() in content for s in known.secrets if len(s) > 3):
        return phrase("a key, a passphrase or a backup")
    text = content.decode("utf-8", "surrogateescape")
    if numbers_masked(text, known.numbers) != text:
        return phrase("a whole terminal or merchant number")
    own = standing_alone(known.serials)
    plain = _KEY_IDS.sub('"ids": []', own.sub("serial", text) if own is not None else text)
    scanner = Scanner()
    found = (*scanner.feed(plain.encode("utf-8", "surrogateescape")), *scanner.finish())
    return Phrase(KIND_LABEL[found[0].kind]) if found else None


def check(path: Path) -> Opened:
    """Open a bundle and compare every file with its digest; raises :class:`SupportDamaged`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SupportDamaged(path=str(path), problem=phrase("it is too large"))
        data = path.read_bytes()
    except OSError as error:
        raise SupportDamaged(path=str(path), problem=os_problem(error)) from error
    try:
        files = _unpacked(data)
    except _UNPACKABLE as error:
        raise SupportDamaged(path=str(path), problem=phrase("it cannot be unpacked"), detail=str(error)) from error
    _compare(path, files)
    return Opened(tuple(sorted(files)), len(data), hashlib.sha256(data).hexdigest())


def compare_codes(path: Path, one: Opened, codes: Sequence[str]) -> None:
    """Whether these case codes, and the one in the file's name, are that bundle's; raises :class:`SupportDamaged`."""
    for code in (*codes, *_code_in(path.name)):
        if code != one.code:
            raise SupportDamaged(
                path=str(path), problem=phrase("its case code is {found}, not {code}", found=one.code, code=code)
            )


def _code_in(name: str) -> tuple[str, ...]:
    """The code that the file was given as its name; a file may have been renamed."""
    pieces = name.removesuffix(".zip").split("-")[-3:]
    try:
        return (parse_code("-".join(pieces)),)
    except BadCaseCode:
        return ()


def _unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        if sum(info.file_size for info in infos) > MAX_BYTES or len({info.filename for info in infos}) != len(infos):
            raise ValueError("too large, or a name stands twice")
        return {info.filename: archive.read(info) for info in infos}


def _compare(path: Path, files: Mapping[str, bytes]) -> None:
    sums = files.get(SUMS, b"").decode("ascii", "replace").splitlines()
    listed = {name: digest for digest, _spaces, name in (line.partition("  ") for line in sums)}
    if not listed or set(listed) != set(files) - {SUMS}:
        raise SupportDamaged(path=str(path), problem=phrase("its list of digests does not fit what is in it"))
    for name, digest in listed.items():
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise SupportDamaged(path=str(path), problem=phrase("{file} was changed", file=name))
