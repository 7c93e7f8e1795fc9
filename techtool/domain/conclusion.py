"""What a visit came to, in one word; derived from its record, never typed. Pure.

A visit is complete only when every terminal has a good end and every required test has a pass, or a “not applicable”
with its reason: the journal proves each link of the chain.
"""

from __future__ import annotations

from dataclasses import dataclass

from techtool.domain.known_issues import IssueResult
from techtool.domain.outcome import Outcome
from techtool.domain.question import CheckResult
from techtool.domain.required_tests import is_due
from techtool.domain.sign_off import Conclusion
from techtool.domain.visit import CheckRecord, LaneRecord, VisitRecord
from techtool.domain.work_order import missing_places, missing_terminals, reached_as
from techtool.i18n import N_, Phrase

CONCLUSION_LABEL = {
    Conclusion.COMPLETE: N_("complete"),
    Conclusion.PARTIAL: N_("partly done"),
    Conclusion.NOT_DONE: N_("not done"),
    Conclusion.REVISIT: N_("another visit is needed"),
}
_BROKEN = frozenset(
    {
        Outcome.INCONSISTENT,
        Outcome.FAILED_NEEDS_FIRMWARE,
        Outcome.FAILED_UNRECOVERABLE,
        Outcome.SUCCESS_NOT_RESTORED,
        Outcome.NEEDS_REBOOT,
    }
)
"""Somebody has to look at that terminal again."""
_GONE = frozenset({Outcome.ROLLED_BACK})
"""As before the visit: what its tests said was said of something that is not there any more."""


@dataclass(frozen=True, slots=True)
class OpenTest:
    """A required test without a pass and without a reasoned “not applicable”."""

    id: str
    title: Phrase
    result: str
    """``fail``, ``not-done``; empty: nothing was recorded."""
    reason: str = ""
    because: Phrase | None = None
    """Why it is required."""
    said: Phrase | None = None
    """The reason where techtool gave it, in words for any language."""


def newest_checks(lane: LaneRecord) -> dict[str, CheckRecord]:
    """The last word on each test and inspection item."""
    return {check.id: check for check in lane.checks}


def open_required(lane: LaneRecord) -> tuple[OpenTest, ...]:
    """Required tests of this terminal that are not in order, in the order of work."""
    checks = newest_checks(lane)
    results = {name: check.result for name, check in checks.items()}
    found: dict[str, OpenTest] = {}
    for test in lane.tests:
        if test.required and is_due(test, results):
            check = checks.get(test.id)
            if check is None or not settled(check):
                found[test.id] = (
                    _open(check, test.because) if check else OpenTest(test.id, test.title, "", because=test.because)
                )
    for check in checks.values():
        if check.required and check.id not in found and not settled(check):
            found[check.id] = _open(check, check.because)
    return tuple(found.values())


def _open(check: CheckRecord, because: Phrase | None) -> OpenTest:
    return OpenTest(check.id, check.title, check.result, check.reason, because, check.said)


def settled(check: CheckRecord) -> bool:
    """Passed, or reasonably not applicable."""
    if check.result == CheckResult.NOT_APPLICABLE.value:
        return bool(check.reason.strip())
    return check.result == CheckResult.PASS.value


def lane_conclusion(lane: LaneRecord) -> Conclusion:
    """The same word for one terminal."""
    still_there = any(issue.result is IssueResult.STILL_PRESENT for issue in lane.issues)
    if lane.outcome in _BROKEN or any(incident.is_open for incident in lane.incidents):
        return Conclusion.REVISIT
    if lane.outcome is None or not (lane.outcome.is_good or lane.outcome in _GONE):
        begun = lane.confirmed_at is not None and lane.outcome is None
        return Conclusion.PARTIAL if begun else Conclusion.NOT_DONE
    if lane.outcome in _GONE:
        return Conclusion.NOT_DONE
    left = open_required(lane)
    if any(test.result == CheckResult.FAIL.value for test in left) or still_there:
        return Conclusion.REVISIT
    return Conclusion.PARTIAL if left else Conclusion.COMPLETE


@dataclass(frozen=True, slots=True)
class CameTo:
    """What a record says as a whole: told of the record as it was read, before a report masks its numbers.

    Only places and no texts: what is shown of them comes from the masked record.
    """

    conclusion: Conclusion
    reached_as: tuple[int | None, ...] = ()
    """Of each terminal of the order: the place of the visit's terminal that it was; None: that cannot be told."""
    missing: tuple[int, ...] = ()
    """Places in the order of those that were not reached."""


def came_to(visit: VisitRecord) -> CameTo:
    """All of it."""
    terminals = visit.order.terminals if visit.order else ()
    reached = [reached_as(terminal, visit) for terminal in terminals]
    places = tuple(next((n for n, one in enumerate(visit.lanes) if one is lane), None) for lane in reached)
    return CameTo(conclusion(visit), places, missing_places(visit))


def conclusion(visit: VisitRecord) -> Conclusion:
    """One word for the visit: any terminal that needs another visit decides; else all, some, or none is done."""
    words = [lane_conclusion(lane) for lane in visit.lanes]
    if Conclusion.REVISIT in words:
        return Conclusion.REVISIT
    if not words or set(words) == {Conclusion.NOT_DONE}:
        return Conclusion.NOT_DONE
    if set(words) == {Conclusion.COMPLETE} and not missing_terminals(visit):
        return Conclusion.COMPLETE
    return Conclusion.PARTIAL
