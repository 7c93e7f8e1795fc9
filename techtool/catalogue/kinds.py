"""The shapes of what a release's kind decides, and of the ways onto a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class WayEntry:
    """What to do with a file that it cannot."""

    role: str
    text: Mapping[str, str]
    source: str
    kinds: tuple[ReleaseKind, ...] = ()
    vendor: str = ""


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
    return Kinds(
        Policy(policies, tuple(_ways(file.way)), {e.vendor: frozenset(e.packages) for e in file.protected}),
        {e.family: frozenset(e.roles) for e in file.link},
    )


def _ways(entries: Iterable[WayEntry]) -> Iterable[Way]:
    return (Way(entry.role, entry.text, entry.kinds, entry.vendor) for entry in entries)
