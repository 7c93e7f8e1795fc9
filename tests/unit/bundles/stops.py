"""A disk on which the power is cut at a chosen effect: from then on nothing has any effect, clean-up included."""

from __future__ import annotations

import os
from pathlib import Path

from techtool.paths import Disk


class PowerCut(BaseException):
    """Not an error that anything may handle."""


class CutDisk(Disk):
    """Stops at effect ``at``; a write that is hit reaches the disk half."""

    def __init__(self, at: int = 1 << 30) -> None:
        self.at = at
        self.effects = 0

    def _effect(self) -> None:
        self.effects += 1
        if self.effects > self.at:
            raise PowerCut

    def create(self, path: Path, *, exclusive: bool = False) -> int:
        self._effect()
        return super().create(path, exclusive=exclusive)

    def write(self, fd: int, data: bytes, path: Path) -> None:
        try:
            self._effect()
        except PowerCut:
            if self.effects == self.at + 1:
                os.write(fd, data[: len(data) // 2])
            raise
        super().write(fd, data, path)

    def fsync(self, fd: int, path: Path) -> None:
        pass

    def fsync_folder(self, folder: Path) -> None:
        pass

    def replace(self, source: Path, target: Path) -> None:
        self._effect()
        os.replace(source, target)

    def unlink(self, path: Path) -> None:
        if path.exists() or self.effects >= self.at:
            self._effect()
        super().unlink(path)

    def make_folder(self, folder: Path) -> None:
        if not folder.exists() or self.effects >= self.at:
            self._effect()
        super().make_folder(folder)
