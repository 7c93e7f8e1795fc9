"""One laptop, one stick and one terminal whose visit is stopped, judged at once, gone on with and judged again.

What is true is asked of the simulator's own state, not of what techtool wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import techtool.links.adb.wire as wire
import techtool.terminals.staging as staging
from techtool.cli.demo_world import DemoWorld
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address
from techtool.domain.visit import CatmAction, LaneRecord, StepState, VisitRecord
from techtool.errors import DiskFull, Exit
from techtool.events import Event, Finished, LaneIdentified
from techtool.paths import DISK, Disk
from techtool.simulator.faults import FaultScript
from techtool.simulator.model import APKS, find_model
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.visit.awake import not_kept
from techtool.visit.engine import Engine
from techtool.visit.operator import Answers, ScriptedOperator
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from techtool.visit.visits import list_visits, open_record
from tests.unit.store.disks import FullDisk
from tests.visit.power import FrozenChannel, FrozenDisk, Power, expecting_a_cut

MODEL = "sunmi-p2"
TWO = ("com.example.emvkernel-7.1.0.apk", "com.example.sunmi.pay-1.5.0.apk")
"""What the stick brings for it, in the order in which it goes in."""
PATIENCE_S = 60.0
"""A run that takes longer hangs."""


def prepare(*, staged: bool = False) -> None:
    """In every worker process; ``staged``: every package is laid down on the terminal first, as only large ones are."""
    if staged:
        vars(staging)["STAGE_FROM_BYTES"] = 1
    vars(wire)["PacketChannel"] = FrozenChannel


@dataclass(frozen=True)
class Setting:
    """Of what world and of what visit a trial is."""

    template: Path
    """A demo world, with its office; never worked in."""
    packages: tuple[str, ...] = TWO
    """Files of what is installed."""

    @property
    def planned(self) -> dict[str, str]:
        """Package → SHA-256 of what the stick brings."""
        return _digests(self.packages)

    @property
    def office_key(self) -> str:
        """Opens every backup."""
        return (self.template / "office/office.agekey").read_text().strip()

    @contextlib.contextmanager
    def copied(self) -> Iterator[Path]:
        """A folder of its own, with the world in it as ``0``."""
        folder = Path(tempfile.mkdtemp(prefix="stop-", dir=self.template.parent))
        try:
            shutil.copytree(self.template, folder / "0", ignore=shutil.ignore_patterns("office"))
            yield folder
        finally:
            shutil.rmtree(folder)


@cache
def _digests(files: tuple[str, ...]) -> dict[str, str]:
    return {name.rpartition("-")[0]: hashlib.sha256((APKS / name).read_bytes()).hexdigest() for name in files}


@dataclass(frozen=True)
class Stops:
    """One trial: the effects at which the power fails, run after run, and what of the unsynced bytes is then found."""

    at: tuple[int, ...] = ()
    torn: str | int | None = None
    """None: everything that was written is there; else see :class:`tests.unit.store.lossy.Pick`."""
    full_at: int | None = None
    """No power cut: the disk is full from this write on, until room was made before the next run."""


@dataclass(frozen=True)
class Judged:
    """What came of it."""

    stops: Stops
    lies: tuple[str, ...]
    """Empty: truthful, from the stop to the end."""


# --- the visit ----------------------------------------------------------------------------------------------------


@dataclass
class Trial:
    """One laptop, one stick, one terminal."""

    setting: Setting
    world: DemoWorld
    state: Path
    """Of the terminal: another machine, whose power does not fail."""
    commits: Counter[str] = field(default_factory=Counter)
    """What the terminal installed, by package."""
    disk: Disk | None = None
    """None: one that freezes with the power."""
    frozen: FrozenDisk | None = None
    """Of the last run."""

    @contextlib.asynccontextmanager
    async def terminal(self, disk: Disk = DISK, faults: FaultScript | None = None) -> AsyncIterator[Simulation]:
        """Switched on; ``disk`` is its own."""
        spec = TerminalSpec(find_model(MODEL), 1)
        async with Simulation([spec], state=self.state, boot_s=0.02, disk=disk, faults=faults) as simulation:
            self.count_commits(simulation)
            yield simulation

    def count_commits(self, simulation: Simulation) -> None:
        """From now on what this terminal installs is counted."""
        packages = simulation.terminals[0].device.packages
        put = packages._put

        def counted(staged: Any, **more: Any) -> None:
            self.commits.update(one.apk.facts.id for one in staged)
            put(staged, **more)

        packages._put = counted  # type: ignore[method-assign]

    def services(self, power: Power | None) -> Services:
        """Without the formats that take longer to draw than the visit takes."""
        disk = self.disk or DISK
        if power is not None and self.disk is None:
            disk = self.frozen = FrozenDisk(self.world.folder, power)
        return replace(Services.real(self.world.paths, disk), report_formats=("json",), keep_awake=not_kept)

    async def go_on(self, address: str, power: Power) -> Finished | None:
        """Run the visit, or resume it where there is one; None when the power failed."""
        services = self.services(power)
        FrozenChannel.power = power
        operator = ScriptedOperator(Answers.read(self.world.answers))
        engine = Engine(services, operator)
        wanted = tuple(self.setting.planned) if self.setting.packages != TWO else ()
        request = VisitRequest((Address.parse(address),), self.world.stick, wanted)
        begun = list_visits(self.services(None))
        last: Event | None = None
        with expecting_a_cut():
            async with asyncio.timeout(PATIENCE_S):
                async for event in engine.resume(ResumeRequest()) if begun else engine.run(request):
                    last = event
                    if isinstance(event, LaneIdentified):
                        operator.confirmations = (event.serial[-4:],)
        if power.off:
            return None
        assert isinstance(last, Finished)
        return last

    def record(self) -> VisitRecord | None:
        services = self.services(None)
        found = list_visits(services)
        return open_record(services, found[-1].id) if found else None


# --- the judge ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """What is on the laptop at one moment, and what of it is not so."""

    record: VisitRecord | None
    lies: tuple[str, ...]

    @property
    def over(self) -> bool:
        """The visit is closed already: nothing is left to go on with."""
        return self.record is not None and self.record.sealed


def look(trial: Trial, simulation: Simulation) -> Look:
    """At any moment: after a stop, and at the end."""
    try:
        record = trial.record()
    except Exception as error:
        return Look(None, (f"the record cannot be opened: {error!r}",))
    return Look(record, tuple(_lies(record, trial, simulation)))


def look_after_a_stop(trial: Trial, simulation: Simulation) -> Look:
    """A visit that is closed by then ended well: no stop is a reason to give up."""
    found = look(trial, simulation)
    if found.record is None or not found.over or found.record.outcome is Outcome.SUCCESS:
        return found
    return replace(found, lies=(*found.lies, f"sealed as {found.record.outcome}"))


def lies(trial: Trial, simulation: Simulation) -> tuple[str, ...]:
    """Everything in the record that is not so; and what must never be."""
    return look(trial, simulation).lies


def _lies(record: VisitRecord | None, trial: Trial, simulation: Simulation) -> Iterator[str]:
    there = {p.id: p.apk_sha256 for p in simulation.terminals[0].device.store.state.packages.values()}
    if any(count > 1 for count in trial.commits.values()):
        yield f"installed twice: {dict(trial.commits)}"
    if record is None:
        return
    for lane in record.lanes:
        yield from _lies_of(lane, there, trial)
    if record.outcome is Outcome.SUCCESS and not _as_planned(there, trial):
        yield "the visit says success"


def _lies_of(lane: LaneRecord, there: dict[str, str], trial: Trial) -> Iterator[str]:
    planned = trial.setting.planned
    if lane.outcome is Outcome.SUCCESS and not _as_planned(there, trial):
        yield "the terminal's outcome says success"
    for file in lane.installed:
        if file.sha256_found and there.get(file.package.id) != file.sha256_found:
            yield f"{file.package.id} was not read back as recorded"
    for step in lane.steps:
        done = step.state is StepState.DONE and step.action is CatmAction.INSTALL
        if done and step.item in planned and there.get(step.item) != planned[step.item]:
            yield f"{step.item} is said to be installed"
    if lane.backup is not None:
        yield from _backup_lies(trial, lane.backup.file, lane.backup.sha256)


def _backup_lies(trial: Trial, name: str, sha256: str) -> Iterator[str]:
    from pyrage import decrypt, x25519

    path = trial.world.paths.backups / name
    if not path.is_file():
        yield "the backup is gone"
        return
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        yield "the backup is another one"
        return
    if not decrypt(data, [x25519.Identity.from_str(trial.setting.office_key)]):
        yield "the backup is empty"


def _as_planned(there: dict[str, str], trial: Trial) -> bool:
    return all(there.get(package) == sha256 for package, sha256 in trial.setting.planned.items())


def look_at_the_end(trial: Trial, simulation: Simulation, finished: Finished) -> tuple[str, ...]:
    """A visit that was gone on with until nothing stopped it any more: what is not so, or not as it should be."""
    found = look(trial, simulation)
    return (*found.lies, *_lies_of_the_end(found.record, trial, finished))


def _lies_of_the_end(record: VisitRecord | None, trial: Trial, finished: Finished) -> Iterator[str]:
    if not finished.sealed or finished.outcome is not Outcome.SUCCESS:
        yield f"it ends as {finished.outcome}, exit {finished.exit_code}, sealed: {finished.sealed}"
    lane = record.lanes[0] if record else None
    if lane is None or lane.backup is None:
        yield "no backup"
    if lane is not None and any(step.state is StepState.STARTED for step in lane.steps):
        yield "a step stays open"
    if set(trial.commits) != set(trial.setting.planned):
        yield f"installed: {dict(trial.commits)}"


# --- one trial ----------------------------------------------------------------------------------------------------


def tried(setting: Setting, stops: Stops) -> Judged:
    """In a worker: one trial from a fresh copy of the world."""
    with setting.copied() as folder:
        try:
            return Judged(stops, asyncio.run(quietly(_tried(setting, stops, folder))))
        except Exception as error:
            return Judged(stops, (f"it broke: {error!r}",))


async def quietly(work: Any) -> Any:
    """A packet that is not sent from within a callback is no news."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    return await work


async def _tried(setting: Setting, stops: Stops, folder: Path) -> tuple[str, ...]:
    trial = Trial(setting, DemoWorld(folder / "0"), folder / "sim")
    async with trial.terminal() as simulation:
        if stops.full_at is not None:
            return tuple([lie async for lie in _full(trial, stops.full_at, simulation)])
        return tuple([lie async for lie in _runs(trial, stops, folder, simulation)])


async def _full(trial: Trial, full_at: int, simulation: Simulation) -> AsyncIterator[str]:
    trial.disk = FullDisk(full_at)
    finished, raised = None, False
    try:
        finished = await trial.go_on(simulation.addresses[0], Power())
    except DiskFull:
        raised = True
    found = look(trial, simulation)
    for lie in found.lies:
        yield f"full: {lie}"
    if raised and found.record is not None:
        yield "a visit was begun, and the error was raised all the same"
    if finished is not None and finished.exit_code != Exit.DISK_FULL:
        yield f"full: exit {finished.exit_code}"
    trial.disk = DISK
    if not found.over:
        finished = await trial.go_on(simulation.addresses[0], Power())
        assert finished is not None
        for lie in look_at_the_end(trial, simulation, finished):
            yield lie


async def _runs(trial: Trial, stops: Stops, folder: Path, simulation: Simulation) -> AsyncIterator[str]:
    for number, off_at in enumerate((*stops.at, Power().off_at), 1):
        finished = await trial.go_on(simulation.addresses[0], Power(off_at))
        if finished is not None:
            for lie in look_at_the_end(trial, simulation, finished):
                yield f"run {number}: {lie}"
            return
        if stops.torn is not None:
            trial.world = _torn(trial, folder / str(number), stops.torn)
        found = look_after_a_stop(trial, simulation)
        for lie in found.lies:
            yield f"run {number}: {lie}"
        if found.over:
            return


def _torn(trial: Trial, into: Path, how: str | int) -> DemoWorld:
    """The laptop's disk as it may be found after the power came back."""
    assert trial.frozen is not None
    trial.frozen.image(into, how)
    return DemoWorld(into)


def counted(setting: Setting) -> tuple[list[str], int]:
    """In a worker: the kinds of all effects of a visit that nothing stops, and its writes."""
    with setting.copied() as folder:
        trial = Trial(setting, DemoWorld(folder / "0"), folder / "sim")
        kinds = asyncio.run(quietly(_whole(trial)))
    with setting.copied() as folder:
        full = FullDisk(1 << 30)
        trial = Trial(setting, DemoWorld(folder / "0"), folder / "sim", disk=full)
        asyncio.run(quietly(_whole(trial)))
    return list(kinds), full.count


async def _whole(trial: Trial) -> list[str]:
    power = Power()
    async with trial.terminal() as simulation:
        finished = await trial.go_on(simulation.addresses[0], power)
    assert finished is not None
    assert finished.outcome is Outcome.SUCCESS
    return power.kinds
