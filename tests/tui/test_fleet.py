"""Visits to many terminals by keys alone, judged by the journal."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from functools import partial

import pytest
from textual.widgets import Input

from techtool.domain.outcome import Outcome
from techtool.domain.pace import MOST, Pace
from techtool.settings import read_settings, write_settings
from techtool.simulator.faults import Faults, InstallRefusal
from techtool.tui.screens.fleet import FleetScreen, LanePlanScreen, LaneProblemScreen, LaneScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.widgets.choices import Choices
from techtool.tui.widgets.fleet_table import FleetTable
from tests.tui.hand import Hand, Stage, usual

MODELS = ("sunmi-p2", "castles-saturn1000f2", "verifone-t650p")
ONE_FIRST, ONE_BY_ONE, ALL = "1", "2", "3"


async def begin_all(hand: Hand, order: str = ALL) -> FleetScreen:
    """From home into a visit to every terminal of the list, as far as the first question about the visit."""
    await hand.on(HomeScreen)
    await hand.until(lambda: hand.app.house.home_facts.unfinished is not None, "home")
    await hand.press("1")
    form = await hand.on(NewVisitScreen)
    await hand.press("f4")
    await hand.until(lambda: form.query_one("#order").display, "the order matters now")
    form.query_one("#order").focus()
    await hand.press(order, "f2")
    return await hand.on(FleetScreen)


async def until_lanes_ask(hand: Hand, count: int) -> None:
    """Answer what is asked about the visit until so many terminals ask."""

    def asking() -> bool:
        return len([waiting for waiting in hand.view.questions if waiting.lane]) == count

    def about_the_visit() -> bool:
        return hand.view.waiting_for("") is not None and hand.panel() is hand.view.question

    while not asking():
        await hand.until(lambda: asking() or about_the_visit(), f"{count} ask")
        if about_the_visit():
            question = hand.panel()
            assert question is not None
            await hand.answer(question, usual(question))


def marked(hand: Hand) -> str:
    return hand.app.screen.query_one(FleetTable).marked


@pytest.mark.slow
async def test_three_ask_at_once_and_are_answered_in_another_order(stage: Stage) -> None:
    async with stage.terminals(*MODELS) as simulation, stage.screens(*simulation.addresses) as hand:
        await begin_all(hand)
        await until_lanes_ask(hand, 3)
        await hand.until(lambda: "3 need you" in hand.text(), "the counts")
        assert hand.view.question is None, "no terminal's question is opened by itself"
        await hand.look("3")
        await hand.on(LaneScreen)
        third = await hand.answers({}, stop_at=["confirm.last4"])
        assert third is not None
        assert third.serial == simulation.serials[2]
        await hand.on(LanePlanScreen)
        await hand.press("escape")
        await hand.on(FleetScreen)
        assert marked(hand) == "3"
        await hand.look("1")
        first = await hand.answers({}, stop_at=["confirm.last4"])
        assert first is not None
        assert first.serial == simulation.serials[0]
        one, two, three = stage.visit().lanes
        assert three.checks
        assert one.checks
        assert three.checks[0].at < one.checks[0].at
        assert not two.checks
        assert all(lane.confirmed_at is None and lane.backup is None for lane in (one, two, three))
        await hand.answer(first, first.serial[-4:])
        await hand.on(FleetScreen)
        await hand.until(lambda: (w := hand.view.waiting_for("1")) is not None and "test" in w.question.id, "installed")
        await hand.press("f8")
        await hand.on(ResultScreen)
        shown = hand.text()
        assert "nothing changed" not in shown
        assert "installed and read back: com.example" in shown
    visit = stage.visit()
    assert visit.pace == Pace(MOST, one_first=False)
    assert [lane.serial for lane in visit.lanes] == list(simulation.serials)
    assert [bool(lane.installed) for lane in visit.lanes] == [True, False, False]
    assert [lane.confirmed_at is not None for lane in visit.lanes] == [True, False, False]
    assert all(lane.unfinished_step is None for lane in visit.lanes)


@pytest.mark.slow
async def test_after_an_answer_the_next_one_is_offered_and_not_opened(stage: Stage) -> None:
    async with stage.terminals(*MODELS) as simulation, stage.screens(*simulation.addresses) as hand:
        await begin_all(hand)
        await until_lanes_ask(hand, 3)
        await hand.press("n")
        await hand.on(LaneScreen)
        here = hand.view.current
        oldest = hand.view.others[0].lane
        plan = await hand.answers({}, stop_at=["confirm.last4"])
        assert plan is not None
        assert hand.view.current == here, "a terminal that asks on keeps the person"
        await hand.answer(plan, plan.serial[-4:])
        await hand.on(FleetScreen)
        assert marked(hand) == oldest
        assert hand.view.question is None
        await hand.press("enter")
        await hand.until(lambda: hand.view.current == oldest, "the next one")
        await hand.press("f7")
        await hand.until(lambda: hand.view.current not in ("", oldest), "another one that waits")
        await hand.press("f8")
        await hand.on(ResultScreen)
    assert not stage.visit().sealed
    assert all(lane.unfinished_step is None for lane in stage.visit().lanes)


@pytest.mark.slow
async def test_last_four_of_another_terminal_open_nothing(stage: Stage) -> None:
    async with stage.terminals(*MODELS) as simulation, stage.screens(*simulation.addresses) as hand:
        await begin_all(hand)
        await until_lanes_ask(hand, 3)
        await hand.look("2")
        question = await hand.answers({}, stop_at=["confirm.last4"])
        assert question is not None
        screen = await hand.on(LanePlanScreen)
        await hand.type(simulation.serials[0][-4:], "enter")
        await hand.until(lambda: "Nothing was started" in hand.text(), "the refusal")
        assert hand.app.screen is screen
        assert hand.view.question is question
        assert all(lane.confirmed_at is None for lane in stage.visit().lanes)
        await hand.press("f8")
        await hand.on(ResultScreen)


@pytest.mark.slow
async def test_keys_typed_ahead_open_no_terminal(stage: Stage) -> None:
    async with stage.terminals(*MODELS) as simulation, stage.screens(*simulation.addresses) as hand:
        await begin_all(hand)
        await until_lanes_ask(hand, 3)
        await hand.look("1")
        plan = await hand.answers({}, stop_at=["confirm.last4"])
        assert plan is not None
        hand.app.house.settle_s = 3600
        await hand.answer(plan, plan.serial[-4:])
        fleet = await hand.on(FleetScreen)
        await hand.press("enter", "n", "f7", "1", "enter")
        assert hand.app.screen is fleet
        assert hand.view.current == ""
        hand.app.house.settle_s = 0
        fleet.arm()
        await hand.press("f8")
        await hand.on(ResultScreen)
    assert sum(lane.confirmed_at is not None for lane in stage.visit().lanes) == 1


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_one_fails_and_the_others_are_finished(stage: Stage) -> None:
    faults = [Faults(positions=(2,), install=InstallRefusal("INSTALL_FAILED_INSUFFICIENT_STORAGE"))]
    async with (
        stage.terminals(*MODELS, faults=faults) as simulation,
        stage.screens(*simulation.addresses, size=(80, 24)) as hand,
    ):
        await begin_all(hand)
        problem = await hand.answers({}, stop_at=["problem."])
        assert problem is not None
        await hand.on(LaneProblemScreen)
        assert problem.serial == simulation.serials[1] == hand.view.lane.serial  # type: ignore[union-attr]
        await hand.press("enter")
        assert hand.view.question is problem, "enter alone chooses nothing"
        await hand.answer(problem, "leave")
        await hand.answers({})
        await hand.on(ResultScreen)
    visit = stage.visit()
    assert visit.sealed
    assert [lane.outcome for lane in visit.lanes] == [Outcome.SUCCESS, Outcome.FAILED_TRANSIENT, Outcome.SUCCESS]


async def test_one_goes_first_and_the_rest_are_said_to_wait(stage: Stage) -> None:
    async with stage.terminals(*MODELS) as simulation, stage.screens(*simulation.addresses) as hand:
        await begin_all(hand, ONE_FIRST)
        await until_lanes_ask(hand, 1)
        await hand.until(lambda: "2 waiting" in hand.text(), "the counts")
        assert "not begun" in hand.text()
        assert "one first, then 4 written at once" in hand.text()
        await hand.press("ctrl+q")
        await hand.until(lambda: hand.app.return_code is not None and not hand.app.house.bridge.running, "left")
    visit = stage.visit()
    assert visit.pace == Pace(MOST)
    assert not visit.sealed
    assert all(lane.outcome is None and lane.unfinished_step is None for lane in visit.lanes)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_twelve_are_visited_in_the_order_they_asked_and_resumed(stage: Stage) -> None:
    async with stage.terminals(*MODELS * 4) as simulation:
        async with stage.screens(*simulation.addresses, size=(80, 24)) as hand:
            await begin_all(hand)
            await until_lanes_ask(hand, 12)
            order = [waiting.lane for waiting in hand.view.questions]
            seen = []
            for _turn in order[:4]:
                await hand.press("n")
                await hand.on(LaneScreen)
                seen.append(hand.view.current)
                assert await hand.answers({}, stop_at=["confirm.last4"]) is not None
                assert hand.view.current == seen[-1]
                await hand.press("escape")
                await hand.on(FleetScreen)
            assert seen == order[:4]
            await hand.press("f8")
            await hand.on(ResultScreen)
        inspected = [lane.lane for lane in stage.visit().lanes if lane.checks]
        assert sorted(inspected) == sorted(seen)
        assert all(lane.confirmed_at is None and lane.unfinished_step is None for lane in stage.visit().lanes)
        async with stage.screens(*simulation.addresses, size=(80, 24)) as hand:
            await hand.on(HomeScreen)
            await hand.until(lambda: bool(hand.app.house.home_facts.unfinished), "unfinished work")
            await hand.press("1")
            await hand.on(FleetScreen)
            await until_lanes_ask(hand, 12)
            asked = {one.lane: one.question.id for one in hand.view.questions}
            assert {lane for lane, name in asked.items() if name.startswith("confirm.")} == set(seen)
            await hand.press("f8")
            await hand.on(ResultScreen)


async def test_a_range_of_ports_is_many_terminals(stage: Stage) -> None:
    async with stage.screens("adb://127.0.0.1:1") as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        form = await hand.on(NewVisitScreen)
        assert not form.query_one("#order").display
        form.query_one("#address", Input).value = "adb://127.0.0.1:5555-5560"
        await hand.until(lambda: form.query_one("#order").display, "several")
        form.query_one("#address", Input).value = "adb://127.0.0.1:5555-9999"
        await hand.press("f2")
        await hand.until(lambda: "from 1 to 30 ports" in hand.text(), "too many")
        assert hand.app.screen is form


@pytest.mark.slow
async def test_one_of_many_has_its_steps_on_a_low_screen_and_its_marks_are_ascii(stage: Stage) -> None:
    """The screens of one terminal are laid out as for a single one, also where only ASCII marks line up."""
    settings = stage.world.paths.settings
    write_settings(settings, replace(read_settings(settings), ascii=True))
    async with stage.terminals(*MODELS) as simulation, stage.screens(*simulation.addresses, size=(80, 24)) as hand:
        await begin_all(hand)
        await until_lanes_ask(hand, 3)
        seen = [hand.text()]
        await hand.press("f7")
        await hand.on(LaneScreen)
        lane = hand.view.lane
        assert lane is not None
        await hand.answers({}, stop_at=["inspect.photo"])
        seen.append(hand.text())
        assert f"serial number {lane.serial}" in seen[-1], "what was found out stands on its screen"
        assert "Nothing runs on this terminal" in seen[-1]
        await hand.answers({}, stop_at=["confirm.last4"])
        seen.append(hand.text())
        await hand.press("f8")
        await hand.on(ResultScreen)
        seen.append(hand.text())
    drawn = set("".join(seen))
    assert not drawn & set("✓✗▸·━─│╭╮╰╯┃▔▁▄▅▆▇█●…→")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
async def test_signals_over_the_fleet_leave_a_visit_that_goes_on(stage: Stage) -> None:
    """The window is closed while three are asked about; resumed, they ask again; then the computer goes down."""
    async with stage.terminals(*MODELS) as simulation:
        for name, begin in (("SIGHUP", begin_all), ("SIGTERM", resume_all)):
            async with stage.screens(*simulation.addresses, size=(80, 24)) as hand:
                await begin(hand)
                await until_lanes_ask(hand, 3)
                os.kill(os.getpid(), getattr(signal, name))
                await hand.until(partial(has_ended, hand), name)
            assert hand.app.return_value == 130
            visit = stage.visit()
            assert not visit.sealed
            assert [lane.outcome for lane in visit.lanes] == [None] * 3
            assert [lane.serial for lane in visit.lanes] == list(simulation.serials)
            with stage.services.home.lock("test"):
                assert all(lane.confirmed_at is None for lane in visit.lanes)


def has_ended(hand: Hand) -> bool:
    return not hand.app.is_running or hand.app.return_code is not None


async def resume_all(hand: Hand) -> None:
    """From home into the visit that was left."""
    await hand.on(HomeScreen)
    await hand.until(lambda: bool(hand.app.house.home_facts.unfinished), "unfinished work comes first")
    await hand.press("1")
    await hand.on(FleetScreen)


@pytest.mark.slow
async def test_who_stops_before_anything_began_is_back_where_it_was_entered(stage: Stage) -> None:
    async with stage.screens("adb://127.0.0.1:1", "adb://127.0.0.1:2", size=(80, 24)) as hand:
        await begin_all(hand)
        await hand.question("visit.passphrase")
        await hand.press("f8")
        form = await hand.on(NewVisitScreen)
        assert len(form.query_one("#terminals", Choices).options) == 2
    assert stage.visits() == []
