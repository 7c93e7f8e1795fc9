"""The shapes of the allow-list: what a configuration snapshot may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from techtool.domain.backup import STRICT, ItemKind, OnFinding, Scan
from techtool.domain.config_file import ConfigRule, Format
from techtool.domain.sensitive import Profile
from techtool.domain.terminal import Evidence


class Holds(StrEnum):
    """What properties are known to hold by their type, which may look like a card number."""

    SERIAL = "serial"
    """The terminal's own serial number: harmless in these properties where it is the one it was identified by."""


class Privacy(StrEnum):
    """Class of what is kept; passwords (D), keys and card data (E) have none, for they are never read."""

    FREE = "A"
    CONFIDENTIAL = "B"
    """Encrypted at rest, redacted in what leaves the house."""
    EVIDENCE = "C"
    """Of settlements: batch and trace numbers. Encrypted at rest, never in a record or a report."""


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
    format: Format | None = None
    """Of a configuration file of which only :attr:`keys` are kept; None: it is kept as it is."""
    version: str = ""
    """The key that says which version of the file it is."""
    keys: Mapping[str, Privacy] = field(default_factory=dict)
    counters: tuple[str, ...] = ()
    """Of these keys: those that only ever go upward."""
    reenter: tuple[str, ...] = ()
    """Passwords (class D): never kept, named as to be entered again."""
    restore: bool = False
    """May be written back; only with :attr:`evidence` and :attr:`source`."""
    evidence: Evidence | None = None
    source: str = ""

    @property
    def config(self) -> ConfigRule | None:
        """The rule of a configuration file; None: it is kept as it is."""
        if self.format is None:
            return None
        return ConfigRule(self.path, self.format, self.version, tuple(self.keys), self.counters, self.reenter)


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

    @property
    def problem(self) -> str:
        """What contradicts itself in the list, for whoever wrote it; empty: nothing."""
        return next((f"{file.path}: {text}" for file in self.file if (text := self._problem_of(file))), "")

    def _problem_of(self, file: AllowedFile) -> str:
        named = (*file.keys, *file.reenter, file.version)
        if file.format is None:
            return "keys without a format" if any(named) or file.counters or file.restore else ""
        if not file.version or not file.keys:
            return "a format without keys or without a version key"
        if file.version in file.keys or set(file.keys) & set(file.reenter):
            return "a key stands twice"
        if not set(file.counters) <= set(file.keys):
            return "a counter that is not kept"
        if file.restore and not (file.evidence and file.source):
            return "restore without evidence and source"
        if any(file.privacy < privacy for privacy in file.keys.values()):
            return "a key of a stricter class than the file's"
        lower = [key.casefold() for key in file.keys]
        named_never = [key for key in lower if any(fnmatchcase(key, glob.casefold()) for glob in self.never)]
        return f"{named_never[0]} is never read" if named_never else ""

    def configs_for(self, vendor: str) -> tuple[ConfigRule, ...]:
        """The configuration files that may be written back on a vendor's terminal."""
        return tuple(file.config for file in self.files_for(vendor) if file.restore and file.config is not None)

    def files_for(self, vendor: str) -> tuple[AllowedFile, ...]:
        """The files that may be read on a vendor's terminal."""
        return tuple(file for file in self.file if file.vendor in ("", vendor))
