"""Pairing through Google's adb 36, which is the judge of both sides: it takes our stand-in for a terminal, or it does
not; and what it refuses is told in our words. The code goes to the server and nowhere else.

The daemon behind the stand-in's TLS is Debian's.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.errors import Exit, NotCapable, NotReady, PairingFailed, Unreachable
from techtool.links.adb.pairing import connect, pair
from techtool.links.adb.server import AdbServerLink
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings
from tests.peers.adb_server import AdbServer
from tests.peers.terminal import AdbdTerminal
from tests.peers.test_discovery import environment
from tests.peers.tools import debian_adb, wheel_adb
from tests.peers.wireless import CODE, WirelessTerminal

pytestmark = pytest.mark.peers


@pytest.fixture
def modern(tmp_path: Path) -> Iterator[AdbServer]:
    """Google's adb 36 with a key that nobody has seen: each test is another laptop."""
    server = AdbServer(wheel_adb(), tmp_path / "adb36")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def wireless(fresh_adbd: AdbdTerminal) -> WirelessTerminal:
    """Debian's adbd with a page “Wireless debugging” in front."""
    return WirelessTerminal(fresh_adbd.port)


def settings_for(server: AdbServer) -> LinkSettings:
    return LinkSettings(adb=AdbSettings(server=f"127.0.0.1:{server.port}"))


@contextmanager
def hangs_up() -> Iterator[str]:
    """Something that is no terminal: it takes the first bytes of adb's TLS and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken:
                taken.recv(64)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


async def test_a_wrong_code_the_right_one_and_the_daemon_behind_tls(
    modern: AdbServer, wireless: WirelessTerminal, tmp_path: Path
) -> None:
    settings, paths = settings_for(modern), Paths(tmp_path / "home")
    async with wireless.listening() as at:
        with pytest.raises(NotReady, match="did not let this laptop in"):
            await connect(at, settings, paths)
        assert wireless.refused, "for its certificate"
        async with wireless.pairing() as place:
            with pytest.raises(PairingFailed, match="the code is wrong, or the terminal ended it") as caught:
                await pair(place, "111111", settings, paths)
            assert "111111" not in str(caught.value.to_json())
            assert not wireless.laptops
            await pair(place, f"{CODE[:3]} {CODE[3:]}", settings, paths)
        assert len(wireless.laptops) == 1
        link = AdbServerLink(Address.parse(await connect(at, settings, paths)), settings, paths)
        await link.open()
        assert (await link.run("getprop ro.product.model; exit 3")).exit_code == 3
        await link.close()


async def test_a_dialog_that_was_closed_and_one_that_was_opened_anew(
    modern: AdbServer, wireless: WirelessTerminal, tmp_path: Path
) -> None:
    settings, paths = settings_for(modern), Paths(tmp_path / "home")
    async with wireless.pairing() as place:
        pass
    with pytest.raises(PairingFailed, match="nobody answers there"):
        await pair(place, CODE, settings, paths)
    wireless.code = "739105"
    async with wireless.pairing() as place:
        with pytest.raises(PairingFailed, match="the code is wrong"):
            await pair(place, CODE, settings, paths)
    assert not wireless.laptops


async def test_connecting_is_tried_again_where_adb_overtakes_itself(
    modern: AdbServer, wireless: WirelessTerminal, tmp_path: Path
) -> None:
    settings, paths = settings_for(modern), Paths(tmp_path / "home")
    async with wireless.pairing() as place, wireless.listening() as at:
        await pair(place, CODE, settings, paths)
        wireless.hang_ups = 2
        assert await connect(at, settings, paths) == f"adb+server:{at}"
    assert wireless.hang_ups == 0


async def test_a_server_that_was_started_anew_connects_by_itself(
    modern: AdbServer, wireless: WirelessTerminal, tmp_path: Path
) -> None:
    settings, paths = settings_for(modern), Paths(tmp_path / "home")
    async with wireless.pairing() as place, wireless.listening() as at:
        await pair(place, CODE, settings, paths)
        modern.stop()
        modern.start()
        link = AdbServerLink(Address("adb+server", at), settings, paths)
        await link.open()
        await link.close()


async def test_nobody_is_there(modern: AdbServer, tmp_path: Path) -> None:
    with pytest.raises(PairingFailed, match="nobody answers there"):
        await pair("127.0.0.1:1", CODE, settings_for(modern), Paths(tmp_path))
    with pytest.raises(Unreachable, match="No answer") as caught:
        await connect("127.0.0.1:1", settings_for(modern), Paths(tmp_path))
    assert not isinstance(caught.value, NotReady)


async def test_something_that_is_no_terminal(modern: AdbServer, tmp_path: Path) -> None:
    """What adb says of a wrong code as well: it cannot tell the two apart."""
    with hangs_up() as place:
        with pytest.raises(PairingFailed, match="the code is wrong, or the terminal ended it"):
            await pair(place, CODE, settings_for(modern), Paths(tmp_path))


async def test_the_page_before_is_no_place_to_pair(
    modern: AdbServer, wireless: WirelessTerminal, tmp_path: Path
) -> None:
    """The addresses of the two pages mixed up."""
    async with wireless.listening() as at:
        with pytest.raises(PairingFailed, match="the code is wrong, or the terminal ended it"):
            await pair(at, CODE, settings_for(modern), Paths(tmp_path))
    assert not wireless.laptops


async def test_an_old_adb_cannot_pair(tmp_path: Path) -> None:
    """adb 29, as Debian builds it."""
    debian = AdbServer(debian_adb(), tmp_path / "adb29")
    debian.start()
    try:
        with pytest.raises(NotCapable, match="too old"):
            await pair("127.0.0.1:1", CODE, settings_for(debian), Paths(tmp_path))
    finally:
        debian.stop()


def test_the_command_keeps_no_code(modern: AdbServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "code").write_text(f"{CODE}\n")
    env = {**environment(home), "ANDROID_ADB_SERVER_PORT": str(modern.port)}
    command = [sys.executable, "-m", "techtool", "pair", "127.0.0.1:1", "--code-file", str(tmp_path / "code"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == Exit.UNREACHABLE
    assert "TT-321" in done.stdout
    assert CODE not in done.stdout + done.stderr
    assert not kept(CODE, home, modern.home)


def kept(secret: str, *folders: Path) -> list[Path]:
    """The files that hold it."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "١٢٣٤٥٦", "48291x"])
def test_a_code_that_is_none(typed: str, tmp_path: Path) -> None:
    (tmp_path / "code").write_text(f"{typed}\n")
    command = [sys.executable, "-m", "techtool", "pair", "127.0.0.1:1", "--code-file", str(tmp_path / "code")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment(tmp_path))
    assert done.returncode == Exit.USAGE
    assert "Traceback" not in done.stderr
    assert not typed or typed not in done.stderr
