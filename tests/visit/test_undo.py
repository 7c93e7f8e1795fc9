"""Undo after a failure: what ran before comes back from this visit's own backup, and that is never called a success."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.rollback import RollbackClass
from techtool.domain.terminal import TerminalState
from techtool.domain.visit import CatmAction, StepState
from techtool.errors import Exit, LinkLost
from techtool.events import Asked, StepFailed
from techtool.reports.facts import recovery_s
from techtool.simulator.faults import InstallRefusal
from techtool.simulator.run import Simulation
from techtool.visit import undo
from techtool.visit.lane import Lane
from techtool.visit.steps import identify
from tests.visit.conftest import Shop, fault
from tests.visit.suite import with_stick
from tests.visit.undo_stick import (
    FORMER,
    KERNEL,
    NEW,
    PAY,
    WORDS,
    asked,
    codes,
    data,
    debuggable,
    packages,
    store_data,
    untold,
)

REFUSED = InstallRefusal(word="INSTALL_FAILED_VERIFICATION_FAILURE", package=PAY)


@pytest.fixture
def ready(shop: Shop, undo_stick: Path) -> Shop:
    shop.changed = {**WORDS, "problem.install": "undo"}
    return with_stick(shop, undo_stick)


async def failed_half_way(shop: Shop, simulation: Simulation) -> tuple[Outcome, int, bool]:
    """The kernel goes in, the payment application is refused."""
    store_data(simulation)
    finished = await shop.run(simulation.addresses[0])
    return finished.outcome, finished.exit_code, finished.sealed


def choices(shop: Shop, question: str) -> list[str]:
    found = [e.question for e in shop.events if isinstance(e, Asked) and e.question.id == question]
    return [choice.value for choice in found[-1].choices]


async def test_the_half_that_went_in_is_taken_back(ready: Shop) -> None:
    async with ready.terminals(faults=fault(install=REFUSED)) as simulation:
        before = {name: p.apk_sha256 for name, p in packages(simulation).items()}
        assert await failed_half_way(ready, simulation) == (Outcome.ROLLED_BACK, Exit.ROLLED_BACK, True)
        assert {name: p.apk_sha256 for name, p in packages(simulation).items()} == before
        assert data(simulation) == ["typed in by hand", ""], "only what had to be uninstalled lost its data"
    lane = ready.lane()
    assert lane.undo_at is not None
    assert lane.error is not None
    assert "put back" in lane.error.state_now.text("en")
    assert [one.data_lost for one in lane.restored if one.package.id == KERNEL] == [True]
    assert all(step.state is not StepState.STARTED for step in lane.steps)
    last = max(s.ended_at for s in lane.steps if s.step is StepKind.VERIFY and s.ended_at is not None)
    took_s = recovery_s(lane)
    assert took_s == pytest.approx((last - lane.undo_at).total_seconds(), abs=0.001)
    written = ready.world.paths.reports / ready.visit().id
    (terminal,) = json.loads((written / f"{ready.visit().id}.json").read_text())["predicate"]["terminals"]
    assert terminal["recovery_s"] == took_s
    page = next(written.glob("*.en.html")).read_text(encoding="utf-8")
    assert f"{took_s:.1f} s, until it was read again" in page


async def test_data_stays_where_the_terminal_takes_an_older_one(ready: Shop) -> None:
    async with ready.terminals(debuggable(), faults=fault(install=REFUSED)) as simulation:
        assert (await failed_half_way(ready, simulation))[0] is Outcome.ROLLED_BACK
        assert (codes(simulation), data(simulation)) == (FORMER, ["typed in by hand"] * 2)
    plan = ready.lane().plan
    assert plan is not None
    assert plan.rollback.kind is RollbackClass.KEEPS_DATA
    assert not [name for name in asked(ready) if name.startswith("restore.")]


async def test_after_a_failed_test(ready: Shop) -> None:
    ready.changed |= {"test.TX-01": "fail", "problem.test": "undo"}
    async with ready.terminals() as simulation:
        finished = await ready.run(simulation.addresses[0])
        assert (finished.outcome, finished.exit_code) == (Outcome.ROLLED_BACK, Exit.ROLLED_BACK)
        assert codes(simulation) == FORMER
    assert {one.package.id for one in ready.lane().restored} == {PAY, KERNEL}


@pytest.mark.slow
async def test_a_failed_test_that_is_left(ready: Shop) -> None:
    """Without an answer nothing is undone by itself."""
    ready.changed |= {"test.TX-01": "fail"}
    async with ready.terminals() as simulation:
        finished = await ready.run(simulation.addresses[0])
        assert finished.exit_code == Exit.NOT_RESTORED
        assert codes(simulation) == NEW
    assert choices(ready, "problem.test") == ["undo", "leave"]


@pytest.mark.slow
async def test_a_closed_gate_leaves_the_tested_terminal_as_it_is(ready: Shop) -> None:
    ready.changed |= {"test.TX-01": "fail", "problem.test": "undo", "restore.nothing-waiting": False}
    async with ready.terminals(untold()) as simulation:
        finished = await ready.run(simulation.addresses[0])
        assert finished.exit_code == Exit.NOT_RESTORED
        assert codes(simulation) == NEW
    assert ready.lane().undo_at is None


@pytest.mark.slow
async def test_the_word_is_not_typed(ready: Shop) -> None:
    """Then nothing is undone; the visit stays open, for it is half-done."""
    ready.changed[f"restore.loses-data.{KERNEL}"] = "no"
    async with ready.terminals(faults=fault(install=REFUSED)) as simulation:
        outcome, _code, sealed = await failed_half_way(ready, simulation)
        assert (outcome, sealed) == (Outcome.INCONSISTENT, False)
        assert codes(simulation) == {**FORMER, KERNEL: NEW[KERNEL]}
        assert data(simulation)[1] == "typed in by hand"
    assert ready.lane().undo_at is None
    refusals = [e for e in ready.events if isinstance(e, StepFailed) and e.step is StepKind.INSTALL]
    assert len(refusals) == 1, "whoever said no to undoing is asked again; nothing is installed unasked"


async def test_it_is_not_offered_where_the_publisher_forbids_it(shop: Shop) -> None:
    shop.changed = {"problem.install": "leave"}
    async with shop.terminals(faults=fault(install=REFUSED)) as simulation:
        finished = await shop.run(simulation.addresses[0])
    assert finished.outcome is Outcome.INCONSISTENT
    assert choices(shop, "problem.install") == ["retry", "later", "leave"]
    plan = shop.lane().plan
    assert plan is not None
    assert plan.rollback.kind is RollbackClass.NOT_POSSIBLE


@pytest.mark.slow
async def test_an_interrupted_undo_goes_on(ready: Shop) -> None:
    """The former package does not go in at first: uninstalled, and the visit open; resume puts it back."""
    ready.changed |= {"test.TX-01": "fail", "problem.test": "undo", "problem.install": "later"}
    async with ready.terminals() as simulation:
        store = simulation.terminals[0].device.packages
        install = store.commit
        refusals = iter([True])

        async def once_refused(session: int, free_bytes: int) -> None:
            package = next(iter(packages(simulation)), "")
            if PAY not in packages(simulation) and next(refusals, False):
                store.abandon(session)
                from techtool.simulator.apk import InstallRefused

                raise InstallRefused("INSTALL_FAILED_INTERNAL_ERROR", package)
            await install(session, free_bytes)

        store.commit = once_refused  # type: ignore[method-assign,assignment]
        finished = await ready.run(simulation.addresses[0])
        assert (finished.outcome, finished.sealed) == (Outcome.INCONSISTENT, False)
        assert PAY not in codes(simulation)
        finished = await ready.resume()
        assert (finished.outcome, finished.exit_code, finished.sealed) == (Outcome.ROLLED_BACK, Exit.ROLLED_BACK, True)
        assert codes(simulation) == FORMER
    removed = [s for s in ready.lane().steps if s.action is CatmAction.DELETE]
    assert sorted(s.item for s in removed) == [f"remove:{KERNEL}", f"remove:{PAY}"], "each once"


async def test_the_question_after_the_tests_names_what_failed(ready: Shop) -> None:
    ready.changed |= {"test.TX-01": "fail"}
    async with ready.terminals() as simulation:
        await ready.run(simulation.addresses[0])
    (question,) = [e.question for e in ready.events if isinstance(e, Asked) and e.question.id == "problem.test"]
    title = ready.services.catalogue.test("TX-01").title_phrase.text("en")
    assert f"TX-01 {title}" in question.text.text("en")
    assert question.help is not None


@pytest.mark.slow
async def test_a_link_that_is_lost_while_undoing_is_a_problem_with_its_code(
    ready: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal is read outside a step there: no step failed, so the question itself brings code and advice."""
    read, count = identify.read_state, itertools.count(1)

    async def lost_the_second_time(lane: Lane) -> TerminalState:
        if next(count) == 2:
            raise LinkLost(address=str(lane.address))
        return await read(lane)

    monkeypatch.setattr(undo, "read_state", lost_the_second_time)
    ready.changed |= {"test.TX-01": "fail", "problem.test": "undo", "problem.install": "later"}
    async with ready.terminals() as simulation:
        finished = await ready.run(simulation.addresses[0])
        assert not finished.sealed
        (question,) = [e.question for e in ready.events if isinstance(e, Asked) and e.question.id == "problem.install"]
        assert question.error is not None
        assert question.error.code == LinkLost.code
        assert question.error.next_actions
        assert (await ready.resume()).outcome is Outcome.ROLLED_BACK
