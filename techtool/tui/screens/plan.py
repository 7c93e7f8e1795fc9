"""The plan: the one gate. Nothing on the terminal changes before the last four of its serial number are typed here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from techtool.domain.question import Question
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.base import VisitScreenBase
from techtool.tui.theme import AMBER, COLOUR, DIM, STRONG
from techtool.tui.views.plan import PlannedRelease, PlanView, plan_view
from techtool.tui.views.visit import VisitView
from techtool.tui.widgets.question import QuestionPanel
from techtool.tui.widgets.text import Plain, facts_grid, lines_grid, mark_text


class PlanScreen(VisitScreenBase):
    """Effects, times, downtime, undo; every release with its reasons; then the typed word."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "every_rule", "stop", "log")
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("help", "every_rule", "stop", "log", "scroll_up", "scroll_down", "page_up", "page_down")
    ]
    ABOUT: ClassVar[str] = N_(
        "What will happen to this terminal, how long it takes, how long payments are down, and what can be undone. "
        "Every release of the stick is listed with what speaks against it. The work begins when you type the last "
        "four of the serial number that stands on the terminal's label, and not before."
    )

    def __init__(self) -> None:
        super().__init__()
        self._every_rule = False
        self._drawn: tuple[object, ...] = ()

    def body(self) -> Iterable[Widget]:
        """The plan above, the question below."""
        with VerticalScroll(can_focus=False, classes="body", id="plan"):
            yield Plain(_("What will happen"), classes="heading")
            yield Static(id="steps", markup=False)
            yield Static(id="times", markup=False)
            yield Plain(_("Releases on the stick"), classes="heading", id="releases-title")
            yield Static(id="releases", markup=False)
            yield Plain("", id="met", classes="question-note")
        yield QuestionPanel(id="question")

    def on_mount(self) -> None:
        """Draw it."""
        self.show(self.house.bridge.view)

    def show(self, view: VisitView) -> None:
        """Draw the plan of the terminal that is asked about."""
        self.tell_top()
        lane = view.lane
        if lane is None or lane.plan is None:
            return
        drawn = (lane.plan, lane.risk, self._every_rule)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        plan = plan_view(lane.plan, lane.model, lane.system, every_rule=self._every_rule, risk=lane.risk)
        self.query_one("#steps", Static).update(steps_table(plan))
        self.query_one("#times", Static).update(times_table(plan))
        self.query_one("#releases", Static).update(self._releases(plan))
        hidden = _("{count} rules are met; F4 shows them.").format(count=plan.hidden_rules)
        self.query_one("#met", Plain).say(hidden if plan.hidden_rules else "")

    async def ask(self, question: Question | None) -> None:
        """The question below the plan."""
        self.arm()
        await self.query_one(QuestionPanel).ask(question)

    def on_question_panel_answered(self, event: QuestionPanel.Answered) -> None:
        """Hand the answer to the engine."""
        event.stop()
        self.house.answer(event.question, event.text)

    def _releases(self, plan: PlanView) -> Table:
        table = Table.grid(padding=(0, 1, 0, 0), expand=True, pad_edge=False)
        table.add_column(width=1)
        table.add_column(ratio=1, overflow="fold")
        for release in plan.releases:
            table.add_row(mark_text(release.mark, self.glyphs), _name(release))
            if release.news:
                table.add_row("", Text(release.news))
            if release.rules:
                table.add_row("", lines_grid(release.rules, self.glyphs))
        return table

    def action_every_rule(self) -> None:
        """Show the rules that are met too, with the place where they stand; or hide them, and back to the top."""
        self._every_rule = not self._every_rule
        self.show(self.house.bridge.view)
        if self._every_rule:
            self.call_after_refresh(self.query_one("#releases-title").scroll_visible, animate=False, top=True)
        else:
            self.query_one("#plan").scroll_home(animate=False)

    def action_stop(self) -> None:
        """Not now."""
        self.house.stop_visit()

    def action_log(self) -> None:
        """Everything that happened."""
        self.house.open_log()

    def action_scroll_up(self) -> None:
        """Scroll the plan while the cursor stays in the field."""
        self.query_one("#plan").scroll_up(animate=False)

    def action_scroll_down(self) -> None:
        """Scroll."""
        self.query_one("#plan").scroll_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll."""
        self.query_one("#plan").scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        """Scroll."""
        self.query_one("#plan").scroll_page_down(animate=False)


def _name(release: PlannedRelease) -> Text:
    text = Text.assemble((release.name, f"bold {STRONG}"))
    text.append(f"   {release.verdict}", style=COLOUR[release.mark])
    return text


def steps_table(plan: PlanView) -> Table:
    """Number, what and its effect, how long; what changes the terminal stands out."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True, pad_edge=False)
    table.add_column(width=2, justify="right")
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", max_width=18)
    for step in plan.steps:
        what = Text.assemble((step.title, f"bold {STRONG}" if step.changes else "bold"))
        what.append(f"\n{step.effect}", style=AMBER if step.changes else DIM)
        time = Text(step.time)
        if step.attended:
            time.append("\n" + _("with you"), style=DIM)
        table.add_row(Text(str(step.number), style=DIM), what, time)
    return table


def times_table(plan: PlanView) -> Table:
    """The three figures that a merchant asks for, and what can be undone."""
    return facts_grid(
        [
            (_("All together"), plan.total),
            (_("of it with you"), plan.attended),
            (_("Payments down"), plan.downtime),
            (_("Undo"), plan.undo),
            *([(_("Risk"), plan.risk)] if plan.risk else []),
        ],
        indent=2,
    )
