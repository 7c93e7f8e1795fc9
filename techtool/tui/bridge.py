"""Between the engine and the screens: one task that follows the events, one operator that waits for the person.

The task belongs to the app, never to a screen, so that closing a screen cuts nothing. Progress is passed on at most
four times a second; everything else at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from techtool.clock import Clock
from techtool.domain.question import Question
from techtool.domain.visit import VisitRecord
from techtool.errors import AnswerMissing, InternalError, TechtoolError
from techtool.events import Event, Progress
from techtool.tui.meter import Meter
from techtool.tui.views.fold import fold, planned_visit, resumed_visit, with_progress, with_question
from techtool.tui.views.problem import record_of
from techtool.tui.views.visit import VisitView
from techtool.visit.operator import Operator, acceptable
from techtool.visit.services import ResumeRequest, VisitRequest

PROGRESS_EVERY_S: Final = 0.25
TICK_S: Final = 1.0


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


class ScreenOperator:
    """The person in front of the screen; implements the engine's ``Operator`` port."""

    def __init__(self, changed: Callable[[Question | None], None]) -> None:
        self._changed = changed
        self._question: Question | None = None
        self._answer: asyncio.Future[str] | None = None
        self._leaving = False

    async def ask(self, question: Question) -> str:
        """Wait for the person; raises :class:`AnswerMissing` when they asked to stop here."""
        if self._leaving:
            raise AnswerMissing(question=question.id, text=question.text)
        self._question = question
        self._answer = asyncio.get_running_loop().create_future()
        self._changed(question)
        try:
            return await self._answer
        finally:
            self._question = self._answer = None
            self._changed(None)

    def answer(self, question: Question, text: str) -> bool:
        """Hand the answer over; False when that question does not wait, or not for an answer of that shape.

        The question is named because a key pressed twice must not answer the next one.
        """
        if question is not self._question or self._answer is None or self._answer.done():
            return False
        if not acceptable(question, text):
            return False
        self._answer.set_result(text)
        return True

    def leave(self) -> None:
        """No more answers: what asks next, or asks now, stops there and can be resumed."""
        self._leaving = True
        if self._question is not None and self._answer is not None and not self._answer.done():
            self._answer.set_exception(AnswerMissing(question=self._question.id, text=self._question.text))


class Bridge:
    """One run of the engine and the view of it."""

    def __init__(
        self,
        make_engine: Callable[[Operator], EngineLike],
        clock: Clock,
        changed: Callable[[VisitView], None],
    ) -> None:
        self._make_engine = make_engine
        self._changed = changed
        self._meter = Meter(clock)
        self._operator = ScreenOperator(self._asked)
        self._task: asyncio.Task[None] | None = None
        self._flush: asyncio.TimerHandle | None = None
        self._job: Job | None = None
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
        """The person's answer; False when it does not fit the question, or another one waits."""
        return self._operator.answer(question, text)

    def stop(self) -> None:
        """Stop at the next safe point: where a person is asked next, never in the middle of a write."""
        if self.running:
            self._set(replace(self.view, stopping=True))
            self._operator.leave()

    def tick(self) -> None:
        """Let time pass for a transfer that says nothing."""
        if self.running and self.view.transfer is not None:
            self._set(replace(self.view, transfer=self._meter.now()))

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
        self._operator = ScreenOperator(self._asked)
        self._meter.clear()
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
        self._set(replace(self.view, failure=record_of(error), question=None, transfer=None))

    def _take(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.view = with_progress(self.view, event, self._meter.take(event))
            if self._flush is None:
                self._flush = asyncio.get_running_loop().call_later(PROGRESS_EVERY_S, self._tell)
            return
        view = fold(self.view, event)
        if view.transfer is None:
            self._meter.clear()
        self._set(view)

    def _asked(self, question: Question | None) -> None:
        self._set(with_question(self.view, question))

    def _set(self, view: VisitView) -> None:
        self.view = view
        self._tell()

    def _tell(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self._changed(self.view)
