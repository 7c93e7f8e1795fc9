"""``techtool bundle publisher|rotate|renew``: who may sign, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.cli.bundle_says import say_waiting
from techtool.cli.output import say
from techtool.errors import Exit
from techtool.i18n import N_, _

if TYPE_CHECKING:
    from techtool.bundles.publish.rotating import Rotated
    from techtool.bundles.publish.workspace import Workspace

_PATH = click.Path(path_type=Path)


@click.command("publisher", help=N_("Let the bundle carry the releases of another publisher."))
@click.argument("folder", type=_PATH)
@click.argument("name")
@click.option("--vendor-keys", type=click.IntRange(1, 9), default=1, show_default=True, help=N_("how many keys it has"))
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="OWNER=FILE.pub",
    help=N_("its own public key instead of a new one, such as vendor-NAME-1=them.pub; repeatable"),
)
@click.option(
    "--list-threshold", type=click.IntRange(2, 18), help=N_("how many must sign its list (default: as the others)")
)
@click.option("--passphrase-file", type=_PATH, help=N_("first line: passphrase of all new keys"))
def publisher(
    folder: Path,
    name: str,
    vendor_keys: int,
    keys: tuple[str, ...],
    list_threshold: int | None,
    passphrase_file: Path | None,
) -> None:
    """Delegate to it, and stage its empty list."""
    from techtool.bundles.publish.delegating import add_publisher
    from techtool.bundles.publish.keys import KeySource
    from techtool.bundles.publish.workspace import Workspace
    from techtool.cli.bundle_input import new_passphrase, public_keys
    from techtool.clock import SystemClock

    workspace = Workspace.open(folder)
    given = public_keys(keys)
    count = max(vendor_keys, len(given))
    source = KeySource(given, new_passphrase(passphrase_file) if len(given) < count else "")
    made = add_publisher(workspace, name, source, SystemClock(), vendor_keys=count, threshold=list_threshold)
    click.echo(made.role)
    for path in made.key_files:
        say(_("New key: {path}. Give it to its owner and remove it here.").format(path=path))
    say_waiting(workspace)


@click.command(
    "rotate",
    help=N_(
        "Replace the key of OWNER by a new one. In every role it has: because it is lost or stolen, or its owner "
        "leaves. Laptops follow by themselves once they see a newer stick or a refresh file."
    ),
)
@click.argument("folder", type=_PATH)
@click.argument("owner")
@click.option("--with", "public", type=_PATH, metavar="FILE.pub", help=N_("the new owner's own public key"))
@click.option("--new-name", metavar="NAME", help=N_("what the new key is called (default: the next number)"))
@click.option("--lost", is_flag=True, help=N_("the old key is gone or stolen: do not count on its signature"))
@click.option("--passphrase-file", type=_PATH, help=N_("first line: passphrase of the new key"))
def rotate(
    folder: Path, owner: str, public: Path | None, new_name: str | None, lost: bool, passphrase_file: Path | None
) -> None:
    """Stage the new root or top role, and what has to be signed again because of it."""
    from techtool.bundles.publish.keyfiles import read_public
    from techtool.bundles.publish.keys import KeySource
    from techtool.bundles.publish.rotating import next_name
    from techtool.bundles.publish.rotating import rotate as rotate_key
    from techtool.bundles.publish.workspace import Workspace
    from techtool.cli.bundle_input import new_passphrase
    from techtool.clock import SystemClock

    workspace = Workspace.open(folder)
    name = new_name or next_name(workspace, owner)
    if public is not None:
        source = KeySource({name: read_public(public)})
    else:
        source = KeySource(passphrase=new_passphrase(passphrase_file))
    rotated = rotate_key(workspace, owner, name, source, SystemClock(), lost=lost)
    _say_rotated(workspace, rotated, lost=lost)


def _say_rotated(workspace: Workspace, rotated: Rotated, *, lost: bool) -> None:
    from techtool.bundles.profile import ROLE_PREFIX

    click.echo(rotated.new_owner)
    say(
        _("{new} stands for {old} in: {roles}").format(
            new=rotated.new_owner, old=rotated.owner, roles=", ".join(rotated.roles)
        )
    )
    if rotated.key_file is not None:
        say(_("New key: {path}. Give it to its owner and remove it here.").format(path=rotated.key_file))
    else:
        say(_("The private half of the new key stays with its owner."))
    again = [role for role in rotated.staged if role not in {"root", "targets"}]
    if again:
        text = _("To be signed again, with the same content, because the old key's signature falls away: {roles}")
        say(text.format(roles=", ".join(again)))
    say_waiting(workspace)
    if "root" in rotated.staged:
        say(_("The new root needs enough of its former keys and enough of its new ones: so every laptop follows."))
    if not lost:
        say(
            _("The key of {owner} counts until all that is published; then it is to be destroyed.").format(
                owner=rotated.owner
            )
        )
    say(
        _(
            "A laptop that has seen the new state takes nothing any more that stands on the old key alone; from older "
            "sticks it installs what the newest lists still name, and calls the rest withdrawn."
        )
    )
    timestamp = workspace.timestamp()
    if lost and timestamp is not None:
        say(
            "! "
            + _("Until a laptop has seen it, the old key still counts there, {day} at the latest.").format(
                day=f"{timestamp.expires:%Y-%m-%d}"
            )
        )
        if any(role.startswith(ROLE_PREFIX) for role in rotated.roles):
            say(
                "! "
                + _(
                    "Until all who are named above have signed, nothing of this is published. Recall what is in danger "
                    "now (“bundle recall”): that needs only a recall key."
                )
            )
        say("! " + _("If the key was stolen: publish today, and send a refresh file (“bundle write --metadata-only”)."))


@click.command(
    "renew",
    help=N_("Give new dates to the roles named, or to all that end soon, the root included; then they are signed."),
)
@click.argument("folder", type=_PATH)
@click.argument("roles", nargs=-1, metavar="[ROLE]...")
@click.option(
    "--within-days", type=click.IntRange(1, 1200), default=90, show_default=True, help=N_("what counts as soon")
)
def renew(folder: Path, roles: tuple[str, ...], within_days: int) -> int:
    """Stage the next version of each."""
    from techtool.bundles.publish.restaging import renew as renew_roles
    from techtool.bundles.publish.workspace import Workspace
    from techtool.clock import SystemClock

    workspace = Workspace.open(folder)
    renewed = renew_roles(workspace, roles, SystemClock(), within_days)
    for role in renewed.staged:
        click.echo(role)
    for role in renewed.waiting:
        say(_("{role} waits to be signed already, with new dates.").format(role=role))
    if renewed.staged or renewed.waiting:
        say_waiting(workspace)
    else:
        if renewed.newest:
            say(_("None would get a later date by renewing now: {roles}").format(roles=", ".join(renewed.newest)))
        elif renewed.limit is not None:
            say(_("No role ends until {day}.").format(day=f"{renewed.limit:%Y-%m-%d}"))
        say(_("The use-by date of sticks moves on with “bundle sign --renew”."))
    return int(Exit.DONE if renewed.staged else Exit.NOTHING_TO_DO)
