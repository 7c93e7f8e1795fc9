"""A file that is to prove something, before it is kept: what it is, what it may not hold, what a photo tells."""

from __future__ import annotations

import logging
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from techtool.domain.sensitive import Profile, Scanner, redact
from techtool.errors import BadEvidence
from techtool.i18n import Phrase, phrase, raw

MAX_BYTES: Final = 50_000_000
"""A photo of a telephone has 2 to 15 MB."""
MAX_TEXT_BYTES: Final = 5_000_000
_PICTURES: Final = (".jpg", ".png", ".heic")
TEXTS: Final = (".txt", ".log")
_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What will be kept of a file."""

    data: bytes
    suffix: str
    modified_at: datetime | None
    taken_at: str = ""
    geo: str = ""
    camera: str = ""
    masked: bool = False
    """Numbers in a text were masked, so the copy is not the original byte for byte."""


def read_evidence(path: Path) -> ReadFile:
    """Read and judge a file; raises :class:`BadEvidence`.

    Told by its first bytes, not by its name: JPEG, PNG, HEIC, PDF; else a text, where the name says ``.txt`` or
    ``.log``. A text is kept with card numbers masked. What a picture *shows* cannot be searched; what stands in its
    bytes as text (its description, a maker's note) is, and a card number there refuses it.
    """
    data, modified_at = _bytes(path)
    suffix = _suffix(path, data)
    if suffix in TEXTS:
        text = _text(path, data)
        clean = redact(text)
        return ReadFile(_searched(path, clean.encode(), Profile.TEXT), suffix, modified_at, masked=clean != text)
    _searched(path, data, Profile.BINARY)
    if suffix not in _PICTURES:
        return ReadFile(data, suffix, modified_at)
    taken_at, geo, camera = _told_by(data)
    return ReadFile(data, suffix, modified_at, taken_at, geo, camera)


def written(name: str) -> str:
    """A file's name as it can be recorded: one in another encoding has characters that no record holds."""
    return name.encode("utf-8", "replace").decode()


def _refused(path: Path, problem: Phrase) -> BadEvidence:
    return BadEvidence(path=written(str(path)), problem=problem)


def _bytes(path: Path) -> tuple[bytes, datetime | None]:
    """All of a regular file, and when it was written."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(fd, "rb") as file:
            facts = os.fstat(fd)
            if not stat.S_ISREG(facts.st_mode):
                raise _refused(path, phrase("it is not a file"))
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else "cannot be read"
        raise _refused(path, raw(text)) from error
    if len(data) > MAX_BYTES:
        raise _refused(path, phrase("it is larger than {count} MB", count=MAX_BYTES // 1_000_000))
    if not data:
        raise _refused(path, phrase("it is empty"))
    try:
        return data, datetime.fromtimestamp(int(facts.st_mtime), UTC)
    except (OverflowError, OSError, ValueError):
        return data, None


def _suffix(path: Path, data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return ".heic"
    if data.startswith(b"%PDF-"):
        return ".pdf"
    named = path.suffix.lower()
    if named in TEXTS:
        return named
    raise _refused(path, phrase("only JPEG, PNG, HEIC and PDF files and texts named .txt or .log are taken"))


def _text(path: Path, data: bytes) -> str:
    if len(data) > MAX_TEXT_BYTES:
        raise _refused(path, phrase("it is larger than {count} MB", count=MAX_TEXT_BYTES // 1_000_000))
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _refused(path, phrase("it is no text that can be searched for card numbers"))


def _searched(path: Path, data: bytes, profile: Profile) -> bytes:
    scanner = Scanner(profile)
    if scanner.feed(data) or scanner.finish():
        raise _refused(path, phrase("it holds what looks like a card number, a magnetic stripe or a key"))
    return data


def _told_by(data: bytes) -> tuple[str, str, str]:
    """The camera's time, the place and the camera of a picture; empty where it does not say, or not readably."""
    import exifread
    from exifread.utils import get_gps_coords

    logging.getLogger("exifread").setLevel(logging.CRITICAL + 1)  # it would write to the person's terminal
    try:
        tags = exifread.process_file(BytesIO(data), details=False)
        place = get_gps_coords(tags)
        time = _said(tags.get("EXIF DateTimeOriginal") or tags.get("Image DateTime"))
        camera = " ".join(dict.fromkeys(filter(None, (_said(tags.get(f"Image {n}")) for n in ("Make", "Model")))))
    except Exception:
        # A picture is a stranger's file and its notes are often broken; the picture itself still shows something.
        return "", "", ""
    geo = ""
    if place and len(place) == 2 and all(isinstance(part, float | int) for part in place):
        lat, lon = place
        geo = f"{lat:.6f},{lon:.6f}" if abs(lat) <= 90 and abs(lon) <= 180 and (lat or lon) else ""
    return time.replace(":", "-", 2) if time[:4].isdigit() else "", geo, camera


def _said(tag: object) -> str:
    text = "" if tag is None else str(tag)
    return "".join(letter for letter in text if letter.isprintable()).strip()[:_LONGEST]
