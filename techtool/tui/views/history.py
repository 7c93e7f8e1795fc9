"""What was found and done on terminals, as the screens show it; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from techtool.domain.history import UNKNOWN, TerminalEntry, VersionSeen
from techtool.domain.history_search import UNFINISHED, ReleaseFate, TerminalHistory, fates
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.terminal import titled
from techtool.errors import UsageError
from techtool.i18n import _, translate
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
    return named(label, visible(text))


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
    if fate.share is None:
        word = _("never tried to the end on this laptop")
    else:
        text = _("{good} of {tried} ended well ({percent} %)")
        word = text.format(good=fate.good, tried=fate.tried, percent=round(100 * fate.share))
    runs_on = (_named(_("Runs on"), ", ".join(fate.runs_on)),) if fate.runs_on else ()
    return Line(Mark.NOTE, visible(fate.key), (word, *runs_on))


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
