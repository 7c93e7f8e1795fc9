"""One verified file offered over HTTP to one device, for services that fetch an update themselves (SimpleUpdate).

Bound to the laptop's address on the way to the device, at a free port; under one path that nobody can guess; to that
device only; only while it runs. It is plain HTTP because no device could know this laptop's certificate: the file is
no secret, and the device checks its maker's own signature.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from techtool.links.base import Confirmed

_REQUEST_S: Final = 20.0
_WRITE_S: Final = 60.0
_TAKEN_S: Final = 10.0
"""So long a device may take to read what lies in buffers, and to hang up."""
_CHUNK: Final = 64 * 1024
_CONNECTIONS: Final = 4


class Offer:
    """What is offered, and how far it was fetched."""

    def __init__(self, path: Path, size_bytes: int, peer: str, confirmed: Confirmed | None) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._peer = peer
        self._confirmed = confirmed
        self._serving = 0
        self._fetched = asyncio.Event()
        self._holding = 0
        self.sent_bytes = 0
        """How far the longest fetch has come."""
        self.secret_path = f"/{secrets.token_urlsafe(24)}/{path.name}"
        self.url = ""
        """Where the device finds it."""

    @property
    def fetched(self) -> bool:
        """Whether all of it was taken: read to its end, or sent to somebody who still holds the line."""
        return self._fetched.is_set() or self._holding > 0

    async def read_to_end(self) -> None:
        """Wait until the device has read all of it."""
        await self._fetched.wait()

    async def wait_fetched(self, timeout_s: float) -> bool:
        """Wait for that as long as it goes on, and ``timeout_s`` where nothing moves; whether it came."""
        before = -1
        while not self._fetched.is_set() and self.sent_bytes > before:
            before = self.sent_bytes
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._fetched.wait()
        return self.fetched

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        peer = str(writer.get_extra_info("peername")[0])
        self._serving += 1
        try:
            if peer == self._peer and self._serving <= _CONNECTIONS:
                await self._one(reader, writer)
        except (OSError, TimeoutError, ValueError):
            pass
        finally:
            self._serving -= 1
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        import h11

        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=16 * 1024)
        try:
            async with asyncio.timeout(_REQUEST_S):
                while (event := connection.next_event()) is h11.NEED_DATA:
                    connection.receive_data(await reader.read(_CHUNK))
        except h11.RemoteProtocolError:
            return
        if not isinstance(event, h11.Request):
            return
        found = event.target == self.secret_path.encode() and event.method in (b"GET", b"HEAD")
        headers = [("Content-Length", str(self._size_bytes if found else 0)), ("Connection", "close")]
        headers.append(("Content-Type", "application/octet-stream"))
        answer = h11.Response(status_code=200 if found else 404, headers=headers)
        writer.write(connection.send(answer) or b"")
        if found and event.method == b"GET":
            await self._send(connection, writer)
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        if found and event.method == b"GET":
            await self._taken(reader, writer)

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """All of it was sent; a device that hangs up without reading it resets the connection (``OSError``)."""
        writer.write_eof()
        self._holding += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TAKEN_S):
                    while await reader.read(_CHUNK):
                        pass
            self._fetched.set()
        finally:
            self._holding -= 1

    async def _send(self, connection: object, writer: asyncio.StreamWriter) -> None:
        import h11

        assert isinstance(connection, h11.Connection)  # noqa: S101 - made a few lines above
        sent = 0
        with self._path.open("rb") as source:
            while data := source.read(min(_CHUNK, self._size_bytes - sent)):
                writer.write(connection.send(h11.Data(data=data)) or b"")
                async with asyncio.timeout(_WRITE_S):
                    await writer.drain()
                sent += len(data)
                self.sent_bytes = max(self.sent_bytes, sent)
                if self._confirmed is not None:
                    self._confirmed(min(self.sent_bytes, self._size_bytes - 1))


@contextlib.asynccontextmanager
async def offered(
    path: Path, size_bytes: int, *, host: str, peer: str, confirmed: Confirmed | None = None
) -> AsyncIterator[Offer]:
    """Offer a file on ``host``, this laptop's address, to ``peer``; raises ``OSError`` where nothing can be bound."""
    offer = Offer(path, size_bytes, peer, confirmed)
    server = await asyncio.start_server(offer.serve, host, 0)
    port = server.sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    offer.url = f"http://{shown}:{port}{offer.secret_path}"
    try:
        yield offer
    finally:
        server.close()
