from pathlib import Path

import pytest

from techtool.domain.terminal import BatchState, TamperState
from techtool.simulator.device import Device
from techtool.simulator.faults import FallingBattery, Faults, FullStorage
from tests.unit.simulator.bench import NOW, open_device, run


@pytest.fixture
async def device(tmp_path: Path) -> Device:
    return await open_device(tmp_path)


@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        ("true", 0, "", ""),
        ("exit 3", 3, "", ""),
        ("exit 300", 44, "", ""),
        ("false; echo x$?", 0, "x1\n", ""),
        ("(exit 3); echo M:$?", 0, "M:3\n", ""),
        ("( exit 3\n) </dev/null; echo M:$?", 0, "M:3\n", ""),
        ("exit 3; echo never", 3, "", ""),
        ("(echo a; exit 4; echo b) && echo c", 4, "a\n", ""),
        ("false && echo a || echo b", 0, "b\n", ""),
        ("true || echo a && echo b", 0, "b\n", ""),
        ("echo out; cat /nope", 1, "out\n", "cat: /nope: No such file or directory\n"),
        ("cat /nope 2>/dev/null", 1, "", ""),
        ("cat /nope 2>&1", 1, "cat: /nope: No such file or directory\n", ""),
        ("echo a >/dev/null", 0, "", ""),
        ("echo a >&2", 0, "", "a\n"),
        ("(echo a; cat /nope) 2>&1 >/dev/null", 1, "cat: /nope: No such file or directory\n", ""),
        ("nonsense", 127, "", "/system/bin/sh: nonsense: inaccessible or not found\n"),
        ("/system/bin/getprop ro.product.model", 0, "P2\n", ""),
        ("getprop no.such.key", 0, "\n", ""),
        ("echo -n a", 0, "a", ""),
        ("[ -d /sdcard ] && [ ! = x ]; echo $?", 0, "1\n", ""),
        ("test -f /sdcard || test -e /sdcard", 0, "", ""),
        ("[ a = a", 2, "", "[: missing ]\n"),
        ("setprop ro.serialno X", 1, "", "Failed to set property 'ro.serialno' to 'X'.\n"),
    ],
)
async def test_commands(device: Device, command: str, code: int, out: str, err: str) -> None:
    said = await run(device, command)
    assert (said.code, said.out, said.err) == (code, out, err)


async def test_what_is_not_simulated_says_so_with_exit_2(device: Device) -> None:
    said = await run(device, "dumpsys package x | grep versionCode")
    assert (said.code, said.out) == (2, "")
    assert "not simulated" in said.err


async def test_getprop_lists_everything_in_brackets(device: Device) -> None:
    lines = (await run(device, "getprop")).out.splitlines()
    assert "[ro.product.manufacturer]: [SUNMI]" in lines
    assert "[ro.sunmi.serial]: [P2SIM23A1001]" in lines
    assert "[techtool.sim.tid]: [20011001]" in lines
    assert "[techtool.sim.batch]: [settled]" in lines
    keys = [line.split("]")[0] for line in lines]
    assert keys == sorted(keys)


async def test_the_trainee_settles_an_open_batch(tmp_path: Path) -> None:
    device = await open_device(tmp_path, faults=Faults(batch=BatchState.OPEN, tamper=TamperState.TAMPERED))
    assert (await run(device, "getprop techtool.sim.batch; getprop techtool.sim.tamper")).out == "open\ntampered\n"
    assert (await run(device, "setprop techtool.sim.batch settled; getprop techtool.sim.batch")).out == "settled\n"
    again = await open_device(tmp_path)
    assert (await run(again, "getprop techtool.sim.batch; getprop techtool.sim.tamper")).out == "settled\ntampered\n"


async def test_files(device: Device) -> None:
    assert (await run(device, "mkdir -p /sdcard/a/b; mkdir /sdcard/a")).err == "mkdir: '/sdcard/a': File exists\n"
    place = device.files.place("/sdcard/a/b/hallo 你好.txt")
    place.write_bytes(b"hi\n")
    path = "'/sdcard/a/b/hallo 你好.txt'"
    assert (await run(device, f"cat {path}")).out == "hi\n"
    assert (await run(device, f"stat -c '%s %F' {path}")).out == "3 regular file\n"
    digest = "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4"
    assert (await run(device, f"sha256sum {path}")).out == f"{digest}  /sdcard/a/b/hallo 你好.txt\n"
    assert (await run(device, "ls /sdcard/a/b; ls -d /sdcard/a/b")).out == "hallo 你好.txt\n/sdcard/a/b\n"
    assert (await run(device, "rm /sdcard/a")).err == "rm: /sdcard/a: Is a directory\n"
    assert (await run(device, "rm -rf /sdcard/a /sdcard/nope; ls /sdcard")).out == ""
    assert (await run(device, "rm /system/framework/framework-res.apk")).err.endswith("Read-only file system\n")
    assert (await run(device, "cat /system/framework/framework-res.apk")).err.endswith("Permission denied\n")
    assert (await run(device, "ls /data")).err == "ls: /data: Permission denied\n"


async def test_standard_input_reaches_the_command(device: Device) -> None:
    assert (await run(device, "cat", b"abc")).out == "abc"
    assert (await run(device, "cat </dev/null", b"abc")).out == ""


async def test_clock_uptime_and_boot_id(device: Device) -> None:
    assert (await run(device, "date +%s")).out == f"{int(NOW.timestamp())}\n"
    assert (await run(device, "cat /proc/uptime")).out == "0.00 0.00\n"
    boots = set()
    for _ in range(3):
        device.boot()
        boots.add((await run(device, "cat /proc/sys/kernel/random/boot_id")).out)
    assert len(boots) == 3
    assert all(len(boot) == 37 for boot in boots)


async def test_battery_falls_with_every_reading(tmp_path: Path) -> None:
    faults = Faults(battery=FallingBattery(start_percent=40, fall_percent=15, external_power=False))
    device = await open_device(tmp_path, faults=faults)
    levels = [(await run(device, "dumpsys battery")).out for _ in range(4)]
    assert [int(text.split("level: ")[1].split()[0]) for text in levels] == [40, 25, 10, 0]
    assert "AC powered: false" in levels[0]
    assert "status: 3" in levels[0]


async def test_a_terminal_without_battery_says_so(tmp_path: Path) -> None:
    device = await open_device(tmp_path, "unlisted")
    said = await run(device, "dumpsys battery")
    assert "present: false" in said.out
    assert "AC powered: true" in said.out


async def test_free_storage_is_what_the_model_has_less_what_is_used(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    before = await run(device, "df -k /data")
    device.files.place("/sdcard/big").write_bytes(b"x" * 4096)
    after = await run(device, "df -k /data /sdcard")
    free = [int(said.out.splitlines()[1].split()[3]) for said in (before, after)]
    assert free == [4_194_304, 4_194_300]
    assert len(after.out.splitlines()) == 3
    full = await open_device(tmp_path, faults=Faults(storage=FullStorage()))
    assert (await run(full, "df -k /data")).out.splitlines()[1].split()[3:5] == ["0", "100%"]


async def test_reboot_asks_the_daemon(device: Device) -> None:
    asked: list[str] = []
    device.request_reboot = lambda: asked.append("now")
    assert (await run(device, "reboot")).code == 0
    assert asked == ["now"]
