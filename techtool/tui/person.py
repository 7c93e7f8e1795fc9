"""The person in front of the screen, as the engine asks them: several questions may wait at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from techtool.domain.question import Question
from techtool.errors import StoppedHere
from techtool.visit.operator import acceptable


@dataclass(frozen=True, slots=True, eq=False)
class _Pending:
    """A question and where its answer goes; None is put there when the person leaves."""

    question: Question
    answer: asyncio.Future[str | None] = field(repr=False)


class ScreenOperator:
    """The person in front of the screen; implements the engine's ``Operator`` port for many terminals at once."""

    def __init__(self, changed: Callable[[tuple[Question, ...]], None]) -> None:
        self._changed = changed
        self._pending: list[_Pending] = []
        self._leaving = False

    @property
    def questions(self) -> tuple[Question, ...]:
        """What waits; asked first, first."""
        return tuple(pending.question for pending in self._pending)

    async def ask(self, question: Question) -> str:
        """Wait for the person; raises :class:`StoppedHere` when they asked to stop here."""
        if self._leaving:
            raise StoppedHere(question=question.id, text=question.text)
        pending = _Pending(question, asyncio.get_running_loop().create_future())
        self._pending.append(pending)
        self._changed(self.questions)
        try:
            answer = await pending.answer
        finally:
            self._pending.remove(pending)
            self._changed(self.questions)
        if answer is None:
            raise StoppedHere(question=question.id, text=question.text)
        return answer

    def answer(self, question: Question, text: str) -> bool:
        """Hand the answer over; False when that question does not wait, or not for an answer of that shape.

        The question itself is named, not its text: a key pressed twice must not answer the next one, nor another
        terminal's.
        """
        for pending in self._pending:
            if pending.question is question and not pending.answer.done():
                if not acceptable(question, text):
                    return False
                pending.answer.set_result(text)
                return True
        return False

    def leave(self) -> None:
        """No more answers: whatever asks next, or asks now, stops there and can be resumed."""
        self._leaving = True
        for pending in self._pending:
            if not pending.answer.done():
                pending.answer.set_result(None)
