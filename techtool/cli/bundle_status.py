"""``techtool bundle status``: what ends when, who must sign, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.cli.bundle_says import lint_line, missing_line
from techtool.cli.bundle_views import recall_json, recall_line
from techtool.cli.output import emit_json, say
from techtool.clock import stamp
from techtool.i18n import N_, _

if TYPE_CHECKING:
    from techtool.bundles.publish.state import Missing
    from techtool.bundles.publish.status import Ends, RoleStatus, Status


@click.command("status", help=N_("What ends when, who must sign what, which keys lie here, and what comes next."))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def status(folder: Path, as_json: bool) -> None:
    """Look and change nothing."""
    from techtool.bundles.publish.status import next_step
    from techtool.bundles.publish.status import status as look
    from techtool.bundles.publish.workspace import Workspace
    from techtool.clock import SystemClock

    found = look(Workspace.open(folder), SystemClock())
    if as_json:
        emit_json({**_json(found), "next": next_step(found).text()})
        return
    for line in _lines(found):
        click.echo(line)
    say(next_step(found).text())


def _json(found: Status) -> dict[str, object]:
    published = found.published
    return {
        "folder": str(found.folder),
        "published": None
        if published is None
        else {
            "version": published.version,
            "issued": stamp(published.issued),
            "use_by": stamp(published.use_by),
            "days_left": published.days_left,
            "ends": published.ends.value,
            "root_version": published.root_version,
            "root_sha256": published.root_sha256,
        },
        "roles": [_role_json(role) for role in found.roles],
        "ready": list(found.ready),
        "lint_errors": [{"check": f.check.value, "release": f.release_key, "text": f.text.text()} for f in found.held],
        "keys": [
            {
                "file": key.path.name,
                "owner": key.owner or None,
                "passphrase": key.protected,
                "retiring": key.retiring,
            }
            for key in found.keys
        ],
        "releases": [
            {"id": r.release.id, "version": r.release.version, "role": r.role, "published": r.published}
            for r in found.releases
        ],
        "recalls": [{**recall_json(recall), "published": published} for recall, published in found.recalls],
        "withdrawn": [{"id": name, "version": version} for name, version in found.withdrawn],
    }


def _role_json(role: RoleStatus) -> dict[str, object]:
    return {
        "role": role.role,
        "version": role.version,
        "expires": None if role.expires is None else stamp(role.expires),
        "days_left": None if role.expires is None else role.days_left,
        "ends": role.ends.value,
        "threshold": role.threshold,
        "owners": [
            {"owner": o.owner, "organisation": o.organisation or None, "key_here": o.key_here} for o in role.owners
        ],
        "staged": None
        if not role.staged_version
        else {"version": role.staged_version, "missing": [_missing_json(lack) for lack in role.missing]},
    }


def _missing_json(lack: Missing) -> dict[str, object]:
    return {
        "signatures": lack.signatures,
        "owners": list(lack.owners),
        "organisations": list(lack.organisations),
        "former": lack.former,
    }


def _lines(found: Status) -> Iterator[str]:
    """The same for reading."""
    from techtool.bundles.roots import grouped

    if found.published is None:
        yield _("Nothing is published yet.")
    else:
        yield _("Published {issued}; sticks are good until {day} (days left: {days}).").format(
            issued=f"{found.published.issued:%Y-%m-%d}",
            day=f"{found.published.use_by:%Y-%m-%d}",
            days=found.published.days_left,
        ) + _mark(found.published.ends)
        yield _("Root {version}, its fingerprint: {fingerprint}").format(
            version=found.published.root_version, fingerprint=grouped(found.published.root_sha256)
        )
    yield _("Roles:")
    for role in found.roles:
        yield from _role_lines(role)
    yield _("Keys in {path}:").format(path=found.folder / "keys")
    yield from _key_lines(found)
    yield _("Releases: {count}").format(count=len(found.releases))
    for item in found.releases:
        if not item.published:
            yield "  " + _("{release} ({role}) is not published yet").format(release=item.release.key, role=item.role)
    for recall, published in found.recalls:
        yield "  ! " + ("" if published else _("NOT PUBLISHED YET:") + " ") + recall_line(recall)
    for finding in found.held:
        yield "  " + lint_line(finding)
    for name, version in found.withdrawn:
        yield "  " + _("withdrawn by its publisher: {name} {version}").format(name=name, version=version)


def _role_lines(role: RoleStatus) -> Iterator[str]:
    owners = ", ".join(owner.owner for owner in role.owners)
    if role.expires is None:
        yield "  " + _("{role}: not published yet; {threshold} of: {owners}").format(
            role=role.role, threshold=role.threshold, owners=owners
        )
    else:
        yield (
            "  "
            + _("{role} {version}, until {day} (days left: {days}); {threshold} of: {owners}").format(
                role=role.role,
                version=role.version,
                day=f"{role.expires:%Y-%m-%d}",
                days=role.days_left,
                threshold=role.threshold,
                owners=owners,
            )
            + _mark(role.ends)
        )
    if role.staged_version:
        yield "    " + _("version {version} waits").format(version=role.staged_version)
    for lack in role.missing:
        yield f"    {missing_line(lack)}"


def _key_lines(found: Status) -> Iterator[str]:
    for key in found.keys:
        owner = key.owner or _("of no role (any more): destroy it")
        if key.retiring:
            owner = _("{owner}, being replaced: keep it until that is published").format(owner=owner)
        lock = _("with a passphrase") if key.protected else _("WITHOUT a passphrase")
        yield f"  {key.path.name}: {owner}, {lock}"
    if not found.keys:
        yield "  " + _("none: everybody has their own with them")


def _mark(ends: Ends) -> str:
    from techtool.bundles.publish.status import Ends as Known

    return {
        Known.LATER: "",
        Known.SOON: "  ! " + _("ends soon"),
        Known.URGENT: "  !! " + _("ENDS WITHIN TWO WEEKS"),
        Known.ENDED: "  !! " + _("HAS ENDED"),
    }[ends]
