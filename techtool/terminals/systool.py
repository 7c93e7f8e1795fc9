"""Properties of a PAX terminal whose shell is locked: asked of ``systool`` one by one.

Source: a public tool for PAX terminals, which asks ``systool get sysprop NAME`` where adbd's shell is locked, and one
after the other, for in bursts the terminal answers ``[SYSTOOL:-101]``. How the value is laid out in the answer is not
published: the last line that says something counts. Not verified on hardware.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from techtool.links.base import SystoolLink

NAMES: Final = (
    "ro.product.manufacturer",
    "ro.product.model",
    "ro.vendor.pax.fac.sn",
    "ro.serialno",
    "ro.boot.hardware.revision",
    "ro.build.version.release",
    "ro.build.version.sdk",
    "ro.build.display.id",
    "ro.product.cpu.abi",
    "pax.ctrl.androidver",
    "sys.boot_completed",
)
BUSY: Final = 101
_TRIES: Final = 4
_PAUSE_S: Final = 0.3


async def read_sysprops(link: SystoolLink, names: Sequence[str] = NAMES) -> dict[str, str]:
    """The properties that it tells."""
    found = {}
    for name in names:
        value = await _sysprop(link, name)
        if value:
            found[name] = value
    return found


async def _sysprop(link: SystoolLink, name: str) -> str:
    for turn in range(_TRIES):
        answer = await link.systool(f"get sysprop {name}")
        if answer.exit_code != BUSY:
            said = [line.strip() for line in answer.text.splitlines() if line.strip()]
            return said[-1] if said and not answer.exit_code else ""
        await asyncio.sleep(_PAUSE_S * (turn + 1))
    return ""
