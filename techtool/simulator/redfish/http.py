"""HTTP/1.1 on one connection of a simulated gateway: h11 parses, large bodies go to a file, faults are the link's."""

from __future__ import annotations

import mmap
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import h11

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.simulator.wire import ByteLink, LinkCut

BODY_LIMIT: Final = 1 << 30
_CHUNK: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request with its whole body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Path
    """Thrown away after the answer."""

    def json(self) -> Mapping[str, object]:
        """The body as an object; an empty one where it is none."""
        try:
            return decode_json(self.body.read_bytes()[: 1 << 20], dict[str, object])
        except CodecError:
            return {}


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]


async def speak(link: ByteLink, scratch: Path, handle: Handler) -> None:
    """Answer one request after the other until the host closes; raises ``LinkCut``."""
    connection = h11.Connection(h11.SERVER)
    while True:
        try:
            event = await _next(connection, link)
            if not isinstance(event, h11.Request):
                return
            try:
                request = await _request(connection, link, event, scratch)
                answer = await handle(request)
            finally:
                scratch.unlink(missing_ok=True)  # noqa: ASYNC240 - a scratch file of the simulator
        except h11.RemoteProtocolError as error:
            raise LinkCut from error
        await _answer(connection, link, answer)
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _next(connection: h11.Connection, link: ByteLink) -> object:
    while True:
        if connection.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await link.write(connection.send(go_on) or b"")
        event = connection.next_event()
        if event is not h11.NEED_DATA:
            return event
        connection.receive_data(await link.read_some(_CHUNK))


async def _request(connection: h11.Connection, link: ByteLink, head: h11.Request, scratch: Path) -> Request:
    size = 0
    with scratch.open("wb") as file:
        while not isinstance(event := await _next(connection, link), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise LinkCut
            size += len(event.data)
            if size > BODY_LIMIT:
                raise LinkCut
            file.write(event.data)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers}
    return Request(head.method.decode("ascii"), head.target.decode("ascii").partition("?")[0], headers, scratch)


async def _answer(connection: h11.Connection, link: ByteLink, answer: Response) -> None:
    data = b"" if answer.body is None else encode_json(answer.body, indent=1)
    headers = {"OData-Version": "4.0", "Cache-Control": "no-cache", "Content-Length": str(len(data)), **answer.headers}
    if data:
        headers["Content-Type"] = "application/json"
    head = h11.Response(status_code=answer.status, headers=list(headers.items()))
    sent = (connection.send(head) or b"") + (connection.send(h11.Data(data=data)) or b"")
    await link.write(sent + (connection.send(h11.EndOfMessage()) or b""))


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body: where its content lies in the file."""

    name: str
    start: int
    end: int


def parts_of(file: BinaryIO, content_type: str) -> dict[str, Part]:
    """The parts of a ``multipart/form-data`` body by name; none where it is none (RFC 7578)."""
    boundary = content_type.partition("boundary=")[2].strip().strip('"').encode("latin-1")
    if not content_type.startswith("multipart/form-data") or not boundary:
        return {}
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found: dict[str, Part] = {}
        mark = b"--" + boundary
        at = data.find(mark)
        while at >= 0:
            head_end = data.find(b"\r\n\r\n", at)
            follow = data.find(b"\r\n" + mark, at)
            if head_end < 0 or follow < 0:
                break
            head = data[at:head_end].decode("latin-1").lower()
            name = head.partition('name="')[2].partition('"')[0]
            found[name] = Part(name, head_end + 4, follow)
            at = follow + 2
        return found
