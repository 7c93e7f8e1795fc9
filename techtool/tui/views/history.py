"""What was found and done on terminals, as the screens show it; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from techtool.domain.history import TerminalEntry
from techtool.domain.history_search import UNFINISHED, ReleaseFate, TerminalHistory, fates
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.terminal import titled
from techtool.errors import UsageError
from techtool.i18n import _, translate
from techtool.reports.history_words import (
    change_word,
    details_of,
    facts_of,
    fate_word,
    inspected_word,
    outcome_word,
    place_of,
    source_of,
    visits_word,
)
from techtool.reports.redaction import masked, visible
from techtool.tui.views.lines import Line, Mark, day_and_time, named


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
    yield from (named(name, text) for name, text in details_of(entry))
    yield source_of(entry)


def ends_in(entries: Iterable[TerminalEntry]) -> tuple[tuple[str, str], ...]:
    """The ends that occur, as :class:`Search` words and in words for people; good ones last."""
    found = {entry.outcome for entry in entries}
    words = [
        (outcome.value, translate(OUTCOME_LABEL[outcome]))
        for outcome in sorted((one for one in found if one is not None), key=lambda one: (one.is_good, one.value))
    ]
    return ((UNFINISHED, _("unfinished")), *words) if None in found else tuple(words)


def day_of(text: str) -> date | None:
    """A day as it was typed, also with full-width signs; empty: None. Raises :class:`UsageError`."""
    plain = unicodedata.normalize("NFKC", text).strip().replace("/", "-")
    if not plain:
        return None
    try:
        return date(*(int(part) for part in plain.split("-", 2)))
    except (OverflowError, TypeError, ValueError) as error:
        raise UsageError(problem=_("{text} is no day; write it as 2026-11-22.").format(text=visible(text))) from error


def fate_lines(entries: Iterable[TerminalEntry], fitting: Sequence[TerminalEntry], release: str) -> tuple[Line, ...]:
    """How a release fared, and where it runs; what came later on the same terminals decides what runs there now."""
    if not release:
        return ()
    serials = {entry.serial for entry in fitting}
    return tuple(_fate(fate) for fate in fates([entry for entry in entries if entry.serial in serials], release))


def _fate(fate: ReleaseFate) -> Line:
    runs_on = (named(_("Runs on"), visible(", ".join(fate.runs_on))),) if fate.runs_on else ()
    return Line(Mark.NOTE, visible(fate.key), (fate_word(fate), *runs_on))


def outcome_mark(entry: TerminalEntry) -> Mark:
    """How it ended, as a mark."""
    if entry.outcome is None:
        return Mark.NEEDS
    return Mark.OK if entry.outcome.is_good else Mark.STOPPED
