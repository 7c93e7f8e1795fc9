"""A probe that a person asked for: written down before it begins, written down again with what answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from techtool.clock import Clock
from techtool.domain.nearby import ANSWERED, ANSWERED_SERIAL, How, Nearby
from techtool.links.discovery.probe_log import ProbeEntry, append
from techtool.links.discovery.serial_ports import probe_serial
from techtool.links.discovery.subnet import hosts_of, network_of, own_networks, probe_hosts
from techtool.paths import DISK, Disk, Paths


async def ask_subnet(
    text: str, who: str, paths: Paths, clock: Clock, begun: Callable[[int], None], disk: Disk = DISK
) -> list[Nearby]:
    """Ask every host of a small network of this laptop's own; ``begun`` hears how many. Raises :class:`UsageError`."""
    own = await asyncio.to_thread(own_networks)
    network = network_of(text, own)
    hosts = hosts_of(network, own)
    entry = ProbeEntry(clock.now(), who, "subnet", str(network), len(hosts))
    append(paths, entry, disk)
    begun(len(hosts))
    found: list[str] = []
    asked: list[str] = []
    try:
        await probe_hosts(hosts, found.append, asked=asked.append)
    finally:  # stopped in the middle: what was asked was asked, the rest was not
        append(paths, replace(entry, at=clock.now(), asked=len(asked), found=tuple(found)), disk)
    return [Nearby(f"adb://{place}", ANSWERED, How.PROBE, place=place) for place in sorted(found)]


async def ask_serial(device: str, who: str, paths: Paths, clock: Clock, disk: Disk = DISK) -> list[Nearby]:
    """Ask what is behind one serial port; raises :class:`Unreachable` when it cannot be opened."""
    entry = ProbeEntry(clock.now(), who, "serial", device, 1)
    append(paths, entry, disk)
    answered = await asyncio.to_thread(probe_serial, device)
    append(paths, replace(entry, at=clock.now(), found=(device,) if answered else ()), disk)
    return [Nearby("", ANSWERED_SERIAL, How.PROBE, place=device)] if answered else []
