"""What a visit came to: complete only when no required test is open."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from techtool.domain.conclusion import conclusion, open_required
from techtool.domain.evidence import Incident
from techtool.domain.known_issues import (
    IssueFinding,
    IssueRecord,
    IssueResult,
    issue_result,
    verification,
)
from techtool.domain.outcome import Outcome
from techtool.domain.question import CheckResult
from techtool.domain.required_tests import ChosenTest
from techtool.domain.sign_off import Conclusion
from techtool.domain.visit import CheckRecord, LaneRecord
from techtool.domain.work_order import ExpectedTerminal, WorkOrder
from techtool.i18n import phrase, raw
from tests.factories import at, lane_done, visit_record

SALE = ChosenTest("TX-02", raw("Test sale"), True, phrase("the payment application was changed"))
VOID = replace(SALE, id="TX-06", follows=("TX-02",))
CLOCK = replace(SALE, id="HW-07")
EXTRA = replace(SALE, id="TX-08", required=False)


def check(test: str, result: str, reason: str = "", *, required: bool = True) -> CheckRecord:
    return CheckRecord(test, raw(test), result, reason, at(100), required=required)


def lane(*checks: CheckRecord, **changes: object) -> LaneRecord:
    made = replace(lane_done(), checks=checks, tests=(CLOCK, SALE, VOID, EXTRA))
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("checks", "open_ones", "word"),
    [
        ((), ["HW-07", "TX-02"], Conclusion.PARTIAL),
        ((("HW-07", "pass", ""),), ["TX-02"], Conclusion.PARTIAL),
        ((("HW-07", "pass", ""), ("TX-02", "pass", "")), ["TX-06"], Conclusion.PARTIAL),
        ((("HW-07", "pass", ""), ("TX-02", "not-done", "no consent")), ["TX-02"], Conclusion.PARTIAL),
        ((("HW-07", "pass", ""), ("TX-02", "not-applicable", "no reader")), [], Conclusion.COMPLETE),
        ((("HW-07", "pass", ""), ("TX-02", "not-applicable", "  ")), ["TX-02"], Conclusion.PARTIAL),
        ((("HW-07", "fail", ""), ("TX-02", "not-applicable", "no reader")), ["HW-07"], Conclusion.REVISIT),
        ((("HW-07", "pass", ""), ("TX-02", "pass", ""), ("TX-06", "pass", "")), [], Conclusion.COMPLETE),
        ((("HW-07", "fail", ""), ("HW-07", "pass", ""), ("TX-02", "not-applicable", "x")), [], Conclusion.COMPLETE),
    ],
)
def test_open_tests_decide(checks: tuple[tuple[str, str, str], ...], open_ones: list[str], word: Conclusion) -> None:
    made = lane(*(check(*one) for one in checks))
    assert [test.id for test in open_required(made)] == open_ones
    assert conclusion(visit_record(made)) is word


def test_complete_never_with_an_open_required_test() -> None:
    """Every combination of results of two tests; the optional one never counts."""
    words = ["", "pass", "fail", "not-done", "not-applicable"]
    for clock, sale, extra in product(words, words, words):
        made = lane(
            *(
                check(n, r, "why")
                for n, r in (("HW-07", clock), ("TX-02", sale), ("TX-06", "pass"), ("TX-08", extra))
                if r
            )
        )
        made = replace(made, checks=tuple(replace(c, required=c.id != "TX-08") for c in made.checks))
        good = all(word in ("pass", "not-applicable") for word in (clock, sale))
        assert (conclusion(visit_record(made)) is Conclusion.COMPLETE) is good


def test_an_inspection_item_that_was_required_counts_too() -> None:
    made = lane(check("SE-02.seals", "not-done", "no light"), tests=())
    assert [test.id for test in open_required(made)] == ["SE-02.seals"]


def test_an_old_record_without_a_list_has_nothing_open() -> None:
    made = lane(check("TX-02", "not-done", "x", required=False), tests=())
    assert open_required(made) == ()
    assert conclusion(visit_record(made)) is Conclusion.COMPLETE


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Outcome.SUCCESS_NOT_RESTORED, Conclusion.REVISIT),
        (Outcome.INCONSISTENT, Conclusion.REVISIT),
        (Outcome.FAILED_UNRECOVERABLE, Conclusion.REVISIT),
        (Outcome.FAILED_NEEDS_FIRMWARE, Conclusion.REVISIT),
        (Outcome.NEEDS_REBOOT, Conclusion.REVISIT),
        (Outcome.ROLLED_BACK, Conclusion.NOT_DONE),
        (Outcome.REFUSED, Conclusion.NOT_DONE),
        (Outcome.CANCELLED, Conclusion.NOT_DONE),
        (Outcome.FAILED_DEVICE_OK, Conclusion.NOT_DONE),
        (Outcome.FAILED_TRANSIENT, Conclusion.NOT_DONE),
        (Outcome.NOTHING_TO_DO, Conclusion.COMPLETE),
    ],
)
def test_outcomes(outcome: Outcome, word: Conclusion) -> None:
    one = lane(tests=(), outcome=outcome)
    assert conclusion(visit_record(one)) is word
    good = replace(lane_done("2"), checks=())
    both = conclusion(visit_record(one, good))
    assert both is {Conclusion.NOT_DONE: Conclusion.PARTIAL}.get(word, word)


def test_a_terminal_taken_out_of_use_needs_another_visit() -> None:
    taken = Incident("V-1-1", "SE-02.card-slot", "loose", at(20), removed_from_use=True)
    assert conclusion(visit_record(lane(tests=(), outcome=Outcome.REFUSED, incidents=(taken,)))) is Conclusion.REVISIT


def test_a_terminal_of_the_order_that_nobody_reached() -> None:
    order = WorkOrder("WO-1", terminals=(ExpectedTerminal(lane_done().serial), ExpectedTerminal("P2A0000000000")))
    assert conclusion(visit_record(lane(tests=()), order=order)) is Conclusion.PARTIAL
    assert conclusion(visit_record(lane(tests=()))) is Conclusion.COMPLETE


@pytest.mark.parametrize(
    ("terminal", "word"),
    [
        (ExpectedTerminal(tid="55556666"), Conclusion.PARTIAL),
        (ExpectedTerminal(model="another"), Conclusion.PARTIAL),
        (ExpectedTerminal(" -".join(lane_done().serial.lower())), Conclusion.COMPLETE),
    ],
    ids=["by-tid", "by-model", "written-otherwise"],
)
def test_reached_is_what_the_binding_says(terminal: ExpectedTerminal, word: Conclusion) -> None:
    order = WorkOrder("WO-1", terminals=(ExpectedTerminal(lane_done().serial), terminal))
    if word is Conclusion.COMPLETE:
        order = WorkOrder("WO-1", terminals=(terminal,))
    assert conclusion(visit_record(lane(tests=()), order=order)) is word


def test_nothing_but_an_unfinished_lane() -> None:
    begun = lane(tests=(), outcome=None)
    assert conclusion(visit_record(begun)) is Conclusion.PARTIAL
    assert conclusion(visit_record(replace(begun, confirmed_at=None))) is Conclusion.NOT_DONE


# --- known issues ----------------------------------------------------------------------------------------------------

P, A, N, X = IssueFinding.PRESENT, IssueFinding.ABSENT, IssueFinding.NOT_REPRODUCIBLE, IssueFinding.NOT_CHECKED


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        (P, A, IssueResult.VERIFIED),
        (P, P, IssueResult.STILL_PRESENT),
        (A, P, IssueResult.STILL_PRESENT),
        (X, P, IssueResult.STILL_PRESENT),
        (N, P, IssueResult.STILL_PRESENT),
        (A, A, IssueResult.NOT_REPRODUCIBLE),
        (N, A, IssueResult.NOT_REPRODUCIBLE),
        (N, N, IssueResult.NOT_REPRODUCIBLE),
        (A, N, IssueResult.NOT_REPRODUCIBLE),
        (P, N, IssueResult.NOT_REPRODUCIBLE),
        (X, A, IssueResult.NOT_CHECKED),
        (X, N, IssueResult.NOT_CHECKED),
        (P, X, IssueResult.NOT_CHECKED),
        (A, X, IssueResult.NOT_CHECKED),
        (N, X, IssueResult.NOT_CHECKED),
        (X, X, IssueResult.NOT_CHECKED),
    ],
)
def test_only_what_was_seen_and_is_gone_is_verified(
    before: IssueFinding, after: IssueFinding, result: IssueResult
) -> None:
    assert issue_result(before, after) is result


@pytest.mark.parametrize(
    ("results", "word"),
    [
        ([], CheckResult.NOT_APPLICABLE),
        ([IssueResult.VERIFIED], CheckResult.PASS),
        ([IssueResult.VERIFIED, IssueResult.NOT_REPRODUCIBLE], CheckResult.PASS),
        ([IssueResult.VERIFIED, IssueResult.NOT_CHECKED], CheckResult.NOT_DONE),
        ([IssueResult.NOT_CHECKED, IssueResult.STILL_PRESENT], CheckResult.FAIL),
    ],
)
def test_the_test_that_they_come_to(results: list[IssueResult], word: CheckResult) -> None:
    assert verification(results).result is word


def test_a_problem_that_is_still_there_needs_another_visit() -> None:
    issue = IssueRecord("acme-pay@3.2.0", "BUG-1", raw("x"), P, P, IssueResult.STILL_PRESENT, automatic=False)
    assert conclusion(visit_record(lane(tests=(), issues=(issue,)))) is Conclusion.REVISIT
