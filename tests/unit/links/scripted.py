"""A daemon that does exactly what a test tells it, packet by packet, on a real socket."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from techtool.domain.terminal import Address
from techtool.links.adb.handshake import HandshakeOptions
from techtool.links.adb.link import AdbLink
from techtool.links.adb.packets import HEADER, Command, checksum
from techtool.paths import Paths
from techtool.settings import LinkSettings

FEATURES = "shell_v2,cmd,stat_v2"
QUICK = HandshakeOptions(first_answer_s=10.0, person_s=0.1)


@dataclass(frozen=True)
class Got:
    """A packet that our client sent."""

    command: int
    arg0: int
    arg1: int
    data: bytes
    checksum: int


class Peer:
    """The daemon's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.got: list[Got] = []

    async def recv(self) -> Got:
        command, arg0, arg1, length, total, magic = HEADER.unpack(await self.reader.readexactly(HEADER.size))
        assert command ^ 0xFFFFFFFF == magic
        packet = Got(command, arg0, arg1, await self.reader.readexactly(length), total)
        self.got.append(packet)
        return packet

    async def expect(self, command: Command) -> Got:
        packet = await self.recv()
        assert packet.command == command, f"{packet.command:08x} is not {command.name}"
        return packet

    def send(self, command: int, arg0: int, arg1: int, data: bytes = b"") -> None:
        self.writer.write(HEADER.pack(command, arg0, arg1, len(data), checksum(data), command ^ 0xFFFFFFFF) + data)

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    async def accept(self, *, version: int = 0x01000001, max_payload: int = 1 << 20, features: str = FEATURES) -> Got:
        """Take CNXN and answer it."""
        hello = await self.expect(Command.CNXN)
        banner = f"device::ro.product.model=A920;features={features}" if features else "device::"
        self.send(Command.CNXN, version, max_payload, banner.encode())
        return hello

    async def open(self, remote: int = 77) -> tuple[str, Stream]:
        """Take the next OPEN and answer OKAY."""
        packet = await self.expect(Command.OPEN)
        self.send(Command.OKAY, remote, packet.arg0)
        return packet.data.rstrip(b"\0").decode(), Stream(self, remote, packet.arg0)

    async def refuse_open(self) -> str:
        packet = await self.expect(Command.OPEN)
        self.send(Command.CLSE, 0, packet.arg0)
        return packet.data.rstrip(b"\0").decode()

    async def discover(self, **options: object) -> None:
        """What :meth:`AdbLink.open` wants of a daemon with every feature."""
        await self.accept(**options)  # type: ignore[arg-type]
        service, _ = await self.open(remote=5)
        assert service == "sync:"
        await self.expect(Command.CLSE)

    async def until_gone(self) -> None:
        """Read on until the client hangs up."""
        try:
            while True:
                await self.recv()
        except (asyncio.IncompleteReadError, ConnectionError):
            return


@dataclass
class Stream:
    """The daemon's end of one stream."""

    peer: Peer
    local: int
    remote: int

    def write(self, data: bytes) -> None:
        self.peer.send(Command.WRTE, self.local, self.remote, data)

    def okay(self) -> None:
        self.peer.send(Command.OKAY, self.local, self.remote)

    def close(self) -> None:
        self.peer.send(Command.CLSE, self.local, self.remote)

    async def say(self, data: bytes) -> None:
        """Write and wait for the client's OKAY."""
        self.write(data)
        await self.peer.expect(Command.OKAY)

    async def take(self) -> bytes:
        """Receive one WRTE and confirm it."""
        packet = await self.peer.expect(Command.WRTE)
        assert (packet.arg0, packet.arg1) == (self.remote, self.local)
        self.okay()
        return packet.data


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def daemon(*scripts: Script) -> AsyncIterator[Address]:
    """Serve one connection per script, in that order; a script that fails fails the test."""
    waiting = list(scripts)
    running: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await waiting.pop(0)(Peer(reader, writer))
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.append(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 22)
    try:
        yield Address.parse(f"adb://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with asyncio.timeout(10):
            await asyncio.gather(*running)
        assert not waiting, "the client did not connect as often as the script says"
    except BaseException as error:
        for task in running:
            if task.done() and not task.cancelled() and (cause := task.exception()) is not None and cause is not error:
                error.add_note(f"the scripted daemon failed: {cause!r}")
        raise
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def opened(home: Path, *scripts: Script) -> AsyncIterator[AdbLink]:
    """An open link to a scripted daemon; closed before the scripts are awaited."""
    async with daemon(*scripts) as address:
        link = AdbLink.direct(address, LinkSettings(), Paths(home), options=QUICK)
        await link.open()
        try:
            yield link
        finally:
            await link.close()


def shell_packet(kind: int, data: bytes) -> bytes:
    return struct.pack("<BI", kind, len(data)) + data
