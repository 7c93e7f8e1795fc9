"""A terminal that only eats a stick: a menu of its own, no connection. For training, and for the tests' operator.

It reads the stick as its guide says (``guides.toml``, model S1), leaves a log on it and can be made to fail. An update
file begins with the line ``SIMUPD SLOT VERSION``, where the slot is ``firmware``, ``bootloader`` or a release's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from techtool.catalogue.guides import guide_for
from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.guide import Layout
from techtool.errors import BadFile
from techtool.links.medium.volume import STAND_IN, STAND_IN_TEXT
from techtool.paths import DISK, os_problem

MODEL: Final = "example/S1"
MENU: Final = "1 Update from USB  2 Versions  3 Restart  0 Off"
RESTART_NOW: Final = "Restart now?"
NOT_FOUND: Final = "File not found"
BAD_FILE: Final = "Bad file"
IDLE: Final = "Ready"
_HEADER: Final = "SIMUPD"
_MAX_HEADER: Final = 200


class MenuFault(StrEnum):
    """What goes wrong."""

    NOT_FOUND = "not-found"
    """The menu lists no file, whatever lies there."""
    WRONG_VERSION = "wrong-version"
    """It says that it is done, and runs something else afterwards."""
    BAD_FILE = "bad-file"


@dataclass(slots=True)
class MenuTerminal:
    """One such terminal."""

    serial: str = "EXS1000417"
    versions: dict[str, str] = field(default_factory=lambda: {"firmware": "1.0"})
    pending: dict[str, str] = field(default_factory=dict)
    """Brought, and in effect only after a restart."""
    fault: MenuFault | None = None

    @property
    def shown(self) -> Mapping[str, str]:
        """What the page of versions shows."""
        return {"S/N": self.serial, **dict(sorted(self.versions.items()))}

    def update(self, stick: Path) -> str:
        """“1 Update from USB”: what the screen shows at the end."""
        layout = guide_for(MODEL).layout
        folder = stick / layout.folder
        names = sorted(p.name for p in folder.glob("*") if layout.takes(p.name)) if folder.is_dir() else []
        if not names or self.fault is MenuFault.NOT_FOUND:
            return self._log(stick, layout, NOT_FOUND)
        brought: dict[str, str] = {}
        for name in names:
            with open(folder / name, "rb") as file:
                words = file.readline(_MAX_HEADER).decode("ascii", "replace").split()
            if len(words) != 3 or words[0] != _HEADER or self.fault is MenuFault.BAD_FILE:
                return self._log(stick, layout, f"{BAD_FILE}: {name}")
            brought[words[1]] = words[2]
        self.pending = brought
        self._log(stick, layout, "", brought)
        return RESTART_NOW

    def restart(self) -> str:
        """What was brought takes effect."""
        for slot, version in self.pending.items():
            self.versions[slot] = f"{version}-old" if self.fault is MenuFault.WRONG_VERSION else version
        self.pending = {}
        return IDLE

    def save(self, folder: Path) -> None:
        """Keep it across runs; raises ``DiskError``, ``DiskFull``."""
        DISK.make_folder(folder)
        kept = {"serial": self.serial, "versions": self.versions, "pending": self.pending}
        DISK.write_file(folder / "menu.json", encode_json(kept))

    @classmethod
    def load(cls, folder: Path | None, fault: MenuFault | None = None) -> MenuTerminal:
        """The terminal that was kept in ``folder``, or a new one; raises :class:`BadFile`."""
        place = folder / "menu.json" if folder is not None else None
        if place is None or not place.exists():
            return cls(fault=fault)
        try:
            kept = decode_json(place.read_bytes(), _Kept)
        except (OSError, CodecError) as error:
            problem = os_problem(error) if isinstance(error, OSError) else str(error)
            raise BadFile(path=str(place), problem=problem) from error
        return cls(kept.serial, dict(kept.versions), dict(kept.pending), fault)

    def _log(self, stick: Path, layout: Layout, problem: str, brought: Mapping[str, str] | None = None) -> str:
        """Leave a log on the stick; the problem is what the screen shows."""
        lines = [f"SERIAL={self.serial}", *(f"{slot}={version}" for slot, version in (brought or {}).items())]
        lines.append(f"RESULT=ERROR {problem}" if problem else "RESULT=OK")
        (stick / layout.result_file).write_bytes("".join(f"{line}\r\n" for line in lines).encode("ascii", "replace"))
        return problem


@dataclass(frozen=True, slots=True)
class _Kept:
    """``menu.json``"""

    serial: str
    versions: Mapping[str, str]
    pending: Mapping[str, str]


def stand_in(folder: Path) -> None:
    """Make ``folder`` stand for a FAT32 stick of a simulated terminal; raises ``DiskError``."""
    DISK.make_folder(folder)
    DISK.write_file(folder / STAND_IN, STAND_IN_TEXT)
