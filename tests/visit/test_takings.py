"""Money that waits in a terminal closes the gate: told by the terminal, or asked with what shows it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.terminal import BatchState
from techtool.errors import Exit
from techtool.simulator.faults import Faults
from techtool.simulator.model import Model, find_model
from tests.visit.conftest import Shop, fault


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (fault(batch=BatchState.OPEN), "batch is open"),
        (fault(offline_sales=2), "2 offline sales and 0 reversals"),
        (fault(reversals=1), "0 offline sales and 1 reversals"),
    ],
)
async def test_what_waits_closes_the_gate(shop: Shop, faults: tuple[Faults, ...], said: str) -> None:
    """And opens when it was sent: the same visit can be begun again."""
    async with shop.terminals(faults=faults) as simulation:
        finished = await shop.run(*simulation.addresses)
        assert (finished.outcome, finished.exit_code) == (Outcome.REFUSED, Exit.GATE_CLOSED)
        lane = shop.lane()
        assert not [step for step in lane.steps if step.action is not None]
        assert lane.plan is not None
        assert any(said in rule.reason.text("en") for f in lane.plan.findings for rule in f.rules if not rule.ok)
        assert lane.error is not None
        assert lane.error.next_actions
        device = simulation.terminals[0].device
        device.settle(BatchState.SETTLED)
        device.wait_for_host("offline_sales", 0)
        device.wait_for_host("reversals", 0)
        assert (await shop.run(*simulation.addresses)).outcome is Outcome.SUCCESS


PAN = "4111111111111111"


def silent(model: Model) -> Model:
    """A terminal that says nothing of its takings, as every real one."""
    kept = {name: value for name, value in model.properties.items() if name != "techtool.sim"}
    return replace(model, properties=kept)


@pytest.mark.slow
@pytest.mark.parametrize(("given", "exit_code"), [("", Exit.ANSWER_MISSING), ("slip 000471", Exit.DONE)])
async def test_who_says_yes_says_what_shows_it(shop: Shop, given: str, exit_code: Exit) -> None:
    shop.changed = {"check.batch": "yes", "inspect.tamper": "yes", "check.batch.evidence": given or "MISSING"}
    async with shop.terminals(silent(find_model("sunmi-p2"))) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.exit_code == exit_code
    recorded = {answer.question_id: answer.answer for answer in shop.lane().answers}
    assert recorded["check.batch"] == "yes"
    assert recorded.get("check.batch.evidence", "") == given


async def test_who_says_no_keeps_it_closed(shop: Shop) -> None:
    shop.changed = {"check.batch": "no", "inspect.tamper": "yes"}
    async with shop.terminals(silent(find_model("sunmi-p2"))) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.exit_code == Exit.GATE_CLOSED


SETTLED: dict[str, str | bool] = {
    "check.batch": "yes",
    "inspect.tamper": "yes",
    "check.batch.evidence": "slip 000471",
}


async def settled(shop: Shop, typed: str) -> None:
    shop.changed = {**SETTLED, "check.batch.totals": typed or "MISSING"}
    async with shop.terminals(silent(find_model("sunmi-p2"))) as simulation:
        assert (await shop.run(*simulation.addresses)).outcome is Outcome.SUCCESS


def report(shop: Shop, suffix: str) -> str:
    return (shop.world.paths.reports / shop.visit().id / f"{shop.visit().id}{suffix}").read_text(encoding="utf-8")


async def test_the_figures_of_the_slip_stand_in_record_and_report(shop: Shop) -> None:
    await settled(shop, "37 / 5,210.00")
    found = shop.lane().settlement
    assert found is not None
    assert (found.count, found.total, found.evidence) == (37, "5210.00", "slip 000471")
    (terminal,) = json.loads(report(shop, ".json"))["predicate"]["terminals"]
    assert (terminal["settlement"]["count"], terminal["settlement"]["total"]) == (37, "5210.00")
    page = report(shop, ".en.html")
    assert "Settlement slip, count and sum" in page
    assert "37 sales, 5210.00 in all" in page


@pytest.mark.slow
async def test_figures_that_nobody_gave_are_said_to_be_missing(shop: Shop) -> None:
    await settled(shop, "")
    found = shop.lane().settlement
    assert found is not None
    assert (found.count, found.total, found.text) == (None, "", "")
    page = report(shop, ".en.html")
    assert "not recorded" in page[page.index("Settlement slip, count and sum") :][:300]


async def test_a_card_number_typed_as_figures_never_reaches_the_disk(shop: Shop) -> None:
    await settled(shop, f"37 / {PAN}")
    found = shop.lane().settlement
    assert found is not None
    assert found.count is None
    files = [path for path in shop.world.paths.home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".jnl" for path in files)
    assert not [path for path in files if PAN.encode() in path.read_bytes()]


@pytest.mark.slow
async def test_a_terminal_that_tells_its_batch_needs_no_figures(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    assert shop.lane().settlement is None
    assert "Settlement slip" not in report(shop, ".en.html")
