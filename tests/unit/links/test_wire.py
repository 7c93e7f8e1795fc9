"""The connection: handshake, streams beside one another, and everything a daemon can do wrong."""

from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.errors import (
    CommandRefused,
    LinkLost,
    LinkTimeout,
    NotCapable,
    TokenMissing,
    TokenRefused,
    Unreachable,
    WrongProtocol,
)
from techtool.links.adb.auth import AdbKey, key_maker
from techtool.links.adb.handshake import HandshakeOptions
from techtool.links.adb.packets import HEADER, Command
from techtool.links.adb.wire import AdbConnection
from tests.unit.links.scripted import QUICK, Got, Peer, daemon


def no_key() -> AdbKey:
    raise AssertionError("the key was asked for")


async def connect(address: Address, limits: HandshakeOptions = QUICK, token: bytes = b"") -> AdbConnection:
    return await AdbConnection.connect(address, no_key, options=limits, token=token)


async def test_banner_tells_what_the_daemon_can() -> None:
    async def script(peer: Peer) -> None:
        hello = await peer.accept()
        assert (hello.arg0, hello.arg1) == (0x01000001, 1 << 20)
        assert hello.data.startswith(b"host::features=shell_v2,")
        assert hello.checksum == sum(hello.data)
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        assert connection.banner.kind == "device"
        assert connection.banner.properties == {"ro.product.model": "A920"}
        assert connection.features == {"shell_v2", "cmd", "stat_v2"}
        await connection.close()
        await connection.close()


async def test_streams_run_beside_one_another() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        first_name, first = await peer.open(11)
        second_name, second = await peer.open(22)
        assert (first_name, second_name) == ("one:", "two:")
        second.write(b"second")
        first.write(b"first")
        peer.send(Command.WRTE, 99, 99, b"a stream that never was")
        peer.send(Command.OKAY, 99, first.remote)  # from a stream that is not this one's
        peer.send(0x4E454847, 1, 2, b"a command of the future")
        first.close()
        second.close()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        one = await connection.open_stream("one:", 10)
        two = await connection.open_stream("two:", 10)
        assert await one.read_exactly(5) == b"first"
        assert await two.read_exactly(6) == b"second"
        assert not await one.read_some()
        assert not await two.read_some()
        await connection.close()


GARBAGE = {
    "http": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "web server"),
    "ssh": (b"SSH-2.0-x\r\n", "SSH server"),
    "tls": (b"\x15\x03\x01\x00\x02\x02\x16", "TLS server"),
    "adb server": (b"FAIL000dunknown", "adb+server"),
    "telnet": (b"\xff\xfd\x18login: ", "login"),
    "wrong magic": (HEADER.pack(Command.CNXN, 1, 1, 0, 0, 0), "CNXN"),
    "giant length": (HEADER.pack(Command.CNXN, 1, 1, 0xFFFFFFFF, 0, Command.CNXN ^ 0xFFFFFFFF), "CNXN"),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_other_services_are_told_at_once(name: str) -> None:
    answer, expected = GARBAGE[name]

    async def script(peer: Peer) -> None:
        peer.raw(answer)
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(WrongProtocol) as caught:
            await connect(address, HandshakeOptions(first_answer_s=60))
    assert expected in caught.value.what_phrase.text("en")


async def test_three_bytes_and_silence_are_no_daemon() -> None:
    async def script(peer: Peer) -> None:
        peer.raw(b"220")
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(WrongProtocol, match="220"):
            await connect(address, HandshakeOptions(first_answer_s=0.1))


async def test_three_bytes_and_an_end_are_no_daemon() -> None:
    async def script(peer: Peer) -> None:
        await peer.recv()
        peer.raw(b"220")

    async with daemon(script) as address:
        with pytest.raises(WrongProtocol, match="220"):
            await connect(address)


async def test_a_silent_port_times_out() -> None:
    async with daemon(Peer.until_gone) as address:
        with pytest.raises(LinkTimeout) as caught:
            await connect(address, HandshakeOptions(first_answer_s=0.1))
        assert caught.value.params["seconds"] == "0.1"


async def test_a_port_that_closes_without_a_word_is_unreachable() -> None:
    async def script(peer: Peer) -> None:
        await peer.recv()

    async with daemon(script) as address:
        with pytest.raises(Unreachable):
            await connect(address)


async def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        await connect(Address.parse(f"adb://127.0.0.1:{port}"))
    assert caught.value.detail


async def test_a_name_that_cannot_be_one_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        await connect(Address("adb", f"{'a' * 70}.example:5555"))


@pytest.mark.parametrize(
    ("command", "arg0", "arg1", "data"),
    [
        (Command.OKAY, 1, 1, b""),
        (Command.CNXN, 0x00990000, 4096, b"device::"),
        (Command.CNXN, 0x01000001, 16, b"device::"),
        (Command.AUTH, 7, 0, b"x" * 20),
    ],
)
async def test_a_wrong_first_packet_is_refused(command: int, arg0: int, arg1: int, data: bytes) -> None:
    async def script(peer: Peer) -> None:
        peer.send(command, arg0, arg1, data)
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(WrongProtocol):
            await connect(address)


async def test_endless_handshakes_end() -> None:
    async def script(peer: Peer) -> None:
        for _ in range(200):
            peer.send(Command.HDSK, 1, 0)
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(WrongProtocol):
            await connect(address, token=b"t")


async def test_tls_terminals_are_sent_to_the_adb_server() -> None:
    async def script(peer: Peer) -> None:
        await peer.recv()
        peer.send(Command.STLS, 0x01000000, 0)
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(NotCapable, match=r"adb\+server:SERIAL"):
            await connect(address)


async def test_paydroid_handshake_is_answered_whenever_it_comes() -> None:
    async def script(peer: Peer) -> None:
        peer.send(Command.HDSK, 1, 0)
        await peer.accept()
        answer = await peer.expect(Command.HDSK)
        assert (answer.arg0, answer.data) == (2, b"vendor's")
        _, stream = await peer.open()
        peer.send(Command.HDSK, 1, 0)
        await peer.expect(Command.HDSK)
        await stream.say(b"on")
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address, token=b"vendor's")
        stream = await connection.open_stream("x:", 10)
        assert await stream.read_exactly(2) == b"on"
        await connection.close()


async def test_paydroid_without_the_token_says_what_is_missing() -> None:
    async def script(peer: Peer) -> None:
        peer.send(Command.HDSK, 1, 0)
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(TokenMissing) as caught:
            await connect(address)
    assert any("handshake_token" in action for action in caught.value.next_actions)


async def test_paydroid_opens_nothing_before_its_handshake_behind_cnxn_was_answered() -> None:
    """As PAX's own adb is described: what is opened too early is lost."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.send(Command.HDSK, 1, 0)
        answer = await peer.recv()
        assert (answer.command, answer.arg0, answer.data) == (Command.HDSK, 2, b"vendor's")
        await peer.open()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address, token=b"vendor's")
        await connection.open_stream("x:", 10)
        await connection.close()


async def test_without_hdsk_a_token_costs_a_moment_and_nothing_else() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.open()
        await peer.until_gone()

    async with daemon(script) as address:
        quick = HandshakeOptions(first_answer_s=10.0, late_hdsk_s=0.01)
        connection = await connect(address, quick, token=b"vendor's")
        await connection.open_stream("x:", 10)
        await connection.close()


async def open_and_close(address: Address) -> None:
    connection = await connect(address, token=b"another's")
    try:
        await connection.open_stream("x:", 0.2)
    finally:
        await connection.close()


@pytest.mark.parametrize("when", ["before CNXN", "behind CNXN", "behind the token it falls silent"])
async def test_a_token_that_is_not_the_terminals(when: str) -> None:
    async def script(peer: Peer) -> None:
        if when == "before CNXN":
            await peer.expect(Command.CNXN)
        else:
            await peer.accept()
        peer.send(Command.HDSK, 1, 0)
        await peer.expect(Command.HDSK)
        if when == "behind the token it falls silent":
            await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(TokenRefused) as caught:
            await open_and_close(address)
    assert "another's" not in f"{caught.value} {caught.value.__cause__!r} {caught.value.params}"


async def test_a_service_that_is_not_offered() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        assert await peer.refuse_open() == "abb:x"
        await peer.open()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        with pytest.raises(CommandRefused):
            await connection.open_stream("abb:x", 10)
        await connection.open_stream("sync:", 10)
        await connection.close()


async def test_every_waiting_stream_hears_of_the_loss_once() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        _, first = await peer.open(1)
        await peer.open(2)
        await peer.expect(Command.OPEN)
        first.write(b"before")
        await peer.expect(Command.OKAY)
        await peer.expect(Command.WRTE)
        peer.raw(HEADER.pack(Command.WRTE, 1, 1, 100, 0, Command.WRTE ^ 0xFFFFFFFF) + b"mid-packet")

    async with daemon(script) as address:
        connection = await connect(address)
        reads = await connection.open_stream("a:", 5)
        writes = await connection.open_stream("b:", 5)
        opens = asyncio.create_task(connection.open_stream("c:", 5))
        assert await reads.read_exactly(6) == b"before"
        writes.send(b"x")
        results = await asyncio.gather(reads.read_some(), writes.settled(), opens, return_exceptions=True)
        assert [type(r) for r in results] == [LinkLost] * 3
        assert len({id(r) for r in results}) == 3
        with pytest.raises(LinkLost):
            await connection.open_stream("d:", 5)
        with pytest.raises(LinkLost):
            await connection.verify_alive()
        await connection.close()


async def test_broken_packets_later_are_told_as_such() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.open()
        peer.raw(b"x" * 24)
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        stream = await connection.open_stream("a:", 5)
        with pytest.raises(WrongProtocol):
            await stream.read_some()
        await connection.close()


async def test_a_session_begun_anew_is_a_loss() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.open()
        peer.send(Command.CNXN, 0x01000001, 4096, b"device::")
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        stream = await connection.open_stream("a:", 5)
        with pytest.raises(LinkLost):
            await stream.read_some()
        await connection.close()


async def test_cancelling_closes_the_stream_and_leaves_the_connection() -> None:
    waiting = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.accept()
        _, stream = await peer.open(5)
        waiting.set()
        closed = await peer.expect(Command.CLSE)
        assert (closed.arg0, closed.arg1) == (stream.remote, 5)
        stream.write(b"crossed on the way")
        stream.close()
        _, second = await peer.open(6)
        await second.say(b"usable")
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)

        async def use() -> None:
            stream = await connection.open_stream("a:", 60)
            try:
                await stream.read_some()
            finally:
                stream.close()

        task = asyncio.create_task(use())
        await waiting.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        second = await connection.open_stream("b:", 10)
        assert await second.read_exactly(6) == b"usable"
        await connection.close()


async def test_cancelling_an_open_closes_when_the_answer_comes() -> None:
    asked = asyncio.Event()
    cancelled = asyncio.Event()
    closed_it = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.accept()
        packet = await peer.expect(Command.OPEN)
        asked.set()
        await cancelled.wait()
        peer.send(Command.OKAY, 9, packet.arg0)
        peer.send(Command.WRTE, 9, packet.arg0, b"nobody reads this")
        closed = await peer.expect(Command.CLSE)
        assert (closed.arg0, closed.arg1) == (packet.arg0, 9)
        closed_it.set()
        _, second = await peer.open(10)
        await second.say(b"ok")
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        task = asyncio.create_task(connection.open_stream("a:", 60))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cancelled.set()
        async with asyncio.timeout(10):
            await closed_it.wait()
        stream = await connection.open_stream("b:", 10)
        assert await stream.read_exactly(2) == b"ok"
        await connection.close()


async def test_an_open_without_an_answer_times_out_and_leaves_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.expect(Command.OPEN)
        await peer.open()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        with pytest.raises(LinkTimeout):
            await connection.open_stream("a:", 0.05)
        await connection.open_stream("b:", 10)
        await connection.close()


async def test_a_slow_reader_holds_the_daemon_back() -> None:
    block = bytes(1 << 20)

    async def script(peer: Peer) -> None:
        await peer.accept()
        _, stream = await peer.open()
        for _ in range(3):
            await stream.say(block)
        stream.write(block)  # so much is unread that no OKAY comes before some of it was read
        second = await peer.expect(Command.OPEN)
        peer.send(Command.OKAY, 8, second.arg0)
        await peer.expect(Command.OKAY)
        stream.close()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        stream = await connection.open_stream("a:", 10)
        while len(stream._inbox) != 4:
            await asyncio.sleep(0)
        await connection.open_stream("b:", 10)
        assert await stream.read_exactly(4 << 20) == block * 4
        assert not await stream.read_some()
        await connection.close()


@pytest.mark.parametrize("size", [1 << 20, 1 << 15])
async def test_a_daemon_that_ignores_flow_control_is_cut_off(size: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        _, stream = await peer.open()
        try:
            for _ in range((20 << 20) // size):
                stream.write(bytes(size))
                await peer.writer.drain()
        except ConnectionError:
            return
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        stream = await connection.open_stream("a:", 5)
        while stream._failure is None:
            await asyncio.sleep(0)
        assert stream._queued <= 10 << 20
        while stream._inbox:
            await stream.read_some()
        with pytest.raises(WrongProtocol, match="OKAY"):
            await stream.read_some()
        await connection.close()


async def test_the_terminal_may_open_nothing_here() -> None:
    refused_it = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.send(Command.OPEN, 3, 0, b"tcp:80\0")
        refused = await peer.expect(Command.CLSE)
        assert (refused.arg0, refused.arg1) == (0, 3)
        refused_it.set()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        async with asyncio.timeout(10):
            await refused_it.wait()
        await connection.close()


@pytest.mark.parametrize("version", [0x01000000, 0x01000001])
async def test_old_daemons_get_small_packets_with_checksums(version: int) -> None:
    data = bytes(range(256)) * 40
    got: list[Got] = []

    async def script(peer: Peer) -> None:
        await peer.accept(version=version, max_payload=4096)
        _, stream = await peer.open()
        while sum(len(p.data) for p in got) < len(data):
            got.append(await peer.expect(Command.WRTE))
            stream.okay()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        stream = await connection.open_stream("a:", 10)
        await stream.write(data)
        assert await stream.settled()
        with pytest.raises(NotCapable, match="4096"):
            await connection.open_stream("shell:" + "x" * 5000, 10)
        await connection.close()
    assert b"".join(p.data for p in got) == data
    assert [len(p.data) for p in got] == [4096, 4096, 2048]
    sums = [sum(p.data) if version == 0x01000000 else 0 for p in got]
    assert [p.checksum for p in got] == sums


async def test_only_one_packet_is_on_its_way() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept(max_payload=4096)
        _, stream = await peer.open()
        await peer.expect(Command.WRTE)
        second = await peer.expect(Command.OPEN)  # and not the next WRTE
        peer.send(Command.OKAY, 8, second.arg0)
        stream.okay()
        await stream.take()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        stream = await connection.open_stream("a:", 10)
        stream.send(b"x" * 4096)
        with pytest.raises(ValueError, match="when ready"):
            stream.send(b"y")
        await connection.open_stream("b:", 10)
        assert await stream.ready()
        stream.send(b"y")
        assert await stream.settled()
        await connection.close()


async def test_waiting_to_send_hears_the_terminal_before_its_okay() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        _, stream = await peer.open()
        await peer.expect(Command.WRTE)
        stream.write(b"no")
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        stream = await connection.open_stream("a:", 5)
        stream.send(b"question")
        assert not await stream.ready()
        assert not await stream.settled()
        assert await stream.read_exactly(2) == b"no"
        await connection.close()


async def test_two_tasks_on_one_stream_are_a_mistake() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.open()
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address)
        stream = await connection.open_stream("a:", 0.05)
        results = await asyncio.gather(stream.read_some(), stream.read_some(), return_exceptions=True)
        assert sorted(type(r).__name__ for r in results) == ["LinkTimeout", "RuntimeError"]
        await connection.close()


async def test_bytes_in_any_portions(tmp_path: Path) -> None:
    """A daemon whose every byte comes alone (a bad Wi-Fi, a proxy) is understood as well."""

    async def script(peer: Peer) -> None:
        hello = await peer.recv()
        assert hello.command == Command.CNXN
        data = b"device::features=shell_v2"
        total = sum(data)
        packet = HEADER.pack(Command.CNXN, 0x01000000, 4096, len(data), total, Command.CNXN ^ 0xFFFFFFFF) + data
        for byte in packet:
            peer.raw(struct.pack("B", byte))
            await peer.writer.drain()
            await asyncio.sleep(0)
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await AdbConnection.connect(address, key_maker(tmp_path / "adb.key"), options=QUICK)
        assert connection.max_payload == 4096
        await connection.close()
