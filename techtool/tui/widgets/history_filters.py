"""What narrows a search of the history down: site, release, days, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from techtool.domain.history_search import Search, begins
from techtool.i18n import _
from techtool.tui.views.history import day_of, ends_in
from techtool.tui.widgets.choices import Choices, Option

if TYPE_CHECKING:
    from techtool.domain.history import TerminalEntry


class HistoryFilters(Vertical):
    """Two fields a line, so that the list keeps its room on a low terminal; then the ends that occur."""

    @dataclass
    class Changed(Message):
        """Something else is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self._end = ""
        self._ends: tuple[tuple[str, str], ...] = ()

    def compose(self) -> ComposeResult:
        """Fields, ends."""
        with Horizontal(classes="pair"):
            yield Input(placeholder=_("site or merchant"), id="site", max_length=100, compact=True)
            yield Input(placeholder=_("release, or release@version"), id="release", max_length=200, compact=True)
        with Horizontal(classes="pair"):
            yield Input(placeholder=_("from this day on: 2026-11-22"), id="since", max_length=12, compact=True)
            yield Input(placeholder=_("up to and with: 2026-11-22"), id="until", max_length=12, compact=True)
        yield Choices(id="ends", label_width=0)

    async def offer(self, entries: Sequence[TerminalEntry]) -> None:
        """Only ends that occur can be chosen."""
        self._ends = ends_in(entries)
        if self._end not in dict(self._ends):
            self._end = ""
        await self._show_ends()

    async def _show_ends(self) -> None:
        choices = self.query_one(Choices)
        choices.display = len(self._ends) > 1
        await choices.offer([Option(word, label, picked=word == self._end) for word, label in self._ends])

    def narrowed(self, search: Search, zone: tzinfo) -> Search:
        """``search`` with what is entered here; days by ``zone``. Raises :class:`UsageError` for a day that is none."""
        values = {name: self.query_one(f"#{name}", Input).value.strip() for name in ("site", "release")}
        since, until = (day_of(self.query_one(f"#{name}", Input).value) for name in ("since", "until"))
        return replace(
            search,
            site=values["site"],
            release=values["release"],
            since=begins(since, zone),
            until=begins(until, zone, days=1),
            outcome=self._end,
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        """Searched while it is typed, but a day only when it is whole."""
        event.stop()
        if event.input.id in ("site", "release"):
            self.post_message(self.Changed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search, and to the next field."""
        event.stop()
        self.post_message(self.Changed())
        self.screen.focus_next()

    def on_descendant_blur(self) -> None:
        """A day that was left is whole."""
        self.post_message(self.Changed())

    async def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """This end, or any."""
        event.stop()
        self._end = "" if self._end == event.value else event.value
        await self._show_ends()
        self.post_message(self.Changed())
