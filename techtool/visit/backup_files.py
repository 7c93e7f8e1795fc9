"""Whether the backups that the visits tell of lie here as long as they were written; nothing is opened for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from techtool.domain.visit import BackupRecord, VisitRecord
from techtool.errors import StoreError
from techtool.i18n import Phrase, phrase
from techtool.paths import disk_error
from techtool.visit.backup_log import BackupAction, BackupLog
from techtool.visit.health import Finding
from techtool.visit.rescue import House

_COPY: Final[Phrase] = phrase("Look for the file in a copy of this folder and put it back; else tell the office.")


def check_backups(house: House, record: VisitRecord, deleted: frozenset[str]) -> Iterator[Finding]:
    """Each file's size against the record of its visit: cheap, and enough for what was cut short or is gone.

    A byte that was changed is found by ``techtool backup verify`` alone, which decrypts.
    """
    for lane in record.lanes:
        if lane.backup is not None:
            yield from _check(house, record, lane.backup, deleted)


def _check(house: House, record: VisitRecord, backup: BackupRecord, deleted: frozenset[str]) -> Iterator[Finding]:
    path = house.home.paths.backups / backup.file
    try:
        size_bytes = path.stat().st_size
    except FileNotFoundError:
        if backup.id not in deleted:
            what = phrase(
                "backup {file} of visit {visit} is gone, and no log says why", file=path.name, visit=record.id
            )
            yield Finding(path, what, (_COPY,))
        return
    except OSError as error:
        yield Finding(path, disk_error(error, path).what_phrase)
        return
    if size_bytes != backup.size_bytes:
        what = phrase(
            "backup {file} of visit {visit} has {found} bytes, not the {expected} that were written",
            file=path.name,
            visit=record.id,
            found=size_bytes,
            expected=backup.size_bytes,
        )
        yield Finding(path, what, (_COPY, phrase("Do not rely on it: it cannot be put back onto a terminal.")))


def deleted_backups(house: House) -> frozenset[str]:
    """Backups that went through techtool; of a damaged log nothing is known, and that is told by itself."""
    try:
        entries = BackupLog(house.home, house.clock, "").entries()
    except StoreError:
        return frozenset()
    return frozenset(entry.backup for entry in entries if entry.action is BackupAction.WIPE)
