"""An ADB daemon spoken to directly: one TCP connection, any number of streams at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from techtool.domain.terminal import Address
from techtool.errors import LinkLost, LinkTimeout, NotCapable, TokenMissing, TokenRefused, Unreachable, WrongProtocol
from techtool.i18n import phrase
from techtool.links.adb.auth import AdbKey
from techtool.links.adb.bytestream import Data, Failure
from techtool.links.adb.framing import PacketChannel
from techtool.links.adb.handshake import DELAYED_ACK, Banner, Handshake, HandshakeOptions, answer_hdsk
from techtool.links.adb.packets import Command, Header
from techtool.links.adb.streams import RECEIVE_WINDOW, AdbStream

CONNECT_S: Final = 10.0


class AdbConnection:
    """A connected and accepted daemon."""

    def __init__(
        self,
        channel: PacketChannel,
        banner: Banner,
        token: bytes = b"",
        tokenless: type[TokenMissing] = TokenMissing,
        *,
        delayed_ack: bool = False,
    ) -> None:
        self.peer = channel.peer
        self.banner = banner
        self.max_payload = banner.max_payload
        self.delayed_ack = delayed_ack and DELAYED_ACK in banner.features
        """Whether OKAY counts bytes on this connection."""
        self._channel = channel
        self._token = token
        self._tokenless = tokenless
        self._unproven = False
        """PayDroid's handshake was answered and nothing has been opened since."""
        self._streams: dict[int, AdbStream] = {}
        self._last_id = 0

    @classmethod
    async def connect(
        cls,
        address: Address,
        key: Callable[[], AdbKey],
        *,
        token: bytes = b"",
        tokenless: type[TokenMissing] = TokenMissing,
        connect_s: float = CONNECT_S,
        options: HandshakeOptions | None = None,
    ) -> AdbConnection:
        """Connect and be accepted; raises Unreachable, and what :meth:`Handshake.run` raises."""
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
            options = options or HandshakeOptions()
            handshake = Handshake(channel, key, options, token, tokenless)
            banner = await handshake.run()
            connection = cls(channel, banner, token, tokenless, delayed_ack=options.delayed_ack)
            connection._unproven = handshake.shaken
        except BaseException:
            await channel.close()
            raise
        channel.on_packet = connection.on_packet
        channel.on_failure = connection.on_failure
        channel.on_relief = connection.on_relief
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
        self.send(Command.OPEN, self._last_id, RECEIVE_WINDOW if self.delayed_ack else 0, name)
        try:
            await stream.opened(service.partition(":")[0])
        except LinkTimeout:
            stream.close()
            if self._unproven:
                raise self._token_refused("nothing can be opened") from None
            raise
        except BaseException:
            stream.close()
            raise
        self._unproven = False
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

    @property
    def congested(self) -> bool:
        """Whether much is still unsent."""
        return self._channel.congested

    def on_relief(self) -> None:
        """The socket takes bytes again."""
        for stream in list(self._streams.values()):
            stream.wake()

    def on_failure(self, failure: Failure) -> None:
        """The connection has ended: tell every stream, once."""
        if self._unproven:
            detail = str(failure())
            failure = self._channel.failure = lambda: self._token_refused(detail)
        streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.fail(failure)

    def _token_refused(self, detail: str) -> TokenRefused:
        return TokenRefused(address=self.peer, detail=detail)

    def on_packet(self, header: Header, data: memoryview) -> None:
        """Hand a packet to its stream; unknown commands and streams are dropped, as AOSP's own host does."""
        stream = self._streams.get(header.arg1)
        match header.command:
            case Command.OKAY if stream is not None and header.arg0:
                stream.on_okay(header.arg0, bytes(data))
            case Command.WRTE if stream is not None:
                stream.on_write(header.arg0, data)
            case Command.CLSE if stream is not None:
                stream.on_close(header.arg0)
            case Command.OPEN:
                self.send(Command.CLSE, 0, header.arg0)  # we offer no service to the terminal
            case Command.CNXN | Command.AUTH | Command.STLS:
                self._channel.fail(lambda: LinkLost(address=self.peer, detail="the terminal started the session anew"))
            case Command.HDSK:
                if failure := answer_hdsk(self._channel, header, self._token, self._tokenless):
                    self._channel.fail(failure)
                else:
                    self._unproven = self._last_id == 0
