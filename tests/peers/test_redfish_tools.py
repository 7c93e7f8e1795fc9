"""Our Redfish link against a server nobody here wrote, and our practice gateway under a client nobody here wrote."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from techtool.catalogue.reader import load_catalogue
from techtool.clock import SystemClock
from techtool.domain.release import Release, ReleaseFile, ReleaseKind
from techtool.domain.terminal import Address, Evidence
from techtool.errors import LinkError, UnknownModel
from techtool.links.base import Capability
from techtool.links.redfish.link import RedfishLink
from techtool.links.redfish.pins import Pins, certificate_at
from techtool.paths import DISK, Paths
from techtool.settings import RedfishSettings
from techtool.simulator.redfish.certificate import tls_context
from techtool.simulator.redfish.image import make_image
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.terminals import redfish as driver
from techtool.terminals.base import ImageFile
from techtool.terminals.identify import identify
from techtool.terminals.redfish import RedfishTerminal
from tests.peers import redfish_tools
from tests.peers.tools import PeerMissing, missing
from tests.visit.gateways import FIRMWARE, MODEL, PASSWORD, PAY, USER, begun, gateway, versions

pytestmark = pytest.mark.peers

EMULATED = "85775665-c110-4b85-8989-e6162170b3ec"
CONFIG = """
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_FAKE_SYSTEMS = [{{'uuid': {uuid!r}, 'name': 'gateway', 'power_state': 'On', 'nics': []}}]
SUSHY_EMULATOR_STATE_DIR = {state!r}
"""
WITH_VERSIONS = """
from sushy_tools.emulator.main import main
from sushy_tools.emulator.resources.systems.fakedriver import FakeDriver
kept = {"BiosVersion": "1.0.0"}
FakeDriver.get_versions = lambda self, identity: kept
FakeDriver.set_versions = lambda self, identity, versions: kept.update(versions)
main()
"""
"""Its driver for machines that do not exist keeps no versions (the one for libvirt does): a place to keep them is
added, what is said over HTTP is all its own."""
OWNERS_RULE = """
schema = 1
[[vendor]]
id = "sushy"
name = "Sushy"
family = "redfish"
match = { "redfish.system.Manufacturer" = "Sushy Emulator" }
model_from = ["redfish.manager.Model"]
serial_from = ["redfish.root.UUID"]
source = "sushy-tools 2.2.0"
evidence = "recorded"
[[vendor.model]]
id = "emulator"
name = "emulator"
match = "Joo Janta 200"
"""


@pytest.fixture(scope="session")
def tools() -> Path:
    try:
        return redfish_tools.fetch()
    except PeerMissing as e:
        missing(str(e))


@contextlib.asynccontextmanager
async def emulator(tools: Path, folder: Path) -> AsyncIterator[Address]:
    """``sushy-emulator`` on a free port, with TLS, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    state = folder / "state"
    state.mkdir()
    (folder / "sushy.conf").write_text(CONFIG.format(uuid=EMULATED, state=str(state)))
    tls_context(folder, "sushy", DISK)
    options = ["--config", str(folder / "sushy.conf"), "--interface", "127.0.0.1", "--port", str(port)]
    options += ["--ssl-certificate", str(folder / "tls.pem"), "--ssl-key", str(folder / "tls.pem")]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WITH_VERSIONS, *options),
        env=redfish_tools.environment(tools),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    address = Address.parse(f"redfish+https://127.0.0.1:{port}")
    try:
        async with asyncio.timeout(60):
            while True:
                assert process.returncode is None, "the emulator did not start"
                try:
                    shown = await certificate_at(address)
                    break
                except LinkError:
                    await asyncio.sleep(0.1)
        Pins(Paths(folder / "home")).keep(address, shown.der)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_our_link_against_the_emulator(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Identify, inventory, SimpleUpdate, task, restart: as far as the emulator goes, which fetches no image."""
    monkeypatch.setattr(driver, "_GONE_S", 0.2)
    rules = tmp_path / "models.toml"
    rules.write_text(OWNERS_RULE)
    async with emulator(tools, tmp_path) as address:
        link = RedfishLink(address, RedfishSettings(), Paths(tmp_path / "home"))
        await link.open()
        assert link.capabilities == {Capability.REBOOT}
        with pytest.raises(UnknownModel) as caught:
            await identify(link, load_catalogue())
        assert caught.value.facts["redfish.system.Manufacturer"] == "Sushy Emulator"

        terminal = await identify(link, load_catalogue(rules))
        assert isinstance(terminal, RedfishTerminal)
        assert (terminal.identity.serial, terminal.identity.evidence) == (EMULATED, Evidence.RECORDED)
        before = await terminal.read_state()
        assert {p.id: p.version for p in before.packages} == {"BIOS": "1.0.0", "BMC": "1.00"}
        assert before.clock_offset_s is not None

        path = tmp_path / "bios.bin"
        path.write_bytes(b"image")
        file = ReleaseFile("image", "targets/sushy/bios.bin", 5, "0" * 64)
        release = Release("BIOS", "1.1.0", "dotted", ReleaseKind.RESOURCES, (file,), ())
        told: list[str] = []
        # The emulator takes systems as targets, which is where its BIOS sits.
        await terminal.install_image(ImageFile(release, path, 5, file.sha256), session=told.append)
        assert told == ["/redfish/v1/TaskService/Tasks/42"]
        after = await terminal.read_state()
        assert {p.id: p.version for p in after.packages} == {"BIOS": "1.1.0", "BMC": "1.00"}
        await terminal.reboot(timeout_s=30, poll_s=0.1)
        await link.close()


async def rf(tools: Path, simulation: Simulation, script: str, *more: str) -> tuple[int, str]:
    """One of DMTF's scripts against the practice gateway."""
    at = simulation.addresses[0].removeprefix("redfish+")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(tools / "bin" / script), "-u", USER, "-p", PASSWORD, "-r", at, *more),
        env=redfish_tools.environment(tools),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = await asyncio.wait_for(process.stdout.read(), 60)
    return await process.wait(), said.decode()


@contextlib.asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[Simulation]:
    async with Simulation([TerminalSpec(MODEL, 1)], state=folder / "sim", boot_s=0.05, clock=SystemClock()) as one:
        yield one


async def test_dmtfs_client_reads_our_gateway(tools: Path, tmp_path: Path) -> None:
    async with simulated(tmp_path) as simulation:
        code, said = await rf(tools, simulation, "rf_firmware_inventory.py", "--details")
        assert code == 0, said
        for word in (FIRMWARE, "3.1.0", PAY, "1.4.2"):
            assert word in said
        assert gateway(simulation).open_sessions == 0


async def test_dmtfs_client_updates_our_gateway(tools: Path, tmp_path: Path) -> None:
    """Multipart push and its task monitor; a damaged image is refused."""
    good, bad = tmp_path / "good.bin", tmp_path / "bad.bin"
    good.write_bytes(make_image(PAY, "1.5.0", b"c" * 300_000))
    bad.write_bytes(make_image(PAY, "1.6.0", b"c" * 300_000)[:-1])
    async with simulated(tmp_path) as simulation:
        code, said = await rf(tools, simulation, "rf_update.py", "--image", str(good))
        assert code == 0, said
        assert "installed" in said or "Done" in said, said
        assert versions(simulation)[PAY] == "1.5.0"
        code, said = await rf(tools, simulation, "rf_update.py", "--image", str(bad))
        assert "damaged" in said, said
        assert versions(simulation)[PAY] == "1.5.0"
        assert begun(simulation) == 2


async def test_dmtfs_client_asks_for_a_reset(tools: Path, tmp_path: Path) -> None:
    async with simulated(tmp_path) as simulation:
        boots = gateway(simulation).device.store.state.boot_count
        code, said = await rf(tools, simulation, "rf_power_reset.py", "-t", "GracefulRestart")
        assert code == 0, said
        async with asyncio.timeout(20):
            while gateway(simulation).device.store.state.boot_count == boots:
                await asyncio.sleep(0.02)
