"""Files: what goes over the wire when one is pushed, pulled, looked at; and refusals at any moment."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from techtool.errors import CommandRefused, DiskError, LinkLost, LinkTimeout, WrongProtocol
from techtool.links.adb import link as link_module
from techtool.links.adb import sync
from techtool.links.adb.packets import SYNC_CHUNK, Command
from techtool.links.adb.payload import Payload
from techtool.links.base import Capability, FileStat
from tests.unit.links.scripted import Peer, Stream, opened


def word(kind: bytes, number: int, data: bytes = b"") -> bytes:
    return struct.pack("<4sI", kind, number) + data


def fail(text: bytes) -> bytes:
    return word(b"FAIL", len(text), text)


def serving(talk: Callable[[Peer, Stream], Awaitable[None]], **options: object) -> Callable[[Peer], Awaitable[None]]:
    """A daemon whose one sync stream, after discovery, is ``talk``."""

    async def script(peer: Peer) -> None:
        await peer.discover(**options)
        service, stream = await peer.open()
        assert service == "sync:"
        await talk(peer, stream)
        await peer.until_gone()

    return script


async def take_until_done(stream: Stream) -> bytes:
    got = bytearray()
    while not (len(got) >= 8 and got[-8:-4] == b"DONE"):
        got += await stream.take()
    return bytes(got)


def unpack_push(data: bytes) -> tuple[str, list[bytes], int]:
    """What an adbd would read: the target, the chunks, the time."""
    kind, length = struct.unpack_from("<4sI", data)
    assert kind == b"SEND"
    target, at = data[8 : 8 + length].decode(), 8 + length
    chunks: list[bytes] = []
    while True:
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"DONE":
            assert at + 8 == len(data)
            return target, chunks, length
        assert kind == b"DATA"
        chunks.append(data[at + 8 : at + 8 + length])
        at += 8 + length


@pytest.mark.parametrize("max_payload", [4096, 256 * 1024, 1 << 20])
@pytest.mark.parametrize("size", [0, 1, 4087, 4088, 4089, 65536, 1_300_000])
async def test_push_arrives_as_it_was(tmp_path: Path, size: int, max_payload: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    confirmed: list[int] = []
    received = bytearray()

    async def talk(peer: Peer, stream: Stream) -> None:
        received.extend(await take_until_done(stream))
        await stream.say(word(b"OKAY", 0))

    async with opened(tmp_path, serving(talk, max_payload=max_payload)) as link:
        await link.push(io.BytesIO(data), size, "/data/local/tmp/终端,1.apk", mode=0o640, confirmed=confirmed.append)
    target, chunks, modified = unpack_push(bytes(received))
    assert target == f"/data/local/tmp/终端,1.apk,{0o100640}"
    assert modified == 0
    assert b"".join(chunks) == data
    assert max(map(len, chunks), default=0) <= SYNC_CHUNK
    assert confirmed == sorted(set(confirmed))
    assert confirmed[-1:] == ([size] if size else [])


def test_packets_are_as_full_as_they_can_be() -> None:
    payload = Payload(io.BytesIO(bytes(3 << 20)), 3 << 20)
    space = bytearray(1 << 20)
    used, size = sync.pack_data(payload, space)
    assert used == len(space)
    assert size == used - 16 * 8


async def test_a_time_may_be_given(tmp_path: Path) -> None:
    received = bytearray()

    async def talk(peer: Peer, stream: Stream) -> None:
        received.extend(await take_until_done(stream))
        await stream.say(word(b"OKAY", 0))

    async with opened(tmp_path, serving(talk)) as link, link._service("sync:", 2) as stream:
        await sync.push(stream, io.BytesIO(b"x"), 1, "/x", mode=0o644, modified_s=1_700_000_000)
    assert unpack_push(bytes(received)) == (f"/x,{0o100644}", [b"x"], 1_700_000_000)


@pytest.mark.parametrize("drains", [True, False])
async def test_push_refused_in_the_middle(tmp_path: Path, drains: bool) -> None:
    """AOSP's daemon goes on taking DATA after FAIL, others stop: both must be heard at once."""

    async def talk(peer: Peer, stream: Stream) -> None:
        for _ in range(3):
            await stream.take()
        stream.write(fail(b"couldn't write: No space left on device"))
        while (packet := await peer.recv()).command != Command.CLSE:
            if drains and packet.command == Command.WRTE:
                stream.okay()

    size = 4 << 20
    async with opened(tmp_path, serving(talk, max_payload=65536)) as link:
        with pytest.raises(CommandRefused, match="No space left") as caught:
            async with asyncio.timeout(10):
                await link.push(io.BytesIO(bytes(size)), size, "/data/x")
    assert caught.value.params["command"] == "push /data/x"


async def test_push_refused_at_the_end(tmp_path: Path) -> None:
    async def talk(peer: Peer, stream: Stream) -> None:
        await take_until_done(stream)
        await stream.say(fail(b"read-only"))

    async with opened(tmp_path, serving(talk)) as link:
        with pytest.raises(CommandRefused, match="read-only"):
            await link.push(io.BytesIO(b"x"), 1, "/system/x")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (word(b"OKAY", 0), WrongProtocol),
        (word(b"HUH?", 0), WrongProtocol),
        (word(b"FAIL", 1 << 30), WrongProtocol),
    ],
)
async def test_push_with_a_wrong_answer(tmp_path: Path, answer: bytes, error: type[Exception]) -> None:
    async def talk(peer: Peer, stream: Stream) -> None:
        await peer.expect(Command.WRTE)
        stream.write(answer)

    async with opened(tmp_path, serving(talk)) as link:
        with pytest.raises(error):
            await link.push(io.BytesIO(b"x"), 1, "/x")


async def test_push_closed_by_the_daemon_is_a_loss(tmp_path: Path) -> None:
    async def talk(peer: Peer, stream: Stream) -> None:
        await stream.take()
        stream.close()

    async with opened(tmp_path, serving(talk)) as link:
        with pytest.raises(LinkLost):
            await link.push(io.BytesIO(b"x"), 1, "/x")


async def test_push_refused_and_closed_without_the_text(tmp_path: Path) -> None:
    async def talk(peer: Peer, stream: Stream) -> None:
        await stream.take()
        stream.write(word(b"FAIL", 40, b"No sp"))
        stream.close()

    async with opened(tmp_path, serving(talk)) as link:
        with pytest.raises(CommandRefused, match="no reason"):
            await link.push(io.BytesIO(b"x"), 1, "/x")


async def test_push_of_a_file_that_shrank(tmp_path: Path) -> None:
    async def talk(peer: Peer, stream: Stream) -> None:
        while (await peer.recv()).command != Command.CLSE:
            stream.okay()

    async with opened(tmp_path, serving(talk)) as link:
        with pytest.raises(DiskError, match="90 bytes early"):
            await link.push(io.BytesIO(bytes(10)), 100, "/x")


async def test_push_to_a_daemon_that_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "FILE_WAIT_S", 0.1)

    async def talk(peer: Peer, stream: Stream) -> None:
        await stream.take()

    async with opened(tmp_path, serving(talk)) as link:
        with pytest.raises(LinkTimeout):
            await link.push(io.BytesIO(b"x"), 1, "/x")


# --- pull -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("portion", [1, 7, 100_000])
async def test_pull(tmp_path: Path, portion: int) -> None:
    chunks = [b"a" * 300, b"", b"b" * 200]
    answer = b"".join(word(b"DATA", len(c), c) for c in chunks) + word(b"DONE", 0)

    async def talk(peer: Peer, stream: Stream) -> None:
        assert await stream.take() == word(b"RECV", 6, b"/f.apk")
        for start in range(0, len(answer), portion):
            await stream.say(answer[start : start + portion])

    async with opened(tmp_path, serving(talk)) as link:
        assert b"".join([chunk async for chunk in link.pull("/f.apk")]) == b"".join(chunks)


@pytest.mark.parametrize(
    ("answer", "closes", "error"),
    [
        (fail(b"open failed: Permission denied"), False, CommandRefused),
        (word(b"DATA", 10, b"half"), True, LinkLost),
        (b"DA", True, LinkLost),
        (word(b"DATA", 0xFFFFFFFF), False, WrongProtocol),
        (word(b"DENT", 1), False, WrongProtocol),
    ],
)
async def test_pull_that_fails(tmp_path: Path, answer: bytes, closes: bool, error: type[Exception]) -> None:
    async def talk(peer: Peer, stream: Stream) -> None:
        await stream.take()
        await stream.say(answer)
        if closes:
            stream.close()

    async with opened(tmp_path, serving(talk)) as link:
        with pytest.raises(error):
            assert not [chunk async for chunk in link.pull("/f")]


async def test_pull_left_early_closes_the_stream(tmp_path: Path) -> None:
    left = asyncio.Event()

    async def talk(peer: Peer, stream: Stream) -> None:
        await stream.take()
        await stream.say(word(b"DATA", 3, b"abc"))
        await peer.expect(Command.CLSE)
        left.set()

    async with opened(tmp_path, serving(talk)) as link:
        chunks = link.pull("/f")
        assert await anext(chunks) == b"abc"
        await chunks.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(10):
            await left.wait()


# --- stat -----------------------------------------------------------------------------------------------------------


def stat_v2(error: int, mode: int = 0, size: int = 0, modified: int = 0) -> bytes:
    return struct.pack("<4sIQQIIIIQqqq", b"STA2", error, 1, 2, mode, 1, 0, 0, size, 5, modified, 7)


async def stat_of(tmp_path: Path, request: bytes, answer: bytes, features: str) -> FileStat | None:
    async def talk(peer: Peer, stream: Stream) -> None:
        assert await stream.take() == request
        await stream.say(answer)

    async with opened(tmp_path, serving(talk, features=features)) as link:
        assert (Capability.SIZES_64 in link.capabilities) == ("stat_v2" in features)
        return await link.stat("/f")


async def test_stat_with_64_bits(tmp_path: Path) -> None:
    answer = stat_v2(0, 0o100644, 5 << 30, 1_700_000_000)
    found = await stat_of(tmp_path, word(b"STA2", 2, b"/f"), answer, "shell_v2,stat_v2")
    assert found == FileStat(5 << 30, 0o100644, 1_700_000_000)


@pytest.mark.parametrize("error", [2, 20])
async def test_stat_of_nothing(tmp_path: Path, error: int) -> None:
    assert await stat_of(tmp_path, word(b"STA2", 2, b"/f"), stat_v2(error), "shell_v2,stat_v2") is None


async def test_stat_forbidden(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="13"):
        await stat_of(tmp_path, word(b"STA2", 2, b"/f"), stat_v2(13), "shell_v2,stat_v2")


async def test_stat_of_an_older_daemon(tmp_path: Path) -> None:
    answer = struct.pack("<4sIII", b"STAT", 0o100600, 42, 9)
    assert await stat_of(tmp_path, word(b"STAT", 2, b"/f"), answer, "shell_v2") == FileStat(42, 0o100600, 9)


async def test_stat_of_nothing_on_an_older_daemon(tmp_path: Path) -> None:
    answer = struct.pack("<4sIII", b"STAT", 0, 0, 0)
    assert await stat_of(tmp_path, word(b"STAT", 2, b"/f"), answer, "shell_v2") is None


@pytest.mark.parametrize(("answer", "error"), [(fail(b"no"), CommandRefused), (b"WHAT" * 20, WrongProtocol)])
async def test_stat_refused(tmp_path: Path, answer: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        await stat_of(tmp_path, word(b"STA2", 2, b"/f"), answer, "shell_v2,stat_v2")
