"""What the history says of a terminal and of a visit, in the words that the command line and the screens share."""

from __future__ import annotations

from collections.abc import Iterator

from techtool.domain.history import UNKNOWN, TerminalEntry, VersionSeen
from techtool.domain.history_search import ReleaseFate, TerminalHistory
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.i18n import _, translate
from techtool.reports.redaction import visible


def outcome_word(entry: TerminalEntry) -> str:
    """How it ended."""
    return translate(OUTCOME_LABEL[entry.outcome]) if entry.outcome is not None else _("unfinished")


def visits_word(one: TerminalHistory) -> str:
    """How many visits there are; empty for a single one."""
    return _("{count} visits").format(count=len(one.entries)) if len(one.entries) > 1 else ""


def place_of(one: TerminalHistory) -> str:
    """Where it was seen last, in one word."""
    return visible(one.last.merchant or one.last.site)


def facts_of(one: TerminalHistory) -> Iterator[tuple[str, str]]:
    """Where a terminal stands and what it is, as it was seen last; only what is known."""
    last = one.last
    facts = (
        (_("Site"), ", ".join(dict.fromkeys(filter(None, (last.merchant, last.site))))),
        (_("Firmware"), last.firmware),
        (_("Hardware"), last.hw_revision),
    )
    yield from ((name, visible(value)) for name, value in facts if value)


def inspected_word(day: str) -> tuple[str, str]:
    """When its inspection was passed last; ``day`` is empty where no visit of this laptop knows."""
    return _("Inspection last passed"), day or _("not on this laptop")


def change_word(seen: VersionSeen, arrow: str = "→") -> str:
    """“com.acme.pay 1.0 → 2.0”."""
    if seen.before == seen.after:
        return visible(f"{seen.id} {seen.before}")
    nothing = _("not there")
    after = _("not read again") if seen.after == UNKNOWN else seen.after or nothing
    return visible(f"{seen.id} {seen.before or nothing} {arrow} {after}")


def details_of(entry: TerminalEntry) -> Iterator[tuple[str, str]]:
    """What one visit left behind besides versions: label and text."""
    if entry.backup:
        yield _("Backup"), visible(entry.backup)
    if entry.failed_checks:
        yield _("Failed"), visible(", ".join(entry.failed_checks))
    if entry.incidents:
        yield _("Incidents"), visible(", ".join(entry.incidents))


def source_of(entry: TerminalEntry) -> str:
    """Which visit, by whom, on which order."""
    return visible("  ".join(filter(None, (entry.visit, entry.technician, entry.work_order))))


def fate_word(fate: ReleaseFate) -> str:
    """How one release fared."""
    if fate.share is None:
        return _("never tried to the end on this laptop")
    text = _("{good} of {tried} ended well ({percent} %)")
    return text.format(good=fate.good, tried=fate.tried, percent=round(100 * fate.share))
