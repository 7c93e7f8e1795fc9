"""What is known of makers, as the screen shows it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from techtool.catalogue.facts import OfficeFacts
from techtool.i18n import _, translate
from techtool.reports.maker_facts import HOW_KNOWN, KIND_LABEL, FactRow, here_since, issued_words
from techtool.reports.redaction import visible
from techtool.tui.views.lines import Line, Mark, named


def file_lines(facts: OfficeFacts, office: str) -> tuple[Line, ...]:
    """The office's files: from whom, as of when, since when; those that do not count, and why, first."""
    lines = [Line(Mark.STOPPED, f"{error.code}  {error.what_phrase.text()}") for _path, error in facts.unusable]
    lines += [Line(Mark.OK, issued_words(issued), (here_since(issued),)) for issued in facts.files]
    if not lines:
        lines.append(Line(Mark.NOTE, _("The office has supplied no facts yet; what follows is built in.")))
    if not office:
        lines.append(Line(Mark.NOTE, _("This laptop is not enrolled yet: until then no office's facts count here.")))
    return tuple(lines)


def fact_lines(rows: Sequence[FactRow]) -> tuple[Line, ...]:
    """Every fact with its source, kind by kind; pictures are listed by themselves."""
    return tuple(
        Line(Mark.NOTE, named(translate(KIND_LABEL[row.kind]), visible(row.what)), (source_words(row),))
        for kind in KIND_LABEL
        for row in rows
        if row.kind == kind and row.picture is None
    )


def source_words(row: FactRow) -> str:
    """From where a fact is, who answers for it, how it is known."""
    return f"{visible(row.source)} · {translate(HOW_KNOWN[row.evidence])}"


def pictures_of(rows: Iterable[FactRow]) -> tuple[FactRow, ...]:
    """The reference pictures."""
    return tuple(row for row in rows if row.picture is not None)
