"""What was found and done, by keys alone: history, due list, records, reports, the support file."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual.widgets import Input

from techtool.reports.support import check
from techtool.settings import read_settings, write_settings
from techtool.tui.screens.due import DueScreen, DueTerminalScreen
from techtool.tui.screens.export import ExportScreen, SupportScreen
from techtool.tui.screens.history import HistoryScreen, TerminalScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.record import RecordScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.support_check import SupportCheckScreen
from tests.tui.going import complained, fill, focused, go, said, to_record, visited
from tests.tui.hand import Stage


@pytest.mark.slow
async def test_a_terminal_is_found_by_its_merchant_and_its_visits_are_shown(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        visit = await visited(stage, simulation)
    async with stage.screens(size=(80, 24)) as hand:
        await go(hand, "history", HistoryScreen)
        await focused(hand, "#text")
        await said(hand, simulation.serials[0])
        await hand.type("nobody")
        await said(hand, "Nothing on this laptop fits.")
        assert simulation.serials[0] not in hand.text()
        await hand.press(*["backspace"] * 6)
        await hand.type("noodle")
        await said(hand, simulation.serials[0])
        await hand.press("enter")
        await focused(hand, "#terminals")
        await hand.press("enter")
        await hand.on(TerminalScreen)
        await said(hand, "->")
        await hand.press("enter")
        await hand.on(RecordScreen)
        assert visit.id in hand.text()
        await said(hand, "Write the report again")
        await said(hand, "complete: 1 of 1 terminals complete.")
        await hand.press("pagedown", "pagedown")
        await said(hand, "statement, signatures")


@pytest.mark.slow
async def test_the_history_is_narrowed_down_by_release_days_and_end(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        visit = await visited(stage, simulation)
    (serial,), day = simulation.serials, visit.started_at.astimezone().date()
    async with stage.screens(size=(80, 24)) as hand:
        await go(hand, "history", HistoryScreen)
        await focused(hand, "#text")
        await said(hand, serial)
        await hand.press("f4")
        await focused(hand, "#site")
        fill(hand, "#release", "com.example.sunmi.pay")
        await said(hand, "1 of 1 ended well")
        await said(hand, f"Runs on: {serial}")
        fill(hand, "#until", "soon")
        await hand.press("tab")
        await said(hand, "soon is no day")
        fill(hand, "#until", str(day - timedelta(days=1)))
        await hand.press("tab")
        await said(hand, "Nothing on this laptop fits.")
        fill(hand, "#until", str(day))
        fill(hand, "#since", str(day))
        await hand.press("tab")
        await said(hand, "1 terminals")
        fill(hand, "#until", "2001-01-01")
        await hand.press("f4")
        await said(hand, serial)
        assert "no day" not in hand.text()


async def test_from_the_due_list_into_a_visit(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        await visited(stage, simulation)
        settings = stage.world.paths.settings
        own = read_settings(settings)
        write_settings(settings, replace(own, cadence=replace(own.cadence, inspection_days=30)))
        async with stage.screens() as hand:
            await go(hand, "due terminals", DueScreen)
            await focused(hand, "#due")
            await said(hand, simulation.serials[0])
            await hand.press("enter")
            await hand.on(DueTerminalScreen)
            await said(hand, "Inspection due on")
            await focused(hand, "#ways")
            await hand.press("1")
            form = await hand.on(NewVisitScreen)
            assert form.query_one("#stick", Input).value == str(stage.world.stick)


@pytest.mark.slow
async def test_reports_are_written_to_a_folder_and_signed(stage: Stage, tmp_path: Path) -> None:
    async with stage.terminals() as simulation:
        visit = await visited(stage, simulation)
    target = tmp_path / "stick" / "reports"
    async with stage.screens() as hand:
        await to_record(hand)
        await hand.press("2")
        screen = await hand.on(ExportScreen)
        await hand.press("f2")
        await said(hand, "Name a folder")
        fill(hand, "#folder", str(target))
        screen.query_one("#formats").focus()
        await hand.press("1", "3", "4")
        fill(hand, "#passphrase", "wrong")
        await hand.press("f2")
        await said(hand, "The passphrase does not open the key")
        assert not target.exists()
        fill(hand, "#passphrase", "demo-passphrase")
        await hand.press("f2")
        await said(hand, "files written to")
        assert screen.query_one("#passphrase", Input).value == ""
    names = {path.name.removeprefix(visit.id) for path in target.iterdir()}
    merchant = {".en.merchant.html", ".en.merchant.pdf"}
    assert names == {*merchant, ".json", ".json.sig", ".SHA256SUMS", ".SHA256SUMS.sig"}


@pytest.mark.slow
async def test_the_support_file_opens_and_its_code_is_read_out(stage: Stage, tmp_path: Path) -> None:
    async with stage.terminals() as simulation:
        await visited(stage, simulation)
    async with stage.screens(size=(80, 24)) as hand:
        await to_record(hand)
        await hand.press("3")
        await hand.on(SupportScreen)
        fill(hand, "#folder", str(tmp_path / "desk"))
        await hand.press("f2")
        await hand.until(lambda: any((tmp_path / "desk").glob("*.zip")), "the file")
        (path,) = (tmp_path / "desk").iterdir()
        code = check(path).code
        await said(hand, "   ".join(" ".join(group) for group in code.split("-")))
        await said(hand, code)
        await hand.press("escape")
        await hand.on(RecordScreen)
        hand.app.house.go("support-check")
        await hand.on(SupportCheckScreen)
        await focused(hand, "#file")
        await hand.press("f2")
        await said(hand, "Name the file.")
        fill(hand, "#file", str(path))
        await hand.press("enter")
        await focused(hand, "#code")
        await hand.type("2222-2222-22", "enter")
        await complained(hand)
        fill(hand, "#code", code.lower().replace("-", " "))
        await hand.press("enter")
        await said(hand, "is this file's")
        await said(hand, "as they were made")
        path.write_bytes(path.read_bytes()[:-1])
        await hand.press("enter")
        await complained(hand)
        assert "as they were made" not in hand.text()


@pytest.mark.slow
async def test_a_record_is_proven_and_one_changed_byte_is_found(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        visit = await visited(stage, simulation)
    async with stage.screens() as hand:
        await to_record(hand)
        await hand.press("4")
        await said(hand, "as it was sealed")
        path = stage.services.home.visit_path(visit.id)
        path.write_bytes(path.read_bytes().replace(b"WO-DEMO-1", b"WO-DEMO-2"))
        await hand.press("4")
        await said(hand, "damaged")


@pytest.mark.slow
async def test_a_photo_is_attached_to_an_open_visit(stage: Stage, tmp_path: Path) -> None:
    photo = tmp_path / "counter [b].txt"
    photo.write_text("what was seen", encoding="utf-8")
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        await hand.on(NewVisitScreen)
        await hand.press("f2")
        await hand.answers({}, stop_at=["inspect."])
        await hand.press("f8")
        await hand.on(ResultScreen)
        await hand.press("escape")
        await hand.on(HomeScreen)
        hand.app.house.open_record(stage.visit().id)
        await hand.on(RecordScreen)
        await focused(hand, "#ways")
        await hand.press("3")
        await hand.question("attach.files")
        fill(hand, "#answer", str(photo))
        await hand.press("enter")
        await hand.on(RecordScreen)
        await hand.until(lambda: bool(stage.visit().evidence), "attached")
    (file,) = stage.visit().evidence
    assert file.sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
