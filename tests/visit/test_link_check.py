"""The link is measured before anything is planned: figures in the record, a warning where it is slow or loses some."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from techtool.clock import SystemClock
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.question import CheckResult
from techtool.domain.terminal import Address
from techtool.domain.visit import CheckRecord
from techtool.errors import LinkTimeout
from techtool.events import Asked, Notice
from techtool.links.adb.link import AdbLink
from techtool.links.base import CommandResult
from techtool.simulator.faults import Direction, Drop, Hang
from techtool.visit.services import Services
from techtool.visit.steps import link_check
from techtool.visit.steps.link_check import LINK_CHECK, RoundTrips, measure
from tests.visit.conftest import Shop, fault

FIGURES = re.compile(r"median (\d+) ms, worst (\d+) ms, (\d+) of (\d+) failed")


def measured(shop: Shop) -> list[CheckRecord]:
    return [check for check in shop.lane().checks if check.id == LINK_CHECK]


def warnings(shop: Shop) -> list[str]:
    texts = [e.text.text("en") for e in shop.events if isinstance(e, Notice) and e.warning]
    return [text for text in texts if text.startswith("The link to the terminal is")]


def figures(check: CheckRecord) -> tuple[int, ...]:
    found = FIGURES.fullmatch(check.value)
    assert found is not None, check.value
    return tuple(int(number) for number in found.groups())


async def test_a_sound_link_is_measured_once_before_the_plan_is_confirmed(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        assert (await shop.run(*simulation.addresses)).outcome is Outcome.SUCCESS
    (check,) = measured(shop)
    median, worst, failed, tried = figures(check)
    assert (check.result, check.mode, check.required) == (CheckResult.PASS.value, "A", False)
    assert median <= worst
    assert (failed, tried) == (0, 5)
    confirmed = shop.lane().confirmed_at
    assert confirmed is not None
    assert check.at < confirmed


async def test_a_slow_link_gives_a_warning_with_figures(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is lowered so that the rest of the visit need not crawl; the simulated wire is what is slow."""
    limit_ms, bytes_per_s = 8, 15_000
    services = Shop.services.fget  # type: ignore[attr-defined]

    def strict(self: Shop) -> Services:
        found: Services = services(self)
        limits = replace(found.catalogue.limits, link_slow_ms=limit_ms)
        return replace(found, catalogue=replace(found.catalogue, limits=limits))

    monkeypatch.setattr(Shop, "services", property(strict))
    shop.confirm = False
    async with shop.terminals(faults=fault(slow_bytes_per_s=bytes_per_s)) as simulation:
        await shop.run(*simulation.addresses)
    (check,) = measured(shop)
    median, worst, failed, _tried = figures(check)
    assert worst > limit_ms
    assert (failed, check.result) == (0, CheckResult.PASS.value)
    (text,) = warnings(shop)
    assert f"slow: median {median} ms, worst {worst} ms" in text
    assert check.said is not None
    assert check.said.text("en") == text
    told = next(n for n, e in enumerate(shop.events) if isinstance(e, Notice) and e.warning)
    asked = next(n for n, e in enumerate(shop.events) if isinstance(e, Asked) and e.question.id.startswith("confirm."))
    assert told < asked


async def test_a_link_that_loses_some_gives_a_warning_and_counts_in_the_risk(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of five answers never come; everything else goes through."""
    run, echoes = AdbLink.run, count(1)

    async def lossy(self: AdbLink, command: str, **limits: Any) -> CommandResult:
        if command.startswith("echo ") and next(echoes) in (2, 4):
            raise LinkTimeout(address=str(self.address), seconds=3)
        return await run(self, command, **limits)

    monkeypatch.setattr(AdbLink, "run", lossy)
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    (check,) = measured(shop)
    assert check.result == CheckResult.FAIL.value
    _median, worst, failed, tried = figures(check)
    assert (failed, tried) == (2, 5)
    (text,) = warnings(shop)
    assert f"2 of 5 round trips failed, the worst of the others took {worst} ms" in text
    risk = shop.lane().risk
    assert risk is not None
    (factor,) = [f for f in risk.risk.factors if "round trips" in f.fact.text("en")]
    assert "40 %" in factor.fact.text("en")
    assert factor.points > 0


async def test_a_terminal_that_stops_answering_keeps_nobody_waiting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_check, "_WAIT_S", 0.2)
    hang = Hang(command="echo techtool", after_bytes=2)
    async with shop.terminals(faults=fault(hang=hang)) as simulation:
        link = shop.services.connect(Address.parse(simulation.addresses[0]))
        try:
            await link.open()
            found = await measure(link, SystemClock(), 5)
        finally:
            await link.close()
    assert found.value == "2 of 2 failed"


@pytest.mark.parametrize("at_byte", [2500, 4000], ids=["early", "later"])
async def test_a_link_that_is_cut_ends_the_measurement(shop: Shop, at_byte: int) -> None:
    drop = Drop(at_byte, Direction.IN, times=1)
    async with shop.terminals(faults=fault(drop=drop)) as simulation:
        link = shop.services.connect(Address.parse(simulation.addresses[0]))
        try:
            await link.open()
            found = await measure(link, SystemClock(), 500)
        finally:
            await link.close()
    assert 1 < found.tried < 500
    assert found.failed == 1
    assert found.value.endswith(f"1 of {found.tried} failed")


def test_figures() -> None:
    assert RoundTrips((3.1, 2.9, 9.4), 3).value == "median 3 ms, worst 9 ms, 0 of 3 failed"
    assert RoundTrips((), 2).value == "2 of 2 failed"


async def test_it_belongs_to_the_check_station(shop: Shop) -> None:
    shop.confirm = False
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    station = next(step for step in shop.lane().steps if step.step is StepKind.CHECK)
    (check,) = measured(shop)
    assert station.ended_at is not None
    assert station.started_at <= check.at <= station.ended_at
