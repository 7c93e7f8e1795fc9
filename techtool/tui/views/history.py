"""What was found and done on terminals, as the screens show it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from techtool.domain.history import TerminalEntry
from techtool.domain.history_search import TerminalHistory
from techtool.domain.terminal import titled
from techtool.i18n import _
from techtool.reports.history_words import (
    change_word,
    details_of,
    facts_of,
    inspected_word,
    outcome_word,
    place_of,
    source_of,
    visits_word,
)
from techtool.reports.redaction import masked, visible
from techtool.tui.views.lines import Line, Mark, day_and_time


@dataclass(frozen=True, slots=True)
class TerminalRow:
    """One terminal in the list."""

    serial: str
    mark: Mark
    label: str
    note: str


def terminal_rows(found: Sequence[TerminalHistory]) -> tuple[TerminalRow, ...]:
    """The one that was worked on last comes first."""
    return tuple(_row(one) for one in reversed(found))


def _row(one: TerminalHistory) -> TerminalRow:
    last = one.last
    label = f"{day_and_time(last.at).partition(' ')[0]}  {visible(one.serial)}"
    note = "  ".join(part for part in (outcome_word(last), place_of(one), visits_word(one)) if part)
    return TerminalRow(one.serial, outcome_mark(last), label, note)


def terminal_facts(one: TerminalHistory) -> tuple[tuple[str, str], ...]:
    """Who a terminal is, as it was seen last; of its numbers the last four."""
    last = one.last
    passed = one.inspected_at
    facts = (
        (_("Terminal"), visible(titled(last.vendor_name, last.model_name))),
        (_("Serial number"), visible(one.serial)),
        ("TID", masked(last.tid) if last.tid else ""),
        ("MID", masked(last.mid) if last.mid else ""),
        *facts_of(one),
        inspected_word(day_and_time(passed) if passed else ""),
    )
    return tuple((name, value) for name, value in facts if value)


def timeline(one: TerminalHistory) -> tuple[Line, ...]:
    """Every visit of a terminal, newest first."""
    return tuple(_entry(entry) for entry in reversed(one.entries))


def _entry(entry: TerminalEntry) -> Line:
    return Line(outcome_mark(entry), f"{day_and_time(entry.at)}  {outcome_word(entry)}", tuple(_details(entry)))


def _details(entry: TerminalEntry) -> Iterator[str]:
    """Versions with an arrow of two ASCII marks, which every terminal draws in one width."""
    yield from (change_word(seen, "->") for seen in entry.versions)
    yield from (f"{name}: {text}" for name, text in details_of(entry))
    yield source_of(entry)


def outcome_mark(entry: TerminalEntry) -> Mark:
    """How it ended, as a mark."""
    if entry.outcome is None:
        return Mark.NEEDS
    return Mark.OK if entry.outcome.is_good else Mark.STOPPED
