"""The Android driver against Debian's adbd: identify, state, installation, refusals, what lies there afterwards."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.backups.container import write_backup
from techtool.backups.keys import new_identity
from techtool.bundles.apk import read_apk
from techtool.catalogue.reader import load_catalogue
from techtool.clock import SystemClock
from techtool.domain.backup import NotRead
from techtool.domain.outcome import Outcome
from techtool.domain.release import ApkFacts
from techtool.domain.terminal import Address, Evidence
from techtool.errors import AnotherTerminal, InstallFailed, LinkTimeout, UnknownModel
from techtool.links.open import link_for
from techtool.paths import Paths
from techtool.settings import LinkSettings
from techtool.terminals.base import PackageFile, Terminal
from techtool.terminals.identify import identify
from techtool.terminals.install import outcome_of
from tests.peers.android.state import Battery
from tests.peers.apk_variants import demo, with_native_code, without_signature
from tests.peers.terminal import AdbdTerminal

pytestmark = pytest.mark.peers

SETTINGS = "settings_apk-debug.apk"


@asynccontextmanager
async def terminal_at(adbd: AdbdTerminal, home: Path) -> AsyncIterator[Terminal]:
    link = link_for(Address.parse(adbd.address), LinkSettings(), Paths(home))
    await link.open()
    try:
        yield await identify(link, load_catalogue())
    finally:
        await link.close()


class Watched:
    """Keeps what the driver tells while it installs."""

    def __init__(self) -> None:
        self.sessions: list[str] = []
        self.confirmed: list[int] = []

    async def install(self, terminal: Terminal, facts: ApkFacts, path: Path) -> None:
        await terminal.install(
            facts, path, path.stat().st_size, session=self.sessions.append, confirmed=self.confirmed.append
        )


async def refused(terminal: Terminal, facts: ApkFacts, path: Path) -> InstallFailed:
    with pytest.raises(InstallFailed) as error:
        await Watched().install(terminal, facts, path)
    return error.value


async def test_identify_and_state(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    fresh_adbd.android.set_battery(Battery(level=42, usb_powered=False))
    fresh_adbd.android.set_free_bytes(100 << 20)
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        identity = terminal.identity
        assert (identity.vendor, identity.model, identity.hw_revision) == ("sunmi", "P2", "B")
        assert (identity.serial, identity.serial_source) == ("P2L4711A00815", "ro.sunmi.serial")
        assert identity.serial_trusted
        assert (identity.os_version, identity.firmware) == ("11", "P2_3.0.26_240603")
        assert (identity.sdk, identity.abis[0], identity.evidence) == (30, "arm64-v8a", Evidence.DOCUMENTED)
        state = await terminal.read_state()
        assert state.identity == identity
        assert state.packages == ()
        assert state.battery is not None
        assert (state.battery.percent, state.battery.external_power) == (42, False)
        assert state.free_storage_bytes is not None
        assert abs(state.free_storage_bytes - (100 << 20)) < 1 << 20
        assert state.clock_offset_s is not None
        assert abs(state.clock_offset_s) < 2
        assert state.uptime_s is not None
        # A real terminal's properties tell none of these.
        assert (state.batch, state.tamper, state.tid, state.mid, state.bootloader) == (None,) * 5


async def test_an_unknown_model_is_shown_raw(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    fresh_adbd.android.set_property("ro.sunmi.hardware", "Q9")
    with pytest.raises(UnknownModel) as unknown:
        async with terminal_at(fresh_adbd, tmp_path):
            pass
    assert unknown.value.facts["ro.product.manufacturer"] == "SUNMI"
    assert unknown.value.facts["ro.sunmi.hardware"] == "Q9"


async def test_install_and_read_back(fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path) -> None:
    apk = npm_apks[SETTINGS]
    facts = read_apk(apk)
    watched = Watched()
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        assert await terminal.installed_file(facts.id) is None
        await watched.install(terminal, facts, apk)
        assert len(watched.sessions) == 1
        assert watched.confirmed[-1] == apk.stat().st_size
        assert watched.confirmed == sorted(watched.confirmed)
        assert fresh_adbd.android.sessions() == {}
        found = await terminal.installed_file(facts.id)
        state = await terminal.read_state(signers_of={facts.id})
    on_terminal = fresh_adbd.installed(facts.id)
    assert on_terminal is not None
    assert on_terminal.read_bytes() == apk.read_bytes()
    assert found is not None
    package, sha256 = found
    assert sha256 == hashlib.sha256(apk.read_bytes()).hexdigest()
    assert (package.version_code, package.version, package.signer) == (facts.version_code, facts.version, facts.signer)
    assert package.signer == fresh_adbd.android.packages()[facts.id].signers[0]  # apksigner's word
    assert state.package(facts.id) == package


@pytest.mark.slow
async def test_every_real_package_goes_in_as_it_is(
    fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path
) -> None:
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        for apk in npm_apks.values():
            facts = read_apk(apk)
            await Watched().install(terminal, facts, apk)
            found = await terminal.installed_file(facts.id)
            assert found is not None
            assert found[1] == hashlib.sha256(apk.read_bytes()).hexdigest()
            assert (found[0].version_code, found[0].version) == (facts.version_code, facts.version)
            assert found[0].signer == facts.signer
        state = await terminal.read_state()
        assert [p.id for p in state.packages] == sorted(read_apk(apk).id for apk in npm_apks.values())


async def test_no_room(fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path) -> None:
    apk = npm_apks[SETTINGS]
    fresh_adbd.android.set_free_bytes(1 << 20)
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        error = await refused(terminal, read_apk(apk), apk)
    assert error.word == "INSTALL_FAILED_INSUFFICIENT_STORAGE"
    assert outcome_of(error.word) is Outcome.FAILED_TRANSIENT
    assert fresh_adbd.android.packages() == {}


async def test_words_of_refusal(fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path) -> None:
    apk = npm_apks[SETTINGS]
    facts = read_apk(apk)
    no_apk = tmp_path / "no.apk"
    no_apk.write_bytes(b"this is no package " * 1000)
    unsigned = without_signature(apk, tmp_path / "unsigned.apk")
    foreign = with_native_code(apk, "mips64", tmp_path / "foreign.apk")
    cases = {no_apk: "INSTALL_PARSE_FAILED_NOT_APK", unsigned: "INSTALL_PARSE_FAILED_NO_CERTIFICATES"}
    cases[foreign] = "INSTALL_FAILED_NO_MATCHING_ABIS"
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        for path, word in cases.items():
            error = await refused(terminal, facts, path)
            assert error.word == word
            assert outcome_of(error.word) is Outcome.FAILED_DEVICE_OK
            assert error.action_phrases[0].text("en")
        assert fresh_adbd.android.packages() == {}
        assert fresh_adbd.android.sessions() == {}


async def test_a_downgrade_and_another_signer_are_refused_and_change_nothing(
    fresh_adbd: AdbdTerminal, tmp_path: Path
) -> None:
    older, newer = demo("com.example.sunmi.pay-1.4.0"), demo("com.example.sunmi.pay-1.5.0")
    other = demo("com.example.sunmi.pay-1.6.0-othersigner")
    facts = read_apk(newer)
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        await Watched().install(terminal, facts, newer)
        assert (await refused(terminal, read_apk(older), older)).word == "INSTALL_FAILED_VERSION_DOWNGRADE"
        assert (await refused(terminal, read_apk(other), other)).word == "INSTALL_FAILED_UPDATE_INCOMPATIBLE"
        found = await terminal.installed_file(facts.id)
    assert found is not None
    assert found[1] == hashlib.sha256(newer.read_bytes()).hexdigest()


async def test_a_package_for_a_newer_android_is_refused(
    fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path
) -> None:
    apk = npm_apks[SETTINGS]
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        fresh_adbd.android.set_property("ro.build.version.sdk", str(read_apk(apk).min_sdk - 1))
        assert (await refused(terminal, read_apk(apk), apk)).word == "INSTALL_FAILED_OLDER_SDK"


async def test_a_left_session_can_be_abandoned_and_an_unknown_one_is_fine(
    fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path
) -> None:
    apk = npm_apks[SETTINGS]
    sessions: list[str] = []

    def cut(session: str) -> None:
        sessions.append(session)
        raise asyncio.CancelledError

    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        with pytest.raises(asyncio.CancelledError):
            await terminal.install(read_apk(apk), apk, apk.stat().st_size, session=cut)
        assert list(fresh_adbd.android.sessions()) == [int(sessions[0])]
        await terminal.abandon(sessions[0])
        assert fresh_adbd.android.sessions() == {}
        await terminal.abandon(sessions[0])
        await terminal.abandon("1; rm -r /data")


def files_of(*paths: Path) -> list[PackageFile]:
    return [PackageFile(read_apk(path), path, path.stat().st_size) for path in paths]


async def test_a_release_of_two_packages_goes_in_whole(
    fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path
) -> None:
    files = files_of(npm_apks[SETTINGS], demo("com.example.sunmi.pay-1.5.0"))
    told, confirmed = list[tuple[str, str]](), list[int]()
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        done = await terminal.install_together(
            files, session=lambda package, session: told.append((package, session)), confirmed=confirmed.append
        )
        assert done
        assert [package for package, _session in told] == ["", files[0].apk.id, files[1].apk.id]
        assert confirmed == sorted(confirmed)
        assert confirmed[-1] == sum(file.size_bytes for file in files)
        for file in files:
            found = await terminal.installed_file(file.apk.id)
            assert found is not None
            assert found[1] == hashlib.sha256(file.path.read_bytes()).hexdigest()
            assert (found[0].version_code, found[0].signer) == (file.apk.version_code, file.apk.signer)
            on_terminal = fresh_adbd.installed(file.apk.id)
            assert on_terminal is not None
            assert on_terminal.read_bytes() == file.path.read_bytes()
    uids = [package.uid for package in fresh_adbd.android.packages().values()]
    assert len(set(uids)) == 2
    assert fresh_adbd.android.sessions() == {}


@pytest.mark.parametrize("place", ["first", "last"])
async def test_of_a_set_with_one_bad_package_nothing_goes_in(
    fresh_adbd: AdbdTerminal, tmp_path: Path, place: str
) -> None:
    older, newer = demo("com.example.sunmi.pay-1.4.0"), demo("com.example.sunmi.pay-1.5.0")
    kernel, bad = demo("com.example.emvkernel-7.1.0"), tmp_path / "bad.apk"
    bad.write_bytes(kernel.read_bytes()[:-50])
    broken = PackageFile(read_apk(kernel), bad, bad.stat().st_size)
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        await Watched().install(terminal, read_apk(older), older)
        files = [*files_of(newer), broken] if place == "last" else [broken, *files_of(newer)]
        with pytest.raises(InstallFailed) as refused:
            await terminal.install_together(files, session=lambda _package, _session: None)
        assert refused.value.word == "INSTALL_PARSE_FAILED_NOT_APK"
        state = await terminal.read_state()
    assert [(p.id, p.version) for p in state.packages] == [("com.example.sunmi.pay", "1.4.0")]
    assert fresh_adbd.android.sessions() == {}


async def test_an_android_without_sets_is_told_by_its_answer(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    """It says Android 11 when it is identified, and answers like Android 9 when it is asked."""
    files = files_of(demo("com.example.emvkernel-7.1.0"), demo("com.example.sunmi.pay-1.5.0"))
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        fresh_adbd.android.set_property("ro.build.version.sdk", "28")
        assert not await terminal.install_together(files, session=lambda _package, _session: None)
    assert fresh_adbd.android.sessions() == {}
    assert fresh_adbd.android.packages() == {}


async def test_a_session_whose_number_never_came_is_found_by_its_size(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    files = files_of(demo("com.example.emvkernel-7.1.0"), demo("com.example.sunmi.pay-1.5.0"))
    numbers: list[str] = []

    def cut(_package: str, session: str) -> None:
        numbers.append(session)
        raise asyncio.CancelledError

    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        with pytest.raises(asyncio.CancelledError):
            await terminal.install_together(files, session=cut)
        assert await terminal.unfinished_sessions({1}) == ()
        assert await terminal.unfinished_sessions({sum(file.size_bytes for file in files)}) == tuple(numbers)
        assert await terminal.abandon(numbers[0])
        assert await terminal.unfinished_sessions({sum(file.size_bytes for file in files)}) == ()
    assert fresh_adbd.android.sessions() == {}


async def test_another_terminal_at_the_same_address_is_noticed(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        fresh_adbd.android.set_property("ro.sunmi.serial", "P2L4711A99999")
        with pytest.raises(AnotherTerminal):
            await terminal.read_state()


async def test_a_backup_of_what_is_installed(
    fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path], tmp_path: Path
) -> None:
    apk = npm_apks[SETTINGS]
    facts = read_apk(apk)
    fresh_adbd.android.set_property("persist.acme.wifi_password", "secret")
    fresh_adbd.android.set_property("acme.not.listed", "x")
    catalogue = load_catalogue()
    allow = catalogue.allow_list("android")
    blocked = replace(allow.file[0], vendor="", path="/data/none.bin")
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        await Watched().install(terminal, facts, apk)
        stored = await write_backup(
            terminal.backup_items(replace(allow, file=(blocked,))),
            backup_id="V1-1",
            identity=terminal.identity,
            recipients=(),
            identity_key=new_identity().secret,
            folder=tmp_path / "backups",
            clock=SystemClock(),
        )
    digests = {item.name: item.sha256 for item in stored.manifest.items}
    assert list(digests) == ["properties.json", "packages.json", f"packages/{facts.id}/base.apk"]
    assert digests[f"packages/{facts.id}/base.apk"] == hashlib.sha256(apk.read_bytes()).hexdigest()
    assert stored.manifest.not_read == (NotRead("files/data/none.bin", "not there, or not to be seen"),)


async def test_waiting_for_a_terminal_that_comes_back(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    async with terminal_at(fresh_adbd, tmp_path) as terminal:
        fresh_adbd.power_off()
        with pytest.raises(LinkTimeout):
            await terminal.wait_ready(timeout_s=0.3, poll_s=0.05)
        back = asyncio.create_task(terminal.wait_ready(timeout_s=20, poll_s=0.05))
        await asyncio.to_thread(fresh_adbd.power_on)
        await back
        assert (await terminal.read_state()).identity == terminal.identity
