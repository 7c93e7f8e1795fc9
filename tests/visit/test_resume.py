"""What a resumed visit asks again, and what breaks without breaking the record."""

from __future__ import annotations

import asyncio
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.cli.demo_world import DemoWorld
from techtool.clock import SystemClock
from techtool.domain.codec import convert
from techtool.domain.outcome import Outcome
from techtool.domain.question import Question
from techtool.domain.release import ReleaseKind
from techtool.domain.terminal import Address, BatchState
from techtool.errors import DiskFull, Exit, RefusedByPerson, StoreLocked
from techtool.events import LaneFinished
from techtool.i18n import Phrase
from techtool.paths import Disk
from techtool.simulator.faults import Direction, Drop, InstallRefusal
from techtool.simulator.model import APKS
from techtool.visit.abandon import abandon
from techtool.visit.operator import Operator
from techtool.visit.services import ResumeRequest
from techtool.visit.setup import trust_root
from techtool.visit.visits import list_visits
from tests.unit.store.disks import FullDisk
from tests.visit.conftest import Shop, fault


@pytest.mark.slow
async def test_a_failed_inspection_does_not_open_on_resume(shop: Shop) -> None:
    shop.changed = {"inspect.SE-02": "fail", "problem.inspect": "later"}
    async with shop.terminals() as simulation:
        assert not (await shop.run(*simulation.addresses)).sealed
        finished = await shop.resume()
        assert (finished.exit_code, finished.sealed) == (Exit.GATE_CLOSED, False)
        shop.changed = {"inspect.incident.closed": "Li, acquirer: a sticker, taken off"}
        assert (await shop.resume()).outcome is Outcome.SUCCESS


@pytest.mark.slow
async def test_another_plan_needs_another_word(shop: Shop, tmp_path: Path) -> None:
    """Confirmed for one stick, resumed with another one: what was typed for the first plan does not count."""
    shop.changed = {"problem.install": "later"}
    refusal = InstallRefusal(word="INSTALL_FAILED_USER_RESTRICTED", times=1)
    async with shop.terminals(faults=fault(install=refusal)) as simulation:
        await shop.run(*simulation.addresses)
        first = shop.lane().confirmed_digest
        assert first
        other = other_stick(shop, tmp_path)
        shop.confirm = False
        for _attempt in range(2):
            finished = await shop.resume(ResumeRequest(bundle=other))
            assert (finished.exit_code, finished.sealed) == (Exit.ANSWER_MISSING, False)
            plan = shop.lane().plan
            assert plan is not None
            assert plan.digest != first
            assert shop.lane().confirmed_digest == first


def other_stick(shop: Shop, tmp_path: Path) -> Path:
    """A stick of another office that this laptop trusts as well, with the kernel alone."""
    clock = SystemClock()
    workspace = Workspace.create(tmp_path / "bundle", ("sunmi",), clock)
    kernel = Description(kind=ReleaseKind.KERNEL, provides=(ProvidesEntry("sunmi", "P2"),))
    workspace.add("sunmi", [APKS / "com.example.emvkernel-7.1.0.apk"], kernel, clock)
    workspace.sign(clock)
    stick = tmp_path / "stick"
    stick.mkdir()
    workspace.write(stick, clock)
    trust_root(shop.world.paths, stick / "TECHTOOL" / "metadata" / "1.root.json")
    return stick


class AtTheGate(Operator):
    """Answers as prepared; does something when the last four are asked."""

    def __init__(self, shop: Shop, then: str) -> None:
        self.shop = shop
        self.then = then

    async def ask(self, question: Question) -> str:
        if question.id == "confirm.last4":
            address = Address.parse(self.then)
            link = self.shop.services.connect(address)
            await link.open()
            await link.run("setprop techtool.sim.batch open")
            await link.close()
        return await self.shop.operator.ask(question)


async def test_a_batch_that_opens_while_the_person_types(shop: Shop) -> None:
    """Takings that came in after the plan are seen before the first byte is sent."""
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses, operator=AtTheGate(shop, simulation.addresses[0]))
        assert simulation.terminals[0].device.store.state.batch is BatchState.OPEN
    assert finished.exit_code == Exit.GATE_CLOSED
    assert not shop.lane().installed


@pytest.mark.slow
async def test_one_terminal_at_two_addresses(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        address = simulation.addresses[0]
        finished = await shop.run(address, address.replace("127.0.0.1", "localhost"))
    outcomes = [lane.outcome for lane in shop.visit().lanes]
    assert outcomes == [Outcome.SUCCESS, Outcome.REFUSED]
    assert (finished.exit_code, finished.sealed) == (Exit.USAGE, True)


async def test_a_report_that_cannot_be_written_does_not_unsay_the_visit(shop: Shop) -> None:
    shop.world.paths.reports.write_text("in the way")
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)
    assert finished.exit_code != 0


@pytest.mark.slow
async def test_a_disk_that_fills_up_anywhere(shop: Shop, tmp_path: Path) -> None:
    """Told with exit 32, never called a whole success, and gone on with when there is room again."""
    template = tmp_path / "template"
    shutil.copytree(shop.world.folder, template)
    shop.disk = roomy = FullDisk(10_000)
    async with shop.terminals() as simulation:
        assert (await shop.run(*simulation.addresses)).exit_code == 0
    for part in range(1, 8):
        folder = tmp_path / f"part-{part}"
        shutil.copytree(template, folder)
        one = replace(shop, world=DemoWorld(folder), events=[], disk=FullDisk(roomy.count * part // 8))
        async with one.terminals() as simulation:
            try:
                finished = await one.run(*simulation.addresses)
            except DiskFull:
                assert list_visits(one.services) == []
                continue
            assert finished.exit_code == Exit.DISK_FULL, part
            one.disk = Disk()
            if not finished.sealed:
                assert (await one.resume()).outcome is Outcome.SUCCESS, part


async def test_abandon_does_not_call_a_changed_terminal_cancelled(shop: Shop) -> None:
    drop = Drop(at_byte=24_000, direction=Direction.IN, times=1)
    async with shop.terminals(faults=fault(drop=drop)) as simulation:
        finished = await shop.run(*simulation.addresses)
        assert not finished.sealed
        sent = any(step.action is not None and step.action.value == "INST" for step in shop.lane().steps)
    record = abandon(shop.services, finished.visit, None)
    assert record.sealed
    assert record.abandoned
    (lane,) = record.lanes
    assert lane.outcome is (Outcome.INCONSISTENT if sent else Outcome.CANCELLED)


async def test_abandon_after_a_verified_installation_says_what_is_there_now(shop: Shop) -> None:
    """Installed and read back, and nobody tested it: that is no visit that was merely cancelled."""
    shop.changed = {"test.TX-01": "MISSING"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.exit_code, finished.sealed) == (Exit.ANSWER_MISSING, False)
    installed = {file.package.id for file in shop.lane().installed}
    assert installed
    record = abandon(shop.services, finished.visit, None)
    (lane,) = record.lanes
    assert (record.outcome, lane.outcome, lane.exit_code) == (
        Outcome.INCONSISTENT,
        Outcome.INCONSISTENT,
        int(Exit.INCONSISTENT),
    )
    db = shop.services.home.open_visit(finished.visit, write=False)
    told = [convert(doc["text"], Phrase).text() for doc in db.table("notices").all() if doc["warning"]]
    assert any(all(package in text for package in installed) and "not finished" in text for text in told), told


class HeldDisk(Disk):
    """Its first write of a payload takes as long as the test wants."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def write(self, fd: int, data: bytes, path: Path) -> None:
        if path.parent.name == "payloads" and not self.begun.is_set():
            self.begun.set()
            assert self.go_on.wait(30)
        super().write(fd, data, path)


async def test_a_visit_that_is_cancelled_while_it_copies_keeps_its_lock_until_the_copy_has_stopped(shop: Shop) -> None:
    """Else the next run and the copy that nobody waits for would write the same file."""
    shop.disk = held = HeldDisk()
    async with shop.terminals() as simulation:
        run = asyncio.create_task(shop.run(*simulation.addresses))
        assert await asyncio.to_thread(held.begun.wait, 30)
        run.cancel()
        _done, pending = await asyncio.wait({run}, timeout=0.1)
        assert pending
        with pytest.raises(StoreLocked):
            await shop.resume()
        held.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert (await shop.resume()).outcome is Outcome.SUCCESS


async def test_who_refuses_after_the_installation_only_stops(shop: Shop) -> None:
    class LeavesAtTheTests(Operator):
        async def ask(self, question: Question) -> str:
            if question.id.startswith("test."):
                raise RefusedByPerson(question=question.text)
            return await shop.operator.ask(question)

    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses, operator=LeavesAtTheTests())
        told = [event for event in shop.events if isinstance(event, LaneFinished)]
        assert told[-1].outcome is not Outcome.SUCCESS
        if not finished.sealed:
            assert (await shop.resume()).outcome is Outcome.SUCCESS


async def test_a_damaged_index_hides_no_visit(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    index = shop.world.paths.index
    index.write_bytes(b"rubbish\n" + index.read_bytes())
    assert [summary.id for summary in list_visits(shop.services)] == [finished.visit]
