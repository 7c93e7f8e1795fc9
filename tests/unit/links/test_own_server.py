"""An adb server of our own, with Google's adb: started once, shared, stopped by its owner only."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from techtool.domain.codec import decode_json, encode_json
from techtool.domain.terminal import Address
from techtool.errors import NotCapable, Unreachable
from techtool.links.adb import server as server_module
from techtool.links.adb import serverprocess
from techtool.links.adb.devices import server_devices
from techtool.links.adb.server import AdbServerLink
from techtool.links.adb.serverprocess import ServerRecord, acquire, answers, environment, find_adb, release
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings
from tests.peers.tools import google_adb

NOBODY = {"ANDROID_ADB_SERVER_PORT": "1"}
"""A port where no user's server can be."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AdbSettings:
    """Google's adb, kept away from this machine's cables, network and keys."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ADB_MDNS", "0")
    monkeypatch.setenv("ADB_LIBUSB", "0")
    return AdbSettings(path=google_adb())


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    paths = Paths(tmp_path / "home")
    yield paths
    running = serverprocess._RUNNING.pop(paths.home / "adb", None)
    if running is not None and running.process is not None:
        running.process.kill()
        running.process.wait()


def record(paths: Paths) -> ServerRecord:
    return decode_json((paths.home / "adb" / "server.json").read_bytes(), ServerRecord)


@pytest.mark.peers
def test_one_server_for_all_lanes_stops_with_the_last(settings: AdbSettings, paths: Paths) -> None:
    first = acquire(settings, paths, "adb+server:X")
    assert acquire(settings, paths, "adb+server:Y") == first
    assert first.port != 5037
    assert record(paths).owner_pid == os.getpid()
    server = psutil.Process(record(paths).server_pid)
    release(paths)
    assert answers(first)
    release(paths)
    assert not answers(first)
    assert not server.is_running()
    assert not (paths.home / "adb" / "server.json").exists()
    release(paths)


@pytest.mark.peers
async def test_a_link_that_fails_to_open_gives_the_server_back(
    settings: AdbSettings, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "FRESH_S", 0.3)
    monkeypatch.setattr(server_module, "SETTLE_S", 0.1)
    link = AdbServerLink(Address("adb+server", "NOPE"), LinkSettings(settings), paths, environ=NOBODY)
    with pytest.raises(Unreachable, match="NOPE"):
        await link.open()
    assert not serverprocess._RUNNING
    assert await server_devices(LinkSettings(settings), paths, environ=NOBODY) == []
    assert not serverprocess._RUNNING


@pytest.mark.peers
def test_a_server_left_behind_is_taken_over_and_stopped(settings: AdbSettings, paths: Paths) -> None:
    left = acquire(settings, paths, "adb+server:X")
    process = serverprocess._RUNNING.pop(paths.home / "adb").process  # as if this techtool had been killed
    assert process is not None
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait()
    old = record(paths)
    (paths.home / "adb" / "server.json").write_bytes(encode_json(ServerRecord(old.server_pid, old.port, gone.pid)))
    assert acquire(settings, paths, "adb+server:X") == left
    assert record(paths).owner_pid == os.getpid()
    release(paths)
    assert process.wait(10) is not None
    assert not (paths.home / "adb" / "server.json").exists()


@pytest.mark.peers
def test_the_server_of_another_living_techtool_is_only_shared(settings: AdbSettings, paths: Paths) -> None:
    theirs = acquire(settings, paths, "adb+server:X")
    process = serverprocess._RUNNING.pop(paths.home / "adb").process
    assert process is not None
    old = record(paths)
    (paths.home / "adb" / "server.json").write_bytes(encode_json(ServerRecord(old.server_pid, old.port, os.getppid())))
    assert acquire(settings, paths, "adb+server:X") == theirs
    release(paths)
    assert answers(theirs)
    assert record(paths).owner_pid == os.getppid()
    process.kill()
    process.wait()


@pytest.mark.peers
def test_a_server_that_died_is_started_again(settings: AdbSettings, paths: Paths) -> None:
    first = acquire(settings, paths, "adb+server:X")
    psutil.Process(record(paths).server_pid).kill()
    second = acquire(settings, paths, "adb+server:X")
    assert answers(second)
    assert second != first
    release(paths)


def test_without_an_adb_program(tmp_path: Path, paths: Paths) -> None:
    with pytest.raises(NotCapable, match="adb"):
        acquire(AdbSettings(path=str(tmp_path / "nothing")), paths, "adb+server:X")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a script as a program")
def test_a_program_that_is_no_adb(tmp_path: Path, paths: Paths) -> None:
    program = tmp_path / "adb"
    program.write_text("#!/bin/sh\necho no adb at all\nexit 1\n")
    program.chmod(0o755)
    begin = time.monotonic()
    with pytest.raises(Unreachable, match="no adb at all"):
        acquire(AdbSettings(path=str(program)), paths, "adb+server:X")
    assert time.monotonic() - begin < 5
    assert not (paths.home / "adb" / "server.json").exists()


def test_which_adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_adb(AdbSettings())
    assert found is None or "adbutils" in found
    program = tmp_path / ("adb.exe" if sys.platform == "win32" else "adb")
    program.write_text("")
    program.chmod(0o755)
    assert find_adb(AdbSettings()) == str(program)
    assert find_adb(AdbSettings(path=str(program))) == str(program)
    assert find_adb(AdbSettings(path=str(tmp_path / "other"))) is None


def test_the_environment_of_our_server(tmp_path: Path) -> None:
    key = tmp_path / "adb.key"
    base = {"ANDROID_ADB_SERVER_PORT": "5037", "ADB_SERVER_SOCKET": "x", "ADB_VENDOR_KEYS": "/k", "HOME": "/h"}
    env = environment(tmp_path, key, base)
    assert env["TMPDIR"] == env["TEMP"] == str(tmp_path)
    assert (env["HOME"], env["ADB_VENDOR_KEYS"]) == ("/h", "/k")
    assert "ANDROID_ADB_SERVER_PORT" not in env
    assert "ADB_SERVER_SOCKET" not in env
    key.touch()
    assert environment(tmp_path, key, base)["ADB_VENDOR_KEYS"] == f"/k{os.pathsep}{key}"
