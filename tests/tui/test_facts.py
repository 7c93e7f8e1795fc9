"""The screen of makers' facts by keys alone: what counts, what does not and why, and what a stick brings."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from techtool.reports.facts_seal import beside
from techtool.tui.screens.facts import FactsScreen
from techtool.tui.widgets.choices import Choices
from techtool.visit.known_facts import known_facts
from tests.tui.hand import Hand, Stage
from tests.visit.facts_office import NAME, FactsOffice
from tests.visit.test_facts import facts_file


async def said(hand: Hand, text: str) -> None:
    await hand.until(lambda: " ".join(text.split()) in " ".join(hand.text().split()), text)


async def test_a_stick_brings_facts_and_the_screen_says_from_whom(stage: Stage, tmp_path: Path) -> None:
    paths = stage.world.paths
    stick = tmp_path / "stick"
    stick.mkdir()
    file = facts_file(stick / "facts")
    opened: list[str] = []
    async with stage.screens(size=(100, 60)) as hand:
        hand.app.open_url = opened.append  # type: ignore[method-assign, assignment]
        hand.app.house.go("facts")
        screen = await hand.on(FactsScreen)
        await said(hand, "not enrolled yet")
        await said(hand, "what follows is built in")
        screen.query_one("#folder", Input).value = str(stick)
        await hand.press("f2")
        await said(hand, "not enrolled by any office yet")
        FactsOffice().enrol(paths)
        await hand.press("f2")
        await said(hand, f"from ACME, estate office, as of 2026-11-20, signed by {NAME}")
        await said(hand, "ACME contract 7 (ACME, estate office, 2026-11-20)")
        assert [issued.path.name for issued in known_facts(paths).files] == [file.name]
        pictures = screen.query_one("#pictures", Choices)
        await hand.until(lambda: len(pictures.options) == 1, "a picture")
        pictures.focus()
        await hand.press("1")
        await hand.until(lambda: bool(opened), "opened")
        assert opened[0].endswith(".jpg")
        beside(file).write_text("rubbish", encoding="ascii")
        await hand.press("f2")
        await said(hand, "its signature cannot be read")
    assert len(known_facts(paths).files) == 1, "what was there stands"
