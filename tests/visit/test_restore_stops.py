"""A restore stopped at many of its effects: truthful at once, gone on with to the end, no package left missing.

An effect is a write, fsync, rename or new folder on the laptop's disk, or a packet to the terminal; at effect *i* both
freeze. What is true is asked of the simulator's own state.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import techtool.links.adb.wire as wire
from techtool.cli.demo_world import DemoWorld
from techtool.domain.outcome import Outcome
from techtool.domain.restore import RestoreWish
from techtool.domain.terminal import Address
from techtool.domain.visit import VisitKind
from techtool.events import Finished, LaneIdentified
from techtool.visit.engine import Engine
from techtool.visit.operator import ScriptedOperator
from techtool.visit.restore_source import wish_for
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from tests.visit.conftest import Shop
from tests.visit.power import FrozenChannel, FrozenDisk, Power, expecting_a_cut
from tests.visit.suite import with_stick
from tests.visit.undo_stick import FORMER, WORDS, codes, make_undo_stick, updated

POINTS = int(os.environ.get("RESTORE_STOPS", "24"))
"""How many moments are tried, spread evenly over the restore."""


async def go_on(shop: Shop, address: str, wish: RestoreWish, power: Power) -> Finished | None:
    """Run the restore, or resume it where there is one; None when the power failed."""
    FrozenChannel.power = power
    services = Services.real(shop.world.paths, FrozenDisk(shop.world.folder, power))
    operator = ScriptedOperator(shop.answers())
    engine = Engine(replace(services, report_formats=("json",)), operator)
    begun = shop.visit().kind is VisitKind.RESTORE
    request = VisitRequest((Address.parse(address),), None, restore=wish)
    last = None
    with expecting_a_cut():
        async for event in engine.resume(ResumeRequest()) if begun else engine.run(request):
            last = event
            if isinstance(event, LaneIdentified):
                operator.confirmations = (event.serial[-4:],)
    if power.off:
        return None
    assert isinstance(last, Finished)
    return last


def one_of(template: Path, folder: Path, changed: dict[str, str | bool]) -> Shop:
    shutil.copytree(template, folder)
    return Shop(DemoWorld(folder), changed=changed)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_stop_anywhere_in_a_restore(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PacketChannel", FrozenChannel)
    FrozenChannel.power = Power()
    ready = with_stick(shop, make_undo_stick(tmp_path))
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
    changed = dict(WORDS)
    whole = Power()
    measured = one_of(ready.world.folder, tmp_path / "whole", changed)
    wish = wish_for(measured.services, visit)
    async with measured.terminals() as simulation:
        finished = await go_on(measured, simulation.addresses[0], wish, whole)
        assert finished is not None
        assert (finished.outcome, codes(simulation)) == (Outcome.SUCCESS, FORMER)
    count = len(whole.kinds)
    tried = 0
    for off_at in range(0, count, max(1, count // POINTS)):
        one = one_of(ready.world.folder, tmp_path / f"stop-{off_at}", changed)
        async with one.terminals() as simulation:
            address = simulation.addresses[0]
            assert await go_on(one, address, wish, Power(off_at)) is None
            record = one.visit()
            if record.kind is VisitKind.RESTORE and record.outcome is Outcome.SUCCESS:
                assert codes(simulation) == FORMER, off_at
            if not (record.kind is VisitKind.RESTORE and record.sealed):
                finished = await go_on(one, address, wish, Power())
                assert finished is not None
                assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True), off_at
            assert codes(simulation) == FORMER, off_at
            assert simulation.terminals[0].device.store.state.sessions == {}, off_at
            lane = one.lane()
            assert all(r.sha256_found == r.sha256_expected and r.data_lost for r in lane.restored), off_at
            assert len(lane.restored) == 2, off_at
        shutil.rmtree(one.world.folder)
        tried += 1
    print(f"{tried} stops over {count} effects of a restore, 0 untruthful")
