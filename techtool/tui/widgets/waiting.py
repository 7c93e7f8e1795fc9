"""The line at the bottom that says who waits for the person, for how long, and which key goes there."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from techtool.tui.actions import ACTIONS
from techtool.tui.theme import COLOUR, STRONG
from techtool.tui.views.lines import Mark, cells, clip
from techtool.tui.widgets.text import glyphs_of


class WaitingLine(Static):
    """One line that stays until it is done; nothing is shown, and no room taken, while nobody waits."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._said: tuple[str, str] = ("", "")

    def tell(self, request: str, otherwise: str = "") -> None:
        """Show the request that waits, else what there is to know, else nothing."""
        if (request, otherwise) != self._said:
            self._said = (request, otherwise)
            self.display = bool(request or otherwise)
            self.on_resize()

    def on_resize(self) -> None:
        """Fit it anew."""
        request, otherwise = self._said
        glyphs = glyphs_of(self.app)
        mark = Mark.NEEDS if request else Mark.WARNING
        line = Text.assemble((f"{glyphs.marks[mark]} ", f"bold {COLOUR[mark]}"))
        key = f"{ACTIONS['next_lane'].shown}  " if request else ""
        line.append(key, style=f"bold {STRONG}")
        room = max(0, self.app.size.width - 4 - cells(key) - 2)  # the line's padding, and the mark
        line.append(clip(request or otherwise, room), style=COLOUR[mark])
        self.update(line)
