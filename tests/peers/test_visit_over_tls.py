"""From the six digits on the terminal's screen to the report: paired and reached over TLS by Google's adb 36.

The terminal is Debian's adbd behind our stand-in for “Wireless debugging” (:mod:`tests.peers.wireless`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from techtool.cli.demo_world import DemoWorld
from techtool.domain.nearby import PAIRING, Nearby
from techtool.errors import Exit
from techtool.links.discovery.look import of_announced
from techtool.links.discovery.mdns import Announced
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings, read_settings, write_settings
from techtool.tui.app import TechtoolApp
from techtool.tui.doors import HouseDoors
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.pair import PairScreen
from techtool.tui.widgets.choices import Choices
from techtool.visit.hints import Hints
from tests.peers.adb_server import AdbServer
from tests.peers.terminal import AdbdTerminal
from tests.peers.test_main_job_adbd import PACKAGE, SETTINGS, Laptop, laptop, lines, serial_of
from tests.peers.tools import wheel_adb
from tests.peers.wireless import CODE, WirelessTerminal
from tests.tui.hand import Hand

__all__ = ["laptop"]
pytestmark = pytest.mark.peers


@pytest.fixture
def modern(tmp_path: Path) -> Iterator[AdbServer]:
    """Google's adb 36 with a key that nobody has seen."""
    server = AdbServer(wheel_adb(), tmp_path / "adb36")
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def both_pages(adbd: AdbdTerminal) -> AsyncIterator[tuple[WirelessTerminal, str, str]]:
    """A terminal with its page “Wireless debugging” and the dialog with the code: where each is."""
    terminal = WirelessTerminal(adbd.port)
    async with terminal.listening() as at, terminal.pairing() as place:
        yield terminal, at, place


async def test_a_whole_visit(
    laptop: Laptop, modern: AdbServer, fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path
) -> None:
    laptop = replace(laptop, adb_port=modern.port)
    (tmp_path / "code").write_text(f"{CODE}\n")
    async with both_pages(fresh_adbd) as (terminal, at, place):
        address = f"adb+server:{at}"
        await asyncio.to_thread(laptop.run, "identify", address, check=Exit.UNREACHABLE)
        paired = await asyncio.to_thread(
            laptop.run, "pair", place, "--code-file", tmp_path / "code", "--connect", at, "--json"
        )
        assert json.loads(paired.stdout) == {"schema": 1, "paired": place, "address": address}
        serial = await asyncio.to_thread(serial_of, laptop, address)
        done = await asyncio.to_thread(laptop.run, *laptop.visit(address, confirm=[serial[-4:]]))
        events = lines(done.stdout)
        assert (events[-1]["outcome"], events[-1]["exit"], events[-1]["sealed"]) == ("success", 0, True)
        installed = fresh_adbd.installed(PACKAGE)
        assert installed is not None
        assert installed.read_bytes() == npm_apks[SETTINGS].read_bytes()
        assert address in next(Path(events[-1]["reports"]).glob("*.en.html")).read_text("utf-8")
        assert len(terminal.laptops) == 1
        forgotten, terminal.laptops = terminal.laptops, {}
        await asyncio.to_thread(modern.run, "disconnect", at)
        assert forgotten
        gone = await asyncio.to_thread(laptop.run, "identify", address, check=Exit.UNREACHABLE)
    assert "pair it first" in gone.stderr


class Announcing(HouseDoors):
    """The real doors, but for who announces himself: on the one loopback of all tests that would be heard by others."""

    def __init__(self, paths: Paths, *heard: Announced) -> None:
        super().__init__(paths)
        self.heard = heard

    async def nearby(self) -> Sequence[Nearby]:
        return [of_announced(one) for one in self.heard]


async def test_the_screen_shows_it_pairs_it_and_reaches_it(
    modern: AdbServer, fresh_adbd: AdbdTerminal, tmp_path: Path
) -> None:
    """The terminal announces itself, is chosen from the list, and is paired by its six digits."""
    (tmp_path / "world").mkdir()
    paths = DemoWorld.make(tmp_path / "world", "en").paths
    links = LinkSettings(adb=AdbSettings(server=f"127.0.0.1:{modern.port}"))
    write_settings(paths.settings, replace(read_settings(paths.settings), links=links))
    async with both_pages(fresh_adbd) as (terminal, at, place):
        host, _, port = place.rpartition(":")
        doors = Announcing(paths, Announced(PAIRING, terminal.guid, host, int(port)))
        app = TechtoolApp(doors, Hints(), settle_s=0.0)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await paired_by_hand(Hand(app, pilot), place, at)
    assert len(terminal.laptops) == 1


async def paired_by_hand(hand: Hand, place: str, at: str) -> None:
    """What a technician does."""
    await hand.on(HomeScreen)
    await hand.press("1")
    visit = await hand.on(NewVisitScreen)
    terminals = visit.query_one("#terminals", Choices)
    await hand.until(lambda: any(place in option.label for option in terminals.options), "it waits to be paired")
    terminals.choose(next(n for n, option in enumerate(terminals.options) if place in option.label))
    screen = await hand.on(PairScreen)
    assert screen.query_one("#place", Input).value == place
    screen.query_one("#connect", Input).value = at
    screen.query_one("#code", Input).focus()
    await hand.type("000000", "f2")
    await hand.until(lambda: "the code is wrong" in hand.text(), "a wrong code")
    assert screen.query_one("#code", Input).has_focus, "the next one can be typed at once"
    await hand.type(CODE, "f2")
    await hand.until(lambda: f"reached at adb+server:{at}" in " ".join(hand.text().split()), "paired and reached")
    assert CODE not in hand.text()
