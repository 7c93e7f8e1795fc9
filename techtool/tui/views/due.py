"""Which terminals are due and why, as the screens show it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from techtool.domain.due import Due, Waiting
from techtool.domain.recall import URGENCY_LABEL
from techtool.domain.release import Urgency
from techtool.i18n import _, translate
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
    yield _update(due, today)
    if due.inspection_due is not None:
        text = _("Inspection overdue since {day}.") if due.inspection_due < today else _("Inspection due on {day}.")
        yield text.format(day=due.inspection_due)
    for waiting in due.waiting:
        yield _waiting(waiting, today)
    if due.end_of_life is not None:
        text = _("No updates any more since {day}: propose another terminal.")
        yield (text if due.end_of_life < today else _("No updates any more from {day} on.")).format(day=due.end_of_life)
    for release, version in due.highest.items():
        yield _("The highest {release} for this hardware is {version}.").format(release=release, version=version)


def _update(due: Due, today: date) -> str:
    if due.updated is None:
        return _("Never updated with this laptop; no due date.")
    days = (today - due.updated).days
    if due.due is None:
        return _("Last updated {days} days ago; nobody says how often: no due date.").format(days=days)
    values = {"days": days, "cadence": due.cadence_days, "day": due.due, "over": (today - due.due).days}
    text = _("Last updated {days} days ago, every {cadence} days: due on {day}.")
    if due.due < today:
        text = _("Last updated {days} days ago, every {cadence} days: overdue by {over} days.")
    return text.format(**values)


def _waiting(waiting: Waiting, today: date) -> str:
    text = _("{release} waits ({urgency}); it runs {installed}.").format(
        release=visible(waiting.key),
        urgency=translate(URGENCY_LABEL[waiting.urgency]),
        installed=visible(waiting.installed),
    )
    if waiting.install_by is not None:
        late = waiting.install_by < today
        by = _("It was to be installed by {day}.") if late else _("To be installed by {day}.")
        text = f"{text} {by.format(day=waiting.install_by)}"
    if waiting.advisories:
        names = ", ".join(visible(name) for name in waiting.advisories)
        text = f"{text} " + _("What it runs has published weaknesses: {names}.").format(names=names)
    return text
