"""The report files of a visit: the few that a person looks for by name, the rest counted; pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from techtool.i18n import N_, _, language, translate
from techtool.tui.views.lines import Line, Mark

_SOUGHT = (
    ("html", N_("Report: {name}")),
    ("pdf", N_("To print: {name}")),
    ("merchant.pdf", N_("For the merchant: {name}")),
)
"""How a file's name ends after the language, and what it is for."""


def report_lines(files: Sequence[Path]) -> tuple[Line, ...]:
    """In the language of the screens; the other language, tables and signatures are counted."""
    found: list[Line] = []
    for ending, text in _SOUGHT:
        name = next((path.name for path in files if path.name.endswith(f".{language()}.{ending}")), "")
        if name:
            found.append(Line(Mark.NOTE, translate(text).format(name=name)))
    rest = len(files) - len(found)
    if rest:
        text = _("{count} more: the other language, tables, statement, signatures") if found else _("{count} files")
        found.append(Line(Mark.NOTE, text.format(count=rest)))
    if files:
        found.append(Line(Mark.NOTE, _("in {folder}").format(folder=files[0].parent)))
    return tuple(found)


def report_page(files: Sequence[Path]) -> Path | None:
    """The page that is opened in a browser; None: there is none yet."""
    return next((path for path in files if path.name.endswith(f".{language()}.html")), None)
