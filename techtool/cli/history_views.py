"""The history as lines for an 80-column window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from techtool.cli.columns import WINDOW, column, cut, wrapped
from techtool.domain.history import TerminalEntry
from techtool.domain.history_search import ReleaseFate, TerminalHistory
from techtool.domain.terminal import titled
from techtool.i18n import _
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

_INDENT = "    "


def row_of(one: TerminalHistory, zone: tzinfo) -> Iterator[str]:
    """Two lines for one of many terminals: when, which, where; how it ended."""
    last = one.last
    day = last.at.astimezone(zone).strftime("%Y-%m-%d")
    model = visible(titled(last.vendor_name, last.model_name))
    yield f"{day}  {column(visible(one.serial), 20)}  {column(model, 20)}  {cut(place_of(one), 24)}".rstrip()
    count = visits_word(one)
    yield cut(f"            {outcome_word(last)}" + (f"  ({count})" if count else ""), WINDOW)


def terminal_lines(one: TerminalHistory, zone: tzinfo) -> Iterator[str]:
    """Who a terminal is, as it was seen last."""
    last = one.last
    yield cut(f"{visible(titled(last.vendor_name, last.model_name))}  {visible(one.serial)}".strip(), WINDOW)
    numbers = [f"{name} {masked(number)}" for name, number in (("TID", last.tid), ("MID", last.mid)) if number]
    if numbers:
        yield "  " + "  ".join(numbers)
    passed = one.inspected_at
    for name, value in (*facts_of(one), inspected_word(_day(passed, zone) if passed else "")):
        yield from _named(name, value)


def entry_lines(entry: TerminalEntry, zone: tzinfo) -> Iterator[str]:
    """One visit of one terminal."""
    at = entry.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    yield from wrapped(outcome_word(entry), f"{at}  ")
    for seen in entry.versions:
        yield from wrapped(change_word(seen), _INDENT)
    for name, value in details_of(entry):
        yield from _named(name, value, _INDENT)
    yield from wrapped(source_of(entry), _INDENT)


def release_lines(fate: ReleaseFate) -> Iterator[str]:
    """How one release fared."""
    yield cut(visible(fate.key), WINDOW)
    yield "  " + fate_word(fate)
    if fate.runs_on:
        yield from _named(_("Runs on"), ", ".join(fate.runs_on))


def _named(name: str, value: str, indent: str = "  ") -> Iterator[str]:
    yield from wrapped(visible(value), f"{indent}{name}: ")


def _day(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d")
