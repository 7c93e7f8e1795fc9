"""A stick with one release of two packages, for tests of what goes in together."""

from __future__ import annotations

import shutil
from pathlib import Path

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import SystemClock
from techtool.domain.release import ReleaseKind
from techtool.simulator.model import APKS
from techtool.simulator.run import Simulation
from techtool.simulator.state import DeviceState
from techtool.visit.setup import trust_root
from tests.visit.conftest import Shop

RELEASE = "com.example.suite"
PACKAGES = ("com.example.emvkernel", "com.example.sunmi.pay")
FILES = [APKS / "com.example.emvkernel-7.1.0.apk", APKS / "com.example.sunmi.pay-1.5.0.apk"]
SIZE = sum(path.stat().st_size for path in FILES)


def make_suite(folder: Path) -> Path:
    """The stick."""
    clock = SystemClock()
    workspace = Workspace.create(folder / "bundle", ("sunmi",), clock)
    draft = Description(
        id=RELEASE, version="2.0", version_format="dotted", kind=ReleaseKind.APPLICATION,
        install_duration=30, provides=(ProvidesEntry("sunmi", "P2"),),
    )  # fmt: skip
    workspace.add("sunmi", FILES, draft, clock)
    workspace.sign(clock)
    stick = folder / "stick"
    stick.mkdir()
    workspace.write(stick, clock)
    return stick


def with_stick(shop: Shop, stick: Path) -> Shop:
    shutil.rmtree(shop.world.stick)
    shutil.copytree(stick, shop.world.stick)
    trust_root(shop.world.paths, shop.world.stick / "TECHTOOL" / "metadata" / "1.root.json")
    return shop


def state(simulation: Simulation) -> DeviceState:
    return simulation.terminals[0].device.store.state


def codes(simulation: Simulation) -> list[int]:
    return [state(simulation).packages[package].version_code for package in PACKAGES]
