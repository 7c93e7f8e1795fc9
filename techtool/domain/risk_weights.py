"""The weights of the risk model, as ``catalogue/data/risk.toml`` holds them. Pure; no number of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from techtool.domain.release import ReleaseKind
from techtool.domain.risk import Band, Side


@dataclass(frozen=True, slots=True)
class Level:
    """The highest points of levels 1 to 4."""

    at_most: tuple[int, ...]

    def of(self, points: int) -> int:
        """1 to 5."""
        return 1 + sum(points > limit for limit in self.at_most)


@dataclass(frozen=True, slots=True)
class Levels:
    """Of both sides."""

    likelihood: Level
    impact: Level


@dataclass(frozen=True, slots=True)
class Bands:
    """The highest score of each band but the last."""

    low: int
    moderate: int
    high: int

    def of(self, score: int) -> Band:
        """The band of a score of 1 to 25."""
        for limit, band in ((self.low, Band.LOW), (self.moderate, Band.MODERATE), (self.high, Band.HIGH)):
            if score <= limit:
                return band
        return Band.CRITICAL


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What facts are compared with."""

    battery_percent: int
    storage_ample_percent: int
    storage_fair_percent: int
    errors_percent: int
    drops: int
    tries_known: int
    tries_many: int
    success_good_percent: int
    success_poor_percent: int
    version_old_days: int
    clock_off_s: int
    restarts: int


@dataclass(frozen=True, slots=True)
class LinkWeight:
    """What the factor ``link`` calls an address."""

    scheme: str
    name: str
    resumes: bool
    source: str


@dataclass(frozen=True, slots=True)
class KeysWeight:
    """Kinds that leave the keys alone where the release does not say."""

    kept: tuple[ReleaseKind, ...]
    source: str


@dataclass(frozen=True, slots=True)
class RollbackWeight:
    """Kinds of which “cannot be undone” means that the terminal cannot go back."""

    final: tuple[ReleaseKind, ...]
    source: str


@dataclass(frozen=True, slots=True)
class FactorWeight:
    """One factor: what was found → points."""

    id: str
    side: Side
    points: Mapping[str, int]
    source: str
    mitigation: Mapping[str, str] | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class FloorWeight:
    """One floor."""

    id: str
    band: Band
    reason: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class Weights:
    """``risk.toml``"""

    schema: int
    level: Levels
    band: Bands
    threshold: Thresholds
    keys: KeysWeight
    rollback: RollbackWeight
    link: tuple[LinkWeight, ...]
    factor: tuple[FactorWeight, ...]
    floor: tuple[FloorWeight, ...]

    def link_of(self, scheme: str, target: str = "") -> LinkWeight | None:
        """How an address is counted; an adb server that reaches its terminal at ``HOST:PORT`` goes over the network."""
        names = {link.scheme: link for link in self.link}
        if scheme == "adb+server" and ":" in target:
            scheme = "adb"
        return names.get(scheme)
