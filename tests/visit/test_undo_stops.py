"""An undo stopped at many of its effects: truthful at once, gone on with to the end, no package left missing.

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
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address
from techtool.events import Answered, Finished, LaneIdentified
from techtool.visit.engine import Engine
from techtool.visit.operator import ScriptedOperator
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from techtool.visit.visits import list_visits
from tests.visit.conftest import Shop
from tests.visit.power import FrozenChannel, FrozenDisk, Power, expecting_a_cut
from tests.visit.suite import with_stick
from tests.visit.test_restore_stops import one_of
from tests.visit.undo_stick import FORMER, KERNEL, PAY, WORDS, codes, make_undo_stick

POINTS = int(os.environ.get("UNDO_STOPS", "40"))
"""How many moments are tried, spread evenly from the answer “undo” to the end."""
CHOSEN = "problem.test"


async def go_on(shop: Shop, address: str, power: Power) -> tuple[Finished | None, int]:
    """Run the visit, or resume it; None when the power failed. And the effects before undo was chosen."""
    FrozenChannel.power = power
    operator = ScriptedOperator(shop.answers())
    services = Services.real(shop.world.paths, FrozenDisk(shop.world.folder, power))
    engine = Engine(replace(services, report_formats=("json",)), operator)
    request = VisitRequest((Address.parse(address),), shop.world.stick)
    last, chosen_at = None, 0
    with expecting_a_cut():
        async for event in engine.resume(ResumeRequest()) if list_visits(shop.services) else engine.run(request):
            last = event
            if isinstance(event, LaneIdentified):
                operator.confirmations = (event.serial[-4:],)
            if isinstance(event, Answered) and event.question_id == CHOSEN:
                chosen_at = len(power.kinds)
    if power.off:
        return None, chosen_at
    assert isinstance(last, Finished)
    return last, chosen_at


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_stop_anywhere_in_an_undo(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PacketChannel", FrozenChannel)
    ready = with_stick(shop, make_undo_stick(tmp_path))
    changed = {**WORDS, "test.TX-01": "fail", CHOSEN: "undo"}
    whole = Power()
    measured = one_of(ready.world.folder, tmp_path / "whole", changed)
    async with measured.terminals() as simulation:
        finished, begin = await go_on(measured, simulation.addresses[0], whole)
        assert finished is not None
        assert (finished.outcome, codes(simulation)) == (Outcome.ROLLED_BACK, FORMER)
    count = len(whole.kinds)
    tried = range(begin, count, max(1, (count - begin) // POINTS))
    seen: set[int] = set()
    for off_at in tried:
        one = one_of(ready.world.folder, tmp_path / f"stop-{off_at}", changed)
        async with one.terminals() as simulation:
            address = simulation.addresses[0]
            finished, _begin = await go_on(one, address, Power(off_at))
            assert finished is None, off_at
            seen.add(len(codes(simulation)))
            record = one.visit()
            if record.outcome is not None:
                assert (record.outcome, codes(simulation)) == (Outcome.ROLLED_BACK, FORMER), off_at
            if not record.sealed:
                finished, _begin = await go_on(one, address, Power())
                assert finished is not None, off_at
                assert (finished.outcome, finished.sealed) == (Outcome.ROLLED_BACK, True), off_at
            assert codes(simulation) == FORMER, off_at
            assert simulation.terminals[0].device.store.state.sessions == {}, off_at
            back = one.lane().restored
            assert {r.package.id for r in back} == {PAY, KERNEL}, off_at
            assert all(r.sha256_found == r.sha256_expected and r.data_lost for r in back), off_at
        shutil.rmtree(one.world.folder)
    assert seen == {1, 2}, "the power failed with a package away, and with both there"
    print(f"{len(tried)} stops over {count - begin} effects of an undo, 0 untruthful")
