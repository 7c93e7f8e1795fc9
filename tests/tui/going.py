"""From place to place by keys, as a hand does it in the tests of the places."""

from __future__ import annotations

from textual.widgets import Input

from techtool.domain.outcome import Outcome
from techtool.domain.visit import VisitRecord
from techtool.events import Finished
from techtool.simulator.run import Simulation
from techtool.tui.screens.base import HouseScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.palette import PaletteScreen
from techtool.tui.screens.record import RecordScreen
from techtool.tui.screens.visits import VisitsScreen
from techtool.tui.widgets.choices import Choices
from tests.tui.hand import Hand, Stage


async def visited(stage: Stage, simulation: Simulation) -> VisitRecord:
    """A visit done before, without the screens."""
    engine, operator, request = stage.world.visit(tuple(simulation.addresses))
    operator.confirmations = tuple(serial[-4:] for serial in simulation.serials)
    events = [event async for event in engine.run(request)]
    (finished,) = [event for event in events if isinstance(event, Finished)]
    assert finished.outcome is Outcome.SUCCESS
    return stage.visit()


async def go(hand: Hand, place: str, kind: type[HouseScreen]) -> None:
    """From home, by the list of everything: typed for, then enter."""
    await hand.on(HomeScreen)
    await hand.press("ctrl+p")
    await hand.on(PaletteScreen)
    await focused(hand, "#typed")
    await hand.type(place, "enter")
    await hand.on(kind)


async def focused(hand: Hand, selector: str) -> None:
    """Wait until the cursor is there."""
    await hand.until(lambda: any(w.has_focus for w in hand.app.screen.query(selector)), selector)


def fill(hand: Hand, selector: str, text: str) -> None:
    """As if it was pasted: paths of tests are long."""
    hand.app.screen.query_one(selector, Input).value = text


async def complained(hand: Hand) -> None:
    """Wait until something is said to be wrong."""
    await hand.until(lambda: any(line.display for line in hand.app.screen.query("#problem")), "a complaint")


async def said(hand: Hand, text: str) -> None:
    """Wait until this is on the screen."""
    await hand.until(lambda: text in hand.text(), text)


async def to_record(hand: Hand) -> None:
    """From home to the newest record."""
    await hand.on(HomeScreen)
    await hand.press("3")
    await hand.on(VisitsScreen)
    await focused(hand, "#visits")
    await hand.until(lambda: bool(hand.app.screen.query_one(Choices).options), "a visit")
    await hand.press("enter")
    await hand.on(RecordScreen)
    await focused(hand, "#ways")
