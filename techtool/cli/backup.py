"""``techtool backup list|verify``."""

from __future__ import annotations

import click

from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.errors import BackupNotVerified, NotFoundError
from techtool.i18n import N_, _, phrase
from techtool.paths import Paths
from techtool.store.index import VisitState
from techtool.visit.services import Services
from techtool.visit.visits import list_visits, open_record


@click.group(help=N_("The backups on this laptop."))
def command() -> None:
    """The group."""


@command.command("list", help=N_("Every backup, with its terminal."))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def list_backups(as_json: bool) -> None:
    """From the visits' journals."""
    services = Services.real(Paths.default())
    found = [
        (summary.id, lane.serial, lane.backup)
        for summary in list_visits(services)
        if summary.state is not VisitState.DAMAGED
        for lane in open_record(services, summary.id).lanes
        if lane.backup is not None
    ]
    if as_json:
        rows = [
            {"visit": v, "serial": s, "id": b.id, "file": b.file, "sha256": b.sha256, "items": b.items}
            for v, s, b in found
        ]
        emit_json({"backups": rows})
        return
    for visit, serial, backup in found:
        click.echo(f"{backup.id}  {serial}  {visit}  {backup.items}  {backup.file}")


@command.command("verify", help=N_("Decrypt a backup from disk and compare every digest."))
@click.argument("visit")
def verify_backups(visit: str) -> None:
    """All backups of one visit; the visit's own key must still be on this laptop."""
    from techtool.backups.container import verify_backup
    from techtool.visit.log import manifest_of

    services = Services.real(Paths.default())
    record = open_record(services, visit)
    key = services.paths.visit_keys / f"{visit}.agekey"
    if not key.is_file():
        raise NotFoundError(what=phrase("The key of visit {visit}", visit=visit))
    secret = key.read_text(encoding="ascii").strip()
    db = services.home.open_visit(visit, write=False)
    try:
        for lane in record.lanes:
            if lane.backup is None:
                continue
            manifest = manifest_of(db, lane.backup.id)
            if manifest is None:
                raise BackupNotVerified(problem=phrase("its manifest is not in the journal"))
            run_async(verify_backup(services.paths.backups / lane.backup.file, secret, manifest))
            say(_("{backup}: decrypted, every digest agrees").format(backup=lane.backup.id))
    finally:
        db.close()
