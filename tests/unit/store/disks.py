"""Disks that are quicker than real ones, or fail on purpose."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from techtool.errors import DiskFull
from techtool.paths import Disk, disk_error


class QuickDisk(Disk):
    """Without fsync: for tests of what is in a file, not of when it gets there."""

    def fsync(self, fd: int, path: Path) -> None:
        pass

    def fsync_folder(self, folder: Path) -> None:
        pass


class FullDisk(Disk):
    """A disk that takes so many writes and no more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.count = 0

    def write(self, fd: int, data: bytes, path: Path) -> None:
        self.count += 1
        if self.count > self.room:
            raise DiskFull(path=str(path), detail=os.strerror(errno.ENOSPC))
        super().write(fd, data, path)


class FullAfterBytes(Disk):
    """A disk that takes so many bytes and no more."""

    def __init__(self, room_bytes: int) -> None:
        self.left_bytes = room_bytes

    def write(self, fd: int, data: bytes, path: Path) -> None:
        self.left_bytes -= len(data)
        if self.left_bytes < 0:
            raise DiskFull(path=str(path))
        super().write(fd, data, path)


@dataclass
class FailingDisk(Disk):
    """Fails the ``nth`` call of one effect (and the ones after it, while ``lasting``)."""

    effect: str
    nth: int
    code: int = errno.ENOSPC
    keep_bytes: int = 0
    """Of a failing write: how much of it reaches the file all the same."""
    lasting: bool = False
    calls: int = field(default=0)

    def _fails(self, effect: str) -> bool:
        if effect != self.effect:
            return False
        self.calls += 1
        return self.calls == self.nth or (self.lasting and self.calls > self.nth)

    def _error(self, path: Path) -> Exception:
        return disk_error(OSError(self.code, os.strerror(self.code)), path)

    def write(self, fd: int, data: bytes, path: Path) -> None:
        if self._fails("write"):
            super().write(fd, data[: self.keep_bytes], path)
            raise self._error(path)
        super().write(fd, data, path)

    def fsync(self, fd: int, path: Path) -> None:
        if self._fails("fsync"):
            raise self._error(path)

    def truncate(self, fd: int, size_bytes: int, path: Path) -> None:
        if self._fails("truncate"):
            raise self._error(path)
        super().truncate(fd, size_bytes, path)

    def replace(self, source: Path, target: Path) -> None:
        if self._fails("replace"):
            raise self._error(target)
        os.replace(source, target)

    def fsync_folder(self, folder: Path) -> None:
        pass
