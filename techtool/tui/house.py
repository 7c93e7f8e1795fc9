"""What the screens may ask for, and which screen is due: the one place that pushes and pops.

Screens call these and return at once; the work is done in the app's own turn, because a screen that waits for its own
removal waits for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from textual.app import App
from textual.message import Message
from textual.screen import Screen

from techtool.domain.question import Question
from techtool.errors import TechtoolError
from techtool.i18n import _, language
from techtool.paths import Paths
from techtool.tui.background import Background
from techtool.tui.bridge import Bridge
from techtool.tui.doors import Doors
from techtool.tui.screens.ask import AskScreen
from techtool.tui.screens.base import VisitScreenBase
from techtool.tui.screens.help import HelpScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.plan import PlanScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.screens.record import RecordScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.stick import StickScreen
from techtool.tui.screens.visit import LogScreen, VisitScreen
from techtool.tui.screens.visits import VisitsScreen
from techtool.tui.setup_flow import save_language
from techtool.tui.theme import Glyphs
from techtool.tui.views.home import HomeFacts
from techtool.tui.views.visit import Place, VisitView, place_of
from techtool.tui.widgets.toast import toast
from techtool.visit.services import Hints, VisitRequest

RESTART: Final = -1
"""What the app returns when it is to be built again, in another language."""
_OVERLAYS: Final[dict[Place, type[VisitScreenBase]]] = {
    Place.PLAN: PlanScreen,
    Place.PROBLEM: ProblemScreen,
    Place.RESULT: ResultScreen,
}


@dataclass
class VisitChanged(Message):
    """The view of the visit changed; only the newest counts."""

    view: VisitView

    def can_replace(self, message: Message) -> bool:
        """An older view that waits is out of date."""
        return isinstance(message, VisitChanged)


class House:
    """The intents of the screens, and the navigation that follows the visit."""

    def __init__(self, app: App[int], doors: Doors, hints: Hints, glyphs: Glyphs, settle_s: float) -> None:
        self.app = app
        self.doors = doors
        self.hints = hints
        self.glyphs = glyphs
        self.settle_s = settle_s
        self.home_facts = HomeFacts(hinted=len(hints.addresses))
        self.bridge = Bridge(doors.engine, doors.clock, lambda view: _void(app.post_message(VisitChanged(view))))
        self.quitting = False
        self._turn = asyncio.Lock()
        """Who pushes and pops: one at a time."""
        self._place = Place.RUN
        self._asked: Question | None = None
        self._background = Background(self.tell_error)
        self.in_background = self._background.in_thread

    @property
    def paths(self) -> Paths:
        """The home folder."""
        return self.doors.paths

    # -- following the visit ----------------------------------------------------------------------------------------

    async def follow(self, view: VisitView) -> None:
        """Show a changed view: every screen of the visit, the one that is due on top, the question in it."""
        if self.quitting and view.over:
            self.app.exit(0)
            return
        async with self._turn:
            base = self._visit_screen()
            if base is not None and base.ready:
                await self._follow(base, view)

    def screen_ready(self) -> None:
        """A screen of the visit can be drawn on: tell it what it missed."""
        self.app.post_message(VisitChanged(self.bridge.view))

    async def _follow(self, base: VisitScreen, view: VisitView) -> None:
        place = place_of(view)
        if place is not self._place:
            await self._unwind(base)
            self._place = place
            if place in _OVERLAYS:
                await self.app.push_screen(_OVERLAYS[place]())
        screens = [screen for screen in self.app.screen_stack if isinstance(screen, VisitScreenBase)]
        if not all(screen.ready for screen in screens):
            return
        for screen in screens:
            screen.show(view)
        if view.question is not self._asked:
            await self._ask(base, view.question)

    async def _ask(self, base: VisitScreen, question: Question | None) -> None:
        self._asked = question
        await base.ask(question if self._place is Place.RUN else None)
        for screen in self.app.screen_stack:
            if isinstance(screen, PlanScreen | ProblemScreen):
                await screen.ask(question)
        if question is not None:
            self.app.bell()

    def _visit_screen(self) -> VisitScreen | None:
        return next((screen for screen in self.app.screen_stack if isinstance(screen, VisitScreen)), None)

    async def _unwind(self, base: Screen[None] | None) -> None:
        """Back to ``base``, or to the lowest screen there is."""
        while len(self.app.screen_stack) > 1 and self.app.screen is not base:
            await self.app.pop_screen()

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

    async def _begin(self, start: Callable[[], None]) -> None:
        async with self._turn:
            if not self.bridge.running:
                await self._start(start)

    async def _start(self, start: Callable[[], None]) -> None:
        base = self._visit_screen()
        if base is not None:
            await self._unwind(base)
            await self.app.pop_screen()
        elif not isinstance(self.app.screen, NewVisitScreen):
            await self._unwind(self._home())
        self._place, self._asked = Place.RUN, None
        start()
        await self.app.push_screen(VisitScreen())

    def answer(self, text: str) -> None:
        """What the person answered."""
        self.bridge.answer(text)

    def stop_visit(self) -> None:
        """Stop at the next safe point."""
        self.bridge.stop()

    def try_again(self) -> None:
        """The same once more."""
        self.bridge.again()

    def back_to_form(self) -> None:
        """To what was entered."""

        async def back() -> None:
            async with self._turn:
                base = self._visit_screen()
                if base is not None:
                    await self._unwind(base)
                    await self.app.pop_screen()
                if not isinstance(self.app.screen, NewVisitScreen):
                    await self.app.push_screen(NewVisitScreen())

        self._background.later(back())

    # -- intents: going places --------------------------------------------------------------------------------------

    def _home(self) -> HomeScreen | None:
        return next((screen for screen in self.app.screen_stack if isinstance(screen, HomeScreen)), None)

    def open(self, make: Callable[[], Screen[None]]) -> None:
        """One screen deeper."""

        async def push() -> None:
            async with self._turn:
                await self.app.push_screen(make())

        self._background.later(push())

    def open_new_visit(self) -> None:
        """Terminals and stick."""
        self.open(NewVisitScreen)

    def open_stick_check(self) -> None:
        """A stick without a terminal."""
        self.open(StickScreen)

    def open_visits(self) -> None:
        """The records."""
        self.open(VisitsScreen)

    def open_record(self, visit: str) -> None:
        """One of them."""
        self.open(lambda: RecordScreen(visit))

    def open_log(self) -> None:
        """Everything that happened."""
        self.open(LogScreen)

    def show_help(self, keys: tuple[str, ...], about: str) -> None:
        """The keys of a screen."""
        self.open(lambda: HelpScreen(keys, about))

    def back(self) -> None:
        """One screen up."""
        top = self.app.screen

        async def pop() -> None:
            async with self._turn:
                if self.app.screen is top and len(self.app.screen_stack) > 1:
                    await self.app.pop_screen()

        self._background.later(pop())

    def go_home(self) -> None:
        """The first screen; a visit that still runs is never left behind."""

        async def unwind() -> None:
            async with self._turn:
                await self._unwind(self._home())

        if not self.bridge.running:
            self._background.later(unwind())

    def first_run_done(self) -> None:
        """From the first run to home."""
        self.go_home()

    def ask(self, title: str, question: Question, then: Callable[[str], None], hint: str = "") -> None:
        """A question of the screens; ``then`` is called with an answer, not when the person goes back."""

        def answered(text: str | None) -> None:
            if text is not None:
                then(text)

        async def push() -> None:
            async with self._turn:
                await self.app.push_screen(AskScreen(title, question, hint, self.settle_s), answered)

        self._background.later(push())

    # -- intents: the rest ------------------------------------------------------------------------------------------

    def look_around(self) -> None:
        """Find out what home shows: first the records, then the drives."""
        self.in_background(self.doors.home_facts, self._facts_found, self._facts_failed)

    async def _facts_found(self, facts: HomeFacts) -> None:
        sticks = self.home_facts.sticks
        await self._show_home(replace(facts, sticks=sticks, hinted=len(self.hints.addresses)))
        found = await asyncio.to_thread(self.doors.sticks)
        await self._show_home(replace(self.home_facts, sticks=found))

    async def _facts_failed(self, error: TechtoolError) -> None:
        await self._show_home(replace(self.home_facts, trouble=error.what_phrase.text()))

    async def _show_home(self, facts: HomeFacts) -> None:
        self.home_facts = facts
        home = self._home()
        if home is not None and home.is_mounted:
            await home.show_home(facts)

    def change_language(self) -> None:
        """The other one; the screens are built again in place."""
        self.set_language("en" if language() == "zh" else "zh")

    def set_language(self, chosen: str) -> None:
        """This one."""
        if self.bridge.running:
            return

        def kept(_nothing: None) -> None:
            self.app.exit(RESTART)

        self.in_background(lambda: save_language(self.paths, chosen), kept, self.tell_error)

    def quit(self) -> None:
        """Leave; a visit under way is brought to a safe point first."""
        if not self.bridge.running:
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
        await self.bridge.close()
        self._background.close()


def _void(_value: object) -> None:
    """Nothing."""
