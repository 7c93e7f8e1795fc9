"""A terminal that asks whether this laptop may come in: the visit says so once, with the fingerprint, and goes on."""

from __future__ import annotations

from datetime import timedelta

from techtool.domain.outcome import Outcome
from techtool.events import Notice
from techtool.links.adb.auth import load_or_make_key
from techtool.links.discovery.probe_log import ProbeEntry, append
from techtool.simulator.auth import AuthPolicy
from techtool.simulator.model import find_model
from techtool.simulator.run import Simulation, TerminalSpec
from tests.visit.conftest import Shop


async def test_the_question_is_told_once_and_the_probe_is_recorded(shop: Shop) -> None:
    paths, now = shop.world.paths, shop.clock.now()
    fingerprint = load_or_make_key(paths.adb_key).fingerprint
    specs = [TerminalSpec(find_model("sunmi-p2"), 1)]
    async with Simulation(specs, state=shop.world.folder / "sim", boot_s=0.05, auth=AuthPolicy.ACCEPT) as simulation:
        (address,) = simulation.addresses
        place = address.removeprefix("adb://")
        append(paths, ProbeEntry(now - timedelta(minutes=5), "Li Wei", "subnet", "192.168.7.0/24", 253, (place,)))
        finished = await shop.run(address)
    assert finished.outcome is Outcome.SUCCESS
    notices = [event.text.text("en") for event in shop.events if isinstance(event, Notice)]
    assert len([text for text in notices if fingerprint in text]) == 1, "also after the terminal's restart"
    (told,) = [text for text in notices if "192.168.7.0/24" in text]
    assert "Li Wei" in told
