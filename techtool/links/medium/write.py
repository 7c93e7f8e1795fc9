"""Bringing a file onto the stick so that it is whole there: never half under its own name, and read back."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from techtool.domain.fat import MAX_FILE_BYTES, path_problem
from techtool.domain.guide import Layout
from techtool.errors import DiskError, DiskFull, MediumFailed, MediumUnfit, NotCompatible
from techtool.i18n import PhraseValue, phrase
from techtool.links.base import Confirmed
from techtool.links.medium.volume import Volume, file_system_problem, unreadable
from techtool.paths import DISK, Disk, os_problem

ASIDE: Final = "TTMOVED"
"""Where files that would disturb are moved, in a folder for each time: 1, 2 …"""
_PART: Final = "TTCOPY.TMP"
"""What is being written has this name: one that no menu takes for an update."""
_CHUNK_BYTES: Final = 1 << 20
_SPARE_BYTES: Final = 1 << 20
"""Left free for folders and the file system's own needs."""
_MAX_ENTRIES: Final = 10_000
_MAX_RESULT_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Load:
    """One file as it shall lie on the stick."""

    name: str
    """As the publisher called it."""
    path: str
    """Below the stick's root, parts parted by ``/``."""
    size_bytes: int
    sha256: str


def load_for(layout: Layout, release: str, target: str, size_bytes: int, sha256: str) -> Load:
    """Where a release's file belongs; raises :class:`NotCompatible` where the terminal's menu would not take it."""
    name = target.rpartition("/")[2]
    written = layout.name_for(name)
    path = f"{layout.folder}/{written}" if layout.folder else written
    problem = path_problem(path, layout.names, layout.letters)
    if problem is None and not layout.takes(written):
        problem = phrase("the terminal's menu does not list a file of that name")
    if problem is not None:
        reason = phrase("its file {name} cannot be put on the stick: {problem}", name=written[:120], problem=problem)
        raise NotCompatible(release=release, reason=reason)
    if size_bytes > MAX_FILE_BYTES:
        reason = phrase("its file {name} is longer than the 4 GiB that a stick takes", name=written)
        raise NotCompatible(release=release, reason=reason)
    return Load(name, path, size_bytes, sha256)


def refuse_unfit(volume: Volume, layout: Layout) -> None:
    """Formatted otherwise than the terminal reads, or with another label: raises :class:`MediumUnfit`."""
    problem = file_system_problem(volume, layout.file_systems)
    remedy = phrase("Format a stick as FAT32 (not here: techtool formats nothing) and begin again.")
    if problem is not None:
        raise MediumUnfit(path=str(volume.root), problem=problem, remedy=remedy)
    if layout.label and volume.label is not None and volume.label.casefold() != layout.label.casefold():
        problem = phrase(
            "its label is “{found}”, this terminal wants “{wanted}”", found=volume.label, wanted=layout.label
        )
        remedy = phrase("Give the stick the label “{wanted}” and begin again.", wanted=layout.label)
        raise MediumUnfit(path=str(volume.root), problem=problem, remedy=remedy)


def disturbing(volume: Volume, layout: Layout, loads: Sequence[Load]) -> tuple[str, ...]:
    """Paths below the root of what the terminal's menu would take as well, or that stands in a new file's place."""
    folder = volume.root / layout.folder
    own = {load.path.rpartition("/")[2] for load in loads}
    alike = {name.casefold() for name in own}
    names = [name for name in _names(folder) if name not in own]
    found = [name for name in names if layout.disturbs(name) or name.casefold() in alike]
    prefix = f"{layout.folder}/" if layout.folder else ""
    result = [f"{prefix}{name}" for name in sorted(found)]
    if layout.result_file and _exists(volume.root / layout.result_file):
        result.append(layout.result_file)
    return tuple(dict.fromkeys(result))


def move_aside(volume: Volume, paths: Sequence[str], disk: Disk = DISK) -> str:
    """Move files into a folder of their own on the same stick; its path below the root. Nothing is deleted."""
    with _told(volume):
        number = next(n for n in range(1, _MAX_ENTRIES) if not (volume.root / ASIDE / str(n)).exists())
        place = volume.root / ASIDE / str(number)
        disk.make_folder(place)
        for path in paths:
            disk.replace(volume.root / path, place / path.rpartition("/")[2])
    return f"{ASIDE}/{number}"


def put(
    volume: Volume, load: Load, source: Path, confirmed: Confirmed = lambda _count: None, disk: Disk = DISK
) -> bool:
    """Copy one file and prove it on the stick; False: it lay there whole already.

    Written under another name, flushed, renamed, flushed, then read back past the system's memory where the system has
    a way. Raises :class:`MediumUnfit` where there is no room, :class:`MediumFailed` for a stick that was pulled, may
    only be read, or gives back something else.
    """
    target = volume.root / load.path
    with _told(volume):
        _refuse_links(volume, target)
        if _exists(target) and _digest(target) == load.sha256:
            _proven(volume, load, target, confirmed)
            return False
        part = target.parent / _PART
        disk.make_folder(target.parent)
        disk.unlink(part)
        _refuse_full(volume, load, target, disk)
        try:
            _copy(source, part, load, confirmed, disk)
            disk.replace(part, target)
        except BaseException:
            with contextlib.suppress(DiskError, DiskFull):
                disk.unlink(part)
            raise
    _proven(volume, load, target, confirmed)
    return True


def read_result(volume: Volume, layout: Layout) -> str | None:
    """What the terminal left on the stick, bounded; None: nothing, or nothing is known of such a file."""
    if not layout.result_file:
        return None
    try:
        with open(volume.root / layout.result_file, "rb") as file:
            data = file.read(_MAX_RESULT_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(volume.root, error) from error
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _copy(source: Path, part: Path, load: Load, confirmed: Confirmed, disk: Disk) -> None:
    fd = disk.create(part)
    try:
        written = 0
        with open(source, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                disk.write(fd, chunk, part)
                written += len(chunk)
                confirmed(min(written, max(0, load.size_bytes - 1)))  # whole only once it was read back
        disk.fsync(fd, part)
    finally:
        os.close(fd)


def _proven(volume: Volume, load: Load, target: Path, confirmed: Confirmed) -> None:
    """Read the file back and compare; raises :class:`MediumFailed`."""
    try:
        same = target.name in _names(target.parent) and _digest(target) == load.sha256
    except OSError as error:
        raise _failed(volume, os_problem(error), str(error)) from error
    if not same:
        raise MediumFailed(
            path=str(volume.root), problem=phrase("{name} reads back otherwise than it was written", name=load.path)
        )
    confirmed(load.size_bytes)


def _digest(path: Path) -> str:
    """SHA-256 of what the stick gives back, not of what this system still remembers, where it can be told to forget."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        _forget(file)
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _forget(file: BinaryIO) -> None:
    """Have the next read come from the stick: Linux drops clean pages, macOS reads past them; Windows has no way."""
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "darwin":
            import fcntl

            fcntl.fcntl(file.fileno(), fcntl.F_NOCACHE, 1)
        elif sys.platform.startswith("linux"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _refuse_full(volume: Volume, load: Load, target: Path, disk: Disk) -> None:
    from techtool.domain.verdicts import size_text

    needed, free = load.size_bytes + _SPARE_BYTES, disk.free_bytes(target.parent)
    if free < needed:
        problem = phrase("{needed} are needed, {free} are free", needed=size_text(needed), free=size_text(free))
        remedy = phrase("Make room on it yourself, or take another stick.")
        raise MediumUnfit(path=str(volume.root), problem=problem, remedy=remedy)


def _refuse_links(volume: Volume, target: Path) -> None:
    """FAT has no links; a folder that stands for a stick may, and nothing outside it is written."""
    place = target
    while place != volume.root:
        if place.is_symlink() or (place != target and place.exists() and not place.is_dir()):
            problem = phrase("{name} on it is no ordinary folder or file", name=place.name[:120])
            remedy = phrase("Take another, empty stick.")
            raise MediumUnfit(path=str(volume.root), problem=problem, remedy=remedy)
        place = place.parent


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _MAX_ENTRIES)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(folder, error) from error


@contextlib.contextmanager
def _told(volume: Volume) -> Iterator[None]:
    """The disk's errors as the stick's: it was pulled, is full or may only be read, and the laptop's own is well."""
    try:
        yield
    except DiskFull as error:
        raise _failed(volume, phrase("it is full"), error.detail) from error
    except DiskError as error:
        raise _failed(volume, error.params.get("problem", ""), error.detail) from error
    except OSError as error:
        raise _failed(volume, os_problem(error), str(error)) from error


def _failed(volume: Volume, problem: PhraseValue, detail: str) -> MediumFailed:
    return MediumFailed(path=str(volume.root), problem=problem, detail=detail)
