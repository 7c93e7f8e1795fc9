"""Flow control by byte counts (``delayed_ack``), and what a daemon may answer without it."""

from __future__ import annotations

import asyncio
import io
import struct
from pathlib import Path

import pytest

from techtool.errors import CommandRefused, LinkTimeout, WrongProtocol
from techtool.links.adb.auth import AdbKey
from techtool.links.adb.handshake import HandshakeOptions
from techtool.links.adb.packets import Command
from techtool.links.adb.streams import RECEIVE_WINDOW, SEND_WINDOW
from techtool.links.adb.wire import AdbConnection
from techtool.links.base import CommandResult
from tests.unit.links.scripted import FEATURES, QUICK, Peer, daemon, opened

MB = 1 << 20
COUNTED = f"{FEATURES},delayed_ack"


def count(number: int) -> bytes:
    return struct.pack("<i", number)


async def open_counted(peer: Peer, window: int = 32 * MB, remote: int = 77) -> int:
    """Take OPEN, grant a window; returns the client's id."""
    packet = await peer.expect(Command.OPEN)
    assert packet.arg1 == RECEIVE_WINDOW
    peer.send(Command.OKAY, remote, packet.arg0, count(window))
    return packet.arg0


def no_key() -> AdbKey:
    raise AssertionError("the key was asked for")


async def test_only_what_is_counted_is_confirmed(tmp_path: Path) -> None:
    size = 10 * MB
    confirmed: list[int] = []
    received = 0

    async def script(peer: Peer) -> None:
        nonlocal received
        await peer.accept(features=COUNTED)
        assert b"delayed_ack" in peer.got[0].data
        local = await open_counted(peer)
        await peer.expect(Command.CLSE)
        local = await open_counted(peer)
        while received < SEND_WINDOW:  # comes without a single confirmation
            received += len((await peer.expect(Command.WRTE)).data)
        assert confirmed == []
        acknowledged = 0
        while acknowledged < size:
            step = min(300_000, received - acknowledged)
            acknowledged += step
            peer.send(Command.OKAY, 77, local, count(step))
            while received < min(size, acknowledged + SEND_WINDOW - MB):
                received += len((await peer.expect(Command.WRTE)).data)
                assert received - acknowledged < SEND_WINDOW + MB
                assert max(confirmed, default=0) <= acknowledged
        peer.send(Command.WRTE, 77, local, b"Success\n")
        peer.send(Command.CLSE, 77, local)
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        result = await link.feed("install", io.BytesIO(bytes(size)), size, confirmed=confirmed.append)
    assert result == CommandResult(None, b"Success\n")
    assert confirmed == sorted(set(confirmed))
    assert confirmed[-1] == size


async def test_a_small_window_is_honoured() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept(features=COUNTED, max_payload=4096)
        local = await open_counted(peer, window=5000)
        assert len((await peer.expect(Command.WRTE)).data) == 4096
        assert len((await peer.expect(Command.WRTE)).data) == 4096  # some of it was still granted
        await open_counted(peer, remote=78)  # and not a third WRTE
        peer.send(Command.OKAY, 77, local, count(-10))  # a daemon may take back
        peer.send(Command.OKAY, 77, local, count(8192))
        assert len((await peer.expect(Command.WRTE)).data) == 100
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await AdbConnection.connect(address, no_key, options=QUICK)
        stream = await connection.open_stream("a:", 10)
        for _ in range(2):
            assert await stream.ready()
            stream.send(bytes(4096))
        with pytest.raises(ValueError, match="when ready"):
            stream.send(b"x")
        await connection.open_stream("b:", 10)
        assert await stream.ready()
        assert stream.in_flight_bytes < 4096
        stream.send(bytes(100))
        stream.timeout_s = 0.05
        with pytest.raises(LinkTimeout):
            await stream.settled()
        await connection.close()


async def test_what_was_read_is_counted_to_the_terminal() -> None:
    total = 3 * RECEIVE_WINDOW

    async def script(peer: Peer) -> None:
        await peer.accept(features=COUNTED)
        local = await open_counted(peer)
        credit, sent = RECEIVE_WINDOW, 0
        while sent < total:
            while credit <= 0:
                credit += struct.unpack("<i", (await peer.expect(Command.OKAY)).data)[0]
            size = min(700_000, total - sent)
            peer.send(Command.WRTE, 77, local, bytes(size))
            credit, sent = credit - size, sent + size
        peer.send(Command.CLSE, 77, local)
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await AdbConnection.connect(address, no_key, options=QUICK)
        stream = await connection.open_stream("a:", 10)
        got = 0
        while piece := await stream.read_some():
            got += len(piece)
        assert got == total
        await connection.close()


async def test_a_terminal_beyond_its_window_is_cut_off() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept(features=COUNTED)
        local = await open_counted(peer)
        for _ in range(RECEIVE_WINDOW // MB + 3):
            peer.send(Command.WRTE, 77, local, bytes(MB))
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await AdbConnection.connect(address, no_key, options=QUICK)
        stream = await connection.open_stream("a:", 10)
        while stream._failure is None:
            await asyncio.sleep(0)
        assert stream._queued <= RECEIVE_WINDOW + 2 * MB
        await connection.close()


@pytest.mark.parametrize("first", [b"", b"\1", count(0), count(-5)])
async def test_a_first_okay_without_a_window(first: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.accept(features=COUNTED)
        packet = await peer.expect(Command.OPEN)
        peer.send(Command.OKAY, 77, packet.arg0, first)
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await AdbConnection.connect(address, no_key, options=QUICK)
        with pytest.raises(WrongProtocol):
            await connection.open_stream("a:", 10)
        await connection.close()


async def test_it_is_used_only_where_both_sides_want_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept(features=COUNTED)
        assert b"delayed_ack" not in peer.got[0].data
        assert (await peer.expect(Command.OPEN)).arg1 == 0
        peer.send(Command.OKAY, 77, 1)
        await peer.until_gone()

    async with daemon(script) as address:
        options = HandshakeOptions(delayed_ack=False)
        connection = await AdbConnection.connect(address, no_key, options=options)
        await connection.open_stream("a:", 10)
        await connection.close()


async def test_more_okays_than_packets_do_no_harm(tmp_path: Path) -> None:
    """adbd 34 answers every part of a packet that it passed on; the bytes must arrive as they were all the same."""
    data = b"".join(index.to_bytes(4, "little") for index in range(3 * MB))
    got = bytearray()

    async def script(peer: Peer) -> None:
        await peer.discover()
        _, stream = await peer.open()
        while len(got) < len(data):
            for _ in range(5):
                stream.okay()
            await asyncio.sleep(0)  # let them be heard before anything is read: the client's socket fills up
            got.extend((await peer.expect(Command.WRTE)).data)
        stream.write(b"Success")
        stream.close()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        assert await link.feed("install", io.BytesIO(data), len(data)) == CommandResult(None, b"Success")
    assert bytes(got) == data


async def test_a_full_socket_holds_every_stream_back() -> None:
    """Whatever OKAYs say, unsent bytes do not pile up in this process."""
    reading = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.accept()
        for remote in (1, 2, 3):
            await peer.open(remote)
        for _ in range(200):
            for stream in (1, 2, 3):
                peer.send(Command.OKAY, stream, stream)
        await reading.wait()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await AdbConnection.connect(address, no_key, options=QUICK)
        streams = [await connection.open_stream("a:", 0.2) for _ in range(3)]
        most = 0

        async def fill(stream_index: int) -> None:
            nonlocal most
            stream = streams[stream_index]
            while await stream.ready():
                stream.send(bytes(MB))
                transport = connection._channel._transport
                assert transport is not None
                most = max(most, transport.get_write_buffer_size())
                stream._in_flight = 0  # as if it had been confirmed already

        results = await asyncio.gather(*(fill(i) for i in range(3)), return_exceptions=True)
        assert {type(r) for r in results} == {LinkTimeout}
        assert most <= 4 * MB
        reading.set()
        await connection.close()


async def test_a_refusal_is_heard_while_the_window_is_full(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.accept(features=COUNTED)
        await open_counted(peer)
        await peer.expect(Command.CLSE)
        local = await open_counted(peer)
        received = 0
        while received < SEND_WINDOW:
            received += len((await peer.expect(Command.WRTE)).data)
        peer.send(Command.WRTE, 77, local, b"FAIL\x08\0\0\0No space")
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(CommandRefused, match="No space"):
            async with asyncio.timeout(10):
                await link.push(io.BytesIO(bytes(16 * MB)), 16 * MB, "/x")


async def test_many_small_pieces_cost_their_bytes() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept(features=COUNTED)
        local = await open_counted(peer)
        for index in range(20_000):
            peer.send(Command.WRTE, 77, local, bytes([index % 251]))
        peer.send(Command.CLSE, 77, local)
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await AdbConnection.connect(address, no_key, options=QUICK)
        stream = await connection.open_stream("a:", 10)
        while not stream._ended:
            await asyncio.sleep(0)
        assert len(stream._inbox) < 20
        assert await stream.read_exactly(20_000) == bytes(index % 251 for index in range(20_000))
        await connection.close()
