"""``techtool facts``: what is known of makers beside their models, from where, and what the office added."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from techtool.catalogue.facts import OfficeFacts, load_facts
from techtool.catalogue.reader import load_catalogue
from techtool.cli.columns import wrapped
from techtool.cli.output import emit_json, say
from techtool.errors import Exit
from techtool.i18n import N_, _, translate
from techtool.paths import Paths
from techtool.reports.redaction import visible

_INDENT = "    "
_LABEL = {
    "cadence": N_("Cycle"),
    "life": N_("Support"),
    "approval": N_("Approval"),
    "contact": N_("Contact"),
    "picture": N_("Picture"),
}
Row = tuple[str, str, str, str]
"""Section of the file, what, source, how it is known."""


@click.command(
    help=N_(
        "Facts about makers: update cycles, ends of support, PTS approvals, contacts, reference pictures, each with "
        "its source. The office supplies its own as a file."
    )
)
@click.option("--add", type=click.Path(path_type=Path), metavar="FILE", help=N_("check a facts file and keep it"))
@click.option("--remove", default="", metavar="NAME", help=N_("take a file's facts away again"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(add: Path | None, remove: str, *, as_json: bool) -> int:
    """One change at most, then the list."""
    from techtool.visit.facts import add_facts, remove_facts

    paths = Paths.default()
    if add is not None:
        add_facts(paths, add)
    if remove:
        remove_facts(paths, remove)
    facts = load_facts(paths.facts)
    if as_json:
        rows = [dict(zip(("kind", "what", "source", "evidence"), row, strict=True)) for row in rows_of(facts)]
        files = [
            {"file": path.name, "issued_by": file.issued_by, "dated": file.dated.isoformat()}
            for path, file in facts.files
        ]
        emit_json({"files": files, "facts": rows, "unusable": [str(error.params["path"]) for error in facts.unusable]})
        return int(Exit.DONE)
    for path, file in facts.files:
        text = _("{file}: from {issuer}, as of {day}")
        said = text.format(file=path.name, issuer=visible(file.issued_by), day=file.dated.isoformat())
        click.echo(said)
    if not facts.files:
        say(_("The office has supplied no facts yet; what follows is built in."))
    for error in facts.unusable:
        say(f"✗ {error.what_phrase.text()}")
    for kind, what, source, evidence in rows_of(facts):
        for line in (
            *wrapped(visible(what), f"{translate(_LABEL[kind])}: "),
            *wrapped(f"{visible(source)} ({evidence})", _INDENT),
        ):
            click.echo(line)
    return int(Exit.DONE)


def rows_of(facts: OfficeFacts) -> Iterator[Row]:
    """Every fact in the order in which it counts, the office's first."""
    cycles = facts.cycles()
    for one in cycles.cadence:
        what = " ".join(filter(None, (one.vendor, one.model, one.kind.value if one.kind else "")))
        yield "cadence", _("{what}: every {days} days").format(what=what, days=one.days), one.source, one.evidence
    for life in cycles.life:
        what = " ".join(filter(None, (life.vendor, life.model, life.hw_revision)))
        until = life.end_of_life.isoformat() if life.end_of_life else ""
        highest = ", ".join(f"{name} {version}" for name, version in life.last_supported.items())
        yield "life", " · ".join(filter(None, (what, until, highest))), life.source, life.evidence
    for approval in facts.approvals(load_catalogue().approvals).approval:
        what = " ".join(filter(None, (approval.vendor, approval.model, approval.hardware, approval.firmware)))
        text = f"{what}: {approval.number} {approval.version} → {approval.expires.isoformat()}"
        yield "approval", text, approval.source, approval.evidence
    for contact in facts.contacts():
        ways = "  ".join(filter(None, (contact.name, contact.phone, contact.mail, contact.page)))
        yield "contact", f"{contact.vendor}: {ways}", contact.source, contact.evidence
    for _path, file in facts.files:
        for picture in file.picture:
            yield "picture", f"{picture.vendor} {picture.model}: {picture.file}", picture.source, picture.evidence
