"""The merchant's copy: one page that says who came, what was done to which terminal, what is open, and who signed.

Rules, digests, addresses and steps stay in the full record; the page names it by its digest. It is one page however
many terminals there were: those that need somebody stand first, and behind a bound the rest are counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, tzinfo

from techtool.domain.conclusion import CameTo, came_to, lane_conclusion
from techtool.domain.sign_off import Conclusion
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.i18n import N_, phrase
from techtool.reports.closing_part import conclusion_cell, left_open
from techtool.reports.facts import VisitState, simulated, state_of
from techtool.reports.parts import Cell, Fact, Facts, MerchantPage, Notice, Table, Tone
from techtool.reports.redaction import redacted
from techtool.reports.statement import statement
from techtool.reports.terminal import lane_name, lane_outcome
from techtool.reports.visit_parts import identity_shown, sign_off_facts, visit_type
from techtool.reports.words import Words

MOST_ROWS = 30
"""Terminals that one page holds beside everything else."""
_MOST_TODO = 6
_LONGEST = 160
"""Characters of one text."""


def build_merchant(visit: VisitRecord, language: str, zone: tzinfo = UTC) -> MerchantPage:
    """The page in one language, redacted."""
    digest = hashlib.sha256(statement(visit)).hexdigest()
    whole = came_to(visit)
    visit = redacted(visit)
    t = Words(language, zone, _LONGEST)
    return MerchantPage(
        language=language,
        visit_id=visit.id,
        digest=digest,
        title=t(N_("Service report for the merchant")),
        subtitle=t.clip(visit.merchant) or t(N_("Merchant not recorded")),
        outcome=conclusion_cell(whole, t),
        notices=tuple(_notices(visit, t)),
        visit=_visit(visit, t),
        people=_people(visit, t),
        terminals=_terminals(visit, t),
        todo=_todo(visit, whole, t),
        close=Facts(t(N_("Sign-off")), tuple(sign_off_facts(visit.sign_off, t))),
        signatures=(t(N_("Technician, date")), t(N_("Merchant, name and date"))),
        notes=tuple(_notes(digest, t)),
        footer=phrase("techtool {version} · visit {visit}", version=visit.tool_version, visit=visit.id).text(language),
    )


def _notices(visit: VisitRecord, t: Words) -> Iterator[Notice]:
    if simulated(visit):
        line = t(N_("Facts in this report come from a simulated terminal; they prove nothing about real hardware."))
        yield Notice(t(N_("Simulated")), Tone.WARN, (line,))
    if state_of(visit) is not VisitState.FINISHED:
        cell = t.visit_state(state_of(visit))
        yield Notice(cell.text, Tone.WARN, (t(N_("What is below is what was recorded until then.")),))


def _visit(visit: VisitRecord, t: Words) -> Facts:
    site = visit.order.site if visit.order else None
    begun = visit.arrival.arrived_at if visit.arrival else visit.started_at
    facts = [
        t.fact(N_("Visit type"), visit_type(visit, t)),
        t.fact(N_("Work order"), t.recorded(visit.work_order)),
        t.fact(N_("Site address"), t.recorded(site.site_address if site else "")),
        t.fact(N_("From"), t.moment(begun), t.zone(begun)),
        t.fact(N_("To"), t.moment(visit.finished_at)),
    ]
    return Facts(t(N_("Visit")), tuple(facts))


def _people(visit: VisitRecord, t: Words) -> Facts:
    arrival = visit.arrival
    company = visit.order.service_company if visit.order else ""
    return Facts(
        t(N_("People")),
        (
            t.fact(N_("Technician"), t.recorded(visit.technician)),
            t.fact(N_("Staff no."), t.recorded(visit.staff_no)),
            t.fact(N_("Service company"), t.recorded(company)),
            t.fact(N_("Identity and order shown"), identity_shown(arrival, t)),
            t.fact(N_("Checked by"), t.recorded(arrival.identity_checked_by if arrival else "")),
        ),
    )


def _terminals(visit: VisitRecord, t: Words) -> Table:
    columns = (t(N_("No.")), t(N_("Terminal")), t(N_("Result")), t(N_("Now installed")))
    fine = (Conclusion.COMPLETE,)
    lanes = sorted(visit.lanes, key=lambda lane: lane_conclusion(lane) in fine)
    shown = lanes if len(lanes) <= MOST_ROWS else lanes[: MOST_ROWS - 1]
    rows = [_row(lane, t) for lane in shown]
    left = lanes[len(shown) :]
    if left:
        good = sum(lane_conclusion(lane) in fine for lane in left)
        text = phrase("{count} more in the full record, {good} of them complete", count=len(left), good=good)
        rows.append((Cell("…"), Cell(t.say(text)), Cell(""), Cell("")))
    return Table(t(N_("Terminals")), columns, tuple(rows), t(N_("No terminal was reached.")), kind="merchant")


def _row(lane: LaneRecord, t: Words) -> tuple[Cell, ...]:
    outcome = lane_outcome(lane, t)
    versions = "\n".join(f"{f.package.id} {f.package.version}" for f in lane.installed)
    return (
        Cell(lane.lane),
        Cell(t.clip(lane_name(lane))),
        Cell(outcome.text, tone=outcome.tone),
        Cell(t.clip(versions) or "–"),
    )


def _todo(visit: VisitRecord, whole: CameTo, t: Words) -> Facts:
    """What is open, shortened: the page stays one page."""
    items = [Fact(fact.label, _short(fact.value, t)) for fact in left_open(visit, whole, t)]
    steps = [
        Fact(t.clip(lane_name(lane)), Cell(t.say(action)))
        for lane in visit.lanes
        if lane.error is not None
        for action in lane.error.next_actions[:1]
    ]
    return Facts(t(N_("Still open")), (*items, *steps[:_MOST_TODO]), t(N_("nothing")))


def _short(cell: Cell, t: Words) -> Cell:
    lines = cell.text.split("\n")
    if len(lines) <= _MOST_TODO:
        return Cell("\n".join(map(t.clip, lines)), cell.note, cell.tone, cell.mono)
    more = phrase("{count} more in the full record", count=len(lines) - _MOST_TODO)
    return Cell("\n".join([*map(t.clip, lines[:_MOST_TODO]), t.say(more)]), cell.note, cell.tone, cell.mono)


def _notes(digest: str, t: Words) -> Iterator[str]:
    yield t(
        N_(
            "No card number is kept in any report. techtool neither reads nor writes keys. Merchant and terminal "
            "numbers show their last four characters."
        )
    )
    yield phrase("The full record has SHA-256 {digest}.", digest=digest).text(t.language)
