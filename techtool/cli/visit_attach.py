"""``techtool visit attach``: a photo, slip or log for a visit that is still open."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.output import emit_json, say
from techtool.domain.codec import plain
from techtool.domain.evidence import EvidenceKind
from techtool.i18n import N_, _
from techtool.paths import Paths


@click.command("attach", help=N_("Take a photo, slip or log into an open visit; a closed one takes nothing more."))
@click.argument("visit")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--kind",
    default=EvidenceKind.OTHER.value,
    type=click.Choice([k.value for k in EvidenceKind]),
    help=N_("what it shows"),
)
@click.option("--about", default="visit.attached", help=N_("the check or question it belongs to, such as test.TX-02"))
@click.option("--lane", default="", help=N_("number or serial number of the terminal; without: the visit as a whole"))
@click.option("--note", default="", help=N_("a few words about it"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def attach_command(
    visit: str, files: tuple[Path, ...], kind: str, about: str, lane: str, note: str, as_json: bool
) -> None:
    """Copied first, then recorded."""
    from techtool.visit.attach import attach
    from techtool.visit.services import Services

    taken = attach(Services.real(Paths.default()), visit, files, EvidenceKind(kind), about, lane, note)
    if as_json:
        emit_json({"visit": visit, "evidence": plain(taken)})
        return
    for file in taken:
        click.echo(f"{file.sha256}  {file.name}")
    say(_("What a picture shows was not searched for card numbers: cover them before you take it."))
