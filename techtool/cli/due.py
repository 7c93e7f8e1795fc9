"""``techtool due [--bundle STICK]``: which terminals of this laptop's history are due, and why."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import click

from techtool.cli.columns import wrapped
from techtool.cli.masked import tell_masked
from techtool.cli.output import emit_json, say
from techtool.domain.due import Due, Wishes, due_list
from techtool.domain.release import Release
from techtool.errors import Exit
from techtool.i18n import N_, _
from techtool.paths import Paths
from techtool.reports.due_words import due_reasons
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
    found = due_list(entries, releases, services.facts.cycles(), wishes, now)
    if as_json:
        emit_json({"terminals": [_json(due, now.date()) for due in found], "damaged": damaged})
    else:
        _show(found, now.date(), with_stick=bundle is not None)
        for visit in damaged:
            say(_("✗ The record of {visit} is damaged or too new: “techtool doctor” says more.").format(visit=visit))
    tell_masked(services.home)
    return int(Exit.DONE)


def _releases(services: Services, bundle: Path | None) -> tuple[Release, ...]:
    """What is on the stick and neither withdrawn nor recalled."""
    if bundle is None:
        return ()
    from techtool.bundles.trust import open_stick

    return open_stick(bundle, services.paths, services.clock).offered


def _show(found: tuple[Due, ...], today: date, *, with_stick: bool) -> None:
    if not found:
        say(_("No terminal was worked on with this laptop yet."))
        return
    for due in found:
        mark = "!" if due.overdue(today) or due.advisories else "·"
        head = " · ".join(visible(part) for part in (due.title, due.serial, due.site) if part)
        for line in wrapped(head, f"{mark} "):
            click.echo(line)
        for text in due_reasons(due, today):
            for line in wrapped(text, _INDENT):
                click.echo(line)
    if not with_stick:
        say(_("--bundle STICK also shows what waits on a stick for them."))


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
        "life_from": due.life_from or None,
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
