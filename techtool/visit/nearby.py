"""Terminals that can be seen from here, for a screen that offers them before an address is typed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from techtool.domain.nearby import MENU_STICK, How, Nearby
from techtool.domain.terminal import Address
from techtool.visit.services import Services


async def nearby(services: Services) -> list[Nearby]:
    """Everything that is plugged in, announces itself or stands in the settings; nothing is probed.

    Then the sticks without releases: whether a terminal wants one, only the person knows.
    """
    from techtool.links.discovery.look import look
    from techtool.links.medium.volume import sticks_for_menus

    seen, sticks = await asyncio.gather(
        look(services.settings.links, services.paths, disk=services.disk), asyncio.to_thread(sticks_for_menus)
    )
    return [*seen, *(Nearby(str(Address("medium", str(place))), MENU_STICK, How.STICK) for place in sticks)]


async def cables(services: Services) -> AsyncGenerator[list[Nearby], None]:
    """What the adb server sees, again whenever a cable goes in or out; ends when there is no server to ask."""
    from techtool.links.discovery.look import watch_cables

    async with aclosing(watch_cables(services.settings.links, services.paths, services.disk)) as changes:
        async for found in changes:
            yield found


def place_of(text: str) -> str:
    """``HOST:PORT`` as a person types it; raises :class:`UsageError`."""
    from techtool.links.adb.pairing import place_of as checked

    return checked(text)


async def pair(services: Services, place: str, code: str) -> None:
    """Pair this laptop with the terminal at ``HOST:PORT``; the code is kept nowhere."""
    from techtool.links.adb.pairing import pair as pair_through_adb

    await pair_through_adb(place, code, services.settings.links, services.paths, services.disk)


async def connect(services: Services, place: str) -> str:
    """Have adb connect to a paired terminal; its address."""
    from techtool.links.adb.pairing import connect as connect_through_adb

    return await connect_through_adb(place, services.settings.links, services.paths, services.disk)
