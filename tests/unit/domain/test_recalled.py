"""Recalls: never planned, not even on the way; and what a terminal already runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techtool.domain.plan import Plan, ReleaseVerdict
from techtool.domain.plan_json import plan_json
from techtool.domain.planner import make_plan
from techtool.domain.recall import Recall, RecalledPackage
from techtool.domain.recalled import recalled_installed, runs_recalled
from techtool.domain.refusal import refusal
from techtool.domain.release import Provides, Release, ReleaseKind, Requirement, Urgency
from techtool.domain.terminal import TerminalState
from techtool.errors import Exit, NotFoundError
from tests.unit.domain.build import (
    ANY_ROLE,
    IDENTITY,
    TERMINAL,
    app,
    code_of,
    package,
    recall,
    verified,
    with_firmware,
    with_packages,
)


def plan(
    *releases: Release, recalls: Collection[Recall], terminal: TerminalState = TERMINAL, wanted: Collection[str] = ()
) -> Plan:
    return make_plan(terminal, verified(*releases), ANY_ROLE, wanted, recalled={r.key: r for r in recalls})


def said(made: Plan, key: str) -> tuple[str, str]:
    """Reason and remedy of the finding on a recalled release."""
    found = next(f for f in made.findings if f.key == key)
    assert found.verdict is ReleaseVerdict.RECALLED
    rule = next(v for v in found.rules if v.what == "recalled")
    assert rule.remedy is not None
    return rule.reason.text("en"), rule.remedy.text("en")


# -- never planned ----------------------------------------------------------------------------------------------------


def test_reason_date_urgency_and_replacement() -> None:
    bad = recall("pay", "1.5.0", replacement="pay@1.5.1", urgency=Urgency.CRITICAL)
    made = plan(app("pay", "1.5.0"), app("pay", "1.5.1"), recalls=[bad])
    assert said(made, "pay@1.5.0") == (
        "It leaks. (recalled on 2026-11-20, critical)",
        "Do not install it. pay@1.5.1 replaces it and is in this plan.",
    )
    assert [v.release.key for v in made.releases] == ["pay@1.5.1"]
    reason = next(f for f in made.findings if f.key == "pay@1.5.0").rules[0].reason
    assert reason.text("zh").startswith("存在泄露。")


@pytest.mark.parametrize(
    ("replacement", "terminal", "words"),
    [
        ("", TERMINAL, "There is no replacement yet: ask the office."),
        ("pay@9.0.0", TERMINAL, "pay@9.0.0 replaces it: ask the office for a stick that carries it."),
        ("pay@1.5.1", TERMINAL, "pay@1.5.1 replaces it and is in this plan."),
        ("pay@1.5.1", with_packages(package("pay", "1.5.1")), "pay@1.5.1 replaces it and is installed already."),
        ("pay@1.5.1", with_packages(package("pay", "1.6.0")), "this terminal gets or has a newer one."),
        ("other@1.0.0", TERMINAL, "other@1.0.0 replaces it and is on this stick, but may not be installed here."),
    ],
)
def test_whether_this_stick_has_the_replacement(replacement: str, terminal: TerminalState, words: str) -> None:
    other = replace(app("other", "1.0.0"), provides=(Provides("bolt", "Z"),))
    stick = (app("pay", "1.5.0"), app("pay", "1.5.1"), other)
    made = plan(*stick, recalls=[recall("pay", "1.5.0", replacement=replacement)], terminal=terminal)
    assert said(made, "pay@1.5.0")[1].endswith(words)


def test_a_replacement_that_was_not_asked_for() -> None:
    stick = (app("pay", "1.5.0"), app("pay", "1.5.1"), app("game", "1.0.0"))
    made = plan(*stick, recalls=[recall("pay", "1.5.0", replacement="pay@1.5.1")], wanted=["game"])
    assert said(made, "pay@1.5.0")[1].endswith("was not asked for.")


def test_a_recalled_step_is_no_step() -> None:
    chain = [
        app("pay", "1.0.0"),
        app("pay", "2.0.0", requires=[Requirement("component", id="pay", version="1.0")]),
        app("pay", "3.0.0", requires=[Requirement("component", id="pay", version="2.0")]),
    ]
    assert len(plan(*chain, recalls=[]).releases) == 3
    made = plan(*chain, recalls=[recall("pay", "2.0.0")])
    assert [v.release.key for v in made.releases] == ["pay@1.0.0"]
    stop = refusal(made)
    assert stop is not None
    assert stop.exit_code is Exit.NOT_COMPATIBLE
    assert "it was recalled" in stop.what_phrase.text("en")


def test_only_recalls_of_what_is_here_are_spoken_of() -> None:
    elsewhere = recall("other", "1.0.0")
    assert [f.key for f in plan(app("pay", "1.5.0"), recalls=[elsewhere]).findings] == ["pay@1.5.0"]
    wanted = plan(app("pay", "1.5.0"), recalls=[elsewhere], wanted=["other@1.0.0"])
    assert {f.key: f.verdict.value for f in wanted.findings} == {"pay@1.5.0": "not-chosen", "other@1.0.0": "recalled"}
    stop = refusal(wanted, ["other@1.0.0"])
    assert stop is not None
    assert stop.exit_code is Exit.RECALLED
    with pytest.raises(NotFoundError):
        plan(app("pay", "1.5.0"), recalls=[elsewhere], wanted=["nowhere"])


def test_a_stick_with_nothing_but_recalled_releases_stops_with_that() -> None:
    stop = refusal(plan(app("pay", "1.5.0"), recalls=[recall("pay", "1.5.0")]))
    assert stop is not None
    assert stop.exit_code is Exit.RECALLED
    assert "It leaks." in stop.what_phrase.text("en")
    for_another = recall("pay", "1.5.0", provides=(Provides("bolt", "Z"),))
    other = refusal(plan(app("pay", "1.5.0"), recalls=[for_another]))
    assert other is not None
    assert other.exit_code is Exit.NOT_COMPATIBLE


def test_a_withdrawn_release_that_was_recalled_is_recalled() -> None:
    made = make_plan(
        TERMINAL, (), ANY_ROLE, withdrawn=[("pay", "1.5.0")], recalled={"pay@1.5.0": recall("pay", "1.5.0")}
    )
    assert [(f.key, f.verdict) for f in made.findings] == [("pay@1.5.0", ReleaseVerdict.RECALLED)]


# -- what the terminal runs -------------------------------------------------------------------------------------------


def keys(*recalls: Recall, terminal: TerminalState, in_force: Collection[Release] = ()) -> list[str]:
    return [r.key for r in recalled_installed(terminal, recalls, in_force)]


def test_a_package_is_known_by_id_and_code() -> None:
    bad = recall("pay", "1.5.0")
    assert keys(bad, terminal=with_packages(package("pay", "1.5.0"))) == ["pay@1.5.0"]
    assert keys(bad, terminal=with_packages(package("pay", "renamed", code=code_of("1.5.0")))) == ["pay@1.5.0"]
    assert keys(bad, terminal=with_packages(package("pay", "1.5.1"))) == []
    assert keys(bad, terminal=with_packages(package("pay2", "1.5.0"))) == []
    assert keys(bad, terminal=TERMINAL) == []


SYSTEMS = pytest.mark.parametrize(
    ("kind", "terminal"),
    [
        (ReleaseKind.FIRMWARE, with_firmware("A920_V1.1_20250101")),
        (ReleaseKind.BOOTLOADER, replace(TERMINAL, bootloader="A920_V1.1_20250101")),
    ],
)


@SYSTEMS
def test_a_system_is_known_by_its_text_on_its_models(kind: ReleaseKind, terminal: TerminalState) -> None:
    bad = recall("os", "1.1", kind=kind, packages=(), shown_version="A920_V1.1_20250101 ")
    assert keys(bad, terminal=terminal) == ["os@1.1"]
    assert keys(bad, terminal=TERMINAL) == []
    assert keys(replace(bad, shown_version="A920_V1.1_20250102"), terminal=terminal) == []
    assert keys(replace(bad, provides=(Provides("acme", "X2"),)), terminal=terminal) == []
    assert keys(replace(bad, provides=()), terminal=terminal) == []
    other = {ReleaseKind.FIRMWARE: ReleaseKind.BOOTLOADER, ReleaseKind.BOOTLOADER: ReleaseKind.FIRMWARE}[kind]
    assert keys(replace(bad, kind=other), terminal=terminal) == []


def test_a_terminal_that_tells_nothing_is_not_accused() -> None:
    silent = replace(TERMINAL, identity=replace(IDENTITY, firmware=""), bootloader=None)
    for kind in (ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER, ReleaseKind.PARAMETERS, None):
        nameless = replace(recall("os", "1.0.0"), version="", kind=kind, packages=())
        assert keys(nameless, terminal=silent) == []


def both(version: str, resources: str) -> tuple[RecalledPackage, ...]:
    return RecalledPackage("pay", code_of(version)), RecalledPackage("res", code_of(resources))


def test_of_two_packages_either_tells() -> None:
    bad = recall("set", "1.0.0", packages=both("1.5.0", "3.0.0"))
    assert keys(bad, terminal=with_packages(package("pay", "1.5.0"))) == ["set@1.0.0"]
    assert keys(bad, terminal=with_packages(package("res", "3.0.0"))) == ["set@1.0.0"]


def test_a_package_that_a_good_release_brings_too_tells_nothing() -> None:
    bad = recall("set", "1.0.0", packages=both("1.5.0", "3.0.0"))
    good = replace(app("set", "1.1.0"), files=(app("pay", "1.6.0").files[0], app("res", "3.0.0").files[0]))
    replaced = with_packages(package("pay", "1.6.0"), package("res", "3.0.0"))
    assert keys(bad, terminal=replaced, in_force=[good]) == []
    half = with_packages(package("pay", "1.5.0"), package("res", "4.0.0"))
    assert keys(bad, terminal=half, in_force=[good]) == ["set@1.0.0"]
    # The recalled release itself, still listed, clears nobody.
    same = replace(good, version="1.0.0", files=(app("pay", "1.5.0").files[0], app("res", "3.0.0").files[0]))
    assert keys(bad, terminal=replaced, in_force=[same]) == ["set@1.0.0"]
    # Where every package of it is in a good release too, all of them together still tell.
    assert keys(bad, terminal=with_packages(package("pay", "1.5.0")), in_force=[replace(same, version="2.0.0")]) == []
    whole = with_packages(package("pay", "1.5.0"), package("res", "3.0.0"))
    assert keys(bad, terminal=whole, in_force=[replace(same, version="2.0.0")]) == ["set@1.0.0"]


@settings(max_examples=100, derandomize=True)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 4)),
    st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 4)), unique=True),
)
def test_any_terminal_against_any_list(installed: dict[str, int], recalled: list[tuple[str, int]]) -> None:
    terminal = with_packages(*(package(name, f"{n}.0.0") for name, n in installed.items()))
    recalls = [recall(name, f"{n}.0.0") for name, n in recalled]
    assert keys(*recalls, terminal=terminal) == [f"{name}@{n}.0.0" for name, n in recalled if installed.get(name) == n]


def test_what_is_told_of_it() -> None:
    terminal = with_packages(package("pay", "1.5.0"))
    bad = recall("pay", "1.5.0", replacement="pay@1.5.1")
    made = plan(app("pay", "1.5.0"), app("pay", "1.5.1"), recalls=[bad], terminal=terminal)
    text = runs_recalled(bad, made.findings).text("en")
    assert text == (
        "This terminal runs pay 1.5.0, which was recalled on 2026-11-20 (high urgency): “It leaks.” "
        "pay@1.5.1 replaces it and is in this plan."
    )
    data = plan_json(made, IDENTITY, "en", recalled_installed(terminal, [bad]))
    assert data["recalled_installed"] == [
        {
            "id": "pay",
            "version": "1.5.0",
            "urgency": "high",
            "date": "2026-11-20",
            "reason": "It leaks.",
            "replacement": "pay@1.5.1",
            "replacement_verdict": "install",
        }
    ]
