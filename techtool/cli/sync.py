"""``techtool sync``: sealed visits home to the office, the newest metadata back."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.office_views import brought_json, finish_run, progress, tell_synced
from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.clock import SystemClock
from techtool.errors import TechtoolError
from techtool.i18n import N_, _
from techtool.office.address import OfficeAddress, is_url
from techtool.office.connection import connect, office_address
from techtool.office.http import Patience
from techtool.office.login import read_login
from techtool.office.marks import STICK
from techtool.office.outbox import write_outbox
from techtool.office.refreshing import refresh_beside, refresh_from
from techtool.office.sync import Synced, send_home, waiting
from techtool.paths import Paths
from techtool.settings import read_settings
from techtool.store.home import Home

PATIENCE = Patience()


@click.command(
    help=N_(
        "Send every sealed visit home that is not there yet, and learn the office's newest metadata. May be stopped "
        "and begun again at any time."
    )
)
@click.option(
    "--to",
    metavar="URL|FOLDER",
    help=N_("the office's database (https://HOST/DATABASE), or a stick's folder (default: the enrolment's)"),
)
@click.option(
    "--login-file", type=click.Path(path_type=Path), help=N_("first line: NAME:PASSWORD for the office's server")
)
@click.option("--status", is_flag=True, help=N_("only say what has not gone home; nothing is sent"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(to: str | None, login_file: Path | None, status: bool, as_json: bool) -> int:
    """0: everything is home. 2: it was before. 7: the office is not reached. 8: it holds something else."""
    paths = Paths.default()
    if status:
        _status(paths, to or "", as_json=as_json)
        return 0
    if to is not None and not is_url(to):
        result = _to_stick(paths, Path(to))
    else:
        address = office_address(paths, to or "")
        result = run_async(_to_office(paths, address, login_file))
    if as_json:
        emit_json(brought_json(result))
    tell_synced(result, stick=to is not None and not is_url(to))
    return finish_run(result)


async def _to_office(paths: Paths, address: OfficeAddress, login_file: Path | None) -> Synced:
    login = read_login(login_file) if login_file is not None else None
    clock = SystemClock()
    async with connect(paths, address, login, PATIENCE) as http:
        result = await send_home(http, Home(paths), clock, progress)
        return Synced(result.to, result.brought, result.troubles, await refresh_from(http, paths, clock))


def _to_stick(paths: Paths, place: Path) -> Synced:
    clock = SystemClock()
    way = read_settings(paths.settings).office.url
    way = office_address(paths, way).url if way else ""
    result = write_outbox(place, Home(paths), way, clock, progress)
    return Synced(result.to, result.brought, result.troubles, refresh_beside(place.expanduser(), paths, clock))


def _status(paths: Paths, to: str, *, as_json: bool) -> None:
    home = Home(paths)
    try:
        way = office_address(paths, to).url
    except TechtoolError:
        if to:
            raise
        way = STICK
    found = waiting(home, way)
    if as_json:
        emit_json({"to": way, "waiting": list(found.waiting), "sealed": found.sealed, "partly": list(found.partly)})
        return
    for visit in found.waiting:
        click.echo(visit)
    say(
        _("{waiting} of {sealed} closed visits have not gone home.").format(
            waiting=len(found.waiting), sealed=found.sealed
        )
    )
    if found.partly:
        text = _("{count} visits went without all of their photos: take them home on a stick.")
        say(text.format(count=len(found.partly)))
