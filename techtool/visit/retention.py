"""The end of backups: the laptop's own key goes when its time is up, the file on the office's word.

Without the visit's own key this laptop cannot open a backup any more; the office can. Nothing of a visit that is not
closed is touched. A file is removed, not overwritten: it is encrypted, and a flash disk would not overwrite it anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from techtool.backups.container import SUFFIX
from techtool.bundles.clock_floor import read_floor
from techtool.clock import stamp
from techtool.domain.visit_state import VisitState
from techtool.errors import UsageError
from techtool.i18n import Phrase, phrase
from techtool.visit.backup_log import BEGUN, DONE, BackupAction, BackupLog
from techtool.visit.kept_backups import (
    KeptBackup,
    Presence,
    backup_log,
    keep_days,
    kept_backups,
    key_path,
    log_entries,
)
from techtool.visit.services import Services
from techtool.visit.visits import list_visits, unfinished

_PART: Final = f"{SUFFIX}.part"
_SILENCE: Final = timedelta(days=90)
"""A clock that says more than this after everything that is recorded here is not believed on its own word."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was taken away, or would be."""

    keys: tuple[str, ...]
    """Visits whose own key goes."""
    wiped: tuple[str, ...]
    """Backups whose file goes."""
    leftovers: tuple[str, ...]
    """Files that a stop left half-written."""
    kept: tuple[tuple[str, Phrase], ...]
    """Visits that are due and were left alone, with the reason."""
    unrecorded: tuple[str, ...]
    """Files that no visit on this laptop tells of; never touched."""

    @property
    def any(self) -> bool:
        """Whether anything goes."""
        return bool(self.keys or self.wiped or self.leftovers)


def told(pruned: Pruned) -> Iterator[Phrase]:
    """What went, what was left alone and why: one sentence each."""
    for visit in pruned.keys:
        yield phrase("{visit}: this laptop's key is deleted; only the office can open its backups now.", visit=visit)
    for backup in pruned.wiped:
        yield phrase("{backup}: wiped.", backup=backup)
    for name in pruned.leftovers:
        yield phrase("{file}: half-written, left by a stop; removed.", file=name)
    for visit, reason in pruned.kept:
        yield phrase("{visit}: left alone: {reason}", visit=visit, reason=reason)
    for name in pruned.unrecorded:
        yield phrase("{file}: no visit on this laptop tells of it; left alone.", file=name)


def prune(
    services: Services,
    older_than: timedelta | None = None,
    *,
    word: str = "",
    dry_run: bool = False,
    clock_is_right: bool = False,
) -> Pruned:
    """Delete keys whose time is up and, on the office's ``word``, the backups themselves; logged before it is done.

    Age is judged by this laptop's clock: :class:`UsageError` where it stands far ahead of everything that was ever
    recorded here, unless a person says that it is right.
    """
    after = keep_days(services) if older_than is None else older_than
    if not clock_is_right:
        _believe_clock(services)
    if dry_run:
        return _plan(services, after, word=word)
    with services.home.lock("backup prune"):
        plan = _plan(services, after, word=word)
        log = backup_log(services)
        for visit in plan.keys:
            _remove(services, log, BackupAction.DELETE_KEY, key_path(services, visit), visit, "", f"{after.days} d")
        for backup in plan.wiped:
            path = services.paths.backups / f"{backup}{SUFFIX}"
            _remove(services, log, BackupAction.WIPE, path, backup.rpartition("-")[0], backup, word)
        for name in plan.leftovers:
            services.disk.unlink(services.paths.backups / name)
        return plan


def _believe_clock(services: Services) -> None:
    visits = [summary.finished_at or summary.started_at for summary in list_visits(services)]
    opened = [entry.at for entry in log_entries(backup_log(services))]
    newest, now = max([read_floor(services.paths), *visits, *opened]), services.clock.now()
    if now - newest > _SILENCE:
        raise UsageError(
            problem=phrase(
                "This laptop's clock says {now}, and the last that is recorded here is of {newest}: with a wrong clock "
                "keys would be deleted before their time. Correct it, or say that it is right (--clock-is-right).",
                now=stamp(now),
                newest=stamp(newest),
            )
        )


def _remove(
    services: Services, log: BackupLog, action: BackupAction, path: Path, visit: str, backup: str, why: str
) -> None:
    log.note(action, visit=visit, backup=backup, why=why, result=BEGUN)
    services.disk.unlink(path)
    services.disk.fsync_folder(path.parent)
    log.note(action, visit=visit, backup=backup, why=why, result=DONE)


def _plan(services: Services, after: timedelta, *, word: str) -> Pruned:
    known = kept_backups(services, log_entries(backup_log(services)))
    of_visit: dict[str, list[KeptBackup]] = {}
    for backup in known:
        of_visit.setdefault(backup.visit, []).append(backup)
    needed = _being_put_back(services)
    keys, kept = [], []
    for visit, backups in of_visit.items():
        if backups[0].key is not Presence.HERE:
            continue
        if not all(_is_old(services, backup, after) for backup in backups):
            continue
        reason = next(filter(None, (_why_kept(backup, needed) for backup in backups)), None)
        if reason is None:
            keys.append(visit)
        else:
            kept.append((visit, reason))
    keys += _keys_without_backup(services, set(of_visit), after)
    wiped = [
        backup.id
        for backup in known
        if word
        and backup.presence is Presence.HERE
        and _is_old(services, backup, after)
        and _why_kept(backup, needed) is None
    ]
    names = {backup.file for backup in known}
    return Pruned(
        keys=tuple(keys),
        wiped=tuple(wiped),
        leftovers=tuple(path.name for path in _files(services, _PART)),
        kept=tuple(kept),
        unrecorded=tuple(path.name for path in _files(services, SUFFIX) if path.name not in names),
    )


def _keys_without_backup(services: Services, with_backup: set[str], after: timedelta) -> Iterator[str]:
    """Keys that were made for a backup that failed."""
    for summary in list_visits(services):
        closed = summary.state in (VisitState.SEALED, VisitState.ABANDONED, VisitState.SALVAGED)
        old = (summary.finished_at or summary.started_at) + after <= services.clock.now()
        if closed and old and summary.id not in with_backup and key_path(services, summary.id).is_file():
            yield summary.id


def _is_old(services: Services, backup: KeptBackup, after: timedelta) -> bool:
    return backup.made_at + after <= services.clock.now()


def _being_put_back(services: Services) -> Mapping[str, str]:
    """Backup → unfinished restore that takes it: its terminal may stand there without the package at this moment."""
    restores = [visit for visit in unfinished(services) if visit.restore is not None]
    return {backup: visit.id for visit in restores if visit.restore for backup in visit.restore.backups}


def _why_kept(backup: KeptBackup, needed: Mapping[str, str]) -> Phrase | None:
    """Why nothing of a backup may go although it is old; None: it may."""
    if backup.id in needed:
        return phrase("visit {visit}, which is not closed, puts it back", visit=needed[backup.id])
    if backup.visit_state is VisitState.DAMAGED:
        return phrase("its record is damaged: “techtool doctor” first")
    if backup.visit_state is VisitState.NEWER:
        return phrase("a newer techtool wrote its record")
    if backup.visit_state is VisitState.OPEN:
        return phrase("the visit is not closed")
    return None


def _files(services: Services, ending: str) -> Iterator[Path]:
    yield from sorted(path for path in services.paths.backups.glob(f"*{ending}") if path.is_file())
