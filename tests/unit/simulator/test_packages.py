from pathlib import Path

import pytest

from techtool.domain.codec import decode_json
from techtool.errors import BadFile
from techtool.simulator.device import Device
from techtool.simulator.faults import Faults, FullStorage, InstallRefusal, ToldAt, WrongVersion
from techtool.simulator.state import DeviceState
from tests.unit.simulator.apk_maker import make_apk, signer
from tests.unit.simulator.bench import install, open_device, run

PAY = "org.example.pay"


async def listed(device: Device, package: str = PAY) -> str:
    return (await run(device, f"pm list packages --show-versioncode {package}")).out.strip()


async def session_of(device: Device, options: str = "-r") -> int:
    said = await run(device, f"cmd package install-create {options}")
    assert said.out.startswith("Success: created install session [")
    return int(said.out.split("[")[1].split("]")[0])


async def test_a_session_from_creation_to_commit(tmp_path: Path) -> None:
    device, apk = await open_device(tmp_path), make_apk(code=2)
    session = await session_of(device, f"-r -S {len(apk)}")
    said = await run(device, f"cmd package install-write -S {len(apk)} {session} base.apk -", apk + b"not ours")
    assert said.out == f"Success: streamed {len(apk)} bytes\n"
    assert await listed(device) == ""
    assert (await run(device, f"cmd package install-commit {session}")).out == "Success\n"
    assert await listed(device) == f"package:{PAY} versionCode:2"
    path = (await run(device, f"pm path {PAY}")).out.strip().removeprefix("package:")
    with device.files.open(path) as stream:
        assert stream.read() == apk
    assert device.store.state.sessions == {}


async def test_list_formats_every_column(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    await install(device, make_apk(code=2), "-i com.acme.store")
    path = (await run(device, f"pm path {PAY}")).out.strip().removeprefix("package:")
    said = await run(device, f"pm list packages -f -U -i --show-versioncode {PAY}")
    assert said.out == f"package:{path}={PAY} versionCode:2  installer=com.acme.store uid:10100\n"
    assert (await run(device, "pm list packages -3")).out == f"package:{PAY}\n"
    assert "package:android\n" in (await run(device, "pm list packages -s")).out


async def test_dumpsys_package(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    await install(device, make_apk(code=2, name="1.2"))
    lines = [line.strip() for line in (await run(device, f"dumpsys package {PAY}")).out.splitlines()]
    assert "versionCode=2 minSdk=23 targetSdk=29" in lines
    assert "versionName=1.2" in lines
    assert "firstInstallTime=2026-03-04 05:06:07" in lines
    assert any(line.startswith("signatures=PackageSignatures{") for line in lines)
    assert (await run(device, "dumpsys package no.such")).out == "Unable to find package: no.such\n"
    everything = (await run(device, "dumpsys package packages")).out
    assert everything.count("Packages:\n") == 1
    assert everything.count("  Package [") == len(device.packages.all()) == 4


async def test_update_keeps_uid_and_first_install_and_drops_the_old_file(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    await install(device, make_apk(code=2))
    first = device.packages.get(PAY)
    await install(device, make_apk(code=3))
    second = device.packages.get(PAY)
    assert first is not None
    assert second is not None
    assert (second.uid, second.first_installed_s, second.version_code) == (first.uid, first.first_installed_s, 3)
    assert second.path != first.path
    assert len(list((tmp_path / "apks").iterdir())) == 1


@pytest.mark.parametrize(
    ("apk", "word"),
    [
        (b"garbage" * 100, "INSTALL_PARSE_FAILED_NOT_APK"),
        (make_apk(code=1), "INSTALL_FAILED_VERSION_DOWNGRADE: Downgrade detected: Update version code 1 is older than"),
        (make_apk(code=3, by="mallory"), "INSTALL_FAILED_UPDATE_INCOMPATIBLE: Existing package org.example.pay sign"),
        (make_apk(code=3, min_sdk=31), "INSTALL_FAILED_OLDER_SDK: Requires newer sdk version #31 (current version is"),
        (make_apk(code=3, abis=("x86", "mips")), "INSTALL_FAILED_NO_MATCHING_ABIS: Failed to extract native libraries"),
        (make_apk(code=3, test_only=True), "INSTALL_FAILED_TEST_ONLY"),
    ],
    ids=["garbage", "downgrade", "signer", "sdk", "abi", "test-only"],
)
async def test_what_android_refuses(tmp_path: Path, apk: bytes, word: str) -> None:
    device = await open_device(tmp_path)
    assert await install(device, make_apk(code=2)) == "Success"
    assert (await install(device, apk)).startswith(f"Failure [{word}")
    assert await listed(device) == f"package:{PAY} versionCode:2"
    assert device.store.state.sessions == {}
    assert list((tmp_path / "sessions").iterdir()) == []


async def test_downgrade_only_of_debuggable_packages(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    await install(device, make_apk(code=5))
    assert "VERSION_DOWNGRADE" in await install(device, make_apk(code=4), "-d")
    debug = "org.example.debug"
    await install(device, make_apk(debug, 5, debuggable=True))
    assert "VERSION_DOWNGRADE" in await install(device, make_apk(debug, 4, debuggable=True))
    assert await install(device, make_apk(debug, 4, debuggable=True), "-d") == "Success"


async def test_reinstall_needs_r_before_android_10_only(tmp_path: Path) -> None:
    old = await open_device(tmp_path / "old", "unlisted")
    new = await open_device(tmp_path / "new", "castles-saturn1000f2")
    for device in (old, new):
        await install(device, make_apk(code=2))
    assert "INSTALL_FAILED_ALREADY_EXISTS" in await install(old, make_apk(code=3))
    assert await install(old, make_apk(code=3), "-r") == "Success"
    assert await install(new, make_apk(code=3)) == "Success"


async def test_full_storage_is_told_where_the_script_says(tmp_path: Path) -> None:
    apk = make_apk()
    at_commit = await open_device(tmp_path / "1", faults=Faults(storage=FullStorage(10)))
    assert (await install(at_commit, apk)).startswith("Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE: ")
    at_write = await open_device(tmp_path / "2", faults=Faults(storage=FullStorage(10, ToldAt.WRITE)))
    assert "failed to write; write failed: ENOSPC" in await install(at_write, apk)
    at_create = await open_device(tmp_path / "3", faults=Faults(storage=FullStorage(10, ToldAt.CREATE)))
    assert "Requested internal only, but not enough space" in await install(at_create, apk)
    for device in (at_commit, at_write, at_create):
        assert await listed(device) == ""
        assert device.store.state.sessions == {}


async def test_scripted_refusal_counts_and_picks_its_package(tmp_path: Path) -> None:
    refusal = InstallRefusal("INSTALL_FAILED_USER_RESTRICTED", "no", package=PAY, times=1)
    device = await open_device(tmp_path, faults=Faults(install=refusal))
    assert await install(device, make_apk("org.example.other")) == "Success"
    assert await install(device, make_apk()) == "Failure [INSTALL_FAILED_USER_RESTRICTED: no]"
    assert await install(device, make_apk()) == "Success"


async def test_it_says_ok_and_lies(tmp_path: Path) -> None:
    device = await open_device(tmp_path, faults=Faults(says_ok_and_lies=True))
    assert await install(device, make_apk()) == "Success"
    assert await listed(device) == ""


async def test_wrong_version_and_trailing_blank_afterwards(tmp_path: Path) -> None:
    faults = Faults(wrong_version=WrongVersion("0.9", 9, PAY), trailing_blank=True)
    device = await open_device(tmp_path, faults=faults)
    assert await install(device, make_apk(code=2)) == "Success"
    assert await listed(device) == f"package:{PAY} versionCode:9"
    assert "    versionName=0.9 \n" in (await run(device, f"dumpsys package {PAY}")).out


async def test_abandon_and_unknown_sessions(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    session = await session_of(device)
    await run(device, f"pm install-write -S 3 {session} base.apk -", b"abc")
    assert (await run(device, f"pm install-abandon {session}")).out == "Success\n"
    assert list((tmp_path / "sessions").iterdir()) == []
    for action in ("install-abandon", "install-commit"):
        said = await run(device, f"pm {action} {session}")
        assert said.code == 255
        assert f"Caller has no access to session {session}" in said.err
    assert (await run(device, f"pm install-write -S 3 {session} base.apk -", b"abc")).code == 255


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        ("pm install-write SESSION x -", 1, "must specify a APK size"),
        ("pm install-write -S 10 SESSION x -", 1, "Expected 10 bytes but got 3"),
        ("pm install-write SESSION x /sdcard/nope.apk", 1, "unable to open file"),
        ("pm install-write -S ten SESSION x -", 255, 'For input string: "ten"'),
        ("pm install-write -S 3 SESSION", 255, "Argument expected"),
        ("pm install-create --frob", 255, "Unknown option --frob"),
        ("pm install-create -S", 255, 'Argument expected after "-S"'),
        ("pm install", 1, "must either specify a package size or an APK file"),
        ("pm frob", 255, "Unknown command: frob"),
        ("cmd window size", 20, "Can't find service: window"),
        ("pm list users", 255, "unknown list type 'users'"),
        ("pm list packages --apex-only", 255, "Unknown option: --apex-only"),
        ("pm path no.such", 1, ""),
        ("pm uninstall android", 1, "Failure [DELETE_FAILED_INTERNAL_ERROR]"),
    ],
)
async def test_wrong_words(tmp_path: Path, command: str, code: int, text: str) -> None:
    device = await open_device(tmp_path)
    session = await session_of(device)
    said = await run(device, command.replace("SESSION", str(session)), b"abc")
    assert said.code == code
    assert text in said.out + said.err


async def test_install_from_a_pushed_file_and_uninstall(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    device.files.place("/data/local/tmp/a.apk").write_bytes(make_apk(code=2))
    assert (await run(device, "pm install -r /data/local/tmp/a.apk")).out == "Success\n"
    assert (await run(device, f"pm uninstall {PAY}")).out == "Success\n"
    assert (await run(device, f"pm uninstall {PAY}")).out == "Failure [not installed for 0]\n"
    assert list((tmp_path / "apks").iterdir()) == []


async def test_everything_survives_a_power_cut_and_leftovers_are_cleaned(tmp_path: Path) -> None:
    device, apk = await open_device(tmp_path), make_apk(code=2)
    await install(device, apk)
    session = await session_of(device)
    await run(device, f"pm install-write -S {len(apk)} {session} base.apk -", apk)
    (tmp_path / "incoming" / "half").write_bytes(b"half a push")
    (tmp_path / "sessions" / "1.0").write_bytes(b"bytes of no session")
    (tmp_path / "apks" / f"{'0' * 64}.apk").write_bytes(b"moved here, never recorded")
    again = await open_device(tmp_path)
    assert await listed(again) == f"package:{PAY} versionCode:2"
    assert list((tmp_path / "incoming").iterdir()) == []
    assert len(list((tmp_path / "sessions").iterdir())) == 1
    assert len(list((tmp_path / "apks").iterdir())) == 1
    assert (await run(again, f"pm install-commit {session}")).out == "Success\n"


async def test_the_state_file_is_the_truth(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    await install(device, make_apk())
    on_disk = decode_json((tmp_path / "terminal.json").read_bytes(), DeviceState)
    assert on_disk == device.store.state
    assert on_disk.packages[PAY].signer == signer("acme").sha256


@pytest.mark.parametrize("damage", [b"{", b'{"schema": 1, "model": "verifone-t650p", "serial": "x"}'])
async def test_a_folder_of_something_else_is_refused(tmp_path: Path, damage: bytes) -> None:
    await open_device(tmp_path)
    (tmp_path / "terminal.json").write_bytes(damage)
    with pytest.raises(BadFile):
        await open_device(tmp_path)
    assert (tmp_path / "terminal.json").read_bytes() == damage


async def test_preinstalled_apks_are_there_on_a_new_terminal_only(tmp_path: Path) -> None:
    from dataclasses import replace

    from techtool.simulator.model import find_model

    (tmp_path / "apks").mkdir()
    (tmp_path / "apks" / "pay-1.apk").write_bytes(make_apk(code=1))
    model = replace(find_model("sunmi-p2"), preinstalled=("pay-1.apk", "missing.apk"))
    device = await open_device(tmp_path / "state", model, apks=tmp_path / "apks")
    assert await listed(device) == f"package:{PAY} versionCode:1"
    await run(device, f"pm uninstall {PAY}")
    again = await open_device(tmp_path / "state", model, apks=tmp_path / "apks")
    assert await listed(again) == ""
