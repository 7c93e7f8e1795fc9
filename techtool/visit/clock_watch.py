"""A laptop's clock that is moved while a visit is under way: noticed at the next step and written into the record.

The journal's order never depends on the clock (its lines are chained), but its times are read by auditors. Wall time
is held against the monotonic clock; a step forward by less than a day is a laptop that slept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from techtool.clock import Clock, stamp
from techtool.i18n import Phrase, phrase

BACK: Final = timedelta(minutes=2)
"""A clock that falls behind by more was set back; less is the network's or the system's own correction."""
AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ClockMove:
    """The clock says ``found`` where ``expected`` was to be expected."""

    expected: datetime
    found: datetime

    @property
    def text(self) -> Phrase:
        """For the person and the record."""
        return phrase(
            "This laptop's clock was moved: it says {found} instead of {expected}. Correct it; both are recorded.",
            found=stamp(self.found),
            expected=stamp(self.expected),
        )

    @property
    def note(self) -> Mapping[str, str]:
        """Both times, for the visit's document."""
        return {"moved_to": stamp(self.found), "expected": stamp(self.expected)}


class ClockWatch:
    """Compares wall time with the monotonic clock, from the start or from the last move that was told."""

    def __init__(self, clock: Clock, last: datetime | None = None) -> None:
        """``last`` is the newest time of a journal that is gone on with: the clock stood there once."""
        self._clock = clock
        self._wall = max(clock.now(), last) if last is not None else clock.now()
        self._since_s = clock.monotonic_s()

    def moved(self) -> ClockMove | None:
        """How the clock was moved since the last call; each move is told once."""
        found, at_s = self._clock.now(), self._clock.monotonic_s()
        expected = self._wall + timedelta(seconds=at_s - self._since_s)
        if expected - found > BACK or found - expected > AHEAD:
            self._wall, self._since_s = found, at_s
            return ClockMove(expected, found)
        return None
