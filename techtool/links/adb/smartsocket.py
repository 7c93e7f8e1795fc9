"""The protocol of an adb server: four hexadecimal digits of length, a request, OKAY or FAIL; then the service's bytes.

Source: AOSP ``packages/modules/adb`` OVERVIEW.TXT and SERVICES.TXT.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from techtool.errors import LinkLost, Unreachable, WrongProtocol
from techtool.i18n import phrase
from techtool.links.adb.bytestream import ByteStream, Data, within
from techtool.links.adb.framing import describe
from techtool.links.adb.packets import MAX_PAYLOAD
from techtool.links.clean import clean

_READ_AHEAD: Final = 2 * MAX_PAYLOAD
_REQUEST_LIMIT: Final = 0xFFFF
_WORDS: Final = 400
"""Characters of a refusal: adb's own have fewer, and whoever else answers there is not quoted at length."""
_HEX: Final = re.compile(rb"[0-9a-fA-F]{4}")


class ServerRefusal(Exception):
    """The server's FAIL; every caller turns it into an error of ours."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class SocketStream(ByteStream, asyncio.Protocol):
    """A socket to an adb server. A chunk counts as confirmed when it has left this process: the server tells no more;
    the service's own answer at the end is what confirms the whole.
    """

    def __init__(self, peer: str, timeout_s: float) -> None:
        super().__init__(peer, timeout_s)
        self._transport: asyncio.Transport | None = None
        self._queued = 0
        self._paused = False

    @property
    def max_chunk(self) -> int:
        """As much as one packet to a terminal holds."""
        return MAX_PAYLOAD

    def send(self, data: Data) -> None:
        """Hand over one chunk."""
        if not self._may_send() or len(data) > self.max_chunk:
            raise ValueError("a chunk when ready, of max_chunk bytes at most")
        if self._transport is not None and data and not (self._ended or self._failure):
            self._transport.write(bytes(data))  # a copy: newer asyncio keeps a view of what it could not send yet
            if self._transport.get_write_buffer_size():
                self._in_flight = len(data)

    def close(self) -> None:
        """Let go at once: what the other side has not taken by now is not wanted any more."""
        self._inbox.clear()
        if self._transport is not None:
            self._transport.abort()

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection gives
        self._transport = transport
        transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; with much unread the socket waits."""
        self._queued += len(data)
        self.deliver(memoryview(data))
        if self._transport is not None and not self._paused and self._queued > _READ_AHEAD:
            self._paused = True
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Everything handed over has left."""
        self._in_flight = 0
        self.wake()

    def eof_received(self) -> bool:
        """The server has closed: heard at once, even while we still send."""
        self.end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has closed, or is gone."""
        self._transport = None
        if exc is None:
            self.end()
        else:
            detail = str(exc)
            self.fail(lambda: LinkLost(address=self.peer, detail=detail))

    def _may_send(self) -> bool:
        return not self._in_flight

    def _consumed(self, size_bytes: int) -> None:
        self._queued -= size_bytes
        if self._transport is not None and self._paused and self._queued <= _READ_AHEAD // 2:
            self._paused = False
            self._transport.resume_reading()


@dataclass(frozen=True, slots=True)
class Server:
    """Where an adb server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    async def connect(self, peer: str, timeout_s: float) -> SocketStream:
        """A fresh socket; :class:`Unreachable` when nothing listens."""
        loop = asyncio.get_running_loop()
        try:
            async with within(timeout_s, peer):
                _, stream = await loop.create_connection(lambda: SocketStream(peer, timeout_s), self.host, self.port)
        except OSError as error:
            raise Unreachable(address=peer, detail=f"adb server {self}: {error}") from error
        return stream

    async def query(self, request: str, peer: str, timeout_s: float) -> str:
        """Ask the server itself; raises :class:`ServerRefusal`."""
        stream = await self.connect(peer, timeout_s)
        try:
            await ask(stream, request)
            return await read_text(stream)
        finally:
            stream.close()

    async def transport(self, serial: str, peer: str, timeout_s: float) -> SocketStream:
        """A socket on which the next request goes to that terminal; raises :class:`ServerRefusal`."""
        stream = await self.connect(peer, timeout_s)
        try:
            await ask(stream, f"host:transport:{serial}")
        except BaseException:
            stream.close()
            raise
        return stream


async def ask(stream: SocketStream, request: str) -> None:
    """One request and its OKAY within the stream's time, however slowly a server drips its answer.

    Raises :class:`ServerRefusal` for FAIL, :class:`WrongProtocol` for anything else, :class:`LinkTimeout`.
    """
    data = request.encode("utf-8", "surrogateescape")
    if len(data) > _REQUEST_LIMIT:
        raise ServerRefusal(f"request of {len(data)} bytes")
    async with within(stream.timeout_s, stream.peer):
        await stream.write(b"%04x" % len(data) + data)
        status = await stream.read_exactly(4)
    if status == b"FAIL":
        raise ServerRefusal(clean(await read_text(stream), _WORDS))
    if status != b"OKAY":
        raise WrongProtocol(address=stream.peer, problem=describe(status))


async def read_text(stream: SocketStream, length: bytes = b"") -> str:
    """One text behind its four hexadecimal digits (``length``: they were read already), never more than 64 KB.

    The stream's time is for the whole of it. Raises :class:`WrongProtocol`, :class:`LinkTimeout`.
    """
    async with within(stream.timeout_s, stream.peer):
        return await _text(stream, length)


async def _text(stream: SocketStream, length: bytes) -> str:
    length = length or await stream.read_exactly(4)
    if not _HEX.fullmatch(length):  # int() also takes a sign, blanks and underscores
        problem = phrase("it breaks the ADB protocol: {what}", what=f"length {length!r}")
        raise WrongProtocol(address=stream.peer, problem=problem)
    size = int(length, 16)
    return (await stream.read_exactly(size)).decode("utf-8", "replace").strip()
