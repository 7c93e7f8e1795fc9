"""A package of 32 MB, brought over a relay that loses the connection at 60 % of it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from techtool.bundles.apk import read_apk
from techtool.catalogue.reader import load_catalogue
from techtool.domain.release import ApkFacts
from techtool.domain.terminal import Address
from techtool.errors import LinkLost
from techtool.links.open import link_for
from techtool.paths import Paths
from techtool.settings import LinkSettings
from techtool.terminals.base import Terminal
from techtool.terminals.identify import identify
from tests.peers.relay import Relay
from tests.unit.simulator.apk_maker import make_apk

SIZE = 32 << 20
DROP_AT = SIZE * 60 // 100
AGAIN = SIZE * 45 // 100
"""More than this must not go over the wire a second time."""


def big_apk(folder: Path) -> Path:
    path = folder / "big.apk"
    path.write_bytes(make_apk("org.example.big", 3, "3.0", padding=SIZE))
    return path


@asynccontextmanager
async def driver(address: str, home: Path) -> AsyncIterator[Terminal]:
    link = link_for(Address.parse(address), LinkSettings(), Paths(home))
    await link.open()
    try:
        yield await identify(link, load_catalogue())
    finally:
        await link.close()


@dataclass
class Attempt:
    """One installation and what was told of it."""

    apk: Path
    sessions: list[str] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)

    @property
    def facts(self) -> ApkFacts:
        return read_apk(self.apk)

    async def install(self, terminal: Terminal) -> None:
        await terminal.install(
            self.facts,
            self.apk,
            self.apk.stat().st_size,
            session=self.sessions.append,
            confirmed=self.confirmed.append,
            resumed=self.resumed.append,
        )


async def lost_at_60_percent(port: int, apk: Path, home: Path) -> int:
    """Begin, lose the link, look at what is there; returns how much went over the wire the second time."""
    async with Relay(("127.0.0.1", port)) as relay:
        first = Attempt(apk)
        async with driver(relay.address, home) as terminal:
            relay.drop_after_bytes = relay.passed_bytes + DROP_AT
            with pytest.raises(LinkLost):
                await first.install(terminal)
        assert relay.drops == 1
        before = relay.passed_bytes
        second = Attempt(apk)
        async with driver(relay.address, home) as terminal:
            await second.install(terminal)
            found = await terminal.installed_file(second.facts.id)
        sent = relay.passed_bytes - before
    assert found is not None
    assert found[1] == hashlib.sha256(apk.read_bytes()).hexdigest()
    (there,) = second.resumed
    assert second.confirmed[0] == there, "what was there is no speed: the first figure is what was found"
    assert second.confirmed[-1] == apk.stat().st_size
    falls = [(a, b) for a, b in itertools.pairwise(second.confirmed) if b < a]
    assert not falls, f"{there} were there, then {falls}"
    assert sent >= apk.stat().st_size - there
    return sent


async def tampered_part(address: str, apk: Path, home: Path, change: Callable[[], None]) -> Attempt:
    """A part that is not the payload's is not built upon."""
    change()
    attempt = Attempt(apk)
    async with driver(address, home) as terminal:
        await attempt.install(terminal)
        found = await terminal.installed_file(attempt.facts.id)
    assert found is not None
    assert found[1] == hashlib.sha256(apk.read_bytes()).hexdigest()
    return attempt
