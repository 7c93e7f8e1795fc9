"""A device that means harm, or is broken: TLS with a certificate of its own, and answers written byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from techtool.domain.terminal import Address
from techtool.links.redfish.link import RedfishLink
from techtool.links.redfish.pins import Pins, certificate_at
from techtool.paths import DISK, Paths
from techtool.settings import RedfishSettings
from techtool.simulator.redfish.certificate import tls_context

Raw = Callable[[asyncio.StreamWriter], Awaitable[None]]
Page = object | bytes | Raw
"""A JSON value; a whole answer; or something that writes by itself."""
ROOT = {"RedfishVersion": "1.18.0", "UpdateService": {"@odata.id": "/redfish/v1/UpdateService"}}


def answer(body: object, status: str = "200 OK", head: str = "") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n{head}\r\n".encode() + data


@contextlib.asynccontextmanager
async def device(
    folder: Path, pages: Mapping[str, Page], bodies: asyncio.Queue[bytes] | None = None
) -> AsyncIterator[tuple[RedfishLink, list[str]]]:
    """A pinned link to a device with these pages, not opened; and what was asked, as ``GET /path``.

    ``bodies``: gets what was sent with each question.
    """
    asked: list[str] = []
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        ends = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
        with contextlib.suppress(*ends):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path = head.split()[:2]
                length = [line for line in head.lower().splitlines() if line.startswith("content-length:")]
                body = await reader.readexactly(int(length[0].split(":")[1]) if length else 0)
                if bodies is not None and body:
                    bodies.put_nowait(body)
                asked.append(f"{method} {path}")
                page = pages.get(path, answer({}, "404 Not Found"))
                if callable(page):
                    await page(writer)
                else:
                    writer.write(page if isinstance(page, bytes) else answer(page))
                await writer.drain()
        writer.transport.abort()

    context = tls_context(folder, "hostile", DISK)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    address = Address.parse(f"redfish+https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    paths = Paths(folder / "home")
    Pins(paths).keep(address, (await certificate_at(address)).der)
    link = RedfishLink(address, RedfishSettings(), paths)
    try:
        yield link, asked
    finally:
        await link.close()
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
