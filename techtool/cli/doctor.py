"""``techtool doctor [--rebuild]``."""

from __future__ import annotations

import click

from techtool.cli.output import emit_json, say
from techtool.errors import Exit, StoreDamaged
from techtool.i18n import N_, _
from techtool.paths import Paths
from techtool.store.index import VisitSummary
from techtool.visit.log import read_visit
from techtool.visit.services import Services
from techtool.visit.visits import summary_of


@click.command(help=N_("Read every visit's journal to its last byte and say what is damaged."))
@click.option("--rebuild", is_flag=True, help=N_("make the index again from the visits"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(rebuild: bool, as_json: bool) -> int:
    """Check, and rebuild what is derived."""
    services = Services.real(Paths.default())
    good: list[VisitSummary] = []
    damaged: list[StoreDamaged] = []
    for visit_id in services.home.visit_ids():
        try:
            db = services.home.open_visit(visit_id, write=False)
            try:
                good.append(summary_of(read_visit(db, visit_id)))
            finally:
                db.close()
        except StoreDamaged as error:
            damaged.append(error)
    try:
        services.index.visits()
    except StoreDamaged as error:
        if not rebuild:
            damaged.append(error)
    if rebuild:
        with services.home.lock("doctor --rebuild"):
            services.index.rebuild(good)
    if as_json:
        emit_json({"visits": len(good), "damaged": [str(e) for e in damaged], "rebuilt": rebuild})
    else:
        say(_("{count} visits can be read.").format(count=len(good)))
        for problem in damaged:
            say(f"✗ {problem.what_phrase.text()}")
        if rebuild:
            say(_("The index was made again."))
    return int(Exit.DAMAGED_STORE if damaged else Exit.DONE)
