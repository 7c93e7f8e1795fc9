"""Terminals and cables that fail during the work: the right outcome word, and a visit that can be gone on with."""

from __future__ import annotations

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address
from techtool.domain.visit import StepState
from techtool.errors import Exit
from techtool.simulator.faults import Direction, Drop, Faults, InstallRefusal, WrongVersion
from techtool.visit.services import ResumeRequest
from tests.visit.conftest import Shop, fault


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("INSTALL_FAILED_INSUFFICIENT_STORAGE", Outcome.FAILED_TRANSIENT),
        ("INSTALL_FAILED_VERIFICATION_FAILURE", Outcome.FAILED_DEVICE_OK),
        ("INSTALL_FAILED_SOMETHING_NEW", Outcome.FAILED_DEVICE_OK),
    ],
)
async def test_androids_words_become_outcomes(shop: Shop, word: str, outcome: Outcome) -> None:
    async with shop.terminals(faults=fault(install=InstallRefusal(word=word))) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code, finished.sealed) == (outcome, Exit.FAILED, True)
    error = shop.lane().error
    assert error is not None
    assert error.next_actions


async def test_a_terminal_that_says_ok_and_lies(shop: Shop) -> None:
    async with shop.terminals(faults=fault(says_ok_and_lies=True)) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.FAILED_DEVICE_OK
    assert finished.exit_code == Exit.FAILED


async def test_another_version_than_installed(shop: Shop) -> None:
    wrong = WrongVersion(version="0.9", version_code=9)
    async with shop.terminals(faults=fault(wrong_version=wrong)) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.INCONSISTENT, Exit.INCONSISTENT)


async def test_a_trailing_blank_in_a_version_is_no_failure(shop: Shop) -> None:
    async with shop.terminals(faults=fault(trailing_blank=True)) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.SUCCESS


@pytest.mark.slow
@pytest.mark.parametrize("at_byte", [200, 2_000, 12_000, 20_000, 24_000])
async def test_the_cable_is_pulled_and_the_visit_goes_on(shop: Shop, at_byte: int) -> None:
    """Wherever it is cut, the record is truthful at once and resume ends well; a leftover session is dropped."""
    drop = Drop(at_byte=at_byte, direction=Direction.IN, times=1)
    async with shop.terminals(faults=fault(drop=drop)) as simulation:
        finished = await shop.run(*simulation.addresses)
        if shop.lane().before is None:
            assert (finished.outcome, finished.sealed) == (Outcome.FAILED_TRANSIENT, True)
            finished = await shop.run(*simulation.addresses)
        elif finished.outcome is not Outcome.SUCCESS:
            assert not finished.sealed
            assert finished.exit_code in (Exit.LOST, Exit.UNREACHABLE)
            assert shop.lane().outcome is None
            finished = await shop.resume()
    assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)
    assert all(step.state is not StepState.STARTED for step in shop.lane().steps)


async def test_try_again_after_the_cable(shop: Shop) -> None:
    """The way on “try again” reconnects, reads again, and drops what an unfinished session left behind."""
    shop.changed = {"problem.install": "retry", "problem.identify": "retry", "problem.backup": "retry"}
    drop = Drop(at_byte=20_000, direction=Direction.IN, times=1)
    async with shop.terminals(faults=fault(drop=drop)) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.SUCCESS


async def test_another_terminal_answers_on_resume(shop: Shop) -> None:
    """It is not touched, the visit stays open, and goes on when the right one is connected."""
    drop = Drop(at_byte=20_000, direction=Direction.IN, times=1)
    async with shop.terminals(faults=fault(drop=drop)) as right:
        assert not (await shop.run(*right.addresses)).sealed
        serial = shop.lane().serial
        async with shop.terminals("castles-saturn1000f2", state=shop.world.folder / "other") as wrong:
            moved = ResumeRequest(addresses={serial: Address.parse(wrong.addresses[0])})
            finished = await shop.resume(moved)
        assert (finished.exit_code, finished.sealed) == (Exit.GATE_CLOSED, False)
        back = ResumeRequest(addresses={serial: Address.parse(right.addresses[0])})
        assert (await shop.resume(back)).outcome is Outcome.SUCCESS


async def test_the_second_package_is_refused_after_the_first_went_in(shop: Shop) -> None:
    """“As before” is not said of a terminal that is not: it is read again, and the record names what changed."""
    refusal = InstallRefusal(word="INSTALL_FAILED_VERIFICATION_FAILURE", package="com.example.sunmi.pay")
    async with shop.terminals(faults=fault(install=refusal)) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.INCONSISTENT, Exit.INCONSISTENT)
    lane = shop.lane()
    assert lane.after is not None
    assert lane.error is not None
    assert "com.example.emvkernel" in lane.error.state_now.text("en")


async def test_one_lost_terminal_does_not_lose_the_other(shop: Shop) -> None:
    lost = Faults(positions=(1,), install=InstallRefusal(word="INSTALL_FAILED_USER_RESTRICTED"))
    async with shop.terminals("sunmi-p2", "castles-saturn1000f2", faults=(lost,)) as simulation:
        finished = await shop.run(*simulation.addresses)
    outcomes = [lane.outcome for lane in shop.visit().lanes]
    assert outcomes[1] is Outcome.SUCCESS
    assert outcomes[0] is not Outcome.SUCCESS
    assert finished.exit_code == Exit.FAILED
