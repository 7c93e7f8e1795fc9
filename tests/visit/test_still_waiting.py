"""Whoever waits is told for how long, at most how long, and that stopping here loses nothing."""

from __future__ import annotations

import pytest

from techtool.cli.events import event_json
from techtool.domain.outcome import Outcome
from techtool.events import StillWaiting
from techtool.i18n import LANGUAGES
from techtool.simulator.faults import Hang
from techtool.terminals import shell
from techtool.tui.views.fold import fold
from techtool.tui.views.visit import VisitView
from techtool.visit import lane
from tests.visit.conftest import Shop, fault


async def test_a_terminal_that_hangs_is_told_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "WAIT_TOLD_EVERY_S", 0.3)
    defaults = shell.ask.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "timeout_s", 3.0)
    async with shop.terminals(faults=fault(hang=Hang("dumpsys battery", 5))) as simulation:
        finished = await shop.run(*simulation.addresses)
        assert finished.outcome is not Outcome.SUCCESS
        told = [event for event in shop.events if isinstance(event, StillWaiting)]
        assert len(told) >= 3
        assert all(event.waited_s <= event.bound_s for event in told)
        assert [event.waited_s for event in told] == sorted(event.waited_s for event in told)
        line = event_json(told[-1])
        assert (line["event"], line["bound_s"]) == ("still_waiting", 120)
        for language in LANGUAGES:
            assert "120" in told[-1].text.text(language)
        assert fold(VisitView(), told[-1]).log
        if not finished.sealed:
            assert (await shop.resume()).outcome is Outcome.SUCCESS


async def test_a_person_who_thinks_is_not_waited_for_aloud(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from techtool.domain.question import Question
    from techtool.visit.operator import Operator

    monkeypatch.setattr(lane, "WAIT_TOLD_EVERY_S", 0.2)

    class Slow(Operator):
        async def ask(self, question: Question) -> str:
            if question.id == "confirm.last4":
                await asyncio.sleep(1.0)
            return await shop.operator.ask(question)

    async with shop.terminals() as simulation:
        assert (await shop.run(*simulation.addresses, operator=Slow())).outcome is Outcome.SUCCESS
    told = [event.step.value for event in shop.events if isinstance(event, StillWaiting)]
    assert "confirm" not in told
