"""Why a terminal is due, in sentences: the same on the command line and on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from techtool.domain.due import BY_SETTINGS, Due, Waiting
from techtool.domain.recall import URGENCY_LABEL
from techtool.i18n import _, translate
from techtool.reports.redaction import visible


def due_reasons(due: Due, today: date) -> Iterator[str]:
    """One sentence a reason, the newest update first."""
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
    if due.life_from:
        yield _("So says {source}.").format(source=visible(due.life_from))


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
    said = text.format(**values)
    if due.cadence_from and due.cadence_from != BY_SETTINGS:
        said = f"{said} " + _("The cycle is from {source}.").format(source=visible(due.cadence_from))
    return said


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
