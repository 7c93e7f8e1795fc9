"""``techtool trust``: the roots this laptop trusts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from techtool.cli.output import emit_json, say
from techtool.clock import stamp
from techtool.errors import AnswerMissing, RefusedByPerson, UsageError
from techtool.i18n import N_, _, phrase
from techtool.paths import Paths


@click.group(help=N_("The roots this laptop trusts."))
def group() -> None:
    """The group."""


command = group


@group.command(
    "add", help=N_("Trust an office: FILE is its root.json, or a stick of it. Compare the fingerprint first.")
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--fingerprint", help=N_("what the office told you by another way; then nothing is asked"))
def add(file: Path, fingerprint: str | None) -> None:
    """Show, compare, pin."""
    from techtool.bundles.reading import root_of_stick
    from techtool.bundles.roots import pin_root, read_root, same_fingerprint

    facts = root_of_stick(file) if file.is_dir() else read_root(file)
    say(_("Fingerprint of root {version}:").format(version=facts.version))
    say(f"  {facts.shown}")
    if fingerprint is None:
        _ask()
    elif not same_fingerprint(fingerprint, facts.fingerprint):
        problem = _("The fingerprint of that file is {found}, not the one given.").format(found=facts.shown)
        raise UsageError(problem=problem)
    click.echo(pin_root(Paths.default(), facts.data))
    say(_("This laptop trusts it from now on."))


@group.command("list", help=N_("Every trusted root, with its fingerprint."))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def list_roots(as_json: bool) -> None:
    """What was pinned."""
    from techtool.bundles.roots import pinned

    roots = pinned(Paths.default())
    if as_json:
        rows = [
            {
                "fingerprint": root.fingerprint,
                "version": root.version,
                "expires": stamp(root.expires),
                "keys": root.keys,
                "threshold": root.threshold,
            }
            for root in roots
        ]
        emit_json({"roots": rows})
        return
    for root in roots:
        text = _("root {version}, {threshold} of {keys} keys, good until {day}").format(
            version=root.version, threshold=root.threshold, keys=root.keys, day=f"{root.expires:%Y-%m-%d}"
        )
        click.echo(f"{root.shown}\n    {text}")
    if not roots:
        say(_("No root is trusted yet: “techtool trust add FILE”."))


def _ask() -> None:
    if not sys.stdin.isatty():
        raise AnswerMissing(question="trust.fingerprint", text=phrase("give --fingerprint"))
    question = _("Is this exactly what the office told you by another way?")
    if not click.confirm(question, err=True):
        raise RefusedByPerson(question=question)
