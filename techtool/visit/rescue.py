"""Saving a visit whose journal is damaged: the damaged file is set aside, what can be read takes its place.

The new journal has the same id and no seal. It begins with every entry that could be read, and its last line says what
is missing; a visit that was unfinished can then be resumed or closed as stopped. Nothing in it is guessed: where the
visit's own document or a terminal's was lost, only what stands elsewhere is put in its place, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from techtool.clock import Clock, from_stamp, stamp
from techtool.domain.codec import plain
from techtool.domain.salvage import OldSeal, SalvageRecord
from techtool.domain.schema import OLDEST, VISIT
from techtool.domain.visit import VisitRecord
from techtool.errors import NoSuchVisit, NotFoundError, StoreDamaged, TechtoolError, UsageError, VisitDamaged
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, Paths
from techtool.store.changes import Fields, Op, Tables
from techtool.store.db import JournalDB
from techtool.store.frames import scan
from techtool.store.home import Home
from techtool.store.index import Index, VisitSummary
from techtool.store.journal import Header, interpret
from techtool.store.salvage import SALVAGE_TABLE, Saved, put_in_place, read_saved, salvage_op, set_aside_name
from techtool.visit.log import WHOLE_VISIT, read_visit
from techtool.visit.visits import index_visit, known_visit, lost_address, not_as_closed, record_in

_TIMES: Final = ("at", "started_at", "ended_at", "finished_at", "confirmed_at")
_IN_ID: Final = re.compile(r"V(\d{8}-\d{6})-.*")
_OF_LANES: Final = (
    "steps",
    "answers",
    "checks",
    "backups",
    "installed",
    "restored",
    "restored_configs",
    "issues",
    "incidents",
    "evidence",
    "sessions",
    "notices",
)
"""Tables whose documents name their lane."""


@dataclass(frozen=True, slots=True)
class House:
    """What repairs need: of :class:`techtool.visit.services.Services` what broken settings cannot withhold."""

    home: Home
    index: Index
    clock: Clock

    @classmethod
    def at(cls, paths: Paths, clock: Clock, disk: Disk = DISK) -> House:
        """The house at these paths."""
        home = Home(paths, disk, clock)
        return cls(home, Index(home), clock)


@dataclass(frozen=True, slots=True)
class Rescued:
    """A visit that was saved."""

    visit: VisitRecord
    aside: Path
    """The damaged file."""
    salvage: SalvageRecord | None
    """None: every entry and the seal were whole; only what followed them was cut off."""
    index: Phrase | None
    """What became of the index, when that was damaged too."""


def rescue(house: House, visit_id: str) -> Rescued:
    """Save what can be saved of a damaged visit; the caller holds the lock.

    Raises :class:`NoSuchVisit`, :class:`UsageError` when there is nothing to salvage, :class:`StoreDamaged` when whole
    entries are not understood, :class:`StoreTooNew`, :class:`DiskFull`, :class:`DiskError`; then nothing was changed.
    """
    work = _prepare(house, visit_id)
    salvage = work.salvage
    if work.new is None:
        aside = work.path.with_name(salvage.source if salvage else "")
    else:
        aside = put_in_place(work.path, work.found, work.new, house.home.disk)
    return Rescued(work.visit, aside, salvage, index_visit(house.home, house.index, work.visit))


def can_save(house: House, visit_id: str) -> bool:
    """Whether :func:`rescue` would do something."""
    try:
        _prepare(house, visit_id)
    except TechtoolError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Work:
    """A rescue before anything was changed."""

    path: Path
    found: bytes
    new: bytes | None
    """What takes the file's place; None: that was done before a stop, only the index does not know."""
    visit: VisitRecord
    salvage: SalvageRecord | None


def _prepare(house: House, visit_id: str) -> _Work:
    path = house.home.visit_path(visit_id)
    known = known_visit(house.index, visit_id)
    try:
        saved = read_saved(path, Header(VISIT, visit_id, OLDEST))
    except NotFoundError as error:
        raise NoSuchVisit(visit=visit_id) from error
    if (saved.header.kind, saved.header.id) != (VISIT, visit_id):
        raise _nothing_to_do(house, visit_id)
    seen = scan(saved.data)
    if not seen.damaged and saved.lines_in_place and not saved.lines_after_damage:
        if interpret(path, seen).seal is not None:
            other = known is not None and known.closed and known.head != seen.head
            if other or not saved.gaps:
                raise _nothing_to_do(house, visit_id)
            return _work(house, path, saved, saved.data[: seen.good_bytes], None)
        if not _was_closed(saved, known) or _remains(saved.tables()):
            return _done_before(house, path, saved)
        if not saved.gaps:
            saved = saved.unsealed_from(len(saved.data))
    salvage, ops = _to_add(house, visit_id, path, saved, known)
    return _work(house, path, saved, saved.journal(ops), salvage)


def _work(house: House, path: Path, saved: Saved, new: bytes, salvage: SalvageRecord | None) -> _Work:
    """What takes the file's place must be a visit's record."""
    return _Work(
        path, saved.data, new, read_visit(JournalDB.of_bytes(path, new, house.home.keys), saved.header.id), salvage
    )


def _done_before(house: House, path: Path, saved: Saved) -> _Work:
    """A salvage that a stop broke off just before the index was told is ended; else there is nothing to do."""
    visit_id = saved.header.id
    try:
        visit = record_in(house.home, visit_id)
    except VisitDamaged:
        raise _nothing_to_do(house, visit_id) from None
    if not visit.remains or not not_as_closed(known_visit(house.index, visit_id), visit):
        raise _nothing_to_do(house, visit_id)
    return _Work(path, saved.data, None, visit, visit.salvaged[-1])


def _nothing_to_do(house: House, visit_id: str) -> TechtoolError:
    """The error for a file of which every line is whole: nothing of it is lost that could be saved."""
    try:
        record_in(house.home, visit_id)
    except VisitDamaged as error:
        return StoreDamaged(path=error.params["path"], problem=error.problem, detail=error.detail)
    return UsageError(
        problem=phrase("Every entry of visit {visit} is whole: there is nothing to salvage.", visit=visit_id)
    )


def _was_closed(saved: Saved, known: VisitSummary | None) -> bool:
    return saved.seal is not None or (known is not None and known.closed)


def _to_add(
    house: House, visit_id: str, path: Path, saved: Saved, known: VisitSummary | None
) -> tuple[SalvageRecord, list[Op]]:
    """The ops of the new journal's last line: what had to be begun anew, what is not known, and the tale of it."""
    tables = saved.tables()
    ops: list[Op] = []
    made_up: list[str] = []
    if len(tables.get("visit", {})) != 1:
        made_up.append("visit")
        ops += [("clear", "visit", "", None), ("put", "visit", "1", _visit(visit_id, path, saved, known))]
    lanes = _lanes(tables)
    for key, lane in lanes.items():
        if key not in tables.get("lanes", {}):
            made_up.append(f"lane {lane['lane']}")
        if lane.get("outcome") is None:
            lane["gap"] = True
        ops.append(("put", "lanes", key, lane))
    seal = saved.seal
    record = SalvageRecord(
        at=house.clock.now(),
        source=set_aside_name(path, saved.data).name,
        sha256=saved.sha256,
        lines_in_place=saved.lines_in_place,
        lines_after_damage=saved.lines_after_damage,
        gaps=saved.gaps,
        closed=_was_closed(saved, known) or _remains(tables),
        seal=OldSeal(seal.count, seal.head, str(seal.extra.get("signature", ""))) if seal else None,
        known_head=known.head if known is not None and known.closed else "",
        proven_until=newest_time(saved.documents(proven=True)),
        made_up=tuple(made_up),
    )
    ops.append(salvage_op(len(tables.get(SALVAGE_TABLE, {})) + 1, record))
    return record, ops


def _remains(tables: Tables) -> bool:
    """Whether it was saved before, and had been closed then."""
    return any(bool(earlier.get("closed")) for earlier in tables.get(SALVAGE_TABLE, {}).values())


def _visit(visit_id: str, path: Path, saved: Saved, known: VisitSummary | None) -> Fields:
    """The visit's document from what stands elsewhere: the index, the id, the oldest time in the record."""
    times = list(_times(saved.documents(proven=True))) + list(_times(saved.documents(proven=False)))
    begun = min(times) if times else datetime.fromtimestamp(path.stat().st_mtime, UTC)
    from_id = _IN_ID.fullmatch(visit_id)
    if from_id is not None:
        begun = datetime.strptime(from_id.group(1), "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    empty = VisitRecord(visit_id, begun, None, "", "", "en", "", "", "", ())
    if known is not None:
        empty = replace(
            empty,
            started_at=known.started_at,
            finished_at=known.finished_at,
            technician=known.technician,
            merchant=known.merchant,
            outcome=known.outcome,
        )
    document: Fields = plain(empty)
    for derived in ("lanes", "sealed", "head", "answers", "salvaged"):
        del document[derived]
    return document


def _lanes(tables: Tables) -> dict[str, Fields]:
    """Every lane's document by its key; one that is only spoken of elsewhere gets what is said of it there."""
    found = {key: dict(lane) for key, lane in tables.get("lanes", {}).items()}
    there = {str(lane.get("lane")) for lane in found.values()}
    for lane in sorted(_spoken_of(tables) - there):
        backups = [d for d in tables.get("backups", {}).values() if d.get("lane") == lane]
        manifest = backups[-1].get("manifest") if backups else None
        serial = str(manifest.get("serial", "")) if isinstance(manifest, dict) else ""
        key = str(1 + max((int(key) for key in found), default=0))
        found[key] = {"lane": lane, "address": lost_address(lane), "serial": serial}
    return found


def _spoken_of(tables: Tables) -> set[str]:
    named = {str(d.get("lane", WHOLE_VISIT)) for table in _OF_LANES for d in tables.get(table, {}).values()}
    return named - {WHOLE_VISIT}


def newest_time(documents: Iterable[Fields]) -> datetime | None:
    """The newest time that some documents say something happened at."""
    return max(_times(documents), default=None)


def _times(documents: Iterable[Fields]) -> Iterator[datetime]:
    for document in documents:
        for name in _TIMES:
            value = document.get(name)
            if isinstance(value, str):
                try:
                    moment = from_stamp(value)
                except ValueError:
                    continue
                if moment.tzinfo is not None:
                    yield moment


@dataclass(frozen=True, slots=True)
class Damage:
    """When a journal was damaged, as narrowly as it can be told."""

    proven_until: datetime | None
    """What is recorded up to here is proven."""
    next_known: datetime | None
    """Of the first entry behind the damage that has a time."""
    changed_at: datetime | None
    """When the file was changed last, by the file system."""
    salvageable: bool
    """Whether :func:`rescue` would do something."""

    @property
    def since(self) -> Iterator[str]:
        """The times, for a sentence."""
        for moment in (self.proven_until, self.next_known, self.changed_at):
            yield stamp(moment) if moment else "–"


def damage_of(house: House, visit_id: str) -> Damage:
    """Look at a damaged journal; raises nothing that would keep ``doctor`` from the next one."""
    path = house.home.visit_path(visit_id)
    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        saved = read_saved(path, Header(VISIT, visit_id, OLDEST))
    except (OSError, NotFoundError, StoreDamaged):
        return Damage(None, None, None, salvageable=False)
    until = newest_time(saved.documents(proven=True))
    behind = (newest_time([document]) for document in saved.documents(proven=False))
    return Damage(until, next(filter(None, behind), None), changed, can_save(house, visit_id))
