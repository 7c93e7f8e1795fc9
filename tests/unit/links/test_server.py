"""``adb+server:``: the smart-socket client against a scripted server, its states and its breaches."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.errors import (
    BadAddress,
    CommandRefused,
    LinkLost,
    LinkTimeout,
    NotAuthorized,
    NotReady,
    Unreachable,
    WrongProtocol,
)
from techtool.links.adb import connecting
from techtool.links.adb import server as server_module
from techtool.links.adb.devices import ServerDevice, server_devices
from techtool.links.adb.link import AdbLink
from techtool.links.adb.packets import ShellId
from techtool.links.adb.server import AdbServerLink, configured_server
from techtool.links.adb.smartsocket import Server
from techtool.links.base import Capability, CommandResult
from techtool.links.open import link_for
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings
from tests.unit.links.scripted import shell_packet

SERIAL = "A920-1"
LISTING = """\
A920-1                 device usb:1-2 product:A920Pro model:PAX_A920Pro device:A920Pro transport_id:3
127.0.0.1:5555         offline transport_id:4
P2                     unauthorized usb:1-1.4 transport_id:7
????????????           no permissions (are your udev rules wrong?); see [http://x] usb:3-1 transport_id:8
adb-SN1-abc (2)._adb-tls-connect._tcp device product:p transport_id:9
"""
"""As Google's adb writes it (AOSP ``adb/transport.cpp``)."""
Answer = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def okay(text: str = "") -> bytes:
    return b"OKAY" + (b"%04x" % len(text) + text.encode() if text else b"")


def fail(text: str) -> bytes:
    return b"FAIL%04x" % len(text) + text.encode()


class FakeServer:
    """An adb server that answers from a table; a list is used up one by one."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | list[Answer]] = {
            "host:version": okay("0029"),
            f"host-serial:{SERIAL}:get-state": okay("device"),
            f"host-serial:{SERIAL}:features": okay("shell_v2,cmd,stat_v2"),
            f"host:transport:{SERIAL}": b"OKAY",
            "sync:": b"OKAY",
        }
        self.asked: list[str] = []
        self.settings = LinkSettings()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readexactly(int(await reader.readexactly(4), 16))).decode()
                self.asked.append(request)
                answer = self.answers.get(request, fail(f"unknown request {request}"))
                if isinstance(answer, list):
                    answer = answer.pop(0)
                if callable(answer):
                    await answer(reader, writer)
                    return
                writer.write(answer)
                if not request.startswith("host:transport"):
                    await reader.read()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def link(self, home: Path) -> AdbServerLink:
        return AdbServerLink(Address("adb+server", SERIAL), self.settings, Paths(home))


@asynccontextmanager
async def running() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(fake.serve(reader, writer)))

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    fake.settings = LinkSettings(AdbSettings(server=f"127.0.0.1:{port}"))
    try:
        yield fake
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [r for r in results if isinstance(r, Exception)] == []


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_POLL_S", 0.01)
    monkeypatch.setattr(connecting, "_AGAIN_S", 0.01)
    monkeypatch.setattr(connecting, "AGAIN_FOR_S", 0.1)
    monkeypatch.setattr(server_module, "SETTLE_S", 0.1)
    monkeypatch.setattr(server_module, "PERSON_S", 0.1)


async def test_a_command_through_the_server(tmp_path: Path) -> None:
    async def shell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY" + shell_packet(ShellId.STDOUT, b"A920\n") + shell_packet(ShellId.EXIT, b"\0"))
        assert await reader.read() == shell_packet(ShellId.CLOSE_STDIN, b"")

    async with running() as fake:
        fake.answers["shell,v2,raw:getprop"] = shell
        link = fake.link(tmp_path)
        await link.open()
        assert Capability.EXIT_CODES in link.capabilities
        assert await link.run("getprop") == CommandResult(0, b"A920\n")
        await link.close()
        await link.close()
    assert fake.asked[-2:] == [f"host:transport:{SERIAL}", "shell,v2,raw:getprop"]
    assert "host:kill" not in fake.asked


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (fail("device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set"), NotAuthorized),
        (okay("unauthorized"), NotAuthorized),
        (fail("device still authorizing"), NotAuthorized),
        (fail(f"device '{SERIAL}' not found"), Unreachable),
        (okay("offline"), Unreachable),
        (okay("bootloader"), Unreachable),
    ],
)
async def test_states_that_cannot_be_used(tmp_path: Path, state: bytes, error: type[Exception]) -> None:
    async with running() as fake:
        fake.answers[f"host-serial:{SERIAL}:get-state"] = state
        with pytest.raises(error) as caught:
            await fake.link(tmp_path).open()
    assert isinstance(caught.value, NotAuthorized | Unreachable)
    assert caught.value.detail


async def test_a_terminal_on_its_way_is_waited_for(tmp_path: Path) -> None:
    async with running() as fake:
        states: list[Answer] = [okay("offline"), fail("device still connecting"), okay("device")]
        fake.answers[f"host-serial:{SERIAL}:get-state"] = states
        link = fake.link(tmp_path)
        await link.open()
        await link.close()
    assert not states


LOST = "127.0.0.1:41231"
BARE = okay(f"failed to connect to {LOST}")
"""What adb 36 says when it came to TLS and not through: it overtook itself, or it is not paired."""


async def test_a_server_that_lost_a_terminal_on_the_network_is_told_to_connect(tmp_path: Path) -> None:
    async with running() as fake:
        fake.answers[f"host-serial:{LOST}:get-state"] = [fail(f"device '{LOST}' not found"), okay("device")]
        fake.answers |= {f"host-serial:{LOST}:features": okay("shell_v2"), f"host:transport:{LOST}": b"OKAY"}
        tries: list[Answer] = [BARE, okay(f"connected to {LOST}")]
        fake.answers[f"host:connect:{LOST}"] = tries
        link = AdbServerLink(Address("adb+server", LOST), fake.settings, Paths(tmp_path))
        await link.open()
        await link.close()
    assert not tries


@pytest.mark.parametrize(
    ("answer", "error", "again"),
    [
        (BARE, NotReady, True),
        (okay(f"failed to connect to '{LOST}': Connection refused"), Unreachable, False),
        (fail("no such thing"), Unreachable, False),
    ],
    ids=["let nobody in", "nobody there", "refused by the server"],
)
async def test_connecting_in_vain(answer: bytes, error: type[Unreachable], again: bool, tmp_path: Path) -> None:
    async with running() as fake:
        fake.answers[f"host-serial:{LOST}:get-state"] = fail(f"device '{LOST}' not found")
        fake.answers[f"host:connect:{LOST}"] = answer
        link = AdbServerLink(Address("adb+server", LOST), fake.settings, Paths(tmp_path))
        with pytest.raises(Unreachable) as caught:
            await link.open()
    assert type(caught.value) is error
    tries, ended = (fake.asked.count(f"host:{verb}:{LOST}") for verb in ("connect", "disconnect"))
    assert (tries > 1) is again
    assert ended == (tries if again else 0), "adb is not left trying by itself"


async def opened(fake: FakeServer, home: Path) -> AdbLink:
    link = fake.link(home)
    await link.open()
    return link


async def test_a_pulled_cable_is_a_loss_and_no_answer(tmp_path: Path) -> None:
    """To the stream it looks like an ordinary end; the server knows better."""

    async def ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY")
        await reader.readexactly(3)
        writer.write(b"Suc")

    async with running() as fake:
        fake.answers["exec:install"] = ends
        link = await opened(fake, tmp_path)
        fake.answers[f"host-serial:{SERIAL}:get-state"] = fail(f"device '{SERIAL}' not found")
        with pytest.raises(LinkLost, match="not found"):
            await link.feed("install", io.BytesIO(b"apk"), 3)
        fake.answers[f"host:transport:{SERIAL}"] = fail("device offline")
        with pytest.raises(LinkLost, match="offline"):
            await link.run("id")
        fake.answers[f"host:transport:{SERIAL}"] = fail("device unauthorized.")
        with pytest.raises(NotAuthorized):
            await link.run("id")
        await link.close()


async def test_a_shell_that_is_cut_off_is_a_loss(tmp_path: Path) -> None:
    async def ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY" + shell_packet(ShellId.STDOUT, b"half"))

    async with running() as fake:
        fake.answers["shell,v2,raw:id"] = ends
        link = await opened(fake, tmp_path)
        with pytest.raises(LinkLost):
            await link.run("id")
        await link.close()


async def test_a_refused_service_while_the_terminal_is_there(tmp_path: Path) -> None:
    async with running() as fake:
        fake.answers["exec:install"] = fail("closed")
        link = await opened(fake, tmp_path)
        with pytest.raises(CommandRefused, match="closed"):
            await link.feed("install", io.BytesIO(b"apk"), 3)
        await link.close()


async def test_a_server_that_is_gone_is_a_loss(tmp_path: Path) -> None:
    async with running() as fake:
        link = await opened(fake, tmp_path)
    with pytest.raises(LinkLost):
        await link.run("id")
    await link.close()


async def test_feed_through_the_server(tmp_path: Path) -> None:
    data = bytes(range(256)) * 12_000
    got = bytearray()
    confirmed: list[int] = []

    async def install(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY")
        got.extend(await reader.readexactly(len(data)))
        writer.write(b"Success\n")

    async with running() as fake:
        fake.answers["exec:install"] = install
        link = await opened(fake, tmp_path)
        result = await link.feed("install", io.BytesIO(data), len(data), confirmed=confirmed.append)
        await link.close()
    assert result == CommandResult(None, b"Success\n")
    assert bytes(got) == data
    assert confirmed == [1 << 20, 2 << 20, len(data)]


async def test_feed_hears_the_end_while_it_still_sends(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAYFailure [NO_SPACE]\n")
        writer.write_eof()
        await reader.readexactly(1 << 20)

    async with running() as fake:
        fake.answers["exec:install"] = refuse
        link = await opened(fake, tmp_path)
        result = await link.feed("install", io.BytesIO(bytes(64 << 20)), 64 << 20, timeout_s=5)
        await link.close()
    assert result.text == "Failure [NO_SPACE]\n"


async def test_push_refused_through_the_server(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY")
        await reader.readexactly(100_000)
        writer.write(struct.pack("<4sI", b"FAIL", 9) + b"read-only")
        while await reader.read(1 << 20):
            pass

    async with running() as fake:
        fake.answers["sync:"] = [b"OKAY", refuse]
        link = await opened(fake, tmp_path)
        with pytest.raises(CommandRefused, match="read-only"):
            await link.push(io.BytesIO(bytes(8 << 20)), 8 << 20, "/system/x")
        await link.close()


async def test_pull_through_the_server_waits_for_a_slow_reader(tmp_path: Path) -> None:
    block = struct.pack("<4sI", b"DATA", 65536) + bytes(65536)

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY")
        for _ in range(400):
            writer.write(block)
            await writer.drain()
        writer.write(struct.pack("<4sI", b"DONE", 0))
        await reader.read()

    async with running() as fake:
        fake.answers["sync:"] = [b"OKAY", send]
        link = await opened(fake, tmp_path)
        async with link._service("sync:", 5) as stream:
            for _ in range(300):
                await asyncio.sleep(0)
            assert stream._queued < 4 << 20  # type: ignore[attr-defined]
            total = 0
            while total < 400 * len(block) + 8:
                total += len(await stream.read_some())
        await link.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 400 Bad Request", WrongProtocol),
        (b"OKAYzzzz", WrongProtocol),
        (b"OKAY0010half", LinkTimeout),
        (b"OK", LinkTimeout),
        (b"", LinkTimeout),
    ],
)
async def test_what_is_no_adb_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, error: type[Exception]
) -> None:
    monkeypatch.setattr(server_module, "ASK_S", 0.1)
    async with running() as fake:
        fake.answers[f"host-serial:{SERIAL}:get-state"] = answer
        with pytest.raises(error):
            await fake.link(tmp_path).open()


async def test_a_server_named_in_the_settings_is_the_only_one(tmp_path: Path) -> None:
    async with running() as fake:
        fake.answers["host:version"] = b"HTTP/1.1 400 Bad Request"
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
            await fake.link(tmp_path).open()
    assert not (tmp_path / "adb").exists()


async def test_devices_of_a_running_server() -> None:
    async with running() as fake:
        fake.answers["host:devices-l"] = okay(LISTING)
        devices = await server_devices(fake.settings)
    assert devices == [
        ServerDevice("A920-1", "device", "usb:1-2", "A920Pro", "PAX A920Pro", "3"),
        ServerDevice("127.0.0.1:5555", "offline", transport="4"),
        ServerDevice("P2", "unauthorized", "usb:1-1.4", transport="7"),
        ServerDevice("????????????", "no permissions", "usb:3-1", transport="8"),
        ServerDevice("adb-SN1-abc (2)._adb-tls-connect._tcp", "device", product="p", transport="9"),
    ]


async def test_devices_without_a_server_start_none() -> None:
    with pytest.raises(Unreachable):
        await server_devices(LinkSettings(), environ={"ANDROID_ADB_SERVER_PORT": "1"})


@pytest.mark.parametrize(
    ("settings", "environ", "expected"),
    [
        ("", {}, Server("127.0.0.1", 5037)),
        ("", {"ANDROID_ADB_SERVER_PORT": "5999"}, Server("127.0.0.1", 5999)),
        ("", {"ANDROID_ADB_SERVER_ADDRESS": "10.0.0.2"}, Server("10.0.0.2", 5037)),
        ("", {"ADB_SERVER_SOCKET": "tcp:5111"}, Server("127.0.0.1", 5111)),
        ("", {"ADB_SERVER_SOCKET": "tcp:host:5111"}, Server("host", 5111)),
        ("[::1]:5040", {"ANDROID_ADB_SERVER_PORT": "5999"}, Server("::1", 5040)),
    ],
)
def test_where_the_users_server_is(settings: str, environ: dict[str, str], expected: Server) -> None:
    assert configured_server(AdbSettings(server=settings), environ) == expected


@pytest.mark.parametrize("text", ["nowhere", "host:port", "host:99999"])
def test_where_it_cannot_be(text: str) -> None:
    with pytest.raises(Unreachable):
        configured_server(AdbSettings(server=text), {})


def test_link_for(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    direct = link_for(Address.parse("adb://127.0.0.1:5555"), LinkSettings(), paths)
    through = link_for(Address.parse("adb+server:127.0.0.1:5555"), LinkSettings(), paths)
    assert type(direct) is AdbLink
    assert type(through) is AdbServerLink
    assert (direct.capabilities, str(through.address)) == (frozenset(), "adb+server:127.0.0.1:5555")
    with pytest.raises(BadAddress):
        link_for(Address("serial", "127.0.0.1:5555"), LinkSettings(), paths)
