"""Writing a stick: everything is copied, synced and read back before the one file that makes it count.

``timestamp.json`` is written last: until then the stick is what it was before, whatever happens. Files of the former
state are removed only after that. At the end the stick is opened the way a technician's laptop opens it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuf.api.metadata import Timestamp

from techtool.bundles.find import FOLDER, METADATA, drives
from techtool.bundles.medium import OUTBOX, StickFolder, place_of, read_error
from techtool.bundles.metadata import StickSource
from techtool.bundles.publish.copying import copy_as
from techtool.bundles.publish.published import PublishedState, published_state, waiting_notes
from techtool.bundles.publish.readme import readme
from techtool.bundles.publish.workspace import read_as
from techtool.bundles.trust import Stick, open_alone
from techtool.clock import Clock
from techtool.errors import Damaged, DiskFull, PublisherError
from techtool.i18n import Phrase, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace

README: Final = "READ-ME.txt"
_TIMESTAMP: Final = f"{METADATA}/timestamp.json"
_CHUNK: Final = 1 << 20
_SPARE_BYTES: Final = 1 << 20
_FAT_LIMIT: Final = 1 << 32
_FAT: Final = ("vfat", "msdos", "fat", "fat32")


@dataclass(frozen=True, slots=True)
class _Item:
    """One file to bring to the stick."""

    place: str
    source: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Written:
    """What is on the stick now."""

    stick: Stick
    files: int
    size_bytes: int
    copied: int
    """Files that were not there yet."""
    removed: int
    """Files of the former state that are gone."""
    notes: tuple[Phrase, ...]
    use_by: datetime
    """The earliest end of any role."""


def write_stick(workspace: Workspace, stick: Path, clock: Clock) -> Written:
    """Bring the published state of ``workspace`` to ``stick`` (mount root or its ``TECHTOOL``).

    Raises :class:`PublisherError` for a state that a laptop would refuse, :class:`DiskFull`, :class:`Damaged` when what
    was written does not read back.
    """
    _refuse_own_folder(workspace, stick)
    state = published_state(workspace, clock)
    root = stick if stick.name.casefold() == FOLDER.casefold() else stick / FOLDER
    items = [*_payloads(workspace, state), *_metadata(state)]
    _refuse_other_bundle(workspace, root, state.timestamp)
    _refuse_if_no_room(root, items, workspace)
    copied = sum(_bring(workspace, root, item) for item in items)
    workspace.disk.make_folder(root / OUTBOX)
    data = state.files[_TIMESTAMP]
    workspace.disk.write_file(root / README, readme(state))
    workspace.disk.write_file(root / _TIMESTAMP, data)
    _read_back(root / _TIMESTAMP, _TIMESTAMP, hashlib.sha256(data).hexdigest())
    kept = {item.place for item in items} | {_TIMESTAMP}
    removed = _remove_former(workspace, root, kept)
    return Written(
        stick=open_alone(root, [workspace.root_data()], clock),
        files=len(items) + 1,
        size_bytes=sum(item.size_bytes for item in items),
        copied=copied,
        removed=removed,
        notes=waiting_notes(workspace),
        use_by=state.use_by,
    )


def _payloads(workspace: Workspace, state: PublishedState) -> Iterator[_Item]:
    """Payloads, release descriptions and recalls."""
    for path, entry in state.listed.items():
        place = place_of(path, entry.hashes["sha256"])
        yield _Item(place, workspace.folder / place, entry.length, entry.hashes["sha256"])


def _metadata(state: PublishedState) -> Iterator[_Item]:
    """The chain of roots, the lists, the snapshot; not the timestamp, which comes last of all."""
    for place, data in state.files.items():
        if place != _TIMESTAMP:
            yield _Item(place, state.folder / place, len(data), hashlib.sha256(data).hexdigest())


def _refuse_own_folder(workspace: Workspace, stick: Path) -> None:
    """A stick made inside the bundle folder would be passed around with it, and its keys with the stick."""
    if stick.exists() and not stick.is_dir():
        text = phrase(
            "{path} is a file, and a stick is a folder; a refresh file is written with --metadata-only", path=str(stick)
        )
        raise PublisherError(problem=text)
    if stick.resolve().is_relative_to(workspace.folder.resolve()):
        text = phrase("{path} is the bundle folder itself or in it; a stick is another folder", path=str(stick))
        raise PublisherError(problem=text)


def _refuse_other_bundle(workspace: Workspace, root: Path, timestamp: Timestamp) -> None:
    """A stick of another office, or a newer one of ours, is not overwritten by a slip of the hand."""
    if not (root / METADATA).is_dir():
        return
    source = StickSource(StickFolder(root))
    first = source.read("1.root.json")
    if first is not None and first != workspace.published_file("root", 1):
        text = phrase("{path} holds another publisher's bundle; empty it first", path=str(root))
        raise PublisherError(problem=text)
    there = source.read("timestamp.json")
    if there is not None and first is not None:
        version = read_as(Timestamp, there, "timestamp").signed.version
        if version > timestamp.version:
            raise PublisherError(problem=phrase("{path} holds a newer state of this bundle", path=str(root)))


def _refuse_if_no_room(root: Path, items: list[_Item], workspace: Workspace) -> None:
    workspace.disk.make_folder(root)
    wanted = sum(item.size_bytes for item in items if not (root / item.place).exists())
    free = shutil.disk_usage(root).free
    if wanted + _SPARE_BYTES > free:
        raise DiskFull(path=str(root), detail=f"{wanted} bytes wanted, {free} free")
    largest = max(items, key=lambda item: item.size_bytes)
    if largest.size_bytes >= _FAT_LIMIT and _file_system(root) in _FAT:
        text = phrase("{path} is too large for FAT32; format the stick as exFAT", path=largest.place)
        raise PublisherError(problem=text)


def _file_system(root: Path) -> str:
    under = [drive for drive in drives() if root.is_relative_to(drive.mount)]
    return max(under, key=lambda drive: len(str(drive.mount))).file_system.lower() if under else ""


def _bring(workspace: Workspace, root: Path, item: _Item) -> bool:
    """Copy one file, sync it, and read it back; a file that is there already is read as well."""
    target = root / item.place
    if target.exists() and _digest(target, item.place) == item.sha256:
        return False
    if not copy_as(workspace.disk, _chunks(item), target, item.sha256):
        raise PublisherError(problem=phrase("{path} is not the file that was signed", path=str(item.source)))
    _read_back(target, item.place, item.sha256)
    return True


def _chunks(item: _Item) -> Iterator[bytes]:
    """The file in the bundle folder, piece by piece."""
    try:
        with item.source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        problem = phrase("{path} cannot be read", path=str(item.source))
        raise PublisherError(problem=problem, detail=str(error)) from error


def _read_back(target: Path, place: str, sha256: str) -> None:
    if _digest(target, place) != sha256:
        raise Damaged(path=place, problem=phrase("what was written does not read back the same"))


def _digest(path: Path, place: str) -> str:
    """Hash a file from the medium itself, where the system lets us drop its cache."""
    try:
        with path.open("rb") as file:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise read_error(place, error) from error


def _remove_former(workspace: Workspace, root: Path, kept: set[str]) -> int:
    """Remove what no list names any more; hidden files of other systems are left alone."""
    removed = 0
    for folder in (METADATA, "targets"):
        for path in sorted((root / folder).rglob("*")):
            place = path.relative_to(root).as_posix()
            if path.is_file() and not path.name.startswith(".") and place not in kept:
                workspace.disk.unlink(path)
                removed += 1
    return removed
