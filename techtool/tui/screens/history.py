"""The history of terminals: a search, one line a terminal, and each terminal's visits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from techtool.domain.history_search import Search, TerminalHistory, by_terminal
from techtool.errors import UsageError
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.history import fate_lines, outcome_mark, terminal_facts, terminal_rows, timeline
from techtool.tui.views.lines import Part
from techtool.tui.views.problem import complaint
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.history_filters import HistoryFilters
from techtool.tui.widgets.text import Plain, facts_grid, lines_grid

if TYPE_CHECKING:
    from techtool.tui.back_doors import Remembered

SHOWN: Final = 50
"""Terminals listed at once: more is what the search is for."""


class HistoryScreen(FormScreen):
    """Type to search; choose a terminal to see its visits."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "filters", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "filters", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "What was found and done with this laptop. The search takes a serial number or a part of one, the last four of "
        "a terminal or merchant number, a merchant, an order number, a technician. The terminals worked on last come "
        "first; Enter or the down arrow goes from the search to the list. F4 narrows it down by site, release, days or "
        "how it ended; of a release it is also said how it fared and on which terminals it runs."
    )

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text
        self._remembered: Remembered | None = None
        self._found: dict[str, TerminalHistory] = {}

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("History of terminals"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """Search, terminals."""
        yield Input(self._text, placeholder=_("serial number, merchant, order, technician …"), id="text", compact=True)
        yield HistoryFilters()
        yield Plain(_("Looking …"), id="note", classes="question-note beside")
        yield quiet("problem", beside=True)
        with VerticalScroll(can_focus=False, classes="body"):
            yield Static(id="fates", markup=False)
            yield Choices(id="terminals", label_width=28)

    def on_mount(self) -> None:
        """Listen."""
        for quiet_one in (self.query_one(HistoryFilters), self.query_one("#fates")):
            quiet_one.display = False
        self.query_one("#text").focus()

    def on_screen_resume(self) -> None:
        """Look again."""
        self.arm()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look."""
        self.work(self.house.doors.history, self._read)

    async def _read(self, remembered: Remembered) -> None:
        self._remembered = remembered
        await self.query_one(HistoryFilters).offer(remembered.entries)
        await self._search()

    async def action_filters(self) -> None:
        """Show what narrows the search down; or hide it, and search without."""
        filters = self.query_one(HistoryFilters)
        filters.display = not filters.display
        self.query_one("#site" if filters.display else "#text").focus()
        await self._search()

    async def on_history_filters_changed(self, event: HistoryFilters.Changed) -> None:
        """Search anew."""
        event.stop()
        await self._search()

    async def on_input_changed(self, event: Input.Changed) -> None:
        """Search while it is typed."""
        event.stop()
        await self._search()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """To the list."""
        event.stop()
        if self.query_one("#terminals", Choices).options:
            self.query_one("#terminals", Choices).focus()

    async def _search(self) -> None:
        if self._remembered is None:
            return
        try:
            search = self._wanted()
        except UsageError as error:
            self.complain(complaint(error))
            return
        self.complain("")
        fitting = [entry for entry in self._remembered.entries if search.fits(entry)]
        found = by_terminal(fitting)
        self._found = {one.serial: one for one in found}
        self.note(self._words(len(found)))
        told = fate_lines(self._remembered.entries, fitting, search.release)
        self.query_one("#fates", Static).update(lines_grid(told, self.glyphs))
        self.query_one("#fates").display = bool(told)
        rows = terminal_rows(found[-SHOWN:])
        options = [Option(row.serial, row.label, row.note, mark=row.mark) for row in rows]
        await self.query_one("#terminals", Choices).offer(options, start=0)

    def _wanted(self) -> Search:
        """What is looked for; raises :class:`UsageError` for a day that is none."""
        text, filters = self.query_one("#text", Input).value, self.query_one(HistoryFilters)
        if not filters.display:
            return Search(text)
        zone = self.house.doors.clock.now().astimezone().tzinfo or UTC
        return filters.narrowed(Search(text), zone)

    def _words(self, count: int) -> str:
        remembered = self._remembered
        if remembered is None or not remembered.entries:
            return _("No terminal was worked on with this laptop yet.")
        words = [_("{count} terminals").format(count=count) if count else _("Nothing on this laptop fits.")]
        if count > SHOWN:
            words.append(_("the newest {count} are shown").format(count=SHOWN))
        if remembered.damaged:
            words.append(_("{count} damaged records").format(count=len(remembered.damaged)))
        return "  ".join(words)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Show its visits: all of them, not only those that fit the search."""
        event.stop()
        if self._remembered is not None:
            (one,) = by_terminal([entry for entry in self._remembered.entries if entry.serial == event.value])
            self.house.open(lambda: TerminalScreen(one))


class TerminalScreen(FormScreen):
    """One terminal through all visits."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "back")]
    ABOUT: ClassVar[str] = N_(
        "One terminal through all visits with this laptop, newest first: versions before and after, how it ended, "
        "backups, failed tests, incidents. Choose a visit to see its record and reports."
    )

    def __init__(self, one: TerminalHistory) -> None:
        super().__init__()
        self._one = one

    def top(self) -> tuple[Part, ...]:
        """Which."""
        return (Part(_("History of a terminal"), keep=1), Part(f"SN {self._one.serial}", keep=9))

    def body(self) -> Iterable[Widget]:
        """Who it is, its visits, and the way to each record."""
        one = self._one
        visits = [
            Option(entry.visit, entry.visit, mark=outcome_mark(entry))
            for entry in {entry.visit: entry for entry in reversed(one.entries)}.values()
        ]
        with VerticalScroll(classes="body", id="terminal"):
            yield Static(facts_grid(terminal_facts(one)), classes="first", markup=False)
            yield Plain(_("What was done, newest first"), classes="heading")
            yield Static(lines_grid(timeline(one), self.glyphs, words=False), id="timeline", markup=False)
            yield Plain(_("Records"), classes="heading")
            yield Choices(visits, id="visits", start=0)

    def on_mount(self) -> None:
        """Listen; the top is shown first, arrows reach the records."""
        self.arm()
        self.query_one(Choices).focus(scroll_visible=False)
        self.query_one("#terminal").scroll_home(animate=False)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Its record."""
        event.stop()
        self.house.open_record(event.value)
