"""Which terminals are due, why, and the way to a visit to one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.screens.history import HistoryScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.views.due import DueRow, due_rows
from techtool.tui.views.lines import Line, Mark, Part, named
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, lines_grid

if TYPE_CHECKING:
    from techtool.domain.due import Due

VISIT, HISTORY = "visit", "history"


class DueScreen(FormScreen):
    """Overdue ones first; a stick adds what waits on it."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "Which terminals that were worked on with this laptop are due: by their maker's cycle, by the releases on a "
        "stick, by published weaknesses, by inspection. Overdue ones come first, urgent ones before others. Choose one "
        "to see why, and to begin a visit to it."
    )

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, DueRow] = {}
        self._stick = ""

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Due terminals"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """The stick, the list."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Stick, to see what waits on it (may be left empty)"), classes="field-title")
            yield Input(
                self.house.hints.stick, placeholder=_("the folder that holds TECHTOOL"), id="stick", compact=True
            )
            yield Plain(_("Looking …"), id="note", classes="question-note")
            yield quiet("problem")
            yield Choices(id="due", start=0, label_width=40, classes="first")

    def on_mount(self) -> None:
        """Look for a stick first."""
        self.query_one(Choices).focus()
        self.house.in_background(self.house.doors.sticks, self._sticks_found, self.house.tell_error)

    def _sticks_found(self, sticks: Sequence[str]) -> None:
        field = self.query_one("#stick", Input)
        if self.is_mounted and len(sticks) == 1 and not field.value:
            field.value = sticks[0]
        self.action_refresh()

    def on_screen_resume(self) -> None:
        """Keys that were meant for the screen above do nothing here."""
        self.arm()

    def action_refresh(self) -> None:
        """Look, with the stick that is named."""
        self._stick = self.query_one("#stick", Input).value.strip().strip('"')
        place = Path(self._stick).expanduser() if self._stick else None
        self.work(lambda: self.house.doors.due(place), self._found, _("Looking …"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Look again."""
        event.stop()
        self.action_refresh()

    async def _found(self, found: Sequence[Due]) -> None:
        rows = due_rows(found, self.house.doors.clock.now().astimezone().date())
        self._rows = {row.serial: row for row in rows}
        overdue = sum(row.mark is Mark.WARNING for row in rows)
        none = _("No terminal was worked on with this laptop yet.")
        self.note(_("{count} terminals, {urgent} urgent").format(count=len(rows), urgent=overdue) if rows else none)
        options = [Option(row.serial, row.label, row.note, mark=row.mark) for row in rows]
        choices = self.query_one(Choices)
        await choices.offer(options, start=0)
        if rows:
            choices.focus()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Why."""
        event.stop()
        row, stick = self._rows[event.value], self._stick
        self.house.open(lambda: DueTerminalScreen(row, stick))


class DueTerminalScreen(FormScreen):
    """Why one terminal is due."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "back")]
    ABOUT: ClassVar[str] = N_(
        "Every reason why this terminal is due. A visit can be begun from here: with the stick that was looked at, and "
        "with this terminal picked where a cable reaches it."
    )

    def __init__(self, row: DueRow, stick: str) -> None:
        super().__init__()
        self._row = row
        self._stick = stick

    def top(self) -> tuple[Part, ...]:
        """Which."""
        return (Part(_("Due terminals"), keep=1), Part(f"SN {self._row.serial}", keep=9))

    def body(self) -> Iterable[Widget]:
        """Reasons, ways."""
        row = self._row
        lines = [Line(row.mark, named(row.label, row.note), row.reasons)]
        ways = [
            Option(VISIT, _("Begin a visit to it"), _("terminal and stick are filled in; nothing is done yet")),
            Option(HISTORY, _("Its history"), _("what was found and done")),
        ]
        with VerticalScroll(can_focus=False, classes="body"):
            yield Static(lines_grid(lines, self.glyphs), classes="first", markup=False)
            yield Plain(_("What to do"), classes="heading")
            yield Choices(ways, id="ways", label_width=28)

    def on_mount(self) -> None:
        """Listen."""
        self.arm()
        self.query_one(Choices).focus()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Do it."""
        event.stop()
        serial, stick = self._row.serial, self._stick
        if event.value == VISIT:
            self.house.open(lambda: NewVisitScreen(stick=stick, serial=serial))
        elif event.value == HISTORY:
            self.house.open(lambda: HistoryScreen(serial))
