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
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.plan import PlanScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.visit import VisitScreen
from techtool.tui.views.visit import Place, VisitView, place_of

_OVERLAYS: Final[dict[Place, type[VisitScreenBase]]] = {
    Place.PLAN: PlanScreen,
    Place.PROBLEM: ProblemScreen,
    Place.RESULT: ResultScreen,
}


class Navigator:
    """Home lies at the bottom, a visit's screen above it, and on top what is due: plan, problem or result."""

    def __init__(self, app: App[int]) -> None:
        self._app = app
        self._turn = asyncio.Lock()
        self._place = Place.RUN
        self._asked: Question | None = None

    # -- following the visit ----------------------------------------------------------------------------------------

    async def follow(self, view: VisitView) -> None:
        """Show a changed view: every screen of the visit, the one that is due on top, the question in it."""
        async with self._turn:
            base = self._visit_screen() if self._app.is_running else None
            if base is None or not base.ready:
                return
            try:
                await self._follow(base, view)
            except (NoMatches, ScreenStackError):
                if self._app.is_running:  # else the screens went away under it
                    raise

    async def _follow(self, base: VisitScreen, view: VisitView) -> None:
        place = place_of(view)
        if place is not self._place:
            await self._unwind(base)
            self._place = place
            if place in _OVERLAYS:
                await self._app.push_screen(_OVERLAYS[place]())
        screens = [screen for screen in self._app.screen_stack if isinstance(screen, VisitScreenBase)]
        if not all(screen.ready for screen in screens):
            return
        for screen in screens:
            screen.show(view)
        if view.question is not self._asked:
            await self._ask(base, view.question)

    async def _ask(self, base: VisitScreen, question: Question | None) -> None:
        self._asked = question
        await base.ask(question if self._place is Place.RUN else None)
        for screen in self._app.screen_stack:
            if isinstance(screen, PlanScreen | ProblemScreen):
                await screen.ask(question)
        if question is not None:
            self._app.bell()

    def _visit_screen(self) -> VisitScreen | None:
        return next((screen for screen in self._app.screen_stack if isinstance(screen, VisitScreen)), None)

    async def _unwind(self, base: Screen[None] | None) -> None:
        """Back to ``base``, or to the lowest screen there is."""
        while len(self._app.screen_stack) > 1 and self._app.screen is not base:
            await self._app.pop_screen()

    # -- going places -----------------------------------------------------------------------------------------------

    def home(self) -> HomeScreen | None:
        """The screen under everything."""
        return next((screen for screen in self._app.screen_stack if isinstance(screen, HomeScreen)), None)

    async def begin(self, start: Callable[[], bool]) -> None:
        """To a visit's screen; ``start`` starts the run, or says that it cannot."""
        async with self._turn:
            base = self._visit_screen()
            if not start():
                return
            if base is not None:
                await self._unwind(base)
                await self._app.pop_screen()
            elif not isinstance(self._app.screen, NewVisitScreen):
                await self._unwind(self.home())
            self._place, self._asked = Place.RUN, None
            await self._app.push_screen(VisitScreen())

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
            base = self._visit_screen()
            if base is not None:
                await self._unwind(base)
                await self._app.pop_screen()
            if not isinstance(self._app.screen, NewVisitScreen):
                await self._app.push_screen(NewVisitScreen())

    async def go_home(self) -> None:
        """To the bottom."""
        async with self._turn:
            await self._unwind(self.home())
