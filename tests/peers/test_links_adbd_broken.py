"""Our two ADB links when the real daemon refuses, hangs, goes away, or the work is called off."""

from __future__ import annotations

import asyncio
import io
import re
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkError, LinkLost, Unreachable, WrongProtocol
from techtool.links.base import Link
from techtool.links.open import link_for
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings
from tests.peers.adb_server import AdbServer
from tests.peers.reach import CONTENT, SIZE, TMP, Reach, direct, opened, read_all
from tests.peers.relay import Relay
from tests.peers.terminal import AdbdTerminal

pytestmark = [pytest.mark.peers, pytest.mark.timeout(60)]


async def test_a_command_that_hangs(link: Link) -> None:
    begin = time.monotonic()
    with pytest.raises(LinkError) as caught:
        await link.run("sleep 60", timeout_s=0.3)
    assert caught.value.code == "TT-304"
    assert time.monotonic() - begin < 5
    assert (await link.run("echo still here")).text == "still here\n"


@pytest.mark.parametrize("path", ["/system/bin/x", "/no/such/folder/x", TMP])
@pytest.mark.parametrize("size", [10, SIZE])
async def test_refused_push_says_so_at_once(link: Link, path: str, size: int) -> None:
    begin = time.monotonic()
    with pytest.raises(CommandRefused) as caught:
        await link.push(io.BytesIO(CONTENT[:size]), size, path)
    assert time.monotonic() - begin < 5
    assert re.search("Read-only file system|No such file|directory", caught.value.detail or str(caught.value))
    assert (await link.run("echo still here")).text == "still here\n"


async def test_refused_pull(link: Link) -> None:
    with pytest.raises(CommandRefused):
        await read_all(link, f"{TMP}/nothing")
    with pytest.raises(CommandRefused):
        await read_all(link, TMP)
    assert (await link.run("echo still here")).text == "still here\n"


async def test_a_pull_left_early(link: Link, fresh_adbd: AdbdTerminal) -> None:
    (fresh_adbd.state_dir / "local/tmp/there").write_bytes(CONTENT)
    async with aclosing(link.pull(f"{TMP}/there")) as chunks:  # type: ignore[type-var]  # an async generator
        first = await anext(chunks)
    assert CONTENT.startswith(first)
    assert await read_all(link, f"{TMP}/there") == CONTENT


@pytest.mark.parametrize("way", ["push", "feed"])
async def test_cancelled_in_the_middle(link: Link, fresh_adbd: AdbdTerminal, way: str) -> None:
    under_way = asyncio.Event()

    def confirmed(size: int) -> None:
        under_way.set()

    big = io.BytesIO(CONTENT * 5)
    if way == "push":
        work = link.push(big, 5 * SIZE, f"{TMP}/cancelled", confirmed=confirmed)
        task: asyncio.Task[object] = asyncio.ensure_future(work)
    else:
        task = asyncio.ensure_future(link.feed("cat >/dev/null", big, 5 * SIZE, confirmed=confirmed))
    await under_way.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await link.run("echo still here")).text == "still here\n"
    await link.push(io.BytesIO(b"again"), 5, f"{TMP}/again")
    assert (fresh_adbd.state_dir / "local/tmp/again").read_bytes() == b"again"


@pytest.mark.parametrize("way", ["push", "feed", "run", "pull"])
async def test_power_cut_in_the_middle(reach: Reach, fresh_adbd: AdbdTerminal, way: str) -> None:
    (fresh_adbd.state_dir / "local/tmp/there").write_bytes(CONTENT * 5)
    try:
        async with opened(reach, fresh_adbd.port) as link:
            with pytest.raises(LinkLost):
                await until_lost(link, way, fresh_adbd.power_off)
            with pytest.raises(LinkLost):
                await link.run("true")
            with pytest.raises((Unreachable, LinkLost)):
                await link.open()
    finally:
        fresh_adbd.power_on()
    async with opened(reach, fresh_adbd.port) as link:
        assert (await link.run("echo back again")).text == "back again\n"


async def until_lost(link: Link, way: str, cut: Callable[[], None]) -> None:
    """Begin something long and cut the power when it is under way."""

    cuts = iter([cut])

    def cut_once(size: int) -> None:
        if size > 5 << 20 and (due := next(cuts, None)):
            due()

    source = io.BytesIO(CONTENT * 5)
    match way:
        case "push":
            await link.push(source, 5 * SIZE, f"{TMP}/lost", confirmed=cut_once)
        case "feed":
            await link.feed("cat >/dev/null", source, 5 * SIZE, confirmed=cut_once)
        case "pull":
            got = 0
            async for chunk in link.pull(f"{TMP}/there"):
                got += len(chunk)
                cut_once(got)
        case _:
            asyncio.get_running_loop().call_later(0.3, cut)
            await link.run("sleep 30")


@pytest.mark.parametrize("drop_after_bytes", [30, 100_000, 7_654_321])
async def test_cable_pulled_at_byte(reach: Reach, fresh_adbd: AdbdTerminal, drop_after_bytes: int) -> None:
    async with Relay(("127.0.0.1", fresh_adbd.port)) as relay, opened(reach, relay.port) as link:
        relay.drop_after_bytes = relay.passed_bytes + drop_after_bytes
        with pytest.raises(LinkLost):
            await link.push(io.BytesIO(CONTENT), SIZE, f"{TMP}/dropped")
        assert relay.drops == 1
        async with opened(reach, relay.port) as again:
            await again.push(io.BytesIO(CONTENT), SIZE, f"{TMP}/dropped")
        assert (fresh_adbd.state_dir / "local/tmp/dropped").read_bytes() == CONTENT


async def test_a_slow_cable_reports_honest_progress(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    """“Confirmed” is what the terminal has taken: no more than the relay has passed on. (An adb server takes the
    bytes itself; what it confirms is its own.)"""
    size = 2 << 20
    async with Relay(("127.0.0.1", fresh_adbd.port), slow_bytes_s=size) as relay:
        link = direct(relay.port, tmp_path)
        await link.open()
        before = relay.passed_bytes
        ahead: list[int] = []
        await link.push(
            io.BytesIO(CONTENT), size, f"{TMP}/slow", confirmed=lambda n: ahead.append(n - relay.passed_bytes + before)
        )
        await link.close()
    assert ahead
    assert max(ahead) <= 0


async def test_a_relay_with_nothing_behind_it(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    fresh_adbd.power_off()
    try:
        with pytest.raises((Unreachable, LinkLost, WrongProtocol)):
            await direct(fresh_adbd.port, tmp_path).open()
    finally:
        fresh_adbd.power_on()


async def test_a_serial_that_the_server_does_not_know(google_server: AdbServer, tmp_path: Path) -> None:
    settings = LinkSettings(adb=AdbSettings(server=f"127.0.0.1:{google_server.port}"))
    with pytest.raises(Unreachable):
        await link_for(Address("adb+server", "NOSUCHSERIAL"), settings, Paths(tmp_path / "home")).open()


async def test_reboot(reach: Reach, fresh_adbd: AdbdTerminal) -> None:
    """Debian's adbd has no service of that name and closes at once; the shell's program restarts it."""
    async with opened(reach, fresh_adbd.port) as link:
        with pytest.raises(CommandRefused):
            await link.reboot()
        with pytest.raises(LinkLost):
            await link.run("reboot; sleep 30")
