"""Commands: shell_v2, the fallback with its marker (through a real sh), payloads into ``exec:``."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import pytest

from techtool.errors import CommandRefused, DiskError, LinkLost, LinkTimeout, WrongProtocol
from techtool.links.adb.packets import Command, ShellId
from techtool.links.adb.shell import marked, unmark
from techtool.links.base import Capability, CommandResult
from tests.unit.links.scripted import Peer, Stream, opened, shell_packet

OUT, ERR, EXIT = ShellId.STDOUT, ShellId.STDERR, ShellId.EXIT


async def start_v2(peer: Peer) -> Stream:
    """The daemon up to a shell_v2 stream whose standard input we closed."""
    await peer.discover()
    service, stream = await peer.open()
    assert service == "shell,v2,raw:id"
    assert await stream.take() == shell_packet(ShellId.CLOSE_STDIN, b"")
    return stream


@pytest.mark.parametrize("portion", [1, 3, 1000])
async def test_v2_keeps_the_streams_apart(tmp_path: Path, portion: int) -> None:
    answer = shell_packet(OUT, b"o1") + shell_packet(ERR, b"e1") + shell_packet(OUT, b"\r\n\xff")
    answer += shell_packet(9, b"of the future") + shell_packet(EXIT, b"\x03")

    async def script(peer: Peer) -> None:
        stream = await start_v2(peer)
        for start in range(0, len(answer), portion):
            await stream.say(answer[start : start + portion])
        stream.close()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        assert await link.run("id") == CommandResult(3, b"o1\r\n\xff", b"e1")


async def test_v2_without_an_exit_code_is_a_loss(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await start_v2(peer)
        await stream.say(shell_packet(OUT, b"Success")[:-2])
        stream.close()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(LinkLost):
            await link.run("id")


async def test_v2_giant_length(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await start_v2(peer)
        await stream.say(b"\x01\xff\xff\xff\xff")
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(WrongProtocol, match="4294967295"):
            await link.run("id")


async def test_a_command_that_prints_too_much(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await start_v2(peer)
        await stream.say(shell_packet(OUT, bytes(600)) + shell_packet(ERR, bytes(600)))
        closed = await peer.expect(Command.CLSE)
        assert closed.arg1 == stream.local
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(WrongProtocol, match="1000"):
            await link.run("id", limit_bytes=1000)


async def test_the_whole_command_has_a_limit(tmp_path: Path) -> None:
    """A command that dribbles must not outlive its timeout, and the link stays usable."""
    dribbling = asyncio.Event()

    async def dribble(stream: Stream) -> None:
        while not dribbling.is_set():
            stream.write(shell_packet(OUT, b"."))
            await asyncio.sleep(0.01)

    async def script(peer: Peer) -> None:
        stream = await start_v2(peer)
        task = asyncio.create_task(dribble(stream))
        while (await peer.recv()).command != Command.CLSE:
            pass
        dribbling.set()
        await task
        await peer.open(99)
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(LinkTimeout):
            await link.run("id", timeout_s=0.2)
        with pytest.raises(LinkTimeout):
            await link.run("id", timeout_s=0.05)


async def test_a_closed_link_says_so(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.discover()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        await link.close()
        assert link.capabilities == frozenset()
        with pytest.raises(LinkLost):
            await link.run("id")


async def test_a_lost_link_can_be_opened_again(tmp_path: Path) -> None:
    async def first(peer: Peer) -> None:
        await peer.discover()
        await peer.expect(Command.OPEN)

    async def second(peer: Peer) -> None:
        await peer.discover()
        await peer.until_gone()

    async with opened(tmp_path, first, second) as link:
        with pytest.raises(LinkLost):
            await link.run("id")
        await link.open()
        await link.open()
        assert Capability.EXIT_CODES in link.capabilities


# --- the fallback ---------------------------------------------------------------------------------------------------

COMMANDS = [
    ("true", 0, b""),
    ("exit 3", 3, b""),
    ("echo out; exit 7", 7, b"out\n"),
    ("printf abc", 0, b"abc"),
    ("printf 'a\\r\\nb\\n'", 0, b"a\r\nb\n"),
    ("(exit 4)", 4, b""),
    ("cat; echo $?", 0, b"0\n"),
    ("echo x # a comment", 0, b"x\n"),
    ("false || false", 1, b""),
]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a Bourne shell")
@pytest.mark.parametrize(("command", "code", "stdout"), COMMANDS)
def test_marker_through_a_real_shell(command: str, code: int, stdout: bytes) -> None:
    done = subprocess.run(["sh", "-c", marked(command, "M4rk")], stdout=subprocess.PIPE, timeout=10, check=False)
    assert unmark(done.stdout, "M4rk") == CommandResult(code, stdout)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\r\nb\r\nM:2\r\n", CommandResult(2, b"a\nb\n")),
        (b"M:1\nM:0\n", CommandResult(0, b"M:1\n")),
        (b"no newlineM:0", CommandResult(0, b"no newline")),
        (b"cut off in M:", CommandResult(None, b"cut off in M:")),
        (b"M:0\nand more", CommandResult(None, b"M:0\nand more")),
        (b"M:1234\n", CommandResult(None, b"M:1234\n")),
        (b"", CommandResult(None, b"")),
    ],
)
def test_unmark(data: bytes, expected: CommandResult) -> None:
    assert unmark(data, "M") == expected


async def old_daemon(peer: Peer, *, exec_works: bool = False) -> None:
    """Discovery against a daemon that lists no features."""
    await peer.accept(version=0x01000000, max_payload=4096, features="")
    await answer_marked(peer, b"", 0)
    if exec_works:
        await peer.open()
        await peer.expect(Command.CLSE)
    else:
        await peer.refuse_open()
    await peer.open()
    await peer.expect(Command.CLSE)


async def answer_marked(peer: Peer, output: bytes, code: int | None) -> str:
    service, stream = await peer.open()
    assert service.startswith("shell:( ")
    marker = service.rpartition("echo ")[2].removesuffix(":$?")
    end = b"" if code is None else f"{marker}:{code}\r\n".encode()
    await stream.say(output + end)
    stream.close()
    return marker


async def test_a_daemon_without_features(tmp_path: Path) -> None:
    markers = []

    async def script(peer: Peer) -> None:
        await old_daemon(peer)
        markers.append(await answer_marked(peer, b"A920\r\n", 5))
        markers.append(await answer_marked(peer, b"killed by", None))
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        assert link.capabilities == {
            Capability.SHELL,
            Capability.READ_FILES,
            Capability.WRITE_FILES,
            Capability.REBOOT,
        }
        assert await link.run("getprop") == CommandResult(5, b"A920\n")
        assert await link.run("getprop") == CommandResult(None, b"killed by")
    assert len(set(markers)) == 2


async def test_a_daemon_with_nothing(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.accept(features="")
        for _ in range(3):
            await peer.refuse_open()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        assert link.capabilities == {Capability.REBOOT}


# --- payloads -------------------------------------------------------------------------------------------------------

APK = bytes(range(256)) * 50


async def start_exec(peer: Peer) -> Stream:
    await old_daemon(peer, exec_works=True)
    service, stream = await peer.open()
    assert service == "exec:install"
    return stream


async def test_feed_confirms_what_the_terminal_took(tmp_path: Path) -> None:
    got = bytearray()
    confirmed: list[int] = []

    async def script(peer: Peer) -> None:
        stream = await start_exec(peer)
        while len(got) < len(APK):
            packet = await peer.expect(Command.WRTE)
            assert confirmed == list(range(4096, len(got) + 1, 4096))
            got.extend(packet.data)
            stream.okay()
        await stream.say(b"Success: streamed ")
        await stream.say(b"12800 bytes\n")
        stream.close()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        assert Capability.STREAM_INSTALL in link.capabilities
        result = await link.feed("install", io.BytesIO(APK + b"beyond"), len(APK), confirmed=confirmed.append)
    assert result == CommandResult(None, b"Success: streamed 12800 bytes\n")
    assert bytes(got) == APK
    assert confirmed == [4096, 8192, 12288, 12800]


async def test_feed_of_nothing_reads_the_answer(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await start_exec(peer)
        await stream.say(b"ok")
        stream.close()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        assert await link.feed("install", io.BytesIO(), 0) == CommandResult(None, b"ok")


@pytest.mark.parametrize("acknowledges", [True, False])
async def test_feed_returns_an_early_answer(tmp_path: Path, acknowledges: bool) -> None:
    async def script(peer: Peer) -> None:
        stream = await start_exec(peer)
        await stream.take()
        await peer.expect(Command.WRTE)
        if acknowledges:
            stream.okay()
        stream.write(b"Failure [INSTALL_FAILED_")
        stream.write(b"INSUFFICIENT_STORAGE]\n")
        stream.close()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        result = await link.feed("install", io.BytesIO(APK), len(APK))
    assert result.text == "Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE]\n"


async def test_feed_that_ends_early_without_a_word_is_a_loss(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await start_exec(peer)
        await stream.take()
        stream.close()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(LinkLost, match="4096 of 12800"):
            await link.feed("install", io.BytesIO(APK), len(APK))


async def test_feed_that_speaks_and_then_hangs_tells_what_it_said(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await start_exec(peer)
        await stream.take()
        await peer.expect(Command.WRTE)
        stream.write(b"Error: no such session\n")
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(CommandRefused, match="no such session"):
            await link.feed("install", io.BytesIO(APK), len(APK), timeout_s=0.1)


async def test_feed_to_a_terminal_that_stops_taking(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await start_exec(peer)
        await stream.take()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(LinkTimeout):
            await link.feed("install", io.BytesIO(APK), len(APK), timeout_s=0.1)


class Broken(io.BytesIO):
    """A file on a stick that was pulled out."""

    def readinto(self, buffer: object) -> int:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("source", [io.BytesIO(APK[:5000]), Broken()])
async def test_feed_of_a_file_that_fails_closes_the_stream(tmp_path: Path, source: io.BytesIO) -> None:
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        stream = await start_exec(peer)
        while (packet := await peer.recv()).command == Command.WRTE:
            stream.okay()
        assert packet.command == Command.CLSE
        closed.set()
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(DiskError):
            await link.feed("install", source, len(APK))
        async with asyncio.timeout(10):
            await closed.wait()


async def test_feed_cancelled_tells_the_terminal(tmp_path: Path) -> None:
    stuck = asyncio.Event()

    async def script(peer: Peer) -> None:
        stream = await start_exec(peer)
        await stream.take()
        await peer.expect(Command.WRTE)
        stuck.set()
        await peer.expect(Command.CLSE)
        await peer.open(7)
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        task = asyncio.create_task(link.feed("install", io.BytesIO(APK), len(APK)))
        await stuck.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(LinkTimeout):
            await link.run("id", timeout_s=0.1)  # the connection took the OPEN: it is usable


async def test_reboot_loses_the_link(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.discover()
        service, _ = await peer.open()
        assert service == "reboot:"

    async with opened(tmp_path, script) as link:
        await link.reboot()
        assert not link.capabilities


async def test_reboot_refused(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.discover()
        _, stream = await peer.open()
        await stream.say(b"reboot failed: Operation not permitted\n")
        await peer.until_gone()

    async with opened(tmp_path, script) as link:
        with pytest.raises(CommandRefused, match="not permitted"):
            await link.reboot()
        assert link.capabilities
