"""``techtool backup prune|log``: the end of backups, and who opened them."""

from __future__ import annotations

from datetime import timedelta

import click

from techtool.cli.output import emit_json, say
from techtool.clock import said
from techtool.domain.codec import plain
from techtool.errors import UsageError
from techtool.i18n import N_, _, translate
from techtool.paths import Paths
from techtool.visit.backup_log import ACTION_LABEL, RESULT_LABEL
from techtool.visit.kept_backups import backup_log, keep_days
from techtool.visit.retention import Pruned, prune, told
from techtool.visit.services import Services


@click.command(
    "prune",
    help=N_(
        "Delete this laptop's own keys to backups whose time is up; the encrypted files stay for the office. On the "
        "office's word the files of the same age are wiped too."
    ),
)
@click.option("--older-than", type=click.IntRange(min=0), metavar="DAYS", help=N_("default: keep_backups_days"))
@click.option(
    "--confirmed-by-office", "word", default="", metavar="TEXT", help=N_("the office's word, kept in the log: wipe")
)
@click.option("--dry-run", is_flag=True, help=N_("only say what would be done"))
@click.option("--clock-is-right", is_flag=True, help=N_("when it was not used for months"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def prune_command(older_than: int | None, word: str, dry_run: bool, clock_is_right: bool, as_json: bool) -> None:
    """Logged before it is done."""
    services = Services.real(Paths.default())
    kept = keep_days(services)
    days = kept if older_than is None else timedelta(days=older_than)
    if days < kept and not word.strip() and not dry_run:
        raise UsageError(
            problem=_("Backups are kept {days} days; earlier nothing goes without --confirmed-by-office.").format(
                days=kept.days
            )
        )
    pruned = prune(services, days, word=word.strip(), dry_run=dry_run, clock_is_right=clock_is_right)
    if as_json:
        emit_json({"dry_run": dry_run, "days": days.days, **plain(pruned)})
        return
    _tell(pruned, days.days, dry_run=dry_run)


def _tell(pruned: Pruned, days: int, *, dry_run: bool) -> None:
    if dry_run:
        say(_("Nothing is changed; this is what would be done."))
    for text in told(pruned):
        say(text.text())
    if not pruned.any:
        say(_("Nothing is older than {days} days.").format(days=days))


@click.command("log", help=N_("Who opened which backup when and why, and what was deleted."))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def log_command(as_json: bool) -> None:
    """Oldest first."""
    entries = backup_log(Services.real(Paths.default())).entries()
    if as_json:
        emit_json({"log": plain(entries)})
        return
    if not entries:
        say(_("No backup was opened or deleted on this laptop."))
    for e in entries:
        result = translate(RESULT_LABEL.get(e.result, "")) or e.result
        parts = (said(e.at), e.who, translate(ACTION_LABEL[e.action]), e.backup or e.visit, result, e.why)
        click.echo("  ".join(part for part in parts if part))
