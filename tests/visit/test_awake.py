"""The laptop stays awake while terminals are written, and whatever goes wrong with that never stops the work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.pace import Pace
from techtool.events import Notice
from techtool.visit import services
from techtool.visit.awake import Awake, keep_awake
from tests.visit.conftest import Shop

CANNOT = "cannot be kept awake"


@dataclass
class Keeper:
    """Notes when it is held."""

    works: bool = True
    breaks: bool = False
    held: int = 0
    times: int = 0
    seen: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def __call__(self) -> Iterator[bool]:
        if self.breaks:
            raise RuntimeError("no bus")
        self.held += 1
        self.times += 1
        try:
            yield self.works
        finally:
            self.held -= 1


def told(shop: Shop) -> int:
    return sum(isinstance(event, Notice) and CANNOT in event.text.text("en") for event in shop.events)


async def visit(shop: Shop, monkeypatch: pytest.MonkeyPatch, keeper: Keeper, *models: str) -> None:
    monkeypatch.setattr(services, "keep_awake", keeper)
    async with shop.terminals(*models) as simulation:
        finished = await shop.run(*simulation.addresses, pace=Pace(3, one_first=False))
    assert finished.outcome is Outcome.SUCCESS


async def test_held_while_terminals_are_written_and_given_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper()
    await visit(shop, monkeypatch, keeper, "castles-saturn1000f2", "verifone-t650p")
    assert keeper.times >= 1
    assert keeper.held == 0
    assert told(shop) == 0


@pytest.mark.slow
async def test_told_once_where_it_cannot(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await visit(shop, monkeypatch, Keeper(works=False), "sunmi-p2", "verifone-t650p")
    assert told(shop) == 1


async def test_what_breaks_in_it_stops_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await visit(shop, monkeypatch, Keeper(breaks=True), "castles-saturn1000f2")
    assert told(shop) == 1


async def test_several_at_once_ask_once() -> None:
    keeper = Keeper()
    one = Awake(keeper, lambda: None)

    async def write(turn: asyncio.Event) -> None:
        async with one.held():
            keeper.seen.append(keeper.held)
            await turn.wait()

    turn = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _place in range(3):
            group.create_task(write(turn))
        while len(keeper.seen) < 3:
            await asyncio.sleep(0)
        turn.set()
    assert (keeper.seen, keeper.times, keeper.held) == ([1, 1, 1], 1, 0)


def test_this_system_is_asked_by_its_own_means() -> None:
    """Whether it can depends on the computer; that it can be asked and let go of does not."""
    with keep_awake() as held:
        assert held in (True, False)
