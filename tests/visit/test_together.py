"""A release of several packages goes in all or none where the terminal can do that, and one by one where it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.visit import CatmAction, CatmResult, StepRecord, StepState
from techtool.errors import Exit
from techtool.events import Notice, Progress
from techtool.simulator.faults import Direction, Drop, InstallRefusal
from techtool.simulator.model import Model, find_model
from techtool.simulator.state import Session
from techtool.visit.log import VisitLog
from tests.visit.conftest import Shop, fault
from tests.visit.suite import FILES, PACKAGES, RELEASE, SIZE, codes, state, with_stick


@pytest.fixture
def pair(shop: Shop, suite: Path) -> Shop:
    """The shop with that stick in place of its own."""
    return with_stick(shop, suite)


def with_sdk(level: int) -> Model:
    """The same terminal with another Android."""
    model = find_model("sunmi-p2")
    return replace(model, properties={**model.properties, "ro.build.version.sdk": str(level)})


ANDROID_9, ANDROID_11, ANDROID_13 = (with_sdk(level) for level in (28, 30, 33))


class Gone(BaseException):
    """The laptop is off; nothing catches it."""


def installs(shop: Shop) -> list[StepRecord]:
    return [step for step in shop.lane().steps if step.action is CatmAction.INSTALL]


def told(shop: Shop) -> str:
    return "\n".join(event.text.text("en") for event in shop.events if isinstance(event, Notice))


async def test_both_or_none(pair: Shop) -> None:
    async with pair.terminals() as simulation:
        before = codes(simulation)
        finished = await pair.run(*simulation.addresses)
        assert codes(simulation) != before
        assert state(simulation).sessions == {}
    assert (finished.outcome, finished.exit_code, finished.sealed) == (Outcome.SUCCESS, 0, True)
    (step,) = installs(pair)
    assert (step.item, step.state, step.action_result) == (f"{RELEASE}@2.0", StepState.DONE, CatmResult.SUCCESS)
    assert step.bytes_confirmed == SIZE
    assert len(pair.lane().installed) == 2


async def test_progress_counts_over_all_packages(pair: Shop) -> None:
    async with pair.terminals() as simulation:
        await pair.run(*simulation.addresses)
    counts = [e for e in pair.events if isinstance(e, Progress) and e.item == f"{RELEASE}@2.0"]
    confirmed = [event.confirmed_bytes for event in counts]
    assert {event.total_bytes for event in counts} == {SIZE}
    assert confirmed == sorted(confirmed)
    assert confirmed[-1] == SIZE


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("INSTALL_FAILED_VERIFICATION_FAILURE", Outcome.FAILED_DEVICE_OK),
        ("INSTALL_FAILED_USER_RESTRICTED", Outcome.FAILED_TRANSIENT),
    ],
)
async def test_one_refused_and_the_terminal_is_as_before(pair: Shop, nth: int, word: str, outcome: Outcome) -> None:
    async with pair.terminals(faults=fault(install=InstallRefusal(word, nth=nth))) as simulation:
        before = codes(simulation)
        finished = await pair.run(*simulation.addresses)
        assert codes(simulation) == before
        assert state(simulation).sessions == {}
    assert (finished.outcome, finished.exit_code, finished.sealed) == (outcome, Exit.FAILED, True)
    lane = pair.lane()
    assert lane.after is not None
    assert lane.error is not None
    assert all(package in lane.error.what.text("en") for package in PACKAGES)
    assert "runs what it ran before" in lane.error.state_now.text("en")


@pytest.mark.slow
async def test_a_refused_set_goes_in_at_the_second_try(pair: Shop) -> None:
    pair.changed = {"problem.install": "retry", "problem.identify": "retry"}
    refusal = InstallRefusal("INSTALL_FAILED_ABORTED", nth=2, times=1)
    async with pair.terminals(faults=fault(install=refusal)) as simulation:
        assert (await pair.run(*simulation.addresses)).outcome is Outcome.SUCCESS
    assert [step.state for step in installs(pair)] == [StepState.FAILED, StepState.DONE]
    assert "was dropped" not in told(pair)


async def test_an_older_android_takes_them_one_by_one_and_that_is_said(pair: Shop) -> None:
    async with pair.terminals(ANDROID_9) as simulation:
        finished = await pair.run(*simulation.addresses)
    assert finished.outcome is Outcome.SUCCESS
    together, *alone = installs(pair)
    assert (together.item, together.action_result) == (f"{RELEASE}@2.0", CatmResult.NOT_SUPPORTED)
    assert [(step.item, step.action_result) for step in alone] == [(p, CatmResult.SUCCESS) for p in PACKAGES]
    assert "one after the other" in told(pair)


async def test_a_second_one_refused_there_is_inconsistent(pair: Shop) -> None:
    """Without sets the first package stays when the second is refused, and nobody calls that “as before”."""
    refusal = InstallRefusal(word="INSTALL_FAILED_VERIFICATION_FAILURE", package=PACKAGES[1])
    async with pair.terminals(ANDROID_9, faults=fault(install=refusal)) as simulation:
        finished = await pair.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.INCONSISTENT, Exit.INCONSISTENT)


async def test_only_what_is_missing_goes_in(pair: Shop) -> None:
    """A release half there: one package is missing, and one package needs no set."""
    async with pair.terminals() as simulation:
        address = simulation.addresses[0]
        (apk,) = [path for path in FILES if PACKAGES[0] in path.name]
        await simulation.terminals[0].device.packages.preinstall(apk)
        assert (await pair.run(address)).outcome is Outcome.SUCCESS
    assert [step.item for step in installs(pair)] == [PACKAGES[1]]


@pytest.mark.slow
@pytest.mark.parametrize("at_byte", [18_000, 26_000])
async def test_the_cable_is_pulled_while_a_set_goes_in(pair: Shop, at_byte: int) -> None:
    """In the first package and in the second: nothing changed yet, and resume drops what lies there."""
    drop = Drop(at_byte=at_byte, direction=Direction.IN, times=1)
    async with pair.terminals(faults=fault(drop=drop)) as simulation:
        before = codes(simulation)
        finished = await pair.run(*simulation.addresses)
        assert not finished.sealed
        assert [step.state for step in installs(pair)] == [StepState.STARTED]
        assert codes(simulation) == before
        finished = await pair.resume()
        assert state(simulation).sessions == {}
    assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)


@pytest.mark.slow
@pytest.mark.parametrize("model", [ANDROID_11, ANDROID_13], ids=["11", "13"])
async def test_stopped_before_the_commit(pair: Shop, monkeypatch: pytest.MonkeyPatch, model: Model) -> None:
    """Dropping the set drops its packages since Android 12; before, they stay, and that is said."""

    async def gone(*_: object) -> None:
        raise Gone

    async with pair.terminals(model) as simulation:
        before = codes(simulation)
        with monkeypatch.context() as patch:
            patch.setattr("techtool.terminals.install.commit", gone)
            with pytest.raises(Gone):
                await pair.run(*simulation.addresses)
        assert codes(simulation) == before
        assert len(state(simulation).sessions) == 3
        assert (await pair.resume()).outcome is Outcome.SUCCESS
        left = len(state(simulation).sessions)
    assert left == (2 if model is ANDROID_11 else 0)
    assert ("keeps parts" in told(pair)) == bool(left)
    assert "An unfinished installation of" in told(pair)


@pytest.mark.slow
async def test_a_session_whose_number_never_came_back_is_found_and_dropped(
    pair: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to ``install-create`` is lost: the session lies there, and no record says its number."""
    numbers: list[str] = []

    def lost(_log: VisitLog, _lane: str, _package: str, session: str) -> None:
        numbers.append(session)
        raise Gone

    async with pair.terminals() as simulation:
        with monkeypatch.context() as patch:
            patch.setattr(VisitLog, "session_opened", lost)
            with pytest.raises(Gone):
                await pair.run(*simulation.addresses)
        assert list(state(simulation).sessions) == numbers
        # Somebody else's, for a package of another size: it stays.
        foreign = simulation.terminals[0].device.packages.create(Session(id=0, size_bytes=5), 1 << 30)
        assert (await pair.resume()).outcome is Outcome.SUCCESS
        assert list(state(simulation).sessions) == [str(foreign)]
    assert "An unfinished installation of" in told(pair)
