"""What an adb server sees: its list of devices, once, and again whenever a cable goes in or out.

Source: AOSP ``adb/transport.cpp`` (``append_transport``: serial, state, USB path, product, model, device, transport id)
and SERVICES.TXT (``host:devices-l``, ``host:track-devices-l``).
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from techtool.errors import LinkError, LinkTimeout, Unreachable
from techtool.links.adb.server import ASK_S, configured_server, find_server, give_back
from techtool.links.adb.smartsocket import Server, ServerRefusal, SocketStream, ask, read_text
from techtool.links.clean import clean
from techtool.paths import DISK, Disk, Paths
from techtool.settings import LinkSettings

SETTLE_S: Final = 2.0
"""How long a server that was just started may need until it has seen its cables."""
MOST_DEVICES: Final = 256
"""More than any counter has; a server that lists more is not believed further."""
GAP_S: Final = 0.25
"""Between two lists that are told: a server cannot make us draw without end."""
LIVED_S: Final = 10.0
"""A connection that lasted so long was a good one."""
TRIES: Final = 5
"""Connections in a row that did not last."""
_AGAIN_S: Final = 1.0
_POLL_S: Final = 0.2
_QUIET_S: Final = 3600.0
"""A list is only sent when something changes; after an hour of silence we ask anew."""
_STATES: Final = (
    "offline|bootloader|device|host|recovery|sideload|rescue|unauthorized|authorizing|connecting|detached|unknown"
    "|no permissions"
)
_LONGEST: Final = 1024
"""Characters of a line; adb's own have fewer, and the search below takes the square of them."""
_LINE: Final = re.compile(rf"(?P<serial>.+?)\s+(?P<state>{_STATES})(?=\s|;|$)(?P<rest>.*)")
_FACT: Final = re.compile(r"(?:^|\s)(?P<name>usb|product|model|device|transport_id):(?P<value>\S+)")


@dataclass(frozen=True, slots=True)
class ServerDevice:
    """A line of ``adb devices -l``; texts cleaned, empty where the server does not say."""

    serial: str
    state: str
    """adb's own word: ``device``, ``unauthorized``, ``offline``, ``no permissions`` …"""
    usb: str = ""
    """Where it is plugged in, ``usb:1-2``: stays the same as long as the cable stays in its socket. Not on Windows."""
    product: str = ""
    model: str = ""
    transport: str = ""
    """adb's number for this one connection; another one after the next replug."""


def parse_devices(listing: str) -> list[ServerDevice]:
    """The lines that are devices; what is none is left out."""
    found = (_device(line[:_LONGEST]) for line in listing.splitlines()[: 2 * MOST_DEVICES])
    return [device for device in found if device is not None][:MOST_DEVICES]


def _device(line: str) -> ServerDevice | None:
    match = _LINE.match(line)
    if match is None:
        words = line.split("\t") if "\t" in line else line.split()
        if len(words) < 2 or not words[0].strip():
            return None
        serial, state, rest = words[0], words[1], " ".join(words[2:])
    else:
        serial, state, rest = match["serial"], match["state"], match["rest"]
    facts = {fact["name"]: clean(fact["value"], 64) for fact in _FACT.finditer(rest)}
    return ServerDevice(
        serial=clean(serial.strip(), 128),
        state=clean(state.strip(), 40),
        usb=f"usb:{facts['usb']}" if "usb" in facts else "",
        product=facts.get("product", ""),
        model=facts.get("model", "").replace("_", " "),
        transport=facts.get("transport_id", ""),
    )


def target_of(device: ServerDevice, among: list[ServerDevice]) -> str:
    """How that one is named to the server: by its serial, by its USB socket where two share the serial.

    Empty where it cannot be told from another one, or where its name cannot be written in an address.
    """
    alike = sum(other.serial == device.serial for other in among)
    nameless = not device.serial.strip("?") or any(c.isspace() for c in device.serial)
    return device.serial if alike == 1 and not nameless else device.usb


async def server_devices(
    settings: LinkSettings, paths: Paths | None = None, *, environ: Mapping[str, str] = os.environ, disk: Disk = DISK
) -> list[ServerDevice]:
    """What a running adb server sees; with ``paths``, and none running, what a private one finds within a moment.

    Raises :class:`Unreachable` when there is no server to ask.
    """
    peer = str(configured_server(settings.adb, environ))
    lease = await find_server(settings, paths, peer, environ=environ, disk=disk)
    try:
        devices = await _devices(lease.server, peer)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (SETTLE_S if lease.own else 0.0)
        while not devices and loop.time() < deadline:
            await asyncio.sleep(_POLL_S)
            devices = await _devices(lease.server, peer)
        return devices
    finally:
        await give_back(lease, paths, disk)


async def track_devices(
    settings: LinkSettings, paths: Paths | None = None, *, environ: Mapping[str, str] = os.environ, disk: Disk = DISK
) -> AsyncGenerator[list[ServerDevice], None]:
    """The list now and after every change; empty while the server is away, which is looked for again a few times.

    Raises :class:`Unreachable` when it does not come back.
    """
    loop, failed = asyncio.get_running_loop(), 0
    while True:
        begin_s = loop.time()
        try:
            async with aclosing(_tracked(settings, paths, environ, disk)) as lists:
                async for devices in lists:
                    yield devices
            continue
        except LinkError as error:
            failed = 1 if loop.time() - begin_s > LIVED_S else failed + 1
            if failed >= TRIES:
                raise Unreachable(address=str(configured_server(settings.adb, environ)), detail=str(error)) from error
        yield []
        await asyncio.sleep(_AGAIN_S * failed)


async def _tracked(
    settings: LinkSettings, paths: Paths | None, environ: Mapping[str, str], disk: Disk
) -> AsyncGenerator[list[ServerDevice], None]:
    peer = str(configured_server(settings.adb, environ))
    lease = await find_server(settings, paths, peer, environ=environ, disk=disk)
    stream: SocketStream | None = None
    try:
        stream = await lease.server.connect(peer, ASK_S)
        try:
            await ask(stream, "host:track-devices-l")
        except ServerRefusal as error:
            raise Unreachable(address=peer, detail=clean(error.text, 200)) from error
        length = b""  # the first list comes at once
        while True:
            yield parse_devices(await read_text(stream, length))
            await asyncio.sleep(GAP_S)
            stream.timeout_s = _QUIET_S
            try:
                length = await stream.read_exactly(4)
            except LinkTimeout:
                return
            stream.timeout_s = ASK_S
    finally:
        if stream is not None:
            stream.close()
        await give_back(lease, paths, disk)


async def _devices(server: Server, peer: str) -> list[ServerDevice]:
    try:
        return parse_devices(await server.query("host:devices-l", peer, ASK_S))
    except ServerRefusal as error:
        raise Unreachable(address=peer, detail=clean(error.text, 200)) from error
