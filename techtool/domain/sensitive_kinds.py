"""What the scanner can find and how it is told to look. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from techtool.i18n import N_


class Kind(StrEnum):
    """What was found."""

    CARD_NUMBER = "card-number"
    TRACK_1 = "track-1"
    TRACK_2 = "track-2"
    TRACK_3 = "track-3"
    CODE = "card-code"
    KEY = "key"


KIND_LABEL: Final[dict[Kind, str]] = {
    Kind.CARD_NUMBER: N_("card number"),
    Kind.TRACK_1: N_("magnetic stripe, track 1"),
    Kind.TRACK_2: N_("magnetic stripe, track 2"),
    Kind.TRACK_3: N_("magnetic stripe, track 3"),
    Kind.CODE: N_("card verification code"),
    Kind.KEY: N_("cryptographic key or PIN block"),
}
TRACKS: Final = frozenset({Kind.TRACK_1, Kind.TRACK_2, Kind.TRACK_3})


class Profile(StrEnum):
    """How content is read."""

    TEXT = "text"
    """Everything that is looked for."""
    BINARY = "binary"
    """Programs: numbers and tracks; keys and codes in named fields are the maker's own and not looked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that may not be stored."""

    kind: Kind
    start: int
    """Offset of its first byte (of its first character in a text)."""
    end: int


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A terminal's own serial number: harmless in the fields that hold it by their type, and nowhere else."""

    number: str = ""
    fields: frozenset[str] = frozenset()
    """Names as they stand before the value."""

    def stands(self, field: str, digits: str) -> bool:
        """Whether ``digits`` are this number in a field of its own."""
        return bool(digits) and digits == self.number and field in self.fields
