"""A power cut at any moment of a visit: the disk image and the link freeze, and what follows has no effect.

Every moment of a visit by :mod:`tests.visit.stops`. Here besides: the commands of a set of packages, each cut before
and behind, where a terminal may hold both packages or none.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

import techtool.links.adb.wire as wire
from techtool.cli.demo_world import DemoWorld
from techtool.domain.backup import StoredBackup
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address
from techtool.domain.visit import CatmAction
from techtool.events import LaneIdentified
from techtool.links.base import Capability, CommandResult, Confirmed, FileStat, Link
from techtool.paths import Disk
from techtool.simulator.run import Simulation
from techtool.visit.engine import Engine
from techtool.visit.log import VisitLog
from techtool.visit.operator import ScriptedOperator
from techtool.visit.services import Services, VisitRequest
from techtool.visit.visits import list_visits, unfinished
from tests.unit.store.lossy import PowerCut
from tests.visit import stops
from tests.visit.conftest import Shop
from tests.visit.power import FrozenChannel, expecting_a_cut
from tests.visit.stop_images import every_effect
from tests.visit.stop_trial import Setting, Stops, tried
from tests.visit.suite import codes, with_stick


@dataclass
class Power:
    """Counts effects; goes off at one of them."""

    off_at: int = 1 << 30
    count: int = 0
    off: bool = field(default=False)
    commands: list[tuple[int, str]] = field(default_factory=list)
    """What was sent to the terminal, each before which effect."""

    def effect(self, command: str = "") -> None:
        if command:
            self.commands.append((self.count, command))
        self.count += 1
        if self.count > self.off_at:
            self.off = True
        if self.off:
            raise PowerCut


class CutDisk(Disk):
    """A disk that freezes."""

    def __init__(self, power: Power) -> None:
        self.power = power

    def create(self, path: Path, *, exclusive: bool = False) -> int:
        self.power.effect()
        return super().create(path, exclusive=exclusive)

    def write(self, fd: int, data: bytes, path: Path) -> None:
        self.power.effect()
        super().write(fd, data, path)

    def fsync(self, fd: int, path: Path) -> None:
        self.power.effect()
        super().fsync(fd, path)

    def truncate(self, fd: int, size_bytes: int, path: Path) -> None:
        self.power.effect()
        super().truncate(fd, size_bytes, path)

    def replace(self, source: Path, target: Path) -> None:
        self.power.effect()
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self.power.effect()
        super().unlink(path)

    def make_folder(self, folder: Path) -> None:
        self.power.effect()
        super().make_folder(folder)


class CutLink:
    """A link that freezes; a command whose answer never came may have been carried out."""

    def __init__(self, link: Link, power: Power) -> None:
        self.link = link
        self.power = power

    @property
    def address(self) -> Address:
        return self.link.address

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self.link.capabilities

    async def open(self) -> None:
        await self.link.open()

    async def close(self) -> None:
        await self.link.close()

    async def run(self, command: str, **limits: Any) -> CommandResult:
        self.power.effect(command)
        result = await self.link.run(command, **limits)
        self.power.effect()
        return result

    async def feed(self, command: str, source: BinaryIO, size_bytes: int, **more: Any) -> CommandResult:
        self.power.effect(command)
        result = await self.link.feed(command, source, size_bytes, **more)
        self.power.effect()
        return result

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        self.power.effect()
        await self.link.push(source, size_bytes, path, mode=mode, confirmed=confirmed)

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        self.power.effect()
        async for chunk in self.link.pull(path):
            yield chunk

    async def stat(self, path: str) -> FileStat | None:
        return await self.link.stat(path)

    async def reboot(self) -> None:
        self.power.effect()
        await self.link.reboot()


def cut(services: Services, power: Power) -> Services:
    """The same house on a laptop whose power may fail."""
    disk = CutDisk(power)
    real = Services.real(services.paths, disk)
    return replace(real, connect=lambda address: CutLink(services.connect(address), power))


async def run_with(shop: Shop, power: Power, address: str) -> None:
    operator = ScriptedOperator(shop.answers())
    engine = Engine(cut(shop.services, power), operator)
    async for event in engine.run(VisitRequest((Address.parse(address),), shop.world.stick)):
        if isinstance(event, LaneIdentified):
            operator.confirmations = (event.serial[-4:],)


async def measured(shop: Shop, template: Path) -> Power:
    """A whole visit without a cut, after the world was copied as it was before."""
    shutil.copytree(shop.world.folder, template)
    whole = Power()
    async with shop.terminals() as simulation:
        await run_with(shop, whole, simulation.addresses[0])
    return whole


@asynccontextmanager
async def cut_at(shop: Shop, template: Path, off_at: int) -> AsyncIterator[tuple[Shop, Simulation]]:
    """The same visit with the power going off at one effect."""
    folder = template.with_name(f"cut-{off_at}")
    shutil.copytree(template, folder)
    one = replace(shop, world=DemoWorld(folder), events=[])
    async with one.terminals() as simulation:
        with expecting_a_cut():
            await run_with(one, Power(off_at=off_at), simulation.addresses[0])
        yield one, simulation
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def setting() -> Iterator[Setting]:
    with stops.template() as made:
        yield Setting(made)


def test_a_power_cut_at_some_moments(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person runs while working; all moments are in the next one."""
    monkeypatch.setattr(wire, "PacketChannel", FrozenChannel)
    for number in range(100, 1300, 200):
        judged = tried(setting, Stops((number,)))
        assert not judged.lies, judged


PARTS = 12


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_truth_after_a_stop_at_every_effect(part: int, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole visit that installs two packages, stopped at each of its effects."""
    monkeypatch.setattr(wire, "PacketChannel", FrozenChannel)
    found = every_effect(setting, part, PARTS)
    assert {"disk", "packet"} == set(found.kinds)
    assert [judged.stops.at[0] for judged in found.judged] == list(range(part, len(found.kinds), PARTS))
    assert len(found.kinds) > 1000
    wrong = [judged for judged in found.judged if judged.lies]
    print(f"{len(found.judged)} of {len(found.kinds)} stops tried, {len(wrong)} untruthful")
    assert not wrong


@pytest.mark.slow
def test_a_record_that_is_ahead_of_the_terminal_is_found_out(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that notes the outcome when the backup is there: what is told at once is not so, and what is told last.

    Without this nobody would know whether the judge of these tests can say no.
    """
    backed_up = VisitLog.backed_up

    def rash(log: VisitLog, lane: str, stored: StoredBackup) -> None:
        backed_up(log, lane, stored)
        log.finished(lane, Outcome.SUCCESS, 0, None)

    monkeypatch.setattr(wire, "PacketChannel", FrozenChannel)
    monkeypatch.setattr(VisitLog, "backed_up", rash)
    found = every_effect(setting, 0, 150)
    told = {lie for judged in found.judged for lie in judged.lies}
    assert told >= {"at once: the terminal's outcome says success", "the visit says success"}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("choose", "at_least"),
    [
        pytest.param(stops.spread(40), 40, id="runs that are stopped"),
        pytest.param(stops.rows(seed=4, count=3), 3, id="five in a row"),
        pytest.param(stops.torn(seed=4, count=8), 8, id="what was not synced is lost in part"),
        pytest.param(stops.full(sample=15), 15, id="the disk is full at a write"),
    ],
)
def test_truth_after_any_stop(choose: stops.Chosen, at_least: int) -> None:
    """The rarer ways, each in a run that is stopped: a part of what ``python -m tests.visit.stops`` tries in all."""
    tally = stops.try_some(choose)
    print(tally)
    assert tally.tried >= at_least
    assert {"disk", "packet"} == set(tally.effects)
    assert not tally.untruthful, str(tally)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_truth_where_packages_are_laid_down_first() -> None:
    """A part of the effects of the resumable way, which only large packages go; ``--staged`` tries them all."""
    streamed = stops.try_some(lambda _effects, _writes: [])
    tally = stops.try_some(stops.spread(12), staged=True)
    print(tally)
    assert tally.tried >= 12
    assert tally.effects["packet"] > streamed.effects["packet"], "nothing was laid down"
    assert not tally.untruthful, str(tally)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_power_cut_while_two_packages_go_in_together(shop: Shop, suite: Path, tmp_path: Path) -> None:
    """Before and after every command of the set, and in the journal's entry behind it: both packages or none."""
    pair, template = with_stick(shop, suite), tmp_path / "template"
    whole = await measured(pair, template)
    sent = [(count, command) for count, command in whole.commands if "package install-" in command]
    actions = [command.split()[2] for _count, command in sent]
    one_package = ["install-create", "install-write"]
    assert actions == ["install-create", *one_package, *one_package, "install-add-session", "install-commit"]
    found: set[tuple[int, ...]] = set()
    for off_at in sorted({count + step for count, _command in sent for step in (0, 1, 2)}):
        async with cut_at(pair, template, off_at) as (one, simulation):
            found.add(tuple(codes(simulation)))
            await ends_well(one, off_at, simulation.addresses[0])
            # Before Android 12 a child of a dropped set stays until the terminal throws it away.
            left = simulation.terminals[0].device.store.state.sessions
            assert all(session.parent and str(session.parent) not in left for session in left.values()), off_at
            attached = next(count for count, command in sent if "install-add-session" in command) < off_at
            assert attached or not left, off_at
    assert found == {(70000, 10400), (70100, 10500)}


async def ends_well(shop: Shop, off_at: int, address: str) -> None:
    """Truthful at once, and to the end from there."""
    summaries = list_visits(shop.services)
    if not summaries:
        assert (await shop.run(address)).outcome is Outcome.SUCCESS, off_at
        return
    (visit,) = [shop.visit()]
    (lane,) = visit.lanes
    if visit.sealed:
        assert lane.outcome is Outcome.SUCCESS, off_at
        assert all(f.sha256_expected == f.sha256_found for f in lane.installed)
        return
    if lane.outcome is not None:
        assert lane.outcome is Outcome.SUCCESS, off_at
        assert lane.after is not None
    assert [v.id for v in unfinished(shop.services)] == [visit.id], off_at
    finished = await shop.resume()
    assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True), off_at
    lane = shop.lane()
    assert lane.backup is not None
    assert (shop.world.paths.backups / lane.backup.file).is_file()
    done = [s for s in lane.steps if s.action is CatmAction.INSTALL and s.state.value == "done"]
    assert len({s.item for s in done}) == len(done), f"{off_at}: sent twice"
