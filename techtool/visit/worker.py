"""Work in a thread that nobody leaves behind: who is cancelled waits until it has stopped, and so does the lock."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class BrokenOff(BaseException):
    """Raised by work that was told to stop; what it wrote so far stays. Nobody but :func:`in_thread` hears of it."""


async def in_thread(work: Callable[[Callable[[], None]], T]) -> T:
    """Run ``work`` in a thread; it calls what it is given now and then, which raises :class:`BrokenOff` at its end.

    On cancellation the thread is told, and waited for: what it writes is never written beside the next run of it.
    """
    told = threading.Event()

    def go_on() -> None:
        if told.is_set():
            raise BrokenOff

    job = asyncio.ensure_future(asyncio.to_thread(work, go_on))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        told.set()
        while not job.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({job})
        if not job.cancelled():
            job.exception()  # looked at: nobody is left to tell
        raise
