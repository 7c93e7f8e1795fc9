"""What was found and done on terminals, as the screens show it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from techtool.domain.history import UNKNOWN, TerminalEntry, VersionSeen
from techtool.domain.history_search import TerminalHistory
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.terminal import titled
from techtool.i18n import _, translate
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
    place = visible(last.merchant or last.site)
    count = _("{count} visits").format(count=len(one.entries)) if len(one.entries) > 1 else ""
    note = "  ".join(part for part in (outcome_word(last), place, count) if part)
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
        (_("Site"), visible(", ".join(dict.fromkeys(filter(None, (last.merchant, last.site)))))),
        (_("Firmware"), visible(last.firmware)),
        (_("Hardware"), visible(last.hw_revision)),
        (_("Inspection last passed"), day_and_time(passed) if passed else _("not on this laptop")),
    )
    return tuple((name, value) for name, value in facts if value)


def timeline(one: TerminalHistory) -> tuple[Line, ...]:
    """Every visit of a terminal, newest first."""
    return tuple(_entry(entry) for entry in reversed(one.entries))


def _entry(entry: TerminalEntry) -> Line:
    return Line(outcome_mark(entry), f"{day_and_time(entry.at)}  {outcome_word(entry)}", tuple(_details(entry)))


def _details(entry: TerminalEntry) -> Iterator[str]:
    yield from (_change(seen) for seen in entry.versions)
    if entry.backup:
        yield _named(_("Backup"), entry.backup)
    if entry.failed_checks:
        yield _named(_("Failed"), ", ".join(entry.failed_checks))
    if entry.incidents:
        yield _named(_("Incidents"), ", ".join(entry.incidents))
    yield visible("  ".join(filter(None, (entry.visit, entry.technician, entry.work_order))))


def _named(label: str, text: str) -> str:
    return f"{label}: {visible(text)}"


def outcome_word(entry: TerminalEntry) -> str:
    """How it ended, in words."""
    return translate(OUTCOME_LABEL[entry.outcome]) if entry.outcome is not None else _("unfinished")


def outcome_mark(entry: TerminalEntry) -> Mark:
    """How it ended, as a mark."""
    if entry.outcome is None:
        return Mark.NEEDS
    return Mark.OK if entry.outcome.is_good else Mark.STOPPED


def _change(seen: VersionSeen) -> str:
    """“com.acme.pay 1.0 → 2.0”; the arrow is drawn as two ASCII marks, which every terminal has in one width."""
    if seen.before == seen.after:
        return visible(f"{seen.id} {seen.before}")
    nothing = _("not there")
    after = _("not read again") if seen.after == UNKNOWN else seen.after or nothing
    return visible(f"{seen.id} {seen.before or nothing} -> {after}")
