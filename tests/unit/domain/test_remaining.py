"""What is left of a plan: the running step's rest, the later steps' middles, and a reason where the figure grows."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from techtool.domain.plan import Estimate, Plan, PlanStep, StepKind
from techtool.domain.release import After
from techtool.domain.remaining import REASON_S, Standing, done_of, left_of, restart_of, running_of, told
from techtool.i18n import raw
from tests.tui.scene_shop import KERNEL, PAY, plan


def step(kind: StepKind, p50_s: float, *, attended: bool = False, key: str = "") -> PlanStep:
    return PlanStep(kind, raw(kind.value), raw("-"), Estimate(p50_s, 2 * p50_s), attended, key)


STEPS = (
    step(StepKind.BACKUP, 30),
    step(StepKind.INSTALL, 60, key="a@1"),
    step(StepKind.INSTALL, 40, key="b@1"),
    step(StepKind.VERIFY, 20),
    step(StepKind.TEST, 240, attended=True),
)


@pytest.mark.parametrize(
    ("standing", "total_s"),
    [
        (Standing(STEPS, frozenset(), 0), 390.0),
        (Standing(STEPS, frozenset(), 0, elapsed_s=10), 380.0),
        (Standing(STEPS, frozenset(), 0, elapsed_s=99), 360.0),
        (Standing(STEPS, frozenset({0}), 1, elapsed_s=10), 350.0),
        (Standing(STEPS, frozenset({0}), 1, elapsed_s=10, transfer_s=20), 350.0),
        (Standing(STEPS, frozenset({0}), 1, elapsed_s=10, transfer_s=200), 500.0),
        (Standing(STEPS, frozenset({0, 1}), 2, elapsed_s=40, restart=1), 320.0),
        (Standing(STEPS, frozenset({0, 1, 2}), 3), 260.0),
    ],
    ids=["all", "ten-in", "over-its-time", "install", "fast-link", "slow-link", "restart-to-come", "verify"],
)
def test_the_sum(standing: Standing, total_s: float) -> None:
    left = left_of(standing)
    assert left.total_s == pytest.approx(total_s)
    assert left.attended_s == pytest.approx(240)


def test_a_figure_that_grows_says_why_for_a_while() -> None:
    running = Standing(STEPS, frozenset({0}), 1, elapsed_s=10)
    first = told(None, running, 0)
    assert first.why is None
    slower = told(first, replace(running, elapsed_s=11, transfer_s=300), 1)
    assert slower.why is not None
    assert slower.why.text("en") == "the link is slower than expected"
    later = told(slower, replace(running, elapsed_s=20, transfer_s=291), 10)
    assert later.why == slower.why
    assert told(later, replace(running, elapsed_s=50, transfer_s=261), 1 + REASON_S).why is None


def test_small_growth_adds_up_to_a_reason() -> None:
    """Creeping up by a tenth each time is a jump as well."""
    now = told(None, Standing(STEPS, frozenset({0}), 1, transfer_s=60), 0)
    reasons = []
    for turn in range(1, 6):
        now = told(now, Standing(STEPS, frozenset({0}), 1, elapsed_s=1.0 * turn, transfer_s=60 + 30.0 * turn), turn)
        reasons.append(now.why)
    assert reasons[0] is None
    assert reasons[-1] is not None


def test_a_step_that_is_done_again_is_named() -> None:
    near = told(None, Standing(STEPS[:4], frozenset({0, 1, 2}), 3, elapsed_s=10), 0)
    again = told(near, Standing(STEPS[:4], frozenset({0, 1, 2}), 1), 1)
    assert again.why is not None
    assert again.why.text("en") == "done once more: install"
    extra = told(near, Standing(STEPS[:4], frozenset({0, 1}), 3, elapsed_s=11), 1)
    assert extra.why is not None
    assert "extra step" in extra.why.text("en")


def test_no_growth_beyond_a_fifth_is_ever_told_without_a_reason() -> None:
    """Whatever the link does: every figure stands within a fifth of the smallest one since the last reason."""
    now, shown = None, []
    for second, eta_s in enumerate([50, 55, 62, 70, 400, 390, 380, 200, 500, 499, 20]):
        now = told(now, Standing(STEPS, frozenset({0}), 1, elapsed_s=second, transfer_s=eta_s), second)
        shown.append((now.left.total_s, now.why))
    for (before_s, _why), (after_s, why) in itertools.pairwise(shown):
        assert after_s <= 1.2 * before_s or why is not None


# -- where a plan stands ----------------------------------------------------------------------------------------------


def places(agreed: Plan) -> dict[str, int]:
    return {s.release_key.partition("@")[0]: n for n, s in enumerate(agreed.steps) if s.kind is StepKind.INSTALL}


def test_items_of_the_journal_are_steps_of_the_plan() -> None:
    agreed = plan()
    at = places(agreed)
    assert set(at) == {PAY, KERNEL}
    done = done_of(agreed, [StepKind.BACKUP], {KERNEL: 1, f"copy:{PAY}": 1})
    assert at[KERNEL] in done
    assert at[PAY] not in done
    assert agreed.steps[min(done)].kind is StepKind.BACKUP
    assert running_of(agreed, StepKind.INSTALL, PAY, done) == at[PAY]
    assert running_of(agreed, StepKind.INSTALL, f"copy:{KERNEL}", done) == at[PAY], "copies belong to what comes next"
    assert running_of(agreed, StepKind.INSTALL, "take-out", done) is None
    verify = running_of(agreed, StepKind.VERIFY, "", done)
    assert verify is not None
    assert agreed.steps[verify].kind is StepKind.VERIFY
    assert restart_of(agreed, ()) is None


def test_a_restart_belongs_to_the_last_release_that_asks_for_one() -> None:
    agreed = plan()
    asking = tuple(
        replace(v, release=replace(v.release, after=After(restart=True))) if v.release.id == KERNEL else v
        for v in agreed.releases
    )
    agreed = replace(agreed, releases=asking)
    assert restart_of(agreed, ()) == places(agreed)[KERNEL]
    assert restart_of(agreed, ("restart",)) is None
    assert running_of(agreed, StepKind.INSTALL, "restart", ()) == places(agreed)[KERNEL]
