"""The list of terminals follows the cables; what is picked stays picked; pairing keeps no code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from textual.widgets import Input

from techtool.domain.nearby import ANNOUNCED, GONE, PAIRING, How, Nearby
from techtool.errors import BadFile, PairingFailed
from techtool.i18n import raw
from techtool.paths import Paths
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.pair import PairScreen
from techtool.tui.views.nearby import after_cables, listed
from techtool.tui.widgets.choices import Choices
from tests.tui.hand import Hand, QuickDoors, Stage

READY = Nearby("adb+server:SN1", "device", name="P2")
ASKS = Nearby("adb+server:SN2", "unauthorized")
HEARD = Nearby("adb://192.0.2.9:5555", ANNOUNCED, How.MDNS)


def test_a_cable_goes_in_and_out() -> None:
    known = listed([READY, ASKS, HEARD])
    assert list(after_cables(known, [READY], ())) == [READY.address, HEARD.address]
    gone = after_cables(known, [], {READY.address})
    assert [(one.address, one.state) for one in gone.values()] == [(READY.address, GONE), (HEARD.address, ANNOUNCED)]
    back = after_cables(gone, [READY], {READY.address})
    assert back[READY.address] == READY
    allowed = after_cables(known, [READY, Nearby(ASKS.address, "device")], ())
    assert allowed[ASKS.address].usable


class CableDoors(QuickDoors):
    """A counter whose cables a test moves."""

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths)
        self.moves: asyncio.Queue[list[Nearby]] = asyncio.Queue()
        self.paired: list[tuple[str, str]] = []

    async def nearby(self) -> Sequence[Nearby]:
        return [ASKS, Nearby("", PAIRING, How.MDNS, "adb-SN4", "192.0.2.10:40002")]

    async def cables(self) -> AsyncGenerator[Sequence[Nearby], None]:
        while True:
            yield await self.moves.get()

    def pair(self, place: str, code: str, connect_to: str) -> str:
        self.paired.append((place, connect_to))
        if code != "482913":
            raise PairingFailed(address=place, problem=raw("no"))
        return f"adb+server:{connect_to}" if connect_to else ""


async def new_visit(hand: Hand) -> NewVisitScreen:
    await hand.on(HomeScreen)
    await hand.press("1")
    return await hand.on(NewVisitScreen)


async def test_the_screen_follows_without_a_key(stage: Stage) -> None:
    doors = CableDoors(stage.world.paths)
    async with stage.screens(size=(80, 24), doors=doors) as hand:
        screen = await new_visit(hand)
        await hand.until(lambda: "SN2" in hand.text(), "the terminal that asks")
        assert "waits until this laptop is allowed" in " ".join(hand.text().split())
        assert "Allow debugging" in " ".join(hand.text().split())
        doors.moves.put_nowait([READY, Nearby(ASKS.address, "device")])
        await hand.until(lambda: "SN1" in hand.text() and "waits until" not in hand.text(), "allowed, and a new one")
        await hand.press("f4")
        await hand.until(lambda: len(screen._picked()) == 2, "both are picked")
        doors.moves.put_nowait([READY])
        await hand.until(lambda: "pulled out" in hand.text(), "it says so")
        assert screen._picked() == [ASKS.address, READY.address]


class BrokenDoors(CableDoors):
    """Settings that cannot be read."""

    async def nearby(self) -> Sequence[Nearby]:
        raise BadFile(path="settings.toml", problem=raw("line 3"))


async def test_looking_that_fails_is_said(stage: Stage) -> None:
    async with stage.screens(size=(80, 24), doors=BrokenDoors(stage.world.paths)) as hand:
        await new_visit(hand)
        await hand.until(lambda: "cannot be used" in " ".join(hand.text().split()), "what is wrong")
        assert "Looking for" not in hand.text()


async def test_pairing_from_the_list(stage: Stage) -> None:
    doors = CableDoors(stage.world.paths)
    async with stage.screens(size=(80, 24), doors=doors) as hand:
        screen = await new_visit(hand)
        terminals = screen.query_one("#terminals", Choices)
        await hand.until(lambda: len(terminals.options) == 2, "the terminal that waits to be paired")
        terminals.choose(1)
        pair = await hand.on(PairScreen)
        assert pair.query_one("#place", Input).value == "192.0.2.10:40002"
        await hand.type("111111", "enter", "f2")
        await hand.until(lambda: "did not work: no" in hand.text(), "what went wrong")
        assert pair.query_one("#code", Input).value == ""
        pair.query_one("#code", Input).focus()
        await hand.type("482913", "f2")
        await hand.until(lambda: "Paired" in hand.text(), "paired")
        assert "482913" not in hand.text()
        assert doors.paired == [("192.0.2.10:40002", "")] * 2
