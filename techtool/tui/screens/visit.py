"""The visit under way: where it stands, what is confirmed, what it asks, whether it is safe to leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from techtool.domain.question import AnswerKind, Question
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.base import VisitScreenBase
from techtool.tui.theme import AMBER, DIM
from techtool.tui.views.run import headline, items_of, safety, time_left
from techtool.tui.views.visit import LogLine, VisitView, lane_shown
from techtool.tui.widgets.question import QuestionPanel
from techtool.tui.widgets.rail import StepRail
from techtool.tui.widgets.text import Drawn, Plain, grid, lines_grid, mark_text
from techtool.tui.widgets.transfer import TransferBar

LAST_LINES, MORE_LINES = 5, 14
"""Of the steps and of the log: on a low terminal, and on a tall one."""


class VisitScreen(VisitScreenBase):
    """Steps, confirmed progress, questions."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "stop", "log")
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("help", "stop", "log", "scroll_up", "scroll_down", "page_up", "page_down")
    ]
    ABOUT: ClassVar[str] = N_(
        "The stations of the visit and what is under way. Progress counts bytes that the terminal has confirmed. "
        "“Stop safely” ends the visit where you are asked next; no key cuts a write. The visit can be resumed later."
    )

    def body(self) -> Iterable[Widget]:
        """Rail, work, question."""
        with Horizontal(classes="body"):
            yield StepRail()
            with Vertical(id="work"):
                yield Plain("", id="headline")
                yield TransferBar()
                yield Plain("", id="left")
                yield Plain("", id="slow")
                yield Plain("", id="safety")
                with VerticalScroll(can_focus=False, id="happenings"):
                    yield Drawn(id="items")
                    yield Drawn(id="log")
        yield QuestionPanel(id="question")

    def on_mount(self) -> None:
        """Show what is there already."""
        self.query_one(QuestionPanel).display = False
        self.show(self.house.bridge.view)

    def show(self, view: VisitView) -> None:
        """Draw the visit."""
        self.tell_top()
        lane = view.lane
        self.query_one(StepRail).show_lane(lane_shown(view))
        self.query_one("#headline", Plain).say(headline(view))
        self.query_one(TransferBar).show_transfer(view.transfer)
        left, slow = time_left(lane)
        self.query_one("#left", Plain).say(left)
        self.query_one("#slow", Plain).say(slow)
        warn, text = safety(view)
        hint = self.query_one("#safety", Plain)
        hint.say(text)
        hint.set_class(warn, "-warn")
        most = MORE_LINES if self.has_class("-tall") else LAST_LINES
        items = items_of(view, most)
        self.query_one("#items", Drawn).tell(items, lambda: lines_grid(items, self.glyphs, words=False))
        self.query_one("#items").display = len(items) > 1
        last = [line for line in view.log if line.lane in ("", view.current)][-most:]
        self.query_one("#log", Drawn).tell(last, lambda: log_grid(last, self))

    async def ask(self, question: Question | None) -> None:
        """Put the engine's question, or none."""
        self.arm()
        await self.query_one(QuestionPanel).ask(question, secret_hint(self, question))

    def on_question_panel_answered(self, event: QuestionPanel.Answered) -> None:
        """Hand the answer to the engine."""
        event.stop()
        self.house.answer(event.question, event.text)

    def action_stop(self) -> None:
        """Stop where a person is asked next."""
        self.house.stop_visit()

    def action_log(self) -> None:
        """Everything that happened."""
        self.house.open_log()

    def action_scroll_up(self) -> None:
        """Scroll."""
        self.query_one("#happenings").scroll_up(animate=False)

    def action_scroll_down(self) -> None:
        """Scroll."""
        self.query_one("#happenings").scroll_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll."""
        self.query_one("#happenings").scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        """Scroll."""
        self.query_one("#happenings").scroll_page_down(animate=False)


class LogScreen(VisitScreenBase):
    """Everything that happened in this run of the visit."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "back")]
    ABOUT: ClassVar[str] = N_("Everything that happened in this run of the visit, newest last.")

    def __init__(self) -> None:
        super().__init__()
        self._drawn: tuple[LogLine, ...] | None = None

    def body(self) -> Iterable[Widget]:
        """The lines."""
        with VerticalScroll(classes="body", id="whole-log"):
            yield Static(id="log", markup=False)

    def on_mount(self) -> None:
        """Show them."""
        self.show(self.house.bridge.view)
        self.query_one("#whole-log").focus()

    def show(self, view: VisitView) -> None:
        """Draw the lines, stay at the end."""
        if view.log is self._drawn:
            return
        self._drawn = view.log
        names = {lane.lane: lane.name for lane in view.lanes} if view.fleet else {}
        self.query_one("#log", Static).update(log_grid(view.log, self, names))
        self.query_one("#whole-log").scroll_end(animate=False)


def log_grid(lines: Iterable[LogLine], screen: VisitScreenBase, names: Mapping[str, str] | None = None) -> Table:
    """Time, mark, text; among many terminals also which one, by ``names``."""
    rows = []
    for line in lines:
        body = Text()
        if names:
            body.append(f"{names.get(line.lane, '')} ".rjust(3), style=DIM)
        body.append_text(mark_text(line.mark, screen.glyphs))
        body.append(f" {line.text}", style=DIM if line.mark.value in ("note", "ok") else AMBER)
        rows.append((Text(line.time, style=DIM), body))
    return grid(rows)


def secret_hint(screen: VisitScreenBase, question: Question | None) -> str:
    """The demo's passphrase, where one is asked for."""
    passphrase = screen.house.hints.passphrase
    if question is None or question.kind is not AnswerKind.SECRET or not passphrase:
        return ""
    return _("Demo: it is {passphrase}").format(passphrase=passphrase)
