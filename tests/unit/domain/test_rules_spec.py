"""Every rule of the specification's own example of a release description, read from JSON and judged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from techtool.bundles.description import KNOWN_RULES, decode_release
from techtool.domain.release import Release, Requirement
from techtool.domain.rules import Force, Verdict, evaluate
from techtool.domain.terminal import BatchState, Battery, TerminalState
from tests.unit.domain.build import (
    ANY_ROLE,
    IDENTITY,
    app,
    package,
    verdicts,
    with_firmware,
    with_packages,
)

EXAMPLE: Final[dict[str, Any]] = {
    "schema": 1,
    "id": "com.acme.x1.os",
    "version": "2.4.0",
    "version_format": "triplet",
    "kind": "firmware",
    "urgency": "high",
    "install_duration": 420,
    "date": "2026-10-01",
    "branch": "stable",
    "tags": ["bank-a-2026q4"],
    "files": [{"role": "image", "target": "acme/x1/x1-os-2.4.0.zip", "size": 500_000_000, "sha256": "ab" * 32}],
    "provides": [{"vendor": "acme", "model": "X1", "hw_rev": ["B", "C"], "region": ["EU"]}],
    "requires": [
        {"what": "firmware", "compare": "ge", "version": "2.1.0"},
        {"what": "bootloader", "compare": "ge", "version": "1.4"},
        {"what": "component", "id": "com.acme.x1.kernel", "compare": "ge", "version": "7.0"},
        {"what": "battery", "compare": "ge", "percent": 40},
        {"what": "external-power"},
        {"what": "free-storage", "bytes": 1_200_000_000},
        {"what": "tool", "compare": "ge", "version": "1.3"},
        {"what": "no-open-batch"},
    ],
    "recommends": [{"what": "firmware", "compare": "ge", "version": "2.3.0"}],
    "conflicts": [{"id": "com.bank.app", "compare": "lt", "version": "5.0"}],
    "blocked_hw": [{"hw_rev": "A", "reason": "no-secure-boot"}],
    "after": {"restart": True, "expect_version": "2.4.0", "checks": ["boots", "keys-present", "pinpad-ok"]},
    "rollback": {"allowed": False, "data": "restore", "lowest": "2.1.0"},
    "issues": [{"type": "cve", "id": "CVE-2026-1"}],
    "known_issues": [{"id": "KI-7", "text": "Beeps twice.", "if": {"hw_rev": "C"}}],
    "tested_on": [{"model": "X1", "hw_rev": "B", "from": ["2.1.0", "2.3.0"], "result": "passed", "date": "2026-09-20"}],
    "text": {"en": "New.", "zh": "新。"},
}

GOOD: Final = with_packages(package("com.acme.x1.kernel", "7.0.0"))
"""Firmware 2.1.0, boot loader 1.4, revision B, region EU, settled, on the adapter."""


def example(**changes: object) -> Release:
    return decode_release(json.dumps({**EXAMPLE, **changes}).encode())


def failed(release: Release, terminal: TerminalState) -> list[Verdict]:
    return [v for v in evaluate(release, terminal, ANY_ROLE, (release,)) if not v.ok]


def test_a_terminal_that_meets_every_rule() -> None:
    (left,) = failed(example(), GOOD)
    assert (left.what, left.force) == ("firmware", Force.WARNING), "recommends 2.3.0"
    assert not failed(example(), with_firmware("2.3.0", GOOD))


@pytest.mark.parametrize(
    ("what", "terminal"),
    [
        ("model", replace(GOOD, identity=replace(IDENTITY, model="X2"))),
        ("hw-revision", replace(GOOD, identity=replace(IDENTITY, hw_revision="D"))),
        ("region", replace(GOOD, region="CN")),
        ("firmware", with_firmware("2.0.9", GOOD)),
        ("bootloader", replace(GOOD, bootloader="1.3")),
        ("component", with_packages(package("com.acme.x1.kernel", "6.9.9"))),
        ("component", with_packages()),
        ("battery", replace(GOOD, battery=Battery(39, external_power=True))),
        ("external-power", replace(GOOD, battery=Battery(80, external_power=False))),
        ("free-storage", replace(GOOD, free_storage_bytes=1_199_999_999)),
        ("no-open-batch", replace(GOOD, batch=BatchState.OPEN)),
        ("conflict", with_packages(package("com.acme.x1.kernel", "7.0.0"), package("com.bank.app", "4.9.0"))),
        ("installed-version", with_firmware("2.5.0", GOOD)),
    ],
)
def test_each_rule_closes_its_own_gate(what: str, terminal: TerminalState) -> None:
    gates = {v.what for v in failed(example(), terminal) if v.force is Force.GATE}
    assert gates == {what}


def test_blocked_hardware_is_closed_even_where_the_model_list_lets_it_in() -> None:
    release = example(provides=[{"vendor": "acme", "model": "X1"}])
    gates = [
        v for v in failed(release, replace(GOOD, identity=replace(IDENTITY, hw_revision="A"))) if v.force is Force.GATE
    ]
    assert [v.what for v in gates] == ["blocked-hardware"]
    assert "no-secure-boot" in gates[0].reason.text("en")


def test_a_newer_techtool_is_asked_for() -> None:
    old = replace(ANY_ROLE, tool_version="1.2.9")
    assert [v.what for v in evaluate(example(), GOOD, old) if not v.ok and v.force is Force.GATE] == ["tool"]


@pytest.mark.parametrize("what", sorted(KNOWN_RULES))
def test_every_kind_of_rule_that_is_read_is_judged(what: str) -> None:
    (verdict,) = verdicts(app("pay", "1.5.0", requires=[Requirement(what)]), what, GOOD)[-1:]
    assert "not known here" not in verdict.reason.text("en")


def test_what_is_left_out_is_at_least() -> None:
    """A rule without ``compare`` asks for at least what it names."""
    rules = [{k: v for k, v in rule.items() if k != "compare"} for rule in EXAMPLE["requires"]]
    assert example(requires=rules).requires == example().requires


@pytest.mark.parametrize(
    "rule",
    [
        {"what": "battery"},
        {"what": "battery", "compare": "lt"},
        {"what": "free-storage"},
        {"what": "external-power", "compare": "ne"},
        {"what": "no-open-batch", "compare": "lt"},
        {"what": "no-open-batch", "version": "2.0"},
        {"what": "firmware"},
        {"what": "bootloader", "compare": "ge"},
        {"what": "component", "id": "x"},
        {"what": "tool"},
        {"what": "sdk"},
        {"what": "abi"},
    ],
)
def test_a_rule_that_lacks_what_it_is_about_is_never_met(rule: dict[str, object]) -> None:
    """An amount of 0 would always be met: whoever signed it meant something else."""
    release = example(requires=[rule], recommends=[])
    (verdict,) = [v for v in failed(release, GOOD) if v.force is Force.GATE]
    assert verdict.what == rule["what"]
    assert "cannot be read" in verdict.reason.text("en")


def test_another_scheme_for_one_rule() -> None:
    rule = Requirement("component", id="kernel", version="70000", version_format="android-code")
    release = app("pay", "1.5.0", requires=[rule])
    assert verdicts(release, "component", with_packages(package("kernel", "whatever", code=70000)))[0].ok
    assert not verdicts(release, "component", with_packages(package("kernel", "9.9.9", code=69999)))[0].ok


def test_a_conflict_with_any_version() -> None:
    release = example(conflicts=[{"id": "com.bank.app"}])
    both = with_packages(package("com.acme.x1.kernel", "7.0.0"), package("com.bank.app", "9.9.0"))
    assert [v.what for v in failed(release, both) if v.force is Force.GATE] == ["conflict"]


# -- tested_on --------------------------------------------------------------------------------------------------------


def lab(**changes: object) -> dict[str, object]:
    return {"model": "X1", "hw_rev": "B", "from": ["2.1.0"], "result": "passed", "date": "2026-09-20", **changes}


def lab_verdict(*results: dict[str, object], terminal: TerminalState = GOOD) -> Verdict:
    release = example(tested_on=list(results))
    (verdict,) = [v for v in evaluate(release, terminal, ANY_ROLE) if v.what == "lab-result"]
    return verdict


@pytest.mark.parametrize(
    ("word", "ok", "force"),
    [
        ("passed", True, Force.GATE),
        ("PASSED", True, Force.GATE),
        ("failed", False, Force.GATE),
        ("FAILED", False, Force.GATE),
        ("warned", False, Force.WARNING),
        ("pending", True, Force.GATE),
    ],
)
def test_what_the_lab_found_on_this_hardware(word: str, ok: bool, force: Force) -> None:
    verdict = lab_verdict(lab(result=word))
    assert (verdict.ok, verdict.force) == (ok, force)
    assert f"X1 B (2.1.0): {word}" in verdict.reason.text("en")


@pytest.mark.parametrize("elsewhere", [{"model": "X2"}, {"hw_rev": "C"}, {"from": ["2.0.0", "2.3.0"]}])
def test_a_failure_elsewhere_is_told_and_stops_nothing(elsewhere: dict[str, object]) -> None:
    verdict = lab_verdict(lab(result="failed", **elsewhere))
    assert verdict.ok
    assert "not on this" in verdict.reason.text("en")


def test_the_newest_result_counts_and_the_worse_one_of_a_day() -> None:
    later = lab(date="2026-10-20")
    assert lab_verdict(lab(result="failed"), later).ok
    assert not lab_verdict(lab(), {**later, "result": "failed"}).ok
    assert not lab_verdict(lab(result="failed"), lab()).ok
    assert lab_verdict(lab(result="failed", date=None), lab()).ok


def test_a_version_may_be_written_in_another_way() -> None:
    assert not lab_verdict(lab(result="failed", **{"from": ["V2.1"]})).ok


def test_no_word_of_the_lab_is_no_rule() -> None:
    release = example(tested_on=[])
    assert not [v for v in evaluate(release, GOOD, ANY_ROLE) if v.what == "lab-result"]


# -- known_issues -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("C", "Known and not mended: KI-7 Beeps twice."),
        ("B", "KI-7 is known on hardware revision C only."),
        (None, "Known and not mended on hardware revision C: KI-7 Beeps twice."),
    ],
)
def test_known_issues_are_told_where_they_are_and_stop_nothing(revision: str | None, said: str) -> None:
    terminal = replace(GOOD, identity=replace(IDENTITY, hw_revision=revision))
    (verdict,) = [v for v in evaluate(example(), terminal, ANY_ROLE) if v.what == "known-issue"]
    assert verdict.ok
    assert verdict.reason.text("en") == said
