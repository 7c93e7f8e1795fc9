"""What the engine may ask a person, and what a person may answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from techtool.i18n import N_, Phrase, phrase

if TYPE_CHECKING:
    from techtool.domain.rules import Verdict
    from techtool.domain.visit import ErrorRecord


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
    CHECKLIST = "checklist"
    """Several items at once, all in order or not: see :class:`techtool.domain.inspection.ChecklistAnswer`."""
    FILE = "file"
    """Paths of one or more files, each on its line or parted by ``;``: what is kept of them is the evidence."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer."""

    value: str
    label: Phrase
    help: Phrase | None = None
    """What it means, or what to look at."""


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
    items: tuple[Choice, ...] = ()
    """Of a checklist: what is looked at, in order."""
    error: ErrorRecord | None = None
    """Of a problem: its code and what to do, wherever it was raised."""


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


_LABEL: Final = N_("Read the label on the underside of the terminal.")
_ABOUT: Final = N_("On the terminal: settings, about this device; or the maker's system information menu.")
_APPS: Final = N_("On the terminal: settings, applications; or the version page of the application itself.")
_HELP: Final = {
    "hw-revision": _LABEL,
    "region": _LABEL,
    "blocked-hardware": _LABEL,
    "firmware": _ABOUT,
    "bootloader": _ABOUT,
    "installed-version": _ABOUT,
    "component": _APPS,
    "conflict": _APPS,
    "sdk": N_(
        "On the terminal: settings, about this device. Android 7.1 is API level 25, 10 is 29, 11 is 30, 13 is 33."
    ),
    "abi": N_("The terminal's data sheet names its processor."),
    "battery": N_("Look at the battery in the status bar, or on the terminal: settings, battery."),
    "external-power": N_("Look for the charging symbol in the status bar."),
    "free-storage": N_("On the terminal: settings, storage."),
    "tamper": N_(
        "Look at the seals, the screws and the screen: a tampered terminal shows an alert and takes no cards."
    ),
}
_BATCH_HELP: Final = N_(
    "On the terminal: open the payment application, settle (close the batch), and wait until it says that it is done. "
    "Then look at its list of offline (stored) sales and of reversals: both must be empty."
)
TAKINGS: Final = frozenset({"check.batch"})
"""Questions about money that waits in the terminal: who says yes also says by what it was seen."""


def evidence_question(question: Question) -> Question:
    """By what a yes about takings can be proven later; recorded beside the answer."""
    return Question(
        f"{question.id}.evidence",
        AnswerKind.TEXT,
        phrase("What shows it: the number of the settlement slip, or the name of a photo?"),
        help=phrase("Print the settlement slip, or take a photo of the screen; it is kept in the report."),
        serial=question.serial,
    )


def totals_question(question: Question) -> Question:
    """The figures of the slip that was just named."""
    return Question(
        f"{question.id}.totals",
        AnswerKind.TEXT,
        phrase("Count and sum on the settlement slip, e.g. {example}", example="37 / 5210.00"),
        help=phrase(
            "They stand in the report. Leave it empty where the slip is not at hand; never type a card number."
        ),
        serial=question.serial,
        optional=True,
    )


def questions(verdicts: Iterable[Verdict]) -> tuple[Question, ...]:
    """What only a person can answer, once each, in the order of the rules: yes opens the gate, no keeps it closed.

    The answers go into ``Environment.answers`` under the question's id; then the rules are evaluated again.
    """
    asked: dict[str, Question] = {}
    for verdict in verdicts:
        if verdict.ask and not verdict.ok and verdict.ask not in asked:
            text, helped = _worded(verdict)
            asked[verdict.ask] = Question(verdict.ask, AnswerKind.CONFIRM, text, helped)
    return tuple(asked.values())


def _worded(verdict: Verdict) -> tuple[Phrase, Phrase | None]:
    if verdict.what in ("no-open-batch", "erases-data"):
        text = phrase("Is the batch settled, and does no offline sale and no reversal wait in the terminal?")
        return text, Phrase(_BATCH_HELP)
    if verdict.what == "tamper":
        text = phrase("Are all seals whole, and does the screen show no tamper message?")
    else:
        text = phrase("Is this so on this terminal: {need}?", need=verdict.reason.params.get("need", verdict.reason))
    return text, Phrase(_HELP[verdict.what]) if verdict.what in _HELP else None
