"""Terminals that can be seen from here, for a screen that offers them before an address is typed."""

from __future__ import annotations

from dataclasses import dataclass

from techtool.errors import LinkError
from techtool.visit.services import Services


@dataclass(frozen=True, slots=True)
class Nearby:
    """A terminal that an adb server sees."""

    address: str
    state: str
    """adb's word: ``device``, ``unauthorized``, ``offline`` …"""

    @property
    def usable(self) -> bool:
        """Whether it would answer now."""
        return self.state == "device"


async def nearby(services: Services) -> list[Nearby]:
    """What an adb server sees; nothing when no server can be asked."""
    from techtool.links.adb.server import server_devices

    try:
        devices = await server_devices(services.settings.links, services.paths, disk=services.disk)
    except LinkError:
        return []
    return [Nearby(f"adb+server:{device.serial}", device.state) for device in devices]
