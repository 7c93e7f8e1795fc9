"""One release on one model, what its way may lead over, and a quick search for that way.

The planner's own search tries many orders, which is more than a linter can afford for every release of a large bundle.
Here the way is built backwards: first the shortest chain of releases that write the release's own place, by their
versions alone; then, for each of the chain, whatever it needs elsewhere. Every step is judged by the planner's gates,
so that a way that is found is a way. Where none is found, the planner decides.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from techtool.domain.components import BOOTLOADER, FIRMWARE, Relation, after, find, relation
from techtool.domain.findings import Judge
from techtool.domain.lint_shelf import BLANK, Absent, Model, Need, Shelf
from techtool.domain.release import Release, ReleaseKind
from techtool.domain.rules import Environment
from techtool.domain.terminal import InstalledPackage, TerminalState
from techtool.domain.versions import Comparison, compare

_SYSTEM: Final = (FIRMWARE, BOOTLOADER)
_ABOVE: Final = (Relation.OLDER, Relation.ABSENT, Relation.UNREADABLE)
_DEPTH: Final = 8
"""Releases that wait for each other while one is brought in; real bundles need two or three."""


class Neighbours:
    """The releases for one model that have to do with one of them, under places of their own."""

    def __init__(self, shelf: Shelf, index: int, model: Model, absent: Absent) -> None:
        self.shelf, self.index, self.model = shelf, index, model
        self.release = shelf.releases[index]
        self._absent = absent
        self.indices = self._around()
        self.releases = [self._eased(i) for i in self.indices]
        self.place = self.indices.index(index)
        self._place_of = {i: place for place, i in enumerate(self.indices)}
        roles = frozenset(file.role for release in self.releases for file in release.files)
        self.judge = Judge(self.releases, Environment(tool_version="0", roles=roles))

    def _around(self) -> list[int]:
        """Whatever writes something that it, or one of these, looks at.

        Firmware and boot loader of a terminal that does not tell them are answered for, so that only a release of
        that very place needs the others.
        """
        found, fresh = {self.index}, [self.index]
        own = self.shelf.written[self.index]
        while fresh:
            slots = self.shelf.slots_read(fresh.pop()) - ({FIRMWARE, BOOTLOADER} - own)
            for index in {i for slot in slots for i in self.shelf.by_slot.get(slot, ())} - found:
                if self.model in self.shelf.models[index]:
                    found.add(index)
                    fresh.append(index)
        return sorted(found)

    def _eased(self, index: int) -> Release:
        """The release without the demands that are taken as met: of techtool, and of what the bundle does not bring."""
        release = self.shelf.releases[index]
        given = {place for place, rule in enumerate(release.requires) if rule.what == "tool"}
        for place, need in enumerate(self.shelf.needs(index)):
            if self.is_given(index, place, need):
                given.update(need.rules)
        kept = tuple(rule for place, rule in enumerate(release.requires) if place not in given)
        return replace(release, requires=kept)

    def is_given(self, index: int, place: int, need: Need) -> bool:
        """Whether a need is taken as met, because nothing in the bundle could meet it or the terminal does not tell."""
        if need.thing in self.shelf.own_things(self.index):
            return False
        return need.thing in _SYSTEM or self.model in self._absent.get((index, place), ())

    def starts(self, version: str, revision: str) -> list[TerminalState]:
        """Terminals of this model of which only ``version`` of the release's own place is known.

        Several where that is a package whose code in that version nobody told: any of them may be the real one.
        """
        vendor, name = self.model
        identity = replace(
            BLANK.identity, vendor=vendor, vendor_name=vendor, model=name, model_name=name, hw_revision=revision or None
        )
        if self.release.kind is ReleaseKind.FIRMWARE:
            identity = replace(identity, firmware=version)
        bootloader = version if self.release.kind is ReleaseKind.BOOTLOADER else None
        state = replace(BLANK, identity=identity, bootloader=bootloader)
        if not self.release.packages:
            return [state]
        apk = self.release.packages[0]
        packages = [InstalledPackage(apk.id, version, code, apk.signer) for code in self._codes_of(version)]
        return [replace(state, packages=(package,)) for package in packages]

    def _codes_of(self, version: str) -> list[int]:
        """Android's code of the package in that version: a known one, else all between the versions beside it.

        Of those only the ends and what some rule may tell apart. Where the version is said to be newer than the release
        itself, so is the code.
        """
        apk = self.release.packages[0]
        scheme = self.release.version_format
        others = [a for release in self.releases for a in release.packages if a.id == apk.id]
        known = [other.version_code for other in others if other.version == version]
        if known:
            return known[:1]
        if scheme == "android-code" and version.isdecimal():
            return [int(version)]
        stands = compare(scheme, version, apk.version)
        if stands in (Comparison.SAME, Comparison.NEWER):
            return [apk.version_code + (stands is Comparison.NEWER)]
        beside = [(compare(scheme, o.version, version), o.version_code) for o in others]
        highest = min((code for how, code in beside if how is Comparison.NEWER), default=apk.version_code) - 1
        lowest = max((code for how, code in beside if how is Comparison.OLDER), default=-1) + 1
        told = {code + step for code in self._named_codes() for step in (-1, 0, 1)}
        possible = {code for code in (lowest, highest, *told) if lowest <= code <= highest}
        return sorted(possible, reverse=True) or [max(0, highest)]

    def _named_codes(self) -> set[int]:
        """Every code that a rule here compares with."""
        found: set[int] = set()
        for release in self.releases:
            for rule in release.requires:
                if (rule.version_format or release.version_format) == "android-code" and rule.version.isdecimal():
                    found.add(int(rule.version))
            if release.version_format == "android-code":
                found |= {int(c.version) for c in release.conflicts if c.version.isdecimal()}
        return found

    def gates(self, place: int, state: TerminalState) -> tuple[bool, ...]:
        """Which gates of a release are open in a state, every open question answered with yes."""
        return self.judge.gates(place, state, hopeful=True)

    def before(self, then: int) -> list[int]:
        """The releases that another one can follow in the same place, by their versions alone."""
        index = self.indices[then]
        own = self.shelf.own_things(index)
        needs = [need for need in self.shelf.needs(index) if need.thing in own]
        if needs:
            first, *rest = (self.shelf.bringers(index, need) for need in needs)
            found = set(first).intersection(*rest)
        else:
            found = {i for slot in self.shelf.written[index] for i in self.shelf.by_slot[slot] if i != index}
            found = {i for i in found if self.shelf.leaves_room(i, index)}
        return sorted(self._place_of[i] for i in found if i in self._place_of)

    def steps_onto(self, state: TerminalState, then: int) -> bool:
        """Whether a release can be installed in a state, by what stands in its own place alone."""
        if relation(self.releases[then], state) not in _ABOVE:
            return False
        index = self.indices[then]
        own = self.shelf.own_things(index)
        return all(self.is_met(need, state) for need in self.shelf.needs(index) if need.thing in own)

    def is_met(self, need: Need, state: TerminalState) -> bool:
        """Whether what stands in ``state`` meets a need; what the terminal would be asked about does."""
        for want in need.wants:
            if need.thing in _SYSTEM:
                told = state.identity.firmware if need.thing == FIRMWARE else state.bootloader or ""
                met = not told or want.met_by(told)
            else:
                found = find(need.thing, want.scheme, state, self.shelf.releases)
                absent = not (found.readable and need.required)
                met = want.met_by(found.version) if found.present else absent
            if not met:
                return False
        return True

    def bringers(self, place: int, need: Need) -> list[int]:
        """Places of the releases that bring a need of another one, the last added first."""
        found = self.shelf.bringers(self.indices[place], need)
        return [self._place_of[i] for i in reversed(found) if i in self._place_of]

    @property
    def is_chain(self) -> bool:
        """Whether every release that touches the own place writes it whole: then versions alone may rule a way out."""
        own = self.shelf.written[self.index]
        return all(self.shelf.written[i] == own for i in self.indices if self.shelf.written[i] & own)


def own_way(around: Neighbours, place: int, state: TerminalState) -> list[int] | None:
    """The shortest chain of releases in the own place of one, from what stands there to it; None when there is none."""
    leads_to = {place: place}
    waiting = deque([place])
    while waiting:
        then = waiting.popleft()
        if around.steps_onto(state, then):
            way = [then]
            while way[-1] != place:
                way.append(leads_to[way[-1]])
            return way
        for first in around.before(then):
            if first not in leads_to:
                leads_to[first] = then
                waiting.append(first)
    return None


def bring_in(
    around: Neighbours, place: int, state: TerminalState, busy: frozenset[int] = frozenset()
) -> TerminalState | None:
    """``state`` once a release and whatever it needs is on it; None when this search finds no way."""
    way = own_way(around, place, state) if len(busy) < _DEPTH else None
    if way is None:
        return None
    for step in way:
        index = around.indices[step]
        own = around.shelf.own_things(index)
        for number, need in enumerate(around.shelf.needs(index)):
            if need.thing in own or not need.calls or around.is_given(index, number, need):
                continue
            if not around.is_met(need, state):
                then = _first(around, [b for b in around.bringers(step, need) if b not in busy], state, busy | {step})
                if then is None:
                    return None
                state = then
        if not all(around.gates(step, state)):
            return None
        state = after(around.releases[step], state)
    return state


def _first(around: Neighbours, places: list[int], state: TerminalState, busy: frozenset[int]) -> TerminalState | None:
    """The state after the first of several releases that can be brought in."""
    found = (bring_in(around, place, state, busy) for place in places[:_DEPTH])
    return next((then for then in found if then is not None), None)
