"""From a terminal and a stick to a plan: what will be installed in which order, and why everything else will not."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from techtool.domain.codec import encode_json
from techtool.domain.components import Relation, after, newer, relation
from techtool.domain.estimate import LINK_BYTES_S, Timings, together
from techtool.domain.findings import (
    Judge,
    merged,
    still_asked,
    unordered,
    withdrawn_finding,
    without_questions,
    word,
)
from techtool.domain.highest import with_highest
from techtool.domain.missing import Supplies
from techtool.domain.plan import Plan, PlanStep, ReleaseFinding, ReleaseVerdict
from techtool.domain.plan_steps import Leg, Pace, downtime, plan_steps, undo_of
from techtool.domain.recall import Recall
from techtool.domain.recalled import recalled_finding
from techtool.domain.release import Release, VerifiedRelease
from techtool.domain.rollback import rollback_of
from techtool.domain.route import Candidate, Problem, find_route
from techtool.domain.rules import Environment, evaluate
from techtool.domain.terminal import TerminalState
from techtool.domain.versions import Comparison
from techtool.errors import Expired, NotFoundError

_NO_TIMINGS: Final = Timings()
_NONE_LAPSED: Final[Mapping[str, Expired]] = MappingProxyType({})
_NONE_RECALLED: Final[Mapping[str, Recall]] = MappingProxyType({})


def make_plan(
    terminal: TerminalState,
    releases: Sequence[VerifiedRelease],
    environment: Environment,
    wanted: Collection[str] = (),
    *,
    withdrawn: Collection[tuple[str, str]] = (),
    recalled: Mapping[str, Recall] = _NONE_RECALLED,
    lapsed: Mapping[str, Expired] = _NONE_LAPSED,
    link_bytes_s: float = LINK_BYTES_S,
    link: str = "",
    timings: Timings = _NO_TIMINGS,
) -> Plan:
    """Judge every release and find the shortest allowed way to the newest ones.

    ``wanted`` holds release ids, or ``ID@VERSION`` for exactly one; empty: every id. Prerequisites come along.
    ``withdrawn`` are (id, version) that newer metadata no longer lists; ``recalled`` are recalls by ``ID@VERSION``, of
    which only those of releases that are here or wanted are spoken of; ``lapsed`` are releases whose publisher's list
    ran out.
    Where the terminal does not tell something that a gate needs, the plan is made without that release, and
    :func:`techtool.domain.rules.questions` of its findings says what to ask; with the answers in ``environment`` it is
    made again. ``link`` (its kind) and ``timings`` make the estimates better.

    Raises :class:`NotFoundError` when something wanted is not on the stick.
    """
    plain = tuple(verified.release for verified in releases)
    _refuse_unknown(wanted, plain, withdrawn, recalled)
    gone = {f"{release_id}@{version}" for release_id, version in withdrawn} | set(recalled)
    stick = _Stick(plain, frozenset(i for i, r in enumerate(plain) if r.key not in gone), frozenset(wanted))
    judge = Judge(plain, environment, stick.unordered_for(terminal, environment), lapsed)
    legs = stick.legs(terminal, judge, hopeful=False)
    asked = _any_question(judge, terminal, legs)
    hopeful = stick.legs(terminal, judge, hopeful=True) if asked else legs
    way = _Way(judge, terminal, legs, hopeful, recalled)
    findings = [way.finding(i) for i in range(len(plain)) if i in stick.listed]
    findings = [with_highest(found, judge, terminal, stick.listed) for found in findings]
    findings += [withdrawn_finding(i, version) for i, version in withdrawn if f"{i}@{version}" not in recalled]
    spoken_of = {r.key for r in plain} | {f"{i}@{version}" for i, version in withdrawn} | set(wanted)
    findings += [recalled_finding(r, terminal, findings) for key, r in recalled.items() if key in spoken_of]
    legs_now = [Leg(plain[index], before) for index, before in legs.items()]
    steps = plan_steps(terminal, legs_now, Pace(link_bytes_s, link, timings))
    return _plan(terminal, tuple(findings), tuple(releases[index] for index in legs), legs_now, steps)


def _plan(
    terminal: TerminalState,
    findings: tuple[ReleaseFinding, ...],
    order: tuple[VerifiedRelease, ...],
    legs: Sequence[Leg],
    steps: tuple[PlanStep, ...],
) -> Plan:
    plain = [verified.release for verified in order]
    serial = terminal.identity.serial
    return Plan(
        serial=serial,
        findings=findings,
        releases=order,
        steps=steps,
        total=together([step.estimate for step in steps]),
        downtime=downtime(steps),
        undo=undo_of(legs),
        digest=plan_digest(serial, plain),
        rollback=rollback_of([leg.release for leg in legs], legs[0].before if legs else terminal),
    )


def plan_digest(serial: str, releases: Sequence[Release]) -> str:
    """SHA-256 over the serial number, the releases in order and the digests of their files."""
    decided = [[r.key, [[f.target, f.size_bytes, f.sha256] for f in r.files]] for r in releases]
    return hashlib.sha256(encode_json({"serial": serial, "releases": decided})).hexdigest()


@dataclass(frozen=True, slots=True)
class _Stick:
    """What may be chosen from."""

    releases: tuple[Release, ...]
    listed: frozenset[int]
    """Neither withdrawn nor recalled."""
    wanted: frozenset[str]

    @property
    def pinned(self) -> frozenset[str]:
        """Ids of which one exact version is wanted."""
        return frozenset(name.rpartition("@")[0] for name in self.wanted if "@" in name)

    @property
    def goals(self) -> frozenset[str]:
        """Ids to bring as far as possible."""
        every = frozenset(r.id for r in self.releases)
        return every if not self.wanted else frozenset(r.id for r in self.releases if {r.id, r.key} & self.wanted)

    def unordered_for(self, terminal: TerminalState, environment: Environment) -> frozenset[int]:
        """Releases for this model that cannot be put in order."""
        fitting = [i for i in sorted(self.listed) if _fits_model(self.releases[i], terminal, environment)]
        return unordered(self.releases, fitting, self.pinned)

    def legs(self, terminal: TerminalState, judge: Judge, *, hopeful: bool) -> dict[int, TerminalState]:
        """The way: index of each release → the terminal just before it, in order.

        Where one exact version is wanted and cannot be reached, no other of its id comes in its place.
        """
        candidates, goals = self._candidates(terminal, judge), self.goals
        while True:
            problem = Problem(
                terminal,
                goals,
                lambda index, state: judge.gates(index, state, hopeful=hopeful),
                judge.broken,
                judge.stands,
                self.releases,
            )
            way = find_route(problem, candidates)
            missed = (goals & self.pinned) - {self.releases[i].id for i in way if self.releases[i].key in self.wanted}
            if not missed:
                break
            goals -= missed
        legs: dict[int, TerminalState] = {}
        state = terminal
        for index in way:
            legs[index] = state
            state = after(self.releases[index], state)
        return legs

    def _candidates(self, terminal: TerminalState, judge: Judge) -> list[Candidate]:
        """Everything but what is installed, cannot be ordered, or is newer than the version asked for."""
        by_id: dict[str, list[int]] = {}
        for index in sorted(self.listed - judge.unordered):
            release = self.releases[index]
            if relation(release, terminal) is not Relation.SAME and not self._past_pin(release):
                by_id.setdefault(release.id, []).append(index)
        found = []
        for indices in by_id.values():
            older = [sum(_is_older(self.releases[other], self.releases[i]) for other in indices) for i in indices]
            found += [Candidate(i, self.releases[i], rank) for i, rank in zip(indices, older, strict=True)]
        return found

    def _past_pin(self, release: Release) -> bool:
        if release.id not in self.pinned or release.key in self.wanted:
            return False
        pins = [r for r in self.releases if r.id == release.id and r.key in self.wanted]
        return any(newer(release, pin) is not Comparison.OLDER for pin in pins)


def _is_older(a: Release, b: Release) -> bool:
    return newer(a, b) is Comparison.OLDER


def _fits_model(release: Release, terminal: TerminalState, environment: Environment) -> bool:
    return all(v.ok for v in evaluate(release, terminal, environment) if v.what == "model")


def _refuse_unknown(
    wanted: Collection[str],
    releases: Sequence[Release],
    withdrawn: Collection[tuple[str, str]],
    recalled: Mapping[str, Recall],
) -> None:
    names = {r.id for r in releases} | {r.key for r in releases} | set(recalled)
    names |= {name for i, v in withdrawn for name in (i, f"{i}@{v}")} | {key.rsplit("@", 1)[0] for key in recalled}
    for name in sorted(wanted):
        if name not in names:
            raise NotFoundError(what=name)


def _any_question(judge: Judge, terminal: TerminalState, legs: Mapping[int, TerminalState]) -> bool:
    states = [terminal, *legs.values()]
    return any(v.ask for i in range(len(judge.releases)) for state in states for v in judge.rules(i, state))


class _Way:
    """The way that was found, and what it means for each release."""

    def __init__(
        self,
        judge: Judge,
        terminal: TerminalState,
        legs: Mapping[int, TerminalState],
        hopeful: Mapping[int, TerminalState],
        recalled: Mapping[str, Recall],
    ) -> None:
        self._judge = judge
        self._terminal = terminal
        self._legs = legs
        self._hopeful = hopeful
        """The way there would be with every question answered with yes."""
        self._planned = [judge.releases[i] for i in legs]
        self._end = after(self._planned[-1], list(legs.values())[-1]) if legs else terminal
        """The terminal once the plan is done."""
        self._supplies = Supplies(judge, self._end, recalled)

    def finding(self, index: int) -> ReleaseFinding:
        """One word, and every rule with the state it was judged in."""
        release, terminal = self._judge.releases[index], self._terminal
        now = self._judge.rules(index, terminal)
        if index in self._legs:
            rules = merged(now, self._judge.rules(index, self._legs[index]))
            return ReleaseFinding(release.id, release.version, ReleaseVerdict.INSTALL, rules)
        overtaken = any(p.id == release.id and newer(release, p) is Comparison.OLDER for p in self._planned)
        verdict = word(release, now, terminal, overtaken=overtaken)
        if verdict in (ReleaseVerdict.BLOCKED, ReleaseVerdict.NOT_CHOSEN):
            return self._left_out(index)
        rules = now if index in self._hopeful else without_questions(now)
        return ReleaseFinding(release.id, release.version, verdict, rules)

    def _left_out(self, index: int) -> ReleaseFinding:
        """A release for this terminal that is not planned: what stops it once everything else is done."""
        judge, release = self._judge, self._judge.releases[index]
        then, missing = self._supplies.explained(index)
        if index in self._hopeful:
            then = still_asked(then, judge.rules(index, self._hopeful[index]))
        rules = merged(judge.rules(index, self._terminal), then)
        rules += judge.breaks(index, self._end, after(release, self._end))
        verdict = word(release, rules, self._terminal, overtaken=False)
        rules = rules if index in self._hopeful else without_questions(rules)
        return ReleaseFinding(release.id, release.version, verdict, rules, missing)
