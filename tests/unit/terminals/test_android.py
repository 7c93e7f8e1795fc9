"""The Android driver over a scripted link."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import pytest

from techtool.catalogue.allow import AllowedFile, AllowedProperties, AllowList, Privacy
from techtool.catalogue.reader import load_catalogue
from techtool.clock import FixedClock
from techtool.domain.backup import Announced, BackupItem, ItemKind, NotRead, SnapshotPart
from techtool.domain.codec import decode_json_untyped
from techtool.domain.terminal import BatchState, Battery, Evidence, InstalledPackage, TamperState
from techtool.errors import (
    AnotherTerminal,
    CommandRefused,
    LinkLost,
    LinkTimeout,
    NotCapable,
    UnknownModel,
    Unreachable,
)
from techtool.links.base import Capability, CommandResult
from techtool.terminals.base import Terminal
from techtool.terminals.identify import identify
from tests.unit.terminals import recorded
from tests.unit.terminals.fake_link import FakeLink

LIST = "pm list packages -f -U -i --show-versioncode"
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
NOW = datetime.fromtimestamp(1_700_000_000, UTC)
PAY_APK = "/data/app/~~Zm9v==/com.acme.pay-YmFy==/base.apk"
DEMO_APK = (
    Path(__file__).parents[3] / "techtool" / "simulator" / "apks" / "com.example.sunmi.pay-1.4.0.apk"
).read_bytes()
REFUSED = CommandRefused(command="x", answer="closed")


def sunmi() -> FakeLink:
    return FakeLink(
        {
            "getprop": recorded.GETPROP,
            LIST: recorded.PACKAGES,
            "dumpsys package com.acme.pay": recorded.DUMPSYS_PAY,
            "dumpsys package com.android.webview": recorded.DUMPSYS_WEBVIEW,
            "dumpsys battery": recorded.BATTERY,
            "df -k /data": recorded.DF,
            "date +%s": "1700000090\n",
            "cat /proc/uptime": "350735.47 234388.90\n",
            "pm path com.acme.pay": f"package:{PAY_APK}\n",
        }
    )


async def terminal(link: FakeLink) -> Terminal:
    return await identify(link, load_catalogue(), FixedClock(NOW))


async def test_identify() -> None:
    identity = (await terminal(sunmi())).identity
    assert identity.address == "adb://10.0.0.7:5555"
    assert (identity.vendor, identity.model, identity.model_name) == ("sunmi", "P2", "SUNMI P2")
    assert (identity.serial, identity.serial_source) == ("P2L4711A00815", "ro.sunmi.serial")
    assert identity.firmware == "P2_3.0.26_240603"


async def test_an_unknown_device_shows_what_it_says() -> None:
    link = sunmi()
    link.answers["getprop"] = recorded.GETPROP.replace("[P2]", "[X9]")
    with pytest.raises(UnknownModel) as unknown:
        await terminal(link)
    assert unknown.value.facts["ro.sunmi.hardware"] == "X9"
    assert "SUNMI X9" in str(unknown.value)
    assert unknown.value.exit_code == 21


@pytest.mark.parametrize("answer", ["", CommandResult(127, b"", b"not found"), REFUSED])
async def test_a_device_that_says_nothing_is_unknown(answer: str | CommandResult | CommandRefused) -> None:
    with pytest.raises(UnknownModel) as unknown:
        await terminal(FakeLink({"getprop": answer}))
    assert unknown.value.facts == {}


async def test_without_a_shell_nothing_can_be_asked() -> None:
    link = sunmi()
    link.can = frozenset({Capability.READ_FILES})
    with pytest.raises(NotCapable):
        await terminal(link)


async def test_state() -> None:
    link = sunmi()
    state = await (await terminal(link)).read_state()
    assert state.battery == Battery(87, True)
    assert state.free_storage_bytes == 8211336 * 1024
    assert state.clock_offset_s == 90.5
    assert state.uptime_s == 350735.47
    assert state.packages == (
        InstalledPackage("android", "", 30, in_system_image=True),
        InstalledPackage("com.acme.pay", "1.4.0 beta 2", 10400),
        InstalledPackage("com.android.settings", "", 30, in_system_image=True),
        InstalledPackage("com.android.webview", "87.0.4280.101", 438910534),
    )
    assert "dumpsys package android" not in link.commands
    assert (state.batch, state.tamper, state.tid, state.evidence) == (None, None, None, {})


async def test_what_a_terminal_does_not_tell_is_not_known() -> None:
    link = sunmi()
    for command in ("dumpsys battery", "df -k /data", "date +%s", "cat /proc/uptime"):
        link.answers[command] = REFUSED
    state = await (await terminal(link)).read_state()
    assert (state.battery, state.free_storage_bytes, state.clock_offset_s, state.uptime_s) == (None,) * 4


async def test_simulated_facts_are_marked_so() -> None:
    link = sunmi()
    link.answers["getprop"] = recorded.GETPROP + (
        "[techtool.sim]: [1]\n[techtool.sim.batch]: [open]\n[techtool.sim.tamper]: [tampered]\n"
        "[techtool.sim.tid]: [20011001]\n[techtool.sim.mid]: [104110058120001]\n"
        "[techtool.sim.bootloader]: [2.1.4]\n[techtool.sim.region]: [CN]\n"
    )
    state = await (await terminal(link)).read_state()
    assert (state.batch, state.tamper) == (BatchState.OPEN, TamperState.TAMPERED)
    assert (state.tid, state.mid, state.bootloader, state.region) == ("20011001", "104110058120001", "2.1.4", "CN")
    assert set(state.evidence.values()) == {Evidence.SIMULATED}
    assert set(state.evidence) == {"batch", "tamper", "tid", "mid", "bootloader", "region"}


async def test_signers_are_read_from_the_file_for_named_packages_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    link = sunmi()
    link.files[PAY_APK] = DEMO_APK
    state = await (await terminal(link)).read_state(signers_of={"com.acme.pay", "com.acme.absent"})
    signers = {p.id: p.signer for p in state.packages}
    assert signers["com.acme.pay"] is not None
    assert len(signers["com.acme.pay"]) == 64
    assert [s for name, s in signers.items() if name != "com.acme.pay"] == [None, None, None]
    assert list(tmp_path.iterdir()) == []
    assert link.open_pulls == 0


@pytest.mark.parametrize("content", [b"", b"no package", DEMO_APK[:-100], DEMO_APK[: len(DEMO_APK) // 2], None])
async def test_a_file_that_names_no_signer_has_none(content: bytes | None) -> None:
    link = sunmi()
    if content is not None:
        link.files[PAY_APK] = content
    state = await (await terminal(link)).read_state(signers_of={"com.acme.pay"})
    assert {p.signer for p in state.packages} == {None}


async def test_a_lost_link_is_no_missing_answer() -> None:
    for command in ("dumpsys battery", LIST, "dumpsys package com.acme.pay"):
        link = sunmi()
        driver = await terminal(link)
        link.answers[command] = LinkLost(address="x")
        with pytest.raises(LinkLost):
            await driver.read_state()


async def test_an_old_terminal_is_asked_the_old_way() -> None:
    link = sunmi()
    link.answers[LIST] = CommandResult(None, b"Error: Unknown option: --show-versioncode\n")
    link.answers["pm list packages -f"] = recorded.PACKAGES_OLD
    link.answers["dumpsys package packages"] = recorded.DUMPSYS_ALL_OLD
    state = await (await terminal(link)).read_state()
    assert state.packages == (
        InstalledPackage("com.acme.pay", "10300", 10300),
        InstalledPackage("com.android.settings", "4.2.2-1234", 17, in_system_image=True),
    )


async def test_another_terminal_is_noticed() -> None:
    link = sunmi()
    driver = await terminal(link)
    link.answers["getprop"] = recorded.GETPROP.replace("P2L4711A00815", "P2L4711A00816")
    with pytest.raises(AnotherTerminal) as other:
        await driver.read_state()
    assert "P2L4711A00816" in str(other.value)


async def test_installed_file_is_hashed_here() -> None:
    link = sunmi()
    link.files[PAY_APK] = DEMO_APK
    link.answers[f"sha256sum {quote(PAY_APK)}"] = f"{'0' * 64}  {PAY_APK}\n"
    found = await (await terminal(link)).installed_file("com.acme.pay")
    assert found is not None
    package, sha256 = found
    assert sha256 == hashlib.sha256(DEMO_APK).hexdigest()
    assert (package.version, package.version_code) == ("1.4.0 beta 2", 10400)
    assert package.signer is not None


async def test_installed_file_that_may_not_be_copied_is_hashed_there() -> None:
    link = sunmi()
    digest = hashlib.sha256(DEMO_APK).hexdigest()
    link.answers[f"sha256sum {quote(PAY_APK)}"] = f"{digest.upper()}  {PAY_APK}\n"
    found = await (await terminal(link)).installed_file("com.acme.pay")
    assert found == (InstalledPackage("com.acme.pay", "1.4.0 beta 2", 10400, None), digest)


@pytest.mark.parametrize("answer", [CommandResult(127, b"", b"not found"), "sha256sum: usage\n", ""])
async def test_installed_file_that_cannot_be_read_at_all_has_no_digest(answer: str | CommandResult) -> None:
    link = sunmi()
    link.answers[f"sha256sum {quote(PAY_APK)}"] = answer
    found = await (await terminal(link)).installed_file("com.acme.pay")
    assert found is not None
    assert found[1] == ""


@pytest.mark.parametrize("package_id", ["com.acme.absent", "com.acme.pay; reboot", "$(reboot)", ""])
async def test_a_package_that_is_not_there(package_id: str) -> None:
    link = sunmi()
    link.answers[f"pm path {package_id}"] = CommandResult(1, b"") if package_id == "com.acme.absent" else "package:/x"
    assert await (await terminal(link)).installed_file(package_id) is None


async def test_a_record_that_cannot_be_dumped_is_taken_from_the_list() -> None:
    link = sunmi()
    link.files[PAY_APK] = DEMO_APK
    link.answers["dumpsys package com.acme.pay"] = REFUSED
    found = await (await terminal(link)).installed_file("com.acme.pay")
    assert found is not None
    assert (found[0].version_code, found[0].version) == (10400, "10400")


ALLOW = AllowList(
    "android",
    never=("*pass*",),
    entry=(AllowedProperties(Privacy.FREE, "all", ("ro.*", "persist.*")),),
    file=(
        AllowedFile(Privacy.FREE, "one", "/data/one.bin"),
        AllowedFile(Privacy.FREE, "other vendor's", "/data/two.bin", "pax"),
        AllowedFile(Privacy.FREE, "missing", "/data/three.bin"),
    ),
)


async def read(items: AsyncIterator[SnapshotPart]) -> dict[str, bytes | str]:
    found: dict[str, bytes | str] = {}
    async for item in items:
        if isinstance(item, Announced):
            assert not found, "how large it will be is said first"
            found["announced"] = str(item.size_bytes)
        elif isinstance(item, NotRead):
            found[item.name] = item.reason
        else:
            data = b"".join([chunk async for chunk in item.chunks])
            assert item.size_bytes == len(data)
            found[item.name] = data
    return found


async def test_a_snapshot_holds_what_the_allow_list_names() -> None:
    link = sunmi()
    link.answers["getprop"] = recorded.GETPROP + "[persist.ftp.password]: [hunter2]\n"
    link.answers["pm path com.acme.pay"] = f"package:{PAY_APK}\npackage:{PAY_APK.replace('base', 'split_config.zh')}\n"
    link.files = {PAY_APK: DEMO_APK, "/data/one.bin": b"one", "/data/two.bin": b"two"}
    found = await read((await terminal(link)).backup_items(ALLOW))
    assert list(found) == [
        "announced",
        "properties.json",
        "packages.json",
        "packages/com.acme.pay/base.apk",
        "packages/com.acme.pay/split_config.zh.apk",
        "packages/com.android.webview/base.apk",
        "files/data/one.bin",
        "files/data/three.bin",
    ]
    assert int(found["announced"]) == 2 * len(DEMO_APK) + 3 or int(found["announced"]) == len(DEMO_APK) + 3
    properties = decode_json_untyped(bytes(found["properties.json"]))  # type: ignore[arg-type]
    assert isinstance(properties, dict)
    assert properties["ro.sunmi.serial"] == "P2L4711A00815"
    assert not [name for name in properties if not name.startswith(("ro.", "persist."))]
    assert "persist.ftp.password" not in properties
    assert found["packages/com.acme.pay/base.apk"] == DEMO_APK
    assert found["files/data/one.bin"] == b"one"
    assert isinstance(found["packages/com.acme.pay/split_config.zh.apk"], str)
    assert "settings" in str(found["packages.json"])
    assert link.open_pulls == 0


async def test_a_file_the_terminal_refuses_is_named_with_its_words() -> None:
    link = sunmi()
    link.files = {PAY_APK: CommandRefused(command="pull", answer="Permission denied")}
    found = await read((await terminal(link)).backup_items(ALLOW))
    assert "Permission denied" in str(found["packages/com.acme.pay/base.apk"])


async def test_a_snapshot_that_is_given_up_closes_its_file() -> None:
    link = sunmi()
    link.files = {PAY_APK: DEMO_APK}
    items = (await terminal(link)).backup_items(ALLOW)
    async for item in items:
        if isinstance(item, BackupItem) and item.kind is ItemKind.APK:
            await anext(item.chunks)
            break
    assert link.open_pulls == 1
    await items.aclose()  # type: ignore[attr-defined]
    assert link.open_pulls == 0


async def test_reboot_waits_for_another_boot_that_is_complete() -> None:
    link = sunmi()
    driver = await terminal(link)
    boots = iter(["one\n", "one\n", "two\n", "two\n"])
    link.answers[BOOT_ID] = lambda: next(boots)
    link.open_errors = [Unreachable(address="x"), LinkLost(address="x")]
    dumps = iter([recorded.GETPROP.replace("[sys.boot_completed]: [1]", ""), *[recorded.GETPROP] * 9])
    link.answers["getprop"] = lambda: next(dumps)
    await driver.reboot(timeout_s=5, poll_s=0)
    assert link.rebooted == 1
    assert link.opened == 5


async def test_a_terminal_that_does_not_come_back_is_told_in_time() -> None:
    link = sunmi()
    driver = await terminal(link)
    link.open_errors = [Unreachable(address="x")] * 100_000
    with pytest.raises(LinkTimeout) as timeout:
        await driver.reboot(timeout_s=0.05, poll_s=0.001)
    assert "TT-301" in timeout.value.detail


async def test_a_terminal_that_comes_back_as_another_is_noticed() -> None:
    link = sunmi()
    driver = await terminal(link)
    link.answers["getprop"] = recorded.GETPROP.replace("P2L4711A00815", "P2L4711A00816")
    with pytest.raises(AnotherTerminal):
        await driver.wait_ready(timeout_s=5, poll_s=0)
