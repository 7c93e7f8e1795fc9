"""Whether a terminal that the lab tested from can still get to the newest release: asked of the planner's own search.

Such a terminal is known by one fact only: which version of the release's own place it runs. Everything else is taken as
it would have to be: what a terminal does not tell is answered with yes, and what no release of the bundle brings is
there already (:mod:`techtool.domain.lint_circles` warns of that). So a way that is not found here is found nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from techtool.domain.components import Relation, newer, relation
from techtool.domain.lint import Check, LintFinding
from techtool.domain.lint_shelf import Absent, Shelf
from techtool.domain.lint_walk import Neighbours, bring_in, own_way
from techtool.domain.release import LabResult, Release, ReleaseKind
from techtool.domain.route import Candidate, Problem, find_route
from techtool.domain.rules import Force
from techtool.domain.terminal import TerminalState
from techtool.domain.versions import Comparison
from techtool.i18n import Phrase, phrase

_FAILED: Final = "failed"
"""The one word of a lab result that is no promise (in-toto's test-result)."""
_MANY: Final = 40
"""Releases around one up to which the planner's search is affordable; of more, only what versions alone rule out."""


def ways(shelf: Shelf, closed: Collection[int], absent: Absent) -> Iterator[LintFinding]:
    """A finding for each version that the newest release of an id was tested from and cannot be reached from."""
    for index, release in enumerate(shelf.releases):
        if index in closed or not _shows_its_version(release):
            continue
        tests = [t for t in release.tested_on if t.from_versions and t.result.strip().casefold() != _FAILED]
        for model in sorted(shelf.models[index]):
            here = [tested for tested in tests if tested.model == model[1]]
            if here and shelf.newest(release.id, model) == index:
                around = Neighbours(shelf, index, model, absent)
                for tested in here:
                    yield from _from_versions(around, tested)


def _shows_its_version(release: Release) -> bool:
    """Whether a terminal tells which version of it runs there; parameters and keys it does not."""
    return bool(release.packages) or release.kind in (ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER)


def _from_versions(around: Neighbours, tested: LabResult) -> Iterator[LintFinding]:
    for version in tested.from_versions:
        starts = around.starts(version, tested.hw_revision)
        if any(relation(around.release, start) is Relation.SAME or reaches(around, start) for start in starts):
            continue
        reasons = _closed_gates(around, starts[0])
        text = phrase(
            "There is no way to it from {version} on {model}, where the lab tried it: {reason}",
            version=version,
            model="/".join(around.model),
            reason=reasons[0] if reasons else phrase("what it needs cannot be installed there"),
        )
        remedy = phrase("Add the releases between, or correct its rules or “tested_on”.")
        yield LintFinding(Check.UNREACHABLE, around.release.key, text, remedy)


def reaches(around: Neighbours, start: TerminalState) -> bool:
    """Whether there is a way; also where so many releases are around that only the planner could deny it."""
    if all(around.gates(around.place, start)):
        return True
    if around.is_chain and own_way(around, around.place, start) is None:
        return False
    end = bring_in(around, around.place, start)
    if end is not None and around.judge.broken(end) <= around.judge.broken(start):
        return True
    if len(around.indices) > _MANY:
        return True
    goals = frozenset({around.release.id})
    judge = around.judge
    problem = Problem(start, goals, around.gates, judge.broken, judge.stands, judge.releases)
    return around.place in find_route(problem, _candidates(around, start))


def _candidates(around: Neighbours, start: TerminalState) -> list[Candidate]:
    by_id: dict[str, list[int]] = {}
    for place, release in enumerate(around.releases):
        if relation(release, start) is not Relation.SAME:
            by_id.setdefault(release.id, []).append(place)
    return [
        Candidate(place, around.releases[place], _rank(around, place, same))
        for same in by_id.values()
        for place in same
    ]


def _rank(around: Neighbours, place: int, same: Sequence[int]) -> int:
    return sum(newer(around.releases[other], around.releases[place]) is Comparison.OLDER for other in same)


def _closed_gates(around: Neighbours, start: TerminalState) -> list[Phrase]:
    """Why it cannot be installed there at once."""
    rules = around.judge.rules(around.place, start)
    return [v.reason for v in rules if not v.ok and v.force is Force.GATE and not v.ask]
