"""AUTH before a device side that nobody here wrote: adbkit's bridge, Google's adb server, Debian's adbd."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.errors import NotAuthorized
from techtool.links.adb.auth import load_or_make_key
from techtool.links.adb.server import AdbServerLink
from techtool.links.permission import Permission, fingerprint_of_line, tell_permission
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings
from tests.peers.adb_server import AdbServer
from tests.peers.adbkit_bridge import Bridge, bridge
from tests.peers.reach import TMP, direct
from tests.peers.terminal import AdbdTerminal
from tests.peers.tools import PeerMissing, missing

pytestmark = pytest.mark.peers

BYTES = bytes(range(256)) * 1024


@pytest.fixture
def locked(fresh_adbd: AdbdTerminal, adb_server: AdbServer) -> Iterator[Bridge]:
    """A terminal that asks before it lets anybody in."""
    try:
        with bridge(adb_server.port, adb_server.serial) as one:
            yield one
    except PeerMissing as e:
        missing(str(e))


async def test_a_new_key_is_asked_about_then_let_in(locked: Bridge, fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    link = direct(locked.port, tmp_path)
    told: list[Permission] = []
    tell_permission(link, told.append)
    opening = asyncio.create_task(link.open())
    asked = await asyncio.to_thread(locked.line, "asked")
    assert not opening.done()
    fingerprint, _, comment = asked.partition(" ")
    assert [permission.fingerprint.lower() for permission in told] == [fingerprint]
    assert told[0].fingerprint in told[0].text.text("en")
    assert comment.startswith("techtool@")
    locked.say("allow")
    await opening
    try:
        done = await link.run("echo let in; exit 3")
        assert (done.exit_code, done.text) == (3, "let in\n")
        await link.push(io.BytesIO(BYTES), len(BYTES), f"{TMP}/sent")
    finally:
        await link.close()
    assert (fresh_adbd.state_dir / "local/tmp/sent").read_bytes() == BYTES
    assert len(told) == 1


async def test_a_refused_key_is_told_as_such(locked: Bridge, tmp_path: Path) -> None:
    link = direct(locked.port, tmp_path)
    told: list[Permission] = []
    tell_permission(link, told.append)
    opening = asyncio.create_task(link.open())
    await asyncio.to_thread(locked.line, "asked")
    locked.say("refuse")
    with pytest.raises(NotAuthorized):
        await opening
    assert len(told) == 1


async def test_a_key_that_was_allowed_before_is_not_asked_about(
    fresh_adbd: AdbdTerminal, adb_server: AdbServer, tmp_path: Path
) -> None:
    paths = Paths(tmp_path / "home")
    (tmp_path / "allowed.pub").write_bytes(load_or_make_key(paths.adb_key).public_line)
    with bridge(adb_server.port, adb_server.serial, tmp_path / "allowed.pub") as knows:
        link = direct(knows.port, tmp_path)
        told: list[Permission] = []
        tell_permission(link, told.append)
        await link.open()
        assert (await link.run("echo in")).text == "in\n"
        await link.close()
    assert told == []


async def test_the_servers_terminal_is_waited_for(locked: Bridge, adb_server: AdbServer, tmp_path: Path) -> None:
    """Google's server asks with its own key; we tell that key's fingerprint and go on when it is allowed."""
    place = f"127.0.0.1:{locked.port}"
    connecting = asyncio.create_task(asyncio.to_thread(adb_server.run, "connect", place))
    asked = await asyncio.to_thread(locked.line, "asked")
    settings = LinkSettings(adb=AdbSettings(server=f"127.0.0.1:{adb_server.port}"))
    environ = {"ANDROID_USER_HOME": str(adb_server.home / ".android")}
    link = AdbServerLink(Address("adb+server", place), settings, Paths(tmp_path / "home"), environ=environ)
    told: list[Permission] = []
    heard = asyncio.Event()

    def tell(permission: Permission) -> None:
        told.append(permission)
        heard.set()

    tell_permission(link, tell)
    opening = asyncio.create_task(link.open())
    async with asyncio.timeout(30):
        await heard.wait()
    assert told[0].fingerprint.lower() == asked.partition(" ")[0]
    assert told[0].fingerprint == fingerprint_of_line((adb_server.home / ".android/adbkey.pub").read_bytes())
    locked.say("allow")
    await opening
    try:
        assert (await link.run("echo let in")).text == "let in\n"
    finally:
        await link.close()
        await connecting
        await asyncio.to_thread(adb_server.run, "disconnect", place)


async def test_the_command_line_says_what_to_compare(locked: Bridge, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "techtool", "identify", f"adb://127.0.0.1:{locked.port}", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TECHTOOL_HOME": str(tmp_path / "home"), "TECHTOOL_LANG": "en"},
    )
    asked = await asyncio.to_thread(locked.line, "asked")
    assert process.stderr is not None
    assert asked.partition(" ")[0].upper() in (await process.stderr.readline()).decode()
    locked.say("allow")
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(out)["model"] == "P2"
