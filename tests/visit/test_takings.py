"""Money that waits in a terminal closes the gate: told by the terminal, or asked with what shows it."""

from __future__ import annotations

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


def silent(model: Model) -> Model:
    """A terminal that says nothing of its takings, as every real one."""
    kept = {name: value for name, value in model.properties.items() if name != "techtool.sim"}
    return replace(model, properties=kept)


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
