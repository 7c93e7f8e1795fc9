"""Backups on the screens, by keys alone: read back, put back, deleted; judged by the journal and by the terminals."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.visit import VisitKind
from techtool.settings import read_settings, write_settings
from techtool.tui.screens.ask import AskScreen
from techtool.tui.screens.backups import BackupScreen, BackupsScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.screens.restore import RestoreScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.upkeep import UpkeepScreen
from techtool.tui.screens.visit import VisitScreen
from techtool.tui.widgets.choices import Choices
from techtool.visit.backup_log import BackupAction
from techtool.visit.kept_backups import backup_log, key_path
from techtool.visit.setup import trust_root
from tests.tui.going import fill, focused, go, said, visited
from tests.tui.hand import Stage
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


@pytest.mark.slow
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


@pytest.mark.slow
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
