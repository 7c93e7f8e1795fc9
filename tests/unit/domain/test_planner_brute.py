"""The planner against a search that tries every order of every release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from techtool.domain.components import Relation, after, newer, relation, slots_written
from techtool.domain.plan import ReleaseVerdict
from techtool.domain.planner import make_plan
from techtool.domain.release import Compare, Conflict, Release, ReleaseKind, Requirement
from techtool.domain.route import state_key
from techtool.domain.rules import Case, Force, evaluate
from techtool.domain.rules_requirements import demands
from techtool.domain.terminal import TerminalState
from techtool.domain.versions import Comparison
from tests.unit.domain.build import ANY_ROLE, TERMINAL, app, image, package, recall, verified, with_firmware

APPS = ("kernel", "pay", "bank", "extra")
MAJORS = st.integers(1, 3)
versions = st.builds(lambda major: f"{major}.0.0", MAJORS)
compares = st.sampled_from([Compare.GE, Compare.GE, Compare.GE, *Compare])
requirements = st.one_of(
    st.builds(lambda how, version: Requirement("firmware", how, version), compares, versions),
    st.builds(
        lambda name, how, version: Requirement("component", how, version, id=name),
        st.sampled_from([*APPS, "os", "boot", "acme.os"]),
        compares,
        versions,
    ),
    st.builds(lambda how, version: Requirement("bootloader", how, version), compares, versions),
)
conflicts = st.builds(
    Conflict,
    st.sampled_from(APPS),
    st.one_of(st.none(), st.sampled_from(list(Compare))),
    versions,
)


@st.composite
def releases(draw: st.DrawFn) -> Release:
    name = draw(st.sampled_from([*APPS, "os", "os", "other-os", "boot"]))
    # Two ids with the very same content would be one release under two names: the linter's business.
    version = draw(versions) if name != "other-os" else f"{draw(MAJORS)}.5.0"
    needs = draw(st.lists(requirements, max_size=2))
    restart = draw(st.booleans())
    size = draw(st.sampled_from([1, 1, 20, 40]))
    if name in APPS:
        clashes = draw(st.lists(conflicts, max_size=1))
        return app(name, version, requires=needs, conflicts=clashes, size_bytes=size, restart=restart)
    kind = ReleaseKind.BOOTLOADER if name == "boot" else ReleaseKind.FIRMWARE
    return image(name, version, kind=kind, requires=needs, size_bytes=size, restart=restart)


sticks = st.lists(releases(), min_size=1, max_size=6, unique_by=lambda release: release.key)


@st.composite
def terminals(draw: st.DrawFn) -> TerminalState:
    installed = draw(st.dictionaries(st.sampled_from(APPS), versions, max_size=3))
    state = replace(
        TERMINAL,
        packages=tuple(package(name, version) for name, version in sorted(installed.items())),
        bootloader=draw(versions),
        free_storage_bytes=draw(st.sampled_from([None, 50, 50, 10_000])),
    )
    return with_firmware(draw(versions), state)


class Brute:
    """Every order of every subset, without any cleverness."""

    def __init__(
        self,
        start: TerminalState,
        stick: Sequence[Release],
        wanted: frozenset[str],
        gone: frozenset[str] = frozenset(),
    ) -> None:
        self.start, self.stick = start, tuple(stick)
        fresh = [i for i, r in enumerate(stick) if relation(r, start) is not Relation.SAME]
        self.candidates = [i for i in fresh if stick[i].key not in gone]
        goals = {r.id for r in stick if not wanted or r.id in wanted}
        self.goals = sorted({stick[i].id for i in self.candidates} & goals)
        self.states: dict[object, TerminalState] = {}
        self.allowed = cache(self._allowed)
        self.missing = cache(self._missing)

    def remember(self, state: TerminalState) -> object:
        key = state_key(state)
        self.states[key] = state
        return key

    def _allowed(self, index: int, key: object) -> bool:
        release, state = self.stick[index], self.states[key]
        if relation(release, state) is Relation.SAME:
            return False
        verdicts = evaluate(release, state, ANY_ROLE, self.stick)
        return all(v.ok for v in verdicts if v.force is Force.GATE)

    def _missing(self, key: object) -> frozenset[str]:
        state = self.states[key]
        running = [r for r in self.stick if relation(r, state) is Relation.SAME]
        whole = [r for r in running if all(v.ok for v in demands(Case(r, state, ANY_ROLE, self.stick)))]
        slots = [slots_written(r) for r in whole]
        return frozenset(r.key for r in running if r not in whole and slots_written(r) not in slots)

    def rank(self, index: int) -> int:
        own = self.stick[index]
        others = [self.stick[i] for i in self.candidates if self.stick[i].id == own.id]
        return sum(newer(other, own) is Comparison.OLDER for other in others)

    def ways(self) -> list[tuple[int, ...]]:
        """Every way that breaks no rule and ends whole."""
        before = self.missing(self.remember(self.start))
        found: list[tuple[int, ...]] = []

        def walk(way: tuple[int, ...], state: TerminalState) -> None:
            key = self.remember(state)
            if self.missing(key) <= before:
                found.append(way)
            for index in self.candidates:
                if index not in way and self.allowed(index, key):
                    walk((*way, index), after(self.stick[index], state))

        walk((), self.start)
        return found

    def score(self, way: Sequence[int], reached: dict[str, int]) -> tuple[int, int, int, int]:
        ranks = self.ranks(way)
        restarts = sum(self.stick[i].after.restart for i in way)
        return -sum(ranks[g] == reached[g] for g in self.goals), -sum(ranks.values()), len(way), restarts

    def ranks(self, way: Sequence[int]) -> dict[str, int]:
        """For each goal the newest of its releases that runs at the end."""
        state = self.start
        for index in way:
            state = after(self.stick[index], state)
        running = [i for i in self.candidates if relation(self.stick[i], state) is Relation.SAME]
        return {g: max((self.rank(i) for i in running if self.stick[i].id == g), default=-1) for g in self.goals}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(terminals(), sticks, st.sets(st.sampled_from([*APPS, "os"]), max_size=2))
def test_the_plan_is_as_good_as_any_order_could_be(
    terminal: TerminalState, stick: list[Release], chosen: set[str]
) -> None:
    wanted = frozenset(chosen) & {release.id for release in stick}
    brute = Brute(terminal, stick, wanted)
    ways = brute.ways()
    reached = {g: max(brute.ranks(way)[g] for way in ways) for g in brute.goals}
    best = min(brute.score(way, reached) for way in ways)

    for release in stick:
        needs = [(r.what, r.id, r.compare.value, r.version) for r in release.requires]
        clashes = [(c.id, c.compare, c.version) for c in release.conflicts]
        note(f"{release.key} restart={release.after.restart} size={release.size_bytes} {needs=} {clashes=}")
    note(f"{[(p.id, p.version) for p in terminal.packages]} fw {terminal.identity.firmware} bl {terminal.bootloader}")

    plan = make_plan(terminal, verified(*stick), ANY_ROLE, wanted)

    note(
        f"plan {[v.release.key for v in plan.releases]} {[(f.release_id, f.version, f.verdict) for f in plan.findings]}"
    )
    way = tuple(stick.index(v.release) for v in plan.releases)
    assert way in ways, "the plan breaks a rule or ends broken"
    assert brute.score(way, reached) == best
    for finding in plan.findings:
        planned = finding.verdict is ReleaseVerdict.INSTALL
        assert planned == (f"{finding.release_id}@{finding.version}" in {v.release.key for v in plan.releases})
        if planned:
            assert not finding.failed
        if finding.verdict is ReleaseVerdict.BLOCKED:
            assert finding.failed
        if not wanted and finding.verdict is ReleaseVerdict.NOT_CHOSEN:
            twins = [
                v.release for v in plan.releases if relation(v.release, after(release_of(finding, stick), terminal))
            ]
            assert twins


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data(), terminals(), sticks)
def test_what_was_recalled_or_withdrawn_is_never_planned_and_the_rest_is_as_good_as_without_it(
    data: st.DataObject, terminal: TerminalState, stick: list[Release]
) -> None:
    keys = [release.key for release in stick]
    recalled = frozenset(data.draw(st.sets(st.sampled_from(keys), max_size=3), label="recalled"))
    withdrawn = frozenset(data.draw(st.sets(st.sampled_from(keys), max_size=2), label="withdrawn"))
    brute = Brute(terminal, stick, frozenset(), recalled | withdrawn)
    ways = brute.ways()
    reached = {g: max(brute.ranks(way)[g] for way in ways) for g in brute.goals}

    plan = make_plan(
        terminal,
        verified(*stick),
        ANY_ROLE,
        withdrawn=[(r.id, r.version) for r in stick if r.key in withdrawn],
        recalled={r.key: recall(r.id, r.version) for r in stick if r.key in recalled},
    )

    way = tuple(keys.index(v.release.key) for v in plan.releases)
    assert not {keys[i] for i in way} & (recalled | withdrawn)
    assert way in ways
    assert brute.score(way, reached) == min(brute.score(w, reached) for w in ways)
    words = {f.key: f.verdict for f in plan.findings}
    assert len(words) == len(plan.findings) == len(stick)
    for key in recalled | withdrawn:
        assert words[key] is (ReleaseVerdict.RECALLED if key in recalled else ReleaseVerdict.WITHDRAWN)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.data())
def test_no_way_as_short_has_fewer_restarts(data: st.DataObject) -> None:
    """Several releases lead on from each version; some restart the terminal and some do not."""
    stick = []
    for major in (2, 3, 4):
        for name in ("os", "other-os"):
            minor = 0 if name == "os" else 5
            lowest = data.draw(st.integers(1, major - 1), label="needs")
            needs = [Requirement("firmware", Compare.GE, f"{lowest}.0.0")]
            quiet = data.draw(st.booleans(), label="quiet")
            stick.append(image(name, f"{major}.{minor}.0", requires=needs, size_bytes=1, restart=not quiet))
    last = data.draw(st.integers(2, 4), label="the application needs")
    stick.append(app("pay", "1.0.0", requires=[Requirement("firmware", Compare.GE, f"{last}.0.0")], size_bytes=1))
    terminal = with_firmware("1.0.0")
    brute = Brute(terminal, stick, frozenset({"pay"}))
    goal = stick[-1]
    ways = [way for way in brute.ways() if stick.index(goal) in way]
    plan = make_plan(terminal, verified(*stick), ANY_ROLE, ["pay"])
    planned = [stick.index(v.release) for v in plan.releases]
    least = min((len(way), sum(stick[i].after.restart for i in way)) for way in ways)
    assert (len(planned), sum(stick[i].after.restart for i in planned)) == least


def release_of(finding: object, stick: Sequence[Release]) -> Release:
    return next(r for r in stick if (r.id, r.version) == (finding.release_id, finding.version))  # type: ignore[attr-defined]
