"""What the screens may ask for.

Screens call these and return at once; the work is done outside their own turn, because a screen that waits for its own
removal waits for ever. What only a visit or another place needs is loaded when the first picture stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final

from textual.app import App
from textual.message import Message
from textual.screen import Screen

from techtool.errors import StoppedHere
from techtool.i18n import _, language
from techtool.paths import Paths
from techtool.tui.background import Background
from techtool.tui.doors import Doors
from techtool.tui.screens.base import HouseScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.setup_flow import save_language, save_look
from techtool.tui.theme import Glyphs
from techtool.tui.views.home import HomeFacts
from techtool.tui.widgets.toast import toast
from techtool.visit.hints import Hints

if TYPE_CHECKING:
    from techtool.domain.question import Question
    from techtool.errors import TechtoolError
    from techtool.tui.bridge import Bridge
    from techtool.tui.navigator import Navigator
    from techtool.tui.views.visit import VisitView
    from techtool.visit.services import VisitRequest

RESTART: Final = -1
"""What the app returns when it is to be built again, in another language."""
TICK_S: Final = 1.0
"""How often the views of a visit are told that time goes by."""
_LATER: Final = ("techtool.tui.bridge", "techtool.tui.navigator", "techtool.tui.places", "techtool.visit.visits")
"""Loaded behind the first picture, so that the first key is answered as quickly as the others."""


@dataclass
class VisitChanged(Message):
    """The view of the visit changed; only the newest counts."""

    view: VisitView

    def can_replace(self, message: Message) -> bool:
        """An older view that waits is out of date."""
        return isinstance(message, VisitChanged)


class House:
    """The intents of the screens."""

    def __init__(self, app: App[int], doors: Doors, hints: Hints, glyphs: Glyphs, settle_s: float) -> None:
        self.app = app
        self.doors = doors
        self.hints = hints
        self.glyphs = glyphs
        self.settle_s = settle_s
        self.home_facts = self._hinted(HomeFacts())
        self.quitting = False
        self._background = Background(self.tell_error)
        self.in_background = self._background.in_thread

    @property
    def paths(self) -> Paths:
        """The home folder."""
        return self.doors.paths

    @cached_property
    def bridge(self) -> Bridge:
        """To the engine; made when the first visit is asked for."""
        from techtool.tui.bridge import Bridge

        app = self.app
        return Bridge(self.doors.engine, self.doors.clock, lambda view: _void(app.post_message(VisitChanged(view))))

    @cached_property
    def _navigator(self) -> Navigator:
        from techtool.tui.navigator import Navigator

        return Navigator(self.app)

    @property
    def _at_work(self) -> bool:
        """Whether a visit runs; asking does not make a bridge."""
        return "bridge" in self.__dict__ and self.bridge.running

    def tick(self) -> None:
        """Time goes by in a visit."""
        if "bridge" in self.__dict__:
            self.bridge.tick()

    async def follow(self, view: VisitView) -> None:
        """Show a changed view; leave when that was asked for and nothing runs any more."""
        if self.quitting and view.over:
            self.app.exit(0)
        elif view.failure is not None and view.failure.code == StoppedHere.code and not view.begun_at:
            await (self._navigator.go_home() if view.resumed else self._navigator.back_to_form())
        else:
            await self._navigator.follow(view)

    def screen_ready(self) -> None:
        """A screen of the visit can be drawn on: tell it what it missed."""
        self.app.post_message(VisitChanged(self.bridge.view))

    # -- intents: the visit -----------------------------------------------------------------------------------------

    def begin_visit(self, request: VisitRequest) -> None:
        """A new visit."""
        self._background.later(self._begin(lambda: self.bridge.begin(request)))

    def resume_visit(self, visit: str) -> None:
        """Go on with an unfinished visit."""

        async def resume() -> None:
            record = await asyncio.to_thread(self.doors.record, visit)
            await self._begin(lambda: self.bridge.resume(record))

        self._background.later(resume())

    async def _begin(self, run: Callable[[], None]) -> None:
        def start() -> bool:
            if self.bridge.running:
                return False
            run()
            return True

        from techtool.tui.screens.fleet import FleetScreen
        from techtool.tui.screens.visit import VisitScreen

        await self._navigator.begin(start, lambda: FleetScreen() if self.bridge.view.fleet else VisitScreen())

    def answer(self, question: Question, text: str) -> None:
        """What the person answered to this question."""
        self.bridge.answer(question, text)

    def look(self, lane: str) -> None:
        """At one of many terminals; ``""``: at all of them."""
        self.bridge.look(lane)

    def next_lane(self) -> None:
        """At the terminal that waits next for the person."""
        waiting = self.bridge.next_waiting()
        if waiting:
            self.bridge.look(waiting)
        elif any(not one.lane for one in self.bridge.view.others):
            self.bridge.look("")
        else:
            toast(self.app, _("No other terminal waits for you now."))

    def stop_visit(self) -> None:
        """Stop at the next safe point."""
        self.bridge.stop()

    def try_again(self) -> None:
        """The same once more."""
        self.bridge.again()

    def back_to_form(self) -> None:
        """To what was entered."""
        self._background.later(self._navigator.back_to_form())

    # -- intents: going places --------------------------------------------------------------------------------------

    def open(self, make: Callable[[], Screen[None]]) -> None:
        """One screen deeper."""
        self._background.later(self._navigator.push(make))

    def go(self, place: str) -> None:
        """To a place from wherever one is; a visit that still runs is never left behind."""
        from techtool.tui.places import SCREENS

        if not self._at_work:
            self._background.later(self._navigator.go(SCREENS[place]))

    def open_palette(self) -> None:
        """Everything that can be done on this screen, and every place."""
        from techtool.tui.screens.first_run import FirstRunScreen
        from techtool.tui.screens.palette import PaletteScreen
        from techtool.tui.views.palette import DO, GO, commands

        screen = self.app.screen
        if not isinstance(screen, HouseScreen):
            return
        free = not self._at_work and not isinstance(screen, FirstRunScreen)
        keys = (*screen.KEYS, *(("language",) if free else ()), "help", "quit")

        def chosen(value: str | None) -> None:
            if value is not None and value.startswith(GO):
                self.go(value.removeprefix(GO))
            elif value is not None:
                self._background.later(self._do(screen, value.removeprefix(DO)))

        palette = PaletteScreen(commands(keys, places=free), self.settle_s)
        self._background.later(self._navigator.ask(palette, chosen))

    async def _do(self, screen: HouseScreen, action: str) -> None:
        """What a key of that screen does, if it is still there."""
        if action == "language":
            self.change_language()
        elif self.app.screen is screen:
            await self.app.run_action(action, screen if hasattr(screen, f"action_{action}") else self.app)

    def open_record(self, visit: str) -> None:
        """One of the records."""
        from techtool.tui.screens.record import RecordScreen

        self.open(lambda: RecordScreen(visit))

    def open_report(self, visit: str) -> None:
        """The page in the language of the screens; its path is told, because not every laptop opens a browser."""
        from techtool.tui.views.reports import report_page

        page = report_page(self.doors.reports(visit)) if visit else None
        if page is None:
            toast(self.app, _("There is no report yet."), warning=True)
            return
        self.app.open_url(page.as_uri())
        toast(self.app, _("Opened in the browser: {path}").format(path=page))

    def open_log(self) -> None:
        """Everything that happened."""
        from techtool.tui.screens.visit import LogScreen

        self.open(LogScreen)

    def show_help(self, keys: tuple[str, ...], about: str) -> None:
        """The keys of a screen."""
        from techtool.tui.screens.help import HelpScreen

        self.open(lambda: HelpScreen(keys, about))

    def back(self) -> None:
        """One screen up."""
        self._background.later(self._navigator.back(self.app.screen))

    def go_home(self) -> None:
        """The first screen; a visit that still runs is never left behind."""
        if not self._at_work:
            self._background.later(self._navigator.go_home())

    def first_run_done(self) -> None:
        """From the first run to home."""
        self.go_home()

    def ask(self, title: str, question: Question, then: Callable[[str], None], hint: str = "") -> None:
        """A question of the screens; ``then`` is called with an answer, not when the person goes back."""

        def answered(text: str | None) -> None:
            if text is not None:
                then(text)

        from techtool.tui.screens.ask import AskScreen

        screen = AskScreen(title, question, hint, self.settle_s)
        self._background.later(self._navigator.ask(screen, answered))

    # -- intents: the rest ------------------------------------------------------------------------------------------

    def look_around(self) -> None:
        """Find out what home shows: first the records, then the drives."""
        self.in_background(self.doors.home_facts, self._facts_found, self._facts_failed)

    async def _facts_found(self, facts: HomeFacts) -> None:
        sticks = self.home_facts.sticks
        await self._show_home(replace(self._hinted(facts), sticks=sticks))
        found = await asyncio.to_thread(self.doors.sticks)
        await self._show_home(replace(self.home_facts, sticks=found))
        await asyncio.to_thread(lambda: [import_module(name) for name in _LATER])

    def _hinted(self, facts: HomeFacts) -> HomeFacts:
        """With what the demo brings."""
        return replace(facts, hinted=len(self.hints.addresses), hinted_stick=self.hints.stick)

    async def _facts_failed(self, error: TechtoolError) -> None:
        await self._show_home(replace(self.home_facts, trouble=error.what_phrase.text()))

    async def _show_home(self, facts: HomeFacts) -> None:
        self.home_facts = facts
        home = next((screen for screen in self.app.screen_stack if isinstance(screen, HomeScreen)), None)
        if home is not None and home.is_mounted:
            await home.show_home(facts)

    def change_language(self) -> None:
        """The other one; the screens are built again in place."""
        self.set_language("en" if language() == "zh" else "zh")

    def set_language(self, chosen: str) -> None:
        """This one."""
        if self._at_work:
            return

        def kept(_nothing: None) -> None:
            self.start_again()

        self.in_background(lambda: save_language(self.paths, chosen), kept, self.tell_error)

    def set_look(self, chosen: str, *, ascii_only: bool) -> None:
        """Language and marks at once, as the first run asks for them."""
        self.in_background(
            lambda: save_look(self.paths, chosen, ascii_only=ascii_only),
            lambda _none: self.start_again(),
            self.tell_error,
        )

    def start_again(self) -> None:
        """Build the screens anew, with the settings of now; what is looked at is home then."""
        if not self._at_work:
            self.app.exit(RESTART)

    def quit(self) -> None:
        """Leave; a visit under way is brought to a safe point first."""
        if not self._at_work:
            self.app.exit(0)
            return
        self.quitting = True
        self.bridge.stop()
        toast(self.app, _("techtool closes at the next safe point; the visit can be resumed."), warning=True)

    # -- work beside the screens ------------------------------------------------------------------------------------

    def tell_error(self, error: TechtoolError) -> None:
        """An error of something small."""
        if self.app.is_running:
            toast(self.app, f"{error.code}  {error.what_phrase.text()}", warning=True)

    async def close(self) -> None:
        """End what still runs."""
        if "bridge" in self.__dict__:
            await self.bridge.close()
        self._background.close()


def _void(_value: object) -> None:
    """Nothing."""
