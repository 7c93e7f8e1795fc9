"""The linter against searches without any cleverness: every state of a terminal, every order of every release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import assume, event, given, note, settings
from hypothesis import strategies as st

from techtool.bundles.description import KNOWN_RULES
from techtool.domain.components import Relation, after, relation, slots_written
from techtool.domain.lint import Check, LintFinding, lint
from techtool.domain.release import Compare, Conflict, LabResult, Release, ReleaseKind, Requirement
from techtool.domain.route import state_key
from techtool.domain.rules import Case, Force, evaluate
from techtool.domain.rules_requirements import demands
from techtool.domain.terminal import TerminalState
from techtool.domain.versions import meets
from tests.unit.domain.build import ANY_ROLE, TERMINAL, app, code_of, image, package, with_firmware

MODELS = frozenset({("acme", "X1")})
GRID = ("0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5")
NAMED = ("1.0", "2.0", "3.0")
versions = st.sampled_from(NAMED)
compares = st.sampled_from([*Compare, Compare.GE, Compare.GE])


def found(releases: Sequence[Release]) -> tuple[LintFinding, ...]:
    return lint(releases, MODELS, KNOWN_RULES)


def opens(release: Release, state: TerminalState, known: Sequence[Release]) -> bool:
    verdicts = evaluate(release, state, ANY_ROLE, known)
    return relation(release, state) is not Relation.SAME and all(
        v.ok or v.ask for v in verdicts if v.force is Force.GATE
    )


def describe(releases: Sequence[Release]) -> None:
    for release in releases:
        needs = [(r.what, r.id, r.compare.value, r.version) for r in release.requires]
        clashes = [(c.id, c.compare, c.version) for c in release.conflicts]
        note(f"{release.key} {needs=} {clashes=}")


# -- one release against every state --------------------------------------------------------------------------------

THINGS = ("firmware", "bootloader", "kernel", "pay", "os")


@st.composite
def needs_of(draw: st.DrawFn, things: Sequence[str] = THINGS, *, by_code: bool = False) -> Requirement:
    thing = draw(st.sampled_from(things))
    how, version = draw(compares), draw(versions)
    if thing in ("firmware", "bootloader"):
        return Requirement(thing, how, version)
    code = by_code and thing in ("kernel", "pay")
    scheme = "android-code" if code else ""
    return Requirement("component", how, str(code_of(version)) if code else version, scheme, id=thing)


@st.composite
def lone_releases(draw: st.DrawFn) -> Release:
    # Demands by a package's code and by its version's text are judged apart: here they would be tied to each other.
    by_code = draw(st.booleans())
    needs = draw(st.lists(needs_of(by_code=by_code), max_size=3))
    kind = draw(st.sampled_from(["pay", "os", "boot"]))
    own = {"pay": "pay", "os": "os", "boot": ""}[kind]
    others = [name for name in ("kernel", "os") if name != own and not (by_code and name == "kernel")]
    clash = st.builds(Conflict, st.sampled_from(others or [""]), st.one_of(st.none(), compares), versions)
    clashes = tuple(draw(st.lists(clash, max_size=1))) if others else ()
    if kind == "pay":
        return app("pay", draw(versions), requires=needs, conflicts=clashes)
    system = ReleaseKind.FIRMWARE if kind == "os" else ReleaseKind.BOOTLOADER
    return replace(image(kind, draw(versions), kind=system, requires=needs), conflicts=clashes)


def every_state(release: Release) -> Iterator[TerminalState]:
    """Every version of whatever the release looks at; what it does not look at stays as it is."""
    looked_at = {rule.id or rule.what for rule in release.requires} | {c.id for c in release.conflicts} | {release.id}
    system = {"firmware", "os"} & looked_at
    firmwares = GRID if system else ("1.0",)
    bootloaders = GRID if {"bootloader", "boot"} & looked_at else ("1.0",)
    apps = [(None, *GRID) if name in looked_at else (None,) for name in ("kernel", "pay")]
    for firmware, bootloader in product(firmwares, bootloaders):
        for installed in product(*apps):
            there = [package(name, v) for name, v in zip(("kernel", "pay"), installed, strict=True) if v is not None]
            yield with_firmware(firmware, replace(TERMINAL, packages=tuple(there), bootloader=bootloader))


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True)
@given(lone_releases())
def test_a_release_is_called_impossible_exactly_where_no_state_opens_it(release: Release) -> None:
    bundle = [release, *(r for r in (image("os", "1.5"),) if release.id != "os")]
    describe(bundle)
    impossible = any(
        finding.check in (Check.UNREACHABLE, Check.SELF_REQUIREMENT) and finding.release_key == release.key
        for finding in found(bundle)
    )
    event(f"impossible: {impossible}")
    assert impossible is not any(opens(release, state, bundle) for state in every_state(release))


# -- what comes first -----------------------------------------------------------------------------------------------


def broken(state: TerminalState, bundle: Sequence[Release]) -> frozenset[str]:
    """The releases that run there without what they demand of the others."""
    running = [r for r in bundle if relation(r, state) is Relation.SAME]
    whole = [r for r in running if all(v.ok or v.ask for v in demands(Case(r, state, ANY_ROLE, bundle)))]
    slots = [slots_written(r) for r in whole]
    return frozenset(r.key for r in running if r not in whole and slots_written(r) not in slots)


def reached(target: Release, start: TerminalState, bundle: Sequence[Release]) -> bool:
    """Whether any order of any of the releases ends with ``target`` running and nothing broken by it."""
    before = broken(start, bundle)
    states, seen = [start], {state_key(start)}
    while states:
        state = states.pop()
        if relation(target, state) is Relation.SAME and broken(state, bundle) <= before:
            return True
        for release in bundle:
            if opens(release, state, bundle):
                then = after(release, state)
                if state_key(then) not in seen:
                    seen.add(state_key(then))
                    states.append(then)
    return False


NAMES = ("pay", "kernel", "shop")


@st.composite
def at_least(draw: st.DrawFn) -> Requirement:
    return Requirement("component", Compare.GE, draw(versions), id=draw(st.sampled_from(NAMES)))


@st.composite
def growing_bundles(draw: st.DrawFn) -> list[Release]:
    """Every demand is a lower bound, so that more installed releases never close a gate but for older ones."""
    one = st.builds(
        lambda name, version, needs: app(name, version, requires=needs),
        st.sampled_from(NAMES),
        versions,
        st.lists(at_least(), max_size=2, unique_by=lambda rule: rule.id),
    )
    return draw(st.lists(one, min_size=2, max_size=5, unique_by=lambda release: release.key))


def brings(release: Release, rule: Requirement) -> bool:
    return release.id == rule.id and meets("dotted", release.version, rule.compare, rule.version) is True


def without_what_nobody_brings(bundle: Sequence[Release]) -> list[Release]:
    """What no other release of the bundle brings is taken as there: those demands are left out."""

    def may_come(release: Release, rule: Requirement) -> bool:
        for other in bundle:
            fits = release.id != rule.id or code_of(other.version) < code_of(release.version)
            if other is not release and fits and brings(other, rule):
                return True
        return False

    return [replace(r, requires=tuple(rule for rule in r.requires if may_come(r, rule))) for r in bundle]


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True)
@given(growing_bundles())
def test_a_circle_is_found_exactly_where_no_order_reaches_the_newest(bundle: list[Release]) -> None:
    describe(bundle)
    findings = found(bundle)
    assume(not any(f.check is Check.SELF_REQUIREMENT for f in findings))
    stuck = {
        key
        for finding in findings
        if finding.check in (Check.CYCLE, Check.UNREACHABLE)
        for key in (finding.release_key, *(finding.others if finding.check is Check.CYCLE else ()))
    }
    event(f"stuck: {bool(stuck)}")
    eased = without_what_nobody_brings(bundle)
    for name in {release.id for release in bundle}:
        newest = max((r for r in eased if r.id == name), key=lambda r: code_of(r.version))
        assert (newest.key in stuck) is not reached(newest, TERMINAL, eased), newest.key


# -- from where the lab started -------------------------------------------------------------------------------------


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[Release], str]:
    """Releases of one place with demands on the version before, and a version that the lab started from."""
    system = draw(st.booleans())
    thing = "firmware" if system else "pay"
    by_code = draw(st.booleans())
    start = draw(st.sampled_from(GRID))
    releases = []
    for version in draw(st.lists(versions, min_size=1, max_size=3, unique=True)):
        needs = draw(st.lists(needs_of([thing, *([] if system else ["kernel"])], by_code=by_code), max_size=2))
        if system:
            releases.append(image("os", version, requires=needs))
        else:
            releases.append(app("pay", version, requires=needs))
    for version in draw(st.lists(versions, max_size=0 if system else 2, unique=True)):
        clashes = draw(st.lists(st.builds(Conflict, st.just("pay"), compares, versions), max_size=1))
        needs = draw(st.lists(needs_of(["pay", "kernel"]), max_size=1))
        releases.append(app("kernel", version, requires=needs, conflicts=clashes))
    return releases, start


def eased(release: Release, bundle: Sequence[Release], target: Release) -> Release:
    """Without the demands on another place than the target's that no other release of the bundle meets together."""
    kept = []
    for rule in release.requires:
        together = [other for other in release.requires if other.id == rule.id]
        comes = [
            other
            for other in bundle
            if other is not release
            and other.id == rule.id
            and (other.id != release.id or code_of(other.version) < code_of(release.version))
            and all(
                meets(
                    one.version_format or "dotted",
                    str(code_of(other.version)) if one.version_format else other.version,
                    one.compare,
                    one.version,
                )
                for one in together
            )
        ]
        if comes or rule.what == "firmware" or rule.id == target.id:
            kept.append(rule)
    return replace(release, requires=tuple(kept))


def codes(version: str, own: Sequence[Release]) -> list[int]:
    """What the package's code in that version may be: where the bundle does not have it, any that keeps the order."""
    if any(release.version == version for release in own):
        return [code_of(version)]
    every = (code_of(one) + step for one in ("0", *GRID, "4.0") for step in (-1, 0, 1))
    return [
        code
        for code in every
        if code >= 0
        and all((code < code_of(r.version)) == (code_of(version) < code_of(r.version)) for r in own)
        and all(code != code_of(r.version) for r in own)
    ]


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(chains())
def test_a_way_is_denied_exactly_where_no_order_reaches_the_newest(chain: tuple[list[Release], str]) -> None:
    bundle, start = chain
    own = [release for release in bundle if release.id in ("pay", "os")]
    place = bundle.index(max(own, key=lambda release: code_of(release.version)))
    bundle[place] = replace(bundle[place], tested_on=(LabResult("X1", "passed", "", (start,)),))
    target = bundle[place]
    describe(bundle)
    note(f"from {start}")
    findings = found(bundle)
    bad = (Check.SELF_REQUIREMENT, Check.CYCLE)
    assume(not any(f.check in bad or f.text.text("en").startswith("No version of") for f in findings))
    denied = any(f.text.text("en").startswith("There is no way to it from") for f in findings)
    terminals = [with_firmware(start)]
    if target.id == "pay":
        terminals = [replace(TERMINAL, packages=(package("pay", start, code),)) for code in codes(start, own)]
    assume(relation(target, terminals[0]) is not Relation.SAME)
    event(f"denied: {denied}, of {target.id}")
    known = [eased(release, bundle, target) for release in bundle]
    assert denied is not any(reached(known[place], terminal, known) for terminal in terminals)
