"""One sealed visit into the office's database: the same for a laptop that sends and an office that reads a stick."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from techtool.errors import OfficeRefused
from techtool.i18n import Phrase, phrase
from techtool.office.couch import Database
from techtool.office.documents import MAX_FILE_BYTES, Entry, entries, file_entry
from techtool.office.sealed import Sealed, evidence_in


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of one visit: it is in the database, to the last entry."""

    visit: str
    head: str
    entries: int
    """Lines and files of which it consists there."""
    new: int
    """Of these, how many were not there before."""
    conflicts: tuple[str, ...]
    """Ids under which the database holds something else too."""
    notes: tuple[Phrase, ...]
    """Photos and slips that were not sent, and why."""


async def bring(database: Database, laptop: str, sealed: Sealed, evidence: Path) -> Brought:
    """Send what is missing of a visit and make sure that it is all there.

    Raises :class:`OfficeError` when the office cannot be asked, :class:`OfficeRefused` when it does not take this one,
    :class:`DiskError` when a photo of it cannot be read.
    """
    whole, notes = _whole(laptop, sealed, evidence)
    try:
        missing = await database.missing(whole)
        async for _sent in database.push(missing):
            pass
        left = await database.missing(whole) if missing else []
        if left:
            problem = phrase("{count} entries are not there although it took them", count=len(left))
            raise OfficeRefused(visit=sealed.visit, problem=problem)
        conflicts = tuple(await database.conflicts(whole))
    except OfficeRefused as error:
        raise OfficeRefused(visit=sealed.visit, problem=error.params["problem"], detail=error.detail) from error
    return Brought(sealed.visit, sealed.head, len(whole), len(missing), conflicts, tuple(notes))


def _whole(laptop: str, sealed: Sealed, evidence: Path) -> tuple[list[Entry], list[Phrase]]:
    found, notes = entries(laptop, sealed), list[Phrase]()
    for file in evidence_in(evidence, sealed):
        if isinstance(file, Phrase):
            notes.append(file)
        elif file.size_bytes > MAX_FILE_BYTES:
            megabytes = file.size_bytes // 1_000_000
            text = phrase("{file} has {size} MB: it travels on a stick only", file=file.path.name, size=megabytes)
            notes.append(text)
        else:
            found.append(file_entry(laptop, sealed.visit, file))
    return found, notes
