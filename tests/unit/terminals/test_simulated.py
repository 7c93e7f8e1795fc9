"""The Android driver against simulated terminals: every model, old daemons, and what goes wrong in the field."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.backups.container import write_backup
from techtool.backups.keys import new_identity
from techtool.bundles.apk import read_apk
from techtool.catalogue.reader import load_catalogue
from techtool.clock import SystemClock
from techtool.domain.outcome import Outcome
from techtool.domain.release import ApkFacts
from techtool.domain.terminal import Address, BatchState, Evidence, TamperState
from techtool.errors import (
    AnotherTerminal,
    ForbiddenContent,
    InstallFailed,
    LinkError,
    LinkTimeout,
    NotCapable,
    UnknownModel,
)
from techtool.links.open import link_for
from techtool.paths import Paths
from techtool.settings import LinkSettings
from techtool.simulator.faults import (
    AfterReboot,
    Drop,
    FallingBattery,
    Faults,
    FaultScript,
    FullStorage,
    InstallRefusal,
    ToldAt,
    WrongVersion,
)
from techtool.simulator.model import APKS, OLD_DAEMON, Model, find_model, load_models
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.simulator.state import Session
from techtool.terminals.base import PackageFile, Terminal
from techtool.terminals.identify import identify
from techtool.terminals.install import install_together, outcome_of

PAY = APKS / "com.example.sunmi.pay-1.5.0.apk"


@asynccontextmanager
async def simulated(
    home: Path, model: Model | str = "sunmi-p2", faults: Faults | None = None
) -> AsyncIterator[tuple[Simulation, Terminal]]:
    chosen = find_model(model) if isinstance(model, str) else model
    script = FaultScript(terminal=(faults,)) if faults else None
    async with Simulation([TerminalSpec(chosen, 1)], faults=script, boot_s=0.05) as simulation:
        link = link_for(Address.parse(simulation.addresses[0]), LinkSettings(), Paths(home))
        await link.open()
        try:
            yield simulation, await identify(link, load_catalogue())
        finally:
            await link.close()


async def install(terminal: Terminal, apk: Path) -> ApkFacts:
    facts = read_apk(apk)
    await terminal.install(facts, apk, apk.stat().st_size, session=lambda _session: None)
    return facts


async def runs(terminal: Terminal, apk: Path) -> bool:
    """Whether exactly this file is installed."""
    found = await terminal.installed_file(read_apk(apk).id)
    return found is not None and found[1] == hashlib.sha256(apk.read_bytes()).hexdigest()


@pytest.mark.parametrize("model", [m for m in load_models() if m.listed], ids=lambda m: m.id)
async def test_every_listed_model_is_known(model: Model, tmp_path: Path) -> None:
    async with simulated(tmp_path, model) as (simulation, terminal):
        assert terminal.identity.serial == simulation.serials[0]
        assert terminal.identity.serial_trusted
        state = await terminal.read_state()
    assert (state.batch, state.tamper) == (BatchState.SETTLED, TamperState.NORMAL)
    assert state.tid
    assert state.mid
    assert state.evidence["batch"] is Evidence.SIMULATED
    assert state.free_storage_bytes is not None
    assert 0 <= model.storage.free_bytes - state.free_storage_bytes < 1 << 20  # what is preinstalled
    assert (state.battery is None) == (model.battery is None)
    assert {p.id for p in model.packages} <= {p.id for p in state.packages}
    assert state.clock_offset_s is not None
    assert abs(state.clock_offset_s) < 2


async def test_an_unlisted_model_stays_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel) as unknown:
        async with simulated(tmp_path, "unlisted"):
            pass
    assert unknown.value.facts["ro.product.manufacturer"] == "Nobody"


async def test_an_old_daemon_can_be_read_but_not_installed_to(tmp_path: Path) -> None:
    model = find_model("sunmi-p2")
    async with simulated(tmp_path, replace(model, daemon=OLD_DAEMON)) as (_simulation, terminal):
        old = await terminal.read_state(signers_of={read_apk(PAY).id})
        assert not await runs(terminal, PAY)
        with pytest.raises(NotCapable):
            await install(terminal, PAY)
    async with simulated(tmp_path, model) as (_simulation, terminal):
        new = await terminal.read_state(signers_of={read_apk(PAY).id})
    assert replace(old.identity, address="") == replace(new.identity, address="")
    assert [(p.id, p.version, p.version_code, p.signer) for p in old.packages] == [
        (p.id, p.version, p.version_code, p.signer) for p in new.packages
    ]
    assert (old.battery, old.tid) == (new.battery, new.tid)


async def test_install_and_read_back(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (_simulation, terminal):
        facts = await install(terminal, PAY)
        found = await terminal.installed_file(facts.id)
        assert found is not None
        package, sha256 = found
        assert sha256 == hashlib.sha256(PAY.read_bytes()).hexdigest()
        assert (package.version, package.version_code) == (facts.version, facts.version_code)
        assert package.signer == facts.signer
        state = await terminal.read_state(signers_of={facts.id})
        assert state.package(facts.id) == package


async def test_a_trailing_blank_is_no_part_of_a_version(tmp_path: Path) -> None:
    async with simulated(tmp_path, faults=Faults(trailing_blank=True)) as (_simulation, terminal):
        facts = await install(terminal, PAY)
        found = await terminal.installed_file(facts.id)
        assert found is not None
        assert found[0].version == facts.version
        assert terminal.identity.firmware == terminal.identity.firmware.strip()


@pytest.mark.parametrize("told_at", ToldAt)
async def test_full_storage_whenever_it_is_told(tmp_path: Path, told_at: ToldAt) -> None:
    storage = FullStorage(free_bytes=1000, told_at=told_at)
    async with simulated(tmp_path, faults=Faults(storage=storage)) as (_simulation, terminal):
        with pytest.raises(InstallFailed) as full:
            await install(terminal, PAY)
        assert full.value.word == "INSTALL_FAILED_INSUFFICIENT_STORAGE"
        assert outcome_of(full.value.word) is Outcome.FAILED_TRANSIENT
        assert not await runs(terminal, PAY)


async def test_a_refusal_in_androids_words(tmp_path: Path) -> None:
    refusal = InstallRefusal("INSTALL_FAILED_USER_RESTRICTED", detail="Install canceled by user", times=1)
    async with simulated(tmp_path, faults=Faults(install=refusal)) as (_simulation, terminal):
        with pytest.raises(InstallFailed) as refused:
            await install(terminal, PAY)
        assert refused.value.word == "INSTALL_FAILED_USER_RESTRICTED"
        await install(terminal, PAY)


async def test_downgrade_and_another_signer_are_refused(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (_simulation, terminal):
        await install(terminal, PAY)
        for name, word in (
            ("1.4.0", "INSTALL_FAILED_VERSION_DOWNGRADE"),
            ("1.6.0-othersigner", "INSTALL_FAILED_UPDATE_INCOMPATIBLE"),
        ):
            with pytest.raises(InstallFailed) as refused:
                await install(terminal, APKS / f"com.example.sunmi.pay-{name}.apk")
            assert refused.value.word == word


async def test_a_terminal_that_says_ok_and_lies_is_seen_through(tmp_path: Path) -> None:
    async with simulated(tmp_path, faults=Faults(says_ok_and_lies=True)) as (_simulation, terminal):
        await install(terminal, PAY)
        assert not await runs(terminal, PAY)
    wrong = WrongVersion(version="0.9", version_code=9)
    async with simulated(tmp_path, faults=Faults(wrong_version=wrong)) as (_simulation, terminal):
        facts = await install(terminal, PAY)
        found = await terminal.installed_file(facts.id)
        assert found is not None
        assert (found[0].version, found[0].version_code) == ("0.9", 9)


async def test_a_cut_cable_while_installing(tmp_path: Path) -> None:
    sessions: list[str] = []
    async with simulated(tmp_path, faults=Faults(drop=Drop(at_byte=6000, times=1))) as (_simulation, terminal):
        facts = read_apk(PAY)
        with pytest.raises(LinkError):
            await terminal.install(facts, PAY, PAY.stat().st_size, session=sessions.append)
        await terminal.wait_ready(timeout_s=10, poll_s=0.01)
        assert not await runs(terminal, PAY)
        for session in sessions:
            await terminal.abandon(session)
        await install(terminal, PAY)
        assert await runs(terminal, PAY)


def both() -> list[PackageFile]:
    """Two packages of which new terminals have the versions before."""
    names = ("com.example.emvkernel-7.1.0.apk", "com.example.sunmi.pay-1.5.0.apk")
    return [PackageFile(read_apk(APKS / name), APKS / name, (APKS / name).stat().st_size) for name in names]


def with_sdk(sdk: int) -> Model:
    model = find_model("sunmi-p2")
    return replace(model, properties={**model.properties, "ro.build.version.sdk": str(sdk)})


@pytest.mark.parametrize("sdk", [29, 30, 33])
async def test_a_set_goes_in_whole_or_not_at_all(tmp_path: Path, sdk: int) -> None:
    refusal = InstallRefusal("INSTALL_FAILED_ABORTED", nth=2, times=1)
    async with simulated(tmp_path, with_sdk(sdk), Faults(install=refusal)) as (simulation, terminal):
        told: list[tuple[str, str]] = []
        with pytest.raises(InstallFailed) as refused:
            await terminal.install_together(both(), session=lambda package, session: told.append((package, session)))
        assert refused.value.word == "INSTALL_FAILED_ABORTED"
        assert [package for package, _session in told] == ["", *(file.apk.id for file in both())]
        assert not any([await runs(terminal, file.path) for file in both()])
        assert simulation.terminals[0].device.store.state.sessions == {}
        assert await terminal.install_together(both(), session=lambda _package, _session: None)
        assert all([await runs(terminal, file.path) for file in both()])


@pytest.mark.parametrize("told_sdk", [28, None])
async def test_android_9_says_that_it_knows_no_sets(tmp_path: Path, told_sdk: int | None) -> None:
    """Whether its level is known beforehand or its answer tells."""
    async with simulated(tmp_path, with_sdk(28)) as (simulation, _terminal):
        link = link_for(Address.parse(simulation.addresses[0]), LinkSettings(), Paths(tmp_path))
        await link.open()
        assert not await install_together(link, told_sdk, both(), session=lambda _package, _session: None)
        await link.close()
        assert simulation.terminals[0].device.store.state.sessions == {}


async def test_a_session_whose_number_got_lost_is_found_by_its_size(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (simulation, terminal):
        create = simulation.terminals[0].device.packages.create
        mine, other = (create(Session(id=0, size_bytes=size), 1 << 30) for size in (8470, 8471))
        assert await terminal.unfinished_sessions({8470}) == (str(mine),)
        assert await terminal.abandon(str(mine))
        assert await terminal.unfinished_sessions({8470}) == ()
        assert list(simulation.terminals[0].device.store.state.sessions) == [str(other)]


async def test_reboot_and_back(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (_simulation, terminal):
        before = await terminal.read_state()
        await terminal.reboot(timeout_s=20, poll_s=0.01)
        after = await terminal.read_state()
    assert after.identity == before.identity
    assert before.packages == after.packages


@pytest.mark.parametrize(
    ("after", "error"),
    [(AfterReboot(never_returns=True), LinkTimeout), (AfterReboot(serial="OTHER-0001"), AnotherTerminal)],
)
async def test_a_restart_that_goes_wrong(tmp_path: Path, after: AfterReboot, error: type[Exception]) -> None:
    async with simulated(tmp_path, faults=Faults(after_reboot=after)) as (_simulation, terminal):
        with pytest.raises(error):
            await terminal.reboot(timeout_s=1, poll_s=0.01)


async def test_state_that_forbids_work_is_told(tmp_path: Path) -> None:
    faults = Faults(
        batch=BatchState.OPEN,
        tamper=TamperState.TAMPERED,
        battery=FallingBattery(start_percent=12, fall_percent=1, external_power=False),
    )
    async with simulated(tmp_path, faults=faults) as (_simulation, terminal):
        state = await terminal.read_state()
    assert (state.batch, state.tamper) == (BatchState.OPEN, TamperState.TAMPERED)
    assert state.battery is not None
    assert state.battery.percent <= 12
    assert not state.battery.external_power


async def snapshot(terminal: Terminal, folder: Path) -> tuple[str, ...]:
    stored = await write_backup(
        terminal.backup_items(load_catalogue().allow_list("android")),
        backup_id="V1-1",
        identity=terminal.identity,
        recipients=(),
        identity_key=new_identity().secret,
        folder=folder,
        clock=SystemClock(),
    )
    return tuple(item.name for item in stored.manifest.items)


async def test_backup(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (_simulation, terminal):
        await install(terminal, PAY)
        names = await snapshot(terminal, tmp_path / "backups")
    assert {"properties.json", "packages.json", f"packages/{read_apk(PAY).id}/base.apk"} <= set(names)
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["V1-1.age"]


async def test_a_card_number_on_the_terminal_fails_the_backup(tmp_path: Path) -> None:
    model = find_model("sunmi-p2")
    careless = replace(model, properties={**model.properties, "techtool.sim.mid": "4111111111111111"})
    async with simulated(tmp_path, careless) as (_simulation, terminal):
        with pytest.raises(ForbiddenContent):
            await snapshot(terminal, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []
