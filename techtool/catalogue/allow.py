"""The shapes of the allow-list: what a configuration snapshot may read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from techtool.domain.backup import STRICT, ItemKind, OnFinding, Scan
from techtool.domain.sensitive import Profile


class Holds(StrEnum):
    """What properties are known to hold by their type, which may look like a card number."""

    SERIAL = "serial"
    """The terminal's own serial number: harmless in these properties where it is the one it was identified by."""


class Privacy(StrEnum):
    """Class of what is kept; passwords (D), keys and card data (E) have none, for they are never read."""

    FREE = "A"
    CONFIDENTIAL = "B"
    """Encrypted at rest, redacted in what leaves the house."""


@dataclass(frozen=True, slots=True)
class AllowedProperties:
    """Properties that may be read, by name."""

    privacy: Privacy
    what: str
    globs: tuple[str, ...]
    holds: Holds | None = None


@dataclass(frozen=True, slots=True)
class ScanRule:
    """How items of a kind are searched; a kind without a rule is searched for everything and fails on anything."""

    kind: ItemKind
    profile: Profile
    found: OnFinding
    why: str


@dataclass(frozen=True, slots=True)
class AllowedFile:
    """One file that may be read."""

    privacy: Privacy
    what: str
    path: str
    vendor: str = ""
    """Only on this vendor's terminals; empty: on any."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """What may be read of one family; everything else stays on the terminal."""

    family: str
    never: tuple[str, ...] = ()
    """Names that are not read even where an entry allows them."""
    entry: tuple[AllowedProperties, ...] = ()
    file: tuple[AllowedFile, ...] = ()
    scan: tuple[ScanRule, ...] = ()

    def scan_of(self, kind: ItemKind) -> Scan:
        """How items of ``kind`` are searched before they are stored."""
        return next((Scan(rule.profile, rule.found) for rule in self.scan if rule.kind is kind), STRICT)

    def holds_serial(self, name: str) -> bool:
        """Whether a property holds the terminal's serial number by its type."""
        return any(
            fnmatchcase(name.casefold(), glob.casefold())
            for entry in self.entry
            if entry.holds is Holds.SERIAL
            for glob in entry.globs
        )

    @property
    def properties(self) -> tuple[str, ...]:
        """All property globs."""
        return tuple(glob for entry in self.entry for glob in entry.globs)

    def privacy_of(self, name: str) -> Privacy | None:
        """The class of a property, the stricter where two entries name it; None: it is not read."""
        lower = name.casefold()
        if any(fnmatchcase(lower, glob.casefold()) for glob in self.never):
            return None
        found = {e.privacy for e in self.entry if any(fnmatchcase(lower, g.casefold()) for g in e.globs)}
        return max(found, default=None)

    def allows(self, name: str) -> bool:
        """Whether a property may be read."""
        return self.privacy_of(name) is not None

    def files_for(self, vendor: str) -> tuple[AllowedFile, ...]:
        """The files that may be read on a vendor's terminal."""
        return tuple(file for file in self.file if file.vendor in ("", vendor))
