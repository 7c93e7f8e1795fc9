"""A disk as it is when the power fails: what was not synced may be there in part, or not at all.

Writes go to a real folder, which is what running programs see. Beside it a model keeps what is durable: a file's bytes
up to its last fsync, a folder's names up to its last fsync, and in order what happened since. :meth:`LossyDisk.image`
makes a folder such as could be found after the power came back: of every file and every folder some prefix of what was
not synced. A write that was only begun may have left zeros where its bytes should be.
"""

from __future__ import annotations

import errno
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

from techtool.paths import Disk, disk_error


class PowerCut(BaseException):
    """Nothing catches it, and nothing after it has an effect."""


@dataclass
class Node:
    """One file."""

    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """``(offset, bytes)`` a write, ``(size, None)`` a truncation."""
    size: int = 0
    """As programs see it."""

    @staticmethod
    def after(data: bytes, op: tuple[int, bytes | None]) -> bytes:
        """A write or truncation done; where bytes before it never arrived there are zeros."""
        offset, more = op
        data = data[:offset] + bytes(max(0, offset - len(data)))
        return data if more is None else data + more

    def sync(self) -> None:
        for op in self.pending:
            self.durable = self.after(self.durable, op)
        self.pending.clear()

    def found(self, pick: Pick) -> bytes:
        """What may be found of it."""
        data = self.durable
        keep = pick.upto(len(self.pending))
        for op in self.pending[:keep]:
            data = self.after(data, op)
        if keep < len(self.pending) and self.pending[keep][1]:
            offset, more = self.pending[keep]
            assert more is not None
            half = more[: pick.upto(len(more))]
            data = self.after(data, (offset, half + bytes(pick.upto(len(more) - len(half)) if pick.zeros() else 0)))
        return data


@dataclass
class Folder:
    """One folder: names on disk, and what was done to names since."""

    durable: dict[str, Node | Folder] = field(default_factory=dict)
    pending: list[tuple[str, str, Node | Folder | None]] = field(default_factory=list)
    """``(name, "", node)`` a new name; ``(name, "", None)`` removed; ``(name, other, None)`` renamed to ``other``."""

    @staticmethod
    def after(names: dict[str, Node | Folder], op: tuple[str, str, Node | Folder | None]) -> None:
        name, other, made = op
        if made is not None:
            names[name] = made
        elif other:
            if name in names:
                names[other] = names.pop(name)
        else:
            names.pop(name, None)

    def now(self) -> dict[str, Node | Folder]:
        """As programs see it."""
        return self.some(len(self.pending))

    def some(self, keep: int) -> dict[str, Node | Folder]:
        names = dict(self.durable)
        for op in self.pending[:keep]:
            self.after(names, op)
        return names


@dataclass
class Pick:
    """How much of what was not synced is found: nothing, all, or as chance has it."""

    how: str | int
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.how)

    def upto(self, most: int) -> int:
        if self.how == "nothing":
            return 0
        return most if self.how == "everything" else self.chance.randint(0, most)

    def zeros(self) -> bool:
        return self.how not in ("nothing", "everything") and self.chance.random() < 0.3


def model_of(folder: Path) -> Folder:
    """A folder that was synced long ago."""
    made = Folder()
    for path in folder.iterdir():
        data = b"" if path.is_dir() else path.read_bytes()
        made.durable[path.name] = model_of(path) if path.is_dir() else Node(data, size=len(data))
    return made


class LossyDisk(Disk):
    """Counts effects, from 1: the power fails before number ``cut_at``; fsync number ``gate_at`` fails."""

    def __init__(self, root: Path, cut_at: int = 0, gate_at: int = 0) -> None:
        self.root = root
        self.model = model_of(root)
        self.cut_at = cut_at
        self.gate_at = gate_at
        self.count = 0
        self.fsyncs = 0
        self.off = False
        self._nodes: dict[int, Node] = {}

    def image(self, into: Path, how: str | int) -> None:
        """A folder as it may be found when the power is back."""
        self._lay(self.model, into, Pick(how))

    def _lay(self, folder: Folder, into: Path, pick: Pick) -> None:
        into.mkdir()
        for name, there in sorted(folder.some(pick.upto(len(folder.pending))).items()):
            if isinstance(there, Folder):
                self._lay(there, into / name, pick)
            else:
                (into / name).write_bytes(there.found(pick))

    def _effect(self) -> None:
        self.count += 1
        if self.count == self.cut_at:
            self.off = True
        if self.off:
            raise PowerCut

    def _folder(self, path: Path) -> Folder:
        found: Node | Folder = self.model
        for name in path.relative_to(self.root).parts:
            assert isinstance(found, Folder)
            found = found.now()[name]
        assert isinstance(found, Folder)
        return found

    def create(self, path: Path, *, exclusive: bool = False) -> int:
        self._effect()
        fd = super().create(path, exclusive=exclusive)
        folder = self._folder(path.parent)
        if path.name not in folder.now():
            folder.pending.append((path.name, "", Node()))
        node = folder.now()[path.name]
        assert isinstance(node, Node)
        self._nodes[fd] = node
        return fd

    def write(self, fd: int, data: bytes, path: Path) -> None:
        self._effect()
        super().write(fd, data, path)
        node = self._nodes[fd]
        node.pending.append((node.size, bytes(data)))
        node.size += len(data)

    def fsync(self, fd: int, path: Path) -> None:
        self._effect()
        self.fsyncs += 1
        if self.fsyncs == self.gate_at:
            # As Linux does it: the pages could not be written, are called clean, and the next fsync has nothing to do.
            self._nodes[fd].pending.clear()
            raise disk_error(OSError(errno.EIO, os.strerror(errno.EIO)), path)
        self._nodes[fd].sync()

    def truncate(self, fd: int, size_bytes: int, path: Path) -> None:
        self._effect()
        super().truncate(fd, size_bytes, path)
        self._nodes[fd].pending.append((size_bytes, None))
        self._nodes[fd].size = size_bytes

    def replace(self, source: Path, target: Path) -> None:
        self._effect()
        assert source.parent == target.parent
        self._folder(source.parent).pending.append((source.name, target.name, None))
        super().replace(source, target)

    def fsync_folder(self, folder: Path) -> None:
        self._effect()
        self.fsyncs += 1
        if self.fsyncs == self.gate_at:
            raise disk_error(OSError(errno.EIO, os.strerror(errno.EIO)), folder)
        try:
            model = self._folder(folder)
        except ValueError:
            return  # above the home
        model.durable = model.now()
        model.pending.clear()

    def unlink(self, path: Path) -> None:
        self._effect()
        folder = self._folder(path.parent)
        if path.name in folder.now():
            folder.pending.append((path.name, "", None))
        super().unlink(path)

    def make_folder(self, folder: Path) -> None:
        self._effect()
        super().make_folder(folder)
        here = self.model
        for name in folder.relative_to(self.root).parts:
            if name not in here.now():
                here.pending.append((name, "", Folder()))
            below = here.now()[name]
            assert isinstance(below, Folder)
            here = below
