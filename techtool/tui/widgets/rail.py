"""Where the visit stands: a rail of stations beside the work, or one line above it on a narrow terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from techtool.tui.theme import COLOUR, DIM, STRONG, Glyphs
from techtool.tui.views.lines import Mark, clip, word_of
from techtool.tui.views.visit import LaneView, label_of
from techtool.tui.widgets.text import glyphs_of


def rail_table(lane: LaneView, glyphs: Glyphs) -> Table:
    """Every station with its mark, its number and a short note."""
    table = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    for place, station in enumerate(lane.stations, 1):
        style = {Mark.WAITING: DIM, Mark.BUSY: f"bold {STRONG}"}
        style |= {mark: f"bold {COLOUR[mark]}" for mark in (Mark.STOPPED, Mark.NEEDS)}
        colour = COLOUR[station.mark]
        row = Text.assemble((f"{place} {label_of(station.kind)}", style.get(station.mark, "")))
        if station.mark in (Mark.BUSY, Mark.STOPPED, Mark.NEEDS, Mark.WARNING):
            row.append(f"  {word_of(station.mark)}", style=colour)
        mark = " " if station.mark is Mark.WAITING else glyphs.marks[station.mark]
        table.add_row(Text(mark, style=f"bold {colour}"), row)
    return table


def rail_line(lane: LaneView, glyphs: Glyphs, width: int) -> Text:
    """``Install 6/9  ✓✓✓✓✓▸···``"""
    busy = lane.at_work
    done = sum(station.mark is Mark.OK for station in lane.stations)
    place = lane.stations.index(busy) + 1 if busy else done
    name = label_of(busy.kind) if busy else ""
    line = Text.assemble((clip(f"{name} {place}/{len(lane.stations)}".strip(), width), f"bold {STRONG}"))
    line.append("  ")
    for station in lane.stations:
        line.append(glyphs.marks[station.mark], style=f"bold {COLOUR[station.mark]}")
    if busy is not None:
        line.append(f"  {word_of(busy.mark)}", style=COLOUR[busy.mark])
    return line


class StepRail(Static):
    """The stations of one terminal."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._lane: LaneView | None = None

    def show_lane(self, lane: LaneView | None) -> None:
        """Show this terminal's stations."""
        if lane != self._lane:
            self._lane = lane
            self.draw()

    def draw(self) -> None:
        """As a rail or as a line, after the screen's width."""
        if self._lane is None:
            self.update("")
        elif self.screen.has_class("-wide"):
            self.update(rail_table(self._lane, glyphs_of(self.app)))
        else:
            self.update(rail_line(self._lane, glyphs_of(self.app), max(8, self.size.width - 24)))

    def on_resize(self) -> None:
        """The width decides."""
        self.draw()
