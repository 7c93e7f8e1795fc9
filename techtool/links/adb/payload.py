"""The local side of a transfer: a file read in a thread, so that a slow disk never stops the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar, runtime_checkable

from techtool.errors import DiskError
from techtool.i18n import phrase
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
