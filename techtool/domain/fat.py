"""What a FAT file system, and a terminal's menu that reads one, takes: names, lengths, sizes, kinds. Pure.

Sources: Microsoft, *FAT32 File System Specification* 1.03 (short and long names, the count of clusters that decides the
kind, four bytes for a file's size); Microsoft, *Naming Files, Paths, and Namespaces* (names that Windows keeps for
devices).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from techtool.i18n import Phrase, phrase

MAX_FILE_BYTES: Final = (1 << 32) - 1
"""The size of a file is four bytes long in its directory entry."""
_MAX_UNITS: Final = 255
"""UTF-16 units of a long name."""
_MAX_PATH_UNITS: Final = 260 - len("E:\\") - 1
"""Windows' limit for a path, without the drive and the closing zero: a laptop could not copy a longer one."""
_SHORT: Final = re.compile(r"[A-Za-z0-9!#$%&'()@^_`{}~-]{1,8}(\.[A-Za-z0-9!#$%&'()@^_`{}~-]{1,3})?")
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f"*/:<>?\\|]')
_DEVICE: Final = re.compile(r"(?i)(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?")
_FAT16_FROM: Final = 4085
_FAT32_FROM: Final = 65525


class FileSystem(StrEnum):
    """What a stick is formatted as, as far as terminals tell the kinds apart."""

    FAT12 = "fat12"
    FAT16 = "fat16"
    FAT32 = "fat32"
    FAT = "fat"
    """One of the three; this system does not say which."""
    EXFAT = "exfat"
    OTHER = "other"


class Names(StrEnum):
    """How long the names may be that a terminal's menu reads."""

    SHORT = "8.3"
    LONG = "long"


class Letters(StrEnum):
    """In which letters the names must be that a terminal's menu looks for."""

    ANY = "any"
    UPPER = "upper"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class BootSector:
    """What the first sector of a FAT or exFAT file system says."""

    file_system: FileSystem
    label: str = ""
    """The volume label of the boot sector; empty: none."""


def units(name: str) -> int:
    """How long a name is on the stick, in UTF-16 units."""
    return len(name.encode("utf-16-le", "surrogatepass")) // 2


def name_problem(name: str, names: Names = Names.LONG, letters: Letters = Letters.ANY) -> Phrase | None:
    """Why a file may not be called that on the stick; None: it may."""
    if not name or name in (".", "..") or _FORBIDDEN.search(name) or not name.isprintable():
        return phrase("it has a character that a stick does not take")
    if name[-1] in ". ":
        return phrase("it ends in a dot or a blank, which a stick drops")
    if _DEVICE.fullmatch(name):
        return phrase("Windows keeps that name for a device")
    if units(name) > _MAX_UNITS:
        return phrase("it is longer than {count} characters", count=_MAX_UNITS)
    if names is Names.SHORT and _SHORT.fullmatch(name) is None:
        return phrase("this terminal reads only names of eight characters, a dot and three")
    if letters is Letters.UPPER and name != name.upper():
        return phrase("this terminal reads only names in capital letters")
    if letters is Letters.LOWER and name != name.lower():
        return phrase("this terminal reads only names in small letters")
    return None


def path_problem(path: str, names: Names = Names.LONG, letters: Letters = Letters.ANY) -> Phrase | None:
    """The same for a path below the stick's root, parts parted by ``/``."""
    for part in path.split("/"):
        problem = name_problem(part, names, letters)
        if problem is not None:
            return problem
    if units(path) > _MAX_PATH_UNITS:
        return phrase("it is longer than {count} characters", count=_MAX_PATH_UNITS)
    return None


def clashes(names: Iterable[str]) -> tuple[str, ...]:
    """Names that FAT takes for one another: they differ in their capitals only."""
    seen: dict[str, str] = {}
    twice: list[str] = []
    for name in names:
        if name.casefold() in seen:
            twice += [seen[name.casefold()], name]
        seen.setdefault(name.casefold(), name)
    return tuple(dict.fromkeys(twice))


def kind_by_clusters(count: int) -> FileSystem:
    """FAT12, FAT16 or FAT32: by the specification the count of clusters decides, and nothing else."""
    if count < _FAT16_FROM:
        return FileSystem.FAT12
    return FileSystem.FAT16 if count < _FAT32_FROM else FileSystem.FAT32


def read_boot_sector(sector: bytes) -> BootSector:
    """The kind and the label by the first 512 bytes of a volume; ``OTHER`` for what is no FAT.

    FAT32 is told by the empty 16-bit length of its tables, as systems mount it: small ones have too few clusters.
    """
    if len(sector) < 512 or sector[510:512] != b"\x55\xaa":
        return BootSector(FileSystem.OTHER)
    if sector[3:11] == b"EXFAT   ":
        return BootSector(FileSystem.EXFAT)
    sector_bytes, per_cluster = int.from_bytes(sector[11:13], "little"), sector[13]
    reserved, tables = int.from_bytes(sector[14:16], "little"), sector[16]
    sizes = sector_bytes in (512, 1024, 2048, 4096) and per_cluster and not per_cluster & (per_cluster - 1)
    if not sizes or not reserved or not tables:
        return BootSector(FileSystem.OTHER)
    table_16 = int.from_bytes(sector[22:24], "little")
    if not table_16:
        return BootSector(FileSystem.FAT32, _label(sector[71:82]))
    entries = int.from_bytes(sector[17:19], "little")
    total = int.from_bytes(sector[19:21], "little") or int.from_bytes(sector[32:36], "little")
    root = (entries * 32 + sector_bytes - 1) // sector_bytes
    clusters = (total - reserved - tables * table_16 - root) // per_cluster
    kind = FileSystem.FAT12 if clusters < _FAT16_FROM else FileSystem.FAT16
    return BootSector(kind, _label(sector[43:54]))


def _label(field: bytes) -> str:
    text = field.decode("ascii", "replace").strip()
    return "" if text == "NO NAME" or not text.isprintable() else text
