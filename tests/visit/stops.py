"""A stop at every effect of a whole visit; ``python -m tests.visit.stops`` prints how many ended untruthful.

An effect is a write, fsync, rename, unlink or new folder on the laptop's disk, or a packet to the terminal. At effect
*i* the disk and the link freeze: what follows, ``finally`` included, has no effect. The record is judged at once, then
a fresh engine goes on from that image until the visit is closed, and it is judged again. What is true is asked of the
simulator's own state, not of what techtool wrote.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import hashlib
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import techtool.links.adb.wire as wire
import techtool.terminals.staging as staging
import techtool.visit.engine as engine_module
from techtool.cli.demo_world import DemoWorld
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address
from techtool.domain.visit import CatmAction, LaneRecord, StepState, VisitRecord
from techtool.errors import DiskFull, Exit
from techtool.events import Event, Finished, LaneIdentified
from techtool.links.adb.framing import PacketChannel
from techtool.paths import Disk
from techtool.reports.keys import load_report_key
from techtool.simulator.model import APKS, find_model
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.visit.awake import not_kept
from techtool.visit.engine import Engine
from techtool.visit.operator import Answers, ScriptedOperator
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from techtool.visit.visits import list_visits, open_record
from tests.unit.store.lossy import LossyDisk, PowerCut

MODEL = "sunmi-p2"
PLANNED = ("com.example.emvkernel-7.1.0.apk", "com.example.sunmi.pay-1.5.0.apk")
ONE = "one"
"""In the environment of a worker: only the first of them is installed, so that every effect can be tried in CI."""
PATIENCE_S = 60.0
"""A run that takes longer hangs."""


@dataclass
class Power:
    """Counts effects; goes off before number ``off_at`` (from 0)."""

    off_at: int = 1 << 30
    off: bool = False
    kinds: list[str] = field(default_factory=list)
    _one: threading.Lock = field(default_factory=threading.Lock)

    def effect(self, kind: str) -> None:
        with self._one:
            self.off = self.off or len(self.kinds) >= self.off_at
            if self.off:
                raise PowerCut
            self.kinds.append(kind)


def _plain(services: Services) -> Services:
    """Without the formats that take longer to draw than the visit takes."""
    return replace(services, report_formats=("json",), keep_awake=not_kept)


class FrozenDisk(LossyDisk):
    """A disk that freezes with the power, and knows what of it was not synced."""

    def __init__(self, root: Path, power: Power) -> None:
        super().__init__(root)
        self.power = power

    def _effect(self) -> None:
        self.power.effect("disk")


class FrozenChannel(PacketChannel):
    """A connection that freezes with the power."""

    power = Power()

    def send(self, command: int, arg0: int, arg1: int, data: Any = b"") -> None:
        try:
            self.power.effect("packet")
        except PowerCut:
            if self._transport is not None:
                self._transport.abort()
            raise
        super().send(command, arg0, arg1, data)


class FullDisk(Disk):
    """A disk that takes so many writes and no more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.count = 0

    def write(self, fd: int, data: bytes, path: Path) -> None:
        self.count += 1
        if self.count > self.room:
            raise DiskFull(path=str(path), detail=os.strerror(errno.ENOSPC))
        super().write(fd, data, path)


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


@cache
def _key(path: Path, passphrase: str) -> Any:
    return load_report_key(path, passphrase)


def _same_key(path: Path, passphrase: str) -> Any:
    """The report key, whose passphrase is slow on purpose, is opened once: every world has the same."""
    return _key(Path(os.environ["STOPS_TEMPLATE"]) / "home/keys" / path.name, passphrase)


def prepare(template: str, *, staged: bool = False, one: bool = False) -> None:
    """In every worker process; ``staged``: every package is laid down on the terminal first, as only large ones are.

    ``one``: one package is installed instead of two.
    """
    if one:
        os.environ["STOPS_RELEASES"] = ONE
    os.environ["STOPS_TEMPLATE"] = template
    if staged:
        vars(staging)["STAGE_FROM_BYTES"] = 1
    vars(wire)["PacketChannel"] = FrozenChannel
    vars(engine_module)["load_report_key"] = _same_key


# --- the visit ----------------------------------------------------------------------------------------------------


@dataclass
class Trial:
    """One laptop, one stick, one terminal."""

    world: DemoWorld
    state: Path
    """Of the terminal: another machine, whose power does not fail."""
    commits: Counter[str] = field(default_factory=Counter)
    """What the terminal installed, by package."""
    disk: FrozenDisk | None = None
    """Of the last run."""
    full: FullDisk | None = None

    @contextlib.asynccontextmanager
    async def terminal(self) -> Any:
        spec = TerminalSpec(find_model(MODEL), 1)
        async with Simulation([spec], state=self.state, boot_s=0.02) as simulation:
            packages = simulation.terminals[0].device.packages
            put = packages._put

            def counted(staged: Any, **more: Any) -> None:
                self.commits.update(one.apk.facts.id for one in staged)
                put(staged, **more)

            packages._put = counted  # type: ignore[method-assign]
            yield simulation

    def services(self, power: Power | None) -> Services:
        if power is None:
            return _plain(Services.real(self.world.paths))
        if self.full is not None:
            return _plain(Services.real(self.world.paths, self.full))
        self.disk = FrozenDisk(self.world.folder, power)
        return _plain(Services.real(self.world.paths, self.disk))

    async def go_on(self, address: str, power: Power) -> Finished | None:
        """Run the visit, or resume it where there is one; None when the power failed."""
        services = self.services(power)
        FrozenChannel.power = power
        operator = ScriptedOperator(Answers.read(self.world.answers))
        engine = Engine(services, operator)
        begun = list_visits(self.services(None))
        last: Event | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                wanted = tuple(planned()) if _chosen() != PLANNED else ()
                request = VisitRequest((Address.parse(address),), self.world.stick, wanted)
                async for event in engine.resume(ResumeRequest()) if begun else engine.run(request):
                    last = event
                    if isinstance(event, LaneIdentified):
                        operator.confirmations = (event.serial[-4:],)
        except PowerCut:
            return None
        except BaseExceptionGroup as group:
            if group.split(PowerCut)[0] is None:
                raise
            return None
        assert isinstance(last, Finished)
        return None if power.off else last

    def record(self) -> VisitRecord | None:
        services = self.services(None)
        found = list_visits(services)
        return open_record(services, found[-1].id) if found else None


def _chosen() -> tuple[str, ...]:
    return PLANNED[:1] if os.environ.get("STOPS_RELEASES") == ONE else PLANNED


@cache
def planned() -> dict[str, str]:
    """Package → SHA-256 of what the stick brings."""
    return {name.rpartition("-")[0]: hashlib.sha256((APKS / name).read_bytes()).hexdigest() for name in _chosen()}


def lies(trial: Trial, simulation: Simulation) -> Iterator[str]:
    """Everything in the record that is not so; and what must never be."""
    there = {p.id: p.apk_sha256 for p in simulation.terminals[0].device.store.state.packages.values()}
    if any(count > 1 for count in trial.commits.values()):
        yield f"installed twice: {dict(trial.commits)}"
    try:
        record = trial.record()
    except Exception as error:
        yield f"the record cannot be opened: {error!r}"
        return
    for lane in record.lanes if record else ():
        yield from _lies_of(lane, there, trial)
    if record is not None and Outcome.SUCCESS is record.outcome and not _as_planned(there):
        yield "the visit says success"


def _lies_of(lane: LaneRecord, there: dict[str, str], trial: Trial) -> Iterator[str]:
    if lane.outcome is Outcome.SUCCESS and not _as_planned(there):
        yield "the terminal's outcome says success"
    for file in lane.installed:
        if file.sha256_found and there.get(file.package.id) != file.sha256_found:
            yield f"{file.package.id} was not read back as recorded"
    for step in lane.steps:
        done = step.state is StepState.DONE and step.action is CatmAction.INSTALL
        if done and step.item in planned() and there.get(step.item) != planned()[step.item]:
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
    secret = (Path(os.environ["STOPS_TEMPLATE"]) / "office/office.agekey").read_text().strip()
    if not decrypt(data, [x25519.Identity.from_str(secret)]):
        yield "the backup is empty"


def _as_planned(there: dict[str, str]) -> bool:
    return all(there.get(package) == sha256 for package, sha256 in planned().items())


# --- one trial ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _copied(template: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="stop-", dir=template.parent))
    try:
        shutil.copytree(template, folder / "0", ignore=shutil.ignore_patterns("office"))
        yield folder
    finally:
        shutil.rmtree(folder)


async def _tried(stops: Stops, folder: Path) -> tuple[str, ...]:
    trial = Trial(DemoWorld(folder / "0"), folder / "sim")
    async with trial.terminal() as simulation:
        if stops.full_at is not None:
            return tuple([lie async for lie in _full(trial, stops.full_at, simulation)])
        return tuple([lie async for lie in _runs(trial, stops, folder, simulation)])


async def _full(trial: Trial, full_at: int, simulation: Simulation) -> AsyncIterator[str]:
    trial.full = FullDisk(full_at)
    finished = None
    try:
        finished = await trial.go_on(simulation.addresses[0], Power())
    except DiskFull:
        if trial.record() is not None:
            yield "a visit was begun, and the error was raised all the same"
    for lie in lies(trial, simulation):
        yield f"full: {lie}"
    if finished is not None and finished.exit_code != Exit.DISK_FULL:
        yield f"full: exit {finished.exit_code}"
    trial.full = None
    record = trial.record()
    if record is None or not record.sealed:
        finished = await trial.go_on(simulation.addresses[0], Power())
        assert finished is not None
        for lie in [*lies(trial, simulation), *_end(trial, finished)]:
            yield lie


async def _runs(trial: Trial, stops: Stops, folder: Path, simulation: Simulation) -> AsyncIterator[str]:
    for number, off_at in enumerate((*stops.at, Power().off_at), 1):
        finished = await trial.go_on(simulation.addresses[0], Power(off_at))
        if finished is None and stops.torn is not None:
            trial.world = _torn(trial, folder / str(number), stops.torn)
        for lie in lies(trial, simulation):
            yield f"run {number}: {lie}"
        record = trial.record()
        if finished is not None:
            for lie in _end(trial, finished):
                yield lie
            return
        if record is not None and record.sealed:
            if record.outcome is not Outcome.SUCCESS:
                yield f"sealed as {record.outcome}"
            return


def _torn(trial: Trial, into: Path, how: str | int) -> DemoWorld:
    """The laptop's disk as it may be found after the power came back."""
    assert trial.disk is not None
    trial.disk.image(into, how)
    return DemoWorld(into)


def _end(trial: Trial, finished: Finished) -> Iterator[str]:
    if not finished.sealed or finished.outcome is not Outcome.SUCCESS:
        yield f"it ends as {finished.outcome}, exit {finished.exit_code}, sealed: {finished.sealed}"
    record = trial.record()
    lane = record.lanes[0] if record else None
    if lane is None or lane.backup is None:
        yield "no backup"
    if lane is not None and any(step.state is StepState.STARTED for step in lane.steps):
        yield "a step stays open"
    if set(trial.commits) != set(planned()):
        yield f"installed: {dict(trial.commits)}"


def tried(stops: Stops) -> Judged:
    """In a worker: one trial from a fresh copy of the world."""
    with _copied(Path(os.environ["STOPS_TEMPLATE"])) as folder:
        try:
            return Judged(stops, asyncio.run(_quietly(_tried(stops, folder))))
        except Exception as error:
            return Judged(stops, (f"it broke: {error!r}",))


async def _quietly(work: Any) -> Any:
    """A packet that is not sent from within a callback is no news."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    return await work


def writes_counted() -> int:
    """In a worker: the writes of a visit."""
    with _copied(Path(os.environ["STOPS_TEMPLATE"])) as folder:
        return int(asyncio.run(_quietly(_writes(folder))))


async def _writes(folder: Path) -> int:
    trial = Trial(DemoWorld(folder / "0"), folder / "sim", full=FullDisk(1 << 30))
    async with trial.terminal() as simulation:
        await trial.go_on(simulation.addresses[0], Power())
    assert trial.full is not None
    return trial.full.count


def counted() -> list[str]:
    """In a worker: the kinds of all effects of a visit that nothing stops."""
    with _copied(Path(os.environ["STOPS_TEMPLATE"])) as folder:
        return list(asyncio.run(_quietly(_whole(folder))))


async def _whole(folder: Path) -> list[str]:
    trial, power = Trial(DemoWorld(folder / "0"), folder / "sim"), Power()
    async with trial.terminal() as simulation:
        finished = await trial.go_on(simulation.addresses[0], power)
    assert finished is not None
    assert finished.outcome is Outcome.SUCCESS
    return power.kinds


# --- all of them --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tally:
    """What is printed."""

    tried: int
    effects: Counter[str]
    untruthful: tuple[Judged, ...]
    seconds: float

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.effects.items()))
        lines = [f"{judged.stops}: {'; '.join(judged.lies)}" for judged in self.untruthful]
        head = f"{self.tried} stops tried over {sum(self.effects.values())} effects ({kinds}) in {self.seconds:.0f} s"
        return "\n".join([*lines, f"{head}, {len(self.untruthful)} untruthful"])


@contextlib.contextmanager
def workers(
    folder: Path | None = None, count: int | None = None, *, staged: bool = False, one: bool = False
) -> Iterator[ProcessPoolExecutor]:
    """Processes that try stops, on a world made for them."""
    shm = Path("/dev/shm")
    fast = folder is None and shm.is_dir() and os.access(shm, os.W_OK)
    base = Path(tempfile.mkdtemp(prefix="stops-", dir=shm if fast else folder))
    try:
        (base / "template").mkdir()
        DemoWorld.make(base / "template", "en")
        with ProcessPoolExecutor(
            count or 1 + (os.cpu_count() or 1),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=partial(prepare, staged=staged, one=one),
            initargs=(str(base / "template"),),
        ) as pool:
            yield pool
    finally:
        shutil.rmtree(base, ignore_errors=True)


Chosen = Callable[[int, int], list[Stops]]
"""Trials for a visit of so many effects and so many writes."""


def try_all(
    choose: Chosen | None = None,
    *,
    sample: int = 0,
    count: int | None = None,
    staged: bool = False,
    one: bool = False,
) -> Tally:
    """Every single stop, or an evenly spread ``sample`` of them, or what ``choose`` says."""
    begun = time.monotonic()
    with workers(count=count, staged=staged, one=one) as pool:
        kinds = pool.submit(counted).result()
        writes = pool.submit(writes_counted).result()
        chosen = choose(len(kinds), writes) if choose else singles(len(kinds), sample)
        judged = list(pool.map(tried, chosen, chunksize=1))
    wrong = tuple(one for one in judged if one.lies)
    return Tally(len(judged), Counter(kinds), wrong, time.monotonic() - begun)


def singles(effects: int, sample: int = 0) -> list[Stops]:
    step = max(1, effects // sample) if sample else 1
    return [Stops((at,)) for at in range(0, effects, step)]


def rows(seed: int, count: int, length: int = 5) -> Chosen:
    """``count`` times five random stops, each in the run after the last."""
    chance = random.Random(seed)
    return lambda effects, _writes: [
        Stops(tuple(chance.randrange(effects) for _ in range(length))) for _ in range(count)
    ]


def torn(seed: int, count: int) -> Chosen:
    """Power cuts that keep only a part of what was not synced."""
    chance = random.Random(seed)
    hows: list[str | int] = ["nothing", "everything", *range(count)]
    return lambda effects, _writes: [Stops((chance.randrange(effects),), hows[n]) for n in range(count)]


def full(sample: int = 0) -> Chosen:
    """A disk that is full at each write."""
    return lambda _effects, writes: [
        Stops(full_at=at) for at in range(0, writes, max(1, writes // sample) if sample else 1)
    ]


def main() -> int:
    """Exit code 1 when a record said what was not so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many stops instead of all")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--way", choices=("stops", "rows", "torn", "full"), default="stops", help="what goes wrong")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--staged", action="store_true", help="packages are laid down first, as large ones are")
    parser.add_argument("--one", action="store_true", help="one package instead of two")
    chosen = parser.parse_args()
    count = chosen.sample or 40
    ways: dict[str, Chosen | None] = {
        "stops": None,
        "rows": rows(chosen.seed, count),
        "torn": torn(chosen.seed, count),
        "full": full(chosen.sample),
    }
    tally = try_all(ways[chosen.way], sample=chosen.sample, count=chosen.workers, staged=chosen.staged, one=chosen.one)
    print(tally)
    return 1 if tally.untruthful else 0


if __name__ == "__main__":
    sys.exit(main())
