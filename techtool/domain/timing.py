"""What a visit took, phase by phase: read off its record, kept in the index, and learned from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Observation:
    """One phase of one terminal that ended well."""

    visit: str
    serial: str
    phase: str
    """A :class:`techtool.domain.estimate.Phase` word."""
    vendor: str
    model: str
    family: str
    link: str
    """Scheme of the address."""
    release_key: str
    """Empty: not about one release."""
    kind: str
    """Release kind; empty: not about one release."""
    value: float
    """Seconds; bytes a second for ``transfer``."""
    at: datetime
    attended: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was foretold for one terminal and what it took, for calibration."""

    visit: str
    serial: str
    at: datetime
    p50_s: float
    p90_s: float
    actual_s: float
    downtime_p50_s: float = 0.0
    downtime_p90_s: float = 0.0
    downtime_s: float | None = None
