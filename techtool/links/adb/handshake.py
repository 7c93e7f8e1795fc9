"""How a connection to an ADB daemon begins: CNXN, AUTH with our key, and the banner that tells what the daemon can.

Source: AOSP ``packages/modules/adb`` protocol.txt. PAX PayDroid's HDSK: public notes on PAX's own adb say that it comes
after CNXN, public stand-ins for a terminal send it first; so it is answered whenever it comes, with the vendor's token
of the owner's settings (techtool ships none). Not verified on hardware.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from techtool.errors import LinkTimeout, NotAuthorized, NotCapable, TokenMissing, TokenRefused, WrongProtocol
from techtool.i18n import phrase
from techtool.links.adb.auth import TOKEN_SIZE, AdbKey
from techtool.links.adb.bytestream import Failure, within
from techtool.links.adb.framing import Packet, PacketChannel
from techtool.links.adb.packets import (
    MAX_PAYLOAD,
    VERSION_MIN,
    VERSION_NO_CHECKSUM,
    AuthType,
    Command,
    Header,
)
from techtool.links.permission import PERSON_S, Told, nobody, telling

FIRST_ANSWER_S: Final = 10.0
OWN_FEATURES: Final = ("shell_v2", "cmd", "stat_v2")
DELAYED_ACK: Final = "delayed_ack"
"""OKAY tells how many bytes it confirms (Android 14 and later); used where both sides list it."""
LATE_HDSK_S: Final = 0.5
"""How long HDSK is waited for behind CNXN where there is a token: until it is answered, the terminal opens nothing."""
_SMALLEST_PAYLOAD: Final = 1024
_PACKETS: Final = 16
"""More than any handshake needs."""


@dataclass(frozen=True, slots=True)
class Banner:
    """What a daemon says of itself."""

    version: int
    max_payload: int
    kind: str
    """``device``, ``recovery``, ``sideload`` …"""
    properties: dict[str, str] = field(default_factory=dict)
    features: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, header: Header, data: bytes) -> Banner:
        """Read ``kind:serial:key=value;key=value;features=a,b``."""
        kind, _, rest = data.decode("utf-8", "replace").rstrip("\0").partition(":")
        _, _, listing = rest.partition(":")
        pairs = (item.partition("=") for item in listing.split(";"))
        properties = {key: value for key, equals, value in pairs if equals}
        features = frozenset(filter(None, properties.pop("features", "").split(",")))
        version = min(header.arg0, VERSION_NO_CHECKSUM)
        return cls(version, min(header.arg1, MAX_PAYLOAD), kind, properties, features)


@dataclass(frozen=True, slots=True)
class HandshakeOptions:
    """How long each part may take, and what we offer."""

    first_answer_s: float = FIRST_ANSWER_S
    person_s: float = PERSON_S
    delayed_ack: bool = True
    late_hdsk_s: float = LATE_HDSK_S
    told: Told = nobody
    """Hears that the terminal asks a person."""

    @property
    def banner(self) -> bytes:
        """Old daemons read it as a C string, new ones split it at semicolons: this form serves both."""
        features = (*OWN_FEATURES, DELAYED_ACK) if self.delayed_ack else OWN_FEATURES
        return f"host::features={','.join(features)};\0".encode()


class Handshake:
    """One handshake over one channel; collects packets until it is done."""

    def __init__(
        self,
        channel: PacketChannel,
        key: Callable[[], AdbKey],
        options: HandshakeOptions,
        token: bytes = b"",
        tokenless: type[TokenMissing] = TokenMissing,
    ) -> None:
        """``tokenless``: the error where a terminal wants a token and there is none for it."""
        self._channel = channel
        self._key = key
        self._token = token
        self._tokenless = tokenless
        self._options = options
        self.shaken = False
        """Whether PayDroid's handshake was asked for and answered."""
        self._asking = AsyncExitStack()
        self._packets: asyncio.Queue[Packet | Failure] = asyncio.Queue()
        self._first: list[Packet] = []
        channel.on_packet = self._collect
        channel.on_failure = self._packets.put_nowait

    async def run(self) -> Banner:
        """Until the daemon accepts.

        Raises Unreachable, WrongProtocol, NotAuthorized, NotCapable, LinkTimeout, TokenMissing, TokenRefused.
        """
        async with self._asking:
            return await self._run()

    async def _run(self) -> Banner:
        self._channel.send(Command.CNXN, VERSION_NO_CHECKSUM, MAX_PAYLOAD, self._options.banner)
        tokens = 0
        for _ in range(_PACKETS):
            header, data = await self._next(waits_for_person=tokens > 1)
            match header.command:
                case Command.CNXN:
                    banner = self._accepted(header, bytes(data))
                    if self._token and not self.shaken:
                        await self._await_hdsk()
                    return banner
                case Command.AUTH if header.arg0 == AuthType.TOKEN:
                    tokens += 1
                    await self._answer(tokens, bytes(data))
                case Command.STLS:
                    what = phrase("paired debugging over TLS; pair it with adb and use adb+server:SERIAL")
                    raise NotCapable(address=self._channel.peer, capability=what)
                case Command.HDSK:
                    self._shake(header)
                case _:
                    raise self._broken(f"packet {header.command:08x} before CNXN")
        raise self._broken("no CNXN")

    def rest(self) -> list[Packet]:
        """Packets that came behind the accepting one."""
        waiting = [self._packets.get_nowait() for _ in range(self._packets.qsize())]
        return self._first + [item for item in waiting if isinstance(item, tuple)]

    def _shake(self, header: Header) -> None:
        if failure := answer_hdsk(self._channel, header, self._token, self._tokenless):
            raise failure()
        self.shaken = True

    async def _await_hdsk(self) -> None:
        """A moment for HDSK behind CNXN; whatever else comes is kept for :meth:`rest`."""
        try:
            async with asyncio.timeout(self._options.late_hdsk_s):
                item = await self._packets.get()
        except TimeoutError:
            return
        if not isinstance(item, tuple):
            raise item()
        if item[0].command == Command.HDSK:
            self._shake(item[0])
        else:
            self._first.append(item)

    def _collect(self, header: Header, data: memoryview) -> None:
        if self._packets.qsize() >= _PACKETS:
            self._channel.fail(lambda: self._broken("too many packets before CNXN"))
        else:
            self._packets.put_nowait((header, data))

    async def _next(self, *, waits_for_person: bool) -> Packet:
        channel, options = self._channel, self._options
        try:
            async with within(options.person_s if waits_for_person else options.first_answer_s, channel.peer):
                item = await self._packets.get()
        except LinkTimeout:
            if waits_for_person:
                raise NotAuthorized(address=channel.peer, detail="nobody allowed the key in time") from None
            if self.shaken:
                raise TokenRefused(address=channel.peer, detail="no answer to the handshake") from None
            if not channel.silent and not channel.begun:
                raise channel.wrong_start() from None
            raise
        if isinstance(item, tuple):
            return item
        if waits_for_person:
            raise NotAuthorized(address=channel.peer, detail=str(item()))
        if self.shaken:
            raise TokenRefused(address=channel.peer, detail=str(item()))
        raise item()

    async def _answer(self, tokens: int, token: bytes) -> None:
        if len(token) != TOKEN_SIZE:
            raise self._broken(f"token of {len(token)} bytes")
        if tokens > 2:
            raise NotAuthorized(address=self._channel.peer, detail="the terminal refused the key")
        key = await asyncio.to_thread(self._key)
        if tokens == 1:
            self._channel.send(Command.AUTH, AuthType.SIGNATURE, 0, key.sign(token))
        else:
            self._channel.send(Command.AUTH, AuthType.RSAPUBLICKEY, 0, key.public_line + b"\0")
            options = self._options
            await self._asking.enter_async_context(telling(options.told, key.fingerprint, options.person_s))

    def _accepted(self, header: Header, data: bytes) -> Banner:
        if header.arg0 < VERSION_MIN:
            raise self._broken(f"version {header.arg0:08x}")
        banner = Banner.parse(header, data)
        if banner.max_payload < _SMALLEST_PAYLOAD:
            raise self._broken(f"payloads of {header.arg1} bytes")
        self._channel.with_checksum = banner.version < VERSION_NO_CHECKSUM
        return banner

    def _broken(self, what: str) -> WrongProtocol:
        return WrongProtocol(
            address=self._channel.peer, problem=phrase("it breaks the ADB protocol: {what}", what=what)
        )


def answer_hdsk(channel: PacketChannel, header: Header, token: bytes, tokenless: type[TokenMissing]) -> Failure | None:
    """Answer PayDroid's handshake with the vendor's token; the failure where there is none for this terminal."""
    if not token:
        return lambda: tokenless(address=channel.peer)
    if header.arg0 == 1:
        channel.send(Command.HDSK, 2, 0, token)
    return None
