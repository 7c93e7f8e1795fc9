"""What PAX is described to have changed in the ADB daemon, as a proxy in front of a daemon that nobody here wrote.

PayDroid: a handshake of its own, with a token, before anything can be opened. Prolin: an old daemon whose file service
has another name, which has no shell, and which tells of itself in ``devinfo:``. Only that is ours; files, streams and
commands are the real daemon's. Sources: ``techtool.links.adb.handshake`` and ``techtool.links.adb.xcb``.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

from techtool.links.adb.packets import HEADER, VERSION_MIN, Command, encode

Packet = tuple[int, int, int, bytes]
OLD_PAYLOAD = 4096
_OWN_ID = 0x00F00001


class Hdsk(Enum):
    """When the terminal asks."""

    FIRST = "first"
    """At once, and CNXN only behind the answer: as public stand-ins for a terminal do it."""
    BEHIND_CNXN = "behind CNXN"
    """As PAX's own adb is described."""


async def read_packet(reader: asyncio.StreamReader) -> Packet:
    command, arg0, arg1, length, _sum, _magic = HEADER.unpack(await reader.readexactly(HEADER.size))
    return command, arg0, arg1, await reader.readexactly(length)


@dataclass
class Wire:
    """Both sides of one connection."""

    to_host: asyncio.StreamWriter
    to_daemon: asyncio.StreamWriter

    def host(self, command: int, arg0: int, arg1: int, data: bytes = b"") -> None:
        self.to_host.write(encode(command, arg0, arg1, data, with_checksum=True))

    def daemon(self, command: int, arg0: int, arg1: int, data: bytes = b"") -> None:
        self.to_daemon.write(encode(command, arg0, arg1, data, with_checksum=True))


def say(wire: Wire, opening: Packet, text: bytes) -> None:
    """Answer a service that is opened, and close it; with the new flow control OKAY carries a window."""
    _command, stream, window, _name = opening
    wire.host(Command.OKAY, _OWN_ID, stream, struct.pack("<i", 1 << 20) if window else b"")
    wire.host(Command.WRTE, _OWN_ID, stream, text)
    wire.host(Command.CLSE, _OWN_ID, stream)


@dataclass
class PayDroid:
    """One connection to a PayDroid terminal."""

    token: bytes
    when: Hdsk
    opened_too_early: list[str] = field(default_factory=list)
    log: bytes = b""
    """What ``paxlog:system`` says; empty: there is no such service."""
    _answered: bool = False
    _held: Packet | None = None

    def begin(self, wire: Wire) -> None:
        if self.when is Hdsk.FIRST:
            wire.host(Command.HDSK, 1, 0)

    def from_host(self, packet: Packet, wire: Wire) -> bool:
        """False: the terminal hangs up."""
        command, arg0, arg1, data = packet
        if command == Command.HDSK:
            if (arg0, data) != (2, self.token):
                return False
            self._answered = True
            if self._held is not None:
                wire.host(*self._held)
        elif command == Command.OPEN and self._answered and self.log and data == b"paxlog:system\0":
            say(wire, packet, self.log)
        elif arg1 == _OWN_ID:
            pass
        elif command == Command.CNXN or self._answered:
            wire.daemon(*packet)
        else:
            self.opened_too_early.append(data.decode("utf-8", "replace"))
        return True

    def from_daemon(self, packet: Packet, wire: Wire) -> None:
        if packet[0] != Command.CNXN:
            wire.host(*packet)
        elif self.when is Hdsk.FIRST and not self._answered:
            self._held = packet
        else:
            wire.host(*packet)
            if self.when is Hdsk.BEHIND_CNXN:
                wire.host(Command.HDSK, 1, 0)


@dataclass
class LockedPayDroid(PayDroid):
    """One whose shell says no to everything but ``systool``, which answers ``get sysprop`` and is busy at first."""

    properties: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def from_host(self, packet: Packet, wire: Wire) -> bool:
        command, _arg0, _arg1, data = packet
        if command == Command.CNXN:
            return super().from_host((command, VERSION_MIN, OLD_PAYLOAD, b"host::"), wire)
        if command != Command.OPEN or not data.startswith((b"shell", b"exec")):
            return super().from_host(packet, wire)
        service = data.rstrip(b"\0").decode()
        name = service.removeprefix("shell:systool get sysprop ")
        if name == service:
            say(wire, packet, b"permission denied\n")
        elif service not in self.asked:
            self.asked.append(service)
            say(wire, packet, b"[SYSTOOL:-101]\n")
        else:
            say(wire, packet, f"{self.properties.get(name, '')}\n[SYSTOOL:-0]\n".encode())
        return True

    def from_daemon(self, packet: Packet, wire: Wire) -> None:
        if packet[0] == Command.CNXN:
            packet = (Command.CNXN, VERSION_MIN, OLD_PAYLOAD, b"device::")
        super().from_daemon(packet, wire)


@dataclass
class Prolin:
    """One connection to a Prolin terminal."""

    devinfo: bytes
    refused: list[str]

    def begin(self, wire: Wire) -> None:
        pass

    def from_host(self, packet: Packet, wire: Wire) -> bool:
        command, arg0, arg1, data = packet
        if command == Command.CNXN:
            wire.daemon(command, VERSION_MIN, OLD_PAYLOAD, b"host::")
        elif command == Command.OPEN:
            self._open(arg0, data.rstrip(b"\0").decode("utf-8", "replace"), wire)
        elif arg1 != _OWN_ID:
            wire.daemon(*packet)
        return True

    def _open(self, stream: int, service: str, wire: Wire) -> None:
        if service == "installer:":
            wire.daemon(Command.OPEN, stream, 0, b"sync:\0")
        elif service == "devinfo:" and self.devinfo:
            say(wire, (Command.OPEN, stream, 0, b""), self.devinfo)
        else:
            self.refused.append(service)
            wire.host(Command.CLSE, 0, stream)

    def from_daemon(self, packet: Packet, wire: Wire) -> None:
        command, arg0, arg1, data = packet
        if command == Command.CNXN:
            wire.host(command, VERSION_MIN, OLD_PAYLOAD, b"device::")
        else:
            wire.host(command, arg0, arg1, data)


@asynccontextmanager
async def proxied(port: int, dialect: Callable[[], PayDroid | Prolin]) -> AsyncIterator[int]:
    """The port of loopback behind which the daemon at ``port`` speaks that dialect; one of its own a connection."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        wire, spoken = Wire(writer, far_writer), dialect()
        spoken.begin(wire)

        async def up() -> None:
            while spoken.from_host(await read_packet(reader), wire):
                await far_writer.drain()

        async def down() -> None:
            while True:
                spoken.from_daemon(await read_packet(far_reader), wire)
                await writer.drain()

        try:
            with contextlib.suppress(asyncio.CancelledError):  # the server ends, and with it this task
                await _first_of(up, down)
        finally:
            writer.close()
            far_writer.close()
            running.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 22)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _first_of(*ways: Callable[[], Awaitable[None]]) -> None:
    """Until one direction ends."""
    tasks = [asyncio.ensure_future(way()) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
                await task
