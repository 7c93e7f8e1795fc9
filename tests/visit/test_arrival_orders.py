"""Arriving with an order: who was met, which terminal it is, what is missing; asserted on the journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.question import CheckAnswer
from techtool.domain.terminal import Address
from techtool.domain.work_order import BindingProblem, ExpectedTerminal, Site, VisitType, WorkOrder
from techtool.errors import AnswerMissing, NotFoundError, UsageError
from techtool.events import Asked, Finished, Notice
from techtool.simulator.model import find_model
from techtool.simulator.run import Simulation
from techtool.visit.services import VisitRequest
from techtool.visit.setup import save_person
from techtool.visit.steps import seals
from techtool.visit.visits import list_visits
from tests.visit.conftest import Shop

PAN = "4111111111111111"


def request_of(shop: Shop, simulation: Simulation, order: WorkOrder | None, **changes: object) -> VisitRequest:
    addresses = tuple(Address.parse(a) for a in simulation.addresses)
    return replace(VisitRequest(addresses, shop.world.stick, order=order), **changes)  # type: ignore[arg-type]


async def run_with(shop: Shop, simulation: Simulation, order: WorkOrder | None, **changes: object) -> Finished:
    request = request_of(shop, simulation, order, **changes)
    return await shop._follow(lambda engine: engine.run(request), None)


def serial_of(number: int = 1, model: str = "sunmi-p2") -> str:
    return find_model(model).serial.serial(number)


def asked(shop: Shop) -> list[str]:
    return [event.question.id for event in shop.events if isinstance(event, Asked)]


async def test_who_was_met_is_recorded(shop: Shop) -> None:
    save_person(shop.world.paths, "en", "Zhang Wei", staff_no="T-17", service_company="South Service")
    async with shop.terminals() as simulation:
        await run_with(shop, simulation, None)
    visit = shop.visit()
    assert visit.arrival is not None
    assert visit.arrival.identity_shown is True
    assert visit.arrival.identity_checked_by == "Demo Shopkeeper"
    assert visit.arrival.identity_check_method == "card-and-order"
    assert (visit.staff_no, visit.merchant, visit.work_order) == ("T-17", "Demo Noodle House", "WO-DEMO-1")


async def test_what_nobody_answers_is_not_made_up(shop: Shop) -> None:
    shop.changed = {name: "MISSING" for name in shop.answers().values if name.startswith("arrive.")}
    async with shop.terminals() as simulation:
        finished = await run_with(shop, simulation, None)
    assert finished.outcome is Outcome.SUCCESS
    arrival = shop.visit().arrival
    assert arrival is not None
    assert (arrival.identity_shown, arrival.identity_checked_by, arrival.identity_check_method) == (None, "", "")


async def test_the_order_answers_what_it_says(shop: Shop) -> None:
    site = Site("South Gate Snacks", site_id="S-1", site_address="1 South Gate Road")
    shop.changed = {"arrive.merchant": PAN, "arrive.address_match": "no"}
    order = WorkOrder("WO-1", type=VisitType.UPDATE, site=site, terminals=(ExpectedTerminal(serial_of()),))
    async with shop.terminals() as simulation:
        finished = await run_with(shop, simulation, order)
    visit = shop.visit()
    assert finished.outcome is Outcome.SUCCESS
    assert (visit.merchant, visit.work_order, visit.type) == ("South Gate Snacks", "WO-1", VisitType.UPDATE)
    assert visit.order == order
    assert visit.arrival is not None
    assert visit.arrival.address_match == "no"
    assert shop.lane().binding is not None
    assert shop.lane().binding.order_serial == serial_of()  # type: ignore[union-attr]


@pytest.mark.slow
async def test_a_resumed_visit_does_not_ask_for_the_identity_again(shop: Shop) -> None:
    shop.changed = {"inspect.SE-02": "MISSING", "identify.label": serial_of()[-4:]}
    order = WorkOrder("WO-1", terminals=(ExpectedTerminal(serial_of()),))
    async with shop.terminals() as simulation:
        stopped = await run_with(shop, simulation, order)
        assert stopped.exit_code == 5
        shop.changed = {"identify.label": "MISSING"}
        shop.events.clear()
        finished = await shop.resume()
    assert finished.outcome is Outcome.SUCCESS
    assert "identify.label" not in asked(shop)
    binding = shop.lane().binding
    assert binding is not None
    assert binding.label_serial == serial_of()[-4:]


async def test_another_label_stops_and_opens_an_incident(shop: Shop) -> None:
    shop.changed = {
        "identify.label": "ZZ99ZZ99",
        "identify.incident.reported_to": f"acquirer, 10:15, {PAN}",
        "identify.incident.removed_from_use": True,
    }
    order = WorkOrder("WO-1", terminals=(ExpectedTerminal(serial_of()),))
    async with shop.terminals() as simulation:
        finished = await run_with(shop, simulation, order)
    lane = shop.lane()
    assert (finished.exit_code, lane.outcome) == (23, Outcome.REFUSED)
    assert lane.binding is not None
    assert lane.binding.problems == (BindingProblem.LABEL_DIFFERS,)
    assert asked(shop).count("identify.label") == 2
    (incident,) = lane.incidents
    assert incident.what == "binding.label-differs"
    assert incident.no.startswith(finished.visit)
    assert incident.removed_from_use is True
    assert incident.reported_to.startswith("acquirer, 10:15")
    assert not any(step.step.value in ("backup", "install") for step in lane.steps)
    kept = b"".join(path.read_bytes() for path in shop.world.paths.home.rglob("*") if path.is_file())
    assert PAN.encode() not in kept


async def test_a_terminal_that_the_order_forgot_needs_a_reason(shop: Shop) -> None:
    order = WorkOrder("WO-1", terminals=(ExpectedTerminal("ELSEWHERE-1"),))
    async with shop.terminals() as simulation:
        refused = await run_with(shop, simulation, order)
        assert (refused.exit_code, shop.lane().outcome) == (23, Outcome.REFUSED)
        assert shop.lane().incidents == ()
        shop.changed = {"identify.not_in_order": "Ms Li at the office, by telephone"}
        shop.events.clear()
        finished = await run_with(shop, simulation, order)
    visit = shop.visit()
    assert finished.outcome is Outcome.SUCCESS
    assert [a.answer for a in visit.lanes[0].answers if a.question_id == "identify.not_in_order"] == [
        "Ms Li at the office, by telephone"
    ]
    told = [e.text.text("en") for e in shop.events if isinstance(e, Notice) and e.warning]
    assert any("The order expects 1 more terminals: ELSEWHERE-1" in text for text in told)


@pytest.mark.slow
async def test_a_relocated_terminal_is_told_and_worked_on(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await run_with(shop, simulation, None, merchant="First Shop")
        shop.events.clear()
        finished = await run_with(shop, simulation, None, merchant="Second Shop")
    assert finished.outcome is Outcome.NOTHING_TO_DO
    binding = shop.lane().binding
    assert binding is not None
    assert binding.problems == (BindingProblem.RELOCATED,)
    assert any("relocated" in e.text.text("en") for e in shop.events if isinstance(e, Notice) and e.warning)


async def test_the_order_chooses_releases_and_the_stick_must_have_them(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        with pytest.raises(NotFoundError, match="no-such-release"):
            await run_with(shop, simulation, WorkOrder("WO-1", releases=("no-such-release",)))
        everything = await _planned(shop, simulation, None)
        assert len(everything) == 2
        wanted = everything[0]
        order = WorkOrder("WO-2", terminals=(ExpectedTerminal(serial_of(), releases=(wanted,)),))
        assert await _planned(shop, simulation, order) == [wanted]
        assert await _planned(shop, simulation, order, releases=(everything[1],)) == everything  # it needs the first


async def _planned(shop: Shop, simulation: Simulation, order: WorkOrder | None, **changes: object) -> list[str]:
    """The releases of the plan of a visit that is stopped before anything is installed."""
    shop.changed, shop.confirm = {"confirm.last4": "MISSING"}, False
    await run_with(shop, simulation, order, **changes)
    plan = shop.lane().plan
    assert plan is not None
    return [release.id for release in plan.releases]


def test_an_order_file_on_the_command_line(shop: Shop, tmp_path: Path) -> None:
    """The same options as a person types them; the file is refused before anything is done."""
    from techtool.cli.main import run

    path = tmp_path / "orders.csv"
    path.write_text("工单号,序列号\nWO-1,1.2E+15\n", encoding="gb18030")
    assert run(["order", "show", str(path)]) == 4
    path.write_text("工单号,序列号\nWO-1,SN1\nWO-2,SN2\n", encoding="utf-8-sig")
    assert run(["order", "list", str(path), "--json"]) == 0
    assert run(["order", "show", str(path)]) == 4
    assert run(["order", "show", str(path), "--number", "WO-2"]) == 0
    assert run(["order", "list"]) == 4
    assert run(["order", "list", str(tmp_path / "none")]) == 3


@pytest.mark.slow
async def test_other_seals_need_somebody_who_replaced_them(shop: Shop) -> None:
    order = WorkOrder("WO-1", terminals=(ExpectedTerminal(serial_of(), seals=("F-1", "F-2")),))
    shop.changed = {"inspect.SE-04.numbers": "F1, F9"}
    async with shop.terminals() as simulation:
        refused = await run_with(shop, simulation, order)
        lane = shop.lane()
        assert (refused.exit_code, lane.outcome) == (23, Outcome.REFUSED)
        assert [incident.what for incident in lane.incidents] == ["SE-04"]
        shop.changed["inspect.SE-04.replaced"] = "Zhang Wei, 3 March, a torn one"
        finished = await run_with(shop, simulation, order)
        check = next(c for c in shop.lane().checks if c.id == "SE-04")
        assert (check.result, check.value, check.reason) == ("pass", "F1; F9", "Zhang Wei, 3 March, a torn one")
        shop.changed = {"inspect.SE-04.numbers": "F-1;F-9"}
        await run_with(shop, simulation, None)
    assert finished.outcome is Outcome.SUCCESS
    assert next(c.result for c in shop.lane().checks if c.id == "SE-04") == "pass"


@pytest.mark.slow
async def test_seals_that_were_told_before_a_stop_are_not_asked_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stopped(*_: object) -> CheckAnswer:
        raise AnswerMissing(question="inspect.SE-04.replaced")

    order = WorkOrder("WO-1", terminals=(ExpectedTerminal(serial_of(), seals=("F-1", "F-2")),))
    shop.changed = {"inspect.SE-04.numbers": "F1, F9", "inspect.SE-04.replaced": "Zhang Wei, a torn one"}
    async with shop.terminals() as simulation:
        with monkeypatch.context() as stop:
            stop.setattr(seals, "_replaced", stopped)
            assert not (await run_with(shop, simulation, order)).sealed
        assert (await shop.resume()).outcome is Outcome.SUCCESS
    assert sum(a.question_id == "inspect.SE-04.numbers" for a in shop.lane().answers) == 1
    check = next(c for c in shop.lane().checks if c.id == "SE-04")
    assert (check.result, check.value, check.reason) == ("pass", "F1; F9", "Zhang Wei, a torn one")


async def test_a_serial_number_written_otherwise_is_the_same_in_every_test(shop: Shop) -> None:
    serial = serial_of(model="practice")
    order = WorkOrder("WO-1", terminals=(ExpectedTerminal(f"{serial[:4]}-{serial[4:].lower()}"),))
    shop.changed = {"identify.label": f"{serial[:4]} {serial[4:]}"}
    async with shop.terminals("practice") as simulation:
        await run_with(shop, simulation, order, bundle=None, inspection=True)
    checks = {check.id: check.result for check in shop.lane().checks}
    assert (checks["SE-03"], checks["APP-03"]) == ("pass", "pass")


async def test_an_order_for_a_look_installs_nothing(shop: Shop) -> None:
    order = WorkOrder("WO-9", type=VisitType.INSPECTION)
    async with shop.terminals() as simulation:
        with pytest.raises(UsageError) as refused:
            await run_with(shop, simulation, order)
        assert "techtool visit inspect" in refused.value.what_phrase.text("en")
        assert not list_visits(shop.services)
        finished = await run_with(shop, simulation, order, bundle=None, inspection=True)
    assert finished.outcome is Outcome.SUCCESS
    assert shop.visit().type is VisitType.INSPECTION
    assert shop.lane().plan is None
