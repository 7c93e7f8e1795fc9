"""How a visit was closed, for reports: what it came to, what is still open, how it was signed off."""

from __future__ import annotations

from collections.abc import Iterator

from techtool.domain.conclusion import CONCLUSION_LABEL, CameTo, OpenTest, open_required
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.i18n import N_, phrase
from techtool.reports.labels import CONCLUSION_TONE
from techtool.reports.parts import Cell, Fact, Facts, Tone
from techtool.reports.visit_parts import named, sign_off_facts
from techtool.reports.words import Words


def close(visit: VisitRecord, came_to: CameTo, t: Words) -> Facts:
    """The conclusion, what is open, the sign-off."""
    word = t.fact(N_("Conclusion"), conclusion_cell(came_to, t))
    return Facts(t(N_("Close")), (word, *left_open(visit, came_to, t), *sign_off_facts(visit.sign_off, t)))


def conclusion_cell(came_to: CameTo, t: Words) -> Cell:
    """Complete, partly, not done, come again; derived from the record."""
    word = came_to.conclusion
    return Cell(t(CONCLUSION_LABEL[word]), word.value, CONCLUSION_TONE[word])


def left_open(visit: VisitRecord, came_to: CameTo, t: Words) -> Iterator[Fact]:
    """Required tests without a good result, incidents, terminals of the order that were not reached."""
    tests = [_open_test(lane, test, t) for lane in visit.lanes for test in open_required(lane)]
    if tests:
        yield t.fact(N_("Required tests that are open"), Cell("\n".join(tests), tone=Tone.WARN))
    incidents = [incident.no for lane in visit.lanes for incident in lane.incidents]
    if incidents:
        yield t.fact(N_("Incidents"), Cell("\n".join(incidents), tone=Tone.BAD))
    terminals = visit.order.terminals if visit.order else ()
    missing = [named(terminals[place], t) for place in came_to.missing]
    if missing:
        yield t.fact(N_("Terminals of the order that were not reached"), Cell("\n".join(missing), tone=Tone.WARN))


def _open_test(lane: LaneRecord, test: OpenTest, t: Words) -> str:
    word = t.check(test.result).text if test.result else t.recorded("")
    reason = t.say(test.said) or t.clip(test.reason)
    said = f"{word}: {reason}" if reason else word
    return t.say(
        phrase("terminal {lane}: {test} ({result})", lane=lane.lane, test=f"{test.id} {t.say(test.title)}", result=said)
    )
