"""The stick at a path: what it is, whether it may be written at all, and what of it is known."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.domain.fat import BootSector, FileSystem, kind_by_clusters, read_boot_sector
from techtool.errors import MediumUnfit
from techtool.i18n import Phrase, phrase
from techtool.links.medium.drives import Drive, drives, is_stick
from techtool.paths import os_problem

STAND_IN: Final = "TTSIM.TXT"
"""A folder with this file stands for a stick, for terminals that are simulated; ``techtool simulate`` lays it down."""
STAND_IN_TEXT: Final = b"techtool: this folder stands for a FAT32 stick of a simulated terminal.\r\n"
_BUNDLE: Final = "techtool"
_FAT_NAMES: Final = frozenset({"vfat", "msdos", "fat"})
_READ_ONLY: Final = frozenset({"ro", "read-only"})


@dataclass(frozen=True, slots=True)
class Volume:
    """A stick as it is mounted now."""

    root: Path
    file_system: FileSystem
    label: str | None = None
    """None: this system does not tell it."""
    simulated: bool = False
    """A folder that stands for a stick."""


def volume_at(path: Path, mounted: Sequence[Drive] | None = None) -> Volume:
    """The stick whose mount root is ``path``; raises :class:`MediumUnfit` for everything that is none.

    Refused: what is not there, a folder that is no mount root, a drive that is built in or that this system runs from,
    the stick that carries the releases.
    """
    try:
        root = path.expanduser().absolute()
        return _judged(root, drives() if mounted is None else mounted)
    except (OSError, RuntimeError) as error:
        raise unreadable(path, error) from error


def _judged(root: Path, mounted: Sequence[Drive]) -> Volume:
    if not root.is_dir():
        remedy = phrase("Plug the stick in and look under which folder it appears.")
        raise MediumUnfit(path=str(root), problem=phrase("there is no such folder"), remedy=remedy)
    _refuse_bundle(root)
    if _is_stand_in(root):
        return Volume(root, FileSystem.FAT32, "", simulated=True)
    drive = _drive_at(root, mounted)
    sector = _boot_sector(drive.device)
    kind = _kind(drive.file_system, root, sector)
    return Volume(root, kind, sector.label if sector is not None else None)


def sticks_for_menus(mounted: Sequence[Drive] | None = None) -> list[Path]:
    """Mount roots of sticks that could be prepared for a terminal's menu: FAT, and without a bundle."""
    found = []
    for drive in drives() if mounted is None else mounted:
        try:
            volume = volume_at(drive.mount, [drive])
        except MediumUnfit:
            continue
        if volume.file_system not in (FileSystem.OTHER, FileSystem.EXFAT):
            found.append(volume.root)
    return sorted(found)


def _refuse_bundle(root: Path) -> None:
    """The stick that the releases are installed from stays as the office wrote it."""
    with os.scandir(root) as entries:
        carries = any(entry.name.casefold() == _BUNDLE and entry.is_dir() for entry in entries)
    if carries or root.name.casefold() == _BUNDLE:
        remedy = phrase("Take a second, empty stick for the terminal.")
        raise MediumUnfit(path=str(root), problem=phrase("it is the stick with the releases"), remedy=remedy)


def _is_stand_in(root: Path) -> bool:
    try:
        return (root / STAND_IN).read_bytes()[: len(STAND_IN_TEXT) + 1] == STAND_IN_TEXT
    except OSError:
        return False


def _drive_at(root: Path, mounted: Sequence[Drive]) -> Drive:
    remedy = phrase("Name the folder under which the stick itself appears.")
    drive = next((d for d in mounted if _same(d.mount, root)), None)
    if drive is None:
        raise MediumUnfit(path=str(root), problem=phrase("it is a folder and no stick"), remedy=remedy)
    if _is_system(drive, mounted) or not is_stick(drive):
        raise MediumUnfit(path=str(root), problem=phrase("it is a disk of this computer and no stick"), remedy=remedy)
    return drive


def _same(mount: Path, root: Path) -> bool:
    return os.path.normcase(os.path.realpath(mount)) == os.path.normcase(os.path.realpath(root))


def _is_system(drive: Drive, mounted: Sequence[Drive]) -> bool:
    """Whether this system runs from the drive: its root, its home, or a part of the same disk."""
    anchor = Path(os.environ.get("SYSTEMDRIVE", "C:") + "\\") if sys.platform == "win32" else Path("/")
    if drive.mount == anchor or Path.home().is_relative_to(drive.mount):
        return True
    disk = drive.device.rstrip("0123456789")
    return any(d.mount == anchor and disk and d.device.startswith(disk) for d in mounted)


def _boot_sector(device: str) -> BootSector | None:
    """What the first sector says, where this system lets it be read; None: it does not."""
    if not device.startswith("/dev/"):
        return None
    try:
        with open(device, "rb", buffering=0) as file:
            return read_boot_sector(file.read(512))
    except OSError:
        return None


def _kind(said: str, root: Path, sector: BootSector | None) -> FileSystem:
    """FAT32 or another FAT: by the first sector, else by the system's own word, else by the count of clusters."""
    word = said.casefold()
    if word == "exfat":
        return FileSystem.EXFAT
    if word == "fat32":
        return FileSystem.FAT32
    if word not in _FAT_NAMES:
        return FileSystem.OTHER
    if sector is not None and sector.file_system is not FileSystem.OTHER:
        return sector.file_system
    if sys.platform.startswith("linux"):
        return kind_by_clusters(os.statvfs(root).f_blocks)
    return FileSystem.FAT


def unreadable(path: Path, error: OSError | RuntimeError) -> MediumUnfit:
    """The stick does not let itself be looked at, or a folder of nobody's is named (``~who``)."""
    said = os_problem(error) if isinstance(error, OSError) else str(error)
    problem = phrase("it cannot be read: {error}", error=said)
    remedy = phrase("Plug it in again; if it stays so, take another stick.")
    return MediumUnfit(path=str(path), problem=problem, remedy=remedy, detail=str(error))


def file_system_problem(volume: Volume, wanted: Sequence[FileSystem]) -> Phrase | None:
    """Why the terminal would not read the stick; None: it is formatted as its model wants it, as far as is known."""
    if volume.file_system in wanted:
        return None
    if volume.file_system is FileSystem.FAT and any(kind is not FileSystem.EXFAT for kind in wanted):
        return None
    names = ", ".join(kind.value.upper() for kind in wanted)
    return phrase(
        "it is formatted as {found}, this terminal reads {wanted}", found=volume.file_system.value, wanted=names
    )
