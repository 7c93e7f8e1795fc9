"""The history as lines for an 80-column window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from techtool.cli.columns import WINDOW, column, cut, wrapped
from techtool.domain.history import UNKNOWN, TerminalEntry, VersionSeen
from techtool.domain.history_search import ReleaseFate, TerminalHistory
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.terminal import titled
from techtool.i18n import _, translate
from techtool.reports.redaction import masked, visible

_INDENT = "    "


def row_of(one: TerminalHistory, zone: tzinfo) -> Iterator[str]:
    """Two lines for one of many terminals: when, which, where; how it ended."""
    last = one.last
    day = last.at.astimezone(zone).strftime("%Y-%m-%d")
    model = visible(titled(last.vendor_name, last.model_name))
    place = visible(last.merchant or last.site)
    yield f"{day}  {column(visible(one.serial), 20)}  {column(model, 20)}  {cut(place, 24)}".rstrip()
    count = _("{count} visits").format(count=len(one.entries)) if len(one.entries) > 1 else ""
    yield cut(f"            {_outcome(last)}" + (f"  ({count})" if count else ""), WINDOW)


def terminal_lines(one: TerminalHistory, zone: tzinfo) -> Iterator[str]:
    """Who a terminal is, as it was seen last."""
    last = one.last
    yield cut(f"{visible(titled(last.vendor_name, last.model_name))}  {visible(one.serial)}".strip(), WINDOW)
    numbers = [f"{name} {masked(number)}" for name, number in (("TID", last.tid), ("MID", last.mid)) if number]
    if numbers:
        yield "  " + "  ".join(numbers)
    facts = (
        (_("Site"), " · ".join(dict.fromkeys(filter(None, (last.merchant, last.site))))),
        (_("Firmware"), last.firmware),
        (_("Hardware"), last.hw_revision),
    )
    for name, value in facts:
        if value:
            yield from _named(name, value)
    passed = one.inspected_at
    yield from _named(_("Inspection last passed"), _day(passed, zone) if passed else _("not on this laptop"))


def entry_lines(entry: TerminalEntry, zone: tzinfo) -> Iterator[str]:
    """One visit of one terminal."""
    at = entry.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    yield from wrapped(_outcome(entry), f"{at}  ")
    for seen in entry.versions:
        yield from wrapped(_change(seen), _INDENT)
    if entry.backup:
        yield from _named(_("Backup"), entry.backup, _INDENT)
    if entry.failed_checks:
        yield from _named(_("Failed"), ", ".join(entry.failed_checks), _INDENT)
    if entry.incidents:
        yield from _named(_("Incidents"), ", ".join(entry.incidents), _INDENT)
    who = "  ".join(filter(None, (entry.visit, entry.technician, entry.work_order)))
    yield from wrapped(visible(who), _INDENT)


def release_lines(fate: ReleaseFate) -> Iterator[str]:
    """How one release fared."""
    yield cut(visible(fate.key), WINDOW)
    if fate.share is None:
        yield "  " + _("never tried to the end on this laptop")
    else:
        text = _("{good} of {tried} ended well ({percent} %)")
        yield "  " + text.format(good=fate.good, tried=fate.tried, percent=round(100 * fate.share))
    if fate.runs_on:
        yield from _named(_("Runs on"), ", ".join(fate.runs_on))


def _outcome(entry: TerminalEntry) -> str:
    return translate(OUTCOME_LABEL[entry.outcome]) if entry.outcome is not None else _("unfinished")


def _change(seen: VersionSeen) -> str:
    """“com.acme.pay 1.0 → 2.0”."""
    if seen.before == seen.after:
        return visible(f"{seen.id} {seen.before}")
    nothing = _("not there")
    after = _("not read again") if seen.after == UNKNOWN else seen.after or nothing
    return visible(f"{seen.id} {seen.before or nothing} → {after}")


def _named(name: str, value: str, indent: str = "  ") -> Iterator[str]:
    yield from wrapped(visible(value), f"{indent}{name}: ")


def _day(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d")
