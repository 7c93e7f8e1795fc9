"""The places beside a visit, by keys alone: judged by the journal and by what lies on disk."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual.widgets import Input

from techtool.backups.keys import new_identity, read_recipients
from techtool.bundles.roots import pinned
from techtool.domain.outcome import Outcome
from techtool.domain.visit import VisitKind, VisitRecord
from techtool.events import Finished
from techtool.reports.support import check
from techtool.settings import read_settings, write_settings
from techtool.simulator.run import Simulation
from techtool.tui.house import RESTART
from techtool.tui.screens.ask import AskScreen
from techtool.tui.screens.backups import BackupScreen, BackupsScreen
from techtool.tui.screens.base import HouseScreen
from techtool.tui.screens.due import DueScreen, DueTerminalScreen
from techtool.tui.screens.export import ExportScreen, SupportScreen
from techtool.tui.screens.facts import FactsScreen
from techtool.tui.screens.health import HealthScreen
from techtool.tui.screens.history import HistoryScreen, TerminalScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.office import OfficeScreen
from techtool.tui.screens.palette import PaletteScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.screens.record import RecordScreen
from techtool.tui.screens.restore import RestoreScreen
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
from techtool.tui.widgets.order_picker import OrderPicker
from techtool.visit.backup_log import BackupAction
from techtool.visit.kept_backups import backup_log, key_path
from techtool.visit.setup import trust_root
from tests.tui.hand import Hand, Stage
from tests.visit.undo_stick import FORMER, NEW, WORDS, codes, make_undo_stick

ERASE = {name: str(word) for name, word in WORDS.items() if word is not True}
"""What a restore asks for besides."""


@pytest.fixture(scope="session")
def undo_stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_undo_stick(tmp_path_factory.mktemp("undo-stick"))


@pytest.fixture
def undoable(stage: Stage, undo_stick: Path) -> Stage:
    """A stick whose releases may be put back."""
    shutil.rmtree(stage.world.stick)
    shutil.copytree(undo_stick, stage.world.stick)
    trust_root(stage.world.paths, stage.world.stick / "TECHTOOL" / "metadata" / "1.root.json")
    return stage


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


# -- backups and restore ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (100, 30)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_backup_is_read_back_and_put_back_through_the_screens(undoable: Stage, size: tuple[int, int]) -> None:
    stage = undoable
    async with stage.terminals() as simulation:
        first = await visited(stage, simulation)
        assert codes(simulation) == NEW
        async with stage.screens(*simulation.addresses, size=size) as hand:
            await go(hand, "backups", BackupsScreen)
            await focused(hand, "#backups")
            await said(hand, simulation.serials[0])
            await hand.press("enter")
            await hand.on(BackupScreen)
            await focused(hand, "#ways")
            await hand.press("2")
            await said(hand, "every digest agrees")
            await hand.press("1")
            await hand.on(RestoreScreen)
            await focused(hand, "#terminals")
            await hand.press("1", "f2")
            await hand.on(VisitScreen)
            await hand.answers(ERASE)
            await hand.on(ResultScreen)
        assert codes(simulation) == FORMER
    record = next(visit for visit in stage.visits() if visit.id != first.id)
    (lane,) = record.lanes
    assert lane.error is None, (lane.error, hand.asked)
    assert (record.kind, record.outcome, record.sealed) == (VisitKind.RESTORE, Outcome.SUCCESS, True)
    assert record.restore is not None
    assert record.restore.asked == f"{first.id}-1"
    assert lane.restored
    assert all(one.sha256_found == one.sha256_expected for one in lane.restored)
    log = [entry.action for entry in backup_log(stage.services).entries()]
    assert BackupAction.VERIFY in log
    assert BackupAction.RESTORE in log


@pytest.mark.slow
async def test_another_terminal_needs_a_swap_order_that_names_both(undoable: Stage) -> None:
    stage = undoable
    async with stage.terminals("sunmi-p2", "sunmi-p2") as simulation:
        first = await visited(stage, simulation)
        async with stage.screens(*simulation.addresses) as hand:
            await go(hand, "backups", BackupsScreen)
            await focused(hand, "#backups")
            await said(hand, first.lanes[1].serial)
            await hand.press("down", "enter")
            await hand.on(BackupScreen)
            await said(hand, first.lanes[0].serial)
            await focused(hand, "#ways")
            await hand.press("1")
            screen = await hand.on(RestoreScreen)
            await focused(hand, "#terminals")
            await hand.press("2")
            screen.query_one("#which").focus()
            await hand.press("2", "f2")
            await said(hand, "A swap order names")
            assert len(stage.visits()) == 1
            fill(hand, "#to-serial", simulation.serials[1])
            fill(hand, "#to-model", "P2")
            fill(hand, "#swap-number", "SWAP-7")
            await hand.press("f2")
            await hand.on(VisitScreen)
            await hand.answers(ERASE)
            await hand.on(ResultScreen)
    record = next(visit for visit in stage.visits() if visit.id != first.id)
    assert record.restore is not None
    assert record.restore.swap is not None
    assert (record.restore.swap.from_serial, record.restore.swap.to_serial) == tuple(simulation.serials)
    assert record.work_order == "SWAP-7"
    assert record.outcome is Outcome.SUCCESS
    assert {one.backup_serial for one in record.lanes[0].restored} == {simulation.serials[0]}


async def test_what_is_past_its_time_goes_only_when_its_number_is_typed(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        visit = await visited(stage, simulation)
    settings = read_settings(stage.world.paths.settings)
    write_settings(stage.world.paths.settings, replace(settings, keep_backups_days=0))
    key, file = key_path(stage.services, visit.id), stage.world.paths.backups / f"{visit.id}-1.age"
    assert key.exists()
    async with stage.screens(size=(80, 24)) as hand:
        await go(hand, "backups", BackupsScreen)
        await said(hand, simulation.serials[0])
        await hand.press("f3")
        screen = await hand.on(UpkeepScreen)
        await said(hand, f"Key to the backups of visit {visit.id}")
        assert "No backup was opened" in hand.text()
        fill(hand, "#word", "Ms Zhao, by phone")
        screen.query_one("#word").focus()
        await hand.press("enter")
        await said(hand, f"Backup file {visit.id}-1")
        for typed, gone in (("9", False), ("2", True)):
            screen.query_one("#ways").focus()
            await hand.press("1")
            await hand.on(AskScreen)
            await hand.until(lambda: hand.panel() is not None, "the number")
            await hand.type(typed, "enter")
            await hand.on(UpkeepScreen)
            await said(hand, "Deleted:" if gone else "Nothing was deleted")
            assert (key.exists(), file.exists()) == (not gone, not gone)
        await said(hand, "file wiped")
    log = [(entry.action, entry.why) for entry in backup_log(stage.services).entries()]
    assert (BackupAction.WIPE, "Ms Zhao, by phone") in log
    assert BackupAction.DELETE_KEY in [action for action, _why in log]


@pytest.mark.slow
async def test_where_the_key_here_is_gone_the_offices_identity_opens_it(undoable: Stage) -> None:
    stage = undoable
    async with stage.terminals() as simulation:
        first = await visited(stage, simulation)
        key_path(stage.services, first.id).unlink()
        async with stage.screens(*simulation.addresses) as hand:
            await go(hand, "backups", BackupsScreen)
            await said(hand, "only the office can open it")
            await focused(hand, "#backups")
            await hand.press("enter")
            await hand.on(BackupScreen)
            await focused(hand, "#ways")
            await hand.press("1")
            await hand.on(RestoreScreen)
            await focused(hand, "#terminals")
            await hand.press("1", "f2")
            await said(hand, "only the office can open it now")
            assert len(stage.visits()) == 1
            fill(hand, "#identity", str(stage.world.folder / "office" / "office.agekey"))
            await hand.press("f2")
            await hand.on(VisitScreen)
            await hand.answers(ERASE)
            await hand.on(ResultScreen)
        assert codes(simulation) == FORMER


async def test_a_restore_that_cannot_begin_leaves_what_was_entered(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        await visited(stage, simulation)
    async with stage.screens("adb://127.0.0.1:1") as hand:
        await go(hand, "backups", BackupsScreen)
        await focused(hand, "#backups")
        await hand.until(lambda: bool(hand.app.screen.query_one(Choices).options), "a backup")
        await hand.press("enter")
        await hand.on(BackupScreen)
        await focused(hand, "#ways")
        await hand.press("1")
        form = await hand.on(RestoreScreen)
        with stage.services.home.lock("another"):
            await hand.press("f2")
            await said(hand, "No terminal is chosen")
            await hand.press("1", "f2")
            await hand.on(ProblemScreen)
            await hand.press("2")
            assert await hand.on(RestoreScreen) is form
    assert len(stage.visits()) == 1


# -- history and due --------------------------------------------------------------------------------------------------


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


# -- orders and other jobs --------------------------------------------------------------------------------------------


def order(number: str, serial: str) -> dict[str, object]:
    return {
        "number": number,
        "type": "update",
        "site": {"merchant_name": "South [red]Gate[/] 南门"},
        "terminals": [{"serial": serial}],
    }


@pytest.mark.slow
async def test_an_order_on_the_stick_is_picked_and_kept_in_the_visit(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        folder = stage.world.stick / "orders"
        folder.mkdir()
        orders = [order("WO-1", "X1"), order("WO-2", simulation.serials[0])]
        (folder / "today.json").write_text(json.dumps(orders), encoding="utf-8")
        async with stage.screens(*simulation.addresses) as hand:
            await hand.on(HomeScreen)
            await hand.press("1")
            form = await hand.on(NewVisitScreen)
            picker = form.query_one(OrderPicker)
            listed = form.query_one("#orders", Choices)
            await hand.until(lambda: len(listed.options) == 3, "two orders and none")
            listed.focus()
            await hand.press("2")
            await hand.until(lambda: picker.order is not None, "picked")
            await hand.press("f2")
            await hand.on(VisitScreen)
            await hand.answers({})
            await hand.on(ResultScreen)
    visit = stage.visit()
    assert visit.order is not None
    assert (visit.order.number, visit.work_order) == ("WO-2", "WO-2")
    assert visit.merchant == "South [red]Gate[/] 南门"
    assert visit.outcome is Outcome.SUCCESS


async def test_an_order_file_that_cannot_be_used_is_named_and_a_good_one_is_taken(stage: Stage) -> None:
    bad, good = stage.world.folder / "bad.json", stage.world.folder / "good.json"
    bad.write_text("[{", encoding="utf-8")
    good.write_text(json.dumps(order("WO-9", "P2-[b]9")), encoding="utf-8")
    async with stage.screens("adb://127.0.0.1:1", size=(100, 50)) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        form = await hand.on(NewVisitScreen)
        picker = form.query_one(OrderPicker)
        for path in (bad, good):
            fill(hand, "#order-file", str(path))
            form.query_one("#order-file").focus()
            await hand.pilot.pause()
            await hand.press("enter")
            await said(hand, "TT-" if path is bad else "P2-[b]9")
        assert picker.order is not None
        assert picker.order.number == "WO-9"


@pytest.mark.slow
@pytest.mark.parametrize(("digit", "kind"), [("2", VisitKind.INSPECTION), ("3", VisitKind.BACKUP)])
async def test_inspecting_and_backing_up_need_no_stick(stage: Stage, digit: str, kind: VisitKind) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        form = await hand.on(NewVisitScreen)
        fill(hand, "#stick", "")
        form.query_one("#jobs").focus()
        await hand.press(digit, "f2")
        await hand.on(VisitScreen)
        await hand.answers({})
        await hand.on(ResultScreen)
    visit = stage.visit()
    assert (visit.kind, visit.outcome, visit.sealed) == (kind, Outcome.SUCCESS, True)
    assert visit.lanes[0].installed == ()


# -- export and support -----------------------------------------------------------------------------------------------


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


# -- settings, trust, this laptop -------------------------------------------------------------------------------------


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
