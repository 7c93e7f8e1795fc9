"""A release that the hardware revision refuses names the highest version on the stick that this hardware may run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from techtool.domain.plan import Plan, ReleaseFinding, ReleaseVerdict
from techtool.domain.plan_json import plan_json
from techtool.domain.planner import make_plan
from techtool.domain.release import BlockedHardware, Provides, Release
from techtool.domain.rules import Environment
from techtool.domain.terminal import TerminalState
from tests.unit.domain.build import TERMINAL, app, verified

OLD = replace(TERMINAL, identity=replace(TERMINAL.identity, hw_revision="A"))


def made_for(version: str, *revisions: str, model: str = "X1") -> Release:
    return replace(app("shop", version), provides=(Provides("acme", model, hw_revisions=revisions),))


def plan(releases: Sequence[Release], terminal: TerminalState = OLD, withdrawn: Sequence[tuple[str, str]] = ()) -> Plan:
    return make_plan(terminal, verified(*releases), Environment("1.0.0"), withdrawn=withdrawn)


def finding(made: Plan, version: str) -> ReleaseFinding:
    return next(f for f in made.findings if f.version == version)


def remedies(found: ReleaseFinding) -> str:
    return " ".join(rule.remedy.text("en") for rule in found.failed if rule.remedy is not None)


def test_the_highest_of_those_for_this_hardware_is_named() -> None:
    made = plan([made_for("1.0.0"), made_for("2.0.0", "A", "B"), made_for("3.0.0", "B"), made_for("4.0.0", "B")])
    for version in ("3.0.0", "4.0.0"):
        found = finding(made, version)
        assert found.verdict is ReleaseVerdict.BLOCKED
        assert found.highest == "2.0.0"
        assert "Highest for this hardware on this stick: shop 2.0.0." in remedies(found)
    assert finding(made, "2.0.0").highest is None
    shown = {r["version"]: r["highest_for_hardware"] for r in plan_json(made, OLD.identity)["releases"]}  # type: ignore[attr-defined]
    assert shown == {"1.0.0": None, "2.0.0": None, "3.0.0": "2.0.0", "4.0.0": "2.0.0"}


def test_a_release_that_its_maker_blocks_on_this_revision() -> None:
    blocked = replace(app("shop", "3.0.0"), blocked_hw=(BlockedHardware("A", "flash too small"),))
    found = finding(plan([app("shop", "2.1.0"), blocked]), "3.0.0")
    assert found.highest == "2.1.0"
    assert "shop 2.1.0" in remedies(found)


@pytest.mark.parametrize(
    ("others", "withdrawn"),
    [
        ([], []),
        ([made_for("2.0.0", "C")], []),
        ([made_for("2.0.0", model="X9")], []),
        ([made_for("2.0.0", "A")], [("shop", "2.0.0")]),
        ([app("other", "9.0.0")], []),
    ],
    ids=["alone", "another-revision", "another-model", "withdrawn", "another-id"],
)
def test_none_on_this_stick(others: list[Release], withdrawn: list[tuple[str, str]]) -> None:
    found = finding(plan([*others, made_for("3.0.0", "B")], withdrawn=withdrawn), "3.0.0")
    assert found.highest == ""
    assert "none on this stick; think of a swap" in remedies(found)


def test_nothing_is_said_where_the_hardware_is_not_what_refuses_it() -> None:
    assert finding(plan([made_for("3.0.0", model="X9")]), "3.0.0").highest is None
    unknown = replace(OLD, identity=replace(OLD.identity, hw_revision=None))
    assert finding(plan([made_for("2.0.0", "A"), made_for("3.0.0", "B")], unknown), "3.0.0").highest is None
