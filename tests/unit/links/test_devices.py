"""The adb server's list followed for as long as it is wanted: through its end and back, and before a hostile one."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkLost, LinkTimeout, NotReady, Unreachable, WrongProtocol
from techtool.i18n import set_language
from techtool.links.adb import devices as devices_module
from techtool.links.adb import server as server_module
from techtool.links.adb import serverprocess
from techtool.links.adb.devices import MOST_DEVICES, ServerDevice, parse_devices, server_devices, track_devices
from techtool.links.adb.server import AdbServerLink, find_server
from techtool.links.adb.smartsocket import Server
from techtool.links.permission import Permission
from techtool.paths import Disk, Paths
from techtool.settings import AdbSettings, LinkSettings
from tests.unit.links.test_server import SERIAL, FakeServer, fail, okay, running

ONE = ServerDevice("SN1", "device", "usb:1-2", transport="1")
TRACK = "host:track-devices-l"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "GAP_S", 0.0)
    monkeypatch.setattr(devices_module, "_AGAIN_S", 0.0)
    monkeypatch.setattr(devices_module, "ASK_S", 0.5)
    monkeypatch.setattr(server_module, "_POLL_S", 0.01)
    monkeypatch.setattr(server_module, "SETTLE_S", 0.1)


def text(listing: str) -> bytes:
    return b"%04x" % len(listing) + listing.encode()


async def test_cables_and_a_server_that_is_started_anew() -> None:
    async def first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY" + text("") + text("SN1 device usb:1-2 transport_id:1\n"))
        await writer.drain()

    async def second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY" + text("SN1 offline usb:1-2 transport_id:2\n"))
        await reader.read()

    async with running() as fake:
        fake.answers[TRACK] = [first, second]
        seen = []
        async with aclosing(track_devices(fake.settings)) as lists:
            async for devices in lists:
                seen.append(devices)
                if devices and devices[0].state == "offline":
                    break
    assert seen == [[], [ONE], [], [ServerDevice("SN1", "offline", "usb:1-2", transport="2")]]


@pytest.mark.parametrize(
    "answer",
    [b"OKAY+0zz", b"OKAY-001", b"OKAY 0x1", b"OKAY00", b"HTTP/1.1 200 OK\r\n", b"FAIL0003no!", b"OKAYffffabc", b""],
)
async def test_a_hostile_list_ends_and_is_told(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "_AGAIN_S", 0.01)
    async with running() as fake:
        fake.answers[TRACK] = answer
        seen: list[list[ServerDevice]] = []

        async def follow() -> None:
            async with asyncio.timeout(20), aclosing(track_devices(fake.settings)) as lists:
                async for devices in lists:
                    seen.append(devices)

        with pytest.raises(Unreachable):
            await follow()
        assert fake.asked.count(TRACK) == devices_module.TRIES
    assert all(devices == [] for devices in seen)


async def test_a_server_that_never_stops_talking_costs_no_memory_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "GAP_S", 0.05)

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAY")
        listing = text("".join(f"S{n} device\n" for n in range(4000)))
        while True:
            writer.write(listing)
            await writer.drain()

    async with running() as fake:
        fake.answers[TRACK] = flood
        count = 0
        async with aclosing(track_devices(fake.settings)) as lists:
            begin = asyncio.get_running_loop().time()
            async for devices in lists:
                assert len(devices) == devices_module.MOST_DEVICES
                count += 1
                if asyncio.get_running_loop().time() - begin > 0.5:
                    break
    assert count < 15


async def test_a_list_that_is_one_long_line_costs_no_time() -> None:
    begin = time.process_time()
    assert parse_devices("a" + " " * 0xFFFE) == []
    assert len(parse_devices("\n".join("a" + " " * 127 + "b" for _ in range(510)))) == MOST_DEVICES
    assert (
        time.process_time() - begin < 5
    )  # it was the square of the length: 0.6 s for 8 KB already, and again with each list


async def test_an_answer_that_only_drips_ends(tmp_path: Path) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OKAYffff")
        with suppress(ConnectionError):
            while True:
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.05)

    async with running() as fake:
        fake.answers["host:devices-l"] = drip
        async with asyncio.timeout(5):
            with pytest.raises(LinkTimeout):
                await server_devices(fake.settings)


async def test_a_refusal_is_not_quoted_at_length_nor_with_control_marks(tmp_path: Path) -> None:
    async with running() as fake:
        fake.answers["sync:"] = fail("no\x1b[2J" + "!" * 9000)
        link = fake.link(tmp_path)
        await link.open()
        with pytest.raises(CommandRefused) as caught:
            await link.stat("/x")
        words = caught.value.what_phrase.text()
        assert "\x1b" not in words
        assert len(words) < 500


async def test_who_leaves_while_a_server_is_started_leaves_none_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go, users = threading.Event(), threading.Event(), []

    def acquire(settings: AdbSettings, paths: Paths, peer: str, disk: Disk) -> Server:
        started.set()
        assert go.wait(20)
        users.append(peer)
        return Server("127.0.0.1", 1)

    monkeypatch.setattr(serverprocess, "acquire", acquire)
    monkeypatch.setattr(serverprocess, "release", lambda paths, disk: users.pop())
    monkeypatch.setattr(serverprocess, "answers", lambda server: False)
    task = asyncio.create_task(find_server(LinkSettings(), Paths(tmp_path), "adb+server:X", environ={}))
    await asyncio.to_thread(started.wait, 20)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert users == []


@pytest.mark.parametrize("answer", [b"OKAYzzzz", b"OKAY____", b"OKAY+00f"])
async def test_a_length_that_is_no_number(answer: bytes) -> None:
    async with running() as fake:
        fake.answers["host:devices-l"] = answer
        with pytest.raises(WrongProtocol):
            await server_devices(fake.settings)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (okay("offline"), "does not answer"),
        (okay("bootloader"), "boot loader"),
        (okay("no permissions"), "may not use the cable"),
        (fail("more than one device with serial A920-1"), "shares its serial number"),
        (okay("detached"), "let go"),
    ],
)
async def test_a_state_that_cannot_be_used_says_what_to_do(tmp_path: Path, state: bytes, words: str) -> None:
    set_language("en")
    async with running() as fake:
        fake.answers[f"host-serial:{SERIAL}:get-state"] = state
        with pytest.raises(NotReady) as caught:
            await fake.link(tmp_path).open()
    assert words in caught.value.what_phrase.text()
    assert caught.value.action_phrases[0].text().strip()


async def test_a_terminal_that_is_allowed_goes_on_by_itself(tmp_path: Path) -> None:
    async with running() as fake:
        unauthorized = fail("device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set")
        fake.answers[f"host-serial:{SERIAL}:get-state"] = [
            fail("device still authorizing"),
            unauthorized,
            okay("unauthorized"),
            fail(f"device '{SERIAL}' not found"),
            okay("unauthorized"),
            okay("device"),
        ]
        link = fake.link(tmp_path)
        told: list[Permission] = []
        link.on_permission = told.append
        await link.open()
        await link.close()
    assert [permission.waited_s for permission in told] == [0]


async def test_a_server_without_features_is_an_old_one(tmp_path: Path) -> None:
    async with running() as fake:
        fake.answers[f"host-serial:{SERIAL}:features"] = fail("unknown host service")
        for service in ("exec:true", "sync:"):
            fake.answers[service] = fail("closed")
        link = fake.link(tmp_path)
        await link.open()
        await link.close()
    assert any(request.startswith("shell:") for request in fake.asked), "the way of old daemons"


async def test_the_server_dies_while_it_is_used(tmp_path: Path) -> None:
    async with running() as fake:
        link = fake.link(tmp_path)
        await link.open()
        port = int(fake.settings.adb.server.rpartition(":")[2])
    with pytest.raises(LinkLost):
        await link.run("true", timeout_s=5)
    await link.close()
    with pytest.raises(Unreachable), socket.create_server(("127.0.0.1", port)):
        await AdbServerLink(Address("adb+server", SERIAL), fake.settings, Paths(tmp_path)).open()


def test_the_fake_speaks_as_the_server_does() -> None:
    assert FakeServer().answers["host:version"] == okay("0029")
