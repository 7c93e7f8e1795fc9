"""A two-way stream of bytes to one service of a terminal: what shell and sync are written on, whatever carries it.

One task uses a stream. It hands over one chunk (:meth:`ByteStream.send`), may prepare the next one meanwhile, and waits
in :meth:`ByteStream.taken` until the chunk was confirmed *or the other side has said something*: so a terminal that
refuses in the middle of a transfer is heard at once, and not after a timeout.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from techtool.errors import LinkError, LinkLost, LinkTimeout

Data = bytes | bytearray | memoryview
Failure = Callable[[], LinkError]
"""Makes the error that ended a connection: each stream that waits raises one of its own."""

_NOTHING: Final = memoryview(b"")


@asynccontextmanager
async def within(timeout_s: float, peer: str) -> AsyncIterator[None]:
    """Bound what is done inside; raises :class:`LinkTimeout`."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise LinkTimeout(address=peer, seconds=f"{timeout_s:g}") from None


class ByteStream(ABC):
    """The half that both carriers share: an inbox, an end, one waiter. Every wait lasts ``timeout_s`` at most."""

    def __init__(self, peer: str, timeout_s: float) -> None:
        self.peer = peer
        """The terminal's address, for errors."""
        self.timeout_s = timeout_s
        self._inbox: deque[memoryview] = deque()
        self._in_flight = 0
        self._ended = False
        self._failure: Failure | None = None
        self._waiter: asyncio.Future[None] | None = None

    # -- for the task that uses the stream

    @property
    @abstractmethod
    def max_chunk(self) -> int:
        """Most bytes that one :meth:`send` may hold."""

    @abstractmethod
    def send(self, data: Data) -> None:
        """Hand over one chunk; only when the one before it was taken.

        The buffer belongs to the stream until :meth:`taken` or :meth:`flush` says so. On a stream that has ended it
        does nothing: the end shows by reading.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the stream, in whatever state it is; never raises, may be called twice."""

    @property
    def in_flight_bytes(self) -> int:
        """What was handed over and not confirmed."""
        return self._in_flight

    async def taken(self) -> bool:
        """True once the chunk handed over was confirmed; False as soon as there is something (or the end) to read."""
        while True:
            if self._inbox or self._ended:
                return False
            self._check()
            if not self._in_flight:
                return True
            await self._news()

    async def flush(self) -> None:
        """Wait until the chunk handed over was confirmed, or the stream has ended."""
        while self._in_flight and not self._ended:
            self._check()
            await self._news()

    async def write(self, data: Data) -> None:
        """Hand over any number of bytes; returns when all but the last chunk were confirmed."""
        view = memoryview(data)
        for start in range(0, len(view), self.max_chunk):
            await self.flush()
            self.send(view[start : start + self.max_chunk])

    async def read_some(self) -> memoryview:
        """The next bytes, as many as have come; empty at the end."""
        while not self._inbox:
            if self._ended:
                return _NOTHING
            self._check()
            await self._news()
        piece = self._inbox.popleft()
        self._consumed(len(piece))
        return piece

    async def read_exactly(self, size_bytes: int) -> bytes:
        """That many bytes; an end before them is a :class:`LinkLost`."""
        parts: list[memoryview] = []
        missing = size_bytes
        while missing:
            piece = await self.read_some()
            if not piece:
                raise LinkLost(address=self.peer, detail=f"the stream ended {missing} bytes early")
            if len(piece) > missing:
                self._unread(piece[missing:])
                piece = piece[:missing]
            parts.append(piece)
            missing -= len(piece)
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)

    # -- for the carrier

    def deliver(self, data: memoryview) -> None:
        """Bytes have come."""
        if data:
            self._inbox.append(data)
            self.wake()

    def end(self) -> None:
        """The other side has closed."""
        self._ended = True
        self.wake()

    def fail(self, failure: Failure) -> None:
        """The carrier is gone; what was received before can still be read."""
        if not self._ended and self._failure is None:
            self._failure = failure
            self.wake()

    def wake(self) -> None:
        """Let the task that waits look again."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @abstractmethod
    def _consumed(self, size_bytes: int) -> None:
        """The task has taken bytes from the inbox: there is room for more."""

    # -- inside

    def _unread(self, rest: memoryview) -> None:
        self._inbox.appendleft(rest)
        self._consumed(-len(rest))

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure()

    async def _news(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("two tasks wait on one stream")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with within(self.timeout_s, self.peer):
                await self._waiter
        finally:
            self._waiter = None
