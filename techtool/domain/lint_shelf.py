"""What each release of a bundle demands of firmware, boot loader and components, and which releases bring it.

The rules are grouped by the *thing* they look at, because only together they say which versions will do: “2.1 or newer”
and “older than 3” is one need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from techtool.domain.components import (
    BOOTLOADER,
    FIRMWARE,
    Relation,
    Stock,
    after,
    find,
    newer,
    relation,
    shown_version,
    slot_of_package,
    slots_written,
)
from techtool.domain.release import Compare, Conflict, Release, ReleaseKind, Requirement
from techtool.domain.terminal import Evidence, Identity, TerminalState
from techtool.domain.verdicts import need_version
from techtool.domain.version_space import Want
from techtool.domain.versions import Comparison
from techtool.i18n import Phrase, phrase, raw

Model = tuple[str, str]
"""Vendor and model, by the catalogue's ids."""
Absent = Mapping[tuple[int, int], frozenset[Model]]
"""Release and place of one of its needs → the models for which no release of the bundle brings it."""

VERSIONED: Final = (FIRMWARE, BOOTLOADER, "component")
"""Kinds of rules that compare a version of something."""
_SYSTEM: Final = (FIRMWARE, BOOTLOADER)
_AT_LEAST: Final = (Compare.GE, Compare.GT, Compare.EQ)
_NOBODY: Final = Identity(
    address="",
    vendor="",
    vendor_name="",
    model="",
    model_name="",
    family="",
    hw_revision=None,
    serial="",
    serial_source="",
    serial_trusted=True,
    os_version="",
    firmware="",
    abis=(),
    sdk=None,
    evidence=Evidence.SIMULATED,
    source="",
)
BLANK: Final = TerminalState(identity=_NOBODY, packages=())
"""A terminal that tells nothing of itself and on which nothing is installed."""


@dataclass(frozen=True, slots=True)
class Need:
    """Everything a release demands of one thing before it may be installed."""

    thing: str
    """``firmware``, ``bootloader``, or the id of a component."""
    wants: tuple[Want, ...]
    required: bool
    """Something must be there at all: a component that a rule requires; firmware and boot loader always are."""
    banned: bool
    """A conflict wants it gone whatever its version."""
    rules: tuple[int, ...]
    """Places in ``requires`` that it is made of."""
    text: Phrase
    """“firmware 2.1.0 or newer; not firmware 3 or newer”."""

    @property
    def calls(self) -> bool:
        """Whether something may have to be installed first for it; an upper bound alone calls for nothing."""
        at_least = any(not want.forbidden and want.how in _AT_LEAST for want in self.wants)
        return bool(self.rules) and (at_least or self.thing not in _SYSTEM)


@dataclass(slots=True)
class _Gathered:
    """A need while its rules are collected."""

    wants: list[Want] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)
    texts: list[Phrase] = field(default_factory=list)
    banned: bool = False


class Shelf:
    """The releases of a bundle, found by what they bring; remembers what was compared once."""

    def __init__(self, releases: Sequence[Release]) -> None:
        self.releases = Stock(releases)
        self.models = [frozenset((p.vendor, p.model) for p in release.provides) for release in releases]
        self.written = [slots_written(release) for release in releases]
        self.by_id: dict[str, list[int]] = {}
        self.by_slot: dict[str, list[int]] = {}
        for index, release in enumerate(releases):
            self.by_id.setdefault(release.id, []).append(index)
            for slot in self.written[index]:
                self.by_slot.setdefault(slot, []).append(index)
        self._states = [after(release, BLANK) for release in releases]
        self._codes = [{apk.id: apk.version_code for apk in release.packages} for release in releases]
        self._needs: dict[int, tuple[Need, ...]] = {}
        self._brought: dict[tuple[int, str, str], str] = {}
        self._bringers: dict[tuple[str, tuple[Want, ...]], tuple[int, ...]] = {}
        self._slots: dict[str, frozenset[str]] = {}
        self._newest: dict[tuple[str, Model], int] = {}
        self._room: dict[tuple[int, int], bool] = {}

    def thing_of(self, rule: Requirement | Conflict) -> str:
        """What a rule looks at; a component that is a firmware or boot loader release means that slot."""
        if isinstance(rule, Requirement) and rule.what != "component":
            return rule.what
        kinds = {release.kind for release in self.releases.of(rule.id)}
        if ReleaseKind.FIRMWARE in kinds:
            return FIRMWARE
        return BOOTLOADER if ReleaseKind.BOOTLOADER in kinds else rule.id

    def needs(self, index: int) -> tuple[Need, ...]:
        """What one release demands, by thing."""
        if index not in self._needs:
            self._needs[index] = tuple(self._gather(self.releases[index]))
        return self._needs[index]

    def own_things(self, index: int) -> dict[str, str]:
        """What one release replaces → the version it brings, as a terminal shows it."""
        release = self.releases[index]
        things = {apk.id: apk.version for apk in release.packages}
        if release.kind in (ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER):
            return things | {release.kind.value: shown_version(release)}
        return {release.id: release.version} | things

    def brought(self, index: int, thing: str, scheme: str) -> str:
        """The version of ``thing`` that rules of ``scheme`` find once this release is installed; empty: none."""
        key = (index, thing, scheme)
        if key not in self._brought:
            state = self._states[index]
            if thing == FIRMWARE:
                found = state.identity.firmware
            elif thing == BOOTLOADER:
                found = state.bootloader or ""
            else:
                found = find(thing, scheme, state, self.releases).version
            self._brought[key] = found.strip()
        return self._brought[key]

    def slots_of(self, thing: str) -> frozenset[str]:
        """Where what a rule looks at may stand."""
        if thing not in self._slots:
            slots = {thing} if thing in _SYSTEM else {slot_of_package(thing)}
            self._slots[thing] = frozenset(slots.union(*(self.written[i] for i in self.by_id.get(thing, ()))))
        return self._slots[thing]

    def slots_read(self, index: int) -> frozenset[str]:
        """Where the rules of one release look."""
        return self.written[index].union(*(self.slots_of(need.thing) for need in self.needs(index)))

    def writers(self, thing: str) -> list[int]:
        """The releases that put some version of ``thing`` there."""
        return sorted({index for slot in self.slots_of(thing) for index in self.by_slot.get(slot, ())})

    def bringers(self, index: int, need: Need) -> list[int]:
        """The other releases that bring what ``need`` of release ``index`` asks for, on whatever model."""
        key = (need.thing, need.wants)
        if key not in self._bringers:
            self._bringers[key] = tuple(i for i in self.writers(need.thing) if self._brings(i, need))
        return [i for i in self._bringers[key] if i != index and self.leaves_room(i, index)]

    def _brings(self, index: int, need: Need) -> bool:
        found = [(want, self.brought(index, need.thing, want.scheme)) for want in need.wants]
        return bool(found) and all(version and want.met_by(version) for want, version in found)

    def around(self, key: str) -> list[int]:
        """The releases of that key, those of the same id, and whatever writes a place that one of these looks at."""
        ids = {release.id for release in self.releases if release.key == key}
        found = {index for release_id in ids for index in self.by_id[release_id]}
        fresh = list(found)
        while fresh:
            slots = self.slots_read(fresh.pop())
            near = {index for slot in slots for index in self.by_slot.get(slot, ())} - found
            found |= near
            fresh += near
        return sorted(found)

    def newest(self, release_id: str, model: Model) -> int:
        """Of the releases of one id for one model the newest, as far as they can be put in order."""
        if (release_id, model) not in self._newest:
            first, *rest = (index for index in self.by_id[release_id] if model in self.models[index])
            for index in rest:
                if newer(self.releases[first], self.releases[index]) is Comparison.OLDER:
                    first = index
            self._newest[release_id, model] = first
        return self._newest[release_id, model]

    def leaves_room(self, first: int, then: int) -> bool:
        """Whether release ``then`` can still be installed over ``first``, where both write the same place."""
        shared = self.written[first] & self.written[then]
        if not shared:
            return True
        if not shared & {FIRMWARE, BOOTLOADER} and self._codes[first] and self._codes[then]:
            steps = [self._codes[then][i] - code for i, code in self._codes[first].items() if i in self._codes[then]]
            whole = len(steps) == len(self._codes[then])
            return all(step >= 0 for step in steps) and (any(steps) or not whole)
        if (first, then) not in self._room:
            stands = relation(self.releases[then], self._states[first])
            self._room[first, then] = stands in (Relation.OLDER, Relation.ABSENT, Relation.UNREADABLE)
        return self._room[first, then]

    def _gather(self, release: Release) -> Iterator[Need]:
        things: dict[str, _Gathered] = {}
        for place, rule in enumerate(release.requires):
            if rule.what not in VERSIONED or (rule.what == "component" and not rule.id):
                continue
            gathered = things.setdefault(self.thing_of(rule), _Gathered())
            gathered.rules.append(place)
            if rule.version.strip():
                gathered.wants.append(Want(rule.version_format or release.version_format, rule.compare, rule.version))
                name = name_of(rule.id if rule.what == "component" else rule.what)
                gathered.texts.append(need_version(name, rule.compare, rule.version))
            else:
                gathered.texts.append(name_of(rule.id if rule.what == "component" else rule.what))
        for conflict in release.conflicts:
            gathered = things.setdefault(self.thing_of(conflict), _Gathered())
            if conflict.compare is None:
                gathered.banned = True
            elif conflict.version.strip():
                gathered.wants.append(Want(release.version_format, conflict.compare, conflict.version, forbidden=True))
                named = need_version(raw(conflict.id), conflict.compare, conflict.version)
                gathered.texts.append(phrase("not {what}", what=named))
        for thing, gathered in things.items():
            required = bool(gathered.rules) or thing in _SYSTEM
            wants, rules = tuple(gathered.wants), tuple(gathered.rules)
            yield Need(thing, wants, required, gathered.banned, rules, joined(gathered.texts))


def name_of(thing: str) -> Phrase:
    """What a versioned rule looks at, as people call it."""
    if thing == FIRMWARE:
        return phrase("firmware")
    return phrase("boot loader") if thing == BOOTLOADER else raw(thing)


def joined(parts: Sequence[Phrase]) -> Phrase:
    """Several phrases in one."""
    if not parts:
        return raw("")
    text = parts[0]
    for part in parts[1:]:
        text = phrase("{first}; {second}", first=text, second=part)
    return text
