"""What the publisher's commands say alike: who must still sign, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from techtool.cli.output import say
from techtool.i18n import _

if TYPE_CHECKING:
    from techtool.bundles.publish.state import Missing
    from techtool.bundles.publish.workspace import Workspace
    from techtool.domain.lint import LintFinding


def missing_line(lack: Missing) -> str:
    """Whose signatures one role needs."""
    owners = ", ".join(lack.owners)
    role = _("{role} (the keys it had until now)").format(role=lack.role) if lack.former else lack.role
    if not lack.owners:
        return _("{role}: nobody is left who may sign it").format(role=role)
    if lack.organisations and lack.signatures < len(lack.owners):
        return _("{role}: still needs {count} of: {owners}; among them one of each: {organisations}").format(
            role=role, count=lack.signatures, owners=owners, organisations=", ".join(lack.organisations)
        )
    return _("{role}: still needs {count} of: {owners}").format(role=role, count=lack.signatures, owners=owners)


def lint_line(finding: LintFinding) -> str:
    """A lint error of what is staged."""
    return "✗ " + _("{release}: {text}").format(release=finding.release_key, text=finding.text.text())


def say_missing(missing: Iterable[Missing]) -> None:
    """Every one of them."""
    for lack in missing:
        say(f"  {missing_line(lack)}")


def say_waiting(workspace: Workspace) -> None:
    """After a change: what waits for whose signature, and how it gets it."""
    from techtool.bundles.publish.state import Shelf

    shelf = Shelf(workspace)
    say(_("Waiting to be signed: {roles}").format(roles=", ".join(shelf.staged)))
    say_missing(shelf.all_missing())
    say(
        _("Next: “bundle sign {folder}”, by each of them with their key; the stick-maker's key publishes it.").format(
            folder=workspace.folder
        )
    )


def say_root(workspace: Workspace) -> None:
    """What laptops are to trust, and how they can know that it is the right one."""
    from techtool.bundles.roots import fingerprint, grouped

    version = workspace.published_version("root")
    say(_("Root of trust: {path}").format(path=workspace.metadata / f"{version}.root.json"))
    say(_("Its fingerprint, to be told by another way than the file:"))
    click.echo(grouped(fingerprint(workspace.root_data())))
