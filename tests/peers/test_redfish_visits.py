"""Whole visits over Redfish, identify to report, to a gateway nobody here wrote: OpenStack's sushy-tools emulator."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.catalogue.reader import load_catalogue
from techtool.cli.demo_world import PASSPHRASE, DemoWorld
from techtool.clock import SystemClock
from techtool.domain.outcome import Outcome
from techtool.domain.release import After, KeyFate, ReleaseKind
from techtool.domain.terminal import Address
from techtool.errors import Exit
from techtool.links.redfish.pins import Pins, certificate_at
from techtool.terminals import redfish_tasks
from techtool.visit.services import ResumeRequest, Services
from tests.peers.sushy import PASSWORD, RULE, SYSTEM, USER, Emulator, Front, emulator, fronted, nothing
from tests.visit.conftest import Shop
from tests.visit.gateways import LOGIN
from tests.visit.suite import with_stick

pytestmark = pytest.mark.peers

BIOS = "BIOS"
OLD, NEW = "1.0.0", "1.1.0"
"""The emulator raises its machine's version by this much, whatever it is told to put in."""
ASKED: Mapping[str, str | bool] = {
    "check.batch": True,
    "check.batch.evidence": "slip 000123",
    "check.tamper": True,
    "inspect.tamper": True,
}
"""What the emulator does not know of itself."""
IMAGE = bytes(range(256)) * 4096
KNOWS_THE_EMULATOR = """
import functools, pathlib, sys
from techtool.cli.main import run
from techtool.visit import services
services.load_catalogue = functools.partial(services.load_catalogue, pathlib.Path(sys.argv.pop(1)))
sys.exit(run(sys.argv[1:]))
"""


class Counter(Shop):
    """A shop whose catalogue knows the emulator, by a rule of its owner's."""

    @property
    def services(self) -> Services:
        rules = self.world.folder / "models.toml"
        rules.write_text(RULE)
        return replace(super().services, catalogue=load_catalogue(rules))


def make_stick(folder: Path, version: str, *, restart: bool = False) -> Path:
    clock = SystemClock()
    workspace = Workspace.create(folder / "bundle", ("sushy",), clock)
    draft = Description(
        id=BIOS, version=version, version_format="dotted", kind=ReleaseKind.BOOTLOADER, install_duration=30,
        provides=(ProvidesEntry("sushy", "emulator"),), after=After(restart=restart), keys=KeyFate.KEPT,
    )  # fmt: skip
    path = folder / "bios.bin"
    path.write_bytes(IMAGE)
    workspace.add("sushy", [path], draft, clock)
    workspace.sign(clock, accept_lint=True)  # the built-in catalogue knows no such model
    stick = folder / "stick"
    stick.mkdir()
    workspace.write(stick, clock)
    return stick


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A laptop with a key and settings; made once."""
    folder = tmp_path_factory.mktemp("world")
    DemoWorld.make(folder, "en")
    return folder


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_stick(tmp_path_factory.mktemp("sushy"), NEW)


@pytest.fixture
def counter(tmp_path: Path, template: Path, stick: Path) -> Counter:
    shutil.copytree(template, tmp_path / "world")
    counter = Counter(DemoWorld(tmp_path / "world"))
    with_stick(counter, stick)
    counter.changed = {**LOGIN, **ASKED, "identify.user": USER, "identify.password": PASSWORD}
    return counter


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the emulator keeps its machine."""
    folder = tmp_path / "gateway"
    folder.mkdir()
    return folder


@asynccontextmanager
async def gateway(redfish_peers: Path, place: Path, counter: Counter, *, forgets: bool = False) -> AsyncIterator[Front]:
    """The emulator behind its front; somebody compared the certificate before."""
    async with emulator(redfish_peers, place, forgets=forgets) as one, fronted(one, IMAGE) as front:
        await pinned(counter, front.address)
        yield front


async def pinned(counter: Counter, text: str) -> None:
    address = Address.parse(text)
    Pins(counter.world.paths).keep(address, (await certificate_at(address)).der)


def reports(counter: Counter) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(counter.world.paths.reports.glob("*/*.html")))


async def test_identify_to_report(redfish_peers: Path, place: Path, counter: Counter, tmp_path: Path) -> None:
    """The image is fetched from this laptop, the emulator raises its version, restarts, and is read again."""
    with_stick(counter, make_stick(tmp_path, NEW, restart=True))
    async with gateway(redfish_peers, place, counter) as front:
        assert await front.upstream.bios() == OLD
        finished = await counter.run(front.address)
        assert (finished.outcome, finished.exit_code) == (Outcome.SUCCESS, 0), counter.lane().error
        assert (front.fetched, front.forwarded, front.resets) == (1, 1, ["GracefulRestart"])
        assert await front.upstream.bios() == NEW
        assert not front.tokens, "every session was ended"
        again = await counter.run(front.address)
        assert again.outcome is Outcome.NOTHING_TO_DO
        assert front.forwarded == 1
    html = reports(counter)
    for word in (SYSTEM, BIOS, OLD, NEW):
        assert word in html


async def test_stopped_before_it_heard_of_the_update(redfish_peers: Path, place: Path, counter: Counter) -> None:
    """It has the image and dies: nobody says success or failure; it is read again, and brought once more."""
    async with gateway(redfish_peers, place, counter) as front:
        front.before_update = front.upstream.kill
        finished = await counter.run(front.address)
        assert (finished.outcome, finished.exit_code) == (Outcome.INCONSISTENT, Exit.LOST)
        front.before_update = nothing
        await front.upstream.start()
        assert await front.upstream.bios() == OLD
        assert (await counter.resume()).outcome is Outcome.SUCCESS, counter.lane().error
        assert (front.fetched, front.forwarded) == (2, 1)
        assert await front.upstream.bios() == NEW


async def test_stopped_once_it_was_done(
    redfish_peers: Path, place: Path, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it begins and is gone: it is read again, and nothing is sent twice."""
    monkeypatch.setattr(redfish_tasks, "AWAY_S", 0.5)
    async with gateway(redfish_peers, place, counter) as front:
        front.after_update = front.upstream.kill
        finished = await counter.run(front.address)
        assert (finished.outcome, finished.exit_code) == (Outcome.INCONSISTENT, Exit.LOST)
        assert not reports(counter)
        await front.upstream.start()
        assert await front.upstream.bios() == NEW
        assert (await counter.resume()).outcome is Outcome.SUCCESS, counter.lane().error
        assert (front.fetched, front.forwarded) == (1, 1)


async def killed_at_new_version(counter: Counter, address: str, alone: Emulator, folder: Path) -> None:
    """A technician's techtool, and kill -9 as soon as the emulator shows the new version."""
    answers, word = folder / "answers.json", folder / "passphrase"
    answers.write_text(json.dumps(dict(counter.answers().values)))
    word.write_text(PASSPHRASE + "\n")
    given = ["--bundle", str(counter.world.stick), "--answers", str(answers), "--confirm", SYSTEM[-4:]]
    given += ["--passphrase-file", str(word), "--json"]
    counter.services  # writes the rule  # noqa: B018
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KNOWS_THE_EMULATOR, str(counter.world.folder / "models.toml")),
        *("visit", "run", address, *given),
        stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, "TECHTOOL_HOME": str(counter.world.paths.home), "TECHTOOL_LANG": "en"},
    )
    async with asyncio.timeout(90):
        while await alone.bios() != NEW:
            assert process.returncode is None
            await asyncio.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def test_killed_while_a_device_that_never_fetched_was_waited_for(
    redfish_peers: Path, place: Path, counter: Counter, tmp_path: Path
) -> None:
    """The new version is there when the visit is resumed, and not a byte of the file: it is brought, not believed."""
    async with emulator(redfish_peers, place, tls=True) as alone:
        address = f"redfish+https://127.0.0.1:{alone.port}"
        await pinned(counter, address)
        await killed_at_new_version(counter, address, alone, tmp_path)
    async with gateway(redfish_peers, place, counter) as front:
        finished = await counter.resume(ResumeRequest(addresses={SYSTEM: Address.parse(front.address)}))
        assert (front.fetched, front.forwarded) == (1, 1), "the file is brought, although the version was there"
        assert finished.outcome is Outcome.INCONSISTENT, "it raised the version beyond the release's"


async def test_a_version_that_does_not_rise(redfish_peers: Path, place: Path, counter: Counter) -> None:
    """“Completed”, and the emulator runs what it ran."""
    async with gateway(redfish_peers, place, counter, forgets=True) as front:
        finished = await counter.run(front.address)
        assert finished.outcome is Outcome.FAILED_DEVICE_OK, counter.lane().error
        assert finished.exit_code != 0
        assert front.forwarded == 1
        assert await front.upstream.bios() == OLD


async def test_another_version_than_the_release(
    redfish_peers: Path, place: Path, counter: Counter, tmp_path: Path
) -> None:
    with_stick(counter, make_stick(tmp_path, "1.2.0"))
    async with gateway(redfish_peers, place, counter) as front:
        finished = await counter.run(front.address)
        assert finished.outcome is Outcome.INCONSISTENT, counter.lane().error
        assert await front.upstream.bios() == NEW


@pytest.mark.parametrize(
    ("way", "code", "runs"), [("leave", "TT-410", NEW), ("retry", "TT-411", "1.2.0"), ("later", "TT-410", NEW)]
)
async def test_a_device_that_is_done_without_the_file(
    way: str, code: str, runs: str, redfish_peers: Path, place: Path, counter: Counter
) -> None:
    """The emulator alone: it shows the new version and has never fetched a byte, so nobody may call that installed.

    Neither by trying again, nor on another day: the version that is there does not count before the file was fetched,
    and so the emulator is told once more, and raises it once more.
    """
    counter.changed["problem.install"] = way
    async with emulator(redfish_peers, place, tls=True) as alone:
        address = f"redfish+https://127.0.0.1:{alone.port}"
        await pinned(counter, address)
        finished = await counter.run(address)
        assert finished.outcome is Outcome.INCONSISTENT
        assert finished.exit_code != 0
        error = counter.lane().error
        assert error is not None
        assert (error.code, await alone.bios()) == (code, runs)
        told = [step.error.what.text() for step in counter.lane().steps if step.error is not None]
        assert any("never fetched" in words for words in told)
    if way != "later":
        return
    async with gateway(redfish_peers, place, counter) as front:
        finished = await counter.resume(ResumeRequest(addresses={SYSTEM: Address.parse(front.address)}))
        assert (front.fetched, front.forwarded) == (1, 1), "the file is brought, although the version was there"
        assert finished.outcome is Outcome.INCONSISTENT, "it raised the version beyond the release's"
