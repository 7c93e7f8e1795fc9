"""The top line, whose serial number is never cut off, and the footer, which never overflows."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from techtool.tui.actions import footer_keys
from techtool.tui.theme import BLUE, STRONG
from techtool.tui.views.lines import Part, cells, fit

NAME = "techtool"


class TopLine(Static):
    """One line: the program, then what this screen is about, what matters most kept longest."""

    def __init__(self, *parts: Part) -> None:
        super().__init__(markup=False)
        self._parts: tuple[Part, ...] = parts

    def tell(self, parts: Sequence[Part]) -> None:
        """Show these parts."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self._draw()

    def on_resize(self) -> None:
        """Fit them anew."""
        self._draw()

    def _draw(self) -> None:
        room = max(0, self.size.width - cells(NAME) - 3)
        line = Text()
        line.append(NAME, style=f"bold {STRONG}")
        rest = fit(self._parts, room)
        if rest:
            line.append("   " + rest)
        self.update(line)


class KeyHint(Static):
    """One key of the footer; a click does the same."""

    def __init__(self, action: str, key: str, label: str) -> None:
        text = Text()
        text.append(key, style=f"bold {BLUE}")
        text.append(f" {label}")
        super().__init__(text)
        self._action = action
        self.wide = cells(f"{key} {label}") + 3

    async def on_click(self, event: events.Click) -> None:
        """Do it."""
        event.stop()
        owner = self.screen if hasattr(self.screen, f"action_{self._action}") else self.app
        await self.app.run_action(self._action, owner)


class KeyBar(Horizontal):
    """The footer: at most five keys, the most important first; what does not fit is left out, F1 shows all."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__()
        self._ids = ids

    def compose(self) -> ComposeResult:
        """One hint a key."""
        for action, key, label in footer_keys(self._ids):
            yield KeyHint(action, key, label)

    def on_resize(self) -> None:
        """Hide what does not fit."""
        left = self.size.width
        for hint in self.query(KeyHint):
            left -= hint.wide
            hint.display = left >= -2
