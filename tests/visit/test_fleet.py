"""Many terminals in one visit: at once, one first, few writing; one's failure is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.pace import Pace
from techtool.domain.plan import StepKind
from techtool.domain.question import Question
from techtool.domain.terminal import Address
from techtool.domain.visit import CatmAction, StepState
from techtool.errors import Exit
from techtool.events import Event, Finished, LaneFinished, LaneIdentified, Notice, StepDone, StepStarted
from techtool.simulator.faults import Faults, InstallRefusal
from techtool.simulator.run import Simulation
from techtool.visit.engine import Engine
from techtool.visit.operator import ScriptedOperator
from techtool.visit.services import VisitRequest
from tests.visit.conftest import Shop

FULL = Faults(positions=(1,), install=InstallRefusal("INSTALL_FAILED_INSUFFICIENT_STORAGE"))
MODELS = ("sunmi-p2", "castles-saturn1000f2", "verifone-t650p")


async def together(shop: Shop, simulation: Simulation, pace: Pace) -> Finished:
    return await shop.run(*simulation.addresses, pace=pace)


def spans(events: Sequence[Event], action: StepKind, item: str) -> list[tuple[int, int]]:
    """First and last place among the events of each terminal's step that begins so."""
    begun: dict[str, int] = {}
    found = []
    for place, event in enumerate(events):
        if isinstance(event, StepStarted) and event.step is action and event.item.startswith(item):
            begun[event.lane] = place
        elif isinstance(event, StepDone) and event.step is action and event.lane in begun:
            found.append((begun.pop(event.lane), place))
    return found


def most_at_once(found: Sequence[tuple[int, int]]) -> int:
    return max(sum(start <= place <= end for start, end in found) for place, _end in found)


@pytest.mark.slow
async def test_all_at_once_each_has_its_own_record(shop: Shop) -> None:
    async with shop.terminals(*MODELS, *MODELS, *MODELS) as simulation:
        finished = await together(shop, simulation, Pace(9, 9, one_first=False))
    assert (finished.outcome, finished.exit_code, finished.sealed) == (Outcome.SUCCESS, 0, True)
    visit = shop.visit()
    assert len(visit.lanes) == 9
    assert len({lane.serial for lane in visit.lanes}) == 9
    for lane in visit.lanes:
        assert lane.outcome is Outcome.SUCCESS
        assert lane.backup is not None
        assert lane.backup.verified
        assert all(file.sha256_expected == file.sha256_found for file in lane.installed)
        assert all(step.state is StepState.DONE for step in lane.steps)
    assert most_at_once(spans(shop.events, StepKind.BACKUP, "")) > 1, "nothing ran at the same time"


@pytest.mark.slow
async def test_only_so_many_are_written_at_the_same_time(shop: Shop) -> None:
    async with shop.terminals(*["castles-saturn1000f2"] * 6) as simulation:
        await together(shop, simulation, Pace(6, 2, one_first=False))
    written = spans(shop.events, StepKind.INSTALL, "com.example")
    assert len(written) == 6
    assert 1 < most_at_once(written) <= 2
    assert any(isinstance(event, Notice) and "Waits its turn" in event.text.text("en") for event in shop.events)


async def test_one_goes_first_and_the_rest_only_when_it_is_well(shop: Shop) -> None:
    async with shop.terminals(*MODELS) as simulation:
        finished = await together(shop, simulation, Pace(3))
    assert finished.outcome is Outcome.SUCCESS
    ended = [place for place, event in enumerate(shop.events) if isinstance(event, LaneFinished)]
    begun = [
        place
        for place, event in enumerate(shop.events)
        if isinstance(event, StepStarted) and event.step is StepKind.INSPECT
    ]
    assert sum(place < ended[0] for place in begun) == 1


async def test_the_rest_wait_when_the_first_did_not_end_well(shop: Shop) -> None:
    faults = (FULL,)
    async with shop.terminals(*MODELS, faults=faults) as simulation:
        finished = await together(shop, simulation, Pace(3))
        untouched = [t.device.store.state for t in simulation.terminals[1:]]
    assert not finished.sealed
    first, *rest = shop.visit().lanes
    assert first.outcome is Outcome.FAILED_TRANSIENT
    assert all(lane.outcome is None and lane.confirmed_at is None for lane in rest)
    assert all(not state.sessions for state in untouched)


async def test_a_failure_among_many_stops_nobody_else(shop: Shop) -> None:
    faults = (replace(FULL, positions=(2,)),)
    async with shop.terminals(*MODELS, faults=faults) as simulation:
        finished = await together(shop, simulation, Pace(3, one_first=False))
    assert finished.sealed
    assert [lane.outcome for lane in shop.visit().lanes] == [
        Outcome.SUCCESS,
        Outcome.FAILED_TRANSIENT,
        Outcome.SUCCESS,
    ]
    assert finished.exit_code not in (int(Exit.DONE), int(Exit.NOTHING_TO_DO))


@pytest.mark.slow
async def test_the_pace_stays_with_the_visit(shop: Shop) -> None:
    shop.changed = {"test.TX-01": "MISSING", "test.PR-01": "MISSING"}
    async with shop.terminals(*MODELS) as simulation:
        await together(shop, simulation, Pace(3, 2, one_first=False))
        assert shop.visit().pace == Pace(3, 2, one_first=False)
        shop.changed = {}
        finished = await shop.resume()
    assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)
    for lane in shop.visit().lanes:
        installs = [s.item for s in lane.steps if s.action is CatmAction.INSTALL and s.state is StepState.DONE]
        assert len(installs) == len(set(installs)), "sent twice"


class SlowHand(ScriptedOperator):
    """Answers every question of one terminal only when all the others are through."""

    def __init__(self, shop: Shop, slow: str) -> None:
        super().__init__(shop.answers())
        self.slow = slow
        self.others_done = asyncio.Event()

    async def ask(self, question: Question) -> str:
        if question.serial == self.slow:
            await self.others_done.wait()
        return await super().ask(question)


async def test_a_terminal_that_waits_for_a_person_holds_nobody_up(shop: Shop) -> None:
    async with shop.terminals(*MODELS) as simulation:
        slow = simulation.terminals[0].device.store.state.serial
        hand = SlowHand(shop, slow)
        request = VisitRequest(
            tuple(Address.parse(a) for a in simulation.addresses), shop.world.stick, pace=Pace(3, 1, one_first=False)
        )
        order = []
        async for event in Engine(shop.services, hand).run(request):
            if isinstance(event, LaneIdentified):
                hand.confirmations = (*hand.confirmations, event.serial[-4:])
            if isinstance(event, LaneFinished):
                order.append(event.serial)
                if len(order) == 2:
                    hand.others_done.set()
    assert order[-1] == slow
    assert [lane.outcome for lane in shop.visit().lanes] == [Outcome.SUCCESS] * 3
