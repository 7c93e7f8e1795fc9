"""What is on this laptop at a glance: one line a visit. Derived: it can be made again from the visits at any time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Final

from tinydb import Query
from tinydb.queries import QueryInstance
from tinydb.table import Document

from techtool.domain.codec import CodecError, convert, plain
from techtool.domain.history import TerminalEntry, VisitDetails, concerns
from techtool.domain.learning import Forecast, Observation
from techtool.domain.outcome import Outcome
from techtool.domain.schema import INDEX, newest
from techtool.domain.visit_state import VisitState
from techtool.errors import DiskError, NotFoundError, StoreDamaged, StoreError, StoreTooNew
from techtool.i18n import raw
from techtool.paths import disk_error
from techtool.store.db import JournalDB
from techtool.store.details import SPARE_LINES, Details
from techtool.store.home import Home
from techtool.store.journal import Header, aside_name, damaged
from techtool.store.salvage import DAMAGED, read_saved
from techtool.store.table import JournalTable

_TABLE: Final = "visits"
_TERMINALS: Final = "terminals"
_OBSERVATIONS: Final = "observations"
_FORECASTS: Final = "forecasts"


_CLOSED: Final = (VisitState.SEALED, VisitState.ABANDONED, VisitState.SALVAGED)
_UNSETTLED: Final = (VisitState.OPEN, VisitState.DAMAGED, VisitState.NEWER)


@dataclass(frozen=True, slots=True)
class VisitSummary:
    """One visit as lists show it."""

    id: str
    started_at: datetime
    finished_at: datetime | None
    technician: str
    merchant: str
    state: VisitState
    outcome: Outcome | None
    serials: tuple[str, ...]
    """Of all terminals of the visit."""
    head: str
    """Chain head of the visit's journal when this was written."""

    @property
    def closed(self) -> bool:
        """Whether the visit was closed when this was written: then its journal has this head for ever."""
        return self.state in _CLOSED or (self.state is VisitState.DAMAGED and self.finished_at is not None)


class Index:
    """``index.jnl``, and beside it what is known of each visit's terminals and of the time that they took.

    Reading needs no lock and sees what other processes add; writing needs the home's lock.
    """

    def __init__(self, home: Home) -> None:
        self.set_aside: Path | None = None
        """Where a damaged index was moved when it was opened for writing: it must be made again, and that told."""
        self.remembered: list[VisitSummary] = []
        """What could still be read of it then."""
        self._home = home
        self._path = home.paths.index
        self._db: JournalDB | None = None
        self._seen: tuple[int, int, int] | None = None
        self._doc_ids: dict[str, int] = {}
        self._terminals = Details(home, home.paths.terminals)
        self._timings = Details(home, home.paths.timings)

    # --- reading -----------------------------------------------------------------------------------------------

    def visits(self) -> list[VisitSummary]:
        """All visits, newest last; raises :class:`StoreDamaged`."""
        table = self._table()
        return self._summaries(table.all() if table else [])

    def visit(self, visit: str) -> VisitSummary | None:
        """One visit."""
        return next(iter(self._search(Query().id == visit)), None)

    def by_serial(self, serial: str) -> list[VisitSummary]:
        """The visits in which a terminal was worked on, newest last."""
        return self._search(Query().serials.any([serial]))

    def unsettled(self) -> list[str]:
        """Visits whose summary may not be the last word: not here, open here (a crash came between), damaged."""
        settled = {summary.id for summary in self.visits() if summary.state not in _UNSETTLED}
        return [visit for visit in self._home.visit_ids() if visit not in settled]

    def terminals(
        self, serial: str | None = None, tid: str | None = None, site: str | None = None, release: str | None = None
    ) -> list[TerminalEntry]:
        """What was found and done on terminals, oldest first: all, or those that fit everything that is given.

        ``serial`` and ``site`` (site id or merchant's name) without regard to case; ``release``: ``id`` or
        ``id@version`` of what was installed or was to be. What cannot be read counts as not there:
        :func:`techtool.visit.visits.history_of` asks the visits themselves then.
        """
        found = chain.from_iterable(self._terminals.read(_TERMINALS, TerminalEntry).values())
        fitting = (
            entry
            for entry in found
            if (serial is None or entry.serial.casefold() == serial.casefold())
            and (tid is None or entry.tid == tid)
            and (site is None or site.casefold() in (entry.site.casefold(), entry.merchant.casefold()))
            and (release is None or concerns(entry, release))
        )
        return sorted(fitting, key=lambda entry: (entry.at, entry.visit, entry.lane))

    def observations(self) -> list[Observation]:
        """What phases took that ended well, oldest first."""
        found = chain.from_iterable(self._timings.read(_OBSERVATIONS, Observation).values())
        return sorted(found, key=lambda one: (one.at, one.visit))

    def forecasts(self) -> list[Forecast]:
        """What was foretold and what it took, oldest first."""
        found = chain.from_iterable(self._timings.read(_FORECASTS, Forecast).values())
        return sorted(found, key=lambda one: (one.at, one.visit))

    def detailed(self) -> dict[str, str]:
        """The visits of whose terminals there are entries, and the head that each journal had when they were made."""
        return self._terminals.heads()

    def lacking(self) -> list[str]:
        """Closed visits with terminals of which there is no entry: an older techtool's, or the file was lost."""
        known = self.detailed()
        return [s.id for s in self.visits() if s.state in _CLOSED and s.serials and s.id not in known]

    def check_details(self) -> None:
        """Raise :class:`StoreDamaged`, :class:`StoreTooNew` for a file beside the list that cannot be read."""
        self._terminals.check()
        self._timings.check()

    def still_readable(self) -> list[VisitSummary]:
        """What can be read of the index though it is damaged: what it remembers of closed visits is proof yet.

        Nothing of one that a newer techtool wrote.
        """
        with contextlib.suppress(StoreDamaged, StoreTooNew, DiskError):
            return self.visits()
        try:
            saved = read_saved(self._path, Header.new(INDEX, INDEX))
            documents = saved.tables().get(_TABLE, {}).values()
        except (StoreError, NotFoundError, CodecError):
            return []
        found: list[VisitSummary] = []
        for document in documents:
            with contextlib.suppress(CodecError):
                found.append(convert(document, VisitSummary))
        return found

    def _search(self, query: QueryInstance) -> list[VisitSummary]:
        table = self._table()
        return self._summaries(table.search(query) if table else [])

    def _summaries(self, documents: Iterable[Document]) -> list[VisitSummary]:
        try:
            found = [convert(dict(document), VisitSummary) for document in documents]
        except CodecError as error:
            raise damaged(self._path, raw(str(error))) from error
        return sorted(found, key=lambda summary: (summary.started_at, summary.id))

    def _table(self) -> JournalTable | None:
        if self._db is None or not self._db.writable:
            now = self._signature()
            if now is None:
                return None
            if self._db is None or now != self._seen:
                self._db, self._seen = JournalDB.open_read(self._path, self._home.keys), now
        return self._db.table(_TABLE)

    def _signature(self) -> tuple[int, int, int] | None:
        """Another one whenever the file is: it only grows, or is replaced."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise disk_error(error, self._path) from error
        return found.st_ino, found.st_size, found.st_mtime_ns

    # --- writing -----------------------------------------------------------------------------------------------

    def put_visit(
        self,
        summary: VisitSummary,
        terminals: Sequence[TerminalEntry] = (),
        observations: Sequence[Observation] = (),
        forecasts: Sequence[Forecast] = (),
    ) -> None:
        """Add a visit or replace everything the index says of it: one line a file, whatever lies behind.

        The line in the list comes last: after a stop in between the list says that the visit is unsettled, and then
        the visit itself is read.
        """
        self._timings.put(summary.id, summary.head, {_OBSERVATIONS: observations, _FORECASTS: forecasts})
        self._terminals.put(summary.id, summary.head, {_TERMINALS: terminals})
        self.put_line(summary)

    def put_line(self, summary: VisitSummary) -> None:
        """Only a visit's line in the list: what is kept beside it stays as it is."""
        table = self._writer().table(_TABLE)
        doc_id = self._doc_ids.get(summary.id)
        if doc_id is None:
            self._doc_ids[summary.id] = table.insert(plain(summary))
        else:
            table.update(plain(summary), doc_ids=[doc_id])

    def rebuild(
        self,
        summaries: Iterable[VisitSummary],
        details: Mapping[str, VisitDetails] | None = None,
        masked: Mapping[str, VisitDetails] | None = None,
    ) -> None:
        """Write the list of visits and what is beside it anew, each as one; what is damaged is set aside first.

        ``details``: visit → what is to be kept of it; of a listed visit that is not in it, what is here stays as it
        is. ``masked``: of visits with words that cannot be opened, for those of which nothing is here yet; it counts
        as older than the visit, so whoever asks reads the visit itself.
        """
        self._home.require_lock()
        try:
            self.visits()
        except StoreDamaged:
            self._move_aside()
        self._writer()
        listed = {summary.id: summary for summary in summaries}
        found = dict(details or {})
        heads = {visit: listed[visit].head for visit in listed if visit in found}
        known = self.detailed()
        for visit, one in (masked or {}).items():
            if visit in listed and visit not in known:
                heads[visit], found[visit] = "", one
        rest = listed.keys() - found.keys()
        self._timings.rewrite(
            {
                visit: (head, {_OBSERVATIONS: found[visit].observations, _FORECASTS: found[visit].forecasts})
                for visit, head in heads.items()
                if found[visit].observations or found[visit].forecasts
            },
            rest,
        )
        self._terminals.rewrite(
            {
                visit: (head, {_TERMINALS: found[visit].terminals})
                for visit, head in heads.items()
                if found[visit].terminals
            },
            rest,
        )
        self._rewrite(listed.values())

    def _rewrite(self, summaries: Iterable[VisitSummary]) -> None:
        latest = {summary.id: summary for summary in summaries}
        documents = {str(number): plain(summary) for number, summary in enumerate(latest.values(), 1)}
        if self._db is not None:
            self._db.close()
        self._home.create_journal(self._path, INDEX, INDEX, {_TABLE: documents})

    def _writer(self) -> JournalDB:
        if self._db is not None and self._db.writable:
            return self._db
        db = self._open_writer()
        visits = db.table(_TABLE).all()
        if db.line_count > 2 * len(visits) + SPARE_LINES or db.schema < newest(INDEX):
            self._db = db
            self._rewrite(self._summaries(visits))
            db = self._open_writer()
            visits = db.table(_TABLE).all()
        self._doc_ids = {str(document["id"]): document.doc_id for document in visits}
        self._db = db
        return db

    def _open_writer(self) -> JournalDB:
        """The index for writing; a damaged one is moved aside and begun anew, for no visit waits for its index.

        One of an older schema is written anew as well: unlike a visit's journal it is no proof of anything.
        """
        self._home.require_lock()
        try:
            if self._signature():
                return self._home.writer(self._path)
        except StoreDamaged:
            self._move_aside()
        self._home.ensure_folder(self._path.parent)
        self._home.create_journal(self._path, INDEX, INDEX)
        return self._home.writer(self._path)

    def _move_aside(self) -> None:
        if self._db is not None:
            self._db.close()
        self.remembered = self.still_readable()
        self.set_aside = aside_name(self._path, DAMAGED)
        self._home.disk.replace(self._path, self.set_aside)
