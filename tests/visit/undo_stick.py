"""A stick whose releases may be undone, and what the tests of restoring and undoing do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import SystemClock
from techtool.domain.release import Compare, ReleaseKind, Requirement, Rollback
from techtool.domain.restore import Swap
from techtool.domain.terminal import Address
from techtool.events import Asked, Finished
from techtool.simulator.model import APKS, Model, find_model
from techtool.simulator.run import Simulation
from techtool.simulator.state import Package
from techtool.visit.restore_source import wish_for
from techtool.visit.services import VisitRequest
from tests.visit.conftest import Shop

PAY, KERNEL = "com.example.sunmi.pay", "com.example.emvkernel"
FORMER = {PAY: 10400, KERNEL: 70000}
NEW = {PAY: 10500, KERNEL: 70100}
WORDS: Mapping[str, str | bool] = {
    "check.batch": True,
    "check.batch.evidence": "slip 000123",
    "inspect.tamper": True,
    "restore.nothing-waiting": True,
    "restore.nothing-waiting.evidence": "slip 000123",
    f"restore.loses-data.{PAY}": "ERASE",
    f"restore.loses-data.{KERNEL}": "ERASE",
}
ALLOWED = Rollback(allowed=True, data="retain")


def make_undo_stick(folder: Path) -> Path:
    """A kernel and, after it, a payment application."""
    clock = SystemClock()
    workspace = Workspace.create(folder / "bundle", ("sunmi",), clock)
    made_for = (ProvidesEntry("sunmi", "P2"),)
    kernel = Description(kind=ReleaseKind.KERNEL, provides=made_for, rollback=ALLOWED)
    needs = (Requirement("component", Compare.GE, "7.1.0", id=KERNEL),)
    pay = Description(kind=ReleaseKind.APPLICATION, provides=made_for, requires=needs, rollback=ALLOWED)
    workspace.add("sunmi", [APKS / "com.example.emvkernel-7.1.0.apk"], kernel, clock)
    workspace.add("sunmi", [APKS / "com.example.sunmi.pay-1.5.0.apk"], pay, clock)
    workspace.sign(clock)
    stick = folder / "stick"
    stick.mkdir()
    workspace.write(stick, clock)
    return stick


def debuggable(model: str = "sunmi-p2") -> Model:
    """A terminal whose build takes older packages over newer ones."""
    found = find_model(model)
    return replace(found, properties={**found.properties, "ro.debuggable": "1"})


def untold() -> Model:
    """A terminal that says nothing of its takings, as real ones do."""
    found = find_model("sunmi-p2")
    kept = {name: value for name, value in found.properties.items() if name != "techtool.sim"}
    return replace(found, properties=kept)


def packages(simulation: Simulation, terminal: int = 0) -> Mapping[str, Package]:
    return simulation.terminals[terminal].device.store.state.packages


def codes(simulation: Simulation, terminal: int = 0) -> dict[str, int]:
    found = packages(simulation, terminal)
    return {name: found[name].version_code for name in (PAY, KERNEL) if name in found}


def store_data(simulation: Simulation, terminal: int = 0) -> None:
    for name in (PAY, KERNEL):
        simulation.terminals[terminal].device.packages.store_data(name, "typed in by hand")


def data(simulation: Simulation, terminal: int = 0) -> list[str]:
    found = packages(simulation, terminal)
    return [found[name].data for name in (PAY, KERNEL)]


async def updated(shop: Shop, simulation: Simulation) -> str:
    """Update the first terminal; the id of that visit, whose backup holds what ran before."""
    store_data(simulation)
    finished = await shop.run(simulation.addresses[0])
    assert finished.exit_code == 0
    assert codes(simulation) == NEW
    return finished.visit


async def restored(
    shop: Shop, address: str, name: str, *, swap: Swap | None = None, identity: Path | None = None
) -> Finished:
    wish = wish_for(shop.services, name, swap)
    request = VisitRequest((Address.parse(address),), None, restore=wish, identity=identity)
    return await shop._follow(lambda engine: engine.run(request), None)


def asked(shop: Shop) -> list[str]:
    return [event.question.id for event in shop.events if isinstance(event, Asked)]
