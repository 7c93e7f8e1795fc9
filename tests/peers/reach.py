"""Our links to a terminal behind a port of loopback, and what the tests send over them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from techtool.domain.terminal import Address
from techtool.links.base import Link
from techtool.links.open import link_for
from techtool.paths import Paths
from techtool.settings import LinkSettings

SIZE = 20 << 20
CONTENT = hashlib.shake_256(b"techtool").digest(1 << 20) * 20
TMP = "/data/local/tmp"

Reach = Callable[[int], Link]
"""A link, not yet open, to the daemon behind that port of loopback."""


@asynccontextmanager
async def opened(reach: Reach, port: int) -> AsyncIterator[Link]:
    """The link, open."""
    link = await asyncio.to_thread(reach, port)
    await link.open()
    try:
        yield link
    finally:
        await link.close()


def direct(port: int, tmp_path: Path) -> Link:
    """Our own wire, not open."""
    return link_for(Address("adb", f"127.0.0.1:{port}"), LinkSettings(), Paths(tmp_path / "home"))


async def read_all(link: Link, path: str) -> bytes:
    return b"".join([chunk async for chunk in link.pull(path)])
