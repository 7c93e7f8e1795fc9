"""One packet to each address of a small network, only when a person asks for it: slowly, briefly, and nothing else.

A merchant's network is not ours. Only a network that this laptop itself is in is asked, a /24 at most, one TCP port.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import IPv4Interface, IPv4Network, ip_network
from typing import Final

from techtool.errors import UsageError
from techtool.i18n import phrase
from techtool.links.adb.packets import HEADER
from techtool.links.discovery.hello import HELLO, is_answer

PORT: Final = 5555
"""Where Android's daemon and PAX Prolin's listen (reference/links.md §4)."""
PER_SECOND: Final = 20
ANSWER_S: Final = 1.0
"""For connecting, and again for the answer: the terminal stands in the same network."""
WIDEST: Final = 24


def own_networks() -> list[IPv4Interface]:
    """This laptop's addresses with their networks, loopback left out."""
    import psutil

    found = []
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family.name == "AF_INET" and one.netmask:
                interface = IPv4Interface(f"{one.address}/{one.netmask}")
                if not interface.is_loopback:
                    found.append(interface)
    return found


def network_of(text: str, own: Iterable[IPv4Interface]) -> IPv4Network:
    """The network that a person wants asked; raises :class:`UsageError` unless it is small and this laptop's own."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise UsageError(problem=phrase("“{text}” is no network; write it as 192.168.1.0/24.", text=text)) from None
    if not isinstance(network, IPv4Network) or network.prefixlen < WIDEST:
        raise UsageError(problem=phrase("{network} is too large: a /24 at most is asked.", network=str(network)))
    mine = [interface.network for interface in own]
    if not any(network.subnet_of(one) for one in mine):
        shown = ", ".join(sorted({str(one) for one in mine})) or "-"
        raise UsageError(
            problem=phrase(
                "{network} is not a network of this laptop (those are: {own}); others are not asked.",
                network=str(network),
                own=shown,
            )
        )
    return network


def hosts_of(network: IPv4Network, own: Iterable[IPv4Interface]) -> list[str]:
    """Whom to ask: everybody in it but this laptop."""
    mine = {interface.ip for interface in own}
    return [str(host) for host in network.hosts() if host not in mine]


async def probe_hosts(
    hosts: list[str],
    answered: Callable[[str], None],
    port: int = PORT,
    asked: Callable[[str], None] = lambda host: None,  # noqa: ARG005
) -> None:
    """Ask each one once, twenty in a second; ``answered`` is called with ``HOST:PORT`` as answers come.

    ``asked`` hears of each host when it is its turn.
    """

    async def ask(host: str) -> None:
        if await _speaks_adb(host, port):
            answered(f"{host}:{port}")

    async with asyncio.TaskGroup() as tasks:
        for host in hosts:
            asked(host)
            tasks.create_task(ask(host))
            await asyncio.sleep(1 / PER_SECOND)


async def _speaks_adb(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    try:
        async with asyncio.timeout(ANSWER_S):
            writer.write(HELLO)
            return is_answer(await reader.readexactly(HEADER.size))
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()
