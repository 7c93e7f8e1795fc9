"""The app: starts, guards against keys typed too early, and comes to an orderly end whatever ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import ClassVar, Final

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from techtool.i18n import set_language
from techtool.paths import Paths
from techtool.settings import read_settings
from techtool.tui.actions import bindings
from techtool.tui.doors import Doors, HouseDoors
from techtool.tui.house import RESTART, TICK_S, House, VisitChanged
from techtool.tui.screens.home import HomeScreen
from techtool.tui.setup_flow import looks_ready
from techtool.tui.terminal import lasting
from techtool.tui.theme import THEME, Glyphs, glyphs_for, scroll_bars
from techtool.visit.hints import Hints

SETTLE_S: Final = 0.35
"""How long a new question turns a deaf ear: a hand that was typing needs this to stop."""
_GUARDED: Final = (events.Key, events.Paste, events.MouseDown, events.MouseUp)
_SIGNALS: Final = ("SIGHUP", "SIGTERM")


class TechtoolApp(App[int]):
    """One window on one house."""

    TITLE = "techtool"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("quit", "palette"), Binding("f10", "palette", show=False)]

    def __init__(self, doors: Doors, hints: Hints, *, settle_s: float = SETTLE_S) -> None:
        super().__init__()
        settings = read_settings(doors.paths.settings)
        self.glyphs: Glyphs = glyphs_for(ascii_only=settings.ascii)
        scroll_bars(self.glyphs)
        self.house = House(self, doors, hints, self.glyphs, settle_s)

    def get_driver_class(self) -> type[Driver]:
        """The system's own, on a terminal that may go away."""
        return lasting(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        """Home lies under everything."""
        return HomeScreen()

    async def on_mount(self) -> None:
        """Colours, the signals that end a session, the first run where one is due."""
        self.register_theme(THEME)
        self.theme = THEME.name
        if self.glyphs.separator == "-":
            self.add_class("-ascii")
        loop = asyncio.get_running_loop()
        for name in _SIGNALS:
            with contextlib.suppress(NotImplementedError, AttributeError, ValueError, RuntimeError):
                loop.add_signal_handler(getattr(signal, name), self.exit, 130)
        self.set_interval(TICK_S, self.house.tick)
        if not looks_ready(self.house.paths):
            from techtool.tui.screens.first_run import FirstRunScreen

            await self.push_screen(FirstRunScreen())

    async def on_unmount(self) -> None:
        """Whatever runs ends here, before the loop does; the journal holds what was begun."""
        await self.house.close()

    async def on_visit_changed(self, message: VisitChanged) -> None:
        """Follow the visit."""
        await self.house.follow(message.view)

    async def on_event(self, event: events.Event) -> None:
        """Keys and clicks that were meant for the screen before this one do nothing."""
        armed_at = getattr(self.screen, "armed_at", 0.0) if self.screen_stack else 0.0
        if isinstance(event, _GUARDED) and event.time < armed_at:
            return
        await super().on_event(event)

    async def action_quit(self) -> None:
        """Leave, at a safe point."""
        self.house.quit()

    def action_palette(self) -> None:
        """Everything that can be done: our own list, because Textual's is English and reads markup."""
        self.house.open_palette()

    def action_help_quit(self) -> None:
        """``ctrl+c`` does not end a visit; the footer and the help say what does."""


def run_app(paths: Paths, hints: Hints | None = None) -> int:
    """Open the screens over a home folder until they are left; returns an exit code.

    Raises :class:`BadSettings` before anything is drawn. Another language builds the app again in place.
    """
    while True:
        chosen = read_settings(paths.settings).language
        if chosen:
            set_language(chosen)
        code = TechtoolApp(HouseDoors(paths), hints or Hints()).run()
        if code != RESTART:
            return code or 0
