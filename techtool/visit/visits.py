"""The visits of this laptop: which there are, which are unfinished, what the index says of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from techtool.domain.codec import plain
from techtool.domain.confidential import Words, numbers_in
from techtool.domain.history import TerminalEntry, VisitDetails, entries_of
from techtool.domain.learning import forecasts, observations
from techtool.domain.visit import VisitRecord
from techtool.domain.visit_state import VisitState
from techtool.errors import (
    AmbiguousChoice,
    DiskError,
    NoSuchVisit,
    NothingToResume,
    StoreDamaged,
    StoreTooNew,
    UsageError,
    VisitClosed,
    VisitDamaged,
)
from techtool.i18n import Phrase, phrase
from techtool.store.home import Home
from techtool.store.index import Index, VisitSummary
from techtool.visit.log import WHOLE_VISIT, VisitLog, read_visit
from techtool.visit.services import Services

NOT_AS_CLOSED = phrase("it is not the record that was closed")
"""A chain alone does not show that its end was cut off; the index remembers the head of every closed visit."""


def open_record(services: Services, visit_id: str) -> VisitRecord:
    """Read one visit, without a lock and without repair.

    Raises :class:`NoSuchVisit`, :class:`VisitDamaged`, :class:`StoreTooNew`.
    """
    return record_in(services.home, visit_id)


def record_in(home: Home, visit_id: str, *, masked: bool = False) -> VisitRecord:
    """:func:`open_record` without the rest of the house: for ``doctor``, who works where the settings are broken.

    ``masked``: with masks for the words that are sealed, which is all that a list needs, and needs no key.
    """
    if not masked:
        home.keys.masked.discard(visit_id)  # As it is found now: the key may have been put back meanwhile.
    db = home.open_visit(visit_id, write=False, masked=masked)
    try:
        return read_visit(db, visit_id)
    except VisitDamaged:
        raise
    except StoreDamaged as error:
        path = str(home.visit_path(visit_id))
        raise VisitDamaged(visit=visit_id, path=path, problem=error.problem, detail=error.detail) from error
    finally:
        db.close()


def summary_of(visit: VisitRecord) -> VisitSummary:
    """What the index keeps of a visit."""
    return VisitSummary(
        id=visit.id,
        started_at=visit.started_at,
        finished_at=visit.finished_at,
        technician=visit.technician,
        merchant=_for_lists(visit),
        state=_state(visit),
        outcome=visit.outcome,
        serials=tuple(lane.serial for lane in visit.lanes if lane.serial),
        head=visit.head,
    )


def _for_lists(visit: VisitRecord) -> str:
    """The shop's name; where it repeats a number that is confidential, masked: the list is not sealed."""
    if not any(letter.isdigit() for letter in visit.merchant):
        return visit.merchant
    return Words(numbers_in(plain(visit))).mask(visit.merchant)


def _state(visit: VisitRecord) -> VisitState:
    if visit.sealed:
        return VisitState.ABANDONED if visit.abandoned else VisitState.SEALED
    # Unsealed although given up: the stop came just before the seal, and closing it once more sets that right.
    return VisitState.SALVAGED if visit.remains else VisitState.OPEN


def put_in_index(services: Services, visit: VisitRecord) -> Phrase | None:
    """Keep the derived index up with a visit; the caller holds the lock.

    Where the index was found damaged it was set aside and is made again from the visits; then the words to tell it.
    """
    return index_visit(services.home, services.index, visit)


def index_visit(home: Home, index: Index, visit: VisitRecord) -> Phrase | None:
    """:func:`put_in_index` without the rest of the house."""
    aside = index.set_aside
    if visit.id in home.keys.masked:
        # What was known of it when it could be opened says more than its masks do.
        index.put_line(summary_of(visit))
    else:
        found = details_of(visit)
        index.put_visit(summary_of(visit), found.terminals, found.observations, found.forecasts)
    moved = index.set_aside is not None and index.set_aside != aside
    if moved or index.lacking():
        rebuild_index(home, index, index.remembered if moved else index.visits())
    if not moved or index.set_aside is None:
        return None
    return phrase(
        "The index of visits was damaged; it was set aside as {file} and made again.", file=index.set_aside.name
    )


def details_of(visit: VisitRecord) -> VisitDetails:
    """What the index keeps of a visit beside its line in the list; times are learned from closed visits only."""
    if not visit.sealed:
        return VisitDetails(entries_of(visit))
    return VisitDetails(entries_of(visit), observations(visit), forecasts(visit))


def rebuild_index(home: Home, index: Index, known: Iterable[VisitSummary]) -> list[VisitSummary]:
    """Make the index and what lies beside it again from the visits; the caller holds the lock.

    What the index knows of visits that can no longer be read, or of which words cannot be opened, is kept.
    """
    remembered = {summary.id: summary for summary in known}
    found = dict(remembered)
    details: dict[str, VisitDetails] = {}
    masked: dict[str, VisitDetails] = {}
    for visit_id in home.visit_ids():
        found[visit_id], record = _read_both(home, visit_id, remembered.get(visit_id))
        if record is not None:
            (masked if visit_id in home.keys.masked else details)[visit_id] = details_of(record)
    for visit_id in remembered.keys() - set(home.visit_ids()):
        found[visit_id] = replace(remembered[visit_id], state=VisitState.DAMAGED)
    summaries = _in_order(found.values())
    index.rebuild(summaries, details, masked)
    return summaries


def history_of(home: Home, index: Index) -> tuple[list[TerminalEntry], list[str]]:
    """What was found and done on every terminal, oldest first, and the visits that cannot be read.

    From the index where it knows a closed visit as it is, else from the visit itself: nothing is missing because the
    index was made by an older techtool, was lost, or because the visit is not closed yet. Of a visit that cannot be
    read the index still has what it had.
    """
    summaries = {summary.id: summary for summary in known_visits(index)}
    heads = index.detailed()
    kept = index.terminals()
    settled = {visit for visit, summary in summaries.items() if summary.closed and heads.get(visit, "") == summary.head}
    read: dict[str, tuple[TerminalEntry, ...]] = {}
    broken = [visit for visit, summary in summaries.items() if summary.state is VisitState.DAMAGED]
    for visit in home.visit_ids():
        known = summaries.get(visit)
        if visit in settled or (known is not None and known.closed and not known.serials):
            continue
        summary, record = _read_both(home, visit, known)
        if record is not None:
            read[visit] = entries_of(record)
        elif summary.state in (VisitState.DAMAGED, VisitState.NEWER) and visit not in broken:
            broken.append(visit)
    entries = [entry for entry in kept if entry.visit not in read]
    entries += [entry for found in read.values() for entry in found]
    return sorted(entries, key=lambda entry: (entry.at, entry.visit, entry.lane)), sorted(broken)


def _in_order(summaries: Iterable[VisitSummary]) -> list[VisitSummary]:
    return sorted(summaries, key=lambda summary: (summary.started_at, summary.id))


def not_as_closed(known: VisitSummary | None, record: VisitRecord) -> bool:
    """Whether the index remembers that this visit was closed with another head than it has now."""
    return known is not None and known.closed and bool(known.head) and known.head != record.head


def list_visits(services: Services) -> list[VisitSummary]:
    """Every visit, newest last: settled ones from the index, the rest from their journals."""
    found = {summary.id: summary for summary in known_visits(services.index)}
    for visit_id in _unsettled(services):
        found[visit_id] = _read_both(services.home, visit_id, found.get(visit_id), masked=True)[0]
    return sorted(found.values(), key=lambda summary: (summary.started_at, summary.id))


def _read_both(
    home: Home, visit_id: str, known: VisitSummary | None, *, masked: bool = False
) -> tuple[VisitSummary, VisitRecord | None]:
    """The summary of a visit by its journal, and the record where it can be believed.

    Of one that cannot, what is known of it, marked.
    """
    try:
        record = record_in(home, visit_id, masked=masked)
    except (StoreDamaged, DiskError):
        return replace(known or _nothing_known(home, visit_id), state=VisitState.DAMAGED), None
    except StoreTooNew:
        return replace(known or _nothing_known(home, visit_id), state=VisitState.NEWER), None
    if known is not None and not_as_closed(known, record):
        return replace(known, state=VisitState.DAMAGED), None
    return summary_of(record), record


def known_visits(index: Index) -> list[VisitSummary]:
    """What the index says; of a damaged one, what can still be read, for the rest stands in the journals."""
    return index.still_readable()


def known_visit(index: Index, visit_id: str) -> VisitSummary | None:
    """What the index says of one visit, damaged or not."""
    with contextlib.suppress(StoreDamaged, StoreTooNew, DiskError):
        return index.visit(visit_id)
    return next((summary for summary in index.still_readable() if summary.id == visit_id), None)


def _unsettled(services: Services) -> list[str]:
    try:
        return services.index.unsettled()
    except (StoreDamaged, StoreTooNew, DiskError):
        return services.home.visit_ids()


def _nothing_known(home: Home, visit_id: str) -> VisitSummary:
    """A line for a visit of which nothing else is known."""
    made = datetime.fromtimestamp(home.visit_path(visit_id).stat().st_mtime, UTC)
    return VisitSummary(visit_id, made, None, "", "", VisitState.DAMAGED, None, (), "")


# --- going on -----------------------------------------------------------------------------------------------------


def unfinished(services: Services) -> list[VisitRecord]:
    """Visits that can be resumed, newest last; a damaged one is ``doctor``'s to show."""
    found: list[VisitRecord] = []
    for visit_id in _unsettled(services):
        try:
            visit = record_in(services.home, visit_id, masked=True)
        except (StoreDamaged, StoreTooNew, DiskError):
            continue
        if _state(visit) is VisitState.OPEN and not not_as_closed(known_visit(services.index, visit_id), visit):
            found.append(visit)
    return found


def unfinished_visit(services: Services) -> str:
    """The one unfinished visit; raises when there is none or more than one, and names one that is damaged."""
    found = [visit.id for visit in unfinished(services)]
    if len(found) > 1:
        raise AmbiguousChoice(what="visit resume", choices=", ".join(found))
    if found:
        return found[0]
    for visit_id in reversed(_unsettled(services)):
        known = known_visit(services.index, visit_id)
        if known is None or not known.closed:
            open_record(services, visit_id)
    raise NothingToResume


def to_resume(services: Services, visit_id: str, moved: Iterable[str] = ()) -> str:
    """The visit to go on with, ``visit_id`` or the one unfinished; ``moved``: the names ``--address`` was given for.

    Raises :class:`NoSuchVisit` for one that is closed, :class:`VisitDamaged`, and :class:`UsageError` where a salvage
    lost what resuming needs.
    """
    chosen = visit_id or unfinished_visit(services)
    visit = to_close(services, chosen)
    if visit.salvaged and not visit.lanes:
        raise UsageError(
            problem=phrase(
                "Nothing of its terminals could be saved of visit {visit}. Close it (“techtool visit abandon {visit}”) "
                "and begin a new one.",
                visit=chosen,
            )
        )
    for lane in visit.lanes:
        if lane.outcome is None and lane.address == lost_address(lane.lane) and lane.address not in moved:
            raise UsageError(
                problem=phrase(
                    "The address of terminal {lane} was lost with the damaged entries; give it: --address "
                    "{name}=ADDRESS",
                    lane=lane.lane,
                    name=lane.address,
                )
            )
    return chosen


def to_close(services: Services, visit_id: str) -> VisitRecord:
    """An unfinished visit, as it is recorded; raises :class:`NoSuchVisit` for a closed one, :class:`VisitDamaged`."""
    visit = open_record(services, visit_id)
    if visit.sealed:
        raise VisitClosed(visit=visit_id)
    if visit.remains:
        raise NoSuchVisit(
            visit=phrase(
                "{visit} was closed before its file was damaged; what was saved of it stays as it is", visit=visit_id
            )
        )
    if not_as_closed(known_visit(services.index, visit_id), visit):
        path = str(services.home.visit_path(visit_id))
        raise VisitDamaged(visit=visit_id, path=path, problem=NOT_AS_CLOSED)
    return visit


def lost_address(lane: str) -> str:
    """Stands in a salvaged record where a terminal's address was lost."""
    return f"lost-{lane}"


def note_torn(log: VisitLog) -> Phrase | None:
    """Record at once that the last entry was cut off by a stop and set aside; the words to tell it, if it was so."""
    torn = log.db.torn_file
    if torn is None:
        return None
    text = phrase("The last entry was cut off by the stop; it was set aside in {file}.", file=torn.name)
    log.noted(WHOLE_VISIT, text, warning=True)
    return text
