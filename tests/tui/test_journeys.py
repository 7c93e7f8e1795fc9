"""Whole visits by keys alone, judged by the journal: what was done to the terminal, not only what was drawn."""

from __future__ import annotations

import subprocess
import sys
from subprocess import PIPE

import pytest
from textual.widgets import Input

from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.visit import StepState, VisitRecord
from techtool.i18n import set_language
from techtool.simulator.faults import Direction, Drop, Faults, InstallRefusal
from techtool.tui.screens.base import HouseScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.plan import PlanScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.visit import VisitScreen
from techtool.tui.views.home import RESUME
from techtool.tui.widgets.choices import Choices
from tests.tui.hand import Hand, Stage, usual


async def begin(hand: Hand) -> None:
    """From home into a visit to the first terminal of the list."""
    await hand.on(HomeScreen)
    await hand.until(lambda: hand.app.house.home_facts.unfinished is not None, "home")
    await hand.press("1" if not hand.app.house.home_facts.unfinished else "2")
    await hand.on(NewVisitScreen)
    await hand.press("f2")
    await hand.on(VisitScreen)


def installs(visit: VisitRecord) -> list[StepState]:
    return [s.state for lane in visit.lanes for s in lane.steps if s.step is StepKind.INSTALL]


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (100, 30)])
async def test_a_whole_visit(stage: Stage, lang: str, size: tuple[int, int]) -> None:
    set_language(lang)
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses, size=size) as hand:
        await begin(hand)
        await hand.answers({"arrive.merchant": "面馆 [red]No. 7[/]", "sign_off.name": "Wang"})
        await hand.on(ResultScreen)
        assert simulation.serials[0] in hand.text()
        await hand.press("escape")
        await hand.on(HomeScreen)
    visit = stage.visit()
    (lane,) = visit.lanes
    assert (visit.sealed, visit.outcome, lane.outcome) == (True, Outcome.SUCCESS, Outcome.SUCCESS)
    assert visit.merchant == "面馆 [red]No. 7[/]"
    assert lane.confirmed_at is not None
    assert lane.backup is not None
    assert lane.backup.verified
    assert [i.sha256_expected for i in lane.installed] == [i.sha256_found for i in lane.installed]
    assert {check.result for check in lane.checks} <= {"pass", "not-applicable"}
    assert [answer.answer for answer in visit.answers if answer.question_id == "sign_off.name"] == ["Wang"]
    assert len(list((stage.world.paths.reports / visit.id).glob("*.html"))) == 2


@pytest.mark.slow
async def test_nothing_changes_before_the_last_four_are_typed(stage: Stage) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        question = await hand.answers({}, stop_at=["confirm.last4"])
        assert question is not None
        await hand.on(PlanScreen)
        for wrong in ("", "1", "0000"):
            await hand.type(wrong, "enter")
            assert hand.view.question is question
        assert "0000" not in stage.visit().lanes[0].serial
        assert installs(stage.visit()) == []
        assert stage.visit().lanes[0].backup is None
        await hand.press(*["backspace"] * 4)
        await hand.answers({})
    assert stage.visit().outcome is Outcome.SUCCESS


@pytest.mark.slow
async def test_keys_typed_ahead_confirm_nothing(stage: Stage) -> None:
    """What was typed for the screen before, or in the moment a new one appears, does not reach it."""
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        assert await hand.answers({}, stop_at=["inspect.photo"]) is not None
        last4 = simulation.serials[0][-4:]
        passed: list[str] = []
        while (question := await hand.answers({}, stop_at=[""])) is not None and question.id != "confirm.last4":
            listen(hand, 0)
            hand.app.house.settle_s = 3600
            await hand.answer(question, usual(question))
            await hand.type(last4, "enter")
            passed.append(question.id)
        assert passed, "the gate is not the first question"
        assert question is not None
        plan = await hand.on(PlanScreen)
        await hand.type(last4, "enter")
        assert plan.query_one("#answer", Input).value == ""
        assert hand.view.question is question
        assert stage.visit().lanes[0].confirmed_at is None
        listen(hand, 0)
        await hand.answer(question, last4)
        await hand.answers({})
    visit = stage.visit()
    (lane,) = visit.lanes
    assert visit.outcome is Outcome.SUCCESS
    assert [a.answer for a in lane.answers if a.question_id == "confirm.last4"] == [last4]


def listen(hand: Hand, settle_s: float) -> None:
    """Have the screen on top, and every later one, take keys only so many seconds from now."""
    hand.app.house.settle_s = settle_s
    screen = hand.app.screen
    assert isinstance(screen, HouseScreen)
    screen.arm()


@pytest.mark.slow
async def test_a_refused_installation_is_tried_again(stage: Stage) -> None:
    faults = [Faults(install=InstallRefusal("INSTALL_FAILED_USER_RESTRICTED", "Install canceled by user", times=1))]
    async with stage.terminals(faults=faults) as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        assert await hand.answers({}, stop_at=["problem."]) is not None
        problem = await hand.on(ProblemScreen)
        assert "TT-410" in hand.text()
        await hand.press("enter")
        assert hand.app.screen is problem, "enter alone chooses nothing"
        await hand.press("1")
        await hand.until(lambda: not isinstance(hand.app.screen, ProblemScreen), "gone on")
        await hand.answers({})
    visit = stage.visit()
    assert visit.outcome is Outcome.SUCCESS
    assert StepState.FAILED in installs(visit)


async def test_a_terminal_can_be_left_as_it_is(stage: Stage) -> None:
    faults = [Faults(install=InstallRefusal("INSTALL_FAILED_INSUFFICIENT_STORAGE"))]
    async with stage.terminals(faults=faults) as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        await hand.answers({"problem.install": "leave"})
        await hand.on(ResultScreen)
    visit = stage.visit()
    assert (visit.sealed, visit.outcome) == (True, Outcome.FAILED_TRANSIENT)


@pytest.mark.slow
async def test_the_cable_is_pulled_and_the_visit_resumed_from_home(stage: Stage) -> None:
    faults = [Faults(drop=Drop(at_byte=12_000, direction=Direction.IN, times=1))]
    async with stage.terminals(faults=faults) as simulation:
        async with stage.screens(*simulation.addresses) as hand:
            await begin(hand)
            problem = await hand.answers({}, stop_at=["problem."])
            assert problem is not None
            await hand.answer(problem, "later")
            await hand.on(ResultScreen)
            assert not stage.visit().sealed
            await hand.press("escape")
            await hand.on(HomeScreen)
        async with stage.screens(*simulation.addresses) as hand:
            await hand.on(HomeScreen)
            await hand.until(lambda: bool(hand.app.house.home_facts.unfinished), "unfinished work")
            await hand.press("1")
            await hand.on(VisitScreen)
            await hand.answers({})
            await hand.on(ResultScreen)
    visit = stage.visit()
    assert (visit.sealed, visit.outcome) == (True, Outcome.SUCCESS)


@pytest.mark.slow
async def test_stopping_safely_leaves_a_visit_that_can_be_resumed(stage: Stage) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        await hand.answers({}, stop_at=["inspect.SE-02"])
        await hand.press("f8")
        await hand.on(ResultScreen)
        visit = stage.visit()
        assert not visit.sealed
        assert visit.lanes[0].outcome is None
        await hand.press("escape")
        await hand.on(HomeScreen)
        await hand.until(lambda: bool(hand.app.house.home_facts.unfinished), "unfinished work")
        await hand.press("enter")
        await hand.on(VisitScreen)
        await hand.answers({})
        await hand.on(ResultScreen)
    assert stage.visit().outcome is Outcome.SUCCESS


async def test_leaving_the_program_stops_at_a_safe_point(stage: Stage) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        await hand.answers({}, stop_at=["inspect.SE-02"])
        await hand.press("ctrl+q")
        await hand.until(lambda: hand.app.return_code is not None and not hand.app.house.bridge.running, "left")
        assert hand.app.return_value == 0
    visit = stage.visit()
    assert not visit.sealed
    assert visit.lanes[0].unfinished_step is None


async def test_a_closed_window_leaves_a_truthful_record(stage: Stage) -> None:
    """What a signal does: the app ends at once; the lock is free and the visit can be resumed."""
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        await hand.answers({}, stop_at=["confirm.last4"])
        hand.app.exit(130)
    assert not hand.app.house.bridge.running
    with stage.services.home.lock("test"):
        assert not stage.visit().sealed


@pytest.mark.slow
async def test_two_terminals_one_after_the_other(stage: Stage) -> None:
    """The merchant declines test sales: what is asked then of each terminal is enough to tell them apart."""
    async with (
        stage.terminals("sunmi-p2", "verifone-t650p") as simulation,
        stage.screens(*simulation.addresses, size=(80, 24)) as hand,
    ):
        await hand.on(HomeScreen)
        await hand.press("1")
        await hand.on(NewVisitScreen)
        await hand.press("2", "f2")
        await hand.answers({"test.consent": "no"})
        await hand.on(ResultScreen)
        assert all(serial in hand.text() for serial in simulation.serials)
    assert [lane.outcome for lane in stage.visit().lanes] == [Outcome.SUCCESS, Outcome.SUCCESS]


@pytest.mark.slow
async def test_a_wrong_passphrase_is_said_and_asked_again(stage: Stage) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        await hand.question("visit.passphrase")
        await hand.type("wrong", "enter")
        await hand.on(ProblemScreen)
        assert "TT-123" in hand.text()
        assert stage.visits() == []
        await hand.press("1")
        await hand.question("visit.passphrase")
        await hand.answers({})
    assert stage.visit().outcome is Outcome.SUCCESS


async def test_no_stick_goes_back_to_what_was_entered(stage: Stage) -> None:
    async with stage.screens("adb://127.0.0.1:1") as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        form = await hand.on(NewVisitScreen)
        form.query_one("#stick", Input).value = str(stage.world.folder / "nothing")
        await hand.press("f2")
        await hand.on(ProblemScreen)
        assert "TT-111" in hand.text()
        await hand.press("2")
        assert await hand.on(NewVisitScreen) is form
        assert form.query_one("#stick", Input).value.endswith("nothing")


@pytest.mark.slow
async def test_a_visit_that_another_window_works_on_is_not_offered(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        async with stage.screens(*simulation.addresses) as hand:
            await begin(hand)
            await hand.answers({}, stop_at=["inspect.SE-02"])
            await hand.press("f8")
            await hand.on(ResultScreen)
        visit = stage.visit().id
        with subprocess.Popen(
            [sys.executable, "-c", _OTHER_WINDOW, str(stage.world.paths.home), visit], stdin=PIPE, stdout=PIPE
        ) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            try:
                async with stage.screens(*simulation.addresses) as hand:
                    await hand.on(HomeScreen)
                    await hand.until(lambda: bool(hand.app.house.home_facts.unfinished), "unfinished work")
                    await hand.until(lambda: f"(process {other.pid})" in hand.text(), "the other window")
                    assert RESUME + visit not in offered(hand)
                    other.stdin.close()
                    other.wait()
                    await hand.press("f5")
                    await hand.until(lambda: hand.app.house.home_facts.elsewhere is None, "it has ended")
                    await hand.until(lambda: RESUME + visit in offered(hand), "offered again")
            finally:
                other.kill()


def offered(hand: Hand) -> list[str]:
    """What the first list of the screen offers."""
    return [option.value for option in hand.app.screen.query_one(Choices).options]


_OTHER_WINDOW = """
import sys
from pathlib import Path
from techtool.paths import Paths
from techtool.store.home import Home
home = Home(Paths(Path(sys.argv[1])))
with home.lock("visit resume"):
    home.working_on(sys.argv[2])
    print("held", flush=True)
    sys.stdin.read()
"""


async def test_another_techtool_at_work_is_a_problem_not_a_crash(stage: Stage) -> None:
    with stage.services.home.lock("another"):
        async with stage.screens("adb://127.0.0.1:1") as hand:
            await hand.on(HomeScreen)
            await hand.press("1")
            await hand.on(NewVisitScreen)
            await hand.press("f2")
            await hand.on(ProblemScreen)
            assert "TT-501" in hand.text()
            await hand.press("3")
            await hand.on(HomeScreen)
