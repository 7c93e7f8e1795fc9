"""``techtool find`` before Debian's adbd, behind a network and behind a serial line, and before Google's adb server."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from techtool.errors import Exit
from tests.peers.adb_server import AdbServer
from tests.peers.terminal import AdbdTerminal
from tests.peers.tools import need

pytestmark = pytest.mark.peers

IN_A_SHOP = """
import asyncio, os, socket, subprocess, sys
from tests.peers.relay import Relay

async def main():
    subprocess.run([os.environ["IP"], "addr", "add", "192.168.77.1/24", "dev", "lo"], check=True)
    host, _, port = os.environ["ADBD_ADDRESS"].removeprefix("adb://").partition(":")
    there = socket.create_server(("192.168.77.9", 5555))
    async with Relay((host, int(port)), listener=there) as relay:
        command = [sys.executable, "-m", "techtool", "find", *sys.argv[1:]]
        process = await asyncio.create_subprocess_exec(*command)
        code = await process.wait()
        print(relay.passed_bytes, file=sys.stderr)
        return code

sys.exit(asyncio.run(main()))
"""
"""The laptop is 192.168.77.1 in a network of its own; adbd stands at 192.168.77.9:5555; nobody else is there."""


def environment(home: Path) -> dict[str, str]:
    """One laptop; no adb server of the machine's."""
    return {**os.environ, "TECHTOOL_HOME": str(home), "TECHTOOL_LANG": "en", "ANDROID_ADB_SERVER_PORT": "1"}


def techtool(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "techtool", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment(home))


def test_a_subnet_is_probed_with_one_packet_a_host(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text('technician = "Li Wei"\n')
    env = {**environment(home), "IP": need("ip"), "PYTHONPATH": str(Path(__file__).parents[2])}
    # A /28 lasts a second; a /24 is the same thirteen times over.
    done = fresh_adbd.run_in_namespace(
        [sys.executable, "-c", IN_A_SHOP, "--probe-subnet", "192.168.77.0/28", "--json"], env=env
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(one["address"], one["how"]) for one in found["terminals"]] == [("adb://192.168.77.9:5555", "probe")]
    assert int(done.stderr.split()[-1]) < 64, "one CNXN, nothing else"
    log = json.loads(techtool(home, "find", "--probes", "--json").stdout)["probes"]
    assert [(one["who"], one["target"], one["asked"], one["found"]) for one in log] == [
        ("Li Wei", "192.168.77.0/28", 13, None),
        ("Li Wei", "192.168.77.0/28", 13, ["192.168.77.9:5555"]),
    ]


@pytest.mark.parametrize("network", ["192.168.0.0/16", "8.8.8.0/24", "rubbish"])
def test_no_other_network_is_probed(network: str, tmp_path: Path) -> None:
    done = techtool(tmp_path, "find", "--probe-subnet", network)
    assert done.returncode == Exit.USAGE
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "probes.jsonl").exists()


@contextmanager
def line_to(port: int) -> Iterator[str]:
    """A serial line (a pseudo terminal) whose other end is a TCP port of loopback."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        done = threading.Event()

        def carry() -> None:
            while not done.is_set():
                for ready in select.select([ours, sock.fileno()], [], [], 0.05)[0]:
                    if ready == ours:
                        sock.sendall(os.read(ours, 4096))
                    else:
                        os.write(ours, sock.recv(4096))

        thread = threading.Thread(target=carry, daemon=True)
        thread.start()
        try:
            yield os.ttyname(theirs)
        finally:
            done.set()
            thread.join()
            os.close(ours)
            os.close(theirs)


def test_a_serial_port_is_probed_when_it_is_named(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    with line_to(fresh_adbd.port) as port:
        done = techtool(tmp_path, "find", "--probe-serial", port, "--json")
    assert done.returncode == 0, done.stderr
    (seen,) = json.loads(done.stdout)["others"]
    assert (seen["state"], seen["place"], seen["address"]) == ("answered_serial", port, None)


def test_a_serial_port_with_something_else_behind_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as scale:
        with line_to(scale.getsockname()[1]) as port:
            done = techtool(tmp_path, "find", "--probe-serial", port)
    assert done.returncode == Exit.NOT_FOUND
    assert "Nobody answered" in done.stderr


def test_cables_go_in_and_out(fresh_adbd: AdbdTerminal, google_server: AdbServer, tmp_path: Path) -> None:
    """Google's server tells us; nobody presses a key."""
    address = google_server.connect(f"127.0.0.1:{fresh_adbd.port}")
    google_server.run("disconnect", address)
    env = {**environment(tmp_path), "ANDROID_ADB_SERVER_PORT": str(google_server.port)}
    command = [sys.executable, "-m", "techtool", "find", "--watch", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env) as process:
        assert process.stdout is not None
        seen_there = (json.loads(line)["terminals"] for line in process.stdout)
        # adb 36 goes on showing those of earlier tests as offline.
        lists = ([one for one in seen if one["address"] == f"adb+server:{address}"] for seen in seen_there)
        try:
            assert next(lists) == []
            google_server.connect(address)
            states = next(seen[0] for seen in lists if seen and seen[0]["state"] == "device")
            assert (states["address"], states["usable"]) == (f"adb+server:{address}", True)
            fresh_adbd.power_off()
            assert next(seen for seen in lists if not seen or seen[0]["state"] != "device") is not None
        finally:
            process.kill()
            fresh_adbd.power_on()
