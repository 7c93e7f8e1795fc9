"""A two-way stream of bytes to one service of a terminal: what shell and sync are written on, whatever carries it.

One task uses a stream. It sends a chunk whenever :meth:`ByteStream.ready` says so; that, like every other wait, ends as
soon as the other side has said something: a terminal that refuses in the middle of a transfer is heard at once, and not
after a timeout.
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
_SMALL: Final = 4096
"""Pieces that come smaller are kept together, so that many of them cost no more memory than their bytes."""


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
        """Hand over one chunk, when :meth:`ready` has said so; the caller's buffer is free again at once.

        On a stream that has ended it does nothing: the end shows by reading.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the stream, in whatever state it is; never raises, may be called twice."""

    @property
    def in_flight_bytes(self) -> int:
        """What was sent and not confirmed."""
        return self._in_flight

    async def ready(self) -> bool:
        """True when another chunk may be sent; False as soon as there is something (or the end) to read."""
        await self._until(self._may_send)
        return not self._heard

    async def settled(self, in_flight_bytes: int = 0) -> bool:
        """True when no more than that is unconfirmed; False as soon as there is something (or the end) to read."""
        await self._until(lambda: self._in_flight <= in_flight_bytes)
        return not self._heard

    async def write(self, data: Data) -> None:
        """Send any number of bytes; stops where the other side speaks or ends, which shows by reading."""
        view = memoryview(data)
        for start in range(0, len(view), self.max_chunk):
            if not await self.ready():
                return
            self.send(view[start : start + self.max_chunk])

    async def read_some(self) -> memoryview:
        """The next bytes, as many as have come; empty at the end."""
        await self._until(lambda: False)
        if not self._inbox:
            return _NOTHING
        piece = self._inbox.popleft()
        self._consumed(len(piece))
        return piece

    async def read_exactly(self, size_bytes: int) -> bytes:
        """That many bytes; an end before them is a :class:`LinkLost`."""
        parts: list[memoryview] = []
        missing = size_bytes
        while missing:
            await self._until(lambda: False)
            if not self._inbox:
                raise LinkLost(address=self.peer, detail=f"the stream ended {missing} bytes early")
            piece = self._inbox.popleft()
            if len(piece) > missing:
                self._inbox.appendleft(piece[missing:])
                piece = piece[:missing]
            self._consumed(len(piece))
            parts.append(piece)
            missing -= len(piece)
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)

    # -- for the carrier

    def deliver(self, data: memoryview) -> None:
        """Bytes have come."""
        if not data:
            return
        if self._inbox and len(self._inbox[-1]) + len(data) <= _SMALL:
            data = memoryview(b"".join((self._inbox.pop(), data)))
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
    def _may_send(self) -> bool:
        """Whether flow control allows another chunk."""

    @abstractmethod
    def _consumed(self, size_bytes: int) -> None:
        """The task has taken bytes from the inbox: there is room for more."""

    # -- inside

    @property
    def _heard(self) -> bool:
        return bool(self._inbox) or self._ended

    async def _until(self, done: Callable[[], bool]) -> None:
        """Until something was heard or ``done``; one limit for the whole wait, however often others wake us."""
        if self._over(done):
            return
        if self._waiter is not None:
            raise RuntimeError("two tasks wait on one stream")
        loop = asyncio.get_running_loop()
        try:
            async with within(self.timeout_s, self.peer):
                while not self._over(done):
                    self._waiter = loop.create_future()
                    await self._waiter
        finally:
            self._waiter = None

    def _over(self, done: Callable[[], bool]) -> bool:
        if self._heard:
            return True
        if self._failure is not None:
            raise self._failure()
        return done()
