"""Visits and reports: what is on record on this laptop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.base import HouseScreen
from techtool.tui.views.lines import Part
from techtool.tui.views.record import record_rows
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain

if TYPE_CHECKING:
    from techtool.store.index import VisitSummary


class VisitsScreen(HouseScreen):
    """Newest first; choose one to see it."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "Every visit on this laptop, newest first. Choose one to see it, write its report again, resume it, or close "
        "it as stopped."
    )

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Visits and reports"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """The list."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Looking …"), id="none", classes="question-note first")
            yield Choices(id="visits", start=0, label_width=40, classes="first")

    def on_mount(self) -> None:
        """Listen."""
        self.query_one(Choices).focus()

    def on_screen_resume(self) -> None:
        """Read them again: one may have been closed."""
        self.arm()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Read them."""
        self.house.in_background(self.house.doors.visits, self._found, self.house.tell_error)

    async def _found(self, summaries: Sequence[VisitSummary]) -> None:
        rows = record_rows(summaries)
        self.query_one("#none", Plain).say("" if rows else _("No visit is on record yet."))
        options = [Option(row.visit, row.label, row.note, mark=row.mark) for row in rows]
        await self.query_one(Choices).offer(options, start=0)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Show it."""
        event.stop()
        self.house.open_record(event.value)
