"""Everything that can be seen from here without asking anybody who did not announce himself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from techtool.catalogue.usb import usb_vendors
from techtool.domain.nearby import NAMED, NO_ADDRESS, PLUGGED, PORT, TWIN, How, Nearby
from techtool.domain.terminal import Address
from techtool.errors import BadAddress, TechtoolError
from techtool.links.adb.devices import ServerDevice, server_devices, target_of, track_devices
from techtool.links.clean import clean
from techtool.links.discovery.mdns import Announced, announced
from techtool.links.discovery.serial_ports import SerialPort, serial_ports
from techtool.links.discovery.usb import UsbDevice, adb_devices
from techtool.paths import DISK, Disk, Paths
from techtool.settings import LinkSettings


async def look(
    settings: LinkSettings, paths: Paths, *, environ: Mapping[str, str] = os.environ, disk: Disk = DISK
) -> list[Nearby]:
    """Once, all ways at the same time: adb server, announcements, USB, serial ports, the settings' own hosts."""
    devices, heard, plugged, ports = await asyncio.gather(
        _served(settings, paths, environ, disk),
        announced(),
        asyncio.to_thread(adb_devices),
        asyncio.to_thread(serial_ports),
    )
    return combined(devices, heard, plugged, ports, settings.hosts)


async def watch_cables(settings: LinkSettings, paths: Paths, disk: Disk = DISK) -> AsyncGenerator[list[Nearby], None]:
    """What the adb server sees, again after every change; ends when there is none to ask."""
    with suppress(TechtoolError):
        async with aclosing(track_devices(settings, paths, disk=disk)) as changes:
            async for devices in changes:
                yield [of_server(device, devices) for device in devices]


async def _served(
    settings: LinkSettings, paths: Paths, environ: Mapping[str, str], disk: Disk
) -> Sequence[ServerDevice]:
    try:
        return await server_devices(settings, paths, environ=environ, disk=disk)
    except TechtoolError:  # a disk that is full, too: it keeps us from a server of our own, not from the rest
        return ()


def combined(
    devices: Sequence[ServerDevice],
    heard: Iterable[Announced],
    plugged: Iterable[UsbDevice],
    ports: Iterable[SerialPort],
    hosts: Iterable[str],
) -> list[Nearby]:
    """Each thing once: what the adb server already has is not listed a second time."""
    found = [of_server(device, list(devices)) for device in devices]
    sockets = {device.usb for device in devices if device.usb}
    served = {device.serial for device in devices}
    for one in heard:
        known = one.place in served or any(serial.startswith(f"{one.name}.") for serial in served)
        if not known:
            found.append(of_announced(one))
    found += [of_usb(one) for one in plugged if one.place not in sockets]
    there = {seen.address for seen in found if seen.address}
    found += [one for one in map(of_host, hosts) if one.address not in there]
    return found + [of_port(port) for port in ports]


def of_server(device: ServerDevice, among: list[ServerDevice]) -> Nearby:
    """A line of the adb server's list."""
    target = target_of(device, among)
    seen = Nearby(
        f"adb+server:{target}" if target else "",
        device.state if target else TWIN,
        How.ADB_SERVER,
        name=device.model or device.product,
        place=device.usb,
        serial=device.serial.strip("?"),
    )
    try:
        return replace(seen, address=str(Address.parse(seen.address)) if target else "")
    except BadAddress:
        return replace(seen, address="")


def of_announced(one: Announced) -> Nearby:
    """An announcement; what only takes paired laptops goes through the adb server, which alone knows of pairings."""
    addresses = {"announced": f"adb://{one.place}", "announced_tls": f"adb+server:{one.place}"}
    return Nearby(addresses.get(one.state, ""), one.state, How.MDNS, name=one.name, place=one.place)


def of_usb(one: UsbDevice) -> Nearby:
    """A cable that the adb server does not have."""
    return Nearby("", PLUGGED, How.USB, one.product, one.place, one.serial, _vendor(one.vendor_id))


def of_port(port: SerialPort) -> Nearby:
    """A serial port, not asked."""
    return Nearby("", PORT, How.SERIAL_PORT, port.name, port.device, vendor=_vendor(port.vendor_id))


def of_host(host: str) -> Nearby:
    """A host of the settings; what is no address is listed as what it is, so that it can be mended."""
    with suppress(BadAddress):
        return Nearby(str(Address.parse(host)), NAMED, How.SETTINGS)
    return Nearby("", NO_ADDRESS, How.SETTINGS, place=clean(host, 64))


def _vendor(number: int | None) -> str:
    vendor = usb_vendors().get(number or 0)
    return vendor.name if vendor is not None else ""
