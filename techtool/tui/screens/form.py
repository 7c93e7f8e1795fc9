"""A screen with fields: work beside it, one job at a time, complaints where a person looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual.widgets import Input

from techtool.errors import TechtoolError
from techtool.tui.screens.base import HouseScreen
from techtool.tui.views.problem import complaint
from techtool.tui.widgets.text import Plain

T = TypeVar("T")


def quiet(name: str, *, beside: bool = False) -> Plain:
    """A line for ``problem`` or ``note`` that takes no room before it says something."""
    line = Plain("", id=name, classes="problem-text" if name == "problem" else "question-note")
    line.set_class(beside, "beside")
    line.display = False
    return line


class FormScreen(HouseScreen):
    """Has a ``#problem`` for what is wrong, and may have a ``#note`` for what is done."""

    busy = False
    """Whether a job runs; another one waits for the person to ask again."""

    def work(self, job: Callable[[], T], then: Callable[[T], object], doing: str = "") -> None:
        """Do ``job`` in a thread, then go on, or say what is wrong."""
        if self.busy:
            return
        self.busy = True
        self.complain("")
        if doing:
            self.note(doing)
        self.house.in_background(job, then, self.failed, self._rested)

    def _rested(self) -> None:
        self.busy = False

    def failed(self, error: TechtoolError) -> None:
        """Say what is wrong, and what to do."""
        if self.is_mounted:
            self.note("")
            self.complain(complaint(error))
            self.app.bell()

    def complain(self, text: str) -> None:
        """Say what is wrong; empty: nothing is any more."""
        for problem in self.query("#problem").results(Plain):
            problem.say(text)
            if text:
                self.call_after_refresh(problem.scroll_visible, animate=False)

    def note(self, text: str) -> None:
        """Say what is being done, or was."""
        for line in self.query("#note").results(Plain):
            line.say(text)

    async def on_input_changed(self, event: Input.Changed) -> None:
        """The complaint goes when it is being mended."""
        event.stop()
        self.complain("")
