"""How a visit was signed off at the merchant's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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


class Conclusion(StrEnum):
    """What the visit came to (完成/部分完成/未完成/需再访); derived, never typed."""

    COMPLETE = "complete"
    """Every terminal has a good end and every required test a pass or a reasoned “not applicable”."""
    PARTIAL = "partial"
    NOT_DONE = "not-done"
    REVISIT = "revisit"
    """Somebody must come again: a terminal is not in order."""
