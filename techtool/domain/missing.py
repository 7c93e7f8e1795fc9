"""Why a prerequisite is not there: no release of the stick brings it, or one would and may not be installed itself.

Each version that a release demands and the terminal does not have is followed through the stick, from the release that
would bring it to what stops that one, down to the root. A release counts as bringing something only when it is made
for this terminal and the release that waits could still be installed after it: version 4 is no step on the way to 3.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from techtool.domain.components import Relation, after, shown_version, slots_of_rule, slots_written
from techtool.domain.findings import Judge
from techtool.domain.plan import Missing
from techtool.domain.recall import Recall
from techtool.domain.release import Release, Requirement
from techtool.domain.rules import Force, Verdict
from techtool.domain.rules_requirements import Shortfall, named, shortfall
from techtool.domain.rules_requirements import judge as judged
from techtool.domain.terminal import TerminalState
from techtool.domain.versions import Comparison, compare
from techtool.i18n import Phrase, phrase, raw

DEPTH: Final = 16
"""Longest chain of prerequisites that is followed; longer ones end with what was found so far."""
BREADTH: Final = 4
"""Releases looked at that bring the same thing, those with the fewest closed gates first."""
LOOKS: Final = 200
"""Releases looked at for one finding: many that need each other would have as many chains as there are orders."""
_NAMED: Final = 3
"""Releases of a chain that are named between the nearest one and the root."""
_FIT: Final = frozenset({"model", "hw-revision", "region", "blocked-hardware"})


class _Grade(IntEnum):
    """How far a cause is from being put right, the nearest first."""

    FREE = 0
    """Nothing stops it."""
    HERE = 1
    """A rule that may be met on the spot, or by a newer techtool."""
    MISSING = 2
    RECALLED = 3
    CIRCLE = 4


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why something is not brought."""

    grade: _Grade
    text: Phrase
    chain: tuple[str, ...] = ()
    """Keys of the releases that would bring it, from the nearest to the one that is stopped."""
    rule: Requirement | None = None
    """What no release of the stick brings that may be installed, at the root."""


class Supplies:
    """What the releases of one stick could bring to a terminal in one state."""

    def __init__(self, judge: Judge, state: TerminalState, recalled: Mapping[str, Recall]) -> None:
        self._judge = judge
        self._state = state
        self._recalled = recalled
        self._known: dict[int, _Cause] = {}
        self._looks = 0
        self._writers: defaultdict[str, list[int]] = defaultdict(list)
        for index, release in enumerate(judge.releases):
            for slot in slots_written(release):
                self._writers[slot].append(index)

    def explained(self, index: int) -> tuple[tuple[Verdict, ...], tuple[Missing, ...]]:
        """The verdicts on one release in this state, each version that is missed saying where it would come from."""
        self._looks = 0
        release, case = self._judge.releases[index], self._judge.case(index, self._state)
        verdicts = list(self._judge.rules(index, self._state))
        missing: list[Missing] = []
        for rule in release.requires:
            missed = shortfall(case, rule)
            if missed is None:
                continue
            place = verdicts.index(judged(case, rule))
            remedy = _PAST
            if missed is Shortfall.TOO_OLD:
                cause = self._cause(index, rule, (index,))
                remedy = _remedy(cause)
                if cause.rule is not None:
                    missing.append(self._missing(release, cause.rule))
            verdicts[place] = replace(verdicts[place], remedy=remedy)
        return tuple(verdicts), tuple(m for place, m in enumerate(missing) if m not in missing[:place])

    def _missing(self, release: Release, rule: Requirement) -> Missing:
        between = bool(slots_written(release) & self._slots(rule))
        return Missing(rule.what, rule.id, rule.compare, rule.version, named(rule), between)

    def _cause(self, index: int, rule: Requirement, path: tuple[int, ...]) -> _Cause:
        """Why nothing brings what ``rule`` of one release asks for; ``path``: the releases that wait for it."""
        if self._asks_for_itself(index, rule):
            text = phrase("{release} asks for itself to be there first; tell its publisher.", release=self._key(index))
            return _Cause(_Grade.CIRCLE, text)
        bringers = self._bringers(index, rule)
        causes = [self._chained(bringer, path) for bringer in bringers if bringer not in path]
        if causes:
            best = min(causes, key=lambda cause: (cause.grade, len(cause.chain)))
            return replace(best, rule=best.rule or rule) if best.grade is _Grade.RECALLED else best
        if bringers:
            keys = ", ".join(self._key(waiting) for waiting in path)
            text = phrase("each of {releases} needs another of them first; tell the publisher.", releases=keys)
            return _Cause(_Grade.CIRCLE, text)
        text = phrase("{need} is missing on this stick; ask the office for a stick that carries it.", need=named(rule))
        return _Cause(_Grade.MISSING, text, rule=rule)

    def _chained(self, index: int, path: tuple[int, ...]) -> _Cause:
        """Why one release that brings something is not installed, with itself at the head of the chain."""
        if index in self._known:
            return self._known[index]
        cause = self._stopped(index, (*path, index))
        cause = replace(cause, chain=(self._key(index), *cause.chain))
        if cause.grade is not _Grade.CIRCLE:
            self._known[index] = cause
        return cause

    def _stopped(self, index: int, path: tuple[int, ...]) -> _Cause:
        """What stops one release; of several things the one that is hardest to put right."""
        recall = self._recalled.get(self._key(index))
        if recall is not None:
            why = recall.reason_phrase
            text = phrase("it was recalled ({why}); ask the office which release replaces it.", why=why)
            return _Cause(_Grade.RECALLED, text)
        self._looks += 1
        release, state = self._judge.releases[index], self._state
        case = self._judge.case(index, state)
        closed = [v for v in self._judge.rules(index, state) if not v.ok and v.force is Force.GATE]
        rules = [rule for rule in release.requires if shortfall(case, rule) is Shortfall.TOO_OLD]
        waits = [judged(case, rule) for rule in rules]
        others = [v for v in closed if v not in waits] or list(self._judge.breaks(index, state, after(release, state)))
        if len(path) > DEPTH or self._looks > LOOKS:
            others, rules = others or closed, []
        causes = [self._cause(index, rule, path) for rule in rules]
        causes += [_Cause(_Grade.HERE, _what_to_do(verdict)) for verdict in others[:1]]
        return max(causes, key=lambda cause: cause.grade, default=_Cause(_Grade.FREE, raw("")))

    def _bringers(self, index: int, rule: Requirement) -> list[int]:
        """Releases for this terminal after which ``rule`` is met and its release can still be installed."""
        releases, state = self._judge.releases, self._state
        found = []
        for candidate in sorted({i for slot in self._slots(rule) for i in self._writers[slot]} - {index}):
            if not self._fits(candidate) or self._judge.stands(candidate, state) is Relation.NEWER:
                continue
            then = after(releases[candidate], state)
            installable = self._judge.stands(index, then) not in (Relation.NEWER, Relation.SAME)
            if installable and judged(self._judge.case(index, then), rule).ok:
                found.append(candidate)
        return sorted(found, key=self._closed)[:BREADTH]

    def _closed(self, index: int) -> int:
        return self._judge.gates(index, self._state).count(False)

    def _fits(self, index: int) -> bool:
        """Whether a release is made for this terminal, or may be."""
        return all(v.ok or v.ask for v in self._judge.rules(index, self._state) if v.what in _FIT)

    def _asks_for_itself(self, index: int, rule: Requirement) -> bool:
        """Whether a release asks for its own version, or a newer one, of what it writes."""
        release = self._judge.releases[index]
        if rule.version_format not in ("", release.version_format) or not slots_written(release) & self._slots(rule):
            return False
        own = compare(release.version_format, shown_version(release), rule.version)
        return own in (Comparison.SAME, Comparison.OLDER)

    def _slots(self, rule: Requirement) -> frozenset[str]:
        return slots_of_rule(rule, self._judge.releases)

    def _key(self, index: int) -> str:
        return self._judge.releases[index].key


_PAST: Final = phrase(
    "The terminal is past it, and techtool does not go back to an older version; ask the office for a release that goes"
    " with what is installed."
)


def _remedy(cause: _Cause) -> Phrase:
    """What to do about one version that is missed."""
    if not cause.chain:
        return cause.text
    release, before = cause.chain[0], cause.chain[1:]
    others = ", ".join(before if len(before) <= _NAMED else (*before[: _NAMED - 1], "…", before[-1]))
    if cause.grade is _Grade.FREE and others:
        return phrase(
            "{release} on this stick brings it, after {others}; they can be installed first.",
            release=release,
            others=others,
        )
    if cause.grade is _Grade.FREE:
        return phrase("{release} on this stick brings it and can be installed first.", release=release)
    if others:
        return phrase(
            "{release} on this stick brings it, but before it must come {others}, whose own rules are not met: {cause}",
            release=release,
            others=others,
            cause=cause.text,
        )
    return phrase(
        "{release} on this stick brings it, but its own rules must be met first: {cause}",
        release=release,
        cause=cause.text,
    )


def _what_to_do(verdict: Verdict) -> Phrase:
    if verdict.remedy is None:
        return verdict.reason
    return phrase("{reason} {remedy}", reason=verdict.reason, remedy=verdict.remedy)
