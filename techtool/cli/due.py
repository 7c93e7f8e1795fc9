"""``techtool due [--bundle STICK]``: which terminals of this laptop's history are due, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click

from techtool.catalogue.cadence import load_cycles
from techtool.cli.columns import wrapped
from techtool.cli.output import emit_json, say
from techtool.domain.due import Due, Waiting, Wishes, due_list
from techtool.domain.recall import URGENCY_LABEL
from techtool.domain.release import Release
from techtool.errors import Exit
from techtool.i18n import N_, _, translate
from techtool.paths import Paths
from techtool.reports.redaction import visible
from techtool.visit.services import Services
from techtool.visit.visits import history_of

_INDENT: Final = "    "


@click.command(
    help=N_(
        "Which terminals that were worked on with this laptop are due: by their maker's cycle, by the releases on a "
        "stick, by published weaknesses, by inspection. Overdue ones come first, urgent ones before others."
    )
)
@click.option("--bundle", type=click.Path(path_type=Path), help=N_("a stick: what waits on it for these terminals"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(bundle: Path | None, *, as_json: bool) -> int:
    """Reads, changes nothing."""
    services = Services.real(Paths.default())
    releases = _releases(services, bundle)
    entries, damaged = history_of(services.home, services.index)
    now = services.clock.now().astimezone()
    chosen = services.settings.cadence
    wishes = Wishes(chosen.default_days, chosen.inspection_days)
    found = due_list(entries, releases, load_cycles(), wishes, now)
    if as_json:
        emit_json({"terminals": [_json(due, now.date()) for due in found], "damaged": damaged})
    else:
        _show(found, now.date(), with_stick=bundle is not None)
        for visit in damaged:
            say(_("✗ The record of {visit} is damaged or too new: “techtool doctor” says more.").format(visit=visit))
    return int(Exit.DONE)


def _releases(services: Services, bundle: Path | None) -> tuple[Release, ...]:
    """What is on the stick and neither withdrawn nor recalled."""
    if bundle is None:
        return ()
    from techtool.bundles.trust import open_stick

    stick = open_stick(bundle, services.paths, services.clock)
    gone = {f"{i}@{version}" for i, version in stick.withdrawn} | {recall.key for recall in stick.recalls}
    return tuple(verified.release for verified in stick.releases if verified.release.key not in gone)


def _show(found: tuple[Due, ...], today: date, *, with_stick: bool) -> None:
    if not found:
        say(_("No terminal was worked on with this laptop yet."))
        return
    for due in found:
        mark = "!" if due.overdue(today) or due.advisories else "·"
        head = " · ".join(visible(part) for part in (due.title, due.serial, due.site) if part)
        for line in wrapped(head, f"{mark} "):
            click.echo(line)
        for text in _lines(due, today):
            for line in wrapped(text, _INDENT):
                click.echo(line)
    if not with_stick:
        say(_("--bundle STICK also shows what waits on a stick for them."))


def _lines(due: Due, today: date) -> Iterator[str]:
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


def _json(due: Due, today: date) -> dict[str, object]:
    return {
        "serial": due.serial,
        "title": due.title,
        "site": due.site,
        "overdue": due.overdue(today),
        "days_over": due.days_over(today),
        "updated": _iso(due.updated),
        "cadence_days": due.cadence_days or None,
        "cadence_from": due.cadence_from or None,
        "due": _iso(due.due),
        "inspected": _iso(due.inspected),
        "inspection_due": _iso(due.inspection_due),
        "urgency": due.urgency.value if due.urgency is not None else None,
        "advisories": list(due.advisories),
        "releases": [
            {
                "release": waiting.key,
                "urgency": waiting.urgency.value,
                "installed": waiting.installed or None,
                "install_by": _iso(waiting.install_by),
                "advisories": list(waiting.advisories),
            }
            for waiting in due.waiting
        ],
        "end_of_life": _iso(due.end_of_life),
        "highest": dict(due.highest),
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
