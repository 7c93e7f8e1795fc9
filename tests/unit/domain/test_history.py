"""What the history keeps of a terminal, and the questions put to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from techtool.domain.evidence import Incident
from techtool.domain.history import UNKNOWN, TerminalEntry, VersionSeen, entries_of
from techtool.domain.history_search import UNFINISHED, Search, by_terminal, fates
from techtool.domain.outcome import Outcome
from techtool.domain.probe import RESTARTED
from techtool.domain.visit import CatmAction, CheckRecord, VisitKind
from techtool.domain.work_order import Binding, ExpectedTerminal, Site, WorkOrder
from techtool.i18n import phrase
from tests.factories import PAY, at, lane_cut, lane_done, lane_failed, unfinished_visit, visit_record


def test_one_entry_for_each_terminal_that_was_identified() -> None:
    entries = entries_of(visit_record())
    assert [(e.lane, e.serial, e.outcome) for e in entries] == [
        ("1", "P2A0123456789", Outcome.SUCCESS),
        ("2", "P2A0987654321", Outcome.FAILED_DEVICE_OK),
    ]


def test_an_entry_says_what_came_of_it() -> None:
    (entry,) = entries_of(visit_record(lane_done()))
    lane = lane_done()
    assert lane.before is not None
    assert entry.versions[0] == VersionSeen(PAY, lane.before.package(PAY).version, "3.2.0")  # type: ignore[union-attr]
    assert entry.releases == ("acme-pay@3.2.0",)
    assert entry.planned == tuple(release.key for release in lane.plan.releases)  # type: ignore[union-attr]
    assert entry.backup == "b-1"
    assert entry.failed_checks == tuple(check.id for check in lane.checks if check.result == "fail")
    assert entry.restarts is None
    assert (entry.vendor, entry.model) == ("sunmi", "P2")
    assert entry.at == max(step.ended_at for step in lane.steps if step.ended_at) or entry.at >= at(0)


def test_the_last_word_on_a_test_counts() -> None:
    said = [("PR-02", "fail", None), ("PR-02", "pass", None), ("PR-01", "fail", None), ("APP-07", "fail", RESTARTED)]
    checks = tuple(CheckRecord(n, phrase("A test"), word, "", at(90), said=why) for n, word, why in said)
    (entry,) = entries_of(visit_record(replace(lane_done(), checks=checks)))
    assert (entry.failed_checks, entry.restarts) == (("PR-01", "APP-07"), 1)
    passed = replace(checks[-1], result="pass", said=None)
    (entry,) = entries_of(visit_record(replace(lane_done(), checks=(passed,))))
    assert (entry.failed_checks, entry.restarts) == ((), 0)


def test_after_a_stop_nobody_knows_what_runs() -> None:
    cut = lane_cut()
    cut = replace(cut, steps=(*cut.steps[:-1], replace(cut.steps[-1], action=CatmAction.INSTALL)))
    (entry,) = entries_of(replace(unfinished_visit(), lanes=(cut,)))
    assert entry.outcome is None
    assert {seen.after for seen in entry.versions} == {UNKNOWN}
    assert entry.at == min(step.started_at for step in cut.steps)


def test_a_terminal_to_which_nothing_was_sent_runs_what_it_ran() -> None:
    cut = replace(lane_cut(), steps=lane_cut().steps[:1])
    (entry,) = entries_of(replace(unfinished_visit(), lanes=(cut,)))
    assert all(seen.before == seen.after for seen in entry.versions)


def test_numbers_and_place_come_from_the_order_where_the_terminal_says_none() -> None:
    lane = lane_done()
    before = replace(lane.before, tid=None, mid=None)  # type: ignore[type-var]
    expected = ExpectedTerminal(serial=lane.serial, tid="20010009", mid="104110058129999")
    binding = Binding(lane.serial, lane.serial, lane.serial, expected)
    lane = replace(lane, before=before, after=None, binding=binding, incidents=(Incident("V-1-1", "SE-02", "", at(5)),))
    order = WorkOrder("WO-9", site=Site(merchant_name="幸福超市", site_id="S-7"))
    (entry,) = entries_of(visit_record(lane, merchant="", work_order="", order=order))
    assert (entry.tid, entry.mid) == ("20010009", "104110058129999")
    assert (entry.site, entry.merchant, entry.work_order) == ("S-7", "幸福超市", "WO-9")
    assert entry.incidents == ("V-1-1",)


def entry(number: int = 0, **changes: object) -> TerminalEntry:
    (made,) = entries_of(visit_record(lane_done()))
    made = replace(
        made,
        visit=f"V{number}",
        at=at(0) + timedelta(days=number),
        tid="20010001",
        mid="104110058120007",
        site="S-7",
        merchant="幸福超市 Lucky",
        technician="张伟",
        releases=("acme-pay@3.2.0",),
        planned=("acme-pay@3.2.0",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("p2a0123456789", True),
        ("3456", True),
        ("Ｐ２Ａ", True),
        ("0001", True),
        ("0007", True),
        ("20010001", True),
        ("001", False),
        ("1000", False),
        ("lucky", True),
        ("幸福", True),
        ("WO-2026", True),
        ("张伟", True),
        ("李", False),
    ],
)
def test_a_search_finds_what_people_remember(text: str, fits: bool) -> None:
    assert Search(text).fits(entry()) is fits


@pytest.mark.parametrize(
    ("search", "fits"),
    [
        (Search(site="s-7"), True),
        (Search(site="福"), True),
        (Search(site="S-8"), False),
        (Search(release="acme-pay"), True),
        (Search(release="acme-pay@3.2.0"), True),
        (Search(release="acme-pay@3.1.0"), False),
        (Search(since=at(0)), True),
        (Search(since=at(0) + timedelta(seconds=1)), False),
        (Search(until=at(0)), False),
        (Search(until=at(0) + timedelta(seconds=1)), True),
        (Search(outcome="success"), True),
        (Search(outcome=UNFINISHED), False),
        (Search("幸福", outcome="refused"), False),
    ],
    ids=str,
)
def test_everything_that_is_given_must_be_true(search: Search, fits: bool) -> None:
    assert search.fits(entry()) is fits


def test_terminals_stand_in_the_order_of_their_last_visit() -> None:
    found = by_terminal([entry(3, serial="A"), entry(1, serial="B"), entry(2, serial="A"), entry(4, serial="B")])
    assert [(one.serial, [e.visit for e in one.entries]) for one in found] == [("A", ["V2", "V3"]), ("B", ["V1", "V4"])]
    assert found[1].last.visit == "V4"


def test_how_a_release_fared() -> None:
    old = ("acme-pay@3.1.0",)
    entries = [
        entry(1, serial="A", releases=old, planned=old),
        entry(2, serial="A"),
        entry(3, serial="B", outcome=Outcome.FAILED_DEVICE_OK, releases=()),
        entry(4, serial="C", outcome=None, releases=()),
        entry(5, serial="D", outcome=Outcome.ROLLED_BACK),
        entry(6, serial="E"),
        entry(7, serial="E", visit_kind=VisitKind.RESTORE.value, releases=(), planned=()),
    ]
    entries += [
        entry(8, serial=s, outcome=o, releases=()) for s, o in (("F", Outcome.CANCELLED), ("G", Outcome.REFUSED))
    ]
    first, second = fates(entries, "acme-pay")
    assert (first.key, first.tried, first.good, first.runs_on, first.share) == ("acme-pay@3.1.0", 1, 1, (), 1.0)
    assert (second.key, second.tried, second.good, second.runs_on) == ("acme-pay@3.2.0", 4, 2, ("A",))
    assert second.share == 0.5
    assert [fate.key for fate in fates(entries, "acme-pay@3.2.0")] == ["acme-pay@3.2.0"]
    assert fates(entries, "other") == []


def test_a_failed_lane_keeps_what_ran_before() -> None:
    (entry,) = entries_of(visit_record(lane_failed()))
    assert all(seen.before == seen.after for seen in entry.versions)
    assert entry.releases == ()
