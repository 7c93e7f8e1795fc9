"""A laptop whose clock is wrong, or is moved while the visit is under way: the record keeps both times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from techtool.bundles.clock_floor import read_floor
from techtool.clock import SystemClock, from_stamp
from techtool.domain.outcome import Outcome
from techtool.domain.question import Question
from techtool.domain.visit import CatmAction
from techtool.errors import Exit
from techtool.events import Notice
from techtool.visit.operator import ScriptedOperator
from tests.visit.conftest import Shop


@dataclass
class MovedClock(SystemClock):
    """This computer's clock, off by as much as a test says."""

    off: timedelta = field(default=timedelta(0))

    def now(self) -> datetime:
        return super().now() + self.off


def set_when_confirming(shop: Shop, clock: MovedClock, off: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is set in the moment in which the person confirms the plan."""
    answer = ScriptedOperator.ask

    async def ask(operator: ScriptedOperator, question: Question) -> str:
        if question.id.startswith("confirm."):
            clock.off = off
        return await answer(operator, question)

    monkeypatch.setattr(ScriptedOperator, "ask", ask)
    shop.clock = clock


@pytest.mark.slow
@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(hours=-3), timedelta(days=3)])
async def test_moved_in_mid_visit(shop: Shop, off: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MovedClock()
    started = clock.now()
    set_when_confirming(shop, clock, off, monkeypatch)
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.SUCCESS
    visit = shop.visit()
    moved = from_stamp(visit.clock_note["moved_to"]) - from_stamp(visit.clock_note["expected"])
    assert abs(moved - off) < timedelta(seconds=5)
    told = [event for event in shop.events if isinstance(event, Notice) and "clock" in event.text.text("en")]
    assert len(told) == 1
    assert visit.finished_at is not None
    assert read_floor(shop.world.paths) >= started - timedelta(seconds=1)


@pytest.mark.slow
@pytest.mark.parametrize("off", [timedelta(seconds=-90), timedelta(hours=20)])
async def test_a_correction_or_a_nap_is_no_move(shop: Shop, off: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    set_when_confirming(shop, MovedClock(), off, monkeypatch)
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    assert shop.visit().clock_note == {}


async def test_in_the_year_2000_the_floor_is_used_and_both_times_are_kept(shop: Shop) -> None:
    clock = MovedClock()
    year_2000 = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    clock.off = year_2000 - clock.now()
    shop.clock = clock
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.SUCCESS
    note = shop.visit().clock_note
    assert note["system"].startswith("2000-01-01")
    assert from_stamp(note["reference"]).year >= 2026
    trust = shop.lane().trust
    assert trust is not None
    assert (trust.system_time.year, trust.reference_time.year >= 2026) == (2000, True)


@pytest.mark.parametrize("months", [12, 14, 40])
async def test_past_the_use_by_date_nothing_is_installed_and_the_rest_works(shop: Shop, months: int) -> None:
    shop.clock = MovedClock(off=timedelta(days=30.5 * months))
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.exit_code == Exit.EXPIRED
    lane = shop.lane()
    assert lane.outcome is Outcome.REFUSED
    assert lane.serial
    assert lane.error is not None
    assert len(lane.error.next_actions) == 3
    assert shop.visit().sealed
    assert not lane.installed
    assert not any(step.action is CatmAction.INSTALL for step in lane.steps)


async def test_years_ahead_is_not_kept_as_the_floor(shop: Shop) -> None:
    shop.clock = MovedClock(off=timedelta(days=365 * 5))
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    assert read_floor(shop.world.paths) < SystemClock().now() + timedelta(days=1)
