"""Pairing through Google's adb: what it refuses, in our words; the code goes to the server and nowhere else.

What is not tried here: a pairing that succeeds. Debian's adbd has no pairing service; a terminal's own screen has.
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

from techtool.errors import Exit, NotCapable, NotReady, PairingFailed
from techtool.links.adb.pairing import connect, pair
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings
from tests.peers.adb_server import AdbServer
from tests.peers.terminal import AdbdTerminal
from tests.peers.test_discovery import environment
from tests.peers.tools import need, wheel_adb

pytestmark = pytest.mark.peers

CODE = "482913"


@pytest.fixture(scope="module")
def modern(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    """Google's adb 36."""
    server = AdbServer(wheel_adb(), tmp_path_factory.mktemp("adb36"))
    server.start()
    server.run("devices")  # it listens a while before it answers
    yield server
    server.stop()


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


async def test_nobody_is_there(modern: AdbServer, tmp_path: Path) -> None:
    with pytest.raises(PairingFailed, match="nobody answers there"):
        await pair("127.0.0.1:1", CODE, settings_for(modern), Paths(tmp_path))


async def test_the_other_side_ends_it(modern: AdbServer, tmp_path: Path) -> None:
    """What adb says of a wrong code as well: it cannot tell the two apart."""
    with (
        hangs_up() as place,
        pytest.raises(PairingFailed, match="the code is wrong, or the terminal ended it") as caught,
    ):
        await pair(place, "482 913", settings_for(modern), Paths(tmp_path))
    assert CODE not in str(caught.value.to_json())


async def test_an_old_adb_cannot_pair(tmp_path: Path) -> None:
    debian = AdbServer(need("adb"), tmp_path / "adb29")
    version = subprocess.run([debian.adb_path, "version"], capture_output=True, text=True, check=True).stdout
    if "Version 29" not in version:
        pytest.skip(f"the adb in PATH is no old one: {version.splitlines()[1]}")
    debian.start()
    try:
        with pytest.raises(NotCapable, match="too old"):
            await pair("127.0.0.1:1", CODE, settings_for(debian), Paths(tmp_path))
    finally:
        debian.stop()


async def test_connecting_to_what_was_paired(modern: AdbServer, fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    address = await connect(f"127.0.0.1:{fresh_adbd.port}", settings_for(modern), Paths(tmp_path))
    assert address == f"adb+server:127.0.0.1:{fresh_adbd.port}"
    with pytest.raises(NotReady, match="did not connect"):  # not “pairing failed”: that stands, and its code is used up
        await connect("127.0.0.1:1", settings_for(modern), Paths(tmp_path))


def test_the_command_keeps_no_code(modern: AdbServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "code").write_text(f"{CODE}\n")
    env = {**environment(home), "ANDROID_ADB_SERVER_PORT": str(modern.port)}
    command = [sys.executable, "-m", "techtool", "pair", "127.0.0.1:1", "--code-file", str(tmp_path / "code"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == Exit.UNREACHABLE
    assert "TT-321" in done.stdout
    assert CODE not in done.stdout + done.stderr
    kept = [path for folder in (home, modern.home) for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in kept if CODE.encode() in path.read_bytes()]


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "١٢٣٤٥٦", "48291x"])
def test_a_code_that_is_none(typed: str, tmp_path: Path) -> None:
    (tmp_path / "code").write_text(f"{typed}\n")
    command = [sys.executable, "-m", "techtool", "pair", "127.0.0.1:1", "--code-file", str(tmp_path / "code")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment(tmp_path))
    assert done.returncode == Exit.USAGE
    assert "Traceback" not in done.stderr
    assert not typed or typed not in done.stderr
