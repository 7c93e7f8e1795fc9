"""Which terminals are due and why, as the screens show it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from techtool.domain.due import Due
from techtool.domain.release import Urgency
from techtool.i18n import _
from techtool.reports.due_words import due_reasons
from techtool.reports.redaction import visible
from techtool.tui.views.lines import Mark


@dataclass(frozen=True, slots=True)
class DueRow:
    """One terminal: who, in a few words why, and the reasons in full."""

    serial: str
    mark: Mark
    label: str
    note: str
    reasons: tuple[str, ...]


def due_rows(found: Sequence[Due], today: date) -> tuple[DueRow, ...]:
    """In the order of the list: overdue ones first, of these the most urgent."""
    return tuple(_row(due, today) for due in found)


def _row(due: Due, today: date) -> DueRow:
    pressing = due.overdue(today) or bool(due.advisories) or due.urgency is Urgency.CRITICAL
    label = "  ".join(visible(part) for part in (due.serial, due.site) if part)
    mark = Mark.WARNING if pressing else Mark.BUSY if due.waiting else Mark.NOTE
    return DueRow(due.serial, mark, label, _short(due, today), tuple(_reasons(due, today)))


def _short(due: Due, today: date) -> str:
    """What matters most, in a few words."""
    if due.overdue(today):
        return _("overdue by {count} days").format(count=due.days_over(today))
    if due.advisories:
        return _("published weaknesses: {names}").format(names=visible(", ".join(due.advisories)))
    if due.waiting:
        return _("{release} waits").format(release=visible(due.waiting[0].key))
    days = [day for day in (due.due, due.inspection_due) if day is not None]
    return _("due on {day}").format(day=min(days)) if days else _("no due date")


def _reasons(due: Due, today: date) -> Iterator[str]:
    if due.title:
        yield visible(due.title)
    yield from due_reasons(due, today)
