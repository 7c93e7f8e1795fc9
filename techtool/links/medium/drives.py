"""What is mounted on this computer, and which of it is a stick."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOUNTED_BY_DESKTOPS: Final = ("/media/", "/run/media/", "/Volumes/", "/mnt/")
_SYS: Final = Path("/sys/class/block")


@dataclass(frozen=True, slots=True)
class Drive:
    """One mounted file system."""

    device: str
    mount: Path
    file_system: str
    removable: bool


def drives() -> list[Drive]:
    """What is mounted now, as psutil tells it."""
    import psutil

    return [
        Drive(p.device, Path(p.mountpoint), p.fstype, _is_removable(p.device, p.mountpoint, p.opts))
        for p in psutil.disk_partitions(all=False)
        if p.fstype and "cdrom" not in p.opts.split(",")
    ]


def is_stick(drive: Drive) -> bool:
    """Whether it is safe to take ``drive`` for something that is pulled out and carried: stricter than ``removable``.

    Where the system tells the bus, the place it is mounted at proves nothing: a second fixed disk may be mounted
    anywhere.
    """
    told = _linux_says(drive.device)
    return drive.removable if told is None else told


def _is_removable(device: str, mount: str, options: str) -> bool:
    """Windows says so in the options; elsewhere a drive counts that a desktop mounted, or that the kernel names so.

    Some sticks and all USB disks call themselves fixed, which is why the place they are mounted at counts as well.
    """
    if "removable" in options.split(","):
        return True
    if mount.startswith(_MOUNTED_BY_DESKTOPS):
        return True
    if sys.platform.startswith("linux") and device.startswith("/dev/"):
        name = Path(device).name
        for candidate in (name, name.rstrip("0123456789")):
            flag = Path("/sys/block", candidate, "removable")
            if flag.is_file():
                return flag.read_text(encoding="ascii").strip() == "1"
    return False


def _linux_says(device: str) -> bool | None:
    """Whether the kernel knows the device as removable, on USB or in a card reader; None: it does not know it."""
    if not (sys.platform.startswith("linux") and device.startswith("/dev/")):
        return None
    node = _SYS / Path(device).name
    try:
        place = node.resolve(strict=True)
        disk = place.parent if (place / "partition").exists() else place
        if (disk / "removable").read_text(encoding="ascii").strip() == "1":
            return True
    except OSError:
        return None
    return any(part.startswith(("usb", "mmc")) for part in place.parts)
