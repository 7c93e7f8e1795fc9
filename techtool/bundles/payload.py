"""Copy-and-hash: a payload leaves the stick in one pass that proves it, or it does not leave at all.

The copy grows as ``<sha256>.part``, is synced every few megabytes (only then are bytes told as confirmed), compared,
and renamed to ``<sha256>``. A part that was left by a pulled stick is hashed again and continued; if the whole then
differs, one fresh copy is made before the stick is blamed. Nothing is ever unpacked here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.bundles.medium import StickFolder, place_of, read_chunks, read_error
from techtool.errors import Damaged, DiskFull, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, disk_error

Confirmed = Callable[[int], None]
"""Called with the number of bytes that are safely there (copied) or proven (hashed in place)."""

_CHUNK: Final = 256 << 10
_SYNC_EVERY: Final = 8 << 20
_SPARE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Payload:
    """One file of the stick by its signed length and digest."""

    target: str
    """TUF target path."""
    size_bytes: int
    sha256: str

    @property
    def place(self) -> str:
        """Where it lies below ``TECHTOOL/``: its digest is part of its name (consistent snapshots)."""
        return place_of(self.target, self.sha256)


def _nobody(_count: int) -> None:
    """Nobody watches."""


def check(folder: StickFolder, payload: Payload, confirmed: Confirmed = _nobody) -> None:
    """Hash a payload where it lies; raises :class:`Damaged`. Memory does not depend on its size."""
    digest = hashlib.sha256()
    done = 0
    for chunk in _chunks(folder, payload, 0):
        digest.update(chunk)
        done += len(chunk)
        confirmed(done)
    problem = _difference(payload, done, digest.hexdigest())
    if problem is not None:
        raise Damaged(path=payload.place, problem=problem)


def fetch(folder: StickFolder, payload: Payload, into: Path, confirmed: Confirmed = _nobody, disk: Disk = DISK) -> Path:
    """Copy a payload to ``into/<sha256>`` and prove it; an earlier proven copy is proven again and used.

    Raises :class:`Damaged` (the stick's fault; what could be read stays for resuming) and :class:`DiskFull` or another
    disk error (the laptop's; nothing is left behind).
    """
    disk.make_folder(into)
    target = into / payload.sha256
    if _is_proven(target, payload):
        confirmed(payload.size_bytes)
        return target
    part = into / f"{payload.sha256}.part"
    resumed = part.exists() and part.stat().st_size > 0
    problem = _copy(folder, payload, part, confirmed, disk)
    if problem is not None and resumed and not part.exists():
        problem = _copy(folder, payload, part, confirmed, disk)
    if problem is not None:
        raise Damaged(path=payload.place, problem=problem)
    disk.replace(part, target)
    return target


def _copy(folder: StickFolder, payload: Payload, part: Path, confirmed: Confirmed, disk: Disk) -> Phrase | None:
    """Continue ``part`` to the whole payload; what is wrong with it, if anything, and then ``part`` may be gone."""
    _refuse_if_no_room(part, payload)
    fd = disk.create(part)
    try:
        problem, of_use = _fill(fd, folder, payload, part, confirmed, disk)
    except Damaged:
        os.close(fd)
        raise
    except TechtoolError:
        os.close(fd)
        with contextlib.suppress(TechtoolError):
            disk.unlink(part)
        raise
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    if not of_use:
        disk.unlink(part)
    return problem


def _fill(
    fd: int, folder: StickFolder, payload: Payload, part: Path, confirmed: Confirmed, disk: Disk
) -> tuple[Phrase | None, bool]:
    """Append what is missing; what is wrong with the whole, and whether the part is of use for another attempt."""
    digest = hashlib.sha256()
    done = synced = _hash_part(fd, part, payload, digest, disk)
    confirmed(done)
    for chunk in _chunks(folder, payload, done):
        digest.update(chunk)
        disk.write(fd, chunk, part)
        done += len(chunk)
        if done - synced >= _SYNC_EVERY:
            disk.fsync(fd, part)
            synced = done
            confirmed(min(done, payload.size_bytes))
    disk.fsync(fd, part)
    problem = _difference(payload, done, digest.hexdigest())
    if problem is None:
        confirmed(done)
    return problem, problem is None or done < payload.size_bytes


def _hash_part(fd: int, part: Path, payload: Payload, digest: hashlib._Hash, disk: Disk) -> int:
    """Hash what an earlier attempt left; more than the payload has is dropped."""
    try:
        size = os.fstat(fd).st_size
        if size > payload.size_bytes:
            size = 0
            disk.truncate(fd, 0, part)
        os.lseek(fd, 0, os.SEEK_SET)
        left = size
        while left > 0:
            chunk = os.read(fd, min(_CHUNK, left))
            if not chunk:
                break
            digest.update(chunk)
            left -= len(chunk)
    except OSError as error:
        raise disk_error(error, part) from error
    return size - left


def _chunks(folder: StickFolder, payload: Payload, start: int) -> Iterator[bytes]:
    """The payload's bytes from ``start``, and one byte more when the file is longer than was signed."""
    try:
        file = folder.open(payload.place)
    except FileNotFoundError:
        raise Damaged(path=payload.place, problem=phrase("it is missing")) from None
    with file:
        try:
            file.seek(start)
        except OSError as error:
            raise read_error(payload.place, error) from error
        yield from read_chunks(file, payload.place, payload.size_bytes - start + 1, _CHUNK)


def _difference(payload: Payload, size_bytes: int, sha256: str) -> Phrase | None:
    """What makes the bytes that were read another thing than the payload that was signed."""
    if size_bytes < payload.size_bytes:
        return phrase("it ends after {size} of {wanted} bytes", size=size_bytes, wanted=payload.size_bytes)
    if size_bytes > payload.size_bytes:
        return phrase("it is longer than {wanted} bytes", wanted=payload.size_bytes)
    if sha256 != payload.sha256:
        return phrase("its content is not what was signed")
    return None


def _is_proven(target: Path, payload: Payload) -> bool:
    """Whether the earlier copy is whole; one that rotted is not used."""
    try:
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == payload.sha256
    except OSError:
        return False


def _refuse_if_no_room(part: Path, payload: Payload) -> None:
    try:
        there = part.stat().st_size if part.exists() else 0
        free = shutil.disk_usage(part.parent).free
    except OSError as error:
        raise disk_error(error, part) from error
    if payload.size_bytes - there + _SPARE_BYTES > free:
        raise DiskFull(path=str(part.parent), detail=f"{payload.size_bytes} bytes wanted, {free} free")
