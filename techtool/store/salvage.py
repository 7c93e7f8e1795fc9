"""What can still be read of a damaged journal, and how it takes that file's place without losing a byte of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, convert, plain
from techtool.domain.salvage import Gap, SalvageRecord
from techtool.domain.schema import refuse_newer
from techtool.errors import InternalError
from techtool.i18n import raw
from techtool.paths import DISK, Disk
from techtool.store.changes import Fields, Op, Tables, decode_ops, encode_ops, ops_for
from techtool.store.db import JournalDB
from techtool.store.frames import GENESIS, chained, whole_lines
from techtool.store.journal import Header, Seal, aside_name, damaged, journal_bytes, read_bytes, read_header, read_seal
from techtool.store.keys import Keys
from techtool.store.migrations import is_schema_line, replay, schema_of
from techtool.store.sealing import Sealer

SALVAGE_TABLE: Final = "salvage"
"""The table of a salvaged journal that says where it comes from and what is missing; one document a salvage."""
DAMAGED: Final = "damaged"
"""A file that was damaged is set aside as ``<name>.damaged-<n>``."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A journal file read as far as it can be, whatever became of it."""

    header: Header
    """The file's own; where it is lost, what the file must have been."""
    records: tuple[bytes, ...]
    """Every whole record there is, in the file's order; schema lines among them."""
    proven: int
    """How many of ``records``, from the first, are proven by the chain."""
    lines_in_place: int
    lines_after_damage: int
    gaps: tuple[Gap, ...]
    seal: Seal | None
    """The seal, wherever it stands; it proves nothing any more when there are gaps."""
    data: bytes
    """The file as it was found."""
    keys: Keys | None = None
    """What opens its sealed words for :meth:`documents`; in :meth:`tables` they stay as they stand in the file."""

    @property
    def sha256(self) -> str:
        """Of the file as it was found, lower-case hex."""
        return hashlib.sha256(self.data).hexdigest()

    def tables(self) -> Tables:
        """What the records come to; raises :class:`CodecError`."""
        tables: Tables = {}
        replay(self.header.kind, self.header.schema, self.records, tables)
        return tables

    def documents(self, *, proven: bool) -> Iterator[Fields]:
        """Every document that was ever written in the proven records, or in those after; raises :class:`CodecError`.

        One with a sealed word that was altered, or brought there from elsewhere, is passed over.
        """
        records = self.records[: self.proven] if proven else self.records[self.proven :]
        sealer = Sealer(self.header.kind, self.header.id, self.keys)
        for op in decode_ops(payload for payload in records if not is_schema_line(payload)):
            if op[3] is None:
                continue
            try:
                document = sealer.opened(op[3])
            except CodecError:
                continue
            yield document

    def journal(self, more: Iterable[Op] = ()) -> bytes:
        """A new, unsealed journal of everything that was saved, and ``more`` as its last line."""
        ops = list(more)
        return journal_bytes(self.header, [*self.records, *([encode_ops(ops)] if ops else [])])

    def unsealed_from(self, offset: int) -> Saved:
        """The same with one more gap: the end was cut off at a line's end, which the bytes alone do not show."""
        return replace(self, gaps=(*self.gaps, Gap(offset, 0)))


def read_saved(path: Path, lost: Header, keys: Keys | None = None) -> Saved:
    """Read every whole line of a file, wherever it stands; a torn tail counts as a gap as well.

    ``lost`` stands for a header that cannot be read. Raises :class:`StoreDamaged` when whole records are not
    understood (then the file may be sound, and another techtool knows them) and :class:`StoreTooNew`.
    """
    return replace(parse_saved(path, read_bytes(path), lost), keys=keys)


def parse_saved(path: Path, data: bytes, lost: Header) -> Saved:
    """:func:`read_saved` of bytes; ``path`` is for messages."""
    gaps: list[Gap] = []
    head, end, count, in_place, proven = GENESIS, 0, 0, 0, 0
    header, seal = lost, None
    records: list[bytes] = []
    for line in whole_lines(data):
        if line.offset > end or line.chain != chained(head, line.payload):
            gaps.append(Gap(end, line.offset - end))
        head, end, count = line.chain, line.end, count + 1
        in_place += not gaps
        if line.payload.startswith(b"[") or is_schema_line(line.payload):
            records.append(line.payload)
            proven += not gaps
        elif line.payload.startswith(b'{"seal"'):
            seal = read_seal(path, line.payload)
        elif header is lost:
            header = read_header(path, line.payload)
    if end < len(data):
        gaps.append(Gap(end, len(data) - end))
    saved = Saved(header, tuple(records), proven, in_place, count - in_place, tuple(gaps), seal, data)
    try:
        for payload in filter(is_schema_line, records):
            refuse_newer(header.kind, schema_of(payload), path)
        saved.tables()
    except CodecError as error:
        raise damaged(path, raw(str(error))) from error
    return saved


def salvage_op(number: int, record: SalvageRecord) -> Op:
    """The document that tells of a salvage; ``number`` counts those of one journal from 1."""
    return next(op for op in ops_for({SALVAGE_TABLE: {str(number): plain(record)}}) if op[0] == "put")


def salvages_of(db: JournalDB) -> tuple[SalvageRecord, ...]:
    """What a journal says of its own salvages, oldest first; empty for one that was never damaged.

    Raises :class:`CodecError`.
    """
    return tuple(convert(dict(document), SalvageRecord) for document in db.table(SALVAGE_TABLE))


def set_aside_name(path: Path, data: bytes) -> Path:
    """Under which name ``data`` is kept: where a stop left it there before, that one, else the first free one."""
    free = aside_name(path, DAMAGED)
    for kept in aside_files(path, DAMAGED):
        if kept.stat().st_size == len(data) and read_bytes(kept) == data:
            return kept
    return free


def aside_files(path: Path, word: str) -> list[Path]:
    """What was set aside of ``path`` under ``word`` (``damaged``, ``torn``), oldest first."""
    prefix = f"{path.name}.{word}-"
    found = [kept for kept in path.parent.glob(f"{path.name}.{word}-*") if kept.name.removeprefix(prefix).isdecimal()]
    return sorted(found, key=lambda kept: int(kept.name.removeprefix(prefix)))


def put_in_place(path: Path, found: bytes, new: bytes, disk: Disk = DISK) -> Path:
    """Set ``found`` (what ``path`` holds now) aside, then put ``new`` in its place; where it was set aside to.

    The copy is on disk before the file is replaced, so that no stop leaves a moment without either. Only for the
    holder of the home's lock. Raises :class:`DiskError`, :class:`DiskFull`; then ``path`` is as it was.
    """
    if read_bytes(path) != found:
        raise InternalError(kind="ChangedWhileSalvaged", detail=str(path))
    aside = set_aside_name(path, found)
    if not aside.exists():
        disk.write_file(aside, found)
    disk.write_file(path, new)
    return aside
