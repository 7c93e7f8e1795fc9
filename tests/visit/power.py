"""Power that fails at an effect: a write, fsync, rename, unlink or new folder on the disk, or a packet to the terminal.

From that effect on disk and link are frozen: what follows, ``finally`` included, has no effect. Besides: a disk that
is full at a write, and one whose every effect is told before it happens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from techtool.links.adb.framing import PacketChannel
from techtool.paths import Disk
from tests.unit.store.lossy import LossyDisk, PowerCut


@contextmanager
def expecting_a_cut() -> Iterator[None]:
    """What a power cut ends here ends quietly, also where several tasks run together; any other error is one."""
    try:
        yield
    except PowerCut:
        return
    except BaseExceptionGroup as group:
        if group.split(PowerCut)[0] is None:
            raise


@dataclass
class Power:
    """Counts effects; goes off before number ``off_at`` (from 0)."""

    off_at: int = 1 << 30
    off: bool = False
    kinds: list[str] = field(default_factory=list)
    one: threading.RLock = field(default_factory=threading.RLock)

    def effect(self, kind: str) -> None:
        with self.one:
            self.off = self.off or len(self.kinds) >= self.off_at
            if self.off:
                raise PowerCut
            self.kinds.append(kind)


class FrozenDisk(LossyDisk):
    """A disk that freezes with the power, and knows what of it was not synced."""

    def __init__(self, root: Path, power: Power) -> None:
        super().__init__(root)
        self.power = power

    def _effect(self) -> None:
        self.power.effect("disk")


class FrozenChannel(PacketChannel):
    """A connection that freezes with the power."""

    power = Power()

    def send(self, command: int, arg0: int, arg1: int, data: Any = b"") -> None:
        try:
            self.power.effect("packet")
        except PowerCut:
            if self._transport is not None:
                self._transport.abort()
            raise
        super().send(command, arg0, arg1, data)


class WatchedDisk(Disk):
    """Every effect happens within ``around``."""

    def __init__(self, around: Callable[[], AbstractContextManager[object]]) -> None:
        self._around = around

    def create(self, path: Path, *, exclusive: bool = False) -> int:
        with self._around():
            return super().create(path, exclusive=exclusive)

    def write(self, fd: int, data: bytes, path: Path) -> None:
        with self._around():
            super().write(fd, data, path)

    def fsync(self, fd: int, path: Path) -> None:
        with self._around():
            super().fsync(fd, path)

    def truncate(self, fd: int, size_bytes: int, path: Path) -> None:
        with self._around():
            super().truncate(fd, size_bytes, path)

    def replace(self, source: Path, target: Path) -> None:
        with self._around():
            super().replace(source, target)

    def fsync_folder(self, folder: Path) -> None:
        with self._around():
            super().fsync_folder(folder)

    def unlink(self, path: Path) -> None:
        with self._around():
            super().unlink(path)

    def make_folder(self, folder: Path) -> None:
        with self._around():
            super().make_folder(folder)
