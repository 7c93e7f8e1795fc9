"""The engine's events on their way to whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import replace

from techtool.domain.redacting import Cleaner
from techtool.errors import TechtoolError
from techtool.events import Event, Progress
from techtool.visit.logged import line_of

_CLEANER = Cleaner()


def _progress(event: Progress) -> Progress:
    """Ten a second for each terminal, and no text in it but one name, which is looked at once."""
    item = _CLEANER.text(event.item)
    return event if item == event.item else replace(event, item=item)


class Outlet:
    """A stream of events with one listener; nothing is lost, nothing blocks the sender but :meth:`settle`."""

    def __init__(self, log: Callable[[str], None] = lambda _line: None) -> None:
        self.log = log
        """Takes lines for the support desk: fixed words and codes only."""
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()

    def emit(self, event: Event) -> None:
        """Send an event, without card data: whoever listens may show or print it."""
        line = line_of(event)
        if line:
            self.log(line)
        self._queue.put_nowait(_progress(event) if isinstance(event, Progress) else _CLEANER.clean(event))

    async def settle(self) -> None:
        """Wait until the listener has dealt with everything sent: a question may build on what was told before it."""
        await self._queue.join()

    async def events_of(self, job: Coroutine[None, None, None]) -> AsyncGenerator[Event, None]:
        """Run ``job`` and yield what it sends until it ends; its error is raised. To stop listening stops the job."""
        task = asyncio.create_task(job)
        task.add_done_callback(lambda _done: self._queue.put_nowait(None))
        try:
            while (event := await self._queue.get()) is not None:
                yield event
                self._queue.task_done()
            await task
        finally:
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, TechtoolError):
                    await task
