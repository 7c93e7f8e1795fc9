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
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuf.api.metadata import Targets, Timestamp

from techtool.bundles.find import FOLDER, METADATA, drives
from techtool.bundles.medium import OUTBOX, place_of, read_error
from techtool.bundles.profile import ROLE_PREFIX
from techtool.bundles.publish.readme import readme
from techtool.bundles.publish.workspace import read_as
from techtool.bundles.trust import Stick, open_alone
from techtool.clock import Clock, stamp
from techtool.errors import Damaged, DiskFull, PublisherError
from techtool.i18n import Phrase, phrase
from techtool.paths import disk_error

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


def write_stick(workspace: Workspace, stick: Path, clock: Clock) -> Written:
    """Bring the published state of ``workspace`` to ``stick`` (mount root or its ``TECHTOOL``).

    Raises :class:`PublisherError`, :class:`DiskFull`, :class:`Damaged` when what was written does not read back.
    """
    timestamp = workspace.timestamp()
    if timestamp is None:
        raise PublisherError(problem=phrase("nothing is signed yet; “bundle sign” comes first"))
    if timestamp.is_expired(clock.now()):
        text = phrase("it was usable until {until}; “bundle sign --renew” comes first", until=stamp(timestamp.expires))
        raise PublisherError(problem=text)
    root = stick if stick.name.casefold() == FOLDER.casefold() else stick / FOLDER
    items = list(_items(workspace))
    _refuse_other_bundle(workspace, root, timestamp)
    _refuse_if_no_room(root, items, workspace)
    copied = sum(_bring(workspace, root, item) for item in items)
    workspace.disk.make_folder(root / OUTBOX)
    data = (workspace.metadata / "timestamp.json").read_bytes()
    workspace.disk.write_file(root / README, readme(workspace, timestamp))
    workspace.disk.write_file(root / _TIMESTAMP, data)
    _read_back(root / _TIMESTAMP, _TIMESTAMP, hashlib.sha256(data).hexdigest())
    kept = {item.place for item in items} | {_TIMESTAMP}
    removed = _remove_former(workspace, root, kept)
    waiting = workspace.staged_roles()
    notes = () if not waiting else (phrase("Not signed yet, so not on the stick: {roles}", roles=", ".join(waiting)),)
    size = sum(item.size_bytes for item in items)
    return Written(open_alone(root, [workspace.root_data()], clock), len(items) + 1, size, copied, removed, notes)


def _items(workspace: Workspace) -> Iterator[_Item]:
    """Payloads, descriptions, the chain of roots, the lists, the snapshot: in that order."""
    roles = ["targets", *(f"{ROLE_PREFIX}{name}" for name in workspace.publishers)]
    snapshot, timestamp = workspace.snapshot(), workspace.timestamp()
    if snapshot is None or timestamp is None:
        return
    names: list[str] = []
    for role in roles:
        meta = snapshot.meta.get(f"{role}.json")
        if meta is None:
            continue
        names.append(f"{meta.version}.{role}.json")
        listed = read_as(Targets, workspace.published_file(role, meta.version), role).signed.targets
        for path, entry in sorted(listed.items()):
            place = place_of(path, entry.hashes["sha256"])
            yield _Item(place, workspace.folder / place, entry.length, entry.hashes["sha256"])
    roots = [f"{n}.root.json" for n in range(1, workspace.published_version("root") + 1)]
    for name in [*roots, *names, f"{timestamp.snapshot_meta.version}.snapshot.json"]:
        source = workspace.metadata / name
        data = source.read_bytes()
        yield _Item(f"{METADATA}/{name}", source, len(data), hashlib.sha256(data).hexdigest())


def _refuse_other_bundle(workspace: Workspace, root: Path, timestamp: Timestamp) -> None:
    """A stick of another office, or a newer one of ours, is not overwritten by a slip of the hand."""
    first = root / METADATA / "1.root.json"
    if first.exists() and first.read_bytes() != workspace.published_file("root", 1):
        text = phrase("{path} holds another publisher's bundle; empty it first", path=str(root))
        raise PublisherError(problem=text)
    there = root / _TIMESTAMP
    if there.exists() and first.exists():
        version = read_as(Timestamp, there.read_bytes(), "timestamp").signed.version
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
    disk = workspace.disk
    disk.make_folder(target.parent)
    part = target.with_name(f"{target.name}.part")
    disk.unlink(part)
    fd = disk.create(part)
    try:
        with item.source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                disk.write(fd, chunk, part)
        disk.fsync(fd, part)
    except OSError as error:
        raise disk_error(error, item.source) from error
    finally:
        os.close(fd)
    disk.replace(part, target)
    _read_back(target, item.place, item.sha256)
    return True


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
