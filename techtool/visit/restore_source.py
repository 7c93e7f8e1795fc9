"""Which backup a restore takes, and the key that opens it; every opening is in the log of backups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from techtool.backups.taking_out import secret_in, take_out
from techtool.domain.backup import BackupManifest
from techtool.domain.config_file import ConfigRule, FormerConfig
from techtool.domain.restore import RestoreWish, Swap
from techtool.errors import NoSuchBackup, RestoreRefused, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.visit.backup_log import BEGUN, DONE, BackupAction, BackupLog
from techtool.visit.kept_backups import (
    KeptBackup,
    Presence,
    backup_log,
    kept_backups,
    key_path,
    log_entries,
    manifest_for,
)
from techtool.visit.services import Services


@dataclass(frozen=True, slots=True)
class Source:
    """A backup that can be opened."""

    visit: str
    path: Path
    manifest: BackupManifest
    secret: str
    """age identity: never recorded."""


@dataclass(slots=True)
class Restoring:
    """A restore under way."""

    wish: RestoreWish
    identity: Path | None
    log: BackupLog
    """One writer for all terminals of the visit."""
    source: Source | None = None
    configs: dict[str, tuple[ConfigRule, FormerConfig]] = field(default_factory=dict)
    """Configuration files in the backup that may be written back, by item; in memory only."""
    refused: list[Phrase] = field(default_factory=list)
    """Why configuration files in the backup are not written back."""


def wish_for(services: Services, name: str, swap: Swap | None = None) -> RestoreWish:
    """Every backup on this laptop that ``name`` (of a backup or a visit) may mean; raises :class:`NoSuchBackup`."""
    fitting = [backup.id for backup in _kept(services) if name in (backup.id, backup.visit)]
    if not fitting:
        raise NoSuchBackup(name=name)
    return RestoreWish(name, tuple(fitting), swap)


def refuse_hopeless(services: Services, wish: RestoreWish, identity: Path | None) -> None:
    """Raise ``RestoreRefused`` when none of the wished backups can be opened here: before a visit begins for it."""
    refusal: RestoreRefused | None = None
    for backup in _kept(services):
        if backup.id not in wish.backups:
            continue
        try:
            _opened(services, backup, identity)
        except RestoreRefused as error:
            refusal = error
        else:
            return
    if refusal is not None:
        raise refusal


def source_for(services: Services, restoring: Restoring, serial: str) -> Source:
    """The newest fitting backup of the terminal (or of the one that a swap order names); raises ``RestoreRefused``."""
    wish = restoring.wish
    wanted = wish.swap.from_serial if wish.swap else serial
    found = [backup for backup in _kept(services) if backup.id in wish.backups]
    if not found:
        raise RestoreRefused(reason=phrase("its record is not on this laptop any more"))
    of_terminal = [backup for backup in found if backup.serial == wanted]
    if not of_terminal:
        made_of = ", ".join(sorted({backup.serial or "?" for backup in found}))
        raise RestoreRefused(
            reason=phrase(
                "it was made of {made_of}, and this is {serial}; only a swap order that names both allows that",
                made_of=made_of,
                serial=serial,
            )
        )
    return _opened(services, of_terminal[-1], restoring.identity)


def _kept(services: Services) -> list[KeptBackup]:
    return kept_backups(services, log_entries(backup_log(services)))


def _opened(services: Services, backup: KeptBackup, identity: Path | None) -> Source:
    if backup.presence is not Presence.HERE:
        raise RestoreRefused(reason=phrase("the file of backup {backup} is not on this laptop", backup=backup.id))
    manifest, proven = manifest_for(services, backup)
    if manifest is None or not proven or not backup.verified:
        raise RestoreRefused(reason=phrase("nothing proves what backup {backup} holds", backup=backup.id))
    path = services.paths.backups / backup.file
    if identity is not None:
        return Source(backup.visit, path, manifest, secret_in(identity))
    if backup.key is not Presence.HERE:
        raise RestoreRefused(
            reason=phrase("only the office can open it now; give the office's identity file with --identity")
        )
    return Source(backup.visit, path, manifest, secret_in(key_path(services, backup.visit)))


async def take_logged(
    services: Services,
    log: BackupLog,
    source: Source,
    *,
    why: str,
    texts: Collection[str] = (),
    files: Mapping[str, Path] | None = None,
) -> dict[str, bytes]:
    """:func:`techtool.backups.taking_out.take_out`, with an entry before and after; the caller holds the lock."""
    backup = source.manifest.id
    log.note(BackupAction.RESTORE, visit=source.visit, backup=backup, why=why, result=BEGUN)
    try:
        found = await take_out(
            source.path, source.secret, source.manifest, texts=texts, files=files, disk=services.disk
        )
    except TechtoolError as error:
        log.note(BackupAction.RESTORE, visit=source.visit, backup=backup, why=why, result=error.code)
        raise
    log.note(BackupAction.RESTORE, visit=source.visit, backup=backup, why=why, result=DONE)
    return found
