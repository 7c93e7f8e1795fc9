"""The places at every size: nothing essential is cut, marks stay narrow in ASCII mode, and no colour is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from techtool.i18n import set_language
from techtool.settings import FleetSettings, read_settings, write_settings
from techtool.tui.requests import Order
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.palette import PaletteScreen
from techtool.tui.views.home import HomeFacts
from techtool.tui.views.lines import cells
from techtool.tui.views.places import PLACES
from techtool.tui.widgets.bars import KeyHint
from techtool.tui.widgets.choices import Choices
from tests.factories import unfinished_visit
from tests.tui.hand import Hand
from tests.tui.scene_shop import SERIAL
from tests.tui.scenes import SceneDoors, scenes

pytestmark = pytest.mark.slow

NAMES = ("backups", "restore", "history", "terminal", "due", "due-terminal", "settings", "trust", "palette")
UNSURE = set("✓✗▸·━─│╭╮╰╯┃▔▁▄▅▆▇█●")


def drawn(hand: Hand) -> list[str]:
    """The rows of the screen."""
    strips = hand.app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
async def test_no_row_is_wider_than_the_window_and_the_footer_is_there(
    name: str, lang: str, size: tuple[int, int], tmp_path: Path
) -> None:
    set_language(lang)
    scene = next(one for one in scenes() if one.name == name)
    async with scene.app(tmp_path).run_test(size=size) as pilot:
        await scene.play(pilot)
        hand = Hand(pilot.app, pilot)  # type: ignore[arg-type]
        rows = drawn(hand)
    assert len(rows) == size[1]
    assert all(cells(row) == size[0] for row in rows)
    assert "F1" in rows[-1]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "settings"])
async def test_ascii_mode_and_no_colour(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings show a sample of the other marks on purpose."""
    monkeypatch.setenv("NO_COLOR", "1")
    scene = next(one for one in scenes() if one.name == name)
    scene.app(tmp_path)
    settings = tmp_path / "settings.toml"
    write_settings(settings, replace(read_settings(settings), ascii=True))
    kept = settings.read_text(encoding="utf-8")
    app = scene.app(tmp_path)
    settings.write_text(kept, encoding="utf-8")
    app = type(app)(app.house.doors, app.house.hints, settle_s=0)
    async with app.run_test(size=(100, 30)) as pilot:
        await scene.play(pilot)
        assert app.no_color
        text = "\n".join(drawn(Hand(app, pilot)))
    assert not set(text) & UNSURE
    assert text.strip()


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_whole_menu_is_seen_at_80x24_with_three_unfinished_visits(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_language(lang)
    open_visits = tuple(replace(unfinished_visit(), id=f"V20261122-0{n}0000-000{n}") for n in range(4))
    monkeypatch.setattr(SceneDoors, "home_facts", lambda _self: HomeFacts("Li Wei", open_visits, 0, None, 4))
    scene = next(one for one in scenes() if one.name == "home")
    async with scene.app(tmp_path).run_test(size=(80, 24)) as pilot:
        await scene.play(pilot)
        hand = Hand(pilot.app, pilot)  # type: ignore[arg-type]
        options = pilot.app.screen.query_one(Choices).options
        assert len(options) == 3 + sum(place.on_home for place in PLACES) + 1
        text = "\n".join(drawn(hand))
    assert all(option.label in text for option in options)


async def test_keys_typed_ahead_choose_nothing_in_the_list_of_everything(tmp_path: Path) -> None:
    scene = next(one for one in scenes() if one.name == "home")
    async with scene.app(tmp_path).run_test(size=(80, 24)) as pilot:
        await scene.play(pilot)
        app = pilot.app
        hand = Hand(app, pilot)  # type: ignore[arg-type]
        hand.app.house.settle_s = 3600
        await hand.press("f10")
        await hand.until(lambda: bool(hand.app.screen.query("#typed")), "the list")
        await hand.type("new", "enter")
        assert hand.app.screen.query_one("#typed", Input).value == ""


async def test_the_search_lists_only_what_fits_and_the_cursor_stays_in_it(tmp_path: Path) -> None:
    scene = next(one for one in scenes() if one.name == "history")
    async with scene.app(tmp_path).run_test(size=(100, 30)) as pilot:
        await scene.play(pilot)
        hand = Hand(pilot.app, pilot)  # type: ignore[arg-type]
        await hand.type("450093")
        listed = hand.app.screen.query_one("#terminals", Choices)
        await hand.until(lambda: [option.value for option in listed.options] == [SERIAL], "one")
        assert hand.app.screen.query_one("#text").has_focus


async def test_a_click_on_the_footer_does_what_the_key_does(tmp_path: Path) -> None:
    """Also where the key belongs to the app and not to the screen."""
    scene = next(one for one in scenes() if one.name == "home")
    async with scene.app(tmp_path).run_test(size=(100, 30)) as pilot:
        await scene.play(pilot)
        hint = next(hint for hint in pilot.app.screen.query(KeyHint) if "^P" in str(hint.content))
        await pilot.click(hint)
        await Hand(pilot.app, pilot).on(PaletteScreen)  # type: ignore[arg-type]


async def test_the_order_of_work_that_was_chosen_is_offered_first(tmp_path: Path) -> None:
    scene = next(one for one in scenes() if one.name == "new-visit")
    app = scene.app(tmp_path)
    settings = tmp_path / "settings.toml"
    write_settings(settings, replace(read_settings(settings), fleet=FleetSettings("all")))
    async with app.run_test(size=(100, 30)) as pilot:
        await scene.play(pilot)
        form = pilot.app.screen
        assert isinstance(form, NewVisitScreen)
        assert form.order is Order.ALL
        picked = [option.value for option in form.query_one("#order", Choices).options if option.picked]
    assert picked == ["all"]
