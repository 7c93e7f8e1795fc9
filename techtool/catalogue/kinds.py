"""The shapes of what a release's kind decides, and of the ways onto a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from techtool.domain.policy import KindPolicy, Policy, Way
from techtool.domain.release import ReleaseKind
from techtool.domain.terminal import Evidence
from techtool.i18n import LANGUAGES


@dataclass(frozen=True, slots=True)
class KindEntry:
    """What one kind needs besides."""

    id: ReleaseKind
    why: Mapping[str, str]
    source: str
    settled_batch: bool = False
    external_power: bool = False
    battery_percent: int = 0
    clock_within_s: int = 0


@dataclass(frozen=True, slots=True)
class LinkEntry:
    """Which files techtool can bring onto terminals of a family."""

    family: str
    roles: tuple[str, ...]
    source: str
    settled_batch: bool = False
    """No takings may wait in the terminal, whatever kind of release comes this way."""
    why: Mapping[str, str] = field(default_factory=dict)
    """Beside ``settled_batch``."""


@dataclass(frozen=True, slots=True)
class WayEntry:
    """What to do with a file that it cannot."""

    role: str
    text: Mapping[str, str]
    source: str
    kinds: tuple[ReleaseKind, ...] = ()
    vendor: str = ""
    family: str = ""


@dataclass(frozen=True, slots=True)
class ProtectedEntry:
    """Packages that techtool never writes or removes on a vendor's terminals."""

    vendor: str
    packages: tuple[str, ...]
    evidence: Evidence
    source: str


@dataclass(frozen=True, slots=True)
class KindsFile:
    """``kinds.toml``"""

    schema: int
    kind: tuple[KindEntry, ...] = ()
    link: tuple[LinkEntry, ...] = ()
    way: tuple[WayEntry, ...] = ()
    protected: tuple[ProtectedEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Kinds:
    """The file once it was read."""

    policy: Policy = field(default_factory=Policy)
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Family → roles of files."""
    stricter: Mapping[str, Policy] = field(default_factory=dict)
    """Family → its own policy, where the way there asks for more than a release's kind does."""

    def policy_of(self, family: str) -> Policy:
        """What holds on terminals of a family."""
        return self.stricter.get(family, self.policy)


def problem_in(file: KindsFile) -> str:
    """Place and kind of the first thing that is wrong; empty when nothing is."""
    if len({entry.id for entry in file.kind}) != len(file.kind):
        return "$.kind: an id stands twice"
    if len({entry.family for entry in file.link}) != len(file.link):
        return "$.link: a family stands twice"
    for place, entry in enumerate(file.kind):
        if not 0 <= entry.battery_percent <= 100:
            return f"$.kind[{place}].battery_percent: not a percentage"
        if entry.clock_within_s < 0:
            return f"$.kind[{place}].clock_within_s: below zero"
    texts = [(f"$.kind[{place}].why", entry.why) for place, entry in enumerate(file.kind)]
    texts += [(f"$.link[{place}].why", entry.why) for place, entry in enumerate(file.link) if entry.settled_batch]
    texts += [(f"$.way[{place}].text", entry.text) for place, entry in enumerate(file.way)]
    missing = (f"{at}.{language}: missing" for at, text in texts for language in LANGUAGES if not text.get(language))
    return next(missing, "")


def kinds_of(file: KindsFile) -> Kinds:
    """The policy and the roles that the file says."""
    policies = {
        entry.id: KindPolicy(
            settled_batch=entry.settled_batch,
            external_power=entry.external_power,
            battery_percent=entry.battery_percent,
            clock_within_s=entry.clock_within_s,
            why=entry.why,
        )
        for entry in file.kind
    }
    protected = {e.vendor: frozenset(e.packages) for e in file.protected}
    policy = Policy(policies, tuple(_ways(file.way)), protected)
    stricter = {e.family: _settled(policy, e) for e in file.link if e.settled_batch}
    return Kinds(policy, {e.family: frozenset(e.roles) for e in file.link}, stricter)


def _settled(policy: Policy, entry: LinkEntry) -> Policy:
    """Takings are asked after for every kind; a kind that asks for it itself keeps its own reason."""
    kinds = {}
    for kind in ReleaseKind:
        own = policy.of(kind)
        kinds[kind] = own if own.settled_batch else replace(own, settled_batch=True, why=own.why or entry.why)
    return replace(policy, kinds=kinds)


def _ways(entries: Iterable[WayEntry]) -> Iterable[Way]:
    return (Way(entry.role, entry.text, entry.kinds, entry.vendor, entry.family) for entry in entries)
