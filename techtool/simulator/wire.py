"""The device side of the ADB wire on one TCP connection: bytes with faults, packets, streams with OKAY flow control.

Source: AOSP ``packages/modules/adb`` protocol.txt.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from techtool.errors import TechtoolError
from techtool.links.adb.packets import (
    HEADER,
    MAX_PAYLOAD_OLD,
    VERSION_NO_CHECKSUM,
    Command,
    Header,
    PacketError,
    encode,
)
from techtool.simulator.faults import ArmedFaults, Direction

_PIECE: Final = 64 * 1024
_INBOX: Final = 4
"""More unread packets than this on one stream: the host ignores flow control."""


class LinkCut(ConnectionError):
    """The connection is gone, by a fault or by the host."""


class StreamClosed(ConnectionError):
    """The host closed this stream."""


class ByteLink:
    """The bytes of one connection: counted, slowed, cut and hung as the fault script says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: ArmedFaults) -> None:
        self._reader = reader
        self._writer = writer
        self._faults = faults
        self._passed = {Direction.IN: 0, Direction.OUT: 0}
        self._free_at = 0.0
        self._sending = asyncio.Lock()
        self._hung = False

    async def read(self, size: int) -> bytes:
        """Exactly ``size`` bytes; raises :class:`LinkCut`."""
        allowed = self._allowed(Direction.IN, size)
        try:
            data = await self._reader.readexactly(min(size, allowed))
        except (asyncio.IncompleteReadError, ConnectionError, OSError) as error:
            raise LinkCut from error
        await self._pass(Direction.IN, len(data))
        if allowed < size:
            self.abort()
            raise LinkCut
        return data

    async def read_some(self, limit: int) -> bytes:
        """What has come, at least a byte; empty: the host has closed. Raises :class:`LinkCut`."""
        try:
            data = await self._reader.read(limit)
        except (ConnectionError, OSError) as error:
            raise LinkCut from error
        allowed = self._allowed(Direction.IN, len(data))
        await self._pass(Direction.IN, allowed)
        if allowed < len(data):
            self.abort()
            raise LinkCut
        return data

    async def write(self, data: bytes) -> None:
        """Send all of it, in one piece unless a fault intervenes; raises :class:`LinkCut`."""
        async with self._sending:
            hang = self._faults.faults.hang
            if hang is not None and not hang.command:
                left = max(0, hang.after_bytes - self._passed[Direction.OUT])
                if left < len(data) and self._faults.hang_now(hang):
                    await self._send(data[:left])
                    self.hang()
            if self._hung:
                await asyncio.Event().wait()
            allowed = self._allowed(Direction.OUT, len(data))
            await self._send(data[:allowed])
            if allowed < len(data):
                self._writer.close()
                raise LinkCut

    def hang(self) -> None:
        """From now on nothing is sent any more; the connection stays open."""
        self._hung = True

    def abort(self) -> None:
        """Cut the connection at once."""
        self._writer.transport.abort()

    async def _send(self, data: bytes) -> None:
        try:
            if self._faults.faults.slow_bytes_per_s:
                for at in range(0, len(data), _PIECE):
                    piece = data[at : at + _PIECE]
                    self._writer.write(piece)
                    await self._writer.drain()
                    await self._pass(Direction.OUT, len(piece))
            else:
                self._writer.write(data)
                await self._writer.drain()
                await self._pass(Direction.OUT, len(data))
        except (ConnectionError, OSError, RuntimeError) as error:
            raise LinkCut from error

    def _allowed(self, direction: Direction, size: int) -> int:
        """How many of the next ``size`` bytes pass before the script cuts the link."""
        drop = self._faults.faults.drop
        if drop is None or drop.direction is not direction:
            return size
        left = drop.at_byte - self._passed[direction]
        if 0 <= left < size and self._faults.drop_now(drop):
            return left
        return size

    async def _pass(self, direction: Direction, size: int) -> None:
        """Count bytes and wait until the slow line would have carried them."""
        self._passed[direction] += size
        rate = self._faults.faults.slow_bytes_per_s
        if rate:
            loop = asyncio.get_running_loop()
            self._free_at = max(self._free_at, loop.time()) + size / rate
            await asyncio.sleep(self._free_at - loop.time())


class PacketLink:
    """Whole packets in the version and with the payload size that both sides agreed on."""

    def __init__(self, link: ByteLink) -> None:
        self.link = link
        self.version = 0
        self.max_payload = MAX_PAYLOAD_OLD

    def agree(self, version: int, max_payload: int) -> None:
        """Take over the result of CNXN."""
        self.version = version
        self.max_payload = max_payload

    async def receive(self) -> tuple[Header, bytes]:
        """The next packet; raises :class:`LinkCut` or, for what is no packet, ``PacketError``."""
        header = Header.parse(await self.link.read(HEADER.size))
        return header, await self.link.read(header.length) if header.length else b""

    async def send(self, command: Command, arg0: int, arg1: int, data: bytes = b"") -> None:
        """Send one packet in one write."""
        summed = self.version < VERSION_NO_CHECKSUM
        await self.link.write(encode(command, arg0, arg1, data, with_checksum=summed))


class Stream:
    """One stream as its service sees it; an OKAY goes out when the service has taken the bytes, not before."""

    def __init__(self, packets: PacketLink, local: int, remote: int) -> None:
        self._packets = packets
        self.local = local
        self.remote = remote
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._pending = memoryview(b"")
        self._ready = asyncio.Event()
        self._ready.set()
        self._ended = False
        self.closed = False

    @property
    def max_payload(self) -> int:
        """Most bytes one write carries."""
        return self._packets.max_payload

    @property
    def link(self) -> ByteLink:
        """The connection it runs on."""
        return self._packets.link

    async def read(self, limit: int) -> bytes:
        """Up to ``limit`` bytes; empty when the host has closed the stream."""
        while not self._pending:
            if self._ended:
                return b""
            data = await self._inbox.get()
            if not data:
                self._ended = True
                return b""
            self._pending = memoryview(data)
            if not self.closed:
                await self._packets.send(Command.OKAY, self.local, self.remote)
        piece, self._pending = self._pending[:limit], self._pending[limit:]
        return bytes(piece)

    async def read_exactly(self, size: int) -> bytes:
        """``size`` bytes; raises :class:`StreamClosed` when the host closes before."""
        parts = bytearray()
        while len(parts) < size:
            data = await self.read(size - len(parts))
            if not data:
                raise StreamClosed
            parts += data
        return bytes(parts)

    async def write(self, data: bytes) -> None:
        """Send bytes, each packet after the OKAY of the one before; raises :class:`StreamClosed`."""
        for at in range(0, len(data), self.max_payload):
            await self._ready.wait()
            if self.closed:
                raise StreamClosed
            self._ready.clear()
            await self._packets.send(Command.WRTE, self.local, self.remote, data[at : at + self.max_payload])

    async def finish(self) -> None:
        """Tell the host that the service is done, once it has taken everything."""
        await self._ready.wait()
        if not self.closed:
            self.closed = True
            await self._packets.send(Command.CLSE, self.local, self.remote)

    # what the connection tells the stream

    def received(self, data: bytes) -> None:
        """The host wrote; raises ``PacketError`` when it ignores flow control."""
        if self._inbox.qsize() >= _INBOX:
            raise PacketError("the host does not wait for OKAY")
        if data:
            self._inbox.put_nowait(data)

    def acknowledged(self) -> None:
        """The host took the last write."""
        self._ready.set()

    def closed_by_host(self) -> None:
        """The host is done with it."""
        self.closed = True
        self._inbox.put_nowait(b"")
        self._ready.set()


Service = Callable[[Stream], Awaitable[None]]
ServiceFor = Callable[[str], Service | None]


class Connection:
    """After the handshake: streams opened by the host, each running one service."""

    def __init__(self, packets: PacketLink, service_for: ServiceFor) -> None:
        self._packets = packets
        self._service_for = service_for
        self._streams: dict[int, Stream] = {}
        self._next = 1

    async def run(self) -> None:
        """Serve until the link ends; what then still runs is cancelled.

        Raises :class:`TechtoolError` when this computer could not keep what a service changed.
        """
        failures: list[TechtoolError] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    header, data = await self._packets.receive()
                    await self._handle(header, data, tasks)
        except* (LinkCut, PacketError):
            pass  # the ways in which every connection ends
        except* TechtoolError as group:
            failures += [error for error in group.exceptions if isinstance(error, TechtoolError)]
        if failures:
            raise failures[0]

    async def _handle(self, header: Header, data: bytes, tasks: asyncio.TaskGroup) -> None:
        if header.command == Command.OPEN:
            await self._open(header.arg0, data, tasks)
            return
        stream = self._streams.get(header.arg1)
        if stream is None:
            if header.command == Command.WRTE:
                await self._packets.send(Command.CLSE, 0, header.arg0)
        elif header.command == Command.OKAY:
            stream.acknowledged()
        elif header.command == Command.WRTE:
            stream.received(data)
        elif header.command == Command.CLSE:
            del self._streams[stream.local]
            stream.closed_by_host()

    async def _open(self, remote: int, data: bytes, tasks: asyncio.TaskGroup) -> None:
        service = self._service_for(data.rstrip(b"\0").decode("utf-8", "replace"))
        if service is None:
            await self._packets.send(Command.CLSE, 0, remote)
            return
        stream = Stream(self._packets, self._next, remote)
        self._streams[self._next] = stream
        self._next += 1
        await self._packets.send(Command.OKAY, stream.local, remote)
        tasks.create_task(self._serve(service, stream))

    async def _serve(self, service: Service, stream: Stream) -> None:
        with contextlib.suppress(StreamClosed):
            await service(stream)
            await stream.finish()
        self._streams.pop(stream.local, None)
