"""``techtool pair HOST:PORT``: pair this laptop with an Android terminal over the network, through Google's adb."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from techtool.cli.inputs import first_line
from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.errors import OptionMissing
from techtool.i18n import N_, _
from techtool.paths import Paths
from techtool.settings import read_settings


@click.command(
    help=N_(
        "Pair this laptop with an Android terminal (11 or later) over the network: on the terminal open “Wireless "
        "debugging”, “Pair device with pairing code”, and name the HOST:PORT it shows. The code is asked for."
    )
)
@click.argument("place", metavar="HOST:PORT")
@click.option("--code-file", type=click.Path(path_type=Path), help=N_("the six digits stand in this file's first line"))
@click.option("--connect", "at", metavar="HOST:PORT", help=N_("then connect there: the address on the page before"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(place: str, code_file: Path | None, at: str | None, as_json: bool) -> None:
    """Pair, and connect where that is asked."""
    from techtool.links.adb.pairing import code_of, connect, pair, place_of

    paths = Paths.default()
    links = read_settings(paths.settings).links
    place_of(place)
    if at is not None:
        place_of(at)
    code = code_of(_code(code_file))
    say(_("Pairing with {place} …").format(place=place))
    run_async(pair(place, code, links, paths))
    say(_("Paired. The terminal keeps it until somebody removes this laptop there."))  # true whatever follows
    address = run_async(connect(at, links, paths)) if at is not None else None
    if as_json:
        emit_json({"paired": place, "address": address})
    elif address is not None:
        click.echo(address)
    if address is None:
        say(_("Now “techtool find” shows it, or: techtool pair … --connect with the address on the page before."))


def _code(code_file: Path | None) -> str:
    """From the file, or typed unseen; raises :class:`OptionMissing` where nobody can be asked."""
    if code_file is not None:
        return first_line(code_file)
    text = _("Pairing code (six digits)")
    if not sys.stdin.isatty():
        raise OptionMissing(text=text, option="--code-file")
    return str(click.prompt(text, hide_input=True, err=True))
