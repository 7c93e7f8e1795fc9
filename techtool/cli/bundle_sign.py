"""``techtool bundle sign``: each person's part, and the publication that the last one sets off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.cli.bundle_says import lint_line, say_missing, say_root
from techtool.cli.output import say
from techtool.errors import Exit, WrongPassphrase
from techtool.i18n import N_, _

if TYPE_CHECKING:
    from techtool.bundles.publish.signing import SignReport
    from techtool.bundles.publish.workspace import Workspace

_PATH = click.Path(path_type=Path)


@click.command("sign", help=N_("Sign what is staged with the keys that are here; what is complete is published."))
@click.argument("folder", type=_PATH)
@click.option(
    "--keys",
    "key_folders",
    multiple=True,
    type=_PATH,
    help=N_("folder with your key files, or one key file; repeatable"),
)
@click.option("--as", "owners", multiple=True, metavar="OWNER", help=N_("sign as this owner only; repeatable"))
@click.option(
    "--merge",
    "copies",
    multiple=True,
    type=_PATH,
    metavar="COPY",
    help=N_("take over signatures from another copy of the folder; repeatable"),
)
@click.option(
    "--passphrase-file",
    type=_PATH,
    help=N_("first line: passphrase of the keys; where they differ, sign with one after the other (--as)"),
)
@click.option("--renew", is_flag=True, help=N_("move the use-by date on although nothing changed"))
@click.option(
    "--use-by-days", type=click.IntRange(1, 400), default=120, show_default=True, help=N_("days a stick is good")
)
@click.option("--accept-lint", is_flag=True, help=N_("publish lists although “bundle lint” shows errors in them"))
def sign(
    folder: Path,
    key_folders: tuple[Path, ...],
    owners: tuple[str, ...],
    copies: tuple[Path, ...],
    passphrase_file: Path | None,
    renew: bool,
    use_by_days: int,
    accept_lint: bool,
) -> int:
    """Say who signed, who is missing, and whether there is something to write."""
    from techtool.bundles.publish.workspace import Workspace
    from techtool.cli.bundle_input import passphrases_from
    from techtool.clock import SystemClock

    workspace = Workspace.open(folder)
    took = [_merge(workspace, copy) for copy in copies]
    _say_lint_errors(workspace)
    try:
        report = workspace.sign(
            SystemClock(),
            key_folders=key_folders,
            passphrases=passphrases_from(passphrase_file),
            only=owners,
            renew=renew,
            use_by_days=use_by_days,
            accept_lint=accept_lint,
        )
    except WrongPassphrase:
        if passphrase_file is not None:
            say("! " + _("Where keys have different passphrases, sign with one after the other: --as OWNER."))
        raise
    _say_signed(workspace, report)
    if report.refused is not None:
        raise report.refused
    return int(Exit.DONE if report.signed or report.published or any(took) else Exit.NOTHING_TO_DO)


def _say_lint_errors(workspace: Workspace) -> None:
    """Whoever signs is told what is wrong with it, before a key is used."""
    from techtool.bundles.publish.lint import staged_errors
    from techtool.bundles.publish.state import Shelf
    from techtool.domain.lint import in_order

    staged = Shelf(workspace).staged
    errors = staged_errors(workspace, staged, staged)
    for finding in in_order(found for of_role in errors.values() for found in of_role):
        say(lint_line(finding))


def _merge(workspace: Workspace, copy: Path) -> bool:
    """Take over another copy's signatures, and say what could not be."""
    from techtool.bundles.publish.merging import merge
    from techtool.bundles.publish.workspace import Workspace

    merged = merge(workspace, Workspace.open(copy))
    for role, owner in merged.taken:
        click.echo(_("{role}: signature of {owner} taken over from {copy}").format(role=role, owner=owner, copy=copy))
    for role in merged.differing:
        say(
            "! "
            + _(
                "{role} was changed in another way in {copy}: no signature for it was taken, because it would not fit. "
                "One of the two changes has to be made again."
            ).format(role=role, copy=copy)
        )
    for role in merged.elsewhere:
        say(
            "! "
            + _(
                "{role} was changed only in {copy}; changes are not taken over. Make it again here, or go on there."
            ).format(role=role, copy=copy)
        )
    for role in merged.done:
        say(_("{role} of {copy} is published here already.").format(role=role, copy=copy))
    if merged.ahead:
        say("! " + _("{copy} has published a later state than this folder: go on with that copy.").format(copy=copy))
    if not (merged.taken or merged.differing or merged.elsewhere or merged.ahead):
        say(_("No new signature in {copy}.").format(copy=copy))
    return bool(merged.taken)


def _say_signed(workspace: Workspace, report: SignReport) -> None:
    from techtool.bundles.profile import RECALL

    for role, owner in report.signed:
        click.echo(_("{role}: signed by {owner}").format(role=role, owner=owner))
    if report.published and report.use_by is not None:
        if report.roles:
            say(_("New in the published state: {roles}").format(roles=", ".join(report.roles)))
        say(_("Published; sticks are good until {day}.").format(day=f"{report.use_by:%Y-%m-%d}"))
    if report.missing and not report.signed:
        say(_("No key that is here may sign what waits, or it has signed already."))
    if report.missing:
        say(_("Still to be signed:"))
        say_missing(report.missing)
    if report.first:
        say_root(workspace)
    if report.published:
        say(_("Next: “bundle write” to a stick."))
        if RECALL in report.roles:
            say(
                _(
                    "And now, for laptops far away: “bundle write FOLDER FILE --metadata-only” writes the recall as a "
                    "refresh file to send."
                )
            )
    elif report.missing:
        say(_("Next: pass the folder on to the people named, who run “bundle sign” with their keys."))
    else:
        say(_("Nothing waits for a signature."))
