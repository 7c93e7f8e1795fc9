"""“Wireless debugging” of Android 11 and later in front of a daemon that has none: pairing by six digits, and TLS.

Debian's adbd speaks no TLS and has no pairing service, so this part of a terminal is ours: a stand-in. Its judge is
Google's own adb, which pairs with it, refuses it and connects through it; behind the TLS every packet is the real
daemon's. Sources: AOSP ``packages/modules/adb`` pairing_connection.cpp, pairing_auth.cpp, aes_128_gcm.cpp, adb.cpp
(A_STLS), daemon/adb_wifi.cpp.

More patient than a terminal in one thing: adb 36 now and then begins its TLS before its own A_STLS packet, which then
comes inside (see ``techtool.links.adb.connecting``). A real daemon hangs up; here a test would be a matter of chance,
and :attr:`WirelessTerminal.hang_ups` does on purpose what the product must bear.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from techtool.links.adb.packets import HEADER, Command, encode
from tests.peers.spake2 import Bob
from tests.peers.tls_side import CHUNK, TlsSide

CODE = "482913"


class NotSpokenHereError(Exception):
    """The laptop sent something else than belongs here; a terminal hangs up."""


_STLS_VERSION = 0x01000000
_NAMES = b"adb pair client\0", b"adb pair server\0"
_HEADER = struct.Struct(">BBI")
_TLS_HELLO = b"\x16\x03"
_SPAKE2, _PEER_INFO = 0, 1
_PEER_INFO_SIZE, _MOST = 8192, 16384
_KEY_LINE, _GUID = 0, 1
_HANGS_UP = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, NotSpokenHereError)
_FIRST_NONCE = bytes(12)
"""Each side seals one message with the key, so that the counter stays at nought."""


@dataclass
class WirelessTerminal:
    """What its “Wireless debugging” page knows; :meth:`pairing` and :meth:`listening` are its two services."""

    adbd_port: int
    guid: str = "adb-SN0042-aBcDeF"
    code: str = CODE
    """Of the dialog that is open now; another dialog, another code."""
    laptops: dict[int, str] = field(default_factory=dict)
    """The key of each paired laptop (its modulus) and the name it gave itself."""
    hang_ups: int = 0
    """How many connections are still to be cut at the moment at which a real terminal does that to a hasty adb."""
    refused: int = 0
    """How often a laptop was sent away because its key is not paired."""

    def pairing(self) -> contextlib.AbstractAsyncContextManager[str]:
        """“Pair device with pairing code”: ``HOST:PORT``, open until the dialog is closed."""
        return _served(self._pair)

    def listening(self) -> contextlib.AbstractAsyncContextManager[str]:
        """The page itself: ``HOST:PORT`` of the daemon behind TLS."""
        return _served(self._connect)

    def knows(self, key: rsa.RSAPublicKey) -> bool:
        """Whether that laptop is paired."""
        known = key.public_numbers().n in self.laptops
        self.refused += not known
        return known

    async def _pair(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls = TlsSide(reader, writer, judge=lambda _key: True)
        await tls.handshake()
        bob = Bob(self.code.encode() + tls.export(b"adb-label\0", 64), *_NAMES)
        await _send(tls, _SPAKE2, bob.message)
        sealing = AESGCM(_aes_key(bob.key(await _receive(tls, _SPAKE2))))
        own = bytes([_GUID]) + self.guid.encode()
        await _send(tls, _PEER_INFO, sealing.encrypt(_FIRST_NONCE, own.ljust(_PEER_INFO_SIZE, b"\0"), None))
        try:
            theirs = sealing.decrypt(_FIRST_NONCE, await _receive(tls, _PEER_INFO), None)
        except InvalidTag:  # another code; the laptop finds out as we do
            return
        if len(theirs) != _PEER_INFO_SIZE or theirs[0] != _KEY_LINE:
            raise NotSpokenHereError("no key of a laptop")
        line, _, name = theirs[1:].partition(b"\0")[0].partition(b" ")
        self.laptops[int.from_bytes(base64.b64decode(line)[8:264], "little")] = name.decode()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await _packet(reader.readexactly, Command.CNXN)
        writer.write(encode(Command.STLS, _STLS_VERSION, 0))
        tls = TlsSide(reader, writer, judge=self.knows)
        if self.hang_ups:
            self.hang_ups -= 1
            return
        early = await reader.readexactly(HEADER.size)
        hasty = early.startswith(_TLS_HELLO)
        if hasty:
            tls.feed(early)
        else:
            _check(early, Command.STLS)
        await tls.handshake()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.adbd_port, limit=1 << 22)
        try:
            far_writer.write(hello)

            async def up() -> None:
                if hasty:
                    await _packet(tls.read_exactly, Command.STLS)
                await _carry(tls.read, lambda data: _written(far_writer, data))

            down = _carry(lambda: far_reader.read(CHUNK), tls.write)
            await _first_of(up(), down)
        finally:
            far_writer.close()


def _aes_key(shared: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 16, salt=None, info=b"adb pairing_auth aes-128-gcm key").derive(shared)


async def _send(tls: TlsSide, kind: int, data: bytes) -> None:
    await tls.write(_HEADER.pack(1, kind, len(data)) + data)


async def _receive(tls: TlsSide, wanted: int) -> bytes:
    version, kind, size = _HEADER.unpack(await tls.read_exactly(_HEADER.size))
    if (version, kind) != (1, wanted) or not 0 < size <= _MOST:
        raise NotSpokenHereError(f"header {version}, {kind}, {size}")
    return await tls.read_exactly(size)


async def _packet(read_exactly: Callable[[int], Awaitable[bytes]], wanted: Command) -> bytes:
    header = await read_exactly(HEADER.size)
    length = _check(header, wanted)
    return header + (await read_exactly(length) if length else b"")


def _check(header: bytes, wanted: Command) -> int:
    """The length of what follows."""
    command, _, _, length, _, _ = HEADER.unpack(header)
    if command != wanted:
        raise NotSpokenHereError(f"packet {command:08x}")
    return int(length)


async def _written(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _carry(read: Callable[[], Awaitable[bytes]], write: Callable[[bytes], Awaitable[None]]) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await read():
            await write(data)


async def _first_of(*ways: Awaitable[None]) -> None:
    """Until one direction ends."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _served(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """``HOST:PORT`` of loopback where that is spoken, until the block ends; then every connection is cut."""
    running: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with contextlib.suppress(*_HANGS_UP):
                await serve(reader, writer)
        finally:
            writer.close()
            running.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1 << 22)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
