"""Servers that behave as a test wants them to, and that are gone with everything of theirs when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
DATABASE = OK + b'content-length: 20\r\n\r\n{"db_name":"office"}'


@asynccontextmanager
async def serving(meet: Behaviour, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Every connection is met so; yields the port."""
    met: dict[asyncio.Task[object], asyncio.StreamWriter] = {}

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        met[task] = writer
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError
        ):
            await meet(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context, limit=1_000_000)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task, writer in met.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*met, return_exceptions=True)
        for _turn in range(5):  # the loop lets go of a transport a turn after it was told to
            await asyncio.sleep(0)
