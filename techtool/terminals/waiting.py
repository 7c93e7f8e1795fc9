"""Waits for a terminal that restarts, or that nobody could reach for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from techtool.errors import LinkError, LinkTimeout
from techtool.links.base import Link


async def until_up(
    link: Link, timeout_s: float, poll_s: float, is_up: Callable[[], Awaitable[bool]] | None = None
) -> None:
    """Connect anew again and again, until it answers and ``is_up``; None: that it answers is enough.

    Raises ``LinkTimeout`` after ``timeout_s``, with the last thing that went wrong.
    """
    last: LinkError | None = None
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    await link.close()
                    await link.open()
                    if is_up is None or await is_up():
                        return
                except LinkError as error:
                    # On its way up it refuses connections, drops them, or does not know itself yet.
                    last = error
                await asyncio.sleep(poll_s)
    except TimeoutError as error:
        detail = str(last) if last else ""
        raise LinkTimeout(address=str(link.address), seconds=round(timeout_s), detail=detail) from error
