"""``techtool bundle recall|withdraw``: what must not be installed any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.cli.bundle_says import say_waiting
from techtool.cli.output import say
from techtool.errors import Exit, UsageError
from techtool.i18n import N_, _

if TYPE_CHECKING:
    from techtool.bundles.publish.recalling import RecallOrder
    from techtool.bundles.publish.workspace import Workspace
    from techtool.domain.recall import Recall

_PATH = click.Path(path_type=Path)


@click.command(
    "recall",
    help=N_(
        "Recall a release. One of the recall keys signs it; neither vendor nor lab is needed. With --lift the recall "
        "is taken back. For a release that never was in FOLDER, --package, or --kind, --shown-version and --model, "
        "say how a terminal shows that it runs it."
    ),
)
@click.argument("folder", type=_PATH)
@click.argument("release", metavar="ID@VERSION", required=False)
@click.option("--reason", "reasons", multiple=True, metavar="LANG=TEXT", help=N_("why, such as en=…; repeatable"))
@click.option(
    "--urgency", type=click.Choice(["low", "medium", "high", "critical"]), help=N_("how soon to act (default: high)")
)
@click.option("--replacement", default="", metavar="ID@VERSION", help=N_("what to install instead"))
@click.option("--lift", is_flag=True, help=N_("take the recall back"))
@click.option("--package", "packages", multiple=True, metavar="ID:CODE", help=N_("by hand: package and version code"))
@click.option("--model", "models", multiple=True, metavar="VENDOR/MODEL[:REV,REV]", help=N_("by hand: made for"))
@click.option("--kind", help=N_("by hand: application, firmware, bootloader …"))
@click.option("--shown-version", default="", help=N_("by hand: how a terminal names this firmware"))
@click.option(
    "--make-role", is_flag=True, help=N_("give an older bundle its keys for recalls; nothing is recalled yet")
)
@click.option("--passphrase-file", type=_PATH, help=N_("with --make-role: first line: passphrase of the new keys"))
def recall(  # noqa: PLR0917 - one parameter for each option
    folder: Path,
    release: str | None,
    reasons: tuple[str, ...],
    urgency: str | None,
    replacement: str,
    lift: bool,
    packages: tuple[str, ...],
    models: tuple[str, ...],
    kind: str | None,
    shown_version: str,
    make_role: bool,
    passphrase_file: Path | None,
) -> int:
    """Stage the recall, or its end."""
    from techtool.bundles.publish.recalling import RecallOrder
    from techtool.bundles.publish.workspace import Workspace
    from techtool.cli.bundle_input import kind_of, packages_of, provides_of, release_key, texts_of
    from techtool.domain.release import Urgency

    workspace = Workspace.open(folder)
    if make_role:
        return _make_role(workspace, passphrase_file)
    if release is None:
        raise UsageError(problem=_("say which release: ID@VERSION"))
    release_id, version = release_key(release)
    if lift:
        return _lift(workspace, release_id, version)
    if not reasons:
        raise UsageError(problem=_("say why: --reason en=… --reason zh=…"))
    order = RecallOrder(
        id=release_id,
        version=version,
        reason=texts_of(reasons),
        urgency=None if urgency is None else Urgency(urgency),
        replacement="@".join(release_key(replacement)) if replacement else "",
        packages=packages_of(packages),
        provides=provides_of(models),
        kind=None if kind is None else kind_of(kind),
        shown_version=shown_version,
    )
    return _recall(workspace, order)


def _recall(workspace: Workspace, order: RecallOrder) -> int:
    from techtool.bundles.publish.recalling import recall_release
    from techtool.clock import SystemClock

    staged = recall_release(workspace, order, SystemClock())
    click.echo(staged.recall.key)
    if not staged.changed:
        say(_("It is recalled in these words already."))
        return int(Exit.NOTHING_TO_DO)
    _say_marks(staged.recall)
    for note in staged.notes:
        say(f"! {note.text()}")
    say_waiting(workspace)
    _say_reach(workspace)
    return int(Exit.DONE)


def _lift(workspace: Workspace, release_id: str, version: str) -> int:
    from techtool.bundles.publish.recalling import lift
    from techtool.clock import SystemClock

    lifted = lift(workspace, release_id, version, SystemClock())
    click.echo(lifted.key)
    say(_("Its recall is taken back, as soon as that is signed."))
    say_waiting(workspace)
    _say_reach(workspace)
    return int(Exit.DONE)


def _make_role(workspace: Workspace, passphrase_file: Path | None) -> int:
    from techtool.bundles.publish.delegating import add_recalls
    from techtool.bundles.publish.keys import KeySource
    from techtool.cli.bundle_input import new_passphrase
    from techtool.clock import SystemClock

    made = add_recalls(workspace, KeySource(passphrase=new_passphrase(passphrase_file)), SystemClock())
    click.echo(made.role)
    for path in made.key_files:
        say(_("New key: {path}. Give it to its owner and remove it here.").format(path=path))
    say_waiting(workspace)
    return int(Exit.DONE)


def _say_marks(recall: Recall) -> None:
    """By what a terminal that runs it will be recognised."""
    for package in recall.packages:
        say(
            _("A terminal runs it when it has {package} with version code {code}.").format(
                package=package.id, code=package.version_code
            )
        )
    if recall.shown_version:
        models = ", ".join(f"{p.vendor}/{p.model}" for p in recall.provides)
        say(
            _("A terminal runs it when it is a {models} that shows version {version}.").format(
                models=models or "–", version=recall.shown_version
            )
        )


def _say_reach(workspace: Workspace) -> None:
    """How it gets to the laptops, and what bounds the time without it."""
    from techtool.bundles.profile import RECALL

    if RECALL not in workspace.staged_roles():
        return
    say(
        _(
            "Signed, it reaches laptops with any newer stick, or with a refresh file (“bundle write FOLDER FILE "
            "--metadata-only”)."
        )
    )
    timestamp = workspace.timestamp()
    if timestamp is not None:
        say(
            _(
                "A laptop that sees neither knows nothing of it until its stick's use-by date: {day} at the latest."
            ).format(day=f"{timestamp.expires:%Y-%m-%d}")
        )


@click.command(
    "withdraw",
    help=N_(
        "Take a release off its publisher's list. Its vendor and a lab sign that; what is urgent is “bundle recall”."
    ),
)
@click.argument("folder", type=_PATH)
@click.argument("release", metavar="ID@VERSION")
def withdraw(folder: Path, release: str) -> None:
    """Stage the list without it."""
    from techtool.bundles.publish.adding import withdraw as take_off
    from techtool.bundles.publish.lint import findings_without
    from techtool.bundles.publish.workspace import Workspace
    from techtool.cli.bundle_input import release_key
    from techtool.clock import SystemClock

    workspace = Workspace.open(folder)
    lost = findings_without(workspace, release)
    gone = take_off(workspace, *release_key(release), SystemClock())
    click.echo(release)
    if gone.published:
        say(_("It is off the list {role}, as soon as that is signed.").format(role=gone.role))
        say(_("Older sticks still carry it; laptops that have seen the newer list call it withdrawn."))
    else:
        say(_("It was not published: nothing on sticks changes."))
    for finding in lost:
        text = _("Without it, {release}: {text}").format(release=finding.release_key, text=finding.text.text())
        say(f"! {text}")
    if gone.waits or workspace.staged_roles():
        say_waiting(workspace)
    else:
        say(_("Nothing waits for a signature."))
