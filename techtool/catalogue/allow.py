"""The shapes of the allow-list: what a configuration snapshot may read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


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
