"""“B is missing”: what another stick would have to bring, by name, down to the root of every chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from techtool.domain.missing import DEPTH
from techtool.domain.plan import Missing, Plan, ReleaseFinding, ReleaseVerdict
from techtool.domain.planner import make_plan
from techtool.domain.recall import Recall
from techtool.domain.refusal import refusal
from techtool.domain.release import BlockedHardware, Compare, Provides, Release, ReleaseKind, Requirement
from techtool.domain.rules import Environment
from techtool.domain.terminal import TerminalState
from techtool.errors import Exit
from tests.unit.domain.build import (
    ANY_ROLE,
    TERMINAL,
    app,
    image,
    package,
    recall,
    verified,
    with_firmware,
    with_packages,
)
from tests.unit.domain.test_planner_brute import sticks, terminals

ASK = "ask the office for a stick that carries it."


def plan(
    *releases: Release,
    terminal: TerminalState = TERMINAL,
    environment: Environment = ANY_ROLE,
    recalled: Sequence[Recall] = (),
) -> Plan:
    return make_plan(terminal, verified(*releases), environment, recalled={r.key: r for r in recalled})


def finding(made: Plan, key: str) -> ReleaseFinding:
    return next(f for f in made.findings if f.key == key)


def remedy(made: Plan, key: str) -> str:
    """What to do about the one closed gate of a blocked release."""
    found = finding(made, key)
    assert found.verdict is ReleaseVerdict.BLOCKED
    (rule,) = found.failed
    assert rule.remedy is not None
    return rule.remedy.text("en")


def missing(made: Plan, key: str) -> list[str]:
    return [m.need.text("en") for m in finding(made, key).missing]


def step(version: int, kind: ReleaseKind = ReleaseKind.APPLICATION) -> Release:
    """Version N of one thing, which needs N-1 of the same thing first."""
    text, before = f"{version}.0.0", f"{version - 1}.0.0"
    if kind is ReleaseKind.APPLICATION:
        needs = [Requirement("component", id="pay", version=before)] if version > 1 else []
        return app("pay", text, requires=needs)
    return image("thing", text, kind=kind, requires=[Requirement(kind.value, version=before)])


def at(version: int, kind: ReleaseKind) -> TerminalState:
    """A terminal that runs version N of it; 0: not there, or older than all."""
    if kind is ReleaseKind.FIRMWARE:
        return with_firmware(f"{version}.0.0")
    if kind is ReleaseKind.BOOTLOADER:
        return replace(TERMINAL, bootloader=f"{version}.0.0")
    return with_packages(*([package("pay", f"{version}.0.0")] if version else []))


NAME = {ReleaseKind.FIRMWARE: "firmware", ReleaseKind.BOOTLOADER: "boot loader", ReleaseKind.APPLICATION: "pay"}
KINDS = pytest.mark.parametrize("kind", list(NAME))


# -- chains of one thing ----------------------------------------------------------------------------------------------


@KINDS
def test_the_whole_path_in_order(kind: ReleaseKind) -> None:
    made = plan(step(4, kind), step(2, kind), step(3, kind), terminal=at(1, kind))
    assert [v.release.version for v in made.releases] == ["2.0.0", "3.0.0", "4.0.0"]
    assert refusal(made) is None


@KINDS
def test_without_b_its_name_is_said(kind: ReleaseKind) -> None:
    made = plan(step(3, kind), terminal=at(1, kind))
    (key,) = (f.key for f in made.findings)
    name = NAME[kind]
    assert finding(made, key).failed[0].reason.text("en") == f"{name} is 1.0.0; needed: {name} 2.0.0 or newer."
    assert remedy(made, key) == f"{name} 2.0.0 or newer is missing on this stick; {ASK}"
    (what,) = finding(made, key).missing
    expected = ("component", "pay") if kind is ReleaseKind.APPLICATION else (kind.value, "")
    assert (what.what, what.id, what.compare, what.version, what.between) == (*expected, Compare.GE, "2.0.0", True)


@KINDS
def test_every_later_release_names_the_root(kind: ReleaseKind) -> None:
    made = plan(step(3, kind), step(4, kind), step(5, kind), terminal=at(1, kind))
    third, fourth, fifth = (f.key for f in made.findings)
    root = f"{NAME[kind]} 2.0.0 or newer is missing on this stick; {ASK}"
    assert remedy(made, third) == root
    assert remedy(made, fourth) == f"{third} on this stick brings it, but its own rules must be met first: {root}"
    assert remedy(made, fifth) == (
        f"{fourth} on this stick brings it, but before it must come {third}, whose own rules are not met: {root}"
    )
    assert {need for f in made.findings for need in missing(made, f.key)} == {f"{NAME[kind]} 2.0.0 or newer"}


@KINDS
def test_the_stop_names_it_too_where_the_plan_would_end_half_way(kind: ReleaseKind) -> None:
    made = plan(step(2, kind), step(4, kind), terminal=at(1, kind))
    assert [v.release.version for v in made.releases] == ["2.0.0"]
    stop = refusal(made)
    assert stop is not None
    assert stop.exit_code is Exit.NOT_COMPATIBLE
    assert f"{NAME[kind]} 3.0.0 or newer is missing on this stick" in stop.what_phrase.text("en")
    only = make_plan(at(1, kind), verified(step(2, kind), step(4, kind)), ANY_ROLE, [made.releases[0].release.key])
    assert only.has_work
    assert refusal(only, [made.releases[0].release.key]) is None


@settings(derandomize=True, deadline=None)
@given(st.sets(st.integers(1, 9), min_size=1), st.integers(0, 8), st.sampled_from(list(NAME)))
def test_any_chain_against_counting(numbers: set[int], start: int, kind: ReleaseKind) -> None:
    made = plan(*(step(n, kind) for n in sorted(numbers)), terminal=at(start, kind))
    reached = start
    while reached + 1 in numbers:
        reached += 1
    assert [v.release.version for v in made.releases] == [f"{n}.0.0" for n in range(start + 1, reached + 1)]
    for number in numbers:
        found = next(f for f in made.findings if f.version == f"{number}.0.0")
        expected = [f"{_root(numbers, number)}.0.0"] if number > reached else []
        assert [m.version for m in found.missing] == expected


def _root(numbers: set[int], number: int) -> int:
    """The first number below that is not on the stick."""
    while number - 1 in numbers:
        number -= 1
    return number - 1


def test_a_chain_longer_than_is_followed_still_has_a_text() -> None:
    made = plan(*(step(n) for n in range(2, DEPTH + 10)))
    last = f"pay@{DEPTH + 9}.0.0"
    assert f"pay@{DEPTH + 8}.0.0 on this stick brings it" in remedy(made, last)
    assert len(remedy(made, last)) < 400


# -- other things than the one that is missed -------------------------------------------------------------------------


def test_a_component_of_another_name() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")])
    made = plan(pay, app("kernel", "6.5.0"))
    assert remedy(made, "pay@1.5.0") == f"kernel 7.0 or newer is missing on this stick; {ASK}"
    assert not finding(made, "pay@1.5.0").missing[0].between
    assert refusal(made) is None, "the kernel can be brought, and it is no step on the way to the application"


def test_what_is_made_for_another_terminal_brings_nothing() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")])
    kernel = app("kernel", "7.0.0")
    for other in (
        replace(kernel, provides=(Provides("acme", "X2"),)),
        replace(kernel, provides=(Provides("acme", "X1", hw_revisions=("C",)),)),
        replace(kernel, provides=(Provides("acme", "X1", regions=("CN",)),)),
        replace(kernel, blocked_hw=(BlockedHardware("B", "no-secure-boot"),)),
    ):
        made = plan(pay, other)
        assert remedy(made, "pay@1.5.0") == f"kernel 7.0 or newer is missing on this stick; {ASK}"


def test_a_release_that_may_not_be_installed_itself_is_named_with_what_stops_it() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")])
    kernel = app("kernel", "7.0.0", requires=[Requirement("battery", percent=90)])
    made = plan(pay, kernel)
    assert remedy(made, "pay@1.5.0") == (
        "kernel@7.0.0 on this stick brings it, but its own rules must be met first: "
        "Battery 80 %, needs 90 % or more (adapter connected). Let it charge to 90 %, then check again."
    )
    assert not finding(made, "pay@1.5.0").missing
    stop = refusal(made)
    assert stop is not None
    assert stop.exit_code is Exit.GATE_CLOSED, "the battery can be charged here and now"


def test_a_file_that_this_connection_cannot_bring() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("firmware", version="2.4.0")])
    made = plan(pay, image("os", "2.4.0"), environment=replace(ANY_ROLE, roles=frozenset({"apk"})))
    assert remedy(made, "pay@1.5.0").startswith(
        "os@2.4.0 on this stick brings it, but its own rules must be met first: It holds files (image)"
    )


def test_a_question_that_is_open_stops_it_for_now() -> None:
    silent = replace(TERMINAL, batch=None)
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")])
    kernel = app("kernel", "7.0.0", requires=[Requirement("no-open-batch")])
    made = plan(pay, kernel, terminal=silent)
    assert remedy(made, "pay@1.5.0").endswith("Look at the terminal and answer the question.")
    assert not finding(made, "pay@1.5.0").missing


def test_the_hardest_of_several_causes_is_told() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")])
    needs = [Requirement("battery", percent=90), Requirement("firmware", version="3.0")]
    made = plan(pay, app("kernel", "7.0.0", requires=needs))
    assert missing(made, "pay@1.5.0") == ["firmware 3.0 or newer"]


def test_of_several_ways_the_nearest_is_told() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")])
    far = app("kernel", "7.1.0", requires=[Requirement("firmware", version="3.0")])
    near = app("kernel", "7.0.0", requires=[Requirement("battery", percent=90)])
    for stick in ((pay, far, near), (near, far, pay)):
        made = plan(*stick)
        assert remedy(made, "pay@1.5.0").startswith("kernel@7.0.0 on this stick brings it")
        assert not finding(made, "pay@1.5.0").missing


def test_what_could_come_is_said_when_something_else_stops_the_release() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0"), Requirement("moon")])
    made = make_plan(TERMINAL, verified(pay, app("kernel", "7.0.0")), ANY_ROLE, ["pay"])
    component = next(v for v in finding(made, "pay@1.5.0").failed if v.what == "component")
    assert component.remedy is not None
    assert component.remedy.text("en") == "kernel@7.0.0 on this stick brings it and can be installed first."


def test_an_installed_release_that_would_break_stops_it() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="8.0")])
    shop = app("shop", "1.0.0", requires=[Requirement("component", Compare.LT, "8.0", id="kernel")])
    terminal = with_packages(package("shop", "1.0.0"), package("kernel", "7.0.0"))
    made = plan(pay, shop, app("kernel", "8.0.0"), terminal=terminal)
    assert "shop@1.0.0 would no longer fit" in remedy(made, "pay@1.5.0")


def test_a_recalled_release_brings_nothing() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")])
    made = plan(pay, app("kernel", "7.0.0"), recalled=[recall("kernel", "7.0.0")])
    assert remedy(made, "pay@1.5.0") == (
        "kernel@7.0.0 on this stick brings it, but its own rules must be met first: "
        "it was recalled (It leaks.); ask the office which release replaces it."
    )
    assert missing(made, "pay@1.5.0") == ["kernel 7.0 or newer"]


def test_a_terminal_that_is_past_it() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("component", Compare.LT, "8.0", id="kernel")])
    made = plan(pay, app("kernel", "7.0.0"), terminal=with_packages(package("kernel", "8.1.0")))
    assert remedy(made, "pay@1.5.0").startswith("The terminal is past it, and techtool does not go back")
    assert not finding(made, "pay@1.5.0").missing


def test_what_cannot_be_compared_keeps_its_own_remedy() -> None:
    pay = app("pay", "1.5.0", requires=[Requirement("firmware", version="2.4.0")])
    made = plan(pay, terminal=with_firmware("A920_PayDroid_10"))
    assert remedy(made, "pay@1.5.0").startswith("Send both version texts to the office")


# -- circles ----------------------------------------------------------------------------------------------------------


def test_releases_that_need_each_other() -> None:
    one = app("one", "1.0.0", requires=[Requirement("component", id="two", version="1.0")])
    two = app("two", "1.0.0", requires=[Requirement("component", id="one", version="1.0")])
    made = plan(one, two)
    assert remedy(made, "one@1.0.0") == (
        "two@1.0.0 on this stick brings it, but its own rules must be met first: "
        "each of one@1.0.0, two@1.0.0 needs another of them first; tell the publisher."
    )


def test_a_release_that_asks_for_itself() -> None:
    made = plan(image("os", "2.4.0", requires=[Requirement("firmware", version="2.4.0")]))
    assert remedy(made, "os@2.4.0") == "os@2.4.0 asks for itself to be there first; tell its publisher."


def test_many_that_all_need_each_other_are_given_up_on_in_time() -> None:
    names = [f"app{n:02}" for n in range(16)]
    clique = [
        app(name, "1.0.0", requires=[Requirement("component", id=o, version="1.0") for o in names if o != name])
        for name in names
    ]
    made = plan(*clique)
    assert {f.verdict for f in made.findings} == {ReleaseVerdict.BLOCKED}


# -- any stick --------------------------------------------------------------------------------------------------------


def supply(what: Missing) -> Release:
    """A release without rules that brings what is missing."""
    first = int(what.version.split(".")[0])
    others = {Compare.GT: f"{first}.0.1", Compare.NE: f"{first}.0.1", Compare.LT: f"{first - 1}.0.0"}
    version = others.get(what.compare, what.version)
    if what.what == "firmware" or what.id == "os":
        return image(what.id or "supplied-os", version, size_bytes=1)
    if what.what == "bootloader" or what.id == "boot":
        return image(what.id or "supplied-boot", version, kind=ReleaseKind.BOOTLOADER, size_bytes=1)
    return app(what.id, version, size_bytes=1)


@pytest.mark.slow
@settings(max_examples=80, deadline=None, derandomize=True)
@given(terminals(), sticks)
def test_bringing_what_is_missing_ends_that_it_is_missing(terminal: TerminalState, stick: list[Release]) -> None:
    made = plan(*stick, terminal=terminal)
    lacking = [(f, m) for f in made.findings for m in f.missing]
    assume(lacking)
    for found, what in lacking:
        brought = supply(what)
        if any(r.key == brought.key for r in stick):
            continue
        note(f"{found.key} misses {what.need.text('en')}; {brought.key} comes")
        again = finding(plan(*stick, brought, terminal=terminal), found.key)
        assert what.need.text("en") not in [m.need.text("en") for m in again.missing]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(terminals(), sticks)
def test_every_closed_gate_says_what_to_do(terminal: TerminalState, stick: list[Release]) -> None:
    for found in plan(*stick, terminal=terminal).findings:
        for rule in (*found.failed, *found.warnings):
            assert rule.remedy is not None
            assert rule.remedy.text("en").strip()
