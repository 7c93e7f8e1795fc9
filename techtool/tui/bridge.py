"""Between the engine and the screens: one task that follows the events, one operator that waits for the person.

The task belongs to the app, never to a screen, so that closing a screen cuts nothing. What happens to the terminal that
is looked at is passed on at once, its progress at most four times a second; all terminals beside each other, and what
happens to those that are not looked at, at most twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from techtool.clock import Clock
from techtool.domain.plan import StepKind
from techtool.domain.question import Question
from techtool.domain.visit import VisitRecord
from techtool.errors import InternalError, TechtoolError
from techtool.events import Asked, Event, Finished, Progress
from techtool.tui.countdown import Countdown
from techtool.tui.meter import Meter
from techtool.tui.person import ScreenOperator
from techtool.tui.views.fold import (
    fold,
    lane_asked,
    planned_visit,
    resumed_visit,
    with_progress,
    with_questions,
)
from techtool.tui.views.problem import record_of
from techtool.tui.views.visit import LaneView, VisitView, Waiting
from techtool.visit.operator import Operator
from techtool.visit.services import ResumeRequest, VisitRequest

PROGRESS_EVERY_S: Final = 0.25
FLEET_EVERY_S: Final = 0.5
_ATTENDED: Final = frozenset({StepKind.INSPECT, StepKind.CHECK, StepKind.CONFIRM, StepKind.TEST, StepKind.SIGN_OFF})
"""Stations at which a person is asked one thing after the other; elsewhere the machine works and the person may go."""


class EngineLike(Protocol):
    """What runs a visit: the engine, or a script in its place."""

    def run(self, request: VisitRequest) -> AsyncGenerator[Event, None]:
        """A new visit."""
        ...

    def resume(self, request: ResumeRequest) -> AsyncGenerator[Event, None]:
        """An unfinished one."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for, so that it can be asked for again."""

    request: VisitRequest | ResumeRequest
    before: VisitView


class Bridge:
    """One run of the engine and the view of it."""

    def __init__(
        self,
        make_engine: Callable[[Operator], EngineLike],
        clock: Clock,
        changed: Callable[[VisitView], None],
    ) -> None:
        self._make_engine = make_engine
        self._clock = clock
        self._changed = changed
        self._meters: dict[str, Meter] = {}
        self._countdowns: dict[str, Countdown] = {}
        self._asked: list[tuple[str, Question]] = []
        """Which terminal asks what, as the events tell it; taken from here when the question arrives."""
        self._operator = ScreenOperator(self._questions)
        self._task: asyncio.Task[None] | None = None
        self._flush: asyncio.TimerHandle | None = None
        self._job: Job | None = None
        self._answered = ""
        """The terminal for which an answer was just given, until its work goes on without the person."""
        self._offer = ""
        self.view = VisitView()

    # -- what the screens ask for -----------------------------------------------------------------------------------

    def begin(self, request: VisitRequest) -> None:
        """Start a new visit."""
        self._start(Job(request, planned_visit([str(a) for a in request.addresses])))

    def resume(self, record: VisitRecord) -> None:
        """Go on with an unfinished visit."""
        self._start(Job(ResumeRequest(record.id), resumed_visit(record.id, record.lanes)))

    def again(self) -> None:
        """Run what was asked for once more; for a run that ended before its journal existed."""
        if self._job is not None and not self.running:
            self._start(self._job)

    def answer(self, question: Question, text: str) -> bool:
        """The person's answer; False when it does not fit the question, or that one does not wait."""
        taken = self._operator.answer(question, text)
        if taken:
            self._answered = self.view.current
        return taken

    def look(self, lane: str) -> None:
        """Look at one of many terminals, or (``""``) at all of them, then with the cursor where it came from."""
        if not self.view.fleet or lane == self.view.current or (lane and self.view.lane_of(lane) is None):
            return
        self._answered, self._offer = "", lane or self.view.current
        self._set(replace(self.view, current=lane))

    def next_waiting(self) -> str:
        """The terminal that waits next for the person, after the one that is looked at; empty: none does."""
        lanes = [one.lane for one in self.view.questions if one.lane]
        after = lanes.index(self.view.current) + 1 if self.view.current in lanes else 0
        return next((lane for lane in (*lanes[after:], *lanes[:after]) if lane != self.view.current), "")

    def take_offer(self) -> str:
        """Where the cursor belongs when all terminals are looked at again; told once."""
        offer, self._offer = self._offer, ""
        return offer

    def stop(self) -> None:
        """Stop at the next safe point: where a person is asked next, never in the middle of a write."""
        if self.running:
            self._set(replace(self.view, stopping=True))
            self._operator.leave()

    def tick(self) -> None:
        """Let time pass for transfers that say nothing, and for those who wait for the person."""
        if not self.running:
            return
        if any(lane.transfer is not None for lane in self.view.lanes):
            self._set(replace(self.view, lanes=tuple(self._timed(lane) for lane in self.view.lanes)))
        elif (self.view.fleet and self.view.questions) or self._with_time(self.view) is not self.view:
            self._tell()

    def _timed(self, lane: LaneView) -> LaneView:
        return replace(lane, transfer=self._meter(lane.lane).now()) if lane.transfer is not None else lane

    @property
    def running(self) -> bool:
        """Whether the engine is at work."""
        return self._task is not None and not self._task.done()

    @property
    def request(self) -> VisitRequest | ResumeRequest | None:
        """What was asked for last."""
        return self._job.request if self._job else None

    async def close(self) -> None:
        """End the run now (window closed, computer going down): what was begun stays open in the journal."""
        if self._flush is not None:
            self._flush.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    # -- following the engine ---------------------------------------------------------------------------------------

    def _start(self, job: Job) -> None:
        self._job = job
        self._operator = ScreenOperator(self._questions)
        self._meters.clear()
        self._countdowns.clear()
        self._asked.clear()
        self._answered = self._offer = ""
        self._set(job.before)
        self._task = asyncio.get_running_loop().create_task(self._follow(job.request))

    async def _follow(self, request: VisitRequest | ResumeRequest) -> None:
        """Every error ends as a view: none may reach the terminal as a traceback with its variables."""
        try:
            engine = self._make_engine(self._operator)
            events = engine.run(request) if isinstance(request, VisitRequest) else engine.resume(request)
            async with contextlib.aclosing(events):
                async for event in events:
                    self._take(event)
        except TechtoolError as error:
            self._fail(error)
        except Exception as error:
            self._fail(InternalError(kind=type(error).__name__))

    def _fail(self, error: TechtoolError) -> None:
        lanes = tuple(replace(lane, transfer=None) for lane in self.view.lanes)
        self._set(replace(self._from_afar(), failure=record_of(error), questions=(), lanes=lanes))

    def _meter(self, lane: str) -> Meter:
        return self._meters.setdefault(lane, Meter(self._clock))

    def _take(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.view = with_progress(self.view, event, self._meter(event.lane).take(event))
            return self._tell_soon()
        if isinstance(event, Asked):
            self._asked.append((event.lane, event.question))
            if event.lane:
                self._countdown(event.lane).asks(event.step)
            return None
        if isinstance(event, Finished):
            self.view = self._from_afar()
        self.view = fold(self.view, event)
        if (told := self.view.lane_of(getattr(event, "lane", ""))) is not None:
            self._countdown(told.lane).note(event, told)
        for lane in self.view.lanes:
            if lane.transfer is None and lane.lane in self._meters:
                self._meters[lane.lane].clear()
        if self.view.fleet and not self.view.over and getattr(event, "lane", "") != self.view.current:
            return self._tell_soon()
        self._go_on_elsewhere()
        return self._tell()

    def _questions(self, questions: Sequence[Question]) -> None:
        """The questions that wait, each with its terminal."""
        known = {id(one.question): one for one in self.view.questions}
        waiting = [known.get(id(question)) or self._waiting(question) for question in questions]
        before = (self.view.question, self.view.waiting_for(""))
        view = with_questions(self.view, waiting)
        for one in waiting:
            self._meter(one.lane).clear()
        self._spoken(waiting)
        if view.fleet and view.waiting_for("") is not None:
            self.view = view
            view = self._from_afar()
        self.view = view
        if view.fleet and (view.question, view.waiting_for("")) == before:
            self._tell_soon()
        else:
            self._tell()

    def _spoken(self, waiting: Sequence[Waiting]) -> None:
        """Whose questions came or went: from now on nobody but the machine is waited for there."""
        now = {one.lane: one.question for one in waiting}
        before = {one.lane: one.question for one in self.view.questions}
        for lane in self.view.lanes:
            if any(now.get(name) is not before.get(name) for name in (lane.lane, "")):
                self._countdown(lane.lane).spoke()
            if any(question.id.startswith("sign_off.") for question in now.values()):
                self._countdown(lane.lane).signs()

    def _countdown(self, lane: str) -> Countdown:
        return self._countdowns.setdefault(lane, Countdown(self._clock))

    def _with_time(self, view: VisitView) -> VisitView:
        """The view with the time left of the terminal that is looked at; of the others nobody reads it."""
        lane = view.lane
        if lane is None:
            return view
        left = None if view.over else self._countdown(lane.lane).at(lane, asked=view.question is not None)
        if left == lane.left:
            return view
        lanes = tuple(replace(one, left=left) if one is lane else one for one in view.lanes)
        return replace(view, lanes=lanes)

    def _waiting(self, question: Question) -> Waiting:
        """Whose question it is: as the event before it said, else by its serial number."""
        place = next((n for n, (_lane, asked) in enumerate(self._asked) if asked == question), None)
        lane = self._asked.pop(place)[0] if place is not None else lane_asked(self.view, question)
        return Waiting(question, lane, self._clock.monotonic_s())

    def _go_on_elsewhere(self) -> None:
        """After an answer the person stays with a terminal that asks on; when it works by itself, and another waits,
        all terminals are shown again, with the cursor on the one that waits longest.
        """
        lane = self.view.lane
        if not self.view.fleet or lane is None or self._answered != lane.lane:
            return
        station = lane.at_work
        if lane.outcome is None and (station is None or station.kind in _ATTENDED):
            return
        self._answered = ""
        if waiting := self.next_waiting():
            self._offer = waiting
            self.view = replace(self.view, current="")

    def _from_afar(self) -> VisitView:
        """The view of all terminals."""
        if not self.view.fleet or not self.view.current:
            return self.view
        self._offer = self._offer or self.view.current
        return replace(self.view, current="")

    def _set(self, view: VisitView) -> None:
        self.view = view
        self._tell()

    def _tell_soon(self) -> None:
        """With the next update that is due."""
        if self._flush is None:
            every_s = PROGRESS_EVERY_S if self.view.current else FLEET_EVERY_S
            self._flush = asyncio.get_running_loop().call_later(every_s, self._tell)

    def _tell(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self.view = self._with_time(self.view)
        self._changed(self.view)
