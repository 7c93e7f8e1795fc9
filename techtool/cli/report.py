"""``techtool report VISIT``."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.inputs import first_line
from techtool.cli.masked import tell_locked
from techtool.cli.output import emit_json
from techtool.i18n import LANGUAGES, N_, language
from techtool.paths import Paths
from techtool.reports.formats import FORMATS
from techtool.reports.keys import load_report_key
from techtool.visit.closing import write_visit_reports
from techtool.visit.office_key import read_any
from techtool.visit.services import Services


@click.command(help=N_("Write a visit's report again from its journal."))
@click.argument("visit")
@click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), help=N_("default: every format"))
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), help=N_("folder to write to (default: the home's reports)")
)
@click.option("--lang", type=click.Choice(LANGUAGES), help=N_("language of the pages (default: the chosen one)"))
@click.option("--passphrase-file", type=click.Path(path_type=Path), help=N_("sign the JSON with the report key"))
@click.option(
    "--identity",
    type=click.Path(path_type=Path),
    help=N_("age identity file of the office, which opens the record's confidential words"),
)
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(
    visit: str,
    formats: tuple[str, ...],
    folder: Path | None,
    lang: str | None,
    passphrase_file: Path | None,
    identity: Path | None,
    as_json: bool,
) -> None:
    """Render from the record."""
    services = Services.real(Paths.default())
    record, db = read_any(services.home, visit, identity)
    key = None
    if passphrase_file is not None:
        key = load_report_key(services.paths.report_key, first_line(passphrase_file))
    written = write_visit_reports(
        services, record, key, formats=formats or FORMATS, languages=(lang or language(),), folder=folder
    )
    if db.locked:
        tell_locked()
    if as_json:
        emit_json({"files": [str(p) for p in written]})
        return
    for path in written:
        click.echo(path)
