"""Announcements on loopback, by python-zeroconf: what is taken of them, and what a hostile network cannot do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from techtool.domain.nearby import ANNOUNCED, PAIRED_ANNOUNCED, PAIRING
from techtool.links.discovery import mdns
from techtool.links.discovery.mdns import Announced, announced

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="multicast on loopback alone")
LO = ["127.0.0.1"]


def service(kind: str, name: str, address: str, port: int = 5555) -> AsyncServiceInfo:
    """One terminal's announcement."""
    return AsyncServiceInfo(
        f"{kind}._tcp.local.",
        f"{name}.{kind}._tcp.local.",
        port,
        parsed_addresses=[address],
        server=f"{name[:20]}.local.",
    )


@asynccontextmanager
async def announcing(*services: AsyncServiceInfo) -> AsyncIterator[None]:
    """Another computer in the network."""
    network = AsyncZeroconf(interfaces=LO, ip_version=IPVersion.V4Only)
    try:
        # “Cooperating”: nobody asks first whether the names are free, which takes a second.
        sent = [await network.async_register_service(one, cooperating_responders=True) for one in services]
        await asyncio.gather(*sent)
        yield
    finally:
        await network.async_close()


async def heard(until: Callable[[list[Announced]], bool]) -> list[Announced]:
    """What is announced, looked at again a few times: a busy machine answers late."""
    found: list[Announced] = []
    for listen_s in (0.5, 1.0, 3.0, 6.0):
        found = await announced(listen_s, LO)
        if until(found):
            break
    return found


async def test_three_kinds_of_announcement() -> None:
    services = [
        service("_adb", "adb-SN1", "127.0.0.1"),
        service("_adb-tls-connect", "adb-SN2-abc", "127.0.0.1", 40001),
        service("_adb-tls-pairing", "adb-SN3-def", "127.0.0.1", 40002),
    ]
    async with announcing(*services):
        found = await heard(lambda found: len(found) == 3)
    assert found == [
        Announced(ANNOUNCED, "adb-SN1", "127.0.0.1", 5555),
        Announced(PAIRED_ANNOUNCED, "adb-SN2-abc", "127.0.0.1", 40001),
        Announced(PAIRING, "adb-SN3-def", "127.0.0.1", 40002),
    ]


async def test_addresses_far_away_and_rubbish_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "MOST", 8)
    hostile = [
        service("_adb", "far-away", "8.8.8.8"),
        service("_adb", "everybody", "224.0.0.1"),
        service("_adb", "nowhere", "0.0.0.0"),
        service("_adb", "no-port", "127.0.0.1", 0),
        service("_adb", "turned\u202eround", "127.0.0.1"),
    ]
    async with announcing(*hostile):
        found = await heard(bool)
    assert found == [Announced(ANNOUNCED, "turnedround", "127.0.0.1", 5555)]


async def test_endless_announcements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "MOST", 5)
    async with announcing(*(service("_adb", f"adb-{n}", "127.0.0.1", 5000 + n) for n in range(20))):
        found = await heard(lambda found: len(found) == 5)
    assert len(found) == 5


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library leaves its socket open
async def test_no_network_to_listen_to_finds_nothing() -> None:
    assert await announced(0.1, ["192.0.2.99"]) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a socket that zeroconf forgets then
async def test_a_laptop_without_any_network_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ifaddr.get_adapters", lambda *_: [])
    assert await announced(0.1) == []
