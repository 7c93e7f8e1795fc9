"""Everything that can be done here, and every place: typed for, or chosen by arrows and enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import _time
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input

from techtool.i18n import _
from techtool.tui.views.palette import Command, fitting
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain


class PaletteScreen(ModalScreen[str | None]):
    """Returns what was chosen, or None. The cursor stays in the field: arrows and enter work from there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p,f10", "leave", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
    ]
    armed_at: float = 0.0

    def __init__(self, offered: Sequence[Command], settle_s: float = 0.0) -> None:
        super().__init__()
        self._offered = tuple(offered)
        self._settle_s = settle_s

    def compose(self) -> ComposeResult:
        """The field, the list."""
        with Vertical(classes="window", id="palette"):
            yield Input(placeholder=_("what do you want to do?"), id="typed", compact=True)
            with VerticalScroll(can_focus=False, id="found"):
                yield Choices(_options(self._offered), start=0, label_width=26)
            yield Plain("", id="none", classes="question-note")
            yield Plain(_("Enter does it; Esc closes this."), classes="window-end")

    def on_mount(self) -> None:
        """Listen after the moment a hand needs to stop typing."""
        self.armed_at = _time.get_time() + self._settle_s
        self.query_one("#none").display = False
        self.query_one(Choices).show_mark()
        self.query_one("#typed").focus()

    async def on_input_changed(self, event: Input.Changed) -> None:
        """Only what fits."""
        event.stop()
        found = fitting(self._offered, event.value)
        choices = self.query_one(Choices)
        await choices.offer((), start=0)
        await choices.offer(_options(found), start=0)
        choices.show_mark()
        self.query_one("#none", Plain).say("" if found else _("Nothing fits."))

    def action_move(self, by: int) -> None:
        """Up or down the list."""
        self.query_one(Choices).action_move(by)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The marked one."""
        event.stop()
        self.query_one(Choices).action_choose()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """That one."""
        event.stop()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """None of them."""
        self.dismiss(None)


def _options(found: Sequence[Command]) -> list[Option]:
    return [Option(one.value, one.label, one.note, numbered=False) for one in found]
