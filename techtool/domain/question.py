"""What the engine may ask a person, and what a person may answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from techtool.i18n import Phrase


class AnswerKind(StrEnum):
    """The shape of an answer; an answers file holds the JSON value named here."""

    CONFIRM = "confirm"
    """Yes or no: ``true`` / ``false``."""
    CHOICE = "choice"
    """One of the choices' values: a string."""
    TEXT = "text"
    """Free text, scanned for card numbers before it is recorded."""
    LAST4 = "last4"
    """The last four of the serial number, typed: the one gate. Given by ``--confirm`` on the command line."""
    TEST_RESULT = "test_result"
    """``pass``, ``fail``, ``not-applicable: REASON`` or ``not-done: REASON``."""
    SECRET = "secret"  # noqa: S105 - the name of a kind
    """A passphrase: never recorded."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer."""

    value: str
    label: Phrase


@dataclass(frozen=True, slots=True)
class Question:
    """One question with a stable id: ``step.question[.item]``."""

    id: str
    kind: AnswerKind
    text: Phrase
    help: Phrase | None = None
    """What to look at or do on the terminal to answer it."""
    choices: tuple[Choice, ...] = ()
    serial: str = ""
    """Of the terminal it is about; empty when it is about the visit."""
    optional: bool = False
    """May be left empty."""


class CheckResult(StrEnum):
    """Four results; the last two need a reason."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    NOT_DONE = "not-done"


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """A result and, for the last two, why."""

    result: CheckResult
    reason: str = ""

    @classmethod
    def parse(cls, text: str) -> CheckAnswer | None:
        """Read ``pass``, ``fail``, ``not-applicable: …`` or ``not-done: …``; None when it is none of them."""
        word, _, reason = text.partition(":")
        try:
            result = CheckResult(word.strip())
        except ValueError:
            return None
        reason = reason.strip()
        if result in (CheckResult.NOT_APPLICABLE, CheckResult.NOT_DONE) and not reason:
            return None
        return cls(result, reason)

    def __str__(self) -> str:
        return f"{self.result.value}: {self.reason}" if self.reason else self.result.value
