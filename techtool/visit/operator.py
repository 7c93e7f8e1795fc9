"""The one port through which the engine asks a person; screens, the command line and tests each implement it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from techtool.domain.codec import CodecError, convert, decode_json_untyped
from techtool.domain.inspection import ChecklistAnswer, merged_checklist
from techtool.domain.question import AnswerKind, CheckAnswer, Question
from techtool.domain.sensitive import redact
from techtool.errors import (
    AmbiguousChoice,
    AnswerMissing,
    AnswerUnusable,
    BadFile,
    ConfirmationMissing,
    PassphraseMissing,
)
from techtool.paths import os_problem

YES = "yes"
NO = "no"
PASSPHRASE = "visit.passphrase"  # noqa: S105 - the name of a question


class Operator(Protocol):
    """Somebody who can be asked."""

    async def ask(self, question: Question) -> str:
        """The answer as text: ``yes``/``no``, a choice's value, free text, four characters, a test result.

        Raises :class:`AnswerMissing` where nobody can answer and :class:`RefusedByPerson` when a person walks away.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answers:
    """An answers file: ``step.question[.item]`` → answer; ``SERIAL/step.question`` is for one terminal only."""

    values: Mapping[str, str | bool | int | float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Answers:
        """Read a JSON object; raises :class:`BadFile`."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadFile(path=str(path), problem=os_problem(error)) from error
        try:
            return cls(convert(decode_json_untyped(data), dict[str, str | bool | int | float]))
        except CodecError as error:
            raise BadFile(path=str(path), problem=str(error)) from error

    def find(self, question: Question) -> str | None:
        """The answer for this question, the terminal's own first."""
        for key in (f"{question.serial}/{question.id}", question.id):
            if key in self.values:
                value = self.values[key]
                if isinstance(value, bool):
                    return YES if value else NO
                return str(value)
        return None


@dataclass(slots=True)
class ScriptedOperator:
    """Answers from a file and ``--confirm``: what ``visit run`` and ``demo --headless`` put in a person's place."""

    answers: Answers = field(default_factory=Answers)
    confirmations: Sequence[str] = ()
    passphrase: str | None = None
    serials: set[str] = field(default_factory=set)
    """Of all terminals of the visit, told as they are identified: four characters must fit exactly one of them."""

    async def ask(self, question: Question) -> str:
        """The prepared answer; a missing one of an optional question is empty."""
        given = self._given(question)
        if given is None or not acceptable(question, given):
            if question.optional and given is None:
                return ""
            raise _missing(question, given)
        return given

    def _given(self, question: Question) -> str | None:
        if question.kind is AnswerKind.LAST4 and self.confirmations:
            return self._confirmation(question)
        if question.kind is AnswerKind.SECRET and question.id == PASSPHRASE and self.passphrase is not None:
            # Any other secret is somebody else's: the report key's passphrase must not get there.
            return self.passphrase
        if question.kind is AnswerKind.CHECKLIST:
            return self._checklist(question)
        return self.answers.find(question)

    def _checklist(self, question: Question) -> str | None:
        """The list's answer, with those to single items (``inspect.SE-02.ITEM``) put in their places."""
        given = self.answers.find(question)
        items = {
            item.value: self.answers.find(replace(question, id=f"{question.id}.{item.value}"))
            for item in question.items
        }
        single = {item: answer for item, answer in items.items() if answer is not None}
        return merged_checklist(given, single, tuple(items)) if single else given

    def _confirmation(self, question: Question) -> str | None:
        given = next((c for c in self.confirmations if c and question.serial.upper().endswith(c.upper())), None)
        if given is None:
            return None
        fitting = sorted(s for s in self.serials | {question.serial} if s.upper().endswith(given.upper()))
        if len(fitting) > 1:
            raise AmbiguousChoice(what=f"--confirm {given}", choices=", ".join(fitting))
        return given


def _missing(question: Question, given: str | None) -> AnswerMissing:
    """What to tell whoever wrote the answers file."""
    if question.kind is AnswerKind.LAST4:
        return ConfirmationMissing(question=question.id, text=question.text, serial=question.serial)
    if given is None and question.kind is AnswerKind.SECRET:
        return PassphraseMissing(question=question.id, text=question.text)
    if given is None:
        return AnswerMissing(question=question.id, text=question.text)
    shown = redact(given)[:40]
    return AnswerUnusable(question=question.id, text=question.text, answer=shown, allowed=_allowed(question))


_ALLOWED = {
    AnswerKind.CONFIRM: "true, false",
    AnswerKind.TEXT: "…",
    AnswerKind.LAST4: "LAST4",
    AnswerKind.TEST_RESULT: "pass, fail, not-applicable: …, not-done: …",
    AnswerKind.SECRET: "…",
    AnswerKind.CHECKLIST: "pass, fail: ITEM, ITEM; …, not-done: …, ITEM=fail: …; ITEM=not-applicable: …",
    AnswerKind.FILE: "PATH; PATH",
}
"""The JSON values an answers file may hold, as they are written there."""


def _allowed(question: Question) -> str:
    return ", ".join(choice.value for choice in question.choices) or _ALLOWED[question.kind]


def acceptable(question: Question, answer: str) -> bool:
    """Whether ``answer`` has the shape the question asks for; the same check for a person and for a file."""
    match question.kind:
        case AnswerKind.CONFIRM:
            return answer in (YES, NO)
        case AnswerKind.CHOICE:
            return any(choice.value == answer for choice in question.choices)
        case AnswerKind.LAST4:
            return len(answer) == 4 and question.serial.upper().endswith(answer.upper())
        case AnswerKind.TEST_RESULT:
            return CheckAnswer.parse(answer) is not None
        case AnswerKind.TEXT | AnswerKind.FILE:
            return question.optional or bool(answer.strip())
        case AnswerKind.CHECKLIST:
            return ChecklistAnswer.parse(answer, [item.value for item in question.items]) is not None
        case AnswerKind.SECRET:
            return True
