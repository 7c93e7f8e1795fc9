"""Risk at the counter: what is asked, what is recorded, and that a critical one stops the visit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.catalogue.risk import load_weights
from techtool.clock import SystemClock
from techtool.domain.outcome import Outcome
from techtool.domain.release import KeyFate, ReleaseKind
from techtool.domain.risk import Band
from techtool.events import Asked, LaneRisk
from techtool.simulator.model import APKS
from tests.visit.conftest import Shop
from tests.visit.suite import with_stick

NAMES: dict[str, str | bool] = {
    "confirm.accepted_by": "Wang, manager",
    "confirm.supervisor": "Li 4711",
    "confirm.mitigations": True,
    "confirm.trading": "second-terminal",
}


@pytest.fixture(scope="module")
def wiping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stick with a release that says that it wipes the keys: high by its floor; made once."""
    folder = tmp_path_factory.mktemp("wiping")
    clock = SystemClock()
    workspace = Workspace.create(folder / "bundle", ("sunmi",), clock)
    draft = Description(
        id="com.example.wiping", version="2.0", version_format="dotted", kind=ReleaseKind.APPLICATION,
        install_duration=30, provides=(ProvidesEntry("sunmi", "P2"),), keys=KeyFate.WIPED,
    )  # fmt: skip
    workspace.add("sunmi", [APKS / "com.example.emvkernel-7.1.0.apk"], draft, clock)
    workspace.sign(clock)
    stick = folder / "stick"
    stick.mkdir()
    workspace.write(stick, clock)
    return stick


def asked(shop: Shop) -> list[str]:
    return [e.question.id for e in shop.events if isinstance(e, Asked) and e.question.id.startswith("confirm.")]


async def test_a_high_risk_needs_two_names(shop: Shop, wiping: Path) -> None:
    with_stick(shop, wiping)
    shop.changed = dict.fromkeys(("confirm.accepted_by", "confirm.supervisor"), "MISSING")
    shop.changed |= {"confirm.mitigations": True}
    async with shop.terminals("sunmi-p2") as simulation:
        first = await shop.run(*simulation.addresses)
        assert (first.exit_code, first.sealed) == (5, False)
        record = shop.lane().risk
        assert record is not None
        assert (record.risk.band, record.accepted_by) == (Band.HIGH, "")
        assert "confirm.last4" not in asked(shop), "nobody is asked to begin what nobody took on"

        shop.changed, shop.events = dict(NAMES), []
        done = await shop.resume()
    assert (done.outcome, done.exit_code) == (Outcome.SUCCESS, 0)
    lane = shop.lane()
    assert lane.risk is not None
    assert (lane.risk.accepted_by, lane.risk.supervisor, lane.risk.mitigated) == ("Wang, manager", "Li 4711", True)
    assert {f.id for f in lane.risk.risk.floors} == {"keys-wiped"}
    assert asked(shop)[-1] == "confirm.last4"
    assert "confirm.mitigations" not in asked(shop), "it was said for this plan before the stop"


async def test_one_person_does_not_take_a_high_risk_on_alone(shop: Shop, wiping: Path) -> None:
    with_stick(shop, wiping)
    shop.changed = {**NAMES, "confirm.supervisor": "wang, Manager "}
    async with shop.terminals("sunmi-p2") as simulation:
        first = await shop.run(*simulation.addresses)
        assert (first.exit_code, first.sealed) == (5, False)
        assert not shop.lane().installed
        shop.changed = dict(NAMES)
        done = await shop.resume()
    assert (done.outcome, done.exit_code) == (Outcome.SUCCESS, 0), "other names are taken after the stop"


async def test_a_high_risk_that_was_not_lowered_is_not_taken_on(shop: Shop, wiping: Path) -> None:
    with_stick(shop, wiping)
    shop.changed = {**NAMES, "confirm.mitigations": False}
    async with shop.terminals("sunmi-p2") as simulation:
        done = await shop.run(*simulation.addresses)
    assert (done.outcome, done.exit_code) == (Outcome.CANCELLED, 6)
    assert shop.lane().installed == ()


@pytest.mark.slow
async def test_a_moderate_risk_goes_on_and_the_record_says_what_nobody_said(shop: Shop) -> None:
    shop.changed = {"confirm.mitigations": "MISSING", "confirm.trading": "MISSING"}
    async with shop.terminals("verifone-t650p") as simulation:
        done = await shop.run(*simulation.addresses)
    assert done.exit_code == 0
    lane = shop.lane()
    assert lane.risk is not None
    assert (lane.risk.risk.band, lane.risk.mitigated) == (Band.MODERATE, False)
    weighed = [event.risk for event in shop.events if isinstance(event, LaneRisk)]
    assert weighed == [lane.risk.risk]


async def test_critical_closes_the_gate_and_no_answer_opens_it(
    shop: Shop, wiping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same terminal over a connection that nobody knows, at the busiest hour, with keys wiped."""
    with_stick(shop, wiping)
    weights = load_weights()
    strange = replace(weights, link=tuple(replace(link, name="unheard-of", resumes=False) for link in weights.link))
    monkeypatch.setattr("techtool.visit.steps.risk.load_weights", lambda: strange)
    shop.changed = {**NAMES, "confirm.trading": "peak"}
    async with shop.terminals("sunmi-p2") as simulation:
        done = await shop.run(*simulation.addresses)
    assert (done.outcome, done.exit_code) == (Outcome.REFUSED, 23)
    lane = shop.lane()
    assert lane.error is not None
    assert lane.error.code == "TT-405"
    assert lane.risk is not None
    assert lane.risk.risk.band is Band.CRITICAL
    assert lane.installed == ()
    assert "confirm.accepted_by" not in asked(shop)
