"""The places beside a visit, by keys alone: judged by the journal and by what lies on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from techtool.backups.keys import new_identity, read_recipients
from techtool.bundles.roots import pinned
from techtool.settings import read_settings
from techtool.tui.house import RESTART
from techtool.tui.screens.ask import AskScreen
from techtool.tui.screens.backups import BackupsScreen
from techtool.tui.screens.base import HouseScreen
from techtool.tui.screens.due import DueScreen
from techtool.tui.screens.facts import FactsScreen
from techtool.tui.screens.health import HealthScreen
from techtool.tui.screens.history import HistoryScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.office import OfficeScreen
from techtool.tui.screens.palette import PaletteScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.settings import SettingsScreen
from techtool.tui.screens.stick import StickScreen
from techtool.tui.screens.support_check import SupportCheckScreen
from techtool.tui.screens.trust import TrustScreen
from techtool.tui.screens.upkeep import UpkeepScreen
from techtool.tui.screens.visit import VisitScreen
from techtool.tui.screens.visits import VisitsScreen
from techtool.tui.views.places import PLACES
from techtool.tui.widgets.choices import Choices
from tests.tui.going import fill, focused, go, said, visited
from tests.tui.hand import Stage


async def test_settings_are_kept_as_one_or_not_at_all(stage: Stage) -> None:
    path = stage.world.paths.settings
    before = read_settings(path)
    async with stage.screens(size=(80, 24)) as hand:
        await go(hand, "settings", SettingsScreen)
        await focused(hand, "#technician")
        fill(hand, "#technician", "李伟 [b]")
        fill(hand, "#keep-backups-days", "many")
        await hand.press("f2")
        await said(hand, "“many”")
        assert read_settings(path) == before
        fill(hand, "#keep-backups-days", "45")
        fill(hand, "#staff-no", "T-17")
        fill(hand, "#contacts", "Help desk: 400 123；Night：139")
        hand.app.screen.query_one("#order").focus()
        await hand.press("2", "f2")
        await hand.until(lambda: read_settings(path) != before, "kept")
        await said(hand, "Kept.")
    after = read_settings(path)
    assert (after.technician, after.staff_no, after.keep_backups_days) == ("李伟 [b]", "T-17", 45)
    assert after.contacts == {"Help desk": "400 123", "Night": "139"}
    assert after.fleet.order == "one-by-one"
    assert (after.tests, after.links) == (before.tests, before.links)


async def test_other_marks_start_the_screens_again(stage: Stage) -> None:
    async with stage.screens() as hand:
        await go(hand, "settings", SettingsScreen)
        await focused(hand, "#technician")
        hand.app.screen.query_one("#marks").focus()
        await hand.press("2")
        assert not read_settings(stage.world.paths.settings).ascii
        await hand.press("f2")
        await hand.until(lambda: hand.app.return_value == RESTART, "start again")
    assert read_settings(stage.world.paths.settings).ascii


async def test_a_root_is_trusted_only_by_what_the_office_told(stage: Stage) -> None:
    paths = stage.world.paths
    root = stage.world.stick / "TECHTOOL/metadata/1.root.json"
    for pinned_file in (paths.trust / "roots").glob("*.root.json"):
        pinned_file.unlink()
    digits = hashlib.sha256(root.read_bytes()).hexdigest()[-16:]
    async with stage.screens(size=(100, 40)) as hand:
        hand.app.house.go("trust")
        await hand.on(TrustScreen)
        await said(hand, "No root is trusted yet.")
        for typed, expected in (("0" * 16, "Nothing is trusted"), (digits[-8:], "last 16 digits"), (digits, "root 1")):
            fill(hand, "#root", str(root))
            hand.app.screen.query_one("#root").focus()
            await hand.press("enter")
            await hand.question("trust.fingerprint")
            await hand.type(typed, "enter")
            await hand.on(TrustScreen)
            await said(hand, expected)
            assert bool(pinned(paths)) is (typed == digits)


async def test_recipients_are_compared_one_by_one(stage: Stage, tmp_path: Path) -> None:
    keys = [new_identity().public, new_identity().public]
    listed = tmp_path / "recipients.txt"
    listed.write_text("\n".join(keys) + "\n", encoding="ascii")
    kept = stage.world.paths.recipients
    before = read_recipients(kept)
    async with stage.screens(size=(100, 40)) as hand:
        hand.app.house.go("trust")
        await hand.on(TrustScreen)
        await said(hand, before[0])
        fill(hand, "#list", str(listed))
        hand.app.screen.query_one("#list").focus()
        await hand.press("enter")
        await hand.question("trust.recipient")
        await hand.type(keys[1][-16:], "enter")
        await hand.on(TrustScreen)
        await said(hand, "not what the office told you")
        hand.app.screen.query_one("#list").focus()
        await hand.press("enter")
        await hand.question("trust.recipient")
        await hand.type(keys[0][-16:], "enter")
        await hand.until(lambda: isinstance(hand.app.screen, AskScreen) and keys[1] in hand.text(), "the second")
        assert read_recipients(kept) == before
        await hand.press("escape")
        await hand.on(TrustScreen)
        assert read_recipients(kept) == before
        hand.app.screen.query_one("#list").focus()
        await hand.press("enter")
        for key in keys:
            await hand.until(lambda key=key: isinstance(hand.app.screen, AskScreen) and key in hand.text(), key)  # type: ignore[misc]
            await hand.question("trust.recipient")
            await hand.type(key[-16:], "enter")
        await hand.on(TrustScreen)
        await hand.until(lambda: read_recipients(kept) == tuple(keys), "kept")


@pytest.mark.slow
async def test_this_laptop_is_checked_and_a_damaged_visit_saved(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        visit = await visited(stage, simulation)
    path = stage.services.home.visit_path(visit.id)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    async with stage.screens(size=(100, 40)) as hand:
        hand.app.house.go("health")
        screen = await hand.on(HealthScreen)
        await hand.until(lambda: len(screen.query_one(Choices).options) == 2, "damage found")
        screen.query_one(Choices).focus()
        await hand.press("1")
        await hand.until(lambda: len(screen.query_one(Choices).options) == 1, "saved, looked at again")
    assert bytes(data) in [other.read_bytes() for other in path.parent.parent.rglob(f"*{visit.id}*") if other.is_file()]
    assert visit.id in [one.id for one in stage.visits()]


# -- the list of everything -------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_everything_is_reached_from_the_list_and_by_home(stage: Stage) -> None:
    kinds: dict[str, type[HouseScreen]] = {
        "new": NewVisitScreen,
        "stick": StickScreen,
        "visits": VisitsScreen,
        "backups": BackupsScreen,
        "history": HistoryScreen,
        "due": DueScreen,
        "office": OfficeScreen,
        "settings": SettingsScreen,
        "upkeep": UpkeepScreen,
        "support-check": SupportCheckScreen,
        "trust": TrustScreen,
        "health": HealthScreen,
        "facts": FactsScreen,
    }
    assert set(kinds) == {place.id for place in PLACES}
    async with stage.screens(size=(80, 24)) as hand:
        await hand.on(HomeScreen)
        for place in PLACES:
            await hand.press("f10")
            await hand.on(PaletteScreen)
            await focused(hand, "#typed")
            await hand.type(place.label.lower(), "enter")
            await hand.on(kinds[place.id])
        await hand.press("escape")
        await hand.on(HomeScreen)
        for digit, place in enumerate([place for place in PLACES if place.on_home], 1):
            await hand.press(str(digit))
            await hand.on(kinds[place.id])
            await hand.press("escape")
            await hand.on(HomeScreen)
            await focused(hand, "#menu")


async def test_the_list_does_what_a_key_does_and_leaves_no_visit_behind(stage: Stage) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        await hand.on(NewVisitScreen)
        await hand.press("ctrl+p")
        await hand.on(PaletteScreen)
        await hand.type("begin", "enter")
        await hand.on(VisitScreen)
        await hand.answers({}, stop_at=["inspect."])
        await hand.press("ctrl+p")
        await hand.on(PaletteScreen)
        await hand.type("settings")
        await said(hand, "Nothing fits.")
        await hand.press("enter", "escape")
        await hand.on(VisitScreen)
        await hand.press("ctrl+p")
        await hand.on(PaletteScreen)
        await hand.type("stop", "enter")
        await hand.on(ResultScreen)
    assert not stage.visit().sealed
