"""The end of a visit: outcome, reports, what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from techtool.domain.question import Question
from techtool.domain.visit import VisitRecord
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.base import VisitScreenBase
from techtool.tui.views.conclusion import conclusion_line
from techtool.tui.views.lines import Line, Mark, Part
from techtool.tui.views.reports import report_lines
from techtool.tui.views.result import result_view
from techtool.tui.widgets.text import Plain, lines_grid


class ResultScreen(VisitScreenBase):
    """How it ended."""

    KEYS: ClassVar[tuple[str, ...]] = ("home", "open_report", "log", "help")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("home", "open_report", "log", "help")]
    ABOUT: ClassVar[str] = N_(
        "How the visit ended, terminal by terminal, where its reports are, and what comes next. The report can be "
        "opened here; from Home it can be written again at any time."
    )

    def top(self) -> tuple[Part, ...]:
        """The visit."""
        return (Part(self.house.bridge.view.visit, keep=1),)

    def body(self) -> Iterable[Widget]:
        """Outcome, terminals, reports, what next."""
        with VerticalScroll(classes="body", id="result"):
            yield Plain("", id="result-title")
            yield Static(id="conclusion", markup=False)
            yield Plain("", id="took", classes="question-note")
            yield Plain(_("Terminals"), classes="heading")
            yield Static(id="terminals", markup=False)
            yield Plain(_("What comes next"), classes="heading")
            yield Static(id="following", markup=False)
            yield Plain(_("Reports"), classes="heading", id="reports-title")
            yield Static(id="reports", markup=False)

    def on_mount(self) -> None:
        """Draw it."""
        self.arm()
        self.query_one("#conclusion").display = False
        view = result_view(self.house.bridge.view)
        if view is None:
            return
        title = self.query_one("#result-title", Plain)
        title.say(f"{self.glyphs.marks[view.mark]} {view.title}")
        title.add_class(f"-{view.mark.value}")
        self.query_one("#took", Plain).say(view.took)
        self.query_one("#terminals", Static).update(lines_grid(view.terminals, self.glyphs, words=False))
        files = report_lines(self.house.doors.reports(view.visit))
        self.query_one("#reports", Static).update(lines_grid(files, self.glyphs))
        for name in ("#reports", "#reports-title"):
            self.query_one(name).display = bool(files)
        following = [Line(Mark.NOTE, text) for text in view.following]
        self.query_one("#following", Static).update(lines_grid(following, self.glyphs))
        self.query_one("#result").focus()
        self.house.in_background(lambda: self.house.doors.record(view.visit), self._recorded, lambda _error: None)

    def _recorded(self, record: VisitRecord) -> None:
        """What the merchant was shown when they signed: a good end of every terminal is not yet a complete visit."""
        line = conclusion_line(record)
        if line is not None and self.is_mounted:
            self.query_one("#conclusion", Static).update(lines_grid([line], self.glyphs, words=False))
            self.query_one("#conclusion").display = True

    async def ask(self, question: Question | None) -> None:
        """Nothing is asked here."""

    def action_open_report(self) -> None:
        """The page in the language of the screens."""
        self.house.open_report(self.house.bridge.view.visit)

    def action_log(self) -> None:
        """Everything that happened."""
        self.house.open_log()
