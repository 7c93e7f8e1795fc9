"""The visits of this laptop: which there are, which are unfinished, what the index says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from techtool.domain.visit import VisitRecord
from techtool.errors import AmbiguousChoice, NoSuchVisit, StoreDamaged
from techtool.i18n import phrase
from techtool.store.index import VisitState, VisitSummary
from techtool.visit.log import read_visit
from techtool.visit.services import Services


def open_record(services: Services, visit_id: str) -> VisitRecord:
    """Read one visit, without a lock and without repair; raises :class:`NoSuchVisit`, :class:`StoreDamaged`."""
    db = services.home.open_visit(visit_id, write=False)
    try:
        return read_visit(db, visit_id)
    finally:
        db.close()


def summary_of(visit: VisitRecord) -> VisitSummary:
    """What the index keeps of a visit."""
    state = VisitState.ABANDONED if visit.abandoned else VisitState.SEALED if visit.sealed else VisitState.OPEN
    return VisitSummary(
        id=visit.id,
        started_at=visit.started_at,
        finished_at=visit.finished_at,
        technician=visit.technician,
        merchant=visit.merchant,
        state=state,
        outcome=visit.outcome,
        serials=tuple(lane.serial for lane in visit.lanes if lane.serial),
        head=visit.head,
    )


def put_in_index(services: Services, visit: VisitRecord) -> None:
    """Keep the derived index up with a visit; the caller holds the lock."""
    services.index.put_visit(summary_of(visit))


def list_visits(services: Services) -> list[VisitSummary]:
    """Every visit, newest last: settled ones from the index, the rest from their journals."""
    found = {summary.id: summary for summary in _indexed(services)}
    for visit_id in _unsettled(services):
        try:
            found[visit_id] = summary_of(open_record(services, visit_id))
        except StoreDamaged:
            known = found.get(visit_id) or _damaged(services, visit_id)
            found[visit_id] = replace(known, state=VisitState.DAMAGED)
    return sorted(found.values(), key=lambda summary: (summary.started_at, summary.id))


def _indexed(services: Services) -> list[VisitSummary]:
    """What the index says; nothing where it is damaged, for all of it can be read from the journals as well."""
    try:
        return services.index.visits()
    except StoreDamaged:
        return []


def _unsettled(services: Services) -> list[str]:
    try:
        return services.index.unsettled()
    except StoreDamaged:
        return services.home.visit_ids()


def _damaged(services: Services, visit_id: str) -> VisitSummary:
    """A line for a visit of which nothing else is known."""
    made = datetime.fromtimestamp(services.home.visit_path(visit_id).stat().st_mtime, UTC)
    return VisitSummary(visit_id, made, None, "", "", VisitState.DAMAGED, None, (), "")


def unfinished(services: Services) -> list[VisitRecord]:
    """Visits that can be resumed, newest last; a damaged one is ``doctor``'s to show."""
    found: list[VisitRecord] = []
    for visit_id in _unsettled(services):
        try:
            visit = open_record(services, visit_id)
        except StoreDamaged:
            continue
        if not visit.sealed and not visit.abandoned:
            found.append(visit)
    return found


def unfinished_visit(services: Services) -> str:
    """The one unfinished visit; raises when there is none or more than one."""
    found = [visit.id for visit in unfinished(services)]
    if not found:
        raise NoSuchVisit(visit=phrase("none is unfinished"))
    if len(found) > 1:
        raise AmbiguousChoice(what="visit resume", choices=", ".join(found))
    return found[0]
