"""The local side of a transfer: a file read in a thread, so that a slow disk never stops the screen, and the pump that
sends it as fast as the terminal confirms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar, runtime_checkable

from techtool.errors import DiskError
from techtool.i18n import phrase
from techtool.links.adb.bytestream import ByteStream
from techtool.links.base import Confirmed
from techtool.paths import disk_error

T = TypeVar("T")


@runtime_checkable
class _ReadsInto(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...


async def in_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread; when cancelled, still wait for it, for it uses the caller's file and buffer."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # seen: the caller leaves for another reason
        raise


@dataclass(slots=True)
class Payload:
    """``size_bytes`` of ``source``, given out piece by piece."""

    source: BinaryIO
    size_bytes: int
    given_bytes: int = 0

    @property
    def left_bytes(self) -> int:
        """What has not been given out."""
        return self.size_bytes - self.given_bytes

    def fill(self, space: memoryview) -> int:
        """Fill ``space``, or less at the end; raises :class:`DiskError` when the file ends or fails before its size."""
        wanted = min(len(space), self.left_bytes)
        done = 0
        try:
            while done < wanted:
                got = self._read_into(space[done:wanted])
                if not got:
                    raise self._short()
                done += got
                self.given_bytes += got
        except OSError as error:
            raise disk_error(error, self._name) from error
        except ValueError as error:  # a file closed under us
            raise DiskError(path=self._name, problem=str(error)) from error
        return done

    def _read_into(self, space: memoryview) -> int:
        if isinstance(self.source, _ReadsInto):
            return self.source.readinto(space) or 0
        data = self.source.read(len(space))
        space[: len(data)] = data
        return len(data)

    @property
    def _name(self) -> str:
        return str(getattr(self.source, "name", "payload"))

    def _short(self) -> DiskError:
        return DiskError(
            path=self._name, problem=phrase("the file ended {missing} bytes early", missing=self.left_bytes)
        )


Fill = Callable[[Payload, bytearray], tuple[int, int]]
"""Fills the buffer from the payload; returns the bytes used in it, and the payload's bytes among them."""


def fill_plainly(payload: Payload, space: bytearray) -> tuple[int, int]:
    """The payload's bytes and nothing else."""
    size = payload.fill(memoryview(space))
    return size, size


class Pump:
    """Sends a payload; can be resumed after the other side has said something that is no refusal."""

    def __init__(self, stream: ByteStream, payload: Payload, fill: Fill, confirmed: Confirmed | None) -> None:
        self._stream = stream
        self._payload = payload
        self._fill = fill
        self._confirmed = confirmed
        self._space = bytearray(stream.max_chunk)
        self._chunk: tuple[int, int] | None = None
        self._sent = 0
        self._told = 0

    @property
    def confirmed_bytes(self) -> int:
        """How much of the payload the other side has confirmed; never too much, exact at the end."""
        return max(0, self._sent - self._stream.in_flight_bytes)

    async def run(self) -> bool:
        """Send and wait for every confirmation: True. False as soon as there is something (or the end) to read."""
        stream = self._stream
        while self._chunk is not None or self._payload.left_bytes:
            if self._chunk is None:
                self._chunk = await in_thread(lambda: self._fill(self._payload, self._space))
            if not await stream.ready():
                return False
            used, size = self._chunk
            stream.send(memoryview(self._space)[:used])
            self._sent, self._chunk = self._sent + size, None
            self._tell()
        while unsettled := stream.in_flight_bytes:
            if not await stream.settled(unsettled - 1):
                return False
            self._tell()
        return True

    def _tell(self) -> None:
        done = self.confirmed_bytes
        if self._confirmed is not None and done > self._told:
            self._told = done
            self._confirmed(done)
