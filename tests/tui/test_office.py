"""The office's screen by keys alone: judged by what the server, the stick and the home folder hold."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Input

from techtool.clock import stamp
from techtool.office.enrolment import Enrolment, Server, SignedEnrolment, make_enrolment, parse_enrolment
from techtool.office.marks import STICK, Marks
from techtool.paths import Paths
from techtool.reports.enrolled import read_enrolled
from techtool.reports.keys import ReportKey
from techtool.store.home import Home
from techtool.tui.app import TechtoolApp
from techtool.tui.doors import HouseDoors
from techtool.tui.screens.ask import AskScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.office import OfficeScreen
from techtool.visit.hints import Hints
from tests.make_store_fixtures import FOLDER, SEALED
from tests.office.conftest import couch, new_database  # noqa: F401 - fixtures
from tests.office.laptops import NOW
from tests.office.servers import serving
from tests.office.test_enrolment import RECIPIENTS
from tests.peers.pouchdb_server import PouchServer
from tests.tui.hand import Hand
from tests.unit.bundles.office import Office, private_key


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A laptop with one sealed visit and one that is open."""
    shutil.copytree(FOLDER / "v1" / "home", tmp_path / "home")
    return Paths(tmp_path / "home")


@asynccontextmanager
async def office_screen(paths: Paths) -> AsyncIterator[tuple[Hand, OfficeScreen]]:
    app = TechtoolApp(HouseDoors(paths), Hints(), settle_s=0)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        hand = Hand(app, pilot)
        await hand.on(HomeScreen)
        app.house.go("office")
        screen = await hand.on(OfficeScreen)
        await hand.until(lambda: not screen.busy and screen._state is not None, "the state")
        yield hand, screen


def enrolment(tmp_path: Path, url: str) -> SignedEnrolment:
    root = Office.make(tmp_path / "office", ("acme",)).workspace.root_data().decode()
    said = Enrolment("Fixture office", stamp(NOW), (root,), RECIPIENTS, server=Server(url))
    data = make_enrolment(said, ReportKey(private_key("office")))
    (tmp_path / "li.enrolment").write_bytes(data)
    return parse_enrolment(data, "enrolment")


@pytest.mark.peers
async def test_enrolled_after_comparing_and_then_everything_goes_home(
    tmp_path: Path,
    paths: Paths,
    couch: PouchServer,  # noqa: F811
) -> None:
    url = couch.create("screens")
    signed = enrolment(tmp_path, url)
    async with office_screen(paths) as (hand, screen):
        for typed, taken in (("0" * 16, False), (signed.shown[-9:], False), (signed.shown[-19:], True)):
            field = screen.query_one("#file", Input)
            field.focus()
            field.value = str(tmp_path / "li.enrolment")
            await hand.press("enter")
            await hand.on(AskScreen)
            await hand.type(typed, "enter")
            await hand.on(OfficeScreen)
            await hand.until(lambda: not screen.busy)
            if taken:
                await hand.until(lambda: read_enrolled(paths) is not None, "enrolled")
            assert (read_enrolled(paths) is not None) is taken
        await hand.until(lambda: screen._state is not None and screen._state.url == url, "the address is known")
        assert Marks(Home(paths)).known(url).heads == {}
        await hand.until(lambda: not screen.busy)
        await hand.press("f2")
        await hand.until(lambda: SEALED in Marks(Home(paths)).known(url).heads, "home")
        await hand.until(lambda: screen._state is not None and screen._state.waiting == 0, "it says so")
    assert {doc["visit"] for doc in couch.documents("screens").values()} == {SEALED}


async def test_onto_a_stick_where_no_server_is_known(tmp_path: Path, paths: Paths) -> None:
    (tmp_path / "stick").mkdir()
    async with office_screen(paths) as (hand, screen):
        screen.query_one("#folder", Input).value = str(tmp_path / "stick")
        await hand.press("f2")
        await hand.until(lambda: SEALED in Marks(Home(paths)).known(STICK).heads, "copied")
        await hand.until(lambda: screen._state is not None and screen._state.waiting == 0, "it says so")
    (copy,) = (tmp_path / "stick").rglob("*.jnl")
    assert copy.read_bytes() == (paths.visits / f"{SEALED}.jnl").read_bytes()


async def test_leaving_the_screen_ends_the_sending(tmp_path: Path, paths: Paths) -> None:
    met = asyncio.Event()
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        met.set()
        while await reader.read(4096):
            pass
        left.set()

    async with serving(silent) as port:
        enrolment(tmp_path, url := f"http://127.0.0.1:{port}/office")
        paths.settings.write_text(paths.settings.read_text() + f'\n[office]\nurl = "{url}"\n')
        async with office_screen(paths) as (hand, _screen):
            await hand.press("f2")
            await asyncio.wait_for(met.wait(), 30)
            await hand.press("escape")
            await hand.on(HomeScreen)
            await asyncio.wait_for(left.wait(), 30)
    assert Marks(Home(paths)).known(url).heads == {}
