"""``techtool office facts FILE``: what the office knows of makers, checked and signed for its laptops."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.inputs import first_line
from techtool.cli.output import say
from techtool.i18n import N_, _
from techtool.paths import DISK

_PATH = click.Path(path_type=Path)


@click.command(
    "facts",
    help=N_("Check FILE, facts about makers, and sign it with the office's key: FILE.sig goes with it to the laptops."),
)
@click.argument("file", type=_PATH)
@click.option(
    "--key", "key_file", type=_PATH, required=True, help=N_("the key that signed the enrolment of these laptops")
)
@click.option("--passphrase-file", type=_PATH, required=True, help=N_("first line: the key's passphrase"))
def facts_command(file: Path, key_file: Path, passphrase_file: Path) -> None:
    """What a laptop would refuse is not signed."""
    from techtool.reports.facts_seal import beside, sign_facts
    from techtool.reports.keys import load_report_key
    from techtool.visit.facts import draft_facts

    found, content = draft_facts(file)
    key = load_report_key(key_file, first_line(passphrase_file))
    DISK.write_file(beside(file), sign_facts(content, key).encode("ascii"))
    pictures = [picture.file for picture in found.picture]
    say(_("Signed. Send these together; on a laptop: “techtool facts --add {file}”").format(file=file.name))
    for name in (file.name, beside(file).name, *pictures):
        click.echo(name)
