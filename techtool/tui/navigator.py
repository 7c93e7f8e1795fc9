"""Which screen is due: the one place that pushes and pops, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.screen import Screen

from techtool.domain.question import Question
from techtool.tui.screens.base import VisitScreenBase
from techtool.tui.screens.fleet import FleetScreen, LanePlanScreen, LaneProblemScreen, LaneScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.plan import PlanScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.screens.restore import RestoreScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.visit import VisitScreen
from techtool.tui.views.visit import Place, VisitView, Waiting, place_of

_OVERLAYS: Final[dict[Place, type[VisitScreenBase]]] = {
    Place.PLAN: PlanScreen,
    Place.PROBLEM: ProblemScreen,
    Place.RESULT: ResultScreen,
}
_OF_MANY: Final[dict[Place, type[VisitScreenBase]]] = {
    Place.PLAN: LanePlanScreen,
    Place.PROBLEM: LaneProblemScreen,
}
_FORMS: Final = (NewVisitScreen, RestoreScreen)
"""Where a visit was asked for: what was entered stays there until it has begun well."""
Base = VisitScreen | FleetScreen
"""The screen under everything of a visit: of its one terminal, or of all."""


class Navigator:
    """Home lies at the bottom, a visit's screen above it (of all terminals, then of the one that is looked at), and on
    top what is due: plan, problem or result.
    """

    def __init__(self, app: App[int]) -> None:
        self._app = app
        self._turn = asyncio.Lock()
        self._place = Place.RUN
        self._lane = ""
        self._asked: Question | None = None
        self._rung: tuple[Waiting, ...] = ()
        """Questions for which the bell has rung."""

    # -- following the visit ----------------------------------------------------------------------------------------

    async def follow(self, view: VisitView) -> None:
        """Show a changed view: every screen of the visit, the one that is due on top, the question in it."""
        async with self._turn:
            base = self._base() if self._app.is_running else None
            if base is None or not base.ready:
                return
            try:
                await self._follow(base, view)
            except (NoMatches, ScreenStackError):
                if self._app.is_running:  # else the screens went away under it
                    raise

    async def _follow(self, base: Base, view: VisitView) -> None:
        await self._go(base, view.current if isinstance(base, FleetScreen) else "", place_of(view))
        screens = [screen for screen in self._app.screen_stack if isinstance(screen, VisitScreenBase)]
        if not all(screen.ready for screen in screens):
            return
        for screen in screens:
            screen.show(view)
        if view.question is not self._asked:
            await self._ask(self._floor(base), view.question)
        self._ring(view)

    async def _go(self, base: Base, lane: str, place: Place) -> None:
        """To the screen that is due, of that terminal."""
        if lane != self._lane:
            await self._unwind(base)
            self._lane, self._place, self._asked = lane, Place.RUN, None
            if lane:
                await self._app.push_screen(LaneScreen())
        if place is not self._place:
            await self._unwind(self._floor(base))
            self._place = place
            overlays = _OF_MANY if lane else _OVERLAYS
            if place in overlays:
                await self._app.push_screen(overlays[place]())

    async def _ask(self, floor: Base, question: Question | None) -> None:
        self._asked = question
        await floor.ask(question if self._place is Place.RUN else None)
        for screen in self._app.screen_stack:
            if isinstance(screen, PlanScreen | ProblemScreen):
                await screen.ask(question)

    def _ring(self, view: VisitView) -> None:
        """Once for what is asked newly, however many ask."""
        rung = {id(waiting.question) for waiting in self._rung}
        if any(id(waiting.question) not in rung for waiting in view.questions):
            self._app.bell()
        self._rung = view.questions

    def _base(self) -> Base | None:
        return next(
            (screen for screen in self._app.screen_stack if isinstance(screen, VisitScreen | FleetScreen)), None
        )

    def _floor(self, base: Base) -> Base:
        """The screen on which plan and problem are laid: of the terminal that is looked at, else the lowest."""
        return next((screen for screen in self._app.screen_stack if isinstance(screen, LaneScreen)), base)

    async def _unwind(self, base: Screen[None] | None) -> None:
        """Back to ``base``, or to the lowest screen there is."""
        while len(self._app.screen_stack) > 1 and self._app.screen is not base:
            await self._app.pop_screen()

    # -- going places -----------------------------------------------------------------------------------------------

    def home(self) -> HomeScreen | None:
        """The screen under everything."""
        return next((screen for screen in self._app.screen_stack if isinstance(screen, HomeScreen)), None)

    async def begin(self, start: Callable[[], bool], screen: Callable[[], Base]) -> None:
        """To a visit's ``screen``; ``start`` starts the run, or says that it cannot."""
        async with self._turn:
            base = self._base()
            if not start():
                return
            if base is not None:
                await self._unwind(base)
                await self._app.pop_screen()
            elif not isinstance(self._app.screen, _FORMS):
                await self._unwind(self.home())
            self._place, self._lane, self._asked, self._rung = Place.RUN, "", None, ()
            await self._app.push_screen(screen())

    async def go(self, make: Callable[[], Screen[None]]) -> None:
        """To a place just above home."""
        async with self._turn:
            await self._unwind(self.home())
            await self._app.push_screen(make())

    async def push(self, make: Callable[[], Screen[None]]) -> None:
        """One screen deeper."""
        async with self._turn:
            await self._app.push_screen(make())

    async def ask(self, screen: Screen[str | None], answered: Callable[[str | None], None]) -> None:
        """A window with a question."""
        async with self._turn:
            await self._app.push_screen(screen, answered)

    async def back(self, top: Screen[object]) -> None:
        """One screen up from ``top``, if it is still there."""
        async with self._turn:
            if self._app.screen is top and len(self._app.screen_stack) > 1:
                await self._app.pop_screen()

    async def back_to_form(self) -> None:
        """From a visit that did not begin to what was entered."""
        async with self._turn:
            base = self._base()
            if base is not None:
                await self._unwind(base)
                await self._app.pop_screen()
            if not isinstance(self._app.screen, _FORMS):
                await self._app.push_screen(NewVisitScreen())

    async def go_home(self) -> None:
        """To the bottom."""
        async with self._turn:
            await self._unwind(self.home())
