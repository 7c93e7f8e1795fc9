from __future__ import annotations

import dataclasses
import gettext
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta, timezone
from typing import TypeVar

import pytest

from techtool import i18n
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.terminal import BatchState, Evidence, TamperState
from techtool.domain.visit import CheckRecord
from techtool.domain.work_order import ExpectedTerminal, WorkOrder
from techtool.i18n import bilingual, raw
from techtool.reports.model import build
from techtool.reports.parts import Cell, Fact, Facts, Report, Table, Tone
from tests import factories as f


def cells(value: object) -> Iterator[Cell]:
    """Every cell of a part, however deep."""
    if isinstance(value, Cell):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from cells(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from cells(getattr(value, field.name))


def fact(facts: Facts, label: str) -> Cell:
    return next(item.value for item in facts.items if item.label == label)


def column(table: Table, title: str) -> list[str]:
    return [row[table.columns.index(title)].text for row in table.rows]


def one(report: Report, lane: int = 0) -> tuple[Facts, Table, Table]:
    part = report.terminals[lane]
    return part.identity, part.changes, part.steps


def test_before_and_after_show_what_changed_and_what_did_not() -> None:
    _identity, changes, _steps = one(build(f.visit_record(), "en"))
    rows = {row[0].text: [c.text for c in row[1:]] for row in changes.rows}
    assert rows[f.PAY] == ["3.1.0 (310)", "3.2.0 (320)", "changed"]
    assert rows["Firmware"] == ["P2_3.5.29_20250611", "P2_3.5.29_20250611", "unchanged"]
    assert rows["Battery"][0] == "82 %, on external power"
    assert f.RECEIPT not in rows, "a package no release names and that did not change is not listed"


def test_a_change_outside_the_plan_is_listed_as_such() -> None:
    lane = f.lane_done()
    assert lane.after is not None
    packages = (f.package(f.PAY, "3.2.0", 320), f.package("com.evil.extra", "1.0", 1))
    lane = replace(lane, after=replace(lane.after, packages=packages))
    changes = build(f.visit_record(lane), "en").terminals[0].changes
    rows = {row[0].text: row for row in changes.rows}
    assert rows["com.evil.extra"][0].note == "package, not part of the plan"
    assert rows["com.evil.extra"][3].text == "new"
    assert rows[f.RECEIPT][3] == Cell("gone", tone=Tone.BAD)


def test_every_release_and_every_rule_stands_with_its_reason() -> None:
    findings = build(f.visit_record(), "en").terminals[0].findings
    plan = f.plan_record()
    assert [len(x.rules.rows) for x in findings] == [len(x.rules) for x in plan.findings]
    assert findings[0].verdict.text == "to be installed"
    assert column(findings[0].rules, "Reason")[1] == "At least 50 % is needed; it has 82 %."
    warning = findings[0].rules.rows[2]
    assert (warning[0].text, warning[0].note, warning[0].tone) == ("not met", "warning", Tone.WARN)
    assert warning[2].note == "Clear old logs on the terminal, or go on."


def test_a_closed_gate_is_an_alarm_only_where_the_release_was_meant_for_this_terminal() -> None:
    plan = f.plan_record()
    blocked = replace(plan.findings[1], verdict=plan.findings[0].verdict)
    report = build(f.visit_record(replace(f.lane_done(), plan=replace(plan, findings=(blocked,)))), "en")
    assert report.terminals[0].findings[0].rules.rows[0][0].tone is Tone.BAD
    report = build(f.visit_record(), "en")
    assert report.terminals[0].findings[1].rules.rows[0][0].tone is Tone.PLAIN


def test_steps_tell_times_results_and_catm_codes() -> None:
    steps = build(f.visit_record(), "en").terminals[0].steps
    assert column(steps, "Start")[2] == "09:01:00"
    assert column(steps, "Took")[:3] == ["1.4 s", "20 s", "48 s"]
    assert column(steps, "catm code")[2] == "INST SUCC"
    assert steps.rows[2][5].note == "18.2 MB confirmed"
    failed = build(f.visit_record(), "en").terminals[1].steps
    assert column(failed, "State")[2] == "failed"
    assert failed.rows[2][5].note == "TT-410"


def test_the_installed_file_is_judged_by_what_was_read_back() -> None:
    done = f.lane_done()
    verdicts = {}
    for found in (done.installed[0].sha256_expected, f.digest_of("other"), ""):
        lane = replace(done, installed=(replace(done.installed[0], sha256_found=found),))
        row = build(f.visit_record(lane), "en").terminals[0].installed.rows[0]
        verdicts[row[2].text] = row[2].tone
        assert done.installed[0].sha256_expected in row[1].text
    assert verdicts == {"identical": Tone.GOOD, "different": Tone.BAD, "not readable": Tone.WARN}


def test_the_problem_says_what_state_and_next() -> None:
    problem = build(f.visit_record(), "en").terminals[1].problem
    assert problem is not None
    assert problem.code == "TT-410"
    assert problem.what == f"The terminal did not install {f.PAY}: no space"
    assert problem.next_actions == ("Free some storage on the terminal and resume.",)
    assert "INSUFFICIENT_STORAGE" in problem.detail


def test_evidence_stands_beside_the_facts_it_belongs_to() -> None:
    condition = build(f.visit_record(), "en").terminals[0].condition
    assert fact(condition, "Batch") == Cell("settled", "read from its screen by the technician")
    assert fact(condition, "Tamper protection") == Cell("normal", "simulated")


def test_an_open_batch_and_a_tampered_terminal_stand_out() -> None:
    state = f.terminal_state(batch=BatchState.OPEN, tamper=TamperState.TAMPERED)
    condition = build(f.visit_record(replace(f.lane_done(), before=state)), "en").terminals[0].condition
    assert fact(condition, "Batch").tone is Tone.BAD
    assert fact(condition, "Tamper protection").text == "tampered → normal"


def test_simulated_is_printed_plainly_and_only_where_it_is_so() -> None:
    assert [n.text for n in build(f.visit_record(), "en").notices] == ["Simulated"]
    real = replace(
        f.lane_done(),
        before=f.terminal_state(evidence={"batch": Evidence.ASKED}),
        after=f.terminal_state(evidence={}),
    )
    report = build(f.visit_record(real), "en")
    assert report.notices == ()
    assert not any("made up" in note for note in report.notes)


def test_trust_shows_root_issue_date_and_use_by() -> None:
    (trust,) = build(f.visit_record(), "en").trust
    assert fact(trust, "Trusted root").text.replace(" ", "") == f.digest_of("root.json")
    assert fact(trust, "Metadata issued").text == "2026-03-10 09:00:00"
    assert "Laptop's clock" not in [item.label for item in trust.items]


def test_clocks_are_shown_when_they_differ() -> None:
    lane = replace(f.lane_done(), trust=f.trust(system_time=f.at(-86_400 * 30)))
    (trust,) = build(f.visit_record(lane, clock_note={"laptop": "2026-02-12"}), "en").trust
    assert fact(trust, "Laptop's clock").text == "2026-02-12 09:00:00"
    assert fact(trust, "Time used to judge expiry").text == "2026-03-14 09:00:00"
    assert fact(trust, "Clocks differ").text == "laptop: 2026-02-12"


def test_two_publishers_make_two_parts_that_name_their_terminals() -> None:
    other = replace(f.lane_failed(), trust=f.trust(publisher="vendor-other"))
    titles = [part.title for part in build(f.visit_record(f.lane_done(), other), "en").trust]
    assert titles == ["Trust (for terminal 1)", "Trust (for terminal 2)"]


def test_totals_count() -> None:
    totals = build(f.visit_record(), "en").totals
    assert fact(totals, "Terminals").text == "3"
    assert fact(totals, "Installed files read back identical").text == "1 of 1"
    assert fact(totals, "Tests").text == "pass 2, fail 0, not applicable 1, not done 1"


@pytest.mark.parametrize("visit", [f.unfinished_visit(), f.abandoned_visit()], ids=["unfinished", "abandoned"])
def test_a_visit_without_an_end_says_so_and_never_success(visit: object) -> None:
    report = build(visit, "en")  # type: ignore[arg-type]
    assert report.outcome.tone is Tone.WARN
    assert "State unknown" in [n.text for n in report.notices]
    assert report.terminals[0].outcome.note == Outcome.INCONSISTENT.value
    assert column(report.terminals[0].steps, "State")[-1] == "no end recorded"
    assert not any(c.text == "done and verified" for c in cells(report))


def test_a_visit_that_reached_nothing_is_a_report_too() -> None:
    report = build(f.visit_record(f.lane_unreached()), "en")
    assert report.terminals[0].title == "Terminal 3: adb://192.0.2.13:5555"
    assert report.terminals[0].steps.rows == ()
    assert report.terminals[0].steps.empty == "No step was begun."


def test_times_follow_the_zone_that_was_asked_for() -> None:
    report = build(f.visit_record(), "en", timezone(timedelta(hours=8)))
    assert fact(report.place, "Started") == Cell("2026-03-14 17:00:00", "UTC+08:00")
    assert column(report.terminals[0].steps, "Start")[2] == "17:01:00"


def test_text_of_any_length_from_a_terminal_is_cut() -> None:
    lane = replace(f.lane_failed(), error=f.error_record("x" * 1_000_000))
    problem = build(f.visit_record(lane), "en").terminals[0].problem
    assert problem is not None
    assert len(problem.detail) < 2_100
    assert "998000 more characters" in problem.detail


T = TypeVar("T")


class Pseudo(gettext.NullTranslations):
    """A language in which every translated sentence can be told from one that was forgotten."""

    def gettext(self, message: str) -> str:
        return f"〔{message}〕"


def test_every_label_and_word_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        i18n, "_translations", lambda language: Pseudo() if language == "zh" else gettext.NullTranslations()
    )
    report = build(f.visit_record(), "zh")
    labels = [item.label for item in _every(report, Fact)]
    titles = [part.title for part in _every(report, Facts)] + [t.title for t in _every(report, Table) if t.title]
    headings = [c for t in _every(report, Table) for c in t.columns]
    marks = [c.text for c in cells(report) if c.tone in (Tone.GOOD, Tone.BAD)]
    sentences = [n.text for n in report.notices] + list(report.notes) + list(report.signatures) + [report.title]
    for text in [*labels, *titles, *headings, *sentences]:
        assert text.startswith("〔"), text
    for text in marks:
        assert "〔" in text, text


def _every(value: object, kind: type[T]) -> Iterator[T]:
    if isinstance(value, kind):
        yield value
    if isinstance(value, tuple):
        for item in value:
            yield from _every(item, kind)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _every(getattr(value, field.name), kind)


def test_the_visits_own_answers_stand_with_the_people() -> None:
    people = build(f.visit_record(), "en").people
    assert fact(people, "Who saw the result?").text == "王秀英 (店长)"


def test_raw_text_is_never_a_template() -> None:
    lane = replace(f.lane_done(), steps=(f.step(1, StepKind.IDENTIFY, 1, 1, result=raw("{0.__class__} {x} %s")),))
    assert build(f.visit_record(lane), "zh").terminals[0].steps.rows[0][5].text == "{0.__class__} {x} %s"


def test_what_is_open_is_said_in_the_language_of_the_report() -> None:
    """A reason that techtool gave is a sentence of its own, not the words of the language that was chosen on site."""
    said = bilingual({"en": "nobody looked", "zh": "无人查看"})
    check = CheckRecord("APP-06", raw("Known issues"), "not-done", "无人查看", f.at(100), required=True, said=said)
    order = WorkOrder("WO-1", terminals=(ExpectedTerminal(tid="55556666"), ExpectedTerminal(model="X9")))
    visit = f.visit_record(replace(f.lane_done(), checks=(check,)), order=order)
    for language, word, other in (("en", "nobody looked", "无人查看"), ("zh", "无人查看", "nobody looked")):
        told = [cell.text for cell in cells(build(visit, language).close)]
        assert any(word in text for text in told)
        assert not any(other in text for text in told)
        assert any(text == "****6666\nX9" for text in told), "also where the order names no serial number"
