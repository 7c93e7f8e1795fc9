"""Terminals that announce themselves in the network (multicast DNS), listened to for a few seconds.

Source of the three service names: AOSP ``adb/adb_mdns.h``. An answer can come from anybody in the network: names are
cleaned, their number is bounded, addresses outside private networks are left out, and nothing is connected to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

from techtool.domain.nearby import ANNOUNCED, PAIRED_ANNOUNCED, PAIRING
from techtool.links.clean import clean

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

SERVICES: Final = {
    "_adb._tcp.local.": ANNOUNCED,
    "_adb-tls-connect._tcp.local.": PAIRED_ANNOUNCED,
    "_adb-tls-pairing._tcp.local.": PAIRING,
}
LISTEN_S: Final = 2.5
RESOLVE_S: Final = 1.0
MOST: Final = 64
"""Announcements that are looked into; a counter has thirty terminals."""


@dataclass(frozen=True, slots=True)
class Announced:
    """One announcement."""

    state: str
    """``ANNOUNCED``, ``PAIRED_ANNOUNCED`` or ``PAIRING``."""
    name: str
    """The instance's name, ``adb-SERIAL-xxxxxx``."""
    host: str
    port: int

    @property
    def place(self) -> str:
        """``HOST:PORT``."""
        return f"{self.host}:{self.port}"


async def announced(listen_s: float = LISTEN_S, interfaces: Sequence[str] | None = None) -> list[Announced]:
    """What is announced within ``listen_s``; nothing where there is no network to listen to.

    ``interfaces``: addresses of this laptop to listen on; None: all.
    """
    from zeroconf import DNSQuestionType, InterfaceChoice, IPVersion
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

    try:
        chosen = list(interfaces) if interfaces is not None else InterfaceChoice.All
        network = AsyncZeroconf(interfaces=chosen, ip_version=IPVersion.V4Only)
    except (OSError, RuntimeError):  # zeroconf's word for a laptop without any network
        return []
    names: dict[tuple[str, str], None] = {}

    def heard(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:  # noqa: ARG001
        if len(names) < MOST and state_change.name != "Removed":
            names.setdefault((service_type, name))

    try:
        # Answers to everybody: one sent to this laptop alone may go to another program that listens here (Bonjour).
        browser = AsyncServiceBrowser(
            network.zeroconf, list(SERVICES), handlers=[heard], question_type=DNSQuestionType.QM
        )
        await asyncio.sleep(listen_s)
        await browser.async_cancel()
        found = await asyncio.gather(*(_resolved(network, kind, name) for kind, name in names))
    finally:
        with suppress(OSError):
            await network.async_close()
    return sorted({one for one in found if one is not None}, key=lambda one: (one.state, one.place))


async def _resolved(network: AsyncZeroconf, kind: str, name: str) -> Announced | None:
    from zeroconf import DNSQuestionType, Error
    from zeroconf.asyncio import AsyncServiceInfo

    try:
        info = AsyncServiceInfo(kind, name)
        known = await info.async_request(network.zeroconf, RESOLVE_S * 1000, DNSQuestionType.QM)
    except (Error, ValueError, OSError):
        return None
    host = _host(info) if known else ""
    if not host or not info.port:
        return None
    return Announced(SERVICES[kind], clean(name.removesuffix(f".{kind}"), 64), host, info.port)


def _host(info: AsyncServiceInfo) -> str:
    """Its first address that can be on this site: anybody may announce an address far away."""
    for text in info.parsed_addresses()[:8]:
        with suppress(ValueError):
            address = IPv4Address(text)
            if address.is_private and not address.is_unspecified and not address.is_multicast:
                return str(address)
    return ""
