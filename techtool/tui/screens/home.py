"""Home: unfinished work first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.base import HouseScreen
from techtool.tui.views.home import LANGUAGE, RESUME, HomeFacts, HomeView, OpenVisit, home_view
from techtool.tui.views.lines import Line, Mark, Part, day_and_time
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, lines_grid

LOW: Final = 28
"""Rows below which there is little room."""


def details(visit: OpenVisit) -> tuple[str, ...]:
    """What hangs below an unfinished visit."""
    return (f"{visit.visit}   {visit.since}", visit.where, *([visit.elsewhere] if visit.elsewhere else []))


class HomeScreen(HouseScreen):
    """What waits, what can be begun, how things stand."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "palette", "refresh", "language", "quit")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "refresh", "language")]
    ABOUT: ClassVar[str] = N_(
        "Unfinished visits come first: resume one, or begin a new one. A new visit goes from identifying the terminals "
        "to the report; nothing on a terminal changes before you typed the last four of its serial number."
    )

    def __init__(self) -> None:
        super().__init__()
        self._view = home_view(HomeFacts())

    def top(self) -> tuple[Part, ...]:
        """Who works here, and when."""
        return (Part(self._view.technician, keep=2), Part(day_and_time(self.house.doors.clock.now()), keep=1))

    def body(self) -> Iterable[Widget]:
        """Unfinished work, the menu, the state of things."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Unfinished work"), classes="heading", id="unfinished-title")
            yield Static(id="unfinished", markup=False)
            yield Plain(_("What to do"), classes="heading")
            yield Choices(id="menu", label_width=24)
            yield Plain(_("How things stand"), classes="heading")
            yield Static(id="state", markup=False)

    async def on_mount(self) -> None:
        """Show what is known at once; the rest is looked up behind it."""
        await self.show_home(self.house.home_facts)
        self.query_one(Choices).focus()

    def on_screen_resume(self) -> None:
        """Look again: a visit may have ended."""
        self.arm()
        self.house.look_around()

    async def show_home(self, facts: HomeFacts) -> None:
        """Draw home from these facts."""
        self._view = view = home_view(facts)
        self.tell_top()
        self._show_unfinished(view)
        options = [Option(entry.value, entry.label, entry.note) for entry in view.entries]
        await self.query_one(Choices).offer(options, start=0)
        self.query_one("#state", Static).update(lines_grid(view.state, self.glyphs, indent=2))

    def _show_unfinished(self, view: HomeView) -> None:
        for name in ("#unfinished", "#unfinished-title"):
            self.query_one(name).display = bool(view.unfinished)
        low = self.app.size.height < LOW
        lines = [
            Line(
                Mark.BUSY if visit.elsewhere else Mark.NEEDS,
                f"{visit.what}   {visit.elsewhere or visit.where}" if low else visit.what,
                () if low else details(visit),
            )
            for visit in view.unfinished
        ]
        if view.more_unfinished:
            more = _("and {count} more under “Visits and reports”").format(count=view.more_unfinished)
            lines.append(Line(Mark.NOTE, more))
        self.query_one("#unfinished", Static).update(lines_grid(lines, self.glyphs, indent=2, words=False))

    def on_resize(self) -> None:
        """Where there is little room each unfinished visit has one line, so that the whole menu is seen."""
        if self.is_mounted and self.query("#unfinished"):
            self._show_unfinished(self._view)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Go there."""
        event.stop()
        house = self.house
        match event.value:
            case value if value.startswith(RESUME):
                house.resume_visit(value.removeprefix(RESUME))
            case value if value == LANGUAGE:
                house.change_language()
            case value:
                house.go(value)

    def action_refresh(self) -> None:
        """Look again."""
        self.house.look_around()

    def action_language(self) -> None:
        """The other language."""
        self.house.change_language()
