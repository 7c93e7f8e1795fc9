"""A question of the screens themselves, asked in a window: the same panel as the engine's questions."""

from __future__ import annotations

from typing import ClassVar

from textual import _time
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from techtool.domain.question import Question
from techtool.i18n import _
from techtool.tui.widgets.question import QuestionPanel
from techtool.tui.widgets.text import Plain


class AskScreen(ModalScreen[str | None]):
    """Returns the answer, or None when the person went back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]
    armed_at: float = 0.0

    def __init__(self, title: str, question: Question, hint: str = "", settle_s: float = 0.0) -> None:
        super().__init__()
        self._title_text = title
        self._question = question
        self._hint = hint
        self._settle_s = settle_s

    def compose(self) -> ComposeResult:
        """The window."""
        with Vertical(classes="window"):
            yield Plain(self._title_text, classes="window-title")
            yield QuestionPanel(id="question")
            yield Plain(_("Esc goes back; nothing is done then."), classes="window-end")

    async def on_mount(self) -> None:
        """Ask."""
        self.armed_at = _time.get_time() + self._settle_s
        await self.query_one(QuestionPanel).ask(self._question, self._hint)

    def on_question_panel_answered(self, event: QuestionPanel.Answered) -> None:
        """Hand it over."""
        event.stop()
        self.dismiss(event.text)

    def action_leave(self) -> None:
        """No answer."""
        self.dismiss(None)
