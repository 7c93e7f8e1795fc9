"""An append-only file of records that is whole after any stop: one line, one fsync, one transaction.

A record counts when its line is on disk. A line that could not be written whole is cut off again at once; a line that a
crash cut short is set aside by the next writer (``<name>.torn-<n>``), told, and never dropped in silence. A whole line
behind a broken one can come of no crash: that is damage, and the file is refused as it is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.schema import OLDEST, newest, refuse_newer
from techtool.errors import InternalError, NotFoundError, StoreDamaged, TechtoolError
from techtool.i18n import Phrase, phrase, raw
from techtool.paths import DISK, Disk, disk_error
from techtool.store.frames import GENESIS, Scan, frame, scan
from techtool.store.migrations import is_schema_line, schema_of

TORN: Final = "torn"
"""An unfinished tail is set aside as ``<name>.torn-<n>``."""
_MAKER: Final = "techtool"


@dataclass(frozen=True, slots=True)
class Header:
    """The first line."""

    kind: str
    """``visit``, ``index`` …"""
    id: str
    schema: int
    """In which the lines are written that follow, up to a schema line if there is one."""
    journal: str = _MAKER

    @classmethod
    def new(cls, kind: str, id: str) -> Header:  # noqa: A002 - the header's own word
        """Of a journal that is begun now."""
        return cls(kind, id, newest(kind))


@dataclass(frozen=True, slots=True)
class Seal:
    """The last line of a closed journal."""

    count: int
    """Lines before the seal, the header included."""
    head: str
    """Chain value of the line before the seal."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """What the closer added, e.g. a signature over ``head``."""


@dataclass(frozen=True, slots=True)
class _SealLine:
    seal: Seal


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next line goes; one value, so that no interrupt finds it half changed."""

    count: int
    """Lines so far, the header and the seal included."""
    head: str
    """Chain value of the last of them."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A journal as it was read."""

    header: Header
    payloads: tuple[bytes, ...]
    """Every line but the header and the seal: the records, and schema lines between them."""
    place: Place
    tail: bytes
    """An unfinished write; empty in a clean journal."""
    seal: Seal | None
    seal_line: bytes = b""
    """The seal as it stands in the file."""


def damaged(path: Path, problem: Phrase, detail: str = "") -> StoreDamaged:
    """The error for a journal that cannot be believed."""
    return StoreDamaged(path=str(path), problem=problem, detail=detail)


def journal_bytes(header: Header, payloads: Iterable[bytes] = ()) -> bytes:
    """A whole journal as bytes, for files that are written as one."""
    head, lines = GENESIS, []
    for payload in (encode_json(header), *payloads):
        line, head = frame(head, payload)
        lines.append(line)
    return b"".join(lines)


def read_bytes(path: Path) -> bytes:
    """The file's bytes, in our errors."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(what=str(path)) from error
    except OSError as error:
        raise disk_error(error, path) from error


def read_journal(path: Path) -> Reading:
    """Read without waiting and without changing anything; a process that is writing does not disturb.

    Raises :class:`NotFoundError`, :class:`StoreDamaged`, :class:`StoreTooNew`, :class:`DiskError`.
    """
    found = scan(read_bytes(path))
    if found.damaged:
        # A writer that took back a failed line while we read shows the same picture, but not twice.
        found = scan(read_bytes(path))
    return interpret(path, found)


def interpret(path: Path, found: Scan) -> Reading:
    """The header, records and seal of a scan; raises :class:`StoreDamaged`, :class:`StoreTooNew`."""
    header = read_header(path, found.payloads[0]) if found.payloads else None
    if found.damaged:
        raise damaged(
            path,
            phrase(
                "the record at byte {offset} was altered, moved or removed; whole records follow it",
                offset=found.good_bytes,
            ),
        )
    if header is None:
        raise damaged(path, phrase("its first line is no header"))
    last_schema, seals = header.schema, []
    for payload in found.payloads[1:]:
        if is_schema_line(payload):
            last_schema = _next_schema(path, header.kind, last_schema, payload)
        elif payload.startswith(b"{"):
            seals.append(payload)
    seal: Seal | None = None
    if seals:
        seal = read_seal(path, seals[0])
        count = len(found.payloads) - 1
        if seal.count != count or seal.head != found.head_before:
            raise damaged(path, phrase("its seal does not fit its records"))
    records = found.payloads[1:-1] if seal else found.payloads[1:]
    place = Place(len(found.payloads), found.head, found.good_bytes)
    return Reading(header, records, place, found.tail, seal, found.payloads[-1] if seal else b"")


@dataclass(frozen=True, slots=True)
class _AnyHeader:
    """What a header has in every schema there will be."""

    kind: str
    schema: int
    journal: str


def read_header(path: Path, payload: bytes) -> Header:
    """The first line as a header; raises :class:`StoreDamaged` when it is none, :class:`StoreTooNew`."""
    try:
        known = decode_json(payload, _AnyHeader)
        if known.journal != _MAKER or known.schema < OLDEST:
            raise CodecError("another maker's, or a schema there never was")
        refuse_newer(known.kind, known.schema, path)
        return decode_json(payload, Header)
    except CodecError as error:
        raise damaged(path, phrase("its first line is no header"), str(error)) from error


def _next_schema(path: Path, kind: str, last: int, payload: bytes) -> int:
    try:
        schema = schema_of(payload)
    except CodecError as error:
        raise damaged(path, raw(str(error))) from error
    refuse_newer(kind, schema, path)
    if schema < last:
        raise damaged(path, phrase("a line goes back to record format {schema}", schema=schema))
    return schema


def read_seal(path: Path, payload: bytes) -> Seal:
    """A seal's line; raises :class:`StoreDamaged` when it is none."""
    try:
        return decode_json(payload, _SealLine).seal
    except CodecError as error:
        raise damaged(path, raw(str(error))) from error


class Journal:
    """The one writer of one journal file. Not for several threads: its owner holds a lock."""

    def __init__(self, path: Path, fd: int, reading: Reading, disk: Disk) -> None:
        self.path = path
        self.place = reading.place
        self.set_aside: Path | None = None
        """Where an unfinished tail was copied to when the journal was opened."""
        self._fd: int | None = fd
        self._disk = disk
        self._must_cut = bool(reading.tail)

    @classmethod
    def create(cls, path: Path, header: Header, disk: Disk = DISK, payloads: Iterable[bytes] = ()) -> None:
        """Write a new journal as one, over an old one if there is one: a journal without its header never exists."""
        disk.write_file(path, journal_bytes(header, payloads))

    @classmethod
    def open(cls, path: Path, reading: Reading, disk: Disk = DISK) -> Journal:
        """Go on behind what was read; an unfinished tail is copied aside first, then cut off.

        The folder is synced before anything is acknowledged: where that failed when the journal was begun, its name
        may not be on disk yet, and everything in it would go with it.
        """
        disk.fsync_folder(path.parent)
        aside = _copy_aside(path, reading.tail, disk) if reading.tail else None
        journal = cls(path, disk.create(path), reading, disk)
        journal.set_aside = aside
        try:
            journal._cut_back()
        except BaseException:
            journal.close()
            raise
        return journal

    def append(self, payload: bytes) -> None:
        """Record ``payload``; when this returns it is on disk, when it raises it is not recorded."""
        if self._fd is None:
            raise InternalError(kind="JournalClosed", detail=str(self.path))
        self._cut_back()
        place = self.place
        line, head = frame(place.head, payload)
        try:
            self._disk.write(self._fd, line, self.path)
            self._disk.fsync(self._fd, self.path)
            self.place = Place(place.count + 1, head, place.size_bytes + len(line))
        except BaseException:
            self._must_cut = True
            # When this fails too, the next append begins with it, and a reader sees an unfinished tail.
            with contextlib.suppress(TechtoolError):
                self._cut_back()
            raise

    def append_seal(self, extra: Mapping[str, object]) -> Seal:
        """Close the journal with its count and head; the caller lets no line follow."""
        seal = Seal(self.place.count, self.place.head, extra)
        payload = seal_bytes(seal)
        again = decode_json(payload, _SealLine).seal
        self.append(payload)
        return again

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        fd, self._fd = self._fd, None
        if fd is not None:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _cut_back(self) -> None:
        """Take off whatever follows the last whole line, if anything may."""
        if self._must_cut and self._fd is not None:
            self._disk.truncate(self._fd, self.place.size_bytes, self.path)
            self._disk.fsync(self._fd, self.path)
            self._must_cut = False


def seal_bytes(seal: Seal) -> bytes:
    """The line that ``seal`` is written as: the same seal gives the same bytes."""
    return encode_json(_SealLine(seal))


def aside_name(path: Path, word: str) -> Path:
    """The first free ``<name>.<word>-<n>`` beside ``path``."""
    number = 1
    while (aside := path.with_name(f"{path.name}.{word}-{number}")).exists():
        number += 1
    return aside


def _copy_aside(path: Path, tail: bytes, disk: Disk) -> Path:
    aside = aside_name(path, TORN)
    disk.write_file(aside, tail)
    return aside
