"""What a release's kind asks for whatever its description says, and the way there is where a link has none.

The figures and the texts are data of the catalogue (``kinds.toml``), each with its source; these are their shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from techtool.domain.release import ReleaseKind
from techtool.i18n import Phrase, bilingual


@dataclass(frozen=True, slots=True)
class KindPolicy:
    """The gates of one kind; the defaults add nothing to what every release needs."""

    settled_batch: bool = False
    """No takings may wait in the terminal."""
    external_power: bool = False
    """The adapter must be connected."""
    battery_percent: int = 0
    """Least charge, with the adapter too; 0: the general minima."""
    clock_within_s: int = 0
    """Largest difference between the terminal's clock and this laptop's, as a warning; 0: any."""
    why: Mapping[str, str] = field(default_factory=dict)
    """Said beside a gate that is closed, per language."""


@dataclass(frozen=True, slots=True)
class Way:
    """How files of a role get onto a terminal that this connection cannot bring there."""

    role: str
    text: Mapping[str, str]
    """What to do instead, per language."""
    kinds: tuple[ReleaseKind, ...] = ()
    """Of releases; empty: any."""
    vendor: str = ""
    """Only on this vendor's terminals; empty: on any."""
    family: str = ""
    """Only over this family's links; empty: over any."""


_NOTHING_MORE = KindPolicy()


@dataclass(frozen=True, slots=True)
class Policy:
    """All kinds and all ways."""

    kinds: Mapping[ReleaseKind, KindPolicy] = field(default_factory=dict)
    ways: tuple[Way, ...] = ()
    """In order: the first that fits is told."""
    protected: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Vendor → packages of the terminal's own payment security: never written, never removed."""

    def protects(self, vendor: str, package: str) -> bool:
        """Whether techtool keeps its hands off a package."""
        return package in self.protected.get(vendor, frozenset())

    def of(self, kind: ReleaseKind) -> KindPolicy:
        """What a release of ``kind`` needs besides."""
        return self.kinds.get(kind, _NOTHING_MORE)

    def way(self, role: str, kind: ReleaseKind, vendor: str, family: str = "") -> Phrase | None:
        """What to do with files of ``role``; None where nobody has written it down."""
        for way in self.ways:
            here = way.vendor in ("", vendor) and way.family in ("", family)
            if here and way.role == role and (not way.kinds or kind in way.kinds):
                return bilingual(way.text)
        return None
