"""``techtool plan`` and visits over chains of releases: A → B → C, and what is said without B."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.recalling import RecallOrder, recall_release
from techtool.bundles.publish.workspace import Workspace
from techtool.cli.background import simulated
from techtool.cli.connection import read_terminal
from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.domain.outcome import Outcome
from techtool.domain.release import ReleaseKind, Requirement
from techtool.domain.terminal import TerminalState
from techtool.domain.visit import CatmAction, LaneRecord
from techtool.errors import Exit
from techtool.events import Notice
from techtool.i18n import language, set_language
from techtool.simulator.faults import Direction, Drop
from techtool.simulator.run import specs_for
from techtool.visit.visits import list_visits, open_record
from tests.unit.simulator.apk_maker import make_apk
from tests.visit.conftest import Shop, fault

PAY = "org.example.pay"
SUNMI = (ProvidesEntry("sunmi", "P2"),)
CLOCK = SystemClock()


class Press:
    """The office of the demo's world, which publishes more releases for the SUNMI."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.workspace = Workspace.open(shop.world.folder / "office" / "bundle")

    def add(self, name: str, content: bytes, description: Description) -> None:
        path = self.shop.world.folder / name
        path.write_bytes(content)
        self.workspace.add("sunmi", [path], description, CLOCK)

    def step(self, code: int, *, padding: int = 100, requires: Sequence[Requirement] | None = None) -> None:
        """Version ``code`` of one package, which needs the version before it."""
        before = Requirement("component", id=PAY, version=str(code - 1), version_format="android-code")
        needs = tuple(requires) if requires is not None else (before,) if code > 1 else ()
        description = Description(kind=ReleaseKind.APPLICATION, provides=SUNMI, requires=needs)
        self.add("pay.apk", make_apk(PAY, code, f"{code}.0", padding=padding), description)

    def recall(self, version: str, replacement: str = "") -> None:
        order = RecallOrder(PAY, version, {"en": "It leaks.", "zh": "存在泄露。"}, replacement=replacement)
        recall_release(self.workspace, order, CLOCK)

    def write(self) -> None:
        self.workspace.sign(CLOCK, accept_lint=True)
        self.workspace.write(self.shop.world.stick, CLOCK)


@pytest.fixture
def press(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Press:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return Press(shop)


class Command:
    """``techtool plan`` against one simulated terminal."""

    def __init__(self, address: str, stick: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._line = ["plan", address, "--bundle", str(stick)]
        self._capture = capture

    def __call__(self, *options: str) -> tuple[int, str, str]:
        self._capture.readouterr()
        code = run([*self._line, *options])
        out, err = self._capture.readouterr()
        return code, out, err

    def json(self, *options: str) -> tuple[int, dict[str, Any]]:
        code, out, err = self("--json", *options)
        assert not err
        (line,) = out.splitlines()
        tree: dict[str, Any] = json.loads(line)
        return code, tree


@pytest.fixture
def plan(press: Press, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    with simulated(specs_for("sunmi-p2"), boot_s=0.05) as running:
        yield Command(running.addresses[0], press.shop.world.stick, capsys)


def of_pay(tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {release["version"]: release for release in tree["releases"] if release["id"] == PAY}


# -- A, B, C ----------------------------------------------------------------------------------------------------------


def test_three_steps_in_order(press: Press, plan: Command) -> None:
    for code in (3, 1, 2):
        press.step(code)
    press.write()
    code, out, err = plan("--release", PAY)
    assert (code, err) == (Exit.DONE, "")
    assert f"{PAY} 1.0 → {PAY} 2.0 → {PAY} 3.0" in out
    steps = [line for line in out.splitlines() if f"Install {PAY}" in line]
    assert [line.split("Install ")[1].split("  ")[0] for line in steps] == [f"{PAY} {n}.0" for n in (1, 2, 3)]
    code, tree = plan.json("--release", PAY)
    assert code == Exit.DONE
    assert tree["order"] == [f"{PAY}@{n}.0" for n in (1, 2, 3)]
    assert {version: found["verdict"] for version, found in of_pay(tree).items()} == dict.fromkeys(
        ("1.0", "2.0", "3.0"), "install"
    )
    assert tree["refused"] is None


def test_without_b_it_is_missing(press: Press, plan: Command) -> None:
    press.step(1)
    press.step(3)
    press.step(4)
    press.write()
    missing = f"{PAY} 2 or newer is missing on this stick; ask the office for a stick that carries it."
    code, out, err = plan("--release", PAY)
    assert code == Exit.NOT_COMPATIBLE
    assert missing in err
    assert "TT-402" in err
    lines = out.splitlines()
    third, fourth = (lines.index(f"  ✗ {PAY} {n}.0: may not be installed") for n in (3, 4))
    assert missing in lines[third + 2]
    assert lines[fourth + 2].strip() == (
        f"→ {PAY}@3.0 on this stick brings it, but its own rules must be met first: {missing}"
    )
    code, tree = plan.json("--release", PAY)
    assert code == Exit.NOT_COMPATIBLE
    assert missing in tree["refused"]["what"]
    expected = {"what": "component", "id": PAY, "compare": "ge", "version": "2", "text": f"{PAY} 2 or newer"}
    assert {version: found["missing"] for version, found in of_pay(tree).items()} == {
        "1.0": [],
        "3.0": [expected],
        "4.0": [expected],
    }


def test_what_can_come_alone_comes_when_it_is_asked_for(press: Press, plan: Command) -> None:
    press.step(1)
    press.step(3)
    press.write()
    _code, out, _err = plan("--release", PAY)
    asked = next(line for line in out.splitlines() if line.startswith("To ask for the rest alone: "))
    code, tree = plan.json(*asked.removeprefix("To ask for the rest alone: ").split())
    assert (code, tree["order"]) == (Exit.DONE, [f"{PAY}@1.0"])


@pytest.fixture
def chinese() -> Iterator[None]:
    before = language()
    set_language("zh")
    yield
    set_language(before)


@pytest.mark.usefixtures("chinese")
def test_data_that_brings_its_own_texts_is_told_in_chinese(press: Press, plan: Command) -> None:
    description = Description(
        id="org.example.os", version="2.0", version_format="dotted", kind=ReleaseKind.FIRMWARE, provides=SUNMI
    )
    press.add("os.zip", b"image", description)
    press.write()
    code, out, _err = plan("--release", "org.example.os")
    assert code == Exit.NOT_COMPATIBLE
    assert "FAT32 U 盘" in out, "the way there is where the connection has none"


# -- what a technician reads ------------------------------------------------------------------------------------------


def test_every_release_its_rules_the_questions_and_the_time(press: Press, plan: Command) -> None:
    press.step(1, requires=[Requirement("battery", percent=100), Requirement("moon-phase")])
    press.write()
    code, out, _err = plan()
    assert code == Exit.DONE, "the demo's releases go in; what needs a newer techtool does not stop them"
    for line in (
        "SUNMI P2, serial number P2SIM23A1001",
        "Will be installed, in this order: com.example.emvkernel 7.1.0 → com.example.sunmi.pay 1.5.0",
        "  ✓ com.example.emvkernel 7.1.0: will be installed",
        f"  ✗ {PAY} 1.0: may not be installed",
        "      ✗ The rule “moon-phase” is not known here: it needs a newer techtool.",
        "        → Update techtool, then check again.",
        "  · com.example.castles.pay 1.5.0: not for this model",
    ):
        assert line in out.splitlines()
    assert "payments down about " in out
    assert "Risk: " in out
    assert "✓ Made for SUNMI P2." not in out
    _code, every, _err = plan("--every-rule")
    assert "✓ Made for SUNMI P2." in every


def test_questions_are_announced(press: Press, plan: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(*asked: Any) -> TerminalState:
        return replace(await read_terminal(*asked), batch=None, tamper=None)

    monkeypatch.setattr("techtool.cli.plan.read_terminal", read)
    code, out, _err = plan()
    assert code == Exit.GATE_CLOSED
    assert (
        "  ? Is the batch settled, and does no offline sale and no reversal wait in the terminal?" in out.splitlines()
    )


# -- whole visits -----------------------------------------------------------------------------------------------------


async def test_a_visit_goes_all_three_steps(press: Press) -> None:
    for code in (1, 2, 3):
        press.step(code)
    press.write()
    shop = press.shop
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses, releases=(PAY,))
        assert (finished.outcome, finished.exit_code) == (Outcome.SUCCESS, Exit.DONE)
        again = await shop.run(*simulation.addresses, releases=(PAY,))
    assert again.outcome is Outcome.NOTHING_TO_DO
    (installed,) = [file.package for lane in _first(shop) for file in lane.installed]
    assert (installed.id, installed.version_code) == (PAY, 3)


def _first(shop: Shop) -> tuple[LaneRecord, ...]:
    return open_record(shop.services, list_visits(shop.services)[0].id).lanes


@pytest.mark.slow
async def test_a_visit_that_was_cut_at_the_third_step_goes_on_there(press: Press) -> None:
    press.step(1)
    press.step(2)
    press.step(3, padding=300_000)
    press.write()
    shop = press.shop
    drop = Drop(at_byte=200_000, direction=Direction.IN, times=1)
    async with shop.terminals(faults=fault(drop=drop)) as simulation:
        cut = await shop.run(*simulation.addresses, releases=(PAY,))
        assert (cut.outcome, cut.sealed) == (Outcome.INCONSISTENT, False)
        sent = _installs(shop)
        finished = await shop.resume()
    assert (finished.outcome, finished.exit_code) == (Outcome.SUCCESS, Exit.DONE)
    assert len(_installs(shop)) == len(sent) + 1, "only the third step is done again"


def _installs(shop: Shop) -> list[str]:
    return [step.item for step in shop.lane().steps if step.action is CatmAction.INSTALL]


# -- recalls ----------------------------------------------------------------------------------------------------------


async def test_a_terminal_that_runs_something_recalled_is_told_of(press: Press) -> None:
    press.step(1)
    press.write()
    shop = press.shop
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses, releases=(PAY,))
        press.step(2)
        press.recall("1.0", replacement=f"{PAY}@2.0")
        press.write()
        shop.events.clear()
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.SUCCESS
    (warned,) = [e.text.text("en") for e in shop.events if isinstance(e, Notice) and "recalled" in e.text.msgid]
    assert warned.startswith(f"This terminal runs {PAY} 1.0, which was recalled on ")
    assert warned.endswith(f"“It leaks.” {PAY}@2.0 replaces it and is in this plan.")
    journal = (shop.world.paths.visits / f"{finished.visit}.jnl").read_text(encoding="utf-8")
    assert "which was recalled on" in journal


def test_plan_says_what_is_recalled(press: Press, plan: Command) -> None:
    press.step(1)
    press.step(2)
    press.recall("2.0")
    press.write()
    code, tree = plan.json("--release", f"{PAY}@2.0")
    assert code == Exit.RECALLED
    (rule,) = of_pay(tree)["2.0"]["rules"]
    assert "It leaks." in rule["reason"]
    assert tree["recalled_installed"] == []
    code, tree = plan.json("--release", PAY)
    assert (code, tree["order"]) == (Exit.DONE, [f"{PAY}@1.0"])


def test_every_number_of_the_risk_is_explained(plan: Command) -> None:
    _code, tree = plan.json()
    risk = tree["risk"]
    assert risk["score"] == risk["likelihood"]["level"] * risk["impact"]["level"]
    assert sum(f["points"] for f in risk["factors"] if f["side"] == "impact") == risk["impact"]["points"]
    assert all(factor["source"] and factor["fact"] for factor in risk["factors"])
    assert tree["attended_s"]["p50"] < tree["estimate_s"]["p50"]
    _code, out, _err = plan("--explain")
    for factor in risk["factors"]:
        assert f"{factor['points']:+d} " in out
        assert factor["fact"] in out
    assert f"= {risk['score']} of 25" in out
