"""What every error of techtool is made of, and the exit codes that it ends with."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar

from techtool.i18n import N_, Phrase, PhraseValue


class Exit(IntEnum):
    """Process exit codes: a contract with scripts."""

    DONE = 0
    FAILED = 1
    NOTHING_TO_DO = 2
    NOT_FOUND = 3
    USAGE = 4
    ANSWER_MISSING = 5
    REFUSED_BY_PERSON = 6
    OFFICE_UNREACHABLE = 7
    OFFICE_CONFLICT = 8
    UNTRUSTED = 10
    EXPIRED = 11
    RECALLED = 12
    DAMAGED_BUNDLE = 13
    WITHDRAWN = 14
    UNREACHABLE = 20
    UNKNOWN_MODEL = 21
    NOT_COMPATIBLE = 22
    GATE_CLOSED = 23
    LOST = 24
    LOCKED = 30
    DAMAGED_STORE = 31
    DISK_FULL = 32
    ROLLED_BACK = 40
    NEEDS_FIRMWARE = 41
    UNRECOVERABLE = 42
    INCONSISTENT = 43
    NOT_RESTORED = 44
    FORBIDDEN_CONTENT = 50
    BACKUP_NOT_VERIFIED = 51
    RESTORE_REFUSED = 52
    INTERRUPTED = 130


_GRAVEST_FIRST = (
    Exit.UNRECOVERABLE,
    Exit.NEEDS_FIRMWARE,
    Exit.INCONSISTENT,
    Exit.LOST,
    Exit.ROLLED_BACK,
    Exit.NOT_RESTORED,
)


def gravest(codes: Sequence[Exit]) -> Exit:
    """The exit code of a visit with several terminals: the worst for the merchant first, the rest by number."""
    for code in _GRAVEST_FIRST:
        if code in codes:
            return code
    failed = [c for c in codes if c not in (Exit.DONE, Exit.NOTHING_TO_DO)]
    if failed:
        return min(failed)
    return Exit.NOTHING_TO_DO if codes and all(c is Exit.NOTHING_TO_DO for c in codes) else Exit.DONE


class TechtoolError(Exception):
    """Base of all: ``code``, ``what``, ``state_now``, ``next_actions``, ``exit_code``.

    Keyword arguments fill the placeholders of the class's texts. ``detail`` is raw text of the lower layer for the
    support desk; it is never translated and never needed to understand the error.
    """

    code: ClassVar[str] = "TT-000"
    exit_code: ClassVar[Exit] = Exit.FAILED
    what: ClassVar[str] = N_("techtool could not go on.")
    state_now: ClassVar[str] = N_("Nothing was changed.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Try again; if it fails again, send a support bundle to the office."),
    )

    def __init__(self, *, detail: str = "", state: Phrase | None = None, **params: PhraseValue) -> None:
        self.params = params
        self.detail = detail
        self._state = state
        super().__init__(f"{self.code} {self.what_phrase.text('en')}" + (f" [{detail}]" if detail else ""))

    @property
    def what_phrase(self) -> Phrase:
        """What happened."""
        return Phrase(self.what, self.params)

    @property
    def state_phrase(self) -> Phrase:
        """In what state things are now."""
        return self._state or Phrase(self.state_now, self.params)

    @property
    def action_phrases(self) -> tuple[Phrase, ...]:
        """What to do next, most useful first."""
        return tuple(Phrase(action, self.params) for action in self.next_actions)

    def to_json(self) -> dict[str, object]:
        """The error as recorded in journals and printed under ``--json``."""
        return {
            "code": self.code,
            "exit": int(self.exit_code),
            "what": self.what_phrase.to_json(),
            "state_now": self.state_phrase.to_json(),
            "next_actions": [action.to_json() for action in self.action_phrases],
            "detail": self.detail,
        }
