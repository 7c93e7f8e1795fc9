"""A hand on the keys: waits for what is on the screen, answers what is asked, reads what is shown."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen

from techtool.cli.demo_world import PASSPHRASE, DemoWorld
from techtool.domain.nearby import Nearby
from techtool.domain.question import AnswerKind, Question
from techtool.domain.visit import VisitRecord
from techtool.simulator.faults import Faults, FaultScript
from techtool.simulator.model import find_model
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.tui.app import TechtoolApp
from techtool.tui.doors import Doors, HouseDoors
from techtool.tui.screens.fleet import FleetScreen, LaneScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.views.visit import VisitView
from techtool.tui.widgets.choices import Choices
from techtool.tui.widgets.fleet_table import FleetTable
from techtool.tui.widgets.question import QuestionPanel
from techtool.visit.hints import Hints
from techtool.visit.services import Services
from techtool.visit.visits import list_visits, open_record

PATIENCE_S = 60.0
"""Far longer than anything takes: a test that waits so long has failed."""
S = TypeVar("S", bound=Screen[Any])


class QuickDoors(HouseDoors):
    """The real doors; a closed visit writes the formats that take no time to draw, nobody looks into the network."""

    async def nearby(self) -> Sequence[Nearby]:
        return []

    async def cables(self) -> AsyncGenerator[Sequence[Nearby], None]:
        return
        yield []  # never

    def _services(self) -> Services:
        return replace(super()._services(), report_formats=("html", "json"))


@dataclass
class Stage:
    """One test's laptop, stick and terminals."""

    world: DemoWorld

    @property
    def services(self) -> Services:
        return Services.real(self.world.paths)

    @asynccontextmanager
    async def terminals(self, *models: str, faults: Sequence[Faults] = ()) -> AsyncIterator[Simulation]:
        specs = [TerminalSpec(find_model(model), n) for n, model in enumerate(models or ("sunmi-p2",), 1)]
        script = FaultScript(terminal=tuple(faults))
        async with Simulation(specs, state=self.world.folder / "sim", faults=script, boot_s=0.05) as simulation:
            yield simulation

    @asynccontextmanager
    async def screens(
        self, *addresses: str, size: tuple[int, int] = (100, 30), settle_s: float = 0.0, doors: Doors | None = None
    ) -> AsyncIterator[Hand]:
        hints = Hints(addresses=addresses, stick=str(self.world.stick))
        app = TechtoolApp(doors or QuickDoors(self.world.paths), hints, settle_s=settle_s)
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Hand(app, pilot)

    def visits(self) -> list[VisitRecord]:
        services = self.services
        return [open_record(services, summary.id) for summary in list_visits(services)]

    def visit(self) -> VisitRecord:
        (visit,) = self.visits()
        return visit


@dataclass
class Hand:
    """What a technician's hand and eye do."""

    app: TechtoolApp
    pilot: Pilot[int]
    asked: list[str] = field(default_factory=list)

    @property
    def view(self) -> VisitView:
        return self.app.house.bridge.view

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Look until it is so."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while not condition():
            assert loop.time() < deadline, f"waited in vain: {what}\n{self.state()}"
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    async def on(self, kind: type[S]) -> S:
        """Wait until this screen is on top."""
        await self.until(lambda: isinstance(self.app.screen, kind) and self.app.screen.is_mounted, kind.__name__)
        screen = self.app.screen
        assert isinstance(screen, kind)
        return screen

    async def press(self, *keys: str) -> None:
        """Keys one after the other, then wait once: the pilot's own press waits up to a second after each."""
        for key in keys:
            self.app.post_message(key_event(key))
        await self.pilot.pause()

    async def type(self, text: str, *then: str) -> None:
        await self.press(*text, *then)

    def panel(self) -> Question | None:
        """The question that is on the screen."""
        if isinstance(self.app.screen, ProblemScreen):
            ready = any(choices.has_focus and choices.options for choices in self.app.screen.query(Choices))
            return self.view.question if ready else None
        for panel in self.app.screen.query(QuestionPanel):
            if panel.display and panel.question is not None and any(w.has_focus for w in panel.query("Choices, Input")):
                return panel.question
        return None

    async def question(self, name: str) -> Question:
        """Wait until this question is on the screen."""
        await self.until(lambda: (q := self.panel()) is not None and q.id == name, name)
        question = self.panel()
        assert question is not None
        return question

    async def answer(self, question: Question, text: str) -> None:
        """Answer by keys."""
        self.asked.append(question.id)
        match question.kind:
            case AnswerKind.CONFIRM:
                await self.press("1" if text == "yes" else "2")
            case AnswerKind.CHECKLIST:
                await self.checklist(question, text)
            case AnswerKind.TEST_RESULT:
                result, _, reason = text.partition(":")
                await self.press(str(["pass", "fail", "not-applicable", "not-done"].index(result) + 1))
                if reason:
                    await self.type(reason.strip(), "enter")
            case AnswerKind.CHOICE:
                values = [choice.value for choice in question.choices]
                await self.press(str(values.index(text) + 1))
            case _:
                await self.type(text, "enter")
        await self.until(
            lambda: all(one.question is not question for one in self.view.questions), f"{question.id} answered"
        )

    async def checklist(self, question: Question, text: str) -> None:
        """``pass``, ``not-done: …`` or ``fail: ITEM, ITEM; note`` by keys."""
        result, _, rest = text.partition(":")
        if result == "pass":
            await self.press("a")
            return
        listed, _, note = rest.partition(";") if result == "fail" else ("", "", rest)
        values, at = [item.value for item in question.items], 0
        for item in filter(None, (word.strip() for word in listed.split(","))):
            place = values.index(item)
            await self.press(*["down" if place > at else "up"] * abs(place - at), "space")
            at = place
        await self.press("enter" if result == "fail" else "n")
        await self.type(note.strip(), "enter")

    async def answers(self, given: Mapping[str, str], *, stop_at: Sequence[str] = ()) -> Question | None:
        """Answer what is asked until the visit is over, or one of ``stop_at`` is asked."""
        while True:
            await self.until(lambda: self.view.over or self._asked() or self._called(), "a question")
            if not self.view.over and not self._asked():
                await self.press("f7")
                continue
            question = self.panel()
            if self.view.over or question is None:
                return None
            if question.id.startswith(tuple(stop_at)):
                return question
            await self.answer(question, given.get(question.id, usual(question)))

    def _asked(self) -> bool:
        return self.panel() is self.view.question is not None

    def _called(self) -> bool:
        """Whether nothing is asked here, and a terminal that is not looked at waits."""
        fleet = self.app.screen
        ready = isinstance(fleet, FleetScreen | LaneScreen) and fleet.ready
        return ready and self.view.question is None and bool(self.view.others)

    async def look(self, lane: str) -> None:
        """From all terminals to this one, by arrows and enter."""
        await self.on(FleetScreen)
        table = self.app.screen.query_one(FleetTable)
        await self.press("ctrl+home")
        for _step in range(len(self.view.lanes)):
            if table.marked == lane:
                break
            await self.press("down")
        assert table.marked == lane, self.state()
        await self.press("enter")
        await self.until(lambda: self.view.current == lane and self.app.screen is not table.screen, f"lane {lane}")

    def state(self) -> str:
        """For a test that failed: what has the focus, what is asked, what is shown."""
        asked = self.view.question.id if self.view.question else None
        return f"focus {self.app.focused}, asked {asked}, panel {self.panel()}\n{self.text()}"

    def text(self) -> str:
        """What is on the screen, line by line."""
        svg = self.app.export_screenshot(simplify=True)
        lines: dict[float, list[tuple[float, str]]] = {}
        for attributes, text in re.findall(r"<text ([^>]*)>([^<]*)</text>", svg):
            x, y = (float(re.search(rf'\b{axis}="([\d.]+)"', attributes).group(1)) for axis in "xy")  # type: ignore[union-attr]
            lines.setdefault(y, []).append((x, html.unescape(text).replace("\xa0", " ")))
        return "\n".join("".join(part for _x, part in sorted(parts)) for _y, parts in sorted(lines.items()))


def key_event(key: str) -> events.Key:
    """What the terminal sends for this key."""
    if len(key) == 1:
        return events.Key(key if key.isalnum() else _character_to_key(key), key)
    return events.Key(key, None)


def usual(question: Question) -> str:
    """What a technician on a good day says."""
    match question.kind:
        case AnswerKind.CONFIRM:
            return "yes"
        case AnswerKind.TEST_RESULT | AnswerKind.CHECKLIST:
            return "pass"
        case AnswerKind.LAST4:
            return question.serial[-4:]
        case AnswerKind.SECRET:
            return PASSPHRASE
        case AnswerKind.CHOICE:
            return question.choices[0].value
        case AnswerKind.TEXT | AnswerKind.FILE:
            return ""
