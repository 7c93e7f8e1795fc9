"""A device without a wire, and a host without manners: what the simulator's tests drive it with."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from techtool.clock import FixedClock
from techtool.links.adb.packets import HEADER, VERSION_NO_CHECKSUM, Command, Header, checksum, encode
from techtool.simulator.android import PROGRAMS
from techtool.simulator.device import Device
from techtool.simulator.faults import HEALTHY, Faults
from techtool.simulator.model import Model, find_model
from techtool.simulator.shell import Shell

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass
class Memory:
    """Streams in memory."""

    stdin: bytes = b""
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)

    async def read(self, limit: int) -> bytes:
        data, self.stdin = self.stdin[:limit], self.stdin[limit:]
        return data

    async def out(self, data: bytes) -> None:
        self.stdout += data

    async def err(self, data: bytes) -> None:
        self.stderr += data


@dataclass(frozen=True)
class Said:
    """How a command line ended."""

    code: int
    out: str
    err: str


async def open_device(
    folder: Path, model: str | Model = "sunmi-p2", faults: Faults = HEALTHY, *, apks: Path | None = None
) -> Device:
    chosen = find_model(model) if isinstance(model, str) else model
    return await Device.open(folder, chosen, 1, FixedClock(NOW), faults=faults, apks=apks or folder / "no-apks-here")


async def run(device: Device, command: str, stdin: bytes = b"") -> Said:
    streams = Memory(stdin)
    code = await Shell(device, streams, PROGRAMS).run(command)
    return Said(code, streams.stdout.decode(), streams.stderr.decode())


async def install(device: Device, apk: bytes, options: str = "") -> str:
    """What ``cmd package install`` answers."""
    said = await run(device, f"cmd package install {options} -S {len(apk)}", apk)
    assert (said.code == 0) == said.out.startswith("Success")
    return (said.out + said.err).strip()


class Host:
    """Raw packets to a terminal; every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.version = VERSION_NO_CHECKSUM
        self.banner = ""
        self.max_payload = 0

    @classmethod
    async def connect(cls, port: int, *, greet: bool = True) -> Host:
        host = cls(*await asyncio.open_connection("127.0.0.1", port))
        if greet:
            try:
                await host.greet()
            except BaseException:
                await host.close()
                raise
        return host

    async def greet(self) -> None:
        await self.send(Command.CNXN, VERSION_NO_CHECKSUM, 1 << 20, b"host::features=shell_v2,cmd")
        header, data = await self.receive()
        assert header.command == Command.CNXN
        assert header.checksum == checksum(data)
        self.version, self.max_payload, self.banner = header.arg0, header.arg1, data.decode()

    async def until_gone(self) -> None:
        """Read until the terminal cuts the connection; fails when it does not."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async with asyncio.timeout(5):
                while True:
                    await self.receive()

    async def send(self, command: Command, arg0: int, arg1: int, data: bytes = b"") -> None:
        self.writer.write(encode(command, arg0, arg1, data, with_checksum=True))
        await self.writer.drain()

    async def receive(self) -> tuple[Header, bytes]:
        header = Header.parse(await asyncio.wait_for(self.reader.readexactly(HEADER.size), 5))
        return header, await asyncio.wait_for(self.reader.readexactly(header.length), 5)

    async def open(self, service: str, local: int = 7) -> int:
        """Open a service; its remote id, 0 when it was refused."""
        await self.send(Command.OPEN, local, 0, service.encode() + b"\0")
        header, _ = await self.receive()
        assert header.arg1 == local
        return header.arg0 if header.command == Command.OKAY else 0

    async def call(self, service: str, local: int = 7, stdin: bytes = b"") -> bytes:
        """Open, send, and collect everything until the terminal closes."""
        remote = await self.open(service, local)
        assert remote
        if stdin:
            await self.send(Command.WRTE, local, remote, stdin)
        collected = b""
        while True:
            header, data = await self.receive()
            if header.command == Command.CLSE:
                return collected
            if header.command == Command.WRTE:
                collected += data
                await self.send(Command.OKAY, local, remote)

    async def shell(self, command: str) -> tuple[int, bytes, bytes]:
        """Run under shell_v2: exit code, stdout, stderr."""
        data, at, parts = await self.call(f"shell,v2,raw:{command}"), 0, {1: b"", 2: b"", 3: b""}
        while at < len(data):
            kind, size = struct.unpack_from("<BI", data, at)
            parts[kind] += data[at + 5 : at + 5 + size]
            at += 5 + size
        return parts[3][0], parts[1], parts[2]

    async def close(self) -> None:
        self.writer.close()
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)
