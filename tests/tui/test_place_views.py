"""Views of the places beside a visit: pure, so tested without a screen; in Chinese as well as in English."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from techtool.domain.case_code import LETTERS, case_code, parse_code
from techtool.domain.due import Due, Waiting
from techtool.domain.history import TerminalEntry, VersionSeen
from techtool.domain.history_search import by_terminal
from techtool.domain.outcome import Outcome
from techtool.domain.release import Urgency
from techtool.domain.visit_state import VisitState
from techtool.domain.work_order import ExpectedTerminal, Site, WorkOrder
from techtool.errors import BackupNotVerified, BadSettings, UsageError
from techtool.i18n import phrase, raw, set_language
from techtool.reports.formats import FORMATS
from techtool.settings import Settings, read_settings
from techtool.tui.actions import ACTIONS
from techtool.tui.theme import ASCII, UNICODE
from techtool.tui.views.backups import (
    backup_rows,
    can_restore,
    log_lines,
    mark_of,
    swap_order,
    upkeep_lines,
    verified_lines,
)
from techtool.tui.views.due import due_rows
from techtool.tui.views.export import FORMAT_LABEL, contact_lines, large, spelled
from techtool.tui.views.history import day_of, ends_in, fate_lines, terminal_facts, terminal_rows, timeline
from techtool.tui.views.home import HomeFacts, home_view
from techtool.tui.views.lines import Line, Mark, cells
from techtool.tui.views.orders import order_lines
from techtool.tui.views.palette import commands, fitting
from techtool.tui.views.places import PLACES
from techtool.tui.views.settings import (
    SAMPLE,
    clock_line,
    contacts_of,
    contacts_text,
    needs_restart,
    values_of,
    with_values,
)
from techtool.tui.widgets.text import lines_grid
from techtool.visit.backup_log import BackupAction, LogEntry
from techtool.visit.kept_backups import KeptBackup, Presence, Verified
from techtool.visit.retention import Pruned
from tests.tui.scene_places import entries

AT = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)
TODAY = AT.date()


def kept(**changes: object) -> KeptBackup:
    made = KeptBackup(
        visit="V-1",
        visit_state=VisitState.SEALED,
        id="V-1-1",
        serial="P2A0123456789",
        file="V-1-1.age",
        sha256="00" * 32,
        size_bytes=182_000_000,
        items=12,
        made_at=AT,
        verified=True,
        presence=Presence.HERE,
        key=Presence.HERE,
        key_until=AT + timedelta(days=30),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def entry(serial: str = "P2A0123456789", days: int = 0, **changes: object) -> TerminalEntry:
    made = TerminalEntry(
        visit=f"V-{days}",
        lane="1",
        at=AT + timedelta(days=days),
        serial=serial,
        vendor="sunmi",
        model="P2",
        vendor_name="SUNMI",
        model_name="P2",
        tid="10002001",
        mid="898110000000001",
        site="SH-88",
        merchant="南门小吃 [b]South Gate[/b]",
        work_order="WO-1",
        technician="Li Wei",
        visit_kind="update",
        visit_type="update",
        outcome=Outcome.SUCCESS,
        exit_code=0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "mark", "word", "restorable"),
    [
        ({}, Mark.OK, "key here until 2026-12-22", True),
        ({"key": Presence.DELETED}, Mark.NOTE, "only the office can open it", True),
        ({"verified": False}, Mark.WARNING, "not verified", False),
        ({"presence": Presence.DELETED}, Mark.NOTE, "wiped", False),
        ({"presence": Presence.MISSING}, Mark.STOPPED, "file missing", False),
    ],
)
def test_a_backup_says_who_can_open_it(changes: dict[str, object], mark: Mark, word: str, restorable: bool) -> None:
    backup = kept(**changes)
    (row,) = backup_rows([backup])
    assert (mark_of(backup), row.mark, can_restore(backup)) == (mark, mark, restorable)
    assert word in row.note


def test_backups_are_listed_newest_first_and_the_one_looked_at_reads_back_first() -> None:
    old, new = kept(id="a", made_at=AT - timedelta(days=2)), kept(id="b", serial="")
    assert [row.id for row in backup_rows([old, new])] == ["b", "a"]
    assert backup_rows([new])[0].label.endswith("?")
    bad = Verified("a", BackupNotVerified(problem=phrase("its file")))
    lines = verified_lines([bad, Verified("b", None)], "b")
    assert [line.mark for line in lines] == [Mark.OK, Mark.STOPPED]
    assert lines[1].details


def test_a_swap_order_names_both_terminals_and_never_the_same_twice() -> None:
    swap = swap_order("A1", " B2 ", "P2", "S-7")
    assert (swap.from_serial, swap.to_serial, swap.model, swap.work_order) == ("A1", "B2", "P2", "S-7")
    for wrong in (("", "P2", "S-7"), ("B2", " ", "S-7"), ("B2", "P2", ""), ("A1", "P2", "S-7")):
        with pytest.raises(UsageError):
            swap_order("A1", *wrong)


def test_the_newest_terminal_comes_first_and_numbers_are_masked() -> None:
    entries = [
        entry(days=-9),
        entry("X9", days=-3, outcome=Outcome.REFUSED),
        entry(
            days=0, outcome=None, versions=(VersionSeen("com.acme.pay", "1.4.0", "1.5.0"), VersionSeen("k", "", "?"))
        ),
    ]
    histories = by_terminal(entries)
    rows = terminal_rows(histories)
    assert [(row.serial, row.mark) for row in rows] == [("P2A0123456789", Mark.NEEDS), ("X9", Mark.STOPPED)]
    assert "2 visits" in rows[0].note
    first = histories[-1]
    shown = " ".join(f"{name} {value}" for name, value in terminal_facts(first))
    assert "****2001" in shown
    assert "10002001" not in shown
    newest, oldest = timeline(first)
    assert (newest.mark, oldest.mark) == (Mark.NEEDS, Mark.OK)
    assert "com.acme.pay 1.4.0 -> 1.5.0" in newest.details
    assert "k not there -> not read again" in newest.details


def due(**changes: object) -> Due:
    return replace(Due("P2A0123456789", "SUNMI P2", "南门小吃", date(2026, 5, 1)), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "mark", "short"),
    [
        ({}, Mark.NOTE, "no due date"),
        ({"cadence_days": 180, "due": TODAY - timedelta(days=25)}, Mark.WARNING, "overdue by 25 days"),
        ({"cadence_days": 365, "due": TODAY + timedelta(days=9)}, Mark.NOTE, "due on 2026-12-01"),
        ({"waiting": (Waiting("pay@2", Urgency.HIGH, "1"),)}, Mark.BUSY, "pay@2 waits"),
        ({"waiting": (Waiting("pay@2", Urgency.CRITICAL, "1"),)}, Mark.WARNING, "pay@2 waits"),
        (
            {"waiting": (Waiting("pay@2", Urgency.LOW, "1", advisories=("CVE-2026-1",)),)},
            Mark.WARNING,
            "published weaknesses: CVE-2026-1",
        ),
        (
            {"waiting": (Waiting("pay@2", Urgency.LOW, "1", install_by=TODAY - timedelta(days=1)),)},
            Mark.WARNING,
            "overdue by 1 days",
        ),
        ({"inspection_due": TODAY - timedelta(days=4)}, Mark.WARNING, "overdue by 4 days"),
    ],
)
def test_why_a_terminal_is_due(changes: dict[str, object], mark: Mark, short: str) -> None:
    (row,) = due_rows([due(**changes)], TODAY)
    assert (row.mark, row.note) == (mark, short)
    assert row.reasons[0] == "SUNMI P2"


def test_a_case_code_is_large_and_every_letter_has_its_word() -> None:
    code = case_code("ab" * 32)
    assert parse_code("".join(large(code).split())) == code
    said = spelled("".join(LETTERS))[0]
    for sign in LETTERS:
        assert sign.isdigit() or f"{sign} ({sign}" in said
    assert [len(group.split("  ")) for group in spelled(code)] == [4, 4, 2]


def test_every_kind_of_report_file_can_be_chosen() -> None:
    assert tuple(FORMAT_LABEL) == FORMATS


def test_whom_to_call_names_the_office_first() -> None:
    assert contact_lines({"Help": "400"}, (), ())[0].text == "Help: 400"
    assert contact_lines({}, (), ())[0].mark is Mark.NOTE


def test_settings_are_read_back_as_they_were_entered() -> None:
    own = Settings(technician="Li", contacts={"Help: desk": "1"})
    kept_values = values_of(replace(own, contacts={"A": "1", "B": "2 3"}))
    after = with_values(own, kept_values, language="zh", ascii_only=True, order="all")
    assert (after.technician, after.language, after.ascii, after.fleet.order) == ("Li", "zh", True, "all")
    assert after.contacts == {"A": "1", "B": "2 3"}
    assert contacts_of("甲：1；乙: 2") == {"甲": "1", "乙": "2"}
    assert contacts_of(contacts_text({"x": "1"})) == {"x": "1"}
    assert needs_restart(own, after, "zh")
    assert needs_restart(after, after, "en")
    assert not needs_restart(after, replace(after, staff_no="9"), "zh")


def test_an_order_of_work_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[fleet]\norder = "all"\n', encoding="utf-8")
    assert read_settings(path).fleet.order == "all"
    path.write_text('[fleet]\norder = "backwards"\n', encoding="utf-8")
    with pytest.raises(BadSettings, match="one-by-one"):
        read_settings(path)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("technician", " "),
        ("keep_backups_days", ""),
        ("cadence_days", "-1"),
        ("cadence_days", "九"),
        ("contacts", "400"),
    ],
)
def test_what_cannot_be_a_setting_is_said(field: str, text: str) -> None:
    values = {**values_of(Settings(technician="Li")), field: text}
    with pytest.raises(UsageError):
        with_values(Settings(), values, language="en", ascii_only=False, order="all")


def test_an_input_methods_digits_are_digits() -> None:
    values = {**values_of(Settings(technician="Li")), "cadence_days": "９０"}
    after = with_values(Settings(), values, language="en", ascii_only=False, order="all")
    assert after.cadence.default_days == 90


def test_the_list_of_everything_is_found_in_english_too() -> None:
    set_language("zh")
    try:
        offered = commands((), places=True)
        assert [one.value for one in fitting(offered, "Trust, recipients")] == ["go:trust"]
    finally:
        set_language("en")


def test_the_sample_lines_are_of_one_width_where_marks_are_narrow() -> None:
    assert cells(SAMPLE[0]) == cells(SAMPLE[1])
    assert SAMPLE[1].isascii()


def test_the_clock_is_believed_or_not() -> None:
    assert clock_line(AT, AT + timedelta(days=1)).mark is Mark.OK
    assert clock_line(AT, AT - timedelta(days=1)).mark is Mark.STOPPED


def test_an_order_is_shown_without_whole_numbers_and_without_control_characters() -> None:
    terminal = ExpectedTerminal(serial="P2\u202e9", tid="10002001", counter="3")
    order = WorkOrder("WO-1", site=Site(merchant_name="[b]门店"), terminals=(terminal,), releases=("pay",))
    text = "\n".join(line.text for line in order_lines(order))
    assert "[b]门店" in text
    assert "10002001" not in text
    assert "[U+202E]" in text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_list_of_everything(lang: str) -> None:
    set_language(lang)
    offered = commands(("help", "begin", "palette", "help"), places=True)
    assert [one.value for one in offered] == ["do:help", "do:begin", *(f"go:{place.id}" for place in PLACES)]
    assert fitting(offered, "") == offered
    for one in offered:
        assert one in fitting(offered, one.label.partition("  ")[0].upper())
    assert fitting(offered, "no such thing") == ()
    assert not any(one.value.startswith("go:") for one in commands(("help",), places=False))
    assert all(ACTIONS[one.value.removeprefix("do:")] for one in offered if one.value.startswith("do:"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_home_lists_every_place_and_digits_reach_them(lang: str) -> None:
    set_language(lang)
    entries = home_view(HomeFacts(unfinished=())).entries
    assert [entry.value for entry in entries] == [*(p.id for p in PLACES if p.on_home), "language"]
    assert len(entries) <= 9
    for entry in entries:
        assert cells(entry.label) <= 24, entry.label


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_rows_are_never_wider_than_the_window(lang: str, glyphs: object) -> None:
    """Wide characters are counted as two, so that nothing is pushed out at the right."""
    set_language(lang)
    assert glyphs in (UNICODE, ASCII)
    long = "南门小吃" * 40
    lines = [
        Line(Mark.STOPPED, long, (long,)),
        *timeline(by_terminal([entry(merchant=long, work_order=long)])[0]),
        *order_lines(WorkOrder("1", site=Site(merchant_name=long), note=long)),
    ]
    for width in (80, 100, 160):
        console = Console(width=width, color_system=None, legacy_windows=False)
        with console.capture() as captured:
            console.print(lines_grid(lines, UNICODE if glyphs is UNICODE else ASCII))
        assert all(cells(line) <= width for line in captured.get().splitlines())


# -- narrowing the history down, and the end of backups -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("", None),
        ("2026-11-22", date(2026, 11, 22)),
        ("２０２６-１１-２", date(2026, 11, 2)),
        ("2026/1/9", date(2026, 1, 9)),
    ],
)
def test_a_day_is_read_as_it_is_typed(text: str, day: date | None) -> None:
    assert day_of(text) == day


@pytest.mark.parametrize("text", ["x", "2026", "2026-13-01", "2026-11-31", "9" * 30 + "-1-1", "-1-1-1", "2026-1-1-1"])
def test_what_is_no_day_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is no day"):
        day_of(text)


def test_only_ends_that_occur_can_be_chosen_bad_ones_first() -> None:
    unfinished = replace(entries()[0], outcome=None)
    words = [word for word, _label in ends_in([*entries(), unfinished])]
    assert words == ["unfinished", "failed-transient", "success"]


def test_of_a_release_it_is_said_how_it_fared_and_where_it_runs() -> None:
    known = (*entries()[:-1], replace(entries()[-1], releases=("com.example.pay@1.5.0",)))
    assert fate_lines(known, known, "") == ()
    (line,) = fate_lines(known, known, "com.example.pay")
    assert line.text == "com.example.pay@1.5.0"
    assert line.details == ("1 of 1 ended well (100 %)", "Runs on: P2A0123450093")


def test_what_would_go_is_not_told_as_if_it_were_gone() -> None:
    due = Pruned(("V1",), ("V1-1",), ("V2-1.age.part",), (("V3", raw("it is open")),), ("x.age",))
    before = [line.text for line in upkeep_lines(due, 30, done=False)]
    assert before[:3] == ["Key to the backups of visit V1", "Backup file V1-1", "Half-written file V2-1.age.part"]
    assert not any("deleted" in text or "wiped" in text or "removed" in text for text in before)
    assert "V3: left alone: it is open" in before
    after = [line.text for line in upkeep_lines(due, 30, done=True)]
    assert any("only the office can open" in text for text in after)
    (none,) = upkeep_lines(Pruned((), (), (), (), ()), 30, done=False)
    assert none.text == "Nothing is older than 30 days."


def test_the_log_of_backups_is_read_newest_first() -> None:
    at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    log = [
        LogEntry(at, "Li Wei", BackupAction.VERIFY, "V1", "V1-1", "looked at", "done"),
        LogEntry(at, "Li Wei", BackupAction.WIPE, "V1", "V1-1", "Ms Zhao, by phone", "TT-501"),
    ]
    newest, oldest = log_lines(log)
    assert "file wiped" in newest.text
    assert "TT-501" in newest.text
    assert newest.details == ("V1-1  Ms Zhao, by phone",)
    assert "opened to verify  done  Li Wei" in oldest.text
    assert [line.text for line in log_lines([])] == ["No backup was opened or deleted on this laptop."]
