"""Work beside the screens: in a thread or in the app's own turn; an error becomes words, never a traceback."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import TypeVar

from techtool.errors import InternalError, TechtoolError

T = TypeVar("T")


class Background:
    """Keeps what runs, so that it can be ended with the app."""

    def __init__(self, told: Callable[[TechtoolError], None]) -> None:
        self._told = told
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, work: Coroutine[None, None, None]) -> None:
        """Do it outside the caller's own turn: a screen that waits for its own removal waits for ever."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                self._told(ours(error))

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def in_thread(
        self,
        job: Callable[[], T],
        then: Callable[[T], object],
        failed: Callable[[TechtoolError], object],
        rested: Callable[[], None] = lambda: None,
    ) -> None:
        """Do ``job`` in a thread, then ``then`` in the app's turn; an error goes to ``failed``."""

        async def work() -> None:
            try:
                result = await asyncio.to_thread(job)
            except Exception as error:
                rested()
                await _settled(failed(ours(error)))
            else:
                rested()
                await _settled(then(result))

        self.later(work())

    def close(self) -> None:
        """End what still runs."""
        for task in tuple(self._tasks):
            task.cancel()


async def _settled(value: object) -> None:
    if inspect.isawaitable(value):
        await value


def ours(error: Exception) -> TechtoolError:
    """The error as one of our tree: a defect keeps its kind and nothing of its values."""
    return error if isinstance(error, TechtoolError) else InternalError(kind=type(error).__name__)
