"""What a visit came to, in the words the merchant is shown when they sign: every screen says the same; pure."""

from __future__ import annotations

from techtool.domain.conclusion import CONCLUSION_LABEL, conclusion, lane_conclusion, open_required
from techtool.domain.sign_off import Conclusion
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.i18n import Phrase, _, phrase
from techtool.tui.views.lines import Line, Mark
from techtool.tui.views.run import check_word


def conclusion_line(visit: VisitRecord) -> Line | None:
    """One word for the whole visit, and which required tests are open; None while it is not closed."""
    if not visit.sealed:
        return None
    good = sum(lane_conclusion(lane) is Conclusion.COMPLETE for lane in visit.lanes)
    said = conclusion(visit)
    text = phrase(
        "{conclusion}: {good} of {count} terminals complete.",
        conclusion=Phrase(CONCLUSION_LABEL[said]),
        good=good,
        count=len(visit.lanes),
    )
    details = tuple(line for lane in visit.lanes for line in _open(lane))
    return Line(Mark.OK if said is Conclusion.COMPLETE else Mark.WARNING, text.text(), details)


def _open(lane: LaneRecord) -> tuple[str, ...]:
    """The required tests of one terminal that are not in order, where it came as far as its tests."""
    if lane.outcome is None or not lane.outcome.is_good:
        return ()
    name = lane.serial or lane.address
    return tuple(
        _("{terminal}: {test} {title}: {result}").format(
            terminal=name, test=test.id, title=test.title.text(), result=check_word(_result(test.result, test.reason))
        )
        for test in open_required(lane)
    )


def _result(result: str, reason: str) -> str:
    return f"{result or 'not-done'}: {reason}" if reason else result or "not-done"
