"""Servers that mean harm, or are none: bounded, refused, told, and the visits stay on the laptop."""

from __future__ import annotations

import asyncio
import gzip
import time
import traceback
from pathlib import Path

import httpx
import pytest

from techtool.clock import FixedClock
from techtool.domain.codec import decode_json, encode_json
from techtool.errors import OfficeDenied, OfficeError, OfficeRefused
from techtool.office.address import parse_address
from techtool.office.couch import Database
from techtool.office.documents import MAX_BATCH_BYTES, Entry
from techtool.office.http import OfficeHttp, Patience
from techtool.office.login import Login
from techtool.office.marks import Marks
from techtool.office.refreshing import refresh_from
from techtool.paths import Paths
from techtool.store.home import Home
from tests.office.laptops import IMPATIENT, NOW, QUICK, laptop, sync
from tests.office.servers import DATABASE, OK, Behaviour, serving

SECRET = "hunter2-hunter2"
LOGIN = Login("laptop", SECRET)
SENT = {"bytes": 0}


def answer(body: bytes, kind: str = "application/json", status: str = "200 OK", more: str = "") -> Behaviour:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + body)
        await writer.drain()

    return behave


def raw(data: bytes) -> Behaviour:
    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return behave


def forever(head: bytes, piece: bytes, pause_s: float = 0.0) -> Behaviour:
    """Never ends of itself; what got through is counted."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            SENT["bytes"] += len(piece)
            await asyncio.sleep(pause_s)

    return behave


async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def hangs_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


HOSTILE: dict[str, tuple[Behaviour, type[OfficeError]]] = {
    "header-without-end": (forever(OK, b"x-more: " + b"y" * 4000 + b"\r\n"), OfficeError),
    "headers-one-byte-at-a-time": (forever(OK + b"x-slow: ", b"y", 0.2), OfficeError),
    "informational-without-end": (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001), OfficeError),
    "body-one-byte-at-a-time": (forever(OK + b"content-length: 900\r\n\r\n", b" ", 0.2), OfficeError),
    "chunks-without-end": (
        forever(OK + b"transfer-encoding: chunked\r\n\r\n", b"fffff\r\n" + b" " * 0xFFFFF + b"\r\n"),
        OfficeError,
    ),
    "says-a-terabyte": (forever(OK + b"content-length: 1099511627776\r\n\r\n", b" " * 1_000_000), OfficeError),
    "negative-length": (raw(OK + b"content-length: -1\r\n\r\n{}"), OfficeError),
    "packed": (answer(gzip.compress(b" " * 100_000_000, 9), more="content-encoding: gzip\r\n"), OfficeError),
    "sign-in-page": (answer(b"<html>Welcome to our guest network</html>", "text/html"), OfficeError),
    "no-json": (answer(b"\xff\xfe\x00"), OfficeError),
    "deep": (answer(b"[" * 500_000), OfficeError),
    "deep-where-a-name-is": (answer(b'{"db_name":' + b'{"a":' * 200_000), OfficeError),
    "a-list": (answer(b"[]"), OfficeError),
    "a-number": (answer(b'{"db_name": 5}'), OfficeError),
    "nothing": (answer(b""), OfficeError),
    "no-http": (raw(b"SSH-2.0-OpenSSH_9.9\r\n"), OfficeError),
    "silence": (silent, OfficeError),
    "hangs-up": (hangs_up, OfficeError),
    "always-busy": (answer(b"{}", status="503 Busy"), OfficeError),
    "no-database": (answer(b'{"error":"not_found","reason":"no_db_file"}', status="404 Gone"), OfficeDenied),
    "not-you": (answer(b'{"error":"unauthorized"}', status="401 No"), OfficeDenied),
    "forbidden": (answer(SECRET.encode(), status="403 No"), OfficeDenied),
    "odd": (answer(b'{"error":"' + SECRET.encode() + b'"}', status="418 Teapot"), OfficeRefused),
}


def after_the_question(behave: Behaviour) -> Behaviour:
    """Reads one request first."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await behave(reader, writer)

    return meet


DRIPPING = {"headers-one-byte-at-a-time", "informational-without-end", "body-one-byte-at-a-time"}
"""Seconds of waiting each, until the patience with an answer ends, twice."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in DRIPPING else ()) for name in HOSTILE]
)
async def test_it_is_refused_in_time_and_within_bounds(name: str) -> None:
    behave, kind = HOSTILE[name]
    SENT["bytes"] = 0
    began = time.monotonic()
    async with serving(after_the_question(behave)) as port:
        http = OfficeHttp(parse_address(f"http://127.0.0.1:{port}/office"), LOGIN, patience=IMPATIENT)
        async with http:
            with pytest.raises(kind) as caught:
                await Database(http).check()
    assert type(caught.value) is kind
    assert time.monotonic() - began < 30
    assert SENT["bytes"] < 200_000_000
    told = caught.value
    for word in (SECRET, "Welcome"):
        assert word not in str(told.to_json())
        assert word not in "".join(traceback.format_exception(told))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Same", "308 Same"])
async def test_who_sends_elsewhere_is_not_followed(status: str) -> None:
    met: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        met.append(await reader.read(1))

    async with serving(elsewhere) as other:
        target = f"location: http://127.0.0.1:{other}/office\r\n"
        async with serving(after_the_question(answer(b"", status=status, more=target))) as port:
            async with OfficeHttp(parse_address(f"http://127.0.0.1:{port}/office"), LOGIN, patience=IMPATIENT) as http:
                with pytest.raises(OfficeError, match="sends this laptop elsewhere"):
                    await Database(http).check()
    assert met == []


async def test_no_proxy_and_no_netrc_of_the_environment_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login a password {SECRET}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    heads: list[bytes] = []

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(DATABASE)
        await writer.drain()

    async with serving(listens) as port:
        async with OfficeHttp(parse_address(f"http://127.0.0.1:{port}/office"), patience=IMPATIENT) as http:
            await Database(http).check()
    assert b"authorization" not in heads[0].lower()


LIES: dict[str, tuple[dict[str, bytes | None], type[OfficeError]]] = {
    "takes-and-keeps-nothing": ({"/_revs_diff": None}, OfficeRefused),
    "knows-nothing-of-conflicts": ({"/_revs_diff": b"{}", "/_all_docs": b'{"rows":7}'}, OfficeError),
    "says-nothing-is-missing": ({"/_revs_diff": b"{}"}, OfficeRefused),
    "errors-for-every-entry": ({"/_bulk_docs": b'[{"id":"x","error":"forbidden"}]'}, OfficeRefused),
    "wrong-shape": ({"/_revs_diff": b'{"a":{"missing":{"deep":1}}}'}, OfficeError),
}


def nothing_of(asked: bytes) -> bytes:
    """``_revs_diff``: all of it is missing."""
    return encode_json({key: {"missing": revs} for key, revs in decode_json(asked, dict[str, list[str]]).items()})


@pytest.mark.parametrize("name", LIES)
async def test_a_server_that_lies_marks_nothing_as_home(tmp_path: Path, name: str) -> None:
    lies, kind = LIES[name]
    paths = laptop(tmp_path / "laptop", visits=1)

    async def lying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            size = next((int(h.split(":")[1]) for h in head.splitlines() if h.lower().startswith("content-le")), 0)
            asked = await reader.readexactly(size)
            path = head.split()[1].partition("?")[0].removeprefix("/office")
            honest = {"": b'{"db_name":"office"}', "/_bulk_docs": b"[]", "/_all_docs": b'{"rows":[]}'}
            body = lies.get(path, honest.get(path)) or nothing_of(asked)
            writer.write(OK + f"content-length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()

    async with serving(lying) as port:
        url = f"http://127.0.0.1:{port}/office"
        if kind is OfficeRefused:
            result = await sync(paths, url, patience=IMPATIENT)
            assert [type(trouble.error) for trouble in result.troubles] == [OfficeRefused]
        else:
            with pytest.raises(kind):
                await sync(paths, url, patience=IMPATIENT)
    assert Marks(Home(paths)).known(url).heads == {}


@pytest.mark.parametrize("body", [b"{}", b"\x00" * 1000, b'{"schema":1,"files":{"../../x":"y"}}', b"[" * 100_000])
async def test_a_refresh_file_is_believed_for_its_signatures_only(tmp_path: Path, body: bytes) -> None:
    paths = laptop(tmp_path / "laptop", visits=0)
    async with serving(after_the_question(answer(body))) as port:
        async with OfficeHttp(parse_address(f"http://127.0.0.1:{port}/office"), patience=IMPATIENT) as http:
            found = await refresh_from(http, paths, FixedClock(NOW), QUICK)
    assert found.found
    assert not found.news
    assert found.error is not None
    assert not paths.trust.exists()


async def test_that_no_metadata_could_be_had_does_not_hide_that_the_visits_went(tmp_path: Path) -> None:
    async with serving(after_the_question(answer(b"{}", status="503 Busy"))) as port:
        async with OfficeHttp(parse_address(f"http://127.0.0.1:{port}/office"), patience=IMPATIENT) as http:
            refreshed = await refresh_from(http, Paths(tmp_path), FixedClock(NOW))
    assert isinstance(refreshed.error, OfficeError)


async def test_a_weak_line_gets_the_time_that_its_own_entries_need_to_come_back(tmp_path: Path) -> None:
    """The office's word on conflicts brings the entries back: by weight, and with time for their weight."""
    line = "x" * 500_000
    whole = [Entry(f"L:V:{n}", "1-a", len(line), {"_id": f"L:V:{n}", "_rev": "1-a", "line": line}) for n in range(9)]
    weights: list[int] = []

    async def slow(request: httpx.Request) -> httpx.Response:
        keys = decode_json(request.content, dict[str, list[str]])["keys"]
        weights.append(len(keys) * len(line))
        await asyncio.sleep(0.1)  # the weak line
        body = encode_json({"rows": [{"key": key, "value": {"rev": "1-a"}} for key in keys]})
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=httpx.ByteStream(body))

    patience = Patience(answer_s=0.05, bytes_per_s=500_000, tries=1)
    address, wire = parse_address("http://127.0.0.1:1/office"), httpx.MockTransport(slow)
    async with OfficeHttp(address, patience=patience, transport=wire) as http:
        assert await Database(http).conflicts(whole) == []
    assert sum(weights) == len(whole) * len(line)
    assert max(weights) <= MAX_BATCH_BYTES
