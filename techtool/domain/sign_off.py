"""How a visit was signed off at the merchant's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class SignOffWay(StrEnum):
    """The three ways a visit ends at the counter."""

    TYPED = "typed"
    """Name and role typed, and the confirmation code that the screen showed."""
    PAPER = "paper"
    """Signed on paper; a photo of it may be attached."""
    REFUSED = "refused"
    """Nobody signs; with a reason."""


@dataclass(frozen=True, slots=True)
class SignOff:
    """Recorded as what it was."""

    way: SignOffWay
    at: datetime
    name: str = ""
    role: str = ""
    code: str = ""
    """The confirmation code that was shown and typed: it is derived from the record that was signed off."""
    reason: str = ""
    """Why nobody signed."""
    photo: str = ""
    """SHA-256 of the photo of the signed paper."""
    rating: str = ""
    """1 to 5, or empty."""
    findings: str = ""
    recommendations: str = ""
    followup: str = ""
    code_typed: bool = False
    """A person typed the code; False with a code: an answers file had it filled in by the program."""
    head: str = ""
    """Head of the journal that the code is derived from (:func:`confirmation_code`)."""
    training: str = ""
    """Who was shown what."""


CODE_LETTERS: Final = "ACDEFHJKLMNPQRTUVWXY"
"""Letters that are told from each other on a screen, on paper and by ear; no digit, so that no card number arises."""
CODE_LENGTH: Final = 6


def confirmation_code(head: str) -> str:
    """The code for a journal with this head: ``ABC-DEF``. Anybody who has the record can derive it again."""
    number = int.from_bytes(hashlib.sha256(f"sign-off {head}".encode()).digest())
    letters = ""
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(CODE_LETTERS))
        letters += CODE_LETTERS[place]
    return f"{letters[:3]}-{letters[3:]}"


def same_code(typed: str, code: str) -> bool:
    """Whether ``typed`` is the code, however it is written: small letters, with or without the hyphen."""
    return "".join(filter(str.isalnum, typed)).upper() == code.replace("-", "")


class Conclusion(StrEnum):
    """What the visit came to (完成/部分完成/未完成/需再访); derived, never typed."""

    COMPLETE = "complete"
    """Every terminal has a good end and every required test a pass or a reasoned “not applicable”."""
    PARTIAL = "partial"
    NOT_DONE = "not-done"
    REVISIT = "revisit"
    """Somebody must come again: a terminal is not in order."""
