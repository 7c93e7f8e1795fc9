"""View models: pure, so tested without a screen."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from techtool.clock import FixedClock
from techtool.domain.outcome import Outcome
from techtool.domain.plan import Plan, StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.release import VerifiedRelease
from techtool.domain.visit import ErrorRecord
from techtool.errors import BadAddress, StoppedHere, UsageError
from techtool.events import (
    Finished,
    LaneFinished,
    LaneIdentified,
    LanePlanned,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
    VisitStarted,
)
from techtool.i18n import phrase, raw, set_language
from techtool.tui.meter import Meter
from techtool.tui.person import ScreenOperator
from techtool.tui.requests import visit_request
from techtool.tui.theme import ASCII, UNICODE
from techtool.tui.views.fold import fold, planned_visit, with_question
from techtool.tui.views.home import RESUME, Elsewhere, HomeFacts, home_view
from techtool.tui.views.lines import Mark, Part, cells, clip, clock_time, fit
from techtool.tui.views.places import NEW
from techtool.tui.views.plan import plan_view
from techtool.tui.views.problem import problem_view
from techtool.tui.views.record import record_view
from techtool.tui.views.reports import report_lines, report_page
from techtool.tui.views.result import result_view
from techtool.tui.views.run import check_word, items_of, safety
from techtool.tui.views.visit import Place, VisitView, place_of
from techtool.tui.widgets.transfer import transfer_text
from tests.factories import plan_record, release, trust, unfinished_visit, visit_record
from tests.tui.scene_shop import plan as a_plan

AT = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)
ERROR = ErrorRecord("TT-305", phrase("The connection was lost."), raw("state"), (raw("do this"),), "detail")


def view_of(*events: object, address: str = "adb://h:1") -> VisitView:
    view = planned_visit([address])
    for event in events:
        view = fold(view, event)  # type: ignore[arg-type]
    return view


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("面馆", 4), ("e\u0301", 1), ("Ａ", 2)])
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


def test_clip_never_exceeds_its_width() -> None:
    for width in range(12):
        assert cells(clip("面馆 abc 面馆", width)) <= width
    assert clip("abc", 3) == "abc"


@pytest.mark.parametrize("width", range(12, 90))
def test_the_serial_number_is_kept_longest(width: int) -> None:
    parts = [
        Part("V20261122-140211-aaaa", 1),
        Part("南门小吃", 2),
        Part("SN 8F21-0093", 9),
        Part("adb://192.0.2.1:5555", 0),
    ]
    line = fit(parts, width)
    assert cells(line) <= width
    assert "SN 8F21-0093" in line


def test_the_stations_follow_the_events() -> None:
    view = view_of(
        VisitStarted("V1", AT),
        StepStarted("1", StepKind.IDENTIFY, AT, title=raw("Identify")),
        StepDone("1", StepKind.IDENTIFY, AT, result=raw("found")),
        StepStarted("1", StepKind.INSTALL, AT, "a", raw("Install a")),
        StepDone("1", StepKind.INSTALL, AT, "a", raw("accepted")),
    )
    assert view.lane is not None
    marks = {s.kind: s.mark for s in view.lane.stations}
    assert marks[StepKind.IDENTIFY] is Mark.OK
    assert marks[StepKind.BACKUP] is Mark.OK, "what lies before a station that runs is behind the terminal"
    assert marks[StepKind.INSTALL] is Mark.BUSY, "there may be more packages"
    assert marks[StepKind.VERIFY] is Mark.WAITING
    assert view.writing
    assert safety(view)[0]
    after = fold(view, StepStarted("1", StepKind.VERIFY, AT))
    assert after.lane is not None
    assert after.lane.station(StepKind.INSTALL).mark is Mark.OK
    assert not after.writing


def test_a_failure_marks_its_station_and_a_retry_clears_it() -> None:
    view = view_of(
        StepStarted("1", StepKind.INSTALL, AT, "a", raw("Install a")), StepFailed("1", StepKind.INSTALL, AT, ERROR, "a")
    )
    assert view.lane is not None
    assert view.lane.mark is Mark.STOPPED
    assert view.lane.error is ERROR
    again = fold(view, StepStarted("1", StepKind.IDENTIFY, AT))
    assert again.lane is not None
    assert again.lane.error is None


def test_which_screen_is_due() -> None:
    view = view_of(LaneIdentified("1", AT, "adb://h:1", "SN1", "SUNMI", "SUNMI P2", "11"))
    assert view.lane is not None
    assert view.lane.model == "SUNMI P2"
    due = {
        "confirm.last4": (AnswerKind.LAST4, Place.PLAN),
        "check.override.battery": (AnswerKind.TEXT, Place.PLAN),
        "problem.install": (AnswerKind.CHOICE, Place.PROBLEM),
        "inspect.SE-02": (AnswerKind.CHECKLIST, Place.RUN),
    }
    for name, (kind, place) in due.items():
        assert place_of(with_question(view, Question(name, kind, raw("?"), serial="SN1"))) is place
    done = fold(view, Finished("V1", AT, Outcome.SUCCESS, 0, sealed=True))
    assert place_of(done) is Place.RESULT
    assert place_of(view) is Place.RUN


def test_a_problem_tells_state_advice_and_ways() -> None:
    view = view_of(
        StepStarted("1", StepKind.BACKUP, AT),
        StepDone("1", StepKind.BACKUP, AT, result=raw("saved")),
        StepStarted("1", StepKind.INSTALL, AT, "a", raw("Install a")),
        StepFailed("1", StepKind.INSTALL, AT, ERROR, "a"),
    )
    question = Question("problem.install", AnswerKind.CHOICE, ERROR.what, help=ERROR.state_now)
    problem = problem_view(with_question(view, question))
    assert problem is not None
    assert (problem.code, problem.advice, problem.detail) == ("TT-305", ("do this",), "detail")
    assert "Backup: complete, read back." in problem.state
    assert problem_view(view) is None


def test_the_result_says_what_comes_next() -> None:
    events = (
        VisitStarted("V1", AT),
        LaneFinished("1", AT, "adb://h:1", "SN1", Outcome.FAILED_DEVICE_OK, 1, ERROR),
        Finished("V1", AT, Outcome.FAILED_DEVICE_OK, 1, sealed=True),
    )
    result = result_view(view_of(*events))
    assert result is not None
    assert result.mark is Mark.STOPPED
    assert any("TT-305" in detail for detail in result.terminals[0].details)
    assert result.following
    assert result_view(view_of(*events[:1])) is None


def stopped_at_its_tests(address: str = "adb://h:1") -> VisitView:
    return view_of(
        VisitStarted("V1", AT),
        LanePlanned("1", AT, a_plan()),
        StepStarted("1", StepKind.VERIFY, AT),
        StepDone("1", StepKind.VERIFY, AT),
        StepStarted("1", StepKind.TEST, AT, "PR-02", raw("Parameters")),
        LaneFinished("1", AT, address, "SN1", Outcome.SUCCESS_NOT_RESTORED, 6, ERROR, final=False),
        Finished("V1", AT, Outcome.SUCCESS_NOT_RESTORED, 6, sealed=False),
        address=address,
    )


def test_what_a_person_typed_is_not_told_as_read_back() -> None:
    result = result_view(stopped_at_its_tests("medium:/media/stick"))
    assert result is not None
    (line,) = result.terminals
    assert any("as you typed them: com.example" in detail for detail in line.details)
    assert not any("read back" in detail for detail in line.details)


def test_who_stops_after_the_installation_is_not_told_that_nothing_changed() -> None:
    result = result_view(stopped_at_its_tests())
    assert result is not None
    (line,) = result.terminals
    assert line.text == "SN1: unfinished, stopped at Test"
    assert any(detail.startswith("installed and read back: com.example") for detail in line.details)
    words = " ".join((line.text, *line.details))
    assert "nothing changed" not in words
    assert "resume" in " ".join(result.following)


def test_a_test_that_was_not_done_has_no_tick_and_the_newest_ones_are_shown() -> None:
    view = view_of(VisitStarted("V1", AT))
    for number, result in enumerate(("pass", "not-done: no time", "not-applicable: no printer", "fail"), 1):
        view = fold(view, StepStarted("1", StepKind.TEST, AT, f"T{number}", raw(f"Test {number}")))
        view = fold(view, StepDone("1", StepKind.TEST, AT, f"T{number}", raw(result)))
    view = fold(view, StepStarted("1", StepKind.TEST, AT, "T5", raw("Test 5")))
    shown = items_of(view, 9)
    assert [line.mark for line in shown] == [Mark.OK, Mark.NOTE, Mark.NOTE, Mark.WARNING, Mark.BUSY]
    assert shown[1].text == "Test 2: not done (no time)"
    few = items_of(with_question(view, Question("test.T5", AnswerKind.TEST_RESULT, raw("Test 5"))), 2)
    assert [line.text for line in few] == ["3 before these: F3 shows them", "Test 4: failed", "Test 5"]
    assert few[-1].mark is Mark.NEEDS, "it waits for the person, it is not busy"


@pytest.mark.parametrize(("lang", "page"), [("en", "V1.en.html"), ("zh", "V1.zh.html")])
def test_of_the_reports_those_that_are_looked_for_are_named(lang: str, page: str) -> None:
    set_language(lang)
    names = [
        f"V1.{one}.{end}" for one in ("en", "zh") for end in ("html", "pdf", "merchant.html", "merchant.pdf", "csv")
    ]
    files = [Path("/home/r/V1") / name for name in (*names, "V1.json", "V1.json.sig")]
    lines = [line.text for line in report_lines(files)]
    assert [sum(name in line for line in lines) for name in (page, f"V1.{lang}.pdf", f"V1.{lang}.merchant.pdf")] == [
        1
    ] * 3
    assert "9" in lines[3]
    assert str(Path("/home/r/V1")) in lines[4]
    assert report_page(files) == Path("/home/r/V1") / page
    assert report_lines(()) == ()
    assert report_page(()) is None


def test_unfinished_work_comes_first() -> None:
    view = home_view(HomeFacts(unfinished=(unfinished_visit(),), visits=1))
    assert [entry.value.partition(":")[0] for entry in view.entries[:2]] == [RESUME.rstrip(":"), NEW]
    assert "Install" in view.entries[0].note


def test_a_visit_in_another_window_is_not_offered() -> None:
    visit = unfinished_visit()
    busy = home_view(HomeFacts(unfinished=(visit,), elsewhere=Elsewhere(4711, visit.id)))
    assert busy.unfinished[0].elsewhere == "being worked on in another window (process 4711)"
    assert not [entry for entry in busy.entries if entry.value.startswith(RESUME)]
    assert any("Another techtool window" in line.text for line in busy.state)
    other = home_view(HomeFacts(unfinished=(visit,), elsewhere=Elsewhere(4711, "V1")))
    assert other.unfinished[0].elsewhere == ""
    assert other.entries[0].value == RESUME + visit.id
    unknown = home_view(HomeFacts(unfinished=(visit,), elsewhere=Elsewhere()))
    assert unknown.unfinished[0].elsewhere == "being worked on in another window"


@pytest.mark.parametrize("every_rule", [False, True])
def test_no_release_and_no_failed_rule_is_left_out_of_the_plan(every_rule: bool) -> None:
    record = plan_record()
    verified = VerifiedRelease(release(), trust())
    plan = Plan(
        record.serial, record.findings, (verified,), record.steps, record.total, record.downtime, record.undo, "d"
    )
    view = plan_view(plan, "SUNMI P2", "11", every_rule=every_rule)
    assert len(view.releases) == len(plan.findings)
    shown = {line.text for found in view.releases for line in found.rules}
    for finding in plan.findings:
        for rule in finding.rules:
            assert rule.ok or rule.reason.text() in shown
            assert not every_rule or rule.reason.text() in shown
    assert view.hidden_rules == (0 if every_rule else 2)
    assert fold(planned_visit(["a"]), LanePlanned("1", AT, plan)).lanes[0].plan is plan


def test_a_visit_on_record() -> None:
    view = record_view(visit_record(), ())
    assert len(view.terminals) == 3
    assert not view.unfinished


def test_what_was_typed_becomes_a_request() -> None:
    request = visit_request(["adb://h:1"], "adb://h:2, adb://h:1", ' "/media/stick" ')
    assert [str(address) for address in request.addresses] == ["adb://h:1", "adb://h:2"]
    assert str(request.bundle) == "/media/stick"
    with pytest.raises(BadAddress):
        visit_request([], "nonsense", "/s")
    for picked, stick in (([], "/s"), (["adb://h:1"], " ")):
        with pytest.raises(UsageError):
            visit_request(picked, "", stick)


def test_what_was_typed_was_named_by_a_person() -> None:
    heard = frozenset({"adb://h:1", "adb://h:2"})
    request = visit_request(["adb://h:1", "adb://h:2", "adb://h:3"], "adb://h:2", "/s", announced=heard)
    assert [(str(address), address.announced) for address in request.addresses] == [
        ("adb://h:1", True), ("adb://h:2", False), ("adb://h:3", False),
    ]  # fmt: skip


def test_a_resumed_transfer_does_not_lie() -> None:
    clock = FixedClock(AT)
    meter = Meter(clock)
    transfer = meter.take(progress(60))
    assert transfer.remaining_s is None
    for done in range(62, 76, 2):
        clock.elapsed_s += 1
        transfer = meter.take(progress(done))
    assert transfer.remaining_s == pytest.approx(26 / 2, rel=0.1)
    clock.elapsed_s += 12
    late = meter.now()
    assert late is not None
    assert late.stalled_s == pytest.approx(12)
    assert "no answer for 12 s" in transfer_text(late, 80, UNICODE).plain
    assert "left" not in transfer_text(late, 80, UNICODE).plain
    assert transfer_text(late, 80, ASCII).plain.isascii()
    meter.clear()
    assert meter.now() is None


def progress(share: int) -> Progress:
    return Progress("1", StepKind.INSTALL, AT, "a", share * 1_000_000, 100_000_000)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.6, "1:02"), (3725, "1:02:05"), (-1, "0:00")])
def test_clock_time(seconds: float, text: str) -> None:
    assert clock_time(seconds) == text


def test_test_results_in_words() -> None:
    set_language("en")
    assert check_word("not-done: no card") == "not done (no card)"
    assert check_word("pass") == "passed"


def test_every_mark_has_a_glyph_in_ascii_too() -> None:
    for mark in Mark:
        assert UNICODE.marks[mark]
        assert ASCII.marks[mark].isascii()


async def test_a_key_pressed_twice_answers_one_question_only() -> None:
    seen: list[tuple[Question, ...]] = []
    operator = ScreenOperator(seen.append)
    first, second = (Question("a", AnswerKind.CONFIRM, raw("?")), Question("a", AnswerKind.CONFIRM, raw("?")))
    task = asyncio.create_task(operator.ask(first))
    await asyncio.sleep(0)
    assert not operator.answer(second, "yes")
    assert not operator.answer(first, "perhaps")
    assert operator.answer(first, "yes")
    assert not operator.answer(first, "yes")
    assert await task == "yes"
    task = asyncio.create_task(operator.ask(second))
    await asyncio.sleep(0)
    assert not operator.answer(first, "yes")
    operator.leave()
    with pytest.raises(StoppedHere):
        await task
    with pytest.raises(StoppedHere):
        await operator.ask(first)
