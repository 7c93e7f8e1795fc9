"""Many terminals beside each other, and each of them by itself: the same screens as for a single one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import DataTable, Static

from techtool.domain.question import Question
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.meter import FleetMeter
from techtool.tui.screens.base import VisitScreenBase
from techtool.tui.screens.plan import PlanScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.screens.visit import VisitScreen, secret_hint
from techtool.tui.theme import COLOUR, DIM
from techtool.tui.views.fleet import counts, overall_line, pace_words, rows_of, waiting_line
from techtool.tui.views.lines import Mark, Part
from techtool.tui.views.run import fleet_safety
from techtool.tui.views.visit import VisitView
from techtool.tui.widgets.fleet_table import FleetTable
from techtool.tui.widgets.question import QuestionPanel
from techtool.tui.widgets.text import Plain
from techtool.tui.widgets.waiting import WaitingLine
from techtool.visit.services import VisitRequest


class FleetScreen(VisitScreenBase):
    """Counts, all transfers together, one row a terminal, and who waits for the person."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "next_lane", "stop", "log")
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("help", "next_lane", "stop", "log"),
        Binding("n", "next_lane", show=False),
    ]
    ABOUT: ClassVar[str] = N_(
        "Every terminal of the visit; those that need you come first. Enter opens the marked one, F7 or n the one that "
        "has waited longest. One terminal's failure stops no other; no key cuts a write."
    )

    def __init__(self) -> None:
        super().__init__()
        self._meter: FleetMeter | None = None

    def top(self) -> tuple[Part, ...]:
        """The visit, how many terminals, in what order."""
        view = self.house.bridge.view
        count = _("{count} terminals").format(count=len(view.lanes))
        request = self.house.bridge.request
        pace = pace_words(request.pace) if isinstance(request, VisitRequest) else ""
        return (Part(view.visit, keep=1), Part(count, keep=3), Part(pace, keep=2))

    def body(self) -> Iterable[Widget]:
        """Counts, all together, the table, the visit's own question, who waits."""
        yield Static(id="counts", markup=False)
        yield Plain("", id="overall")
        yield FleetTable()
        yield QuestionPanel(id="question")
        yield WaitingLine()

    def on_mount(self) -> None:
        """Show what is there already."""
        self._meter = FleetMeter(self.house.doors.clock)
        self.query_one(QuestionPanel).display = False
        self.query_one(WaitingLine).display = False
        self.query_one(FleetTable).focus()
        self._draw(self.house.bridge.view)

    def on_screen_resume(self) -> None:
        """Back from one terminal, or from a window: keys that were meant for it do nothing here."""
        self.arm()
        if self.ready:
            self._draw(self.house.bridge.view)
            self.query_one(FleetTable).mark(self.house.bridge.take_offer())

    def on_resize(self) -> None:
        """More columns, or fewer."""
        if self.ready:
            self._draw(self.house.bridge.view)

    def show(self, view: VisitView) -> None:
        """Draw the visit; while another screen lies above, only the bytes are noted."""
        if self.is_current:
            self._draw(view)
        elif self._meter is not None:
            self._meter.take(view)

    def _draw(self, view: VisitView) -> None:
        self.tell_top()
        rows = rows_of(view)
        line = Text()
        for mark, text in counts(rows):
            line.append(f"{self.glyphs.marks[mark]} {text}   ", style=COLOUR[mark] if mark is not Mark.WAITING else DIM)
        self.query_one("#counts", Static).update(line)
        if self._meter is not None:
            self.query_one("#overall", Plain).say(overall_line(self._meter.take(view)))
        self.query_one(FleetTable).show_rows(rows)
        now_s = self.house.doors.clock.monotonic_s()
        self.query_one(WaitingLine).tell(waiting_line(view, now_s), fleet_safety(view))

    async def ask(self, question: Question | None) -> None:
        """A question about the visit as a whole; those about terminals are asked on their own screens."""
        self.arm()
        await self.query_one(QuestionPanel).ask(question, secret_hint(self, question))
        if question is None:
            self.query_one(FleetTable).focus()

    def on_question_panel_answered(self, event: QuestionPanel.Answered) -> None:
        """Hand the answer to the engine."""
        event.stop()
        self.house.answer(event.question, event.text)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open that terminal."""
        event.stop()
        if event.row_key.value:
            self.house.look(event.row_key.value)

    def action_next_lane(self) -> None:
        """Open the terminal that has waited longest."""
        self.house.next_lane()

    def action_stop(self) -> None:
        """All of them, each where a person is asked next."""
        self.house.stop_visit()

    def action_log(self) -> None:
        """Everything that happened."""
        self.house.open_log()


if TYPE_CHECKING:

    class _Beside(VisitScreenBase):
        def body(self) -> Iterable[Widget]:
            """The terminal's own."""
            return ()

else:
    _Beside = object
    """Not a widget: Textual's styles follow a class's first widget base, which must be the terminal's own screen."""


class _OneOfMany(_Beside):
    """What a terminal's screens have besides when there are others: who else waits, and the ways there."""

    def body(self) -> Iterable[Widget]:
        """The terminal's own, and who else waits."""
        yield from super().body()
        line = WaitingLine()
        line.display = False
        yield line

    def show(self, view: VisitView) -> None:
        """Draw both."""
        super().show(view)
        now_s = self.house.doors.clock.monotonic_s()
        self.query_one(WaitingLine).tell(waiting_line(view, now_s))

    def action_next_lane(self) -> None:
        """To the one that waits next."""
        self.house.next_lane()

    def action_fleet(self) -> None:
        """To all of them."""
        self.house.look("")


_BESIDES: Final = bindings("next_lane", "fleet")


class LaneScreen(_OneOfMany, VisitScreen):
    """One terminal of many."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "fleet", "next_lane", "stop", "log")
    BINDINGS: ClassVar[list[BindingType]] = [*VisitScreen.BINDINGS, *_BESIDES]


class LanePlanScreen(_OneOfMany, PlanScreen):
    """The gate of one terminal of many."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "every_rule", "fleet", "next_lane", "stop")
    BINDINGS: ClassVar[list[BindingType]] = [*PlanScreen.BINDINGS, *_BESIDES]


class LaneProblemScreen(_OneOfMany, ProblemScreen):
    """A problem of one terminal of many."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "fleet", "next_lane", "log")
    BINDINGS: ClassVar[list[BindingType]] = [*ProblemScreen.BINDINGS, *_BESIDES]

    def action_leave(self) -> None:
        """To all of them."""
        self.action_fleet()
