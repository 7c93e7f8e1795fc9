"""``techtool office``: what the office itself does, and the name and password for its server."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from techtool.cli.office_enrolment import enrolment_command
from techtool.cli.office_facts import facts_command
from techtool.cli.office_views import brought_json, finish_run, progress, tell_synced
from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.clock import SystemClock
from techtool.errors import Exit, OptionMissing, UsageError
from techtool.i18n import N_, _, phrase
from techtool.paths import Paths
from techtool.reports.signers import Signer, read_signers

_PATH = click.Path(path_type=Path)
_JSON_HELP = N_("JSON on stdout, nothing else")
_TO_HELP = N_("the database, https://HOST/DATABASE (default: the enrolment's)")
_LOGIN_HELP = N_("first line: NAME:PASSWORD for the office's server")


@click.group(
    help=N_("The office's side: read sticks, publish metadata, fetch records, make enrolment files, sign facts.")
)
def group() -> None:
    """The group."""


command = group
group.add_command(enrolment_command)
group.add_command(facts_command)


@group.command(
    "import", help=N_("Bring the visits of a stick's outbox into the database; only those whose seals are believed.")
)
@click.argument("path", type=_PATH)
@click.option("--to", metavar="URL", help=_TO_HELP)
@click.option(
    "--allowed-signers", "list_file", type=_PATH, help=N_("keys that may have sealed (default: the enrolment's list)")
)
@click.option("--unsigned", is_flag=True, help=N_("take those too that were sealed without a key"))
@click.option("--login-file", type=_PATH, help=_LOGIN_HELP)
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def import_command(
    path: Path, to: str | None, list_file: Path | None, unsigned: bool, login_file: Path | None, as_json: bool
) -> int:
    """0: brought. 2: all of it was there. 8: something else was there. 10, 13: refused ones, by name."""
    from techtool.office.connection import connect, office_address
    from techtool.office.importing import import_visits
    from techtool.office.login import read_login
    from techtool.office.outbox import in_outbox
    from techtool.office.sync import Synced

    paths = Paths.default()
    signers, found = _signers(paths, list_file), in_outbox(path)
    address = office_address(paths, to or "")
    login = read_login(login_file) if login_file is not None else None

    async def bring() -> Synced:
        async with connect(paths, address, login) as http:
            return await import_visits(http, found, signers, SystemClock().now(), progress, unsigned=unsigned)

    result = run_async(bring())
    if as_json:
        emit_json(brought_json(result))
    tell_synced(result)
    return finish_run(result)


@group.command("fetch", help=N_("Put visits of the database together again as files, and judge their seals."))
@click.argument("visits", nargs=-1, metavar="[VISIT]…")
@click.option("--to", "folder", type=_PATH, required=True, help=N_("folder for VISIT.jnl and its photos"))
@click.option("--from", "source", metavar="URL", help=_TO_HELP)
@click.option(
    "--allowed-signers", "list_file", type=_PATH, help=N_("keys that may have sealed (default: the enrolment's list)")
)
@click.option("--login-file", type=_PATH, help=_LOGIN_HELP)
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def fetch_command(
    visits: tuple[str, ...],
    folder: Path,
    source: str | None,
    list_file: Path | None,
    login_file: Path | None,
    as_json: bool,
) -> int:
    """0: every one is as it was sealed, by a key of the list. 3: none is there. 10, 13: some are not."""
    from techtool.cli.office_views import fetched_json, finish_fetch, tell_fetched
    from techtool.office.connection import connect, office_address
    from techtool.office.fetching import Fetched, fetch
    from techtool.office.login import read_login

    paths = Paths.default()
    signers = _signers(paths, list_file)
    address = office_address(paths, source or "")
    login = read_login(login_file) if login_file is not None else None

    async def get() -> list[Fetched]:
        async with connect(paths, address, login) as http:
            return [one async for one in fetch(http, visits, folder, signers, SystemClock().now())]

    found = run_async(get())
    if as_json:
        emit_json(fetched_json(found))
    tell_fetched(found)
    return finish_fetch(found, visits, address.url)


@group.command("publish", help=N_("Put a refresh file on the database; laptops learn from it when they sync."))
@click.argument("file", type=_PATH)
@click.option("--to", metavar="URL", help=_TO_HELP)
@click.option("--login-file", type=_PATH, help=_LOGIN_HELP)
def publish_command(file: Path, to: str | None, login_file: Path | None) -> int:
    """0: it is there. 2: it was there."""
    from techtool.bundles.refresh import encode_refresh, read_refresh
    from techtool.office.connection import connect, office_address
    from techtool.office.couch import Database
    from techtool.office.login import read_login

    paths = Paths.default()
    data = encode_refresh(read_refresh(file).files)
    address = office_address(paths, to or "")
    login = read_login(login_file) if login_file is not None else None

    async def put() -> bool:
        async with connect(paths, address, login) as http:
            database = Database(http)
            await database.check()
            return await database.put_refresh(data)

    news = run_async(put())
    say(_("Laptops learn from it when they sync.") if news else _("This very file is there already."))
    return int(Exit.DONE if news else Exit.NOTHING_TO_DO)


@group.command("login", help=N_("Keep name and password for the office's server, for this person's eyes only."))
@click.option("--to", metavar="URL", help=_TO_HELP)
@click.option("--login-file", type=_PATH, help=N_("take them from its first line, NAME:PASSWORD, instead of asking"))
@click.option("--forget", is_flag=True, help=N_("take them off this laptop"))
def login_command(to: str | None, login_file: Path | None, forget: bool) -> int:
    """They are sent to that server alone."""
    from techtool.office.connection import office_address
    from techtool.office.login import Login, forget_login, keep_login, read_login

    paths = Paths.default()
    if forget:
        forget_login(paths)
        say(_("Name and password are no longer on this laptop."))
        return int(Exit.DONE)
    address = office_address(paths, to or "")
    if login_file is not None:
        login = read_login(login_file)
    elif not sys.stdin.isatty():
        raise OptionMissing(text=phrase("Name and password"), option="--login-file")
    else:
        user = click.prompt(_("Name"), err=True)
        login = Login(user, click.prompt(_("Password"), hide_input=True, err=True))
        if ":" in user:
            raise UsageError(problem=_("A name has no colon in it."))
    keep_login(paths, address, login)
    say(_("Kept for {server}, and sent to no other.").format(server=address.origin))
    return int(Exit.DONE)


def _signers(paths: Paths, list_file: Path | None) -> tuple[Signer, ...]:
    if list_file is None and not paths.allowed_signers.exists():
        raise UsageError(problem=_("Whose seals are believed? Give --allowed-signers FILE, or enrol this laptop."))
    return read_signers(list_file or paths.allowed_signers)
