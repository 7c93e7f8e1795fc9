"""A bounded pipe from the event loop into a worker thread, in memory only."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

LIMIT_BYTES = 4 << 20


class PipeBroken(Exception):
    """The reading side is gone; its own error says why."""


class BytePipe:
    """Async on the writing side, a file object for ``pyrage.encrypt_io`` on the reading side."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limit_bytes: int = LIMIT_BYTES) -> None:
        self._loop = loop
        self._limit = limit_bytes
        self._chunks: deque[memoryview] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._room = asyncio.Event()
        self._closed = False
        self._aborted = False
        self._reader_gone = False

    async def put(self, data: bytes) -> None:
        """Hand over ``data``, waiting while the reader is behind; raises :class:`PipeBroken`."""
        if not data:
            return
        while True:
            with self._changed:
                if self._reader_gone:
                    raise PipeBroken
                if self._waiting_bytes < self._limit:
                    self._chunks.append(memoryview(data))
                    self._waiting_bytes += len(data)
                    self._changed.notify()
                    break
                self._room.clear()
            await self._room.wait()
        # A source that is always ready would otherwise keep every other lane and the screen waiting.
        await asyncio.sleep(0)

    def close(self) -> None:
        """The end: the reader sees it after what is still in the pipe."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def abort(self) -> None:
        """Give up: the reader's next read fails."""
        with self._changed:
            self._aborted = True
            self._changed.notify()

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, empty at the end; for the worker thread."""
        with self._changed:
            while not (self._chunks or self._closed or self._aborted):
                self._changed.wait()
            if self._aborted:
                raise OSError("given up")
            if not self._chunks:
                return b""
            first = self._chunks.popleft()
            part = first if size < 0 else first[:size]
            if len(part) < len(first):
                self._chunks.appendleft(first[len(part) :])
            self._waiting_bytes -= len(part)
            if self._waiting_bytes < self._limit:
                self._loop.call_soon_threadsafe(self._room.set)
            return bytes(part)

    def reader_left(self) -> None:
        """Called by the worker thread at its end, whatever the end was: nobody waits for it any more."""
        with self._changed:
            self._reader_gone = True
        self._loop.call_soon_threadsafe(self._room.set)
