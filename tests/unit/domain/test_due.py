"""Who is due, who is overdue, and who comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from techtool.catalogue.cadence import load_cycles
from techtool.domain.due import Cadence, Cycles, Due, Life, Wishes, due_list
from techtool.domain.history import TerminalEntry, VersionSeen
from techtool.domain.outcome import Outcome
from techtool.domain.release import BlockedHardware, Issue, Provides, ReleaseKind, Urgency
from tests.unit.domain.build import app, image

NOW: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NONE: Final = Cycles(1)
HALF_YEAR: Final = Wishes(default_days=180)


def entry(serial: str = "S1", days_ago: float = 10, **changes: object) -> TerminalEntry:
    made = TerminalEntry(
        visit=f"V{days_ago}", lane="1", at=NOW - timedelta(days=days_ago), serial=serial, vendor="acme", model="X1",
        vendor_name="Acme", model_name="X1", tid="", mid="", site="", merchant="Noodles", work_order="",
        technician="Li", visit_kind="update", visit_type="update", outcome=Outcome.SUCCESS, exit_code=0,
        versions=(VersionSeen("pay", "0.9.0", "1.0.0"),), releases=("pay@1.0.0",), firmware="2.1.0", hw_revision="B",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def one(entries: list[TerminalEntry], *releases: object, cycles: Cycles = NONE, wishes: Wishes = HALF_YEAR) -> Due:
    (due,) = due_list(entries, releases, cycles, wishes, NOW)  # type: ignore[arg-type]
    return due


def test_the_day_after_180_is_overdue() -> None:
    last, over = one([entry(days_ago=180)]), one([entry(days_ago=181)])
    assert (last.overdue(NOW.date()), over.overdue(NOW.date())) == (False, True)
    assert over.days_over(NOW.date()) == 1
    assert over.cadence_from == "settings"


@pytest.mark.parametrize("days", [14, 30, 90, 365])
def test_a_documented_cycle_gives_its_day(days: int) -> None:
    due = one([entry(days_ago=7)], cycles=Cycles(1, (Cadence("acme", days, "a document"),)))
    assert (due.cadence_days, due.cadence_from) == (days, "a document")
    assert due.due == NOW.date() - timedelta(days=7) + timedelta(days=days)


def test_where_nobody_says_a_cycle_there_is_no_day() -> None:
    due = one([entry(days_ago=2000)], wishes=Wishes())
    assert (due.due, due.cadence_days, due.overdue(NOW.date())) == (None, 0, False)
    other = one([entry(days_ago=2000)], wishes=Wishes(), cycles=Cycles(1, (Cadence("pax", 30, "not ours"),)))
    assert other.due is None


def test_the_nearer_word_counts() -> None:
    cycles = Cycles(
        1,
        (
            Cadence("acme", 365, "maker"),
            Cadence("acme", 90, "model", model="X1"),
            Cadence("acme", 30, "kind", model="X1", kind=ReleaseKind.APPLICATION),
        ),
    )
    pay = app("pay", "1.0.0")
    assert one([entry()], cycles=cycles).cadence_days == 90
    assert one([entry()], pay, cycles=cycles).cadence_days == 30
    assert one([entry()], replace(pay, cadence_days=14), cycles=cycles).cadence_from == "pay@1.0.0"
    assert one([entry(model="X9")], cycles=cycles).cadence_days == 365


def test_only_an_installation_counts_as_an_update() -> None:
    entries = [
        entry(days_ago=200),
        entry(days_ago=5, outcome=Outcome.FAILED_DEVICE_OK),
        entry(days_ago=3, outcome=Outcome.NOTHING_TO_DO, releases=()),
    ]
    due = one(entries)
    assert due.updated == (NOW - timedelta(days=200)).date()
    never = one([entry(releases=(), outcome=Outcome.NOTHING_TO_DO)])
    assert (never.updated, never.due) == (None, None)


def test_the_inspection_has_its_own_day() -> None:
    seen = entry(inspected_at=NOW - timedelta(days=31))
    assert one([seen], wishes=Wishes(180, 0)).inspection_due is None
    due = one([seen], wishes=Wishes(180, 30))
    assert due.inspection_due == NOW.date() - timedelta(days=1)
    assert due.overdue(NOW.date())


def test_what_waits_is_newer_and_made_for_it() -> None:
    newer = replace(app("pay", "1.2.0"), urgency=Urgency.HIGH)
    assert [w.key for w in one([entry()], newer).waiting] == ["pay@1.2.0"]
    assert one([entry()], newer).waiting[0].installed == "1.0.0"
    for other in (
        app("pay", "1.0.0"),
        app("pay", "0.5.0"),
        app("elsewhere", "9.0"),
        replace(newer, provides=(Provides("acme", "X9"),)),
        replace(newer, provides=(Provides("acme", "X1", ("C",)),)),
        replace(newer, blocked_hw=(BlockedHardware("B", "burns"),)),
    ):
        assert one([entry()], other).waiting == ()


def test_firmware_is_compared_with_what_was_shown() -> None:
    assert [w.installed for w in one([entry()], image("os", "2.2.0")).waiting] == ["2.1.0"]
    assert one([entry()], image("os", "2.1.0")).waiting == ()


def test_what_was_not_read_again_is_not_judged() -> None:
    unread = entry(versions=(VersionSeen("pay", "0.9.0", "?"),))
    assert one([unread], app("pay", "1.2.0")).waiting == ()


def test_a_version_with_an_open_advisory_is_told() -> None:
    mends = replace(app("pay", "1.1.0"), issues=(Issue("cve", "CVE-2026-1234"), Issue("vendor", "BUG-7")))
    newest = replace(app("pay", "1.2.0"), install_by=date(2026, 12, 1))
    due = one([entry()], mends, newest)
    assert [w.key for w in due.waiting] == ["pay@1.2.0"], "only the newest of an id is proposed"
    assert due.advisories == ("CVE-2026-1234",), "and what it passes over is not forgotten"
    assert due.waiting[0].install_by == date(2026, 12, 1)
    mended = entry(versions=(VersionSeen("pay", "1.0.0", "1.1.0"),))
    assert one([mended], mends, newest).advisories == ()


def test_a_day_that_a_release_named_makes_overdue() -> None:
    late = replace(app("pay", "1.2.0"), install_by=date(2026, 11, 21))
    assert one([entry()], late).days_over(NOW.date()) == 1
    assert not one([entry()], replace(late, install_by=date(2026, 11, 22))).overdue(NOW.date())


def test_hardware_at_its_end_is_told_and_proposed_nothing_higher() -> None:
    life = Life("acme", "X1", "letter", "B", {"pay": "1.1.0"}, date(2026, 6, 30))
    releases = (app("pay", "1.1.0"), app("pay", "1.2.0"))
    due = one([entry()], *releases, cycles=Cycles(1, (), (life,)))
    assert [w.key for w in due.waiting] == ["pay@1.1.0"]
    assert (due.end_of_life, due.highest) == (date(2026, 6, 30), {"pay": "1.1.0"})
    other = one([entry(hw_revision="C")], *releases, cycles=Cycles(1, (), (life,)))
    assert [w.key for w in other.waiting] == ["pay@1.2.0"]


def test_overdue_first_and_urgent_first() -> None:
    urgent, plain = replace(app("pay", "2.0.0"), urgency=Urgency.CRITICAL), app("shop", "2.0.0")
    shop = {"versions": (VersionSeen("shop", "0.9.0", "1.0.0"),), "releases": ("shop@1.0.0",)}
    entries = [
        entry("fresh", 5, versions=()),
        entry("fresh-plain", 5, **shop),
        entry("fresh-urgent", 5),
        entry("over", 300, versions=()),
        entry("over-longer", 400, versions=()),
        entry("over-urgent", 200),
        entry("sooner", 100, versions=()),
    ]
    found = due_list(entries, (urgent, plain), NONE, HALF_YEAR, NOW)
    assert [due.serial for due in found] == [
        "over-urgent", "over-longer", "over", "fresh-urgent", "fresh-plain", "sooner", "fresh",
    ]  # fmt: skip


def test_the_shipped_cycles_invent_nothing_for_a_real_maker() -> None:
    cycles = load_cycles()
    assert {one.vendor for one in cycles.cadence} == {one.vendor for one in cycles.life} == {"simulated"}


def test_a_cycle_beyond_every_calendar_has_no_day() -> None:
    assert one([entry()], wishes=Wishes(default_days=10**10)).due is None


def test_of_what_is_not_overdue_the_next_day_comes_first_whatever_it_is_the_day_of() -> None:
    soon = replace(app("pay", "1.1.0"), install_by=NOW.date() + timedelta(days=3), urgency=Urgency.LOW)
    first, second = entry("S1", days_ago=100), entry("S2", days_ago=10)
    first = replace(first, versions=(VersionSeen("pay", "1.1.0", "1.1.0"),), releases=("pay@1.1.0",))
    found = due_list([first, second], [soon], NONE, HALF_YEAR, NOW)
    assert [due.serial for due in found] == ["S2", "S1"]
