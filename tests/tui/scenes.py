"""Scenes with frozen data: what snapshots compare and screenshots show. Clock, ids and sizes never change.

The plan is made by the real planner, and every sentence is one of techtool's own, so that both languages are shown:
see ``scene_shop``, ``scene_visit``, ``scene_fleet`` and ``scene_places``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from textual.pilot import Pilot
from textual.widgets import Input

from techtool.bundles.memory import StickTrust
from techtool.bundles.trust import Stick
from techtool.clock import FixedClock
from techtool.domain.nearby import Nearby
from techtool.domain.plan import StepKind
from techtool.domain.question import Question
from techtool.domain.release import VerifiedRelease
from techtool.events import Asked, Event, Finished, Progress, StepDone, StepFailed, StepStarted
from techtool.paths import Paths
from techtool.store.index import VisitSummary
from techtool.tui.app import TechtoolApp
from techtool.tui.bridge import FLEET_EVERY_S, EngineLike
from techtool.tui.doors import HouseDoors
from techtool.tui.views.home import HomeFacts
from techtool.visit.hints import Hints
from techtool.visit.log import record_of
from techtool.visit.operator import Operator
from techtool.visit.services import ResumeRequest, VisitRequest
from tests.factories import digest_of, trust
from tests.tui.scene_fleet import FLEET, fleet_events, fleet_questions, fleet_transfers
from tests.tui.scene_places import ScenePlaces
from tests.tui.scene_shop import ADDRESS, PAY, START, STICK, at, recalls, releases, summaries, unfinished
from tests.tui.scene_visit import (
    LOST,
    last4_question,
    problem_question,
    test_question,
    title_of,
    until_end,
    until_install,
    until_plan,
)


@dataclass
class SceneEngine:
    """Tells its events, lets the bytes of a transfer be confirmed, asks its question, and stays there."""

    clock: FixedClock
    operator: Operator
    events: Sequence[Event]
    question: Question | None = None
    transfer: int = 0
    """Percent of the last step's bytes that are confirmed."""
    asked: Sequence[tuple[str, Question]] = ()
    """Lane and question: all of them wait at the same time."""
    later: Sequence[Event] = ()
    """What is told while they wait."""

    async def run(self, request: VisitRequest) -> AsyncGenerator[Event, None]:
        for event in self.events:
            yield event
        total = 18_204_331
        for share in range(0, self.transfer + 5 if self.transfer else 0, 5):
            self.clock.elapsed_s += 0.85
            yield Progress("1", StepKind.INSTALL, at(103), PAY, total * share // 100, total)
        if self.question is not None:
            await self.operator.ask(self.question)
        if self.asked:
            async with asyncio.TaskGroup() as group:
                for lane, question in self.asked:
                    yield Asked(lane, StepKind.INSPECT, at(140), question)
                    group.create_task(self._ask(question))
                    await asyncio.sleep(0)
                    self.clock.elapsed_s += 7
                for event in self.later:
                    self.clock.elapsed_s += 0.5
                    yield event
        if not any(isinstance(event, Finished) for event in self.events):
            await asyncio.Event().wait()

    async def _ask(self, question: Question) -> None:
        await self.operator.ask(question)

    async def resume(self, request: ResumeRequest) -> AsyncGenerator[Event, None]:
        async for event in self.run(VisitRequest((), Path())):
            yield event


class SceneDoors(ScenePlaces, HouseDoors):
    """A house where everything is known beforehand."""

    def __init__(self, paths: Paths, engine: Callable[[FixedClock, Operator], EngineLike]) -> None:
        super().__init__(paths)
        self.fixed = FixedClock(START)
        self.clock = self.fixed
        self._engine = engine

    def engine(self, operator: Operator) -> EngineLike:
        return self._engine(self.fixed, operator)

    def home_facts(self) -> HomeFacts:
        return HomeFacts("Li Wei", (unfinished(),), 0, None, 4)

    def sticks(self) -> tuple[str, ...]:
        return (STICK,)

    async def nearby(self) -> Sequence[Nearby]:
        return [Nearby(ADDRESS, "device"), Nearby("adb+server:P2A0777770007", "unauthorized")]

    async def cables(self) -> AsyncGenerator[Sequence[Nearby], None]:
        return
        yield []  # never: no cable moves in a picture

    def visits(self) -> Sequence[VisitSummary]:
        return summaries()

    def reports(self, visit: str) -> tuple[Path, ...]:
        folder = Path("/home/wei/techtool/reports") / visit
        return tuple(folder / f"{visit}.{end}" for end in ("en.html", "json", "json.sig", "zh.html"))

    def open_stick(self, path: Path) -> Stick:
        when = StickTrust(
            root_version=3,
            root_sha256=digest_of("root"),
            pinned_sha256=digest_of("root"),
            issued=START - timedelta(days=9),
            use_by=START + timedelta(days=81),
            reference_time=START,
            system_time=START,
            from_mirror=False,
        )
        verified = tuple(VerifiedRelease(release, trust()) for release in releases())
        return SceneStick(
            Path(STICK, "TECHTOOL"), verified, when, (("com.example.pay", "1.4.9"),), recalls(), (), (), None, {}
        )


class SceneStick(Stick):
    """Its payloads are whole."""

    __slots__ = ()

    def check(self, *_arguments: object) -> None:
        """Every byte is as signed."""


# -- the scenes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """One picture."""

    name: str
    events: Sequence[Event] = ()
    question: Question | None = None
    transfer: int = 0
    keys: tuple[tuple[str, ...], ...] = ()
    """Keys pressed in groups; after each the screen comes to rest."""
    terminals: int = 0
    """So many are offered besides those that are seen."""
    asked: Sequence[tuple[str, Question]] = ()
    later: Sequence[Event] = ()

    def app(self, folder: Path) -> TechtoolApp:
        """An app over a home folder that seems set up."""
        paths = Paths(folder)
        for file in (paths.report_key, paths.recipients, paths.trust / "roots" / "x.root.json"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        paths.settings.write_text('technician = "Li Wei"\n', encoding="utf-8")
        doors = SceneDoors(
            paths, lambda c, o: SceneEngine(c, o, self.events, self.question, self.transfer, self.asked, self.later)
        )
        addresses = tuple(f"adb://192.0.2.{n}:5555" for n in range(1, self.terminals + 1))
        return TechtoolApp(doors, Hints(addresses=addresses), settle_s=0)

    async def play(self, pilot: Pilot[int]) -> None:
        """Bring the app to the picture; then nothing moves any more."""
        await pilot.pause()
        for group in self.keys:
            await pilot.press(*group)
            for _turn in range(3):
                await pilot.pause(0.05)
                await pilot.pause()
        if self.terminals:
            await pilot.pause(2 * FLEET_EVERY_S)
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()


_TO_VISIT: Final = (("2",), ("f2",))
_TO_FLEET: Final = (("2",), ("f4",), ("f2",))


def scenes() -> tuple[Scene, ...]:
    """All of them, in the order of a visit."""
    failed = [*until_install(), StepFailed("1", StepKind.INSTALL, at(140), record_of(LOST), PAY)]
    testing = [
        *until_install(),
        StepDone("1", StepKind.INSTALL, at(121), PAY),
        StepStarted("1", StepKind.TEST, at(130), "SE-08", title_of("SE-08")),
    ]
    return (
        Scene("home", keys=((),)),
        Scene("new-visit", keys=(("2",),)),
        Scene("plan", until_plan(), last4_question(), keys=_TO_VISIT),
        Scene("run", until_install(), transfer=60, keys=_TO_VISIT),
        Scene("problem", failed, problem_question(), keys=_TO_VISIT),
        Scene("test", testing, test_question(), keys=_TO_VISIT),
        Scene("result", until_end(), keys=_TO_VISIT),
        Scene(
            "fleet",
            fleet_events(),
            keys=_TO_FLEET,
            terminals=FLEET - 1,
            asked=fleet_questions(),
            later=fleet_transfers(),
        ),
        Scene("stick", keys=(("3",), ("enter",))),
        Scene("visits", keys=(("4",),)),
        Scene("help", keys=(("f1",),)),
        Scene("backups", keys=(("5",),)),
        Scene("restore", keys=(("5",), ("enter",), ("1",), ("f6",))),
        Scene("history", keys=(("6",),)),
        Scene("terminal", keys=(("6",), ("enter",), ("enter",))),
        Scene("due", keys=(("7",),)),
        Scene("due-terminal", keys=(("7",), ("enter",))),
        Scene("office", keys=(("8",),)),
        Scene("settings", keys=(("9",),)),
        Scene("facts", keys=(("ctrl+p",), tuple("facts"), ("enter",))),
        Scene("trust", keys=(("ctrl+p",), tuple("trust"), ("enter",))),
        Scene("palette", keys=(("ctrl+p",), ("down", "down"))),
    )


@contextlib.contextmanager
def in_utc() -> Iterator[None]:
    """One time zone for every picture."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    _tell_time_zone()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        _tell_time_zone()


def _tell_time_zone() -> None:
    if hasattr(time, "tzset"):
        time.tzset()
