"""The risk of the work on one terminal: gates first, then likelihood times impact, floors, and who accepted it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from techtool.i18n import Phrase


class Band(StrEnum):
    """What a score of 1 to 25 means for the person at the counter."""

    LOW = "low"
    """1–4: go."""
    MODERATE = "moderate"
    """5–9: the technician confirms the listed mitigations."""
    HIGH = "high"
    """10–14: a named person accepts it and the mitigations are done."""
    CRITICAL = "critical"
    """15–25: not on this visit."""


class Side(StrEnum):
    """Which of the two numbers a factor adds to."""

    LIKELIHOOD = "likelihood"
    IMPACT = "impact"


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that adds points, in words and figures."""

    id: str
    """``power``, ``storage``, ``link`` … as in the weights' file."""
    side: Side
    points: int
    fact: Phrase
    """What was found: “battery 42 %, adapter”."""
    source: str
    """Where the weight comes from."""
    mitigation: Phrase | None = None
    """What lowers it."""


@dataclass(frozen=True, slots=True)
class Floor:
    """A band below which the score may not fall, and why."""

    id: str
    band: Band
    reason: Phrase


@dataclass(frozen=True, slots=True)
class Risk:
    """The whole sum, so that every number can be explained."""

    factors: tuple[Factor, ...]
    likelihood_points: int
    impact_points: int
    likelihood: int
    """1–5."""
    impact: int
    """1–5."""
    score: int
    """likelihood × impact, 1–25."""
    band: Band
    """After the floors."""
    floors: tuple[Floor, ...] = ()

    @property
    def mitigations(self) -> tuple[Phrase, ...]:
        """What can be done to lower it, the heaviest factor first."""
        ordered = sorted(self.factors, key=lambda factor: -factor.points)
        return tuple(f.mitigation for f in ordered if f.mitigation is not None and f.points > 0)


@dataclass(frozen=True, slots=True)
class RiskRecord:
    """The risk as it was put to the person, and who took it on."""

    risk: Risk
    mitigated: bool = False
    """The technician confirmed the listed mitigations."""
    accepted_by: str = ""
    """Named person at the merchant's; needed from :attr:`Band.HIGH` on."""
    supervisor: str = ""
    """Named supervisor, or the code given on the telephone."""
    at: datetime | None = None
