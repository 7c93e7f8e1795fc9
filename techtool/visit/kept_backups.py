"""The backups on this laptop: in what state each is, and whether it still reads back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from techtool.backups.container import SUFFIX, verify_backup
from techtool.backups.taking_out import secret_in
from techtool.domain.backup import BackupManifest
from techtool.domain.codec import CodecError, convert, encode_json
from techtool.domain.confidential import HIDDEN
from techtool.domain.schema import OLDEST, VISIT
from techtool.domain.visit import VisitRecord
from techtool.domain.visit_state import VisitState
from techtool.errors import (
    BackupNotVerified,
    DiskError,
    NoSuchBackup,
    NoSuchVisit,
    StoreDamaged,
    StoreTooNew,
    TechtoolError,
)
from techtool.i18n import Phrase, phrase
from techtool.store.index import VisitSummary
from techtool.store.journal import Header
from techtool.store.salvage import read_saved
from techtool.visit.backup_log import BEGUN, DONE, BackupAction, BackupLog, LogEntry
from techtool.visit.log import manifest_of
from techtool.visit.services import Services
from techtool.visit.visits import list_visits, open_record


class Presence(StrEnum):
    """Whether a file of a backup is on this laptop."""

    HERE = "here"
    DELETED = "deleted"
    """By techtool, and logged."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """One backup."""

    visit: str
    visit_state: VisitState
    id: str
    serial: str
    """Empty where the visit's record is damaged."""
    file: str
    sha256: str
    size_bytes: int
    items: int
    made_at: datetime
    verified: bool
    """When it was made: decrypted from disk, every digest compared."""
    presence: Presence
    """Of the encrypted file."""
    key: Presence
    """Of the visit's own key; without it only the office can open the backup."""
    key_until: datetime
    """When the visit's own key is due to be deleted."""


def backup_log(services: Services) -> BackupLog:
    """The log of this laptop, written in the technician's name."""
    return BackupLog(services.home, services.clock, services.settings.technician)


def keep_days(services: Services) -> timedelta:
    """How long a visit's own key is kept."""
    return timedelta(days=services.settings.keep_backups_days)


def key_path(services: Services, visit: str) -> Path:
    """Where a visit's own key is."""
    return services.paths.visit_keys / f"{visit}.agekey"


def kept_backups(services: Services, entries: Sequence[LogEntry] = (), only: str = "") -> list[KeptBackup]:
    """Every backup there is a record or a file of, oldest first; ``entries`` of the log tell what was deleted.

    ``only``: those of one visit.
    """
    found: list[KeptBackup] = []
    for summary in list_visits(services):
        if only and summary.id != only:
            continue
        try:
            # The index tells of a closed visit without reading it: only this shows whether it can still be read.
            record = open_record(services, summary.id)
        except StoreTooNew:
            found += _of_unreadable(services, replace(summary, state=VisitState.NEWER), entries)
        except (StoreDamaged, NoSuchVisit, DiskError):
            found += _of_unreadable(services, replace(summary, state=VisitState.DAMAGED), entries)
        else:
            found += _of_record(services, summary, record, entries)
    return sorted(found, key=lambda backup: (backup.made_at, backup.id))


def _of_record(
    services: Services, summary: VisitSummary, record: VisitRecord, entries: Sequence[LogEntry]
) -> Iterator[KeptBackup]:
    for lane in record.lanes:
        if lane.backup is None:
            continue
        made = lane.backup
        yield KeptBackup(
            visit=summary.id,
            visit_state=summary.state,
            id=made.id,
            serial=lane.serial,
            file=made.file,
            sha256=made.sha256,
            size_bytes=made.size_bytes,
            items=made.items,
            made_at=made.at,
            verified=made.verified,
            presence=_file_presence(services, made.file, made.id, entries),
            key=_key_presence(services, summary.id, entries),
            key_until=made.at + keep_days(services),
        )


def _of_unreadable(services: Services, summary: VisitSummary, entries: Sequence[LogEntry]) -> Iterator[KeptBackup]:
    """What lies in the folder under the visit's name; its record says nothing for certain."""
    for path in sorted(services.paths.backups.glob(f"{summary.id}-*{SUFFIX}")):
        made_at = summary.finished_at or summary.started_at
        yield KeptBackup(
            visit=summary.id,
            visit_state=summary.state,
            id=path.stem,
            serial="",
            file=path.name,
            sha256="",
            size_bytes=path.stat().st_size,
            items=0,
            made_at=made_at,
            verified=False,
            presence=Presence.HERE,
            key=_key_presence(services, summary.id, entries),
            key_until=made_at + keep_days(services),
        )


def _file_presence(services: Services, file: str, backup: str, entries: Sequence[LogEntry]) -> Presence:
    if (services.paths.backups / file).is_file():
        return Presence.HERE
    wiped = any(e.action is BackupAction.WIPE and e.backup == backup for e in entries)
    return Presence.DELETED if wiped else Presence.MISSING


def _key_presence(services: Services, visit: str, entries: Sequence[LogEntry]) -> Presence:
    if key_path(services, visit).is_file():
        return Presence.HERE
    deleted = any(e.action is BackupAction.DELETE_KEY and e.visit == visit for e in entries)
    return Presence.DELETED if deleted else Presence.MISSING


# --- reading back --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verified:
    """How one backup read back."""

    backup: str
    error: TechtoolError | None
    """None: decrypted, and every digest agrees with the visit's record."""


async def verify_visit(services: Services, visit: str, why: str) -> list[Verified]:
    """Read back every backup of a visit; each opening is logged. Holds the home's lock.

    A damaged visit is verified as far as its record is proven. Raises :class:`NoSuchVisit` when it has no backup here.
    """
    with services.home.lock("backup verify"):
        log = backup_log(services)
        mine = kept_backups(services, log_entries(log), visit)
        if not mine:
            if visit not in services.home.visit_ids():
                raise NoSuchVisit(visit=visit)
            raise NoSuchBackup(name=visit)
        results = []
        for backup in mine:
            log.note(BackupAction.VERIFY, visit=visit, backup=backup.id, why=why, result=BEGUN)
            error = await _failure(services, backup)
            result = error.code if error is not None else DONE
            log.note(BackupAction.VERIFY, visit=visit, backup=backup.id, why=why, result=result)
            results.append(Verified(backup.id, error))
        return results


def log_entries(log: BackupLog) -> tuple[LogEntry, ...]:
    """The log's entries; none where it is damaged: it is set aside, and told, when it is written next."""
    try:
        return log.entries()
    except StoreDamaged:
        return ()


async def _failure(services: Services, backup: KeptBackup) -> TechtoolError | None:
    try:
        await _verify(services, backup)
    except TechtoolError as error:
        return error
    return None


async def _verify(services: Services, backup: KeptBackup) -> None:
    if backup.presence is not Presence.HERE:
        raise BackupNotVerified(problem=_gone(backup.presence, phrase("its file"), backup.file))
    if backup.key is not Presence.HERE:
        key = phrase("this laptop's key for it, so that only the office can open it")
        raise BackupNotVerified(problem=_gone(backup.key, key, backup.visit))
    manifest, proven = manifest_for(services, backup)
    secret = secret_in(key_path(services, backup.visit))
    if manifest is None:
        raise BackupNotVerified(problem=phrase("its manifest is not in the journal"))
    await verify_backup(services.paths.backups / backup.file, secret, manifest)
    if not proven:
        raise BackupNotVerified(
            problem=phrase("it reads back whole, but the record that says so stands behind a damaged place")
        )


def _gone(presence: Presence, what: Phrase, name: str) -> Phrase:
    if presence is Presence.DELETED:
        return phrase("{what} was deleted, as the log of backups says ({name})", what=what, name=name)
    return phrase("{what} is not there ({name})", what=what, name=name)


def manifest_for(services: Services, backup: KeptBackup) -> tuple[BackupManifest | None, bool]:
    """The manifest of a backup, and whether it is proven: of a damaged record, only what stands before the damage is.

    Raises :class:`StoreTooNew`, and :class:`BackupNotVerified` where words of it cannot be opened: compared with its
    masks, a backup that is sound would count as damaged.
    """
    manifest, proven = _manifest_in_record(services, backup)
    if manifest is not None and HIDDEN in encode_json(manifest).decode():
        problem = phrase("the key that opens this laptop's records is not here; “techtool doctor” says what to do")
        raise BackupNotVerified(problem=problem)
    return manifest, proven


def _manifest_in_record(services: Services, backup: KeptBackup) -> tuple[BackupManifest | None, bool]:
    if backup.visit_state is not VisitState.DAMAGED:
        db = services.home.open_visit(backup.visit, write=False)
        try:
            return manifest_of(db, backup.id), backup.visit_state is not VisitState.SALVAGED
        finally:
            db.close()
    path = services.home.visit_path(backup.visit)
    try:
        saved = read_saved(path, Header(VISIT, backup.visit, OLDEST), services.home.keys)
    except StoreTooNew:
        raise
    except TechtoolError:
        return None, False
    for proven in (True, False):
        for document in saved.documents(proven=proven):
            if document.get("id") == backup.id and "manifest" in document:
                try:
                    return convert(document["manifest"], BackupManifest), proven
                except CodecError:
                    continue
    return None, False
