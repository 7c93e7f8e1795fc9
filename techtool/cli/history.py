"""``techtool history [SERIAL|TEXT]``: what was found and done on terminals, from this laptop's visits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, tzinfo

import click

from techtool.cli.history_views import entry_lines, release_lines, row_of, terminal_lines
from techtool.cli.masked import tell_masked
from techtool.cli.output import emit_json, say
from techtool.clock import SystemClock, stamp
from techtool.domain.codec import plain
from techtool.domain.history import TerminalEntry
from techtool.domain.history_search import UNFINISHED, ReleaseFate, Search, TerminalHistory, begins, by_terminal, fates
from techtool.domain.outcome import Outcome
from techtool.errors import Exit
from techtool.i18n import N_, _
from techtool.paths import Paths
from techtool.reports.redaction import masked
from techtool.visit.rescue import House
from techtool.visit.visits import history_of

_FEW = 20
_DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.command(
    help=N_(
        "What was found and done on terminals. TEXT: a serial number or a part of one, the last four of a terminal or "
        "merchant number, a merchant, an order number, a technician. Without it: the terminals worked on last."
    )
)
@click.argument("text", required=False, default="", metavar="[SERIAL|TEXT]")
@click.option(
    "--site", default="", metavar="SITE", help=N_("only at this site: its id, or a part of the merchant's name")
)
@click.option("--release", default="", metavar="ID", help=N_("how a release fared, and which terminals run it"))
@click.option("--since", type=_DATE, metavar="DATE", help=N_("from this day on (YYYY-MM-DD)"))
@click.option("--until", type=_DATE, metavar="DATE", help=N_("up to and with this day (YYYY-MM-DD)"))
@click.option("--outcome", type=click.Choice([*(o.value for o in Outcome), UNFINISHED]), help=N_("only with this end"))
@click.option("--limit", type=click.IntRange(min=1), default=_FEW, help=N_("the newest so many (default: 20)"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(
    text: str,
    site: str,
    release: str,
    since: datetime | None,
    until: datetime | None,
    outcome: str | None,
    limit: int,
    as_json: bool,
) -> int:
    """Needs no lock, no sound settings and no sound index."""
    clock = SystemClock()
    zone = clock.now().astimezone().tzinfo or UTC
    house = House.at(Paths.default(), clock)
    entries, damaged = history_of(house.home, house.index)
    search = Search(text, site, release, begins(since, zone), begins(until, zone, days=1), outcome or "")
    fitting = [entry for entry in entries if search.fits(entry)]
    found = by_terminal(fitting)
    told = fates(_all_of(entries, fitting), release) if release else []
    if as_json:
        _emit(found[-limit:], len(found), told, damaged)
    else:
        _show(found, limit, told, zone, searched=search != Search())
        for visit in damaged:
            say(_("✗ The record of {visit} is damaged or too new: “techtool doctor” says more.").format(visit=visit))
    tell_masked(house.home)
    return int(Exit.NOT_FOUND if not found and search != Search() else Exit.DONE)


def _all_of(entries: list[TerminalEntry], fitting: list[TerminalEntry]) -> list[TerminalEntry]:
    """Everything about the terminals that fit: what came later decides what runs on them now."""
    serials = {entry.serial for entry in fitting}
    return [entry for entry in entries if entry.serial in serials]


def _show(found: list[TerminalHistory], limit: int, told: list[ReleaseFate], zone: tzinfo, *, searched: bool) -> None:
    if not found:
        say(_("Nothing on this laptop fits.") if searched else _("No terminal was worked on with this laptop yet."))
        return
    for fate in told:
        for line in release_lines(fate):
            click.echo(line)
    if told:
        click.echo()
    if len(found) == 1:
        (one,) = found
        for line in terminal_lines(one, zone):
            click.echo(line)
        for entry in one.entries[-limit:]:
            click.echo()
            for line in entry_lines(entry, zone):
                click.echo(line)
        left = len(one.entries) - limit
    else:
        for one in found[-limit:]:
            for line in row_of(one, zone):
                click.echo(line)
        left = len(found) - limit
    if left > 0:
        say(_("{count} older ones are not shown; --limit shows more.").format(count=left))


def _emit(found: list[TerminalHistory], total: int, told: list[ReleaseFate], damaged: list[str]) -> None:
    terminals = [
        {
            "serial": one.serial,
            "vendor": one.last.vendor,
            "model": one.last.model,
            "tid": _last4(one.last.tid),
            "mid": _last4(one.last.mid),
            "site": one.last.site,
            "merchant": one.last.merchant,
            "last_at": stamp(one.last.at),
            "inspected_at": stamp(one.inspected_at) if one.inspected_at is not None else None,
            "entries": [plain(_without_numbers(entry)) for entry in one.entries],
        }
        for one in found
    ]
    releases = [
        {"release": f.key, "tried": f.tried, "good": f.good, "share": f.share, "runs_on": list(f.runs_on)} for f in told
    ]
    emit_json({"terminals": terminals, "total": total, "releases": releases, "damaged": damaged})


def _last4(number: str) -> str | None:
    return masked(number) if number else None


def _without_numbers(entry: TerminalEntry) -> TerminalEntry:
    return replace(entry, tid=_last4(entry.tid) or "", mid=_last4(entry.mid) or "")
