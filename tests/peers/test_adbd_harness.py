"""Google's adb drives Debian's adbd and the programs that stand for Android: the harness itself can be trusted."""

from __future__ import annotations

import hashlib
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.peers import apk_variants
from tests.peers.adb_server import AdbServer
from tests.peers.android.state import Battery
from tests.peers.terminal import AdbdTerminal
from tests.peers.tools import REPO, google_adb

pytestmark = pytest.mark.peers

SETTINGS = "settings_apk-debug.apk"


def install(server: AdbServer, apk: Path, *options: str) -> str:
    """Everything adb said, with its exit code in front."""
    done = server.adb("install", "--no-streaming", *options, str(apk))
    return f"{done.returncode}: {done.stdout}{done.stderr}"


def streamed(server: AdbServer, apk: Path, *, create: str = "", size: int | None = None) -> tuple[str, int]:
    """Install by session as our driver does, through Google's adb: the last answer and its exit code."""
    size = apk.stat().st_size if size is None else size
    made = server.adb("shell", f"cmd package install-create {create}")
    found = re.search(r"\[(\d+)\]", made.stdout)
    if found is None:
        return made.stdout + made.stderr, made.returncode
    with apk.open("rb") as stream:
        wrote = subprocess.run(
            [*server.command, "shell", "-T", f"cmd package install-write -S {size} {found[1]} base.apk -"],
            stdin=stream,
            capture_output=True,
            text=True,
            check=False,
            env=server.environment,
            timeout=60,
        )
    if wrote.returncode:
        return wrote.stdout + wrote.stderr, wrote.returncode
    assert wrote.stdout == f"Success: streamed {size} bytes\n"
    done = server.adb("shell", f"cmd package install-commit {found[1]}")
    return done.stdout + done.stderr, done.returncode


def test_properties_and_exit_codes(fresh_adbd: AdbdTerminal, adb_server: AdbServer) -> None:
    assert adb_server.adb("shell", "getprop ro.sunmi.hardware").stdout == "P2\n"
    dump = adb_server.adb("shell", "getprop").stdout
    assert "[ro.product.manufacturer]: [SUNMI]\n" in dump
    assert "techtool.sim" not in dump
    failed = adb_server.adb("shell", "echo out; echo err >&2; exit 3")
    assert (failed.returncode, failed.stdout, failed.stderr) == (3, "out\n", "err\n")
    assert adb_server.adb("shell", "python3 --version").returncode == 127


def test_push_and_pull(fresh_adbd: AdbdTerminal, adb_server: AdbServer, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000
    (tmp_path / "sent").write_bytes(content)
    assert adb_server.adb("push", str(tmp_path / "sent"), "/data/local/tmp/x").returncode == 0
    assert (fresh_adbd.state_dir / "local/tmp/x").read_bytes() == content
    assert adb_server.adb("pull", "/data/local/tmp/x", str(tmp_path / "got")).returncode == 0
    assert (tmp_path / "got").read_bytes() == content
    refused = adb_server.adb("push", str(tmp_path / "sent"), "/system/bin/x")
    assert refused.returncode == 1
    assert "Read-only file system" in refused.stdout + refused.stderr


def test_install_and_what_is_told_of_it(
    fresh_adbd: AdbdTerminal, adb_server: AdbServer, npm_apks: Mapping[str, Path]
) -> None:
    apk = npm_apks[SETTINGS]
    assert install(adb_server, apk).startswith("0: ")
    there = fresh_adbd.installed("io.appium.settings")
    assert there is not None
    assert there.read_bytes() == apk.read_bytes()

    listed = adb_server.adb("shell", "pm list packages -f -U -i --show-versioncode").stdout
    assert re.fullmatch(
        r"package:/data/app/~~\S{22}==/io\.appium\.settings-\S{22}==/base\.apk=io\.appium\.settings "
        r"versionCode:192  installer=\S+ uid:10100\n",
        listed,
    )
    path = adb_server.adb("shell", "pm path io.appium.settings").stdout.strip().removeprefix("package:")
    digest = adb_server.adb("shell", f"sha256sum {path}").stdout.split()[0]
    assert digest == hashlib.sha256(apk.read_bytes()).hexdigest()
    dump = adb_server.adb("shell", "dumpsys package io.appium.settings").stdout
    assert "    versionCode=192 minSdk=26 targetSdk=35\n    versionName=8.0.10\n" in dump
    signer = fresh_adbd.android.packages()["io.appium.settings"].signers[0]
    assert signer == "680dbbc39ab0944796c811b636ace510c8e551317087036cebab0751b0a6190c"
    assert signer not in dump, "no Android tells the digest"

    assert adb_server.adb("shell", "pm path no.such.package").returncode == 1
    assert adb_server.adb("uninstall", "io.appium.settings").stdout == "Success\n"
    assert adb_server.adb("shell", "pm list packages").stdout == ""
    assert not there.exists()


def test_session_installs_and_replaces(fresh_adbd: AdbdTerminal, adb_server: AdbServer) -> None:
    for version in ("1.4.0", "1.5.0"):
        apk = apk_variants.demo(f"com.example.sunmi.pay-{version}")
        assert streamed(adb_server, apk, create="-r") == ("Success\n", 0)
    there = fresh_adbd.installed("com.example.sunmi.pay")
    assert there is not None
    assert there.read_bytes() == apk.read_bytes()
    assert [p.name for p in (fresh_adbd.state_dir / "app").iterdir()] == [there.parent.parent.name]


def test_refuses_what_android_refuses(fresh_adbd: AdbdTerminal, adb_server: AdbServer, tmp_path: Path) -> None:
    old, new = (apk_variants.demo(f"com.example.sunmi.pay-{version}") for version in ("1.4.0", "1.5.0"))
    other = apk_variants.demo("com.example.sunmi.pay-1.6.0-othersigner")
    assert install(adb_server, new).startswith("0: ")

    said, code = streamed(adb_server, old, create="-r")
    assert (said, code) == ("Failure [INSTALL_FAILED_VERSION_DOWNGRADE]\n", 4)
    assert "INSTALL_FAILED_VERSION_DOWNGRADE" in install(adb_server, old, "-d"), "-d is for debuggable packages"
    said, code = streamed(adb_server, other)
    assert said.startswith("Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: Package com.example.sunmi.pay signatures ")
    assert code == 5
    said, code = streamed(adb_server, new, create="-R")
    assert said.startswith("Failure [INSTALL_FAILED_ALREADY_EXISTS: ")

    bare = apk_variants.without_signature(new, tmp_path / "bare.apk")
    said, code = streamed(adb_server, bare)
    assert said.startswith("Failure [INSTALL_PARSE_FAILED_NO_CERTIFICATES: ")
    flipped = bytearray(new.read_bytes())
    flipped[len(flipped) // 3] ^= 1
    (tmp_path / "flipped.apk").write_bytes(flipped)
    said, code = streamed(adb_server, tmp_path / "flipped.apk")
    assert said.startswith("Failure [INSTALL_PARSE_FAILED_"), said

    there = fresh_adbd.installed("com.example.sunmi.pay")
    assert there is not None
    assert there.read_bytes() == new.read_bytes(), "a refusal leaves what was there"
    assert not list((fresh_adbd.state_dir / "app").glob("vmdl*")), "and nothing of its session"


def test_garbage_is_no_apk(fresh_adbd: AdbdTerminal, adb_server: AdbServer, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.apk"
    garbage.write_bytes(b"no zip at all" * 1000)
    said, code = streamed(adb_server, garbage)
    assert re.match(r"Failure \[INSTALL_PARSE_FAILED_NOT_APK: Failed to parse /data/app/vmdl\d+\.tmp/base\.apk\]", said)
    assert code == 4
    assert "Failed to parse APK file" in install(adb_server, garbage)
    truncated = apk_variants.demo("com.example.sunmi.pay-1.4.0")
    said, code = streamed(adb_server, truncated, size=truncated.stat().st_size - 100)
    assert said.startswith("Failure [INSTALL_PARSE_FAILED_NOT_APK")
    assert fresh_adbd.android.packages() == {}


def test_refuses_another_android_and_another_processor(
    fresh_adbd: AdbdTerminal, adb_server: AdbServer, npm_apks: Mapping[str, Path], tmp_path: Path
) -> None:
    demo = apk_variants.demo("com.example.sunmi.pay-1.4.0")
    said, code = streamed(adb_server, apk_variants.with_native_code(demo, "x86", tmp_path / "x86.apk"))
    assert said.startswith("Failure [INSTALL_FAILED_NO_MATCHING_ABIS: ")
    assert code == 7
    fresh_adbd.android.set_property("ro.build.version.sdk", "25")
    said, code = streamed(adb_server, npm_apks[SETTINGS])
    assert "Failure [INSTALL_FAILED_OLDER_SDK: " in said
    assert "Requires newer sdk version #26 (current version is #25)]" in said


def test_no_space(fresh_adbd: AdbdTerminal, adb_server: AdbServer, npm_apks: Mapping[str, Path]) -> None:
    apk = npm_apks[SETTINGS]
    fresh_adbd.android.set_free_bytes(1_000_000)
    said, code = streamed(adb_server, apk, create=f"-S {apk.stat().st_size}")
    assert "java.io.IOException: Requested internal only, but not enough space" in said
    assert code == 255
    said, code = streamed(adb_server, apk)
    assert f"Error: failed to write; Failed to allocate {apk.stat().st_size} because only " in said
    assert code == 1
    free_kib = int(adb_server.adb("shell", "df -k /data").stdout.splitlines()[1].split()[3])
    assert 900 < free_kib < 1000


def test_sessions_are_known_by_their_number(fresh_adbd: AdbdTerminal, adb_server: AdbServer) -> None:
    unknown = adb_server.adb("shell", "pm install-abandon 4711")
    assert "java.lang.SecurityException: Caller has no access to session 4711" in unknown.stderr
    assert unknown.returncode == 255
    made = adb_server.adb("shell", "pm install-create -r -S 1000").stdout
    number = re.fullmatch(r"Success: created install session \[(\d+)\]\n", made)
    assert number is not None
    empty = adb_server.adb("shell", f"pm install-commit {number[1]}")
    assert empty.stdout.startswith("Failure [INSTALL_FAILED_INVALID_APK")
    made = adb_server.adb("shell", "pm install-create").stdout
    assert adb_server.adb("shell", f"pm install-abandon {made.split('[')[1].split(']')[0]}").stdout == "Success\n"
    assert fresh_adbd.android.sessions() == {}


def test_battery_and_unknown_services(fresh_adbd: AdbdTerminal, adb_server: AdbServer) -> None:
    fresh_adbd.android.set_battery(Battery(level=12, usb_powered=False))
    said = adb_server.adb("shell", "dumpsys battery").stdout
    assert "  USB powered: false\n" in said
    assert "  level: 12\n" in said
    assert adb_server.adb("shell", "dumpsys package no.such").stdout == "Unable to find package: no.such\n"
    nothing = adb_server.adb("shell", "cmd nothing")
    assert (nothing.returncode, nothing.stderr) == (20, "cmd: Can't find service: nothing\n")


def greeting(port: int) -> bytes:
    """What the daemon says to a client that introduces itself; nothing when there is none behind the relay."""
    banner = b"host::\0"
    connect = int.from_bytes(b"CNXN", "little")
    packet = struct.pack("<6I", connect, 0x01000001, 1 << 20, len(banner), 0, connect ^ 0xFFFFFFFF) + banner
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(packet)
            return client.recv(4)
    except ConnectionError:
        return b""


def returns(port: int) -> bool:
    """Whether the daemon answers again within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if greeting(port) == b"CNXN":
            return True
        time.sleep(0.02)
    return False


def test_comes_back_after_a_reboot_and_a_power_cut(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    port = fresh_adbd.port
    assert greeting(port) == b"CNXN"
    server = AdbServer(google_adb(), tmp_path)
    server.start()
    try:
        server.connect(f"127.0.0.1:{port}")
        assert server.adb("shell", "pm install-create").returncode == 0
        server.adb("shell", "reboot; sleep 60")
    finally:
        server.stop()
    assert returns(port)
    assert fresh_adbd.android.sessions() == {}, "open sessions do not survive"
    fresh_adbd.power_off()
    assert greeting(port) == b""
    fresh_adbd.power_on()
    assert greeting(port) == b"CNXN"


def test_only_this_way_leads_in(adbd: AdbdTerminal) -> None:
    """In its own network adbd listens on every address; from here only the relay on loopback answers."""
    with socket.create_connection(("127.0.0.1", adbd.port), 5):
        pass
    code = "import os,socket; socket.create_connection(('127.0.0.1', int(os.environ['ADBD_ADDRESS'].split(':')[2])), 5)"
    inside = adbd.run_in_namespace([sys.executable, "-c", code])
    assert inside.returncode == 0, inside.stderr
    interfaces = adbd.run_in_namespace([sys.executable, "-c", "import socket; print(socket.if_nameindex())"])
    assert interfaces.stdout.split(b"'")[1::2] == [b"lo"]


def test_runs_a_command_beside_a_fresh_adbd() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.peers.debian_adbd", "--run", "--", "sh", "-c", "echo $ADBD_ADDRESS; exit 7"],
        capture_output=True,
        check=False,
        cwd=REPO,
        timeout=60,
    )
    assert done.returncode == 7, done.stderr
    assert re.fullmatch(rb"adb://127\.0\.0\.1:\d+\n", done.stdout)
