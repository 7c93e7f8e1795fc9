"""A problem: what happened, in what state things are, numbered ways on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from techtool.domain.question import Question
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.base import VisitScreenBase
from techtool.tui.views.lines import Line, Mark
from techtool.tui.views.problem import AGAIN, FORM, HOME, RESUME, ProblemView, problem_view
from techtool.tui.views.visit import VisitView
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, facts_grid, lines_grid


class ProblemScreen(VisitScreenBase):
    """Nothing is marked at first: enter alone does nothing."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "log")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "log"), Binding("escape", "leave", show=False)]
    ABOUT: ClassVar[str] = N_(
        "Something stopped. Read in what state things are, do what is said, then choose a way on by its number. "
        "The code is what the office asks for."
    )

    def __init__(self) -> None:
        super().__init__()
        self._shown: ProblemView | None = None
        self._question: Question | None = None

    def body(self) -> Iterable[Widget]:
        """What, state, advice, ways on."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain("", id="problem-title")
            yield Static(id="what", markup=False)
            yield Plain(_("What to do"), classes="heading", id="advice-title")
            yield Static(id="advice", markup=False)
            yield Plain(_("Ways on"), classes="heading")
            yield Choices(id="ways", label_width=26)
            yield Plain("", id="detail", classes="question-note first")

    def on_mount(self) -> None:
        """Listen from now on."""
        self.arm()

    def show(self, view: VisitView) -> None:
        """Draw the problem in its own turn."""
        self.call_next(self.draw, view)

    async def draw(self, view: VisitView) -> None:
        """Draw the problem of this view."""
        problem = problem_view(view)
        self._question = view.question
        if problem is None or problem == self._shown:
            return
        self._shown = problem
        title = f"{self.glyphs.marks[Mark.STOPPED]} {problem.title}"
        self.query_one("#problem-title", Plain).say(f"{title}   {problem.code}".strip())
        rows = [(_("What happened"), problem.what)]
        rows += [(_("State now") if place == 0 else "", text) for place, text in enumerate(problem.state)]
        self.query_one("#what", Static).update(facts_grid(rows))
        advice = [Line(Mark.NOTE, text) for text in problem.advice]
        self.query_one("#advice", Static).update(lines_grid(advice, self.glyphs))
        self.query_one("#advice-title").display = bool(advice)
        self.query_one("#detail", Plain).say(
            _("For the support desk: {detail}").format(detail=problem.detail) if problem.detail else ""
        )
        await self.query_one(Choices).offer([Option(way.value, way.label, way.cost) for way in problem.ways])

    async def ask(self, _question: Question | None) -> None:
        """Another problem in the same place."""
        self.arm()
        await self.draw(self.house.bridge.view)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Go that way."""
        event.stop()
        if self._question is not None:
            self.house.answer(self._question, event.value)
            return
        match event.value:
            case value if value == AGAIN:
                self.house.try_again()
            case value if value == FORM:
                self.house.back_to_form()
            case value if value == RESUME:
                self.house.resume_visit(self.house.bridge.view.visit)
            case value if value == HOME:
                self.house.go_home()

    def action_leave(self) -> None:
        """Home, where nothing runs any more; while a terminal waits for a way on, one has to be chosen."""
        self.house.go_home()

    def action_log(self) -> None:
        """Everything that happened."""
        self.house.open_log()
