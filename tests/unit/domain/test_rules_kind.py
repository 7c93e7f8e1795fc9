"""What a release's kind decides, by the catalogue's own data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from techtool.catalogue.reader import load_catalogue
from techtool.domain.policy import KindPolicy, Policy, Way
from techtool.domain.question import questions
from techtool.domain.release import Release, ReleaseKind, Requirement
from techtool.domain.rules import Environment, Force, Verdict, evaluate
from techtool.domain.terminal import BatchState, Battery, TerminalState
from tests.unit.domain.build import ANY_ROLE, TERMINAL, TOOL, app, image

CATALOGUE = replace(load_catalogue().environment("1.3.0", "android"), roles=ANY_ROLE.roles)
"""The real policy; every role of file, so that the other gates can be seen."""
WORST = replace(TERMINAL, battery=Battery(29, external_power=False), batch=BatchState.OPEN, clock_offset_s=-86_400.0)
SYSTEM = (ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER)


def failed(kind: ReleaseKind, terminal: TerminalState, environment: Environment = CATALOGUE) -> dict[str, Force]:
    release = replace(app("acme.thing", "1.5.0"), kind=kind)
    terminal = replace(terminal, bootloader="1.0.0")
    return {v.what: v.force for v in evaluate(release, terminal, environment) if not v.ok}


def by_kind(kind: ReleaseKind, terminal: TerminalState) -> dict[str, Force]:
    """What a kind closes beyond what any release of that content would."""
    without = failed(kind, terminal, replace(CATALOGUE, policy=Policy()))
    return {what: force for what, force in failed(kind, terminal).items() if what not in without}


@pytest.mark.parametrize("kind", list(ReleaseKind))
def test_the_gates_of_each_kind(kind: ReleaseKind) -> None:
    gates = {
        ReleaseKind.FIRMWARE: {"no-open-batch": Force.GATE, "external-power": Force.GATE},
        ReleaseKind.BOOTLOADER: {"no-open-batch": Force.GATE, "external-power": Force.GATE},
        ReleaseKind.CERTIFICATES: {"no-open-batch": Force.GATE, "clock": Force.WARNING},
    }
    assert by_kind(kind, WORST) == gates.get(kind, {}), "an application, its data and its parameters need no more"


@pytest.mark.parametrize("kind", list(ReleaseKind))
@pytest.mark.parametrize(("percent", "powered"), [(30, True), (29, True), (15, True), (14, True), (30, False)])
def test_the_least_charge_of_each_kind(kind: ReleaseKind, percent: int, powered: bool) -> None:
    floor = 30 if kind in SYSTEM or not powered else 15
    found = failed(kind, replace(TERMINAL, battery=Battery(percent, external_power=powered)))
    assert ("battery" in found) is (percent < floor)


@pytest.mark.parametrize("kind", list(ReleaseKind))
def test_a_good_terminal_meets_them_all(kind: ReleaseKind) -> None:
    good = replace(TERMINAL, clock_offset_s=119.0)
    assert by_kind(kind, good) == {}


def test_what_the_terminal_does_not_tell_is_asked_for_a_system_alone() -> None:
    silent = replace(TERMINAL, battery=None, batch=None)
    asked = questions(evaluate(image("acme.os", "2.4.0"), silent, CATALOGUE))
    assert [question.id for question in asked] == ["check.batch", "check.external-power"]
    assert not questions(evaluate(app("pay", "1.5.0"), silent, CATALOGUE))
    answers = {question.id: True for question in asked}
    assert all(v.ok for v in evaluate(image("acme.os", "2.4.0"), silent, replace(CATALOGUE, answers=answers)))


def test_a_gate_that_the_release_states_itself_stands_once() -> None:
    release = image("acme.os", "2.4.0", requires=[Requirement("external-power"), Requirement("no-open-batch")])
    whats = [v.what for v in evaluate(release, WORST, CATALOGUE)]
    assert whats.count("external-power") == whats.count("no-open-batch") == 1
    erasing = replace(image("acme.os", "2.4.0"), erases_data=True)
    whats = [v.what for v in evaluate(erasing, WORST, CATALOGUE)]
    assert "no-open-batch" not in whats
    assert whats.count("erases-data") == 1


def test_a_closed_gate_says_why_this_kind_needs_it_in_both_languages() -> None:
    for kind in SYSTEM:
        for what in ("external-power", "no-open-batch"):
            verdict = _one(replace(app("x", "1.0.0"), kind=kind), what)
            why = CATALOGUE.policy.of(kind).why
            assert verdict.remedy is not None
            for language in ("en", "zh"):
                assert why[language] in verdict.remedy.text(language)


def _one(release: Release, what: str) -> Verdict:
    (verdict,) = [v for v in evaluate(release, WORST, CATALOGUE) if v.what == what]
    return verdict


def test_a_clock_that_was_not_compared_is_no_warning() -> None:
    assert "clock" not in failed(ReleaseKind.CERTIFICATES, replace(TERMINAL, clock_offset_s=None))
    assert "clock" in failed(ReleaseKind.CERTIFICATES, replace(TERMINAL, clock_offset_s=121.0))


# -- ways -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(ReleaseKind))
@pytest.mark.parametrize("role", ["image", "data"])
def test_a_file_that_this_connection_cannot_bring_has_another_way(kind: ReleaseKind, role: str) -> None:
    made = image("acme.thing", "2.4.0", kind=kind)
    release = replace(made, files=(replace(made.files[0], role=role),))
    environment = load_catalogue().environment("1.3.0", "android")
    (verdict,) = [v for v in evaluate(release, TERMINAL, environment) if v.what == "file-role"]
    assert not verdict.ok
    assert verdict.remedy is not None
    known = [way.text for way in environment.policy.ways]
    for language in ("en", "zh"):
        assert verdict.remedy.text(language) in [text[language] for text in known]


def test_the_way_of_a_vendor_comes_first() -> None:
    ways = (
        Way("image", {"en": "pax"}, (ReleaseKind.FIRMWARE,), "pax"),
        Way("image", {"en": "any"}),
    )
    policy = Policy(ways=ways)
    told = [
        policy.way("image", kind, vendor)
        for kind, vendor in (
            (ReleaseKind.FIRMWARE, "pax"),
            (ReleaseKind.RESOURCES, "pax"),
            (ReleaseKind.FIRMWARE, "acme"),
        )
    ]
    assert [way.text("en") if way else None for way in told] == ["pax", "any", "any"]
    assert policy.way("data", ReleaseKind.FIRMWARE, "pax") is None


def test_without_a_way_something_is_said_all_the_same() -> None:
    (verdict,) = [v for v in evaluate(image("acme.os", "2.4.0"), TERMINAL, TOOL) if v.what == "file-role"]
    assert verdict.remedy is not None
    assert "maker's own way" in verdict.remedy.text("en")


def test_no_policy_adds_nothing() -> None:
    assert Policy().of(ReleaseKind.FIRMWARE) == KindPolicy()


@pytest.mark.parametrize("package", ["com.pax.ipp.neptune", "com.pax.daemon"])
def test_packages_that_guard_keys_are_never_written(package: str) -> None:
    """Whoever signed for it: a closed gate on that maker's terminals, and no rule on others'."""
    on_pax = replace(TERMINAL, identity=replace(TERMINAL.identity, vendor="pax"))
    release = app(package, "1.5.0")
    verdicts = [v for v in evaluate(release, on_pax, CATALOGUE) if v.what == "protected"]
    assert [(v.ok, v.force) for v in verdicts] == [(False, Force.GATE)]
    assert all(v.what != "protected" for v in evaluate(release, TERMINAL, CATALOGUE))
    assert all(v.what != "protected" for v in evaluate(app("com.pax.other", "1.5.0"), on_pax, CATALOGUE))
