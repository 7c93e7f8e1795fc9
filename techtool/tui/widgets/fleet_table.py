"""The table of all terminals: it is told rows, changes only the cells that differ, and keeps the cursor on its lane."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import DataTable

from techtool.tui.theme import COLOUR, DIM, STRONG
from techtool.tui.views.fleet import GAP, Column, Row, cell_text, columns
from techtool.tui.views.lines import Mark, clip
from techtool.tui.widgets.text import glyphs_of

_MARGIN = 3
"""Cells beside the columns: the margins and the scroll bar."""


class FleetTable(DataTable[Text]):
    """One row a terminal; enter opens it. Cells are ``Text`` only: what devices say is never read as markup."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", cell_padding=0, id="fleet")
        self._columns_drawn: tuple[Column, ...] = ()
        self._drawn: dict[str, dict[str, Text]] = {}
        self._order: list[str] = []

    @property
    def marked(self) -> str:
        """The lane under the cursor."""
        return self._order[self.cursor_row] if 0 <= self.cursor_row < len(self._order) else ""

    def mark(self, lane: str) -> None:
        """Put the cursor there."""
        if lane in self._order:
            self.move_cursor(row=self._order.index(lane), animate=False)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows in this order."""
        wanted = columns(rows, self.app.size.width - _MARGIN)
        marked = self.marked
        if wanted != self._columns_drawn or {row.lane for row in rows} != set(self._order):
            self._rebuild(rows, wanted)
        else:
            self._change(rows)
        order = [row.lane for row in rows]
        if order != self._order:
            names = {row.name: place for place, row in enumerate(rows)}
            self.sort("name", key=lambda cell: names[cell.plain])
            self._order = order
        if self.marked != marked:
            self.mark(marked)

    def _rebuild(self, rows: Sequence[Row], wanted: tuple[Column, ...]) -> None:
        self.clear(columns=True)
        for column in wanted:
            self.add_column(Text(column.title), key=column.id, width=column.width + GAP)
        self._columns_drawn = wanted
        self._order = [row.lane for row in rows]
        self._drawn = {row.lane: self._cells(row) for row in rows}
        for row in rows:
            self.add_row(*self._drawn[row.lane].values(), key=row.lane)

    def _change(self, rows: Sequence[Row]) -> None:
        for row in rows:
            cells, drawn = self._cells(row), self._drawn[row.lane]
            for name, cell in cells.items():
                if cell != drawn[name] or cell.style != drawn[name].style:
                    self.update_cell(row.lane, name, cell)
            self._drawn[row.lane] = cells

    def _cells(self, row: Row) -> dict[str, Text]:
        glyph = glyphs_of(self.app).marks[row.mark]
        urgent = row.mark in (Mark.NEEDS, Mark.STOPPED)
        found: dict[str, Text] = {}
        for column in self._columns_drawn:
            text = cell_text(row, column.id)
            if column.id == "name":
                found[column.id] = Text(text, style=f"bold {STRONG}")
            elif column.id == "state":
                style = f"bold {COLOUR[row.mark]}" if urgent else COLOUR[row.mark]
                found[column.id] = Text(clip(f"{glyph} {text}", column.width), style=style)
            elif column.id == "done":
                found[column.id] = Text(text.rjust(column.width))
            else:
                style = COLOUR[row.mark] if urgent and column.id == "next" else DIM if row.mark is Mark.WAITING else ""
                found[column.id] = Text(clip(text, column.width), style=style)
        return found
