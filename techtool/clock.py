"""The clock comes in as an argument, so that every test decides what time it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for durations."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never go backwards."""
        ...


class SystemClock:
    """This computer's clock."""

    def now(self) -> datetime:
        """Wall time in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; where the system tells it, the time a laptop slept counts."""
        boot_clock = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boot_clock is None else time.clock_gettime(boot_clock)


@dataclass
class FixedClock:
    """A clock that stands still until it is moved."""

    at: datetime
    elapsed_s: float = field(default=0.0)

    def now(self) -> datetime:
        """The time it was set to."""
        return self.at

    def monotonic_s(self) -> float:
        """The seconds it was moved by."""
        return self.elapsed_s


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: the one time format of journals, reports and ``--json``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def said(moment: datetime) -> str:
    """For people: date, hours and minutes by this laptop's zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def from_stamp(text: str) -> datetime:
    """The moment that :func:`stamp` wrote."""
    return datetime.fromisoformat(text)
