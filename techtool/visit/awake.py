"""The laptop stays awake while a terminal is written: a laptop that falls asleep cuts the transfer like a pulled cable.

By the system's own means through wakepy (a D-Bus inhibitor, ``SetThreadExecutionState``, ``caffeinate``); where there
is none the person is told and the work goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

KeepAwake = Callable[[], AbstractContextManager[bool]]
"""Holds the laptop awake; says whether it could."""


@contextlib.contextmanager
def keep_awake() -> Iterator[bool]:
    """This laptop's sleep and screen saver wait; where only sleep can be held off, that."""
    logging.getLogger("wakepy").setLevel(logging.ERROR)
    from wakepy import keep

    with keep.presenting(on_fail="pass") as screen:
        if screen.active:
            yield True
            return
        with keep.running(on_fail="pass") as system:
            yield system.active


@contextlib.contextmanager
def not_kept() -> Iterator[bool]:
    """For tests and for what writes nothing: as if it were held."""
    yield True


@dataclass(slots=True)
class Awake:
    """Held from the first terminal that is written to the last; asked for and given back once each."""

    keep: KeepAwake
    tell: Callable[[], None]
    """Called once when the laptop could not be kept awake."""
    _held: AbstractContextManager[bool] | None = None
    _users: int = 0
    _told: bool = False
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Awake within."""
        await self._take()
        try:
            yield
        finally:
            await asyncio.shield(self._give_back())

    async def _take(self) -> None:
        async with self._turn:
            self._users += 1
            if self._users > 1:
                return
            held = self.keep()
            if await asyncio.to_thread(_entered, held):
                self._held = held
            elif not self._told:
                self._told = True
                self.tell()

    async def _give_back(self) -> None:
        async with self._turn:
            self._users -= 1
            if not self._users and self._held is not None:
                held, self._held = self._held, None
                await asyncio.to_thread(held.__exit__, None, None, None)


def _entered(held: AbstractContextManager[bool]) -> bool:
    """Whether it holds; one that does not is let go of at once. What goes wrong with it never stops the work."""
    try:
        if held.__enter__():
            return True
        held.__exit__(None, None, None)
    except Exception:
        logging.getLogger(__name__).exception("cannot keep the laptop awake")
    return False
