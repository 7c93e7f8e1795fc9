"""What is broken off half-way: sales come in, the backup is wanted elsewhere, nobody comes back to finish it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import techtool.terminals.config_files as config_files
import techtool.visit.runner as runner
import techtool.visit.steps.put_back as put_back
import techtool.visit.steps.restore as restore
import techtool.visit.ways_on as ways_on
from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import SystemClock
from techtool.domain.outcome import Outcome
from techtool.domain.release import Compare, ReleaseKind, Requirement
from techtool.domain.restore import RestoreWish
from techtool.domain.terminal import Address, BatchState
from techtool.errors import Exit, LinkLost
from techtool.events import Finished, LaneIdentified, Notice
from techtool.simulator.faults import InstallRefusal
from techtool.simulator.model import APKS
from techtool.simulator.run import Simulation
from techtool.terminals.config_files import NEW as UNPLACED
from techtool.visit.abandon import abandon
from techtool.visit.engine import Engine
from techtool.visit.operator import ScriptedOperator
from techtool.visit.restore_source import wish_for
from techtool.visit.retention import prune
from techtool.visit.services import VisitRequest
from tests.unit.store.lossy import PowerCut
from tests.visit.conftest import Shop, fault
from tests.visit.power import expecting_a_cut
from tests.visit.suite import with_stick
from tests.visit.test_restore_config import PATH, REENTER, backed_up, change, nothing_left_behind
from tests.visit.undo_stick import (
    FORMER,
    KERNEL,
    NEW,
    PAY,
    WORDS,
    codes,
    data,
    restored,
    store_data,
    updated,
)

REFUSED = InstallRefusal(word="INSTALL_FAILED_VERIFICATION_FAILURE", package=PAY)


@pytest.fixture
def ready(shop: Shop, undo_stick: Path) -> Shop:
    shop.changed = dict(WORDS)
    return with_stick(shop, undo_stick)


@pytest.fixture
def practice(shop: Shop) -> Shop:
    shop.changed = {"check.batch": True, "inspect.tamper": True, REENTER: True}
    return shop


async def cut(*_given: object, **_named: object) -> None:
    raise PowerCut


async def stopped(run: Any) -> None:
    """The process dies within ``run``."""
    with expecting_a_cut():
        await run
        raise AssertionError("it was not stopped")


def told(shop: Shop) -> list[str]:
    return [event.text.text("en") for event in shop.events if isinstance(event, Notice)]


# --- sales that come in meanwhile -----------------------------------------------------------------------------------


async def restoring(shop: Shop, address: str, wish: RestoreWish, at: str, then: Callable[[], None]) -> Finished:
    """A restore in which something happens while the person is at one of the questions."""

    class Slow(ScriptedOperator):
        async def ask(self, question: Any) -> str:
            if question.id == at:
                then()
            return await super().ask(question)

    operator = Slow(shop.answers())
    last = None
    async for event in Engine(shop.services, operator).run(VisitRequest((Address.parse(address),), None, restore=wish)):
        last = event
        if isinstance(event, LaneIdentified):
            operator.confirmations = (event.serial[-4:],)
    assert isinstance(last, Finished)
    return last


async def test_a_sale_while_the_word_is_typed(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        device = simulation.terminals[0].device
        finished = await restoring(
            ready,
            simulation.addresses[0],
            wish_for(ready.services, visit),
            f"restore.loses-data.{PAY}",
            lambda: device.settle(BatchState.OPEN),
        )
        assert finished.exit_code == Exit.GATE_CLOSED
        assert (codes(simulation), data(simulation)) == (NEW, ["typed in by hand"] * 2)


@pytest.mark.slow
async def test_a_sale_while_another_package_is_put_back(ready: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done stays done; what would lose data now waits, and resume ends it."""
    real = put_back._install
    done: list[str] = []

    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        device = simulation.terminals[0].device

        async def and_a_sale(*given: Any, **named: Any) -> None:
            await real(*given, **named)
            if not done:
                done.append(given[1].package)
                device.settle(BatchState.OPEN)

        monkeypatch.setattr(put_back, "_install", and_a_sale)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert (finished.exit_code, finished.sealed) == (Exit.GATE_CLOSED, False)
        left = KERNEL if done == [PAY] else PAY
        assert codes(simulation)[left] == NEW[left]
        assert data(simulation)[(PAY, KERNEL).index(left)] == "typed in by hand"
        device.settle(BatchState.SETTLED)
        assert (await ready.resume()).outcome is Outcome.SUCCESS
        assert codes(simulation) == FORMER


async def test_a_sale_before_the_release_that_erases(shop: Shop, tmp_path: Path) -> None:
    made_for = (ProvidesEntry("sunmi", "P2"),)
    clock = SystemClock()
    workspace = Workspace.create(tmp_path / "bundle", ("sunmi",), clock)
    kernel = Description(kind=ReleaseKind.KERNEL, provides=made_for)
    needs = (Requirement("component", Compare.GE, "7.1.0", id=KERNEL), Requirement("no-open-batch"))
    pay = Description(kind=ReleaseKind.APPLICATION, provides=made_for, requires=needs, erases_data=True)
    workspace.add("sunmi", [APKS / "com.example.emvkernel-7.1.0.apk"], kernel, clock)
    workspace.add("sunmi", [APKS / "com.example.sunmi.pay-1.5.0.apk"], pay, clock)
    workspace.sign(clock)
    (tmp_path / "stick").mkdir()
    workspace.write(tmp_path / "stick", clock)
    shop.changed = dict(WORDS)
    ready = with_stick(shop, tmp_path / "stick")
    async with ready.terminals() as simulation:
        store_data(simulation)
        device = simulation.terminals[0].device
        commit = device.packages.commit

        async def and_a_sale(session: int, free_bytes: int) -> None:
            await commit(session, free_bytes)
            device.settle(BatchState.OPEN)

        device.packages.commit = and_a_sale  # type: ignore[method-assign,assignment]
        finished = await ready.run(simulation.addresses[0])
        assert (finished.exit_code, finished.sealed) == (Exit.GATE_CLOSED, False)
        assert codes(simulation) == {PAY: FORMER[PAY], KERNEL: NEW[KERNEL]}


# --- stopped, and gone on with --------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_two_stops_before_the_terminal_is_read_again(ready: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that was confirmed is verified and recorded at the end, not only what the last run had left to do."""
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        with monkeypatch.context() as patched:
            patched.setattr(restore, "verify_back", cut)
            await stopped(restored(ready, simulation.addresses[0], visit))
            await stopped(ready.resume())
        assert codes(simulation) == FORMER
        assert (await ready.resume()).outcome is Outcome.SUCCESS
    assert {one.package.id: one.data_lost for one in ready.lane().restored} == {PAY: True, KERNEL: True}


@pytest.mark.slow
async def test_a_backup_that_is_being_put_back_is_not_pruned(ready: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal stands there without its application: key and file stay until that visit is closed."""
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        with monkeypatch.context() as patched:
            patched.setattr(put_back, "_install", cut)
            await stopped(restored(ready, simulation.addresses[0], visit))
        assert codes(simulation) != NEW
        pruned = prune(ready.services, timedelta(0), word="the office says so")
        assert (pruned.keys, pruned.wiped) == ((), ())
        assert visit in dict(pruned.kept)
        assert (await ready.resume()).outcome is Outcome.SUCCESS
        assert codes(simulation) == FORMER
    assert f"{visit}-1" in prune(ready.services, timedelta(0), word="the office says so").wiped


@pytest.mark.slow
@pytest.mark.parametrize("at", ["install", "test"])
async def test_undo_is_chosen_and_its_word_is_missing(ready: Shop, at: str) -> None:
    """No reason to give it up: the visit stays open, and resume undoes."""
    word = f"restore.loses-data.{KERNEL}"
    ready.changed |= {f"problem.{at}": "undo", word: "MISSING"}
    faults = fault(install=REFUSED) if at == "install" else ()
    if at == "test":
        ready.changed["test.TX-01"] = "fail"
    async with ready.terminals(faults=faults) as simulation:
        finished = await ready.run(simulation.addresses[0])
        assert (finished.exit_code, finished.sealed) == (Exit.ANSWER_MISSING, False)
        ready.changed[word] = "ERASE"
        finished = await ready.resume()
        assert (finished.outcome, codes(simulation)) == (Outcome.ROLLED_BACK, FORMER)


async def test_the_link_is_lost_when_undo_is_chosen(ready: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real, once = vars(ways_on)["prepare_undo"], iter([True])

    async def lost(lane: Any) -> bool:
        if next(once, False):
            raise LinkLost(address="adb://192.0.2.7:5555")
        return bool(await real(lane))

    monkeypatch.setattr(ways_on, "prepare_undo", lost)
    ready.changed["problem.install"] = "undo"
    async with ready.terminals(faults=fault(install=REFUSED)) as simulation:
        assert not (await ready.run(simulation.addresses[0])).sealed
        assert ((await ready.resume()).outcome, codes(simulation)) == (Outcome.ROLLED_BACK, FORMER)


@pytest.mark.slow
async def test_an_undo_goes_on_without_the_stick(ready: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ran before comes from this laptop; nothing of the stick is needed any more."""
    ready.changed |= {"test.TX-01": "fail", "problem.test": "undo"}
    async with ready.terminals() as simulation:
        with monkeypatch.context() as patched:
            patched.setattr(put_back, "_install", cut)
            await stopped(ready.run(simulation.addresses[0]))
        assert len(codes(simulation)) < len(NEW)
        shutil.rmtree(ready.world.stick)
        finished = await ready.resume()
        assert (finished.outcome, codes(simulation)) == (Outcome.ROLLED_BACK, FORMER)


@pytest.mark.slow
async def test_a_backup_made_after_the_installation_undoes_nothing(
    ready: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one was lost meanwhile; the new one shows what runs now, and nobody is told otherwise."""
    ready.changed |= {"test.TX-01": "fail", "problem.test": "undo"}
    async with ready.terminals() as simulation:
        with monkeypatch.context() as patched:
            patched.setattr(runner, "verify", cut)
            await stopped(ready.run(simulation.addresses[0]))
        for path in ready.world.paths.backups.glob("*.age"):
            path.unlink()
        ready.events.clear()
        finished = await ready.resume()
        assert (finished.exit_code, codes(simulation)) == (Exit.NOT_RESTORED, NEW)
    assert not [text for text in told(ready) if "nothing to undo" in text]
    assert [text for text in told(ready) if "is gone" in text]


# --- configuration files --------------------------------------------------------------------------------------------


async def broken_off(shop: Shop, simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies when the new file lies beside the old one."""
    real = vars(config_files)["ask"]

    async def until_the_rename(link: Any, command: str, **limits: Any) -> str:
        if command.startswith("mv "):
            raise PowerCut
        return str(await real(link, command, **limits))

    visit = await backed_up(shop, simulation)
    change(simulation, receipt_header="WRONG")
    with monkeypatch.context() as patched:
        patched.setattr(config_files, "ask", until_the_rename)
        await stopped(restored(shop, simulation.addresses[0], visit))
    assert not nothing_left_behind(simulation)


async def test_a_closed_gate_leaves_no_second_file(practice: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with practice.terminals("practice") as simulation:
        await broken_off(practice, simulation, monkeypatch)
        simulation.terminals[0].device.settle(BatchState.OPEN)
        assert not (await practice.resume()).sealed
        assert nothing_left_behind(simulation)


async def test_a_visit_given_up_says_where_the_second_file_is(practice: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next restore of this terminal takes it away, also where nothing else is to be done."""
    async with practice.terminals("practice") as simulation:
        await broken_off(practice, simulation, monkeypatch)
        visit = abandon(practice.services, practice.visit().id, None).id
        db = practice.services.home.open_visit(visit)
        notices = [str(document["text"]) for document in db.table("notices").all()]
        db.close()
        assert any(PATH + UNPLACED in text for text in notices)
        await restored(practice, simulation.addresses[0], f"{visit}-1")
        assert nothing_left_behind(simulation)


async def test_given_up_before_a_written_file_was_read_again(practice: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages were verified, the file was not: nobody may read “cancelled”."""
    async with practice.terminals("practice") as simulation:
        visit = await backed_up(practice, simulation)
        change(simulation, receipt_header="WRONG")
        monkeypatch.setattr(restore, "verify_configs", cut)
        await stopped(restored(practice, simulation.addresses[0], visit))
    assert abandon(practice.services, practice.visit().id, None).outcome is Outcome.INCONSISTENT


async def test_a_file_that_is_gone_after_the_rename(practice: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the rename on nothing is a refusal that left everything as it was."""
    practice.changed["problem.install"] = "leave"
    real = vars(config_files)["ask"]
    async with practice.terminals("practice") as simulation:
        files = simulation.terminals[0].device.files

        async def and_gone(link: Any, command: str, **limits: Any) -> str:
            answer = str(await real(link, command, **limits))
            if command.startswith("mv "):
                files.place(PATH).unlink()
            return answer

        visit = await backed_up(practice, simulation)
        change(simulation, receipt_header="WRONG")
        monkeypatch.setattr(config_files, "ask", and_gone)
        finished = await restored(practice, simulation.addresses[0], visit)
    assert finished.outcome is Outcome.INCONSISTENT
    assert PATH in practice.lane().error.state_now.text("en")  # type: ignore[union-attr]
