"""An ADB daemon spoken to directly: one TCP connection, any number of streams at once.

Flow control is ADB's: one WRTE of a stream is on its way until the other side's OKAY. We answer OKAY as long as what
waits unread stays small, so a slow reader slows the terminal down instead of filling the laptop's memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkLost, NotCapable, Unreachable, WrongProtocol
from techtool.i18n import phrase
from techtool.links.adb.auth import AdbKey
from techtool.links.adb.bytestream import ByteStream, Data, Failure
from techtool.links.adb.framing import PacketChannel
from techtool.links.adb.handshake import Banner, Handshake, HandshakeLimits, answer_hdsk
from techtool.links.adb.packets import MAX_PAYLOAD, Command, Header

CONNECT_S: Final = 10.0
_READ_AHEAD: Final = 2 * MAX_PAYLOAD
_PIECES_AHEAD: Final = 1024
_UNASKED: Final = 4
"""How many times the read-ahead may come without our OKAY before we call it a breach."""


class AdbStream(ByteStream):
    """One stream of an :class:`AdbConnection`."""

    def __init__(self, connection: AdbConnection, local_id: int, timeout_s: float) -> None:
        super().__init__(connection.peer, timeout_s)
        self._connection = connection
        self._local = local_id
        self._remote = 0
        self._queued = 0
        self._owes_okay = False
        self._closed = False

    @property
    def max_chunk(self) -> int:
        """The daemon's largest payload."""
        return self._connection.max_payload

    def send(self, data: Data) -> None:
        """Hand over one chunk as one WRTE."""
        if self._in_flight or len(data) > self.max_chunk:
            raise ValueError("one chunk at a time, of max_chunk bytes at most")
        if data and not (self._ended or self._closed or self._failure):
            self._in_flight = len(data)
            self._connection.send(Command.WRTE, self._local, self._remote, data)

    def close(self) -> None:
        """Tell the daemon with CLSE; a stream that is still being opened is closed when the daemon's answer comes."""
        if self._closed:
            return
        self._closed = True
        self._inbox.clear()
        if self._remote:
            self._connection.forget(self._local)
            if not self._ended:
                self._connection.send(Command.CLSE, self._local, self._remote)
        elif self._ended or self._failure:
            self._connection.forget(self._local)

    async def opened(self, service: str) -> None:
        """Until the daemon has answered OPEN; :class:`CommandRefused` where it does not offer the service."""
        while not self._remote:
            if self._ended:
                raise CommandRefused(command=service, answer=phrase("it does not offer this service"))
            self._check()
            await self._news()

    # -- packets from the daemon

    def on_okay(self, remote: int) -> None:
        """It has opened the stream, or taken the last WRTE."""
        if not self._remote:
            self._remote = remote
            if self._closed:
                self._connection.forget(self._local)
                self._connection.send(Command.CLSE, self._local, remote)
        elif remote == self._remote:
            self._in_flight = 0
        self.wake()

    def on_write(self, remote: int, data: memoryview) -> None:
        """It sends; confirmed at once while little waits, later when much does."""
        if remote != self._remote or self._closed:
            return
        self._queued += len(data)
        self.deliver(data)
        if self._has_room():
            self._okay()
        elif not self._has_room(_UNASKED):
            self._connection.broken("it does not wait for OKAY")
        else:
            self._owes_okay = True

    def on_close(self, remote: int) -> None:
        """It has closed, or refused to open; our side is closed with that, and nothing is answered."""
        if remote in (0, self._remote) or not self._remote:
            self._connection.forget(self._local)
            self.end()

    def _consumed(self, size_bytes: int) -> None:
        self._queued -= size_bytes
        if self._owes_okay and self._has_room():
            self._owes_okay = False
            self._okay()

    def _has_room(self, times: int = 1) -> bool:
        return self._queued <= times * _READ_AHEAD and len(self._inbox) <= times * _PIECES_AHEAD

    def _okay(self) -> None:
        if not self._closed:
            self._connection.send(Command.OKAY, self._local, self._remote)


class AdbConnection:
    """A connected and accepted daemon."""

    def __init__(self, channel: PacketChannel, banner: Banner, token: bytes = b"") -> None:
        self.peer = channel.peer
        self.banner = banner
        self.max_payload = banner.max_payload
        self._channel = channel
        self._token = token
        self._streams: dict[int, AdbStream] = {}
        self._last_id = 0

    @classmethod
    async def connect(
        cls,
        address: Address,
        key: Callable[[], AdbKey],
        *,
        token: bytes = b"",
        connect_s: float = CONNECT_S,
        limits: HandshakeLimits | None = None,
    ) -> AdbConnection:
        """Connect and be accepted; raises Unreachable, WrongProtocol, NotAuthorized, NotCapable, LinkTimeout."""
        peer = str(address)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(connect_s):
                _, channel = await loop.create_connection(lambda: PacketChannel(peer), address.host, address.port)
        except TimeoutError as error:
            raise Unreachable(address=peer, detail=str(error) or f"no connection within {connect_s:g} s") from error
        except (OSError, UnicodeError) as error:
            raise Unreachable(address=peer, detail=str(error)) from error
        try:
            handshake = Handshake(channel, key, token, limits)
            connection = cls(channel, await handshake.run(), token)
        except BaseException:
            await channel.close()
            raise
        channel.on_packet = connection.on_packet
        channel.on_failure = connection.on_failure
        for header, data in handshake.rest():
            connection.on_packet(header, data)
        return connection

    @property
    def features(self) -> frozenset[str]:
        """What the daemon's banner lists."""
        return self.banner.features

    async def open_stream(self, service: str, timeout_s: float) -> AdbStream:
        """Open a service; every wait of the stream lasts ``timeout_s`` at most."""
        name = service.encode() + b"\0"
        if len(name) > self.max_payload:
            what = phrase(
                "a command of {size} bytes; this terminal takes {limit}", size=len(name), limit=self.max_payload
            )
            raise NotCapable(address=self.peer, capability=what)
        if self._channel.failure is not None:
            raise self._channel.failure()
        self._last_id += 1
        stream = self._streams[self._last_id] = AdbStream(self, self._last_id, timeout_s)
        self.send(Command.OPEN, self._last_id, 0, name)
        try:
            await stream.opened(service.partition(":")[0])
        except BaseException:
            stream.close()
            raise
        return stream

    async def verify_alive(self) -> None:
        """Raise what ended the connection, if it has ended."""
        if self._channel.failure is not None:
            raise self._channel.failure()

    async def close(self) -> None:
        """Hang up; every stream that waits gets :class:`LinkLost`."""
        await self._channel.close()

    # -- for the streams and the channel

    def send(self, command: Command, arg0: int, arg1: int, data: Data = b"") -> None:
        """One packet to the daemon."""
        self._channel.send(command, arg0, arg1, data)

    def forget(self, local_id: int) -> None:
        """The stream is over: packets for it are dropped from now on."""
        self._streams.pop(local_id, None)

    def broken(self, what: str) -> None:
        """The daemon breaks the protocol: the connection cannot be trusted any more."""
        problem = phrase("it breaks the ADB protocol: {what}", what=what)
        self._channel.fail(lambda: WrongProtocol(address=self.peer, problem=problem))

    def on_failure(self, failure: Failure) -> None:
        """The connection has ended: tell every stream, once."""
        streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.fail(failure)

    def on_packet(self, header: Header, data: memoryview) -> None:
        """Hand a packet to its stream; unknown commands and streams are dropped, as AOSP's own host does."""
        stream = self._streams.get(header.arg1)
        match header.command:
            case Command.OKAY if stream is not None and header.arg0:
                stream.on_okay(header.arg0)
            case Command.WRTE if stream is not None:
                stream.on_write(header.arg0, data)
            case Command.CLSE if stream is not None:
                stream.on_close(header.arg0)
            case Command.OPEN:
                self.send(Command.CLSE, 0, header.arg0)  # we offer no service to the terminal
            case Command.CNXN | Command.AUTH | Command.STLS:
                self._channel.fail(lambda: LinkLost(address=self.peer, detail="the terminal started the session anew"))
            case Command.HDSK:
                if failure := answer_hdsk(self._channel, header, self._token):
                    self._channel.fail(failure)
