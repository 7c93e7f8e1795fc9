"""Terminals that can be seen from here, for a screen that offers them before an address is typed."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

from techtool.domain.terminal import Address
from techtool.errors import LinkError
from techtool.visit.services import Services

STICK: Final = "stick"


@dataclass(frozen=True, slots=True)
class Nearby:
    """A terminal that an adb server sees, or a stick that could be carried to one."""

    address: str
    state: str
    """adb's word: ``device``, ``unauthorized``, ``offline`` …; or :data:`STICK`."""

    @property
    def usable(self) -> bool:
        """Whether it would answer now."""
        return self.state in ("device", STICK)

    @property
    def is_stick(self) -> bool:
        """A stick for a terminal's own menu: whether there is such a terminal, only the person knows."""
        return self.state == STICK


async def nearby(services: Services) -> list[Nearby]:
    """What an adb server sees, if one can be asked; then the sticks that carry no releases."""
    from techtool.links.adb.server import server_devices
    from techtool.links.medium.volume import sticks_for_menus

    devices = []
    with contextlib.suppress(LinkError):
        devices = await server_devices(services.settings.links, services.paths, disk=services.disk)
    sticks = await asyncio.to_thread(sticks_for_menus)
    found = [Nearby(f"adb+server:{device.serial}", device.state) for device in devices]
    return [*found, *(Nearby(str(Address("medium", str(place))), STICK) for place in sticks)]
