"""Text that hangs under its mark: rich tables inside a Static, so that nothing from a device is ever read as markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rich.table import Table
from rich.text import Text
from textual.app import App
from textual.widgets import Static

from techtool.tui.theme import COLOUR, DIM, UNICODE, Glyphs
from techtool.tui.views.lines import Line, Mark, named, word_of

T = TypeVar("T")
NO_WORD = frozenset({Mark.NOTE, Mark.WAITING, Mark.OK})
"""Marks whose glyph needs no word where a sentence stands beside it."""


def glyphs_of(app: App[T]) -> Glyphs:
    """The marks the app draws with."""
    found = getattr(app, "glyphs", UNICODE)
    return found if isinstance(found, Glyphs) else UNICODE


def grid(rows: Iterable[tuple[Text, Text]], *, first: int = 0, indent: int = 0) -> Table:
    """Two columns: a mark or a name of ``first`` cells (0: as needed), and text that wraps under itself."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True, pad_edge=False)
    if indent:
        table.add_column(width=max(0, indent - 1))
    table.add_column(width=first or None, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for left, right in rows:
        table.add_row(*([""] if indent else []), left, right)
    return table


def mark_text(mark: Mark, glyphs: Glyphs) -> Text:
    """The glyph in its colour."""
    return Text.assemble((glyphs.marks[mark], f"bold {COLOUR[mark]}"))


def lines_grid(lines: Sequence[Line], glyphs: Glyphs, *, indent: int = 0, words: bool = True) -> Table:
    """Marked lines with what hangs below each; those that need attention carry their word too."""
    rows: list[tuple[Text, Text]] = []
    for line in lines:
        body = Text()
        if words and line.mark not in NO_WORD:
            word = Text(word_of(line.mark), style=f"bold {COLOUR[line.mark]}")
            body.append_text(word)
            body.append(named("", line.text))
        else:
            body.append(line.text)
        rows.append((mark_text(line.mark, glyphs), body))
        rows += [(Text(""), Text(detail, style=DIM)) for detail in line.details]
    return grid(rows, indent=indent)


def facts_grid(facts: Iterable[tuple[str, str]], *, indent: int = 0) -> Table:
    """Names and values; the values wrap under themselves."""
    return grid([(Text(name, style=DIM), Text(value)) for name, value in facts], indent=indent)


class Plain(Static):
    """Text shown exactly as it is: no markup is read from it."""

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(text, id=id, classes=classes, markup=False)
        self._said = text

    def say(self, text: str) -> None:
        """Show ``text``; nothing is shown, and no room taken, when it is empty. The same again costs no layout."""
        if text != self._said:
            self._said = text
            self.update(Text(text))
        self.display = bool(text)


class Drawn(Static):
    """Drawn anew only when what it shows has changed: every ``update`` lays out the whole screen."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, markup=False)
        self._shown: object = None

    def tell(self, what: object, draw: Callable[[], Table]) -> None:
        """Show ``what``, which is compared, by drawing it."""
        if what != self._shown:
            self._shown = what
            self.update(draw())
