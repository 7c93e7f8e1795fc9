"""Large packages: what a lost link brought is not sent again, what lies there is proven first, nothing stays behind."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.errors import LinkLost
from techtool.events import Progress
from techtool.simulator.faults import Direction, Drop, FaultScript, FullStorage
from techtool.simulator.model import find_model
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.simulator.shell import Program
from techtool.terminals import staging
from tests.visit.big import AGAIN, Attempt, big_apk, driver, lost_at_60_percent, tampered_part
from tests.visit.conftest import Shop, fault


@pytest.fixture(scope="module")
def apk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return big_apk(tmp_path_factory.mktemp("big"))


def laid_down(simulation: Simulation) -> list[str]:
    folder = simulation.terminals[0].device.store.files / "data/local/tmp/techtool"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


async def test_only_the_missing_part_is_sent_again(apk: Path, tmp_path: Path) -> None:
    async with Simulation([TerminalSpec(find_model("sunmi-p2"), 1)], boot_s=0.05) as simulation:
        sent = await lost_at_60_percent(simulation.terminals[0].port, apk, tmp_path)
        assert sent < AGAIN
        assert laid_down(simulation) == []


@pytest.mark.slow
async def test_what_lies_there_is_proven_first(apk: Path, tmp_path: Path) -> None:
    async with Simulation([TerminalSpec(find_model("sunmi-p2"), 1)], boot_s=0.05) as simulation:
        folder = simulation.terminals[0].device.store.files / "data/local/tmp/techtool"

        def change() -> None:
            folder.mkdir(parents=True)
            data = bytearray(apk.read_bytes()[: 20 << 20])
            data[5 << 20] ^= 1
            (folder / f"{hashlib.sha256(apk.read_bytes()).hexdigest()}.part").write_bytes(data)
            (folder / f"{'0' * 64}.part").write_bytes(b"of an earlier visit")

        attempt = await tampered_part(simulation.addresses[0], apk, tmp_path, change)
        assert attempt.resumed == []
        assert laid_down(simulation) == []


@pytest.mark.slow
@pytest.mark.parametrize("lacking", ["sha256sum", "head", "mkdir"])
async def test_a_terminal_without_the_tools_is_streamed_to(
    apk: Path, tmp_path: Path, lacking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from techtool.simulator import services

    programs: dict[str, Program] = {name: it for name, it in vars(services)["PROGRAMS"].items() if name != lacking}
    monkeypatch.setattr(services, "PROGRAMS", programs)
    async with Simulation([TerminalSpec(find_model("sunmi-p2"), 1)], boot_s=0.05) as simulation:
        attempt = Attempt(apk)
        async with driver(simulation.addresses[0], tmp_path) as terminal:
            await attempt.install(terminal)
        assert "org.example.big" in simulation.terminals[0].device.store.state.packages
        assert laid_down(simulation) == []


async def test_without_room_for_twice_nothing_is_laid_down(apk: Path, tmp_path: Path) -> None:
    room = FullStorage(free_bytes=apk.stat().st_size * 3 // 2)
    script = FaultScript(terminal=fault(storage=room))
    async with Simulation([TerminalSpec(find_model("sunmi-p2"), 1)], boot_s=0.05, faults=script) as simulation:
        attempt = Attempt(apk)
        async with driver(simulation.addresses[0], tmp_path) as terminal:
            await attempt.install(terminal)
        assert laid_down(simulation) == []
        assert "org.example.big" in simulation.terminals[0].device.store.state.packages


async def test_small_packages_are_streamed(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        assert (await shop.run(*simulation.addresses)).outcome is Outcome.SUCCESS
        assert not (simulation.terminals[0].device.store.files / "data/local/tmp/techtool").exists()


async def test_a_visit_tells_what_was_there(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's small packages, laid down as if they were large: lost in the middle, gone on with, nothing left."""
    monkeypatch.setattr(staging, "STAGE_FROM_BYTES", 1000)
    drop = Drop(at_byte=20_500, direction=Direction.IN, times=1)
    async with shop.terminals(faults=fault(drop=drop)) as simulation:
        finished = await shop.run(*simulation.addresses)
        assert finished.outcome is not Outcome.SUCCESS
        assert (await shop.resume()).outcome is Outcome.SUCCESS
        assert laid_down(simulation) == []
        assert simulation.terminals[0].device.store.state.sessions == {}
    told = [event for event in shop.events if isinstance(event, Progress) and event.resumed_bytes]
    assert all(0 < event.resumed_bytes <= event.confirmed_bytes for event in told)


@pytest.mark.slow
async def test_a_terminal_that_cannot_keep_what_is_sent(apk: Path, tmp_path: Path) -> None:
    """The link is lost again and again: each attempt brings it further."""
    drop = Drop(at_byte=9 << 20, direction=Direction.IN, times=3)
    script = FaultScript(terminal=(replace(fault(drop=drop)[0]),))
    async with Simulation([TerminalSpec(find_model("sunmi-p2"), 1)], boot_s=0.05, faults=script) as simulation:
        found: list[int] = []
        for _attempt in range(6):
            attempt = Attempt(apk)
            try:
                async with driver(simulation.addresses[0], tmp_path) as terminal:
                    await attempt.install(terminal)
                break
            except LinkLost:
                continue
            finally:
                found += attempt.resumed
        assert found == sorted(found)
        assert len(found) == 3
        assert "org.example.big" in simulation.terminals[0].device.store.state.packages
