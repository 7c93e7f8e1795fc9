"""``techtool facts``: what is known of makers beside their models, from where, and what the office added."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.catalogue.reader import load_catalogue
from techtool.cli.columns import wrapped
from techtool.cli.output import emit_json, say
from techtool.errors import Exit
from techtool.i18n import N_, _, translate
from techtool.paths import Paths
from techtool.reports.maker_facts import HOW_KNOWN, KIND_LABEL, here_since, issued_words, rows_of
from techtool.reports.redaction import visible
from techtool.visit.known_facts import known_facts

_INDENT = "    "


@click.command(
    help=N_(
        "Facts about makers: update cycles, ends of support, PTS approvals, contacts, reference pictures, each with "
        "its source. The office supplies its own as files that it signs."
    )
)
@click.option(
    "--add",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=N_("check a signed facts file, or those on a stick, and keep them"),
)
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
    facts = known_facts(paths)
    rows = tuple(rows_of(facts, load_catalogue().approvals))
    if as_json:
        files = [
            {
                "file": issued.path.name,
                "issued_by": issued.file.issued_by,
                "dated": issued.file.dated.isoformat(),
                "signed_by": issued.office,
            }
            for issued in facts.files
        ]
        told = [
            {"kind": row.kind, "what": row.what, "source": row.source, "evidence": row.evidence}
            | ({"picture": str(row.picture)} if row.picture is not None else {})
            for row in rows
        ]
        emit_json({"files": files, "facts": told, "unusable": [str(path) for path, _error in facts.unusable]})
        return int(Exit.DONE)
    for issued in facts.files:
        for line in wrapped(issued_words(issued), ""):
            click.echo(line)
        click.echo(f"{_INDENT}{here_since(issued)}")
    if not facts.files:
        say(_("The office has supplied no facts yet; what follows is built in."))
    for _path, error in facts.unusable:
        say(f"✗ {error.code}  {error.what_phrase.text()}")
    for row in rows:
        said = f"{visible(row.source)} · {translate(HOW_KNOWN[row.evidence])}"
        for line in (*wrapped(visible(row.what), f"{translate(KIND_LABEL[row.kind])}: "), *wrapped(said, _INDENT)):
            click.echo(line)
        if row.picture is not None:
            click.echo(f"{_INDENT}{row.picture}")
    return int(Exit.DONE)
