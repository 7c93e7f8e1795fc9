"""Every rule of a release, evaluated against a terminal: none hidden, none stopping at the first failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from techtool.i18n import Phrase


class Force(StrEnum):
    """What a rule that is not met means."""

    GATE = "gate"
    """No override in the field."""
    WARNING = "warning"
    """May be overridden with a reason that the report keeps."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule and how it came out."""

    what: str
    """Kind of rule: ``model``, ``hw-revision``, ``battery``, ``component`` …"""
    ok: bool
    reason: Phrase
    """With real numbers: what is required and what was found."""
    remedy: Phrase | None = None
    """What to do about it, when it is not ok."""
    force: Force = Force.GATE
    ask: str = ""
    """Id of the question that decides it where the terminal cannot say (``check.batch``); empty when it can."""
