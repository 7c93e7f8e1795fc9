"""``techtool recording check FILE``, ``techtool recording propose FILE``: what a terminal's recording is good for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from techtool.catalogue.proposal import Wish, proposed_rule
from techtool.catalogue.reader import load_catalogue
from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.domain.redacting import Cleaner
from techtool.domain.terminal import Address
from techtool.i18n import N_, _
from techtool.links.base import Link
from techtool.links.open import replayed
from techtool.links.record.transcript import Recording, read_recording
from techtool.paths import Paths
from techtool.terminals.identify import read_facts


@click.group(help=N_("Recordings of terminals, made with --record: check one, or make a model's rule of it."))
def command() -> None:
    """Recordings."""


@command.command("check", help=N_("Whether a recording is as it was made, and what is in it."))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def check(file: Path, as_json: bool) -> None:
    """Say what it holds."""
    recording = read_recording(file)
    ops = Counter(entry.op for entry in recording.entries)
    if as_json:
        emit_json(
            {
                "file": str(file),
                "sha256": recording.sha256,
                "at": recording.head.at,
                "tool": recording.head.tool,
                "scheme": recording.head.scheme,
                "capabilities": list(recording.head.capabilities),
                "operations": dict(sorted(ops.items())),
                "complete": recording.complete,
                "cut": sum(entry.cut for entry in recording.entries),
                "dropped": sum(entry.dropped for entry in recording.entries),
            }
        )
        return
    click.echo(f"{recording.sha256}  {file}")
    say(
        _("Recorded {at} with techtool {tool} over {scheme}.").format(
            at=_shown(recording.head.at),
            tool=_shown(recording.head.tool),
            scheme=_shown(recording.head.scheme),
        )
    )
    for entry in recording.entries:
        mark = "✗" if entry.refused else "·" if not (entry.cut or entry.dropped) else "!"
        click.echo(_shown(f"  {mark} {entry.op} {entry.what}".rstrip()))
    if not recording.complete:
        say(_("It is not complete: a recording has an upper size, and later operations are missing."))


@command.command("propose", help=N_("Print a model's rule made of a recording, for the office to read and take over."))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model-from", default="", metavar="NAME", help=N_("the fact that holds the model's name"))
@click.option("--serial-from", default="", metavar="NAME", help=N_("the fact that holds the serial number"))
@click.option("--vendor", default="", metavar="NAME", help=N_("who made the terminal, where it does not say so itself"))
def propose(file: Path, model_from: str, serial_from: str, vendor: str) -> None:
    """Print TOML."""
    recording = read_recording(file)
    catalogue = load_catalogue()
    family, facts = run_async(_facts(replayed(Address("replay", str(file)), Paths.default())))
    rule = proposed_rule(
        facts,
        family,
        catalogue.families[family],
        catalogue.match(facts),
        source=_source(recording),
        wish=Wish(model_from, serial_from, vendor),
    )
    click.echo(Cleaner().text(rule), nl=False)
    say(_("Read it before you take it over: only what the terminal said is in it."))
    say(_("A recording does not prove where it was made; ask whoever sent it which terminal it was."))


def _shown(text: str) -> str:
    """A stranger's words, fit for a screen."""
    return Cleaner().text("".join(c if c.isprintable() else "·" for c in text))


async def _facts(link: Link) -> tuple[str, dict[str, str]]:
    await link.open()
    try:
        return await read_facts(link)
    finally:
        await link.close()


def _source(recording: Recording) -> str:
    head = recording.head
    return f"Recording of {head.at[:10]}, SHA-256 {recording.sha256[:16]}, made with techtool {head.tool}"
