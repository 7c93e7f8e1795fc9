"""A TCP relay between a client and a daemon that can lose the connection or be slow, on purpose."""

from __future__ import annotations

import asyncio
import socket
from types import TracebackType

CHUNK = 256 * 1024


class Relay:
    """Listens on loopback, passes everything on to ``upstream``, and misbehaves as told.

    ``drop_after_bytes`` counts what clients send, over all connections. Once that many bytes were passed on, the
    connections under way are lost, once; set it again for another loss. ``slow_bytes_s`` limits each direction of each
    connection. Both may be changed while the relay runs.
    """

    def __init__(
        self,
        upstream: tuple[str, int],
        *,
        drop_after_bytes: int | None = None,
        slow_bytes_s: int | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        self.upstream = upstream
        self.drop_after_bytes = drop_after_bytes
        self.slow_bytes_s = slow_bytes_s
        self.passed_bytes = 0
        """How much clients sent through it so far."""
        self.drops = 0
        """How often it lost the connections."""
        self.stays_lost = False
        """Whether it stops listening when it loses the connections, as a cable that was pulled."""
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the relay is not running")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def address(self) -> str:
        """Where it listens, as techtool writes it."""
        return f"adb://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Begin to listen."""
        listener = self._listener or socket.create_server(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._accept, sock=listener, limit=CHUNK)

    async def close(self) -> None:
        """Stop listening and lose every connection."""
        if self._server is not None:
            self._server.close()
        self._lose()
        await asyncio.gather(*self._connections)

    async def __aenter__(self) -> Relay:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _lose(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served in a task of its own")
        self._connections.add(task)
        try:
            await self._connect(reader, writer)
        finally:
            self._connections.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.upstream, limit=CHUNK)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self._writers.update(pair)
        try:
            await asyncio.gather(
                self._pass_on(reader, far_writer, counted=True), self._pass_on(far_reader, writer, counted=False)
            )
        finally:
            self._writers.difference_update(pair)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool) -> None:
        """One direction, until its sender ends; then the receiver is told."""
        try:
            while data := await reader.read(self._chunk()):
                kept = self._until_drop(data) if counted else data
                writer.write(kept)
                await writer.drain()
                if counted:
                    self.passed_bytes += len(kept)
                    self._drop_if_due()
                if self.slow_bytes_s:
                    await asyncio.sleep(len(kept) / self.slow_bytes_s)
        except ConnectionError:
            writer.transport.abort()
        finally:
            writer.close()

    def _chunk(self) -> int:
        return CHUNK if not self.slow_bytes_s else max(1, min(CHUNK, self.slow_bytes_s // 20))

    def _until_drop(self, data: bytes) -> bytes:
        if self.drop_after_bytes is None:
            return data
        return data[: max(0, self.drop_after_bytes - self.passed_bytes)]

    def _drop_if_due(self) -> None:
        if self.drop_after_bytes is not None and self.passed_bytes >= self.drop_after_bytes:
            self.drop_after_bytes = None
            self.drops += 1
            if self.stays_lost and self._server is not None:
                self._server.close()
            self._lose()
