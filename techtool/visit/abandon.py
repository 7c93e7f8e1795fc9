"""Closing an unfinished visit as stopped: truthful outcomes, a seal, a report."""

from __future__ import annotations

from techtool.domain.outcome import OUTCOME_EXIT, Outcome, worst
from techtool.domain.plan import StepKind
from techtool.domain.visit import LaneRecord, StepState, VisitRecord
from techtool.errors import NoSuchVisit
from techtool.i18n import phrase
from techtool.reports.keys import load_report_key
from techtool.visit.closing import drop_payloads, seal_visit, write_visit_reports
from techtool.visit.lane import CHANGES
from techtool.visit.log import VisitLog, read_visit
from techtool.visit.services import Services
from techtool.visit.visits import put_in_index


def abandon(services: Services, visit_id: str, passphrase: str | None) -> VisitRecord:
    """Close ``visit_id``; the seal is signed where the passphrase is given. Raises :class:`NoSuchVisit`."""
    key = load_report_key(services.paths.report_key, passphrase) if passphrase is not None else None
    with services.home.lock("visit abandon"):
        db = services.home.open_visit(visit_id, write=True)
        try:
            visit = read_visit(db, visit_id)
            if visit.sealed:
                raise NoSuchVisit(visit=phrase("{visit} is closed already", visit=visit_id))
            log = VisitLog(db, services.clock, visit_id)
            outcomes = [lane.outcome or _set_outcome(log, lane) for lane in visit.lanes]
            outcome = worst([*outcomes, Outcome.CANCELLED])
            seal_visit(services, log, key, outcome, int(OUTCOME_EXIT[outcome]), abandoned=True)
            record = read_visit(db, visit_id)
            write_visit_reports(services, record, key)
            drop_payloads(services)
            put_in_index(services, record)
            return record
        finally:
            db.close()


def _set_outcome(log: VisitLog, lane: LaneRecord) -> Outcome:
    """Nothing sent: cancelled. Something sent that no later verification stands for: inconsistent, never success."""
    sent = False
    for step in lane.steps:
        if step.action in CHANGES:
            sent = True
        if step.step is StepKind.VERIFY and step.state is StepState.DONE:
            sent = False
    outcome = Outcome.INCONSISTENT if sent else Outcome.CANCELLED
    log.finished(lane.lane, outcome, int(OUTCOME_EXIT[outcome]), lane.error)
    return outcome
