"""Our Redfish link against a server nobody here wrote, and our practice gateway under a client nobody here wrote."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.catalogue.reader import load_catalogue
from techtool.clock import SystemClock
from techtool.domain.terminal import Address, Evidence
from techtool.errors import UnknownModel
from techtool.links.base import Capability
from techtool.links.redfish.link import RedfishLink
from techtool.links.redfish.offer import offered
from techtool.links.redfish.pins import Pins, certificate_at
from techtool.paths import Paths
from techtool.settings import RedfishSettings
from techtool.simulator.model import Model
from techtool.simulator.redfish.image import make_image
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.terminals.identify import identify
from techtool.terminals.redfish import RedfishTerminal
from tests.peers import redfish_tools
from tests.peers.sushy import RULE, SYSTEM, emulator
from tests.visit.gateways import FIRMWARE, MODEL, PASSWORD, PAY, USER, begun, gateway, versions

pytestmark = pytest.mark.peers


async def test_our_link_against_the_emulator(redfish_peers: Path, tmp_path: Path) -> None:
    """Identify and inventory, by the emulator's own TLS and without a login; whole visits: ``test_redfish_visits``."""
    rules = tmp_path / "models.toml"
    rules.write_text(RULE)
    async with emulator(redfish_peers, tmp_path, tls=True) as one:
        address = Address.parse(f"redfish+https://127.0.0.1:{one.port}")
        Pins(Paths(tmp_path / "home")).keep(address, (await certificate_at(address)).der)
        link = RedfishLink(address, RedfishSettings(), Paths(tmp_path / "home"))
        await link.open()
        assert link.capabilities == {Capability.REBOOT}
        with pytest.raises(UnknownModel) as caught:
            await identify(link, load_catalogue())
        assert caught.value.facts["redfish.system.Manufacturer"] == "Sushy Emulator"

        terminal = await identify(link, load_catalogue(rules))
        assert isinstance(terminal, RedfishTerminal)
        assert (terminal.identity.serial, terminal.identity.evidence) == (SYSTEM, Evidence.RECORDED)
        before = await terminal.read_state()
        assert {p.id: p.version for p in before.packages} == {"BIOS": "1.0.0", "BMC": "1.00"}
        assert before.clock_offset_s is not None
        await link.close()


async def rf(redfish_peers: Path, simulation: Simulation, script: str, *more: str) -> tuple[int, str]:
    """One of DMTF's scripts against the practice gateway."""
    at = simulation.addresses[0].removeprefix("redfish+")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(redfish_peers / "bin" / script), "-u", USER, "-p", PASSWORD, "-r", at, *more),
        env=redfish_tools.environment(redfish_peers),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = await asyncio.wait_for(process.stdout.read(), 60)
    return await process.wait(), said.decode()


@contextlib.asynccontextmanager
async def simulated(folder: Path, model: Model = MODEL) -> AsyncIterator[Simulation]:
    async with Simulation([TerminalSpec(model, 1)], state=folder / "sim", boot_s=0.05, clock=SystemClock()) as one:
        yield one


async def test_dmtfs_client_reads_our_gateway(redfish_peers: Path, tmp_path: Path) -> None:
    async with simulated(tmp_path) as simulation:
        code, said = await rf(redfish_peers, simulation, "rf_firmware_inventory.py", "--details")
        assert code == 0, said
        for word in (FIRMWARE, "3.1.0", PAY, "1.4.2"):
            assert word in said
        assert gateway(simulation).open_sessions == 0


async def test_dmtfs_client_updates_our_gateway(redfish_peers: Path, tmp_path: Path) -> None:
    """Multipart push and its task monitor; a damaged image is refused."""
    good, bad = tmp_path / "good.bin", tmp_path / "bad.bin"
    good.write_bytes(make_image(PAY, "1.5.0", b"c" * 300_000))
    bad.write_bytes(make_image(PAY, "1.6.0", b"c" * 300_000)[:-1])
    async with simulated(tmp_path) as simulation:
        code, said = await rf(redfish_peers, simulation, "rf_update.py", "--image", str(good))
        assert code == 0, said
        assert "installed" in said or "Done" in said, said
        assert versions(simulation)[PAY] == "1.5.0"
        code, said = await rf(redfish_peers, simulation, "rf_update.py", "--image", str(bad))
        assert "damaged" in said, said
        assert versions(simulation)[PAY] == "1.5.0"
        assert begun(simulation) == 2


async def test_dmtfs_client_does_a_whole_job(redfish_peers: Path, tmp_path: Path) -> None:
    """SimpleUpdate where nothing can be pushed, its task, a restart, the inventory."""
    image = tmp_path / "firmware.bin"
    image.write_bytes(make_image(FIRMWARE, "3.2.0", b"f" * 100_000))
    fetches = replace(MODEL, redfish=replace(MODEL.redfish, multipart=False))  # type: ignore[type-var]
    async with simulated(tmp_path, fetches) as simulation:
        size = image.stat().st_size
        async with offered(image, size, host="127.0.0.1", peer="127.0.0.1") as offer:
            code, said = await rf(redfish_peers, simulation, "rf_update.py", "--image", offer.url)
            assert code == 0, said
            assert offer.fetched
        boots = gateway(simulation).device.store.state.boot_count
        await rf(redfish_peers, simulation, "rf_power_reset.py", "-t", "GracefulRestart")
        await restarted(simulation, boots)
        code, said = await rf(redfish_peers, simulation, "rf_firmware_inventory.py", "--details")
        assert code == 0, said
        assert "3.2.0" in said
        assert "3.1.0" not in said


async def restarted(simulation: Simulation, boots: int) -> None:
    async with asyncio.timeout(20):
        while gateway(simulation).device.store.state.boot_count == boots:
            await asyncio.sleep(0.02)


async def test_dmtfs_client_asks_for_a_reset(redfish_peers: Path, tmp_path: Path) -> None:
    async with simulated(tmp_path) as simulation:
        boots = gateway(simulation).device.store.state.boot_count
        code, said = await rf(redfish_peers, simulation, "rf_power_reset.py", "-t", "GracefulRestart")
        assert code == 0, said
        await restarted(simulation, boots)
