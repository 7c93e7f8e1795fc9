"""What a new visit is made of, by keys alone: orders, and jobs that need no stick; judged by the journal."""

from __future__ import annotations

import json

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.visit import VisitKind
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.visit import VisitScreen
from techtool.tui.widgets.choices import Choices
from techtool.tui.widgets.order_picker import OrderPicker
from tests.tui.going import fill, said
from tests.tui.hand import Stage


def order(number: str, serial: str) -> dict[str, object]:
    return {
        "number": number,
        "type": "update",
        "site": {"merchant_name": "South [red]Gate[/] 南门"},
        "terminals": [{"serial": serial}],
    }


@pytest.mark.slow
async def test_an_order_on_the_stick_is_picked_and_kept_in_the_visit(stage: Stage) -> None:
    async with stage.terminals() as simulation:
        folder = stage.world.stick / "orders"
        folder.mkdir()
        orders = [order("WO-1", "X1"), order("WO-2", simulation.serials[0])]
        (folder / "today.json").write_text(json.dumps(orders), encoding="utf-8")
        async with stage.screens(*simulation.addresses) as hand:
            await hand.on(HomeScreen)
            await hand.press("1")
            form = await hand.on(NewVisitScreen)
            picker = form.query_one(OrderPicker)
            listed = form.query_one("#orders", Choices)
            await hand.until(lambda: len(listed.options) == 3, "two orders and none")
            listed.focus()
            await hand.press("2")
            await hand.until(lambda: picker.order is not None, "picked")
            await hand.press("f2")
            await hand.on(VisitScreen)
            await hand.answers({})
            await hand.on(ResultScreen)
    visit = stage.visit()
    assert visit.order is not None
    assert (visit.order.number, visit.work_order) == ("WO-2", "WO-2")
    assert visit.merchant == "South [red]Gate[/] 南门"
    assert visit.outcome is Outcome.SUCCESS


async def test_an_order_file_that_cannot_be_used_is_named_and_a_good_one_is_taken(stage: Stage) -> None:
    bad, good = stage.world.folder / "bad.json", stage.world.folder / "good.json"
    bad.write_text("[{", encoding="utf-8")
    good.write_text(json.dumps(order("WO-9", "P2-[b]9")), encoding="utf-8")
    async with stage.screens("adb://127.0.0.1:1", size=(100, 50)) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        form = await hand.on(NewVisitScreen)
        picker = form.query_one(OrderPicker)
        for path in (bad, good):
            fill(hand, "#order-file", str(path))
            form.query_one("#order-file").focus()
            await hand.pilot.pause()
            await hand.press("enter")
            await said(hand, "TT-" if path is bad else "P2-[b]9")
        assert picker.order is not None
        assert picker.order.number == "WO-9"


@pytest.mark.slow
@pytest.mark.parametrize(("digit", "kind"), [("2", VisitKind.INSPECTION), ("3", VisitKind.BACKUP)])
async def test_inspecting_and_backing_up_need_no_stick(stage: Stage, digit: str, kind: VisitKind) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        form = await hand.on(NewVisitScreen)
        fill(hand, "#stick", "")
        form.query_one("#jobs").focus()
        await hand.press(digit, "f2")
        await hand.on(VisitScreen)
        await hand.answers({})
        await hand.on(ResultScreen)
    visit = stage.visit()
    assert (visit.kind, visit.outcome, visit.sealed) == (kind, Outcome.SUCCESS, True)
    assert visit.lanes[0].installed == ()
