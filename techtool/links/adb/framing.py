"""ADB packets over one TCP connection: bytes in, packets out, and nothing kept that was not announced.

Payloads are received straight into their own buffer, and sent in one write with their header, copied once: asyncio's
transport owns a packet from then on and finishes it, so that cancelling a task never leaves half a packet on the wire.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from techtool.errors import LinkLost, Unreachable, WrongProtocol
from techtool.i18n import Phrase, phrase
from techtool.links.adb.bytestream import Data, Failure
from techtool.links.adb.packets import HEADER, Command, Header, PacketError, checksum

Packet = tuple[Header, memoryview]

_NO_DATA: Final = memoryview(b"")
_UNSENT_LIMIT: Final = 64 << 20
"""More than any number of honest streams leaves unsent: the other side sends but does not read."""
_CONGESTED: Final = 2 << 20
_CLOSE_S: Final = 1.0
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 4}
_KNOWN: Final = frozenset(command.to_bytes(4, "little") for command in Command)


def describe(start: bytes) -> Phrase:
    """What a service that is no ADB daemon seems to be, by its first bytes."""
    if start.startswith((b"HTTP", b"<!", b"<h")):
        return phrase("it is a web server")
    if start.startswith(b"SSH-"):
        return phrase("it is an SSH server")
    if start.startswith(b"\x15\x03"):
        return phrase("it is a TLS server")
    if start.startswith((b"FAIL", b"OKAY0")):
        return phrase("it is an adb server, not a terminal; use adb+server:SERIAL")
    shown = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in start[:24])
    return phrase("it sent “{bytes}”", bytes=shown)


def _tune(sock: socket.socket) -> None:
    """No waiting for full segments; a terminal that was switched off while we wait is noticed within a minute."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class PacketChannel(asyncio.BufferedProtocol):
    """Cuts the stream into packets and hands each to ``on_packet``; calls ``on_failure`` once when it is over."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.with_checksum = True
        """Until the other side is known to do without. What comes is not summed: TCP has done that."""
        self.on_packet: Callable[[Header, memoryview], None] = lambda header, data: None  # noqa: ARG005
        self.on_failure: Callable[[Failure], None] = lambda failure: None  # noqa: ARG005
        self.on_relief: Callable[[], None] = lambda: None
        """Called when the socket takes bytes again."""
        self.congested = False
        """Whether much is still unsent: streams wait then, whatever their own flow control says."""
        self.failure: Failure | None = None
        self._transport: asyncio.Transport | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun = False
        """Whether a first valid header has come."""
        self._header: Header | None = None
        self._space = bytearray(HEADER.size)
        self._filled = 0

    # -- sending

    def send(self, command: int, arg0: int, arg1: int, data: Data = b"") -> None:
        """One packet in one write; it is sent whole or not at all, whatever happens to the caller."""
        if self._transport is None or self.failure is not None:
            return
        total = checksum(bytes(data)) if self.with_checksum and data else 0
        header = HEADER.pack(command, arg0, arg1, len(data), total, command ^ 0xFFFFFFFF)
        self._transport.write(b"".join((header, data)) if data else header)
        if self._transport.get_write_buffer_size() > _UNSENT_LIMIT:
            self.fail(lambda: WrongProtocol(address=self.peer, problem=phrase("it sends but does not read")))

    async def close(self) -> None:
        """Hang up; waits for the socket to be gone, but not for an unwilling peer."""
        if self._transport is None:
            return
        self.fail(lambda: LinkLost(address=self.peer, detail="closed by techtool"), abort=False)
        self._transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.shield(self._closed)
        if self._transport is not None:
            self._transport.abort()

    def fail(self, failure: Failure, *, abort: bool = True) -> None:
        """End the connection with that error; the first one counts."""
        if self.failure is None:
            self.failure = failure
            self.on_failure(failure)
        if abort and self._transport is not None:
            self._transport.abort()

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection gives
        self._transport = transport
        transport.set_write_buffer_limits(high=_CONGESTED)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            _tune(sock)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Room for exactly the rest of the header or payload that is being received."""
        return memoryview(self._space)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        self._filled += nbytes
        if self._filled == len(self._space):
            if self._header is None:
                self._header_complete()
            else:
                self._packet_complete(self._header, memoryview(self._space))
        elif not self.begun and self._filled >= 4 and bytes(self._space[:4]) not in _KNOWN:
            self._refuse_start()

    def pause_writing(self) -> None:
        """The socket does not take more for now."""
        self.congested = True

    def resume_writing(self) -> None:
        """It does again."""
        self.congested = False
        self.on_relief()

    def eof_received(self) -> bool:
        """The other side has closed: nothing that is still unsent matters any more."""
        self._over("")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._transport = None
        self._over("" if exc is None else str(exc))
        if not self._closed.done():
            self._closed.set_result(None)

    # -- inside

    @property
    def silent(self) -> bool:
        """Whether nothing at all has come yet."""
        return not self.begun and not self._filled

    def wrong_start(self) -> WrongProtocol:
        """The error for what came instead of a first packet."""
        return WrongProtocol(address=self.peer, problem=describe(bytes(self._space[: self._filled])))

    def _over(self, detail: str) -> None:
        if self.begun:
            self.fail(lambda: LinkLost(address=self.peer, detail=detail))
        elif self._filled:
            self._refuse_start()
        else:
            gone = detail or "it closed the connection without a word"
            self.fail(lambda: Unreachable(address=self.peer, detail=gone))

    def _refuse_start(self) -> None:
        error = self.wrong_start()
        self.fail(lambda: WrongProtocol(address=self.peer, problem=error.params["problem"]))

    def _header_complete(self) -> None:
        try:
            header = Header.parse(bytes(self._space))
        except PacketError as error:
            problem = phrase("it breaks the ADB protocol: {what}", what=str(error))
            if self.begun:
                self.fail(lambda: WrongProtocol(address=self.peer, problem=problem))
            else:
                self._refuse_start()
            return
        self.begun = True
        if header.length:
            self._header = header
            self._space, self._filled = bytearray(header.length), 0
        else:
            self._packet_complete(header, _NO_DATA)

    def _packet_complete(self, header: Header, data: memoryview) -> None:
        self._header = None
        self._space, self._filled = bytearray(HEADER.size), 0
        if self.failure is None:
            self.on_packet(header, data)
