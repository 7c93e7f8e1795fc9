"""A stick for practice gateways, a shop that knows their certificate, and what a technician answers there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import SystemClock
from techtool.domain.release import After, KeyFate, ReleaseKind
from techtool.domain.terminal import Address
from techtool.links.redfish.pins import Pins, certificate_at
from techtool.simulator.model import find_model
from techtool.simulator.redfish.gateway import Gateway
from techtool.simulator.redfish.image import make_image
from techtool.simulator.run import Simulation
from tests.visit.conftest import Shop

FIRMWARE = "techtool.gateway.firmware"
PAY = "techtool.gateway.pay"
SECURE = "techtool.gateway.secure"
USER, PASSWORD = "service", "practice-gateway"
CONTENT = bytes(range(256)) * 12_000
"""3 MB, so that a push takes many pieces."""
LOGIN: Mapping[str, str | bool] = {
    "identify.user": USER,
    "identify.password": PASSWORD,
    "check.external-power": True,
    "confirm.trading": "closed",
    "confirm.supervisor": "4711",
    "confirm.accepted_by": "Demo Shopkeeper",
}


def make_gateway_stick(folder: Path, *, pay_erases: bool = False) -> Path:
    """Firmware 3.2.0, which wants a restart, and the payment application 1.5.0."""
    clock = SystemClock()
    workspace = Workspace.create(folder / "bundle", ("simulated",), clock)
    provides = (ProvidesEntry("simulated-gateway", "gateway"),)
    firmware = Description(
        id=FIRMWARE, version="3.2.0", version_format="dotted", kind=ReleaseKind.FIRMWARE,
        install_duration=30, provides=provides, after=After(restart=True), keys=KeyFate.KEPT,
    )  # fmt: skip
    pay = Description(
        id=PAY, version="1.5.0", version_format="dotted", kind=ReleaseKind.APPLICATION,
        install_duration=30, provides=provides, erases_data=pay_erases,
    )  # fmt: skip
    for draft in (firmware, pay):
        path = folder / f"{draft.id}-{draft.version}.bin"
        path.write_bytes(make_image(draft.id, draft.version, CONTENT))
        workspace.add("simulated", [path], draft, clock)
    workspace.sign(clock)
    stick = folder / "stick"
    stick.mkdir()
    workspace.write(stick, clock)
    return stick


def gateway(simulation: Simulation) -> Gateway:
    terminal = simulation.terminals[0]
    assert isinstance(terminal, Gateway)
    return terminal


def versions(simulation: Simulation) -> dict[str, str]:
    packages = gateway(simulation).device.store.state.packages
    return {package.id: package.version for package in packages.values()}


def begun(simulation: Simulation) -> int:
    """How many updates it was ever told to do."""
    return gateway(simulation).updates.begun


async def pinned(shop: Shop, simulation: Simulation) -> None:
    """Somebody compared its certificate before."""
    for text in simulation.addresses:
        shown = await certificate_at(Address.parse(text))
        Pins(shop.world.paths).keep(Address.parse(text), shown.der)


MODEL = find_model("gateway")
