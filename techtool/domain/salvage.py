"""What was saved of a damaged record, and what was not: part of the visit's record from then on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A place of the damaged file where something is missing or was altered."""

    offset: int
    size_bytes: int
    """Bytes there that are no whole line; 0 where lines were removed or moved."""


@dataclass(frozen=True, slots=True)
class OldSeal:
    """What the seal of the damaged file said. It stands for that file as it was, not for what was saved of it."""

    count: int
    head: str
    signature: str
    """Armored SSH signature; empty where it was sealed without the key."""


@dataclass(frozen=True, slots=True)
class SalvageRecord:
    """One salvage of a visit's journal."""

    at: datetime
    source: str
    """Name under which the damaged file was set aside."""
    sha256: str
    """Of the damaged file as it was found."""
    lines_in_place: int
    """Whole lines from the start, each proven by the chain."""
    lines_after_damage: int
    """Whole lines behind the first gap: read, but no longer proven to be all, or in order."""
    gaps: tuple[Gap, ...]
    closed: bool
    """The visit had been closed before: by its own seal, or by what the index remembers."""
    seal: OldSeal | None = None
    """None when the visit was open, or its seal was lost."""
    known_head: str = ""
    """Chain head at closing as the index remembers it; empty where it does not."""
    proven_until: datetime | None = None
    """Newest time in the lines that are proven."""
    made_up: tuple[str, ...] = ()
    """Parts that were lost and had to be begun anew: ``visit``, ``lane 2``. Only what stands elsewhere is in them."""
