"""``techtool backup create|list|verify|restore|prune|log``."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.backup_keep import log_command, prune_command
from techtool.cli.backup_restore import restore_command
from techtool.cli.output import emit_json, error_json, say, shown
from techtool.cli.runner import run_async
from techtool.cli.visiting import (
    addresses_of,
    answers_option,
    follow_events,
    json_option,
    operator_for,
    order_number_option,
    order_of,
    order_option,
    passphrase_option,
)
from techtool.clock import said
from techtool.domain.codec import plain
from techtool.errors import BackupNotVerified
from techtool.i18n import N_, _
from techtool.paths import Paths
from techtool.visit.kept_backups import KeptBackup, Presence, backup_log, kept_backups, log_entries, verify_visit
from techtool.visit.services import Services, VisitRequest


@click.group(help=N_("Back up terminals; list, verify and prune the backups on this laptop."))
def command() -> None:
    """The group."""


command.add_command(prune_command)
command.add_command(log_command)
command.add_command(restore_command)


@command.command("create", help=N_("Back up the terminals at these addresses, nothing else; needs no stick."))
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS…")
@order_option
@order_number_option
@answers_option
@passphrase_option
@json_option
def create_backups(
    addresses: tuple[str, ...],
    order: Path | None,
    order_number: str,
    answers: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """A visit of its own kind: journalled, sealed, reported."""
    from techtool.visit.engine import Engine

    operator = operator_for(answers, (), passphrase_file)
    request = VisitRequest(addresses_of(addresses), None, order=order_of(order, order_number))
    engine = Engine(Services.real(Paths.default()), operator)
    return follow_events(engine.run(request), operator, as_json=as_json)


@command.command("list", help=N_("Every backup, with its terminal and its state."))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def list_backups(as_json: bool) -> None:
    """From the visits' journals, the files that are here, and the log."""
    services = Services.real(Paths.default())
    found = kept_backups(services, log_entries(backup_log(services)))
    if as_json:
        emit_json({"backups": plain(found)})
        return
    if not found:
        say(_("No backup on this laptop yet."))
    for backup in found:
        click.echo(
            f"{backup.id}  {said(backup.made_at)}  {backup.serial or '?':16}  {backup.items:3}  {_state(backup)}"
        )


def _state(backup: KeptBackup) -> str:
    words = [_("verified") if backup.verified else _("not verified")]
    if backup.presence is not Presence.HERE:
        words.append(_("wiped") if backup.presence is Presence.DELETED else _("file missing"))
    elif backup.key is Presence.HERE:
        words.append(_("key here until {day}").format(day=f"{backup.key_until:%Y-%m-%d}"))
    else:
        words.append(_("only the office can open it"))
    return ", ".join(words)


@command.command("verify", help=N_("Decrypt the backups of a visit from disk and compare every digest."))
@click.argument("visit")
@click.option("--why", default="", help=N_("for the log of openings"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def verify_backups(visit: str, why: str, as_json: bool) -> int:
    """All backups of one visit; the visit's own key must still be on this laptop. Every opening is logged."""
    results = run_async(verify_visit(Services.real(Paths.default()), visit, why))
    if as_json:
        rows = [
            {"backup": r.backup, "verified": r.error is None, "error": error_json(r.error) if r.error else None}
            for r in results
        ]
        emit_json({"visit": visit, "backups": rows})
    for result in results:
        if result.error is None:
            say(_("{backup}: decrypted, every digest agrees").format(backup=result.backup))
        else:
            say(f"✗ {result.backup}: {result.error.code}  {shown(result.error.what_phrase)}")
            for number, action in enumerate(result.error.action_phrases, 1):
                say(f"  {number}. {shown(action)}")
    return 0 if all(result.error is None for result in results) else int(BackupNotVerified.exit_code)
