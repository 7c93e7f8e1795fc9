"""A shop for every test: the demo's world, copied, with simulated terminals in the same loop."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from techtool.cli.demo_world import DemoWorld
from techtool.clock import Clock, SystemClock
from techtool.domain.pace import Pace
from techtool.domain.terminal import Address
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.events import Event, Finished, LaneIdentified
from techtool.paths import DISK, Disk
from techtool.simulator.faults import Faults, FaultScript
from techtool.simulator.model import Model, find_model
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.visit.engine import Engine
from techtool.visit.operator import Answers, Operator, ScriptedOperator
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from techtool.visit.visits import list_visits, open_record

ONE_BY_ONE = Pace()


@pytest.fixture(scope="session")
def world_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: keys and signatures take half a second."""
    folder = tmp_path_factory.mktemp("world")
    DemoWorld.make(folder, "en")
    return folder


@dataclass
class Shop:
    """One test's laptop, stick and terminals."""

    world: DemoWorld
    events: list[Event] = field(default_factory=list)
    operator: ScriptedOperator = field(default_factory=ScriptedOperator)
    changed: dict[str, str | bool] = field(default_factory=dict)
    confirm: bool = True
    disk: Disk = DISK
    clock: Clock = field(default_factory=SystemClock)
    formats: tuple[str, ...] = ("html", "json")
    """Of the reports: drawing pages takes longer than the visit."""

    @property
    def services(self) -> Services:
        return replace(Services.real(self.world.paths, self.disk), clock=self.clock, report_formats=self.formats)

    def answers(self) -> Answers:
        prepared = dict(Answers.read(self.world.answers).values)
        return Answers({k: v for k, v in {**prepared, **self.changed}.items() if v != "MISSING"})

    @asynccontextmanager
    async def terminals(
        self, *models: str | Model, faults: Sequence[Faults] = (), state: Path | None = None
    ) -> AsyncIterator[Simulation]:
        chosen = [find_model(model) if isinstance(model, str) else model for model in models or ("sunmi-p2",)]
        specs = [TerminalSpec(model, n) for n, model in enumerate(chosen, 1)]
        async with Simulation(
            specs, state=state or self.world.folder / "sim", faults=FaultScript(terminal=tuple(faults)), boot_s=0.05
        ) as simulation:
            yield simulation

    async def run(
        self,
        *addresses: str,
        operator: Operator | None = None,
        releases: tuple[str, ...] = (),
        pace: Pace = ONE_BY_ONE,
    ) -> Finished:
        request = VisitRequest(tuple(Address.parse(a) for a in addresses), self.world.stick, releases, pace=pace)
        return await self._follow(lambda engine: engine.run(request), operator)

    async def resume(self, request: ResumeRequest | None = None) -> Finished:
        return await self._follow(lambda engine: engine.resume(request or ResumeRequest()), None)

    async def _follow(self, start: Callable[[Engine], object], operator: Operator | None) -> Finished:
        self.operator = ScriptedOperator(self.answers())
        engine = Engine(self.services, operator or self.operator)
        events = start(engine)
        async for event in events:  # type: ignore[attr-defined]
            self.events.append(event)
            if isinstance(event, LaneIdentified):
                self.operator.serials.add(event.serial)
                if self.confirm:
                    self.operator.confirmations = (*self.operator.confirmations, event.serial[-4:])
        last = self.events[-1]
        assert isinstance(last, Finished)
        return last

    def visit(self) -> VisitRecord:
        return open_record(self.services, list_visits(self.services)[-1].id)

    def lane(self) -> LaneRecord:
        (lane,) = self.visit().lanes
        return lane


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stick with one release of two packages; made once."""
    from tests.visit.suite import make_suite

    return make_suite(tmp_path_factory.mktemp("suite"))


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where worlds are put by in which a visit was done that several tests look at."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="session")
def undo_stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stick whose releases may be put back; made once."""
    from tests.visit.undo_stick import make_undo_stick

    return make_undo_stick(tmp_path_factory.mktemp("undo-stick"))


@pytest.fixture
def shop(tmp_path: Path, world_template: Path) -> Shop:
    shutil.copytree(world_template, tmp_path / "world")
    return Shop(DemoWorld(tmp_path / "world"))


def fault(**kind: object) -> tuple[Faults, ...]:
    """A fault script for the first terminal."""
    return (replace(Faults(), **kind),)  # type: ignore[arg-type]
