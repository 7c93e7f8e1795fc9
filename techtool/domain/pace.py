"""In what order the terminals of a visit are worked on, and how many at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from techtool.i18n import N_

MOST: Final = 30
"""Terminals at once: a store's lanes."""
WRITERS: Final = 4
"""Terminals that are written at the same time where nobody chose: what one USB hub carries."""
WAITS_TURN: Final = N_("Waits its turn: {count} terminals are being written.")
"""Told when a terminal could be written and too many others are; its next step ends the wait."""


@dataclass(frozen=True, slots=True)
class Pace:
    """One after the other, unless somebody chose otherwise: at one merchant's, one terminal always stays of use."""

    at_once: int = 1
    """1: one after the other, and after a grave failure the rest wait; else so many are worked on together."""
    writers: int = WRITERS
    """Of those: how many are written at the same time."""
    one_first: bool = True
    """The first one is brought to a good end alone; the rest are begun only then."""

    @property
    def together(self) -> bool:
        """Whether several are worked on at the same time."""
        return self.at_once > 1
