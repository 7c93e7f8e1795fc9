"""The view of many terminals: order, counts, columns, what is said of time; and who is asked what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from techtool import events
from techtool.clock import FixedClock
from techtool.domain.outcome import Outcome
from techtool.domain.pace import MOST, WAITS_TURN, Pace
from techtool.domain.plan import Plan, StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.terminal import Address
from techtool.domain.visit import ErrorRecord
from techtool.errors import StoppedHere, UsageError
from techtool.i18n import Phrase, raw, set_language
from techtool.tui.bridge import Bridge
from techtool.tui.meter import FleetMeter
from techtool.tui.person import ScreenOperator
from techtool.tui.requests import Order, addresses_of, visit_request
from techtool.tui.views.fleet import (
    GAP,
    Row,
    cell_text,
    columns,
    counts,
    foreseeable,
    mark_of,
    overall_line,
    row_of,
    rows_of,
    sent_of,
    waiting_line,
)
from techtool.tui.views.fold import fold, planned_visit, with_progress, with_questions
from techtool.tui.views.lines import Mark
from techtool.tui.views.run import safety
from techtool.tui.views.visit import Transfer, VisitView, Waiting
from techtool.visit.operator import Operator
from techtool.visit.services import ResumeRequest, VisitRequest
from tests.tui.scene_shop import PAY
from tests.tui.scene_shop import plan as a_plan

AT = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)
ERROR = ErrorRecord("TT-305", raw("The connection was lost."), raw("state"), (raw("do this"),), "detail")
TOTAL = 18_204_331 + 4_112_880


def lanes(count: int, *told: events.Event) -> VisitView:
    view = planned_visit([f"adb://192.0.2.{n}:5555" for n in range(1, count + 1)])
    for event in told:
        view = fold(view, event)
    return view


def asked(lane: str, text: str = "?", since_s: float = 0.0) -> Waiting:
    return Waiting(Question("inspect.SE-02", AnswerKind.CONFIRM, raw(text)), lane, since_s)


def mixed() -> VisitView:
    """1 done, 2 waits, 3 busy, 4 stopped, 5 asks, 6 done, 7 asks."""
    view = lanes(
        7,
        events.LaneFinished("1", AT, "adb://h:1", "S1", Outcome.SUCCESS, 0),
        events.StepStarted("3", StepKind.BACKUP, AT, title=raw("Back up")),
        events.LaneFinished("4", AT, "adb://h:4", "S4", Outcome.FAILED_TRANSIENT, 1, ERROR),
        events.StepStarted("5", StepKind.INSPECT, AT),
        events.LaneFinished("6", AT, "adb://h:6", "S6", Outcome.NOTHING_TO_DO, 2),
        events.StepStarted("7", StepKind.INSPECT, AT),
    )
    return with_questions(view, [asked("7"), asked("5")])


def test_who_needs_the_person_comes_first_and_equals_keep_their_order() -> None:
    assert [row.lane for row in rows_of(mixed())] == ["5", "7", "4", "3", "2", "1", "6"]


def test_counts_stand_in_the_order_of_the_table() -> None:
    found = counts(rows_of(mixed()))
    assert [mark for mark, _text in found] == [Mark.NEEDS, Mark.STOPPED, Mark.BUSY, Mark.WAITING, Mark.OK]
    assert [text for _mark, text in found] == ["2 need you", "1 stopped", "1 busy", "1 waiting", "2 of 7 done"]
    assert [mark for mark, _text in counts(rows_of(lanes(2)))] == [Mark.WAITING, Mark.OK]


def test_a_terminal_that_waits_its_turn_is_not_busy() -> None:
    turn = events.Notice("1", None, AT, Phrase(WAITS_TURN, {"count": 4}))
    view = lanes(2, events.StepStarted("1", StepKind.INSTALL, AT, "copy:a"), turn)
    assert mark_of(view, view.lanes[0]) is Mark.WAITING
    assert row_of(view, view.lanes[0]).next == "waits its turn"
    assert not view.writing
    view = fold(view, events.StepStarted("1", StepKind.INSTALL, AT, "a", raw("Install a")))
    assert mark_of(view, view.lanes[0]) is Mark.BUSY
    assert view.writing


def test_identified_and_not_begun_waits() -> None:
    view = lanes(2, events.StepStarted("1", StepKind.IDENTIFY, AT), events.StepDone("1", StepKind.IDENTIFY, AT))
    assert [mark_of(view, lane) for lane in view.lanes] == [Mark.WAITING, Mark.WAITING]
    view = fold(view, events.StepStarted("1", StepKind.INSPECT, AT))
    view = fold(view, events.StepDone("1", StepKind.INSPECT, AT))
    assert mark_of(view, view.lanes[0]) is Mark.BUSY, "between two steps it is still at work"


LONG = "品牌型号很长的终端 SUNMI P2 [red]"


def wide_rows(count: int = 30) -> tuple[Row, ...]:
    row = Row("1", Mark.NEEDS, "01", LONG, "序列号P2A0123450093", "1.5.0 +2", "5 安装程序", "100%", "需要你", LONG * 4)
    return tuple(replace(row, lane=str(n), name=f"{n:02}") for n in range(1, count + 1))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [40, 77, 80, 97, 100, 157, 160])
def test_columns_fit_and_the_serial_number_is_whole(width: int, lang: str) -> None:
    set_language(lang)
    rows = wide_rows()
    found = columns(rows, width)
    assert sum(column.width + GAP for column in found) <= width
    assert all(cell_len(column.title) <= column.width for column in found)
    serial = next(column for column in found if column.id == "serial")
    assert serial.width >= cell_len(rows[0].serial)
    set_language("en")


def test_narrow_terminals_show_less() -> None:
    narrow, wide, widest = ([column.id for column in columns(wide_rows(), width)] for width in (77, 97, 157))
    assert narrow == ["name", "serial", "step", "done", "state", "next"]
    assert "next" not in [column.id for column in columns(wide_rows(), 60)]
    assert wide == ["name", "model", "serial", "step", "done", "state", "next"]
    assert widest == ["name", "model", "serial", "to", "step", "done", "state", "next"]
    assert cell_text(wide_rows()[0], "next") == LONG * 4


# -- bytes and time ---------------------------------------------------------------------------------------------------


def planned(plan: Plan, *numbers: str) -> list[events.Event]:
    return [events.LanePlanned(n, AT, plan) for n in numbers]


def sending(view: VisitView, lane: str, count: int, total: int = 18_204_331) -> VisitView:
    event = events.Progress(lane, StepKind.INSTALL, AT, PAY, count, total)
    return with_progress(view, event, Transfer(count, total, 1.0, None, None, 0.0))


def test_confirmed_bytes_of_a_terminal() -> None:
    view = lanes(2, *planned(a_plan(), "1"))
    assert sent_of(view.lanes[0]) == (0, TOTAL)
    assert sent_of(view.lanes[1]) is None
    view = fold(view, events.StepStarted("1", StepKind.INSTALL, AT, PAY, raw("Install")))
    view = sending(view, "1", 9_000_000)
    assert sent_of(view.lanes[0]) == (9_000_000, TOTAL)
    view = with_progress(
        view, events.Progress("1", StepKind.INSTALL, AT, f"copy:{PAY}", 5, 5), Transfer(5, 5, 0, None, None, 0)
    )
    assert sent_of(view.lanes[0]) == (9_000_000, TOTAL), "a copy from the stick brings nothing to the terminal"
    view = fold(view, events.StepFailed("1", StepKind.INSTALL, AT, ERROR, PAY))
    assert sent_of(view.lanes[0]) == (0, TOTAL), "what is still there is known when it is sent again"
    view = fold(view, events.StepStarted("1", StepKind.VERIFY, AT))
    assert sent_of(view.lanes[0]) == (TOTAL, TOTAL)
    assert row_of(view, view.lanes[0]).done == "100%"
    assert row_of(view, view.lanes[1]).done == "-"


def moving(count: int) -> VisitView:
    """Confirmed and sending, all of them."""
    told: list[events.Event] = []
    for n in range(1, count + 1):
        told += [*planned(a_plan(), str(n)), events.StepStarted(str(n), StepKind.INSTALL, AT, PAY, raw("Install"))]
    return lanes(count, *told)


def test_a_time_for_all_only_where_nothing_but_bytes_is_waited_for() -> None:
    clock = FixedClock(AT)
    meter = FleetMeter(clock)
    view = moving(2)
    for step in range(8):
        clock.elapsed_s += 1
        view = sending(sending(view, "1", step * 1_000_000), "2", step * 1_000_000)
        overall = meter.take(view)
    left = 2 * TOTAL - 14_000_000
    assert overall.remaining_s == pytest.approx(left / 2_000_000, rel=0.05)
    assert "left to send" in overall_line(overall)
    assert foreseeable(view)
    restart = fold(view, events.StepStarted("1", StepKind.INSTALL, AT, "restart", raw("Restart")))
    for reason in (with_questions(view, [asked("1")]), restart, replace(view, lanes=(*view.lanes, *lanes(1).lanes))):
        assert meter.take(reason).remaining_s is None
        assert "left" not in overall_line(meter.take(reason))
    meter.take(view)
    clock.elapsed_s += 12
    late = overall_line(meter.take(view))
    assert "no byte confirmed for 12 s" in late
    assert "left" not in late


def test_one_terminal_tells_no_time_while_it_cannot_be_known() -> None:
    view = sending(moving(2), "1", 9_000_000)
    known = replace(view.lanes[0], transfer=Transfer(9, 18, 3.0, 3.0, 3.0, 0.0))
    assert row_of(view, known).next == "0:03 left"
    stalled = replace(view.lanes[0], transfer=Transfer(9, 18, 3.0, 3.0, 3.0, 11.0))
    assert row_of(view, stalled).next == "no answer for 11 s"
    asks = with_questions(replace(view, lanes=(known, view.lanes[1])), [asked("1", "allow it")])
    assert asks.lanes[0].transfer is None
    assert row_of(asks, asks.lanes[0]).next == "allow it"
    restart = fold(view, events.StepStarted("1", StepKind.INSTALL, AT, "restart", raw("Restart the terminal")))
    assert row_of(restart, restart.lanes[0]).next == "Restart the terminal"
    silent = fold(restart, events.StillWaiting("1", StepKind.INSTALL, AT, "restart", 20, 300))
    assert row_of(silent, silent.lanes[0]).next == "no answer for 20 s"


def test_the_oldest_request_elsewhere_is_told_with_how_long_it_waits() -> None:
    view = with_questions(lanes(3), [asked("2", "press green", 10.0), asked("1", "later", 20.0)])
    assert waiting_line(view, 58.4) == "Lane 02 (waiting 0:48): press green"
    assert "later" in waiting_line(replace(view, current="2"), 58.4)
    assert waiting_line(lanes(3), 58.4) == ""


def test_while_one_is_asked_the_others_are_not_said_to_rest() -> None:
    view = with_questions(lanes(2, events.VisitStarted("V1", AT)), [asked("1")])
    assert "the others go on" in safety(replace(view, current="1"))[1]


# -- who is asked what ------------------------------------------------------------------------------------------------


async def test_several_questions_wait_and_each_has_its_own_answer() -> None:
    seen: list[tuple[Question, ...]] = []
    operator = ScreenOperator(seen.append)
    first, second = (Question("a", AnswerKind.CONFIRM, raw("?")) for _n in range(2))
    tasks = [asyncio.create_task(operator.ask(question)) for question in (first, second)]
    await asyncio.sleep(0)
    assert len(operator.questions) == 2
    assert operator.answer(second, "no")
    assert not operator.answer(second, "yes")
    assert operator.answer(first, "yes")
    assert await asyncio.gather(*tasks) == ["yes", "no"]
    assert seen[-1] == ()


async def test_leaving_ends_every_question_and_a_cancelled_one_is_none_any_more() -> None:
    operator = ScreenOperator(lambda _questions: None)
    questions = [Question(name, AnswerKind.CONFIRM, raw("?")) for name in "abc"]
    tasks = [asyncio.create_task(operator.ask(question)) for question in questions]
    await asyncio.sleep(0)
    tasks[0].cancel()
    operator.leave()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(error, StoppedHere) for error in found[1:])
    assert operator.questions == ()


class Script:
    """An engine in which each of three terminals asks the same words at once."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.answers: dict[str, str] = {}

    async def run(self, request: VisitRequest) -> AsyncGenerator[events.Event, None]:
        yield events.VisitStarted("V1", AT)
        async with asyncio.TaskGroup() as group:
            for lane in ("1", "2", "3"):
                yield events.StepStarted(lane, StepKind.INSPECT, AT)
                yield events.LaneIdentified(lane, AT, "adb://h:1", "SAME", "V", "M", "1")
                question = Question("inspect.SE-02", AnswerKind.CONFIRM, raw("?"))
                yield events.Asked(lane, StepKind.INSPECT, AT, question)
                group.create_task(self._ask(lane, question))
        yield events.Finished("V1", AT, Outcome.SUCCESS, 0, sealed=True)

    async def _ask(self, lane: str, question: Question) -> None:
        self.answers[lane] = await self.operator.ask(question)

    def resume(self, request: ResumeRequest) -> AsyncGenerator[events.Event, None]:
        raise NotImplementedError


async def test_a_question_is_shown_with_the_terminal_that_asks_it() -> None:
    scripts: list[Script] = []

    def make(operator: Operator) -> Script:
        scripts.append(Script(operator))
        return scripts[0]

    views: list[VisitView] = []
    bridge = Bridge(make, FixedClock(AT), views.append)
    bridge.begin(VisitRequest(tuple(Address.parse(f"adb://h:{n}") for n in (1, 2, 3)), Path("/s")))
    while len(bridge.view.questions) < 3:
        await asyncio.sleep(0)
    assert [waiting.lane for waiting in bridge.view.questions] == ["1", "2", "3"]
    assert bridge.view.question is None
    assert bridge.next_waiting() == "1"
    bridge.look("2")
    assert bridge.next_waiting() == "3"
    second = bridge.view.question
    assert second is not None
    assert bridge.answer(second, "no")
    for waiting in bridge.view.others:
        assert bridge.answer(waiting.question, "yes")
    while not bridge.view.over:
        await asyncio.sleep(0)
    assert scripts[0].answers == {"1": "yes", "2": "no", "3": "yes"}
    assert bridge.view.current == ""
    assert bridge.take_offer() == "2"
    await bridge.close()


# -- the request ------------------------------------------------------------------------------------------------------


def test_ports_from_to_are_addresses() -> None:
    assert addresses_of("adb://h:5555-5557，adb://g:1") == (
        "adb://h:5555", "adb://h:5556", "adb://h:5557", "adb://g:1",
    )  # fmt: skip
    assert addresses_of("replay:/home/wei/录音（２）.jsonl") == ("replay:/home/wei/录音（２）.jsonl",), (
        "a file's own name"
    )
    assert addresses_of("medium:/media/wei/USB DISK, adb://g:1 adb+server:S1") == (
        "medium:/media/wei/USB DISK", "adb://g:1", "adb+server:S1",
    )  # fmt: skip
    assert len(addresses_of("adb://h:5555-5584")) == MOST
    for wrong in ("adb://h:5557-5555", "adb://h:1-31"):
        with pytest.raises(UsageError):
            addresses_of(wrong)


def test_the_order_counts_where_there_are_several() -> None:
    many = visit_request([], "adb://h:1-3", "/s")
    assert many.pace == Pace(MOST, one_first=True)
    assert visit_request([], "adb://h:1-3", "/s", Order.ONE_BY_ONE).pace == Pace()
    assert visit_request([], "adb://h:1-3", "/s", Order.ALL).pace == Pace(MOST, one_first=False)
    assert visit_request([], "adb://h:1", "/s", Order.ALL).pace == Pace()
    with pytest.raises(UsageError):
        visit_request([], "adb://h:1-30 adb://g:1-2", "/s")


def test_the_step_is_the_one_that_asks() -> None:
    """Its tests have not begun when the merchant is asked whether they may: what is asked about is the step."""
    view = lanes(2, events.StepStarted("1", StepKind.VERIFY, AT), events.StepDone("1", StepKind.VERIFY, AT))
    assert row_of(view, view.lanes[0]).step == "7 Verify"
    consent = Waiting(Question("test.consent", AnswerKind.CONFIRM, raw("May sales be made?")), "1")
    view = with_questions(view, [consent])
    assert row_of(view, view.lanes[0]).step == "8 Test"


def test_a_terminal_that_stopped_open_needs_a_look_and_has_no_outcome() -> None:
    stopped = events.LaneFinished("1", AT, "adb://h:1", "S1", Outcome.SUCCESS_NOT_RESTORED, 6, ERROR, final=False)
    view = lanes(2, events.StepStarted("1", StepKind.TEST, AT), stopped)
    assert mark_of(view, view.lanes[0]) is Mark.STOPPED
    assert view.lanes[0].outcome is None
    again = fold(view, events.StepStarted("1", StepKind.IDENTIFY, AT))
    assert mark_of(again, again.lanes[0]) is not Mark.STOPPED


def test_a_share_of_some_plans_is_not_called_all() -> None:
    meter = FleetMeter(FixedClock(AT))
    known = lanes(2, *planned(a_plan(), "1"))
    assert overall_line(meter.take(known)).startswith("Of what is planned: 0%")
    assert overall_line(FleetMeter(FixedClock(AT)).take(lanes(1, *planned(a_plan(), "1")))).startswith("All: 0%")
