"""How long it took until what ran before ran again, by the record alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from techtool.domain.plan import StepKind
from techtool.domain.restore import PutBack, Way
from techtool.domain.visit import CatmAction, LaneRecord, StepRecord, StepState
from techtool.reports.facts import recovery_s
from techtool.reports.terminal import terminal_report
from techtool.reports.words import Words
from tests.factories import PAY, at, lane_done, plan_record


def one(seq: int, step: StepKind, begun: float, ended: float | None, action: CatmAction | None = None) -> StepRecord:
    state = StepState.DONE if ended is not None else StepState.FAILED
    return StepRecord(seq, step, "", state, at(begun), at(ended) if ended is not None else at(begun + 1), action=action)


def restored(*steps: StepRecord) -> LaneRecord:
    plan = replace(plan_record(), releases=(), put_back=(PutBack(PAY, Way.OVER, None, 310, ()),))
    return replace(lane_done(), plan=plan, steps=steps)


UNDONE = (
    one(1, StepKind.INSTALL, 10, 20, CatmAction.INSTALL),
    one(2, StepKind.VERIFY, 20, 25),
    one(3, StepKind.INSTALL, 61, 90, CatmAction.INSTALL),
    one(4, StepKind.VERIFY, 90, 102.5),
)


@pytest.mark.parametrize(
    ("lane", "seconds"),
    [
        (lane_done(), None),
        (replace(lane_done(), undo_at=at(60), steps=UNDONE), 42.5),
        (replace(lane_done(), undo_at=at(60), steps=UNDONE[:3]), None),
        (replace(lane_done(), undo_at=at(60), steps=(*UNDONE[:3], one(4, StepKind.VERIFY, 90, None))), None),
        (
            restored(
                one(1, StepKind.INSTALL, 5, 9),
                one(2, StepKind.INSTALL, 10, 20, CatmAction.INSTALL),
                one(3, StepKind.VERIFY, 20, 31),
            ),
            21.0,
        ),
        (restored(one(1, StepKind.INSTALL, 5, 9)), None),
    ],
    ids=["nothing-put-back", "undone", "not-verified", "verify-failed", "restored", "nothing-changed"],
)
def test_seconds(lane: LaneRecord, seconds: float | None) -> None:
    assert recovery_s(lane) == seconds


def test_an_undo_without_a_good_end_is_said() -> None:
    lane = replace(lane_done(), undo_at=at(60), steps=UNDONE[:3])
    facts = {fact.label: fact.value.text for fact in terminal_report(lane, at(0), Words("en")).plan.items}
    assert facts["Putting back took, measured"] == "it did not come to a good end"
