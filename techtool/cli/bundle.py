"""``techtool bundle``: look at sticks here; the publisher's commands stand in modules of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.cli import bundle_keys, bundle_lint, bundle_publish, bundle_recall, bundle_sign, bundle_status
from techtool.cli.bundle_views import recall_line, released_json, stick_json, stick_lines
from techtool.cli.output import emit_json, error_json, say, show_error
from techtool.errors import Damaged, Exit, Recalled, TechtoolError, Withdrawn
from techtool.i18n import N_, _
from techtool.paths import Paths

if TYPE_CHECKING:
    from techtool.bundles.trust import Stick

_PATH = click.Path(path_type=Path)
_JSON_HELP = N_("JSON on stdout, nothing else")


@click.group(help=N_("Find, inspect and verify sticks; make and sign them."))
def group() -> None:
    """The group."""


command = group


@group.command("find", help=N_("Removable drives that hold a bundle."))
@click.argument("path", required=False, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def find(path: Path | None, as_json: bool) -> int:
    """List them; nothing of their content is believed yet."""
    from techtool.bundles.find import find_sticks, locate

    roots = [locate(path)] if path is not None else [stick.root for stick in find_sticks()]
    if as_json:
        emit_json({"sticks": [{"path": str(root.parent), "root": str(root)} for root in roots]})
    for root in roots if not as_json else ():
        click.echo(str(root.parent))
    if not roots:
        say(_("No removable drive holds a bundle. Put in the stick that the office prepared, or name its folder."))
        return int(Exit.NOT_FOUND)
    return int(Exit.DONE)


@group.command("inspect", help=N_("What a verified stick carries. Without PATH: the one stick that is in."))
@click.argument("path", required=False, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def inspect(path: Path | None, as_json: bool) -> int:
    """Verify the metadata and list the releases; payloads are not read, and an expired stick can be read, too."""
    from techtool.bundles.find import the_stick
    from techtool.bundles.trust import open_stick
    from techtool.clock import SystemClock

    stick = open_stick(the_stick(path), Paths.default(), SystemClock(), to_install=False)
    if as_json:
        emit_json({**stick_json(stick), "releases": [released_json(item) for item in stick.releases]})
        return int(Exit.DONE)
    for line in stick_lines(stick):
        click.echo(line)
    return int(Exit.DONE)


@group.command("verify", help=N_("Verify a stick to the last byte. Without PATH: the one stick that is in."))
@click.argument("path", required=False, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def verify(path: Path | None, as_json: bool) -> int:
    """Metadata, descriptions and every payload; exit 10 to 14 say what is wrong."""
    from techtool.bundles.find import the_stick
    from techtool.bundles.trust import judge_alone, open_stick
    from techtool.clock import SystemClock

    folder = the_stick(path)
    alone = judge_alone(folder, Paths.default(), SystemClock())
    stick = open_stick(folder, Paths.default(), SystemClock(), to_install=False)
    damaged: list[Damaged] = []
    files: list[dict[str, object]] = []
    for item in stick.releases:
        for file in item.release.files:
            try:
                stick.check(item, file)
            except Damaged as error:
                damaged.append(error)
                say(f"✗ {file.target}: {error.params['problem']}")
                continue
            files.append({"target": file.target, "size": file.size_bytes, "sha256": file.sha256})
            say(f"✓ {file.target}")
    for note in stick.notes:
        say(f"! {note.text()}")
    for recall in stick.recalled.values():
        say(f"! {recall_line(recall)}")
    for role in alone.absent:
        say(_("! The list of {role} is not on this stick: other laptops get none of its releases.").format(role=role))
    problem = _problem_of(stick, damaged)
    if problem is not None and not as_json:
        raise problem
    if as_json:
        emit_json(_verified_json(stick, alone, files, damaged, problem))
        if problem is not None:
            show_error(problem, as_json=False)
    else:
        click.echo(_("Good: all is as it was signed; releases: {count}").format(count=len(stick.releases)))
    return int(Exit.DONE if problem is None else problem.exit_code)


def _verified_json(
    stick: Stick,
    alone: Stick,
    files: Sequence[dict[str, object]],
    damaged: Sequence[Damaged],
    problem: TechtoolError | None,
) -> dict[str, object]:
    tree = {
        "ok": problem is None,
        **stick_json(stick),
        "absent": list(alone.absent),
        "releases": [released_json(item) for item in stick.releases],
        "files": list(files),
        "damaged": [{"place": str(e.params["path"]), "problem": str(e.params["problem"])} for e in damaged],
    }
    return tree if problem is None else {**tree, "releases": [], "error": error_json(problem)}


def _problem_of(stick: Stick, damaged: Sequence[Damaged]) -> TechtoolError | None:
    """The gravest thing that keeps a genuine stick from being used as it is."""
    if damaged:
        return damaged[0]
    for recall in stick.recalled.values():
        return Recalled(release=recall.key, reason=recall.reason_phrase)
    if stick.expired is not None:
        return stick.expired
    for lapsed in stick.lapsed.values():
        return lapsed
    if stick.withdrawn:
        return Withdrawn(release=", ".join(f"{name} {version}" for name, version in stick.withdrawn))
    return None


for _publishing in (
    bundle_publish.init,
    bundle_publish.add,
    bundle_lint.lint,
    bundle_sign.sign,
    bundle_publish.write,
    bundle_keys.publisher,
    bundle_keys.rotate,
    bundle_keys.renew,
    bundle_recall.recall,
    bundle_recall.withdraw,
    bundle_status.status,
):
    group.add_command(_publishing)
