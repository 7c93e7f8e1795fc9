"""Who opened which backup when and why: an append-only journal beside the backups, chained like a visit's.

An entry is on disk before what it tells of begins; its result is an entry of its own. Readers need no lock; whoever
opens a backup holds the home's lock, because an opening that cannot be written down must not happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from techtool.clock import Clock
from techtool.domain.codec import CodecError, convert, plain
from techtool.domain.sensitive import redact
from techtool.errors import NotFoundError, StoreDamaged
from techtool.i18n import N_, raw
from techtool.store.db import JournalDB
from techtool.store.home import Home
from techtool.store.journal import aside_name

LOG: Final = "backup-log"
"""The journal's kind and id."""
_TABLE: Final = "entries"


class BackupAction(StrEnum):
    """What was done to a backup."""

    VERIFY = "verify"
    RESTORE = "restore"
    DELETE_KEY = "delete-key"
    """The visit's own key: from then on only the office can open the visit's backups."""
    WIPE = "wipe"
    LOG_DAMAGED = "log-damaged"
    """The log itself was found damaged and set aside; this is the first entry of a new one."""


BEGUN: Final = "begun"
DONE: Final = "done"
ACTION_LABEL: Final = {
    BackupAction.VERIFY: N_("opened to verify"),
    BackupAction.RESTORE: N_("opened to restore"),
    BackupAction.DELETE_KEY: N_("this laptop's key deleted"),
    BackupAction.WIPE: N_("file wiped"),
    BackupAction.LOG_DAMAGED: N_("this log was damaged and begun anew"),
}
RESULT_LABEL: Final = {BEGUN: N_("begun"), DONE: N_("done")}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log."""

    at: datetime
    who: str
    action: BackupAction
    visit: str
    backup: str
    """Empty: of the visit as a whole."""
    why: str
    result: str
    """``begun``, ``done``, or an error's code."""


class BackupLog:
    """The log of one home folder."""

    def __init__(self, home: Home, clock: Clock, who: str) -> None:
        self._home = home
        self._clock = clock
        self._who = who
        self._db: JournalDB | None = None
        self.set_aside: Path | None = None
        """Where a damaged log was moved when this one was begun."""

    @property
    def path(self) -> Path:
        """The journal."""
        return self._home.paths.backup_log

    def entries(self) -> tuple[LogEntry, ...]:
        """Everything in it, oldest first; raises :class:`StoreDamaged`, :class:`StoreTooNew`."""
        try:
            db = JournalDB.open_read(self.path, self._home.keys)
        except NotFoundError:
            return ()
        try:
            return tuple(convert(dict(document), LogEntry) for document in db.table(_TABLE).all())
        except CodecError as error:
            raise StoreDamaged(path=str(self.path), problem=raw(str(error))) from error
        finally:
            db.close()

    def note(self, action: BackupAction, *, visit: str = "", backup: str = "", why: str = "", result: str) -> None:
        """Add a line; it is on disk when this returns. Only for the holder of the home's lock."""
        if self._db is None or not self._db.writable:
            self._db = self._open()
        entry = LogEntry(self._clock.now(), redact(self._who), action, visit, backup, redact(why), result)
        self._db.table(_TABLE).insert(plain(entry))

    def _open(self) -> JournalDB:
        """A damaged log stops nobody who may open a backup; it is kept, and the new one begins with saying so."""
        home = self._home
        try:
            return home.writer(self.path)
        except NotFoundError:
            pass
        except StoreDamaged:
            self.set_aside = aside_name(self.path, "damaged")
            home.disk.replace(self.path, self.set_aside)
        home.ensure_folder(self.path.parent)
        home.create_journal(self.path, LOG, LOG)
        db = home.writer(self.path)
        if self.set_aside is not None:
            told = LogEntry(self._clock.now(), self._who, BackupAction.LOG_DAMAGED, "", "", "", self.set_aside.name)
            db.table(_TABLE).insert(plain(told))
        return db
