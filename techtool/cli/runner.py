"""Running asynchronous work so that a signal stops it at its next await, not in the middle of a write."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


def run_async(work: Coroutine[None, None, T]) -> T:
    """Run ``work``; SIGTERM and SIGHUP cancel it as ^C does. Raises :class:`KeyboardInterrupt` when it was stopped."""

    async def main() -> T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            if task is not None and hasattr(signal, name):
                with contextlib.suppress(NotImplementedError):  # Windows has no such handlers
                    loop.add_signal_handler(getattr(signal, name), task.cancel)
        return await work

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
