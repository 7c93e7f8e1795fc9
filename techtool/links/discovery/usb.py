"""USB devices that offer ADB, by the class of their interface, where the system tells without a driver of ours.

Linux lists them in sysfs. Windows and macOS do not tell without a driver or a privileged program: there only the adb
server sees them. Source of the class ff/42/01: AOSP ``adb/adb.h`` (``ADB_CLASS``, ``ADB_SUBCLASS``, ``ADB_PROTOCOL``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.links.clean import clean

SYSFS: Final = Path("/sys/bus/usb/devices")
ADB_INTERFACE: Final = ("ff", "42", "01")
MOST: Final = 64
_SHORT: Final = 256


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A device with an ADB interface."""

    place: str
    """Its socket, as adb names it: ``usb:1-2``."""
    vendor_id: int
    product_id: int
    serial: str = ""
    product: str = ""


def adb_devices(root: Path = SYSFS) -> list[UsbDevice]:
    """What is plugged in and offers ADB; nothing where the system does not tell. Blocks briefly."""
    try:
        interfaces = sorted(path for path in root.iterdir() if ":" in path.name)
    except OSError:
        return []
    found: dict[str, UsbDevice] = {}
    for interface in interfaces:
        place = interface.name.partition(":")[0]
        names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
        if place not in found and tuple(_read(interface / name).lower() for name in names) == ADB_INTERFACE:
            device = _device(root / place)
            if device is not None and len(found) < MOST:
                found[place] = device
    return list(found.values())


def _device(folder: Path) -> UsbDevice | None:
    try:
        vendor, product = int(_read(folder / "idVendor"), 16), int(_read(folder / "idProduct"), 16)
    except ValueError:
        return None
    return UsbDevice(f"usb:{folder.name}", vendor, product, _read(folder / "serial"), _read(folder / "product"))


def _read(path: Path) -> str:
    """One line of sysfs; what a device says of itself may be anything."""
    try:
        with path.open("rb") as file:
            return clean(file.read(_SHORT).decode("utf-8", "replace").strip(), 64)
    except OSError:
        return ""
