"""What every screen of the house is: a top line, a body, a footer, help, and a guard against keys typed too early."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import _time
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widget import Widget

from techtool.i18n import N_
from techtool.tui.actions import bindings
from techtool.tui.theme import Glyphs
from techtool.tui.views.lines import Part
from techtool.tui.widgets.bars import KeyBar, TopLine

if TYPE_CHECKING:
    from techtool.tui.app import TechtoolApp
    from techtool.tui.house import House
    from techtool.tui.views.visit import VisitView


class HouseScreen(Screen[None]):
    """A screen; ``KEYS`` names its actions in the registry, the first five stand in the footer."""

    KEYS: ClassVar[tuple[str, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("page_up", "page_down")]
    ABOUT: ClassVar[str] = N_("techtool brings releases onto payment terminals and proves what was done.")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-wide")]  # noqa: RUF012 - Textual reads it as it is
    VERTICAL_BREAKPOINTS = [(0, "-low"), (28, "-tall")]  # noqa: RUF012

    armed_at: float = 0.0
    """Keys typed before this moment were meant for what was on the screen before."""

    @property
    def house(self) -> House:
        """What may be asked for."""
        return cast("TechtoolApp", self.app).house

    @property
    def glyphs(self) -> Glyphs:
        """The marks to draw with."""
        return self.house.glyphs

    def compose(self) -> ComposeResult:
        """Top line, body, footer."""
        yield TopLine(*self.top())
        yield from self.body()
        yield KeyBar(self.KEYS)

    @abstractmethod
    def body(self) -> Iterable[Widget]:
        """What stands between top line and footer."""

    def top(self) -> tuple[Part, ...]:
        """Parts of the top line."""
        return ()

    def tell_top(self) -> None:
        """Draw the top line anew."""
        self.query_one(TopLine).tell(self.top())

    def arm(self) -> None:
        """Listen from now on, after the moment a hand needs to stop typing."""
        self.armed_at = _time.get_time() + self.house.settle_s

    def action_help(self) -> None:
        """The keys of this screen."""
        self.house.show_help(self.KEYS, self.ABOUT)

    def action_page_up(self) -> None:
        """Scroll what is longer than the window, while the cursor stays where it is."""
        for body in self.query(".body").results(VerticalScroll):
            body.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        """Scroll."""
        for body in self.query(".body").results(VerticalScroll):
            body.scroll_page_down(animate=False)

    def action_back(self) -> None:
        """To the screen before."""
        self.house.back()

    def action_home(self) -> None:
        """To the first screen."""
        self.house.go_home()


class VisitScreenBase(HouseScreen):
    """A screen that shows the visit under way."""

    ready = False
    """Whether its parts are there to be drawn on."""

    def on_mount(self) -> None:
        """Runs after the screen's own ``on_mount``: from now on it is told of every change, and of the one just now."""
        self.ready = True
        self.house.screen_ready()

    def show(self, view: VisitView) -> None:
        """Show this view; called for every change."""

    def top(self) -> tuple[Part, ...]:
        """The visit, the terminal, its serial number: the serial number stays longest."""
        return visit_top(self.house.bridge.view)


def visit_top(view: VisitView) -> tuple[Part, ...]:
    """The parts that name what is worked on."""
    lane = view.lane
    parts = [Part(view.visit, keep=1)]
    if lane is not None:
        parts += [Part(lane.model, keep=2)]
        if lane.serial:
            parts.append(Part(f"SN {lane.serial}", keep=9))
        parts.append(Part(lane.address, keep=0))
    return tuple(parts)
