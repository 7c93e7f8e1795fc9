"""Help: what this screen is for and its keys, from the registry."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from techtool.i18n import _, translate
from techtool.tui.actions import help_rows
from techtool.tui.theme import BLUE
from techtool.tui.widgets.text import Plain, grid


class HelpScreen(ModalScreen[None]):
    """Any key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,enter,q", "dismiss_help", show=False),
    ]

    def __init__(self, keys: tuple[str, ...], about: str) -> None:
        super().__init__()
        self._keys = keys
        self._about = about

    def compose(self) -> ComposeResult:
        """Words first, then keys."""
        with VerticalScroll(classes="window"):
            yield Plain(_("Help"), classes="window-title")
            yield Plain(translate(self._about), classes="window-text")
            rows = [(Text(key, style=f"bold {BLUE}"), Text(text)) for key, text in help_rows(self._keys)]
            yield Static(grid(rows, first=10), markup=False)
            yield Plain(_("Esc closes this."), classes="window-end")

    def action_dismiss_help(self) -> None:
        """Back to work."""
        self.dismiss(None)
