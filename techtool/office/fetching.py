"""Visits out of the database again, as the files they were: the office believes their seals, not the server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from techtool.errors import Damaged, RecordUnproven, StoreDamaged, StoreTooNew, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.office.couch import Database, StoredLine, StoredRow
from techtool.office.documents import FILE, LAPTOP_ID, LINE, journal_of, line_id
from techtool.office.http import OfficeHttp
from techtool.office.outbox import MAX_JOURNAL_BYTES
from techtool.office.sealed import Sealed, read_sealed
from techtool.paths import DISK, Disk
from techtool.reports.signers import Signer

_VISIT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NAME: Final = re.compile(r"[0-9a-f]{64}(\.[a-z0-9]{1,8})?")
_MAX_LINES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """One visit, as it was put together."""

    laptop: str
    visit: str
    path: Path | None
    """None: it was not written."""
    principal: str = ""
    """Who stands for it, as the list of signers names them."""
    files: int = 0
    """Photos and slips that came with it and are what the record names."""
    error: TechtoolError | None = None


@dataclass(slots=True)
class _Gathered:
    laptop: str
    visit: str
    lines: dict[int, str] = field(default_factory=dict)
    size: int = 0
    """Of the lines, in characters."""
    files: list[StoredRow] = field(default_factory=list)


async def fetch(
    http: OfficeHttp, wanted: Sequence[str], folder: Path, signers: Sequence[Signer], now: datetime, disk: Disk = DISK
) -> AsyncIterator[Fetched]:
    """Every visit of the database, or those of ``wanted``; one that is not whole or not proven is not written.

    ``http`` is entered already. Raises :class:`OfficeError`.
    """
    database = Database(http)
    await database.check()
    async for gathered in _visits(database):
        if not wanted or gathered.visit in wanted:
            yield await _put_together(database, gathered, folder, signers, now, disk)


async def _visits(database: Database) -> AsyncIterator[_Gathered]:
    """The ids are in the order of laptop, visit, line: one visit after the other."""
    current: _Gathered | None = None
    async for row in database.lines("L"):
        doc = row.doc
        if doc is None or not LAPTOP_ID.fullmatch(doc.laptop) or not _VISIT.fullmatch(doc.visit):
            continue
        if not row.id.startswith(f"{doc.laptop}:{doc.visit}:"):
            continue  # it calls itself part of another visit than the one it lies among, and would cut that in two
        if current is None or (current.laptop, current.visit) != (doc.laptop, doc.visit):
            if current is not None:
                yield current
            current = _Gathered(doc.laptop, doc.visit)
        _take(current, row, doc)
    if current is not None:
        yield current


def _take(gathered: _Gathered, row: StoredRow, doc: StoredLine) -> None:
    if doc.type == LINE and row.id == line_id(doc.laptop, doc.visit, doc.seq) and doc.seq < _MAX_LINES:
        gathered.size += len(doc.line)
        if gathered.size <= MAX_JOURNAL_BYTES:  # what is longer than any visit is not whole then, and is refused
            gathered.lines[doc.seq] = doc.line
    elif doc.type == FILE and _NAME.fullmatch(doc.name):
        gathered.files.append(row)


async def _put_together(
    database: Database, gathered: _Gathered, folder: Path, signers: Sequence[Signer], now: datetime, disk: Disk
) -> Fetched:
    def refused(error: TechtoolError) -> Fetched:
        return Fetched(gathered.laptop, gathered.visit, None, error=error)

    path = folder / gathered.laptop / f"{gathered.visit}.jnl"
    data = journal_of(gathered.lines)
    try:
        sealed = read_sealed(path, data, gathered.visit) if data is not None else None
    except StoreDamaged as error:
        return refused(Damaged(path=gathered.visit, problem=error.problem, detail=error.detail))
    except StoreTooNew as error:
        return refused(error)
    if sealed is None:
        return refused(Damaged(path=gathered.visit, problem=phrase("entries are missing in the database")))
    signer = sealed.signer(signers, now)
    problem = _unproven(sealed, signer)
    if problem is not None:
        return refused(RecordUnproven(visit=gathered.visit, problem=problem))
    disk.make_folder(path.parent)
    files = [await _file(database, row, sealed, path.with_suffix("") / "evidence", disk) for row in gathered.files]
    disk.write_file(path, sealed.data)
    return Fetched(gathered.laptop, gathered.visit, path, signer.principal if signer else "", sum(files))


def _unproven(sealed: Sealed, signer: Signer | None) -> Phrase | None:
    if sealed.signature is None:
        return phrase("sealed without a signature: nobody stands for it")
    return None if signer is not None else phrase("sealed by a key that is not on the list")


async def _file(database: Database, row: StoredRow, sealed: Sealed, folder: Path, disk: Disk) -> bool:
    """A photo or slip that the sealed record names, and that is what it names."""
    doc = row.doc
    if doc is None or doc.name[:64] != doc.sha256 or not sealed.names(doc.sha256):
        return False
    data = await database.file(row.id)
    if data is None or hashlib.sha256(data).hexdigest() != doc.sha256:
        return False
    disk.make_folder(folder)
    disk.write_file(folder / doc.name, data)
    return True
