"""The home folder: one writer at a time, a journal a visit."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.clock import Clock, SystemClock, from_stamp, said, stamp
from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.schema import VISIT
from techtool.errors import (
    InternalError,
    NoSuchVisit,
    NotFoundError,
    StoreDamaged,
    StoreError,
    StoreKeyMissing,
    StoreLocked,
    UsageError,
    VisitDamaged,
)
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, Paths, disk_error
from techtool.store.db import JournalDB
from techtool.store.frames import scan
from techtool.store.journal import read_header
from techtool.store.keys import HomeKeys

Content = Mapping[str, Mapping[str, Mapping[str, object]]]
"""Table → document id → document."""

_SUFFIX: Final = ".jnl"
_NOT_OURS: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_HEADER_BYTES: Final = 4096
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds the lock, as the note beside it says."""

    pid: int
    what: str
    since: str
    host: str = ""
    visit: str = ""
    """The visit that is worked on, once that is known."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """Another techtool that holds the lock right now; what it left no note of is empty or 0."""

    pid: int = 0
    what: str = ""
    visit: str = ""


class Home:
    """``TECHTOOL_HOME``. Reading needs nothing; writing needs :meth:`lock`."""

    def __init__(self, paths: Paths, disk: Disk = DISK, clock: Clock | None = None) -> None:
        self.paths = paths
        self.disk = disk
        self._clock = clock or SystemClock()
        self._held = False
        self._holder = ""
        self._writers: list[JournalDB] = []
        self.keys = HomeKeys(paths, disk, self._folder_for_key)
        """What opens and seals the confidential words of every journal here."""

    # --- one writer --------------------------------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        """Whether this object holds the lock."""
        return self._held

    @contextmanager
    def lock(self, holder: str) -> Iterator[None]:
        """Be the one writer; raises :class:`StoreLocked` naming the other. ``holder``: the command, for that message.

        The lock is the operating system's and ends with the process. The note beside it only names the holder: one
        that a crash left behind blocks nobody. Journals opened for writing are closed with the lock. A home in which a
        newer techtool keeps the index is not written to: :class:`StoreTooNew`.
        """
        from filelock import FileLock, Timeout

        self.ensure_folder(self.paths.home)
        lock = FileLock(self.paths.lock, timeout=0, fallback_to_soft=False, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise StoreLocked(holder=self._holder_phrase()) from error
        except OSError as error:
            raise disk_error(error, self.paths.lock) from error
        try:
            self._refuse_newer()
            self._held = True
            self._leave_note(holder)
            yield
        finally:
            self._held = False
            try:
                self._close_writers()
                with contextlib.suppress(StoreError):
                    self.disk.unlink(self._note)
            finally:
                lock.release()

    @property
    def _note(self) -> Path:
        return self.paths.lock.with_name(self.paths.lock.name + ".holder")

    def at_work(self) -> AtWork | None:
        """Another process that holds the lock at this moment; None: nobody does. Never waits, never raises.

        The lock is tried only where a note says that somebody may hold it, so that looking keeps nobody out.
        """
        if self._held or not self._note.exists():
            return None
        from filelock import FileLock, Timeout

        lock = FileLock(self.paths.lock, timeout=0, fallback_to_soft=False, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            note = self._read_note()
            if note is None:
                return AtWork()
            return None if note.pid == os.getpid() else AtWork(note.pid, note.what, note.visit)
        except OSError:
            return None
        lock.release()
        return None

    def working_on(self, visit: str) -> None:
        """Let other techtools know which visit the holder of the lock works on."""
        self.require_lock()
        self._leave_note(self._holder, visit)

    def _leave_note(self, holder: str, visit: str = "") -> None:
        self._holder = holder
        note = _Holder(os.getpid(), holder, stamp(self._clock.now()), platform.node(), visit)
        try:
            self.disk.write_file(self._note, encode_json(note))
        except StoreError:
            # A full disk must not keep out the one who comes to make room; an older note would name the wrong one.
            with contextlib.suppress(StoreError):
                self.disk.unlink(self._note)

    def _read_note(self) -> _Holder | None:
        try:
            return decode_json(self._note.read_bytes(), _Holder)
        except (OSError, CodecError):
            return None

    def _holder_phrase(self) -> Phrase:
        note = self._read_note()
        if note is None:
            return phrase("another process")
        return phrase(
            "{what} (process {pid} on {host}, since {since})",
            what=note.what,
            pid=note.pid,
            host=note.host or "?",
            since=_said(note.since),
        )

    def _refuse_newer(self) -> None:
        """Every techtool that writes here keeps the index, so its first line tells of the newest one."""
        with contextlib.suppress(OSError, StoreDamaged), self.paths.index.open("rb") as file:
            first = scan(file.readline(_HEADER_BYTES))
            if first.payloads:
                read_header(self.paths.index, first.payloads[0])

    def _close_writers(self) -> None:
        writers, self._writers = self._writers, []
        for db in writers:
            db.close()

    def require_lock(self) -> None:
        """Raise unless this object holds the lock: writing without it is a defect."""
        if not self._held:
            raise InternalError(kind="HomeNotLocked", detail=str(self.paths.home))

    def writer(self, path: Path) -> JournalDB:
        """Open a journal for writing, until the lock ends; a second writer of the same file is a defect."""
        self.require_lock()
        self._writers = [db for db in self._writers if db.writable]
        if any(db.path == path for db in self._writers):
            raise InternalError(kind="JournalOpenTwice", detail=str(path))
        db = JournalDB.open_write(path, self.disk, self.keys)
        self._writers.append(db)
        return db

    def create_journal(self, path: Path, kind: str, id: str, content: Content | None = None) -> None:  # noqa: A002
        """Write a journal anew, as one; its confidential words are sealed. Only for the holder of the lock."""
        self.require_lock()
        JournalDB.create(path, self.disk, kind=kind, id=id, content=content, keys=self.keys)

    def _folder_for_key(self, folder: Path) -> None:
        """Only the one writer makes a key: two would lock each other's words away."""
        self.require_lock()
        self.ensure_folder(folder)

    # --- visits ------------------------------------------------------------------------------------------------

    def visit_ids(self) -> list[str]:
        """The visits on this laptop, newest last: ids begin with the time, so their order is that of time."""
        try:
            names = os.listdir(self.paths.visits)  # noqa: PTH208 - thousands of names, no Path for each
        except FileNotFoundError:
            return []
        except OSError as error:
            raise disk_error(error, self.paths.visits) from error
        return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX) and _NAME.fullmatch(name))

    def visit_path(self, visit: str) -> Path:
        """Where a visit's journal lies, or would lie; raises :class:`NoSuchVisit` for what can be no id."""
        if not _NAME.fullmatch(visit):
            raise NoSuchVisit(visit=visit)
        return self.paths.visits / (visit + _SUFFIX)

    def create_visit(self, visit: str, content: Content | None = None) -> JournalDB:
        """Begin a visit's journal with its first documents in it; on disk, as one, when this returns."""
        self.require_lock()
        path = self.visit_path(visit)
        if path.exists():
            raise UsageError(problem=phrase("There is a visit {visit} already.", visit=visit))
        # Made, or found unusable, before anything of the visit is there.
        self.keys.writing(VISIT, visit)
        self.ensure_folder(self.paths.visits)
        JournalDB.create(path, self.disk, kind=VISIT, id=visit, content=content, keys=self.keys)
        return self.writer(path)

    def open_visit(self, visit: str, write: bool = False, *, masked: bool = False) -> JournalDB:
        """Open a visit's journal; ``masked``: with the masks of its sealed words, which needs no key and is quick.

        Raises :class:`NoSuchVisit`, :class:`VisitDamaged`, :class:`StoreTooNew`; where it is to be gone on with,
        :class:`StoreKeyMissing` and :class:`StoreKeyUnusable`, too.
        """
        path = self.visit_path(visit)
        try:
            db = JournalDB.open_read(path, None if masked else self.keys)
            if (db.kind, db.id) != (VISIT, visit):
                other = phrase("it is the record of {kind} {id}", kind=db.kind, id=db.id)
                raise StoreDamaged(path=str(path), problem=other)
            if write and not db.sealed:
                self._refuse_locked(db)
            return self.writer(path) if write else db
        except NotFoundError as error:
            raise NoSuchVisit(visit=visit) from error
        except StoreDamaged as error:
            raise VisitDamaged(visit=visit, path=str(path), problem=error.problem, detail=error.detail) from error

    def _refuse_locked(self, db: JournalDB) -> None:
        """Nothing is written into a visit that cannot be read whole, or that could not be sealed."""
        if db.locked:
            raise StoreKeyMissing(visit=db.id)
        self.keys.writing(VISIT, db.id)

    def ensure_folder(self, folder: Path) -> None:
        """Make a folder so that a power cut does not take it, and what is in it, away again.

        One that is there may have been made just now by one who failed to sync its name: that is done again.
        """
        missing = [folder]
        while not missing[-1].exists() and missing[-1].parent != missing[-1]:
            missing.append(missing[-1].parent)
        if len(missing) > 1:
            self.disk.make_folder(folder)
            for there in missing[1:]:
                self.disk.fsync_folder(there)
        else:
            self._sync_again(folder.parent)

    def _sync_again(self, folder: Path) -> None:
        """Sync a folder that may be somebody else's: where this user may not, another made the name in it."""
        try:
            self.disk.fsync_folder(folder)
        except StoreError as error:
            cause = error.__cause__
            if not (isinstance(cause, OSError) and cause.errno in _NOT_OURS):
                raise


def _said(moment: str) -> str:
    """The time of a note as people read it; a note that says something else is shown as it is."""
    try:
        return said(from_stamp(moment))
    except (ValueError, OverflowError):
        return moment
