"""What is refused before anything on a terminal was changed, and with which exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.question import Question
from techtool.domain.terminal import BatchState, TamperState
from techtool.domain.visit import CatmAction
from techtool.errors import (
    AnswerMissing,
    Exit,
    NoStick,
    NotSetUp,
    RefusedByPerson,
    StoreLocked,
    TechtoolError,
    WrongPassphrase,
)
from tests.visit.conftest import Shop, fault


def untouched(shop: Shop) -> bool:
    return not any(step.action is CatmAction.INSTALL for step in shop.lane().steps)


@pytest.mark.parametrize("kind", [{"batch": BatchState.OPEN}, {"tamper": TamperState.TAMPERED}])
async def test_gates(shop: Shop, kind: dict[str, BatchState | TamperState]) -> None:
    async with shop.terminals(faults=fault(**kind)) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.REFUSED, Exit.GATE_CLOSED)
    error = shop.lane().error
    assert error is not None
    assert error.next_actions
    assert untouched(shop)


async def test_an_anomaly_in_the_inspection_closes_the_gate(shop: Shop) -> None:
    shop.changed = {"inspect.SE-02": "fail"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.REFUSED, Exit.GATE_CLOSED)
    assert untouched(shop)


async def test_a_device_in_no_catalogue(shop: Shop) -> None:
    async with shop.terminals("unlisted") as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.REFUSED, Exit.UNKNOWN_MODEL)


async def test_nobody_at_the_address(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        address = simulation.addresses[0]
    finished = await shop.run(address)
    assert (finished.exit_code, finished.sealed) == (Exit.UNREACHABLE, True)


async def test_an_unanswered_gate_leaves_the_visit_open(shop: Shop) -> None:
    shop.confirm = False
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
        assert (finished.exit_code, finished.sealed) == (Exit.ANSWER_MISSING, False)
        assert untouched(shop)
        shop.confirm = True
        finished = await shop.resume()
    assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)


async def test_the_wrong_last_four(shop: Shop) -> None:
    shop.confirm = False
    shop.changed = {"confirm.last4": "0000"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.exit_code == Exit.ANSWER_MISSING
    assert untouched(shop)


async def test_a_person_who_walks_away(shop: Shop) -> None:
    class Leaves:
        async def ask(self, question: Question) -> str:
            if question.id == "confirm.last4":
                raise RefusedByPerson(question=question.text)
            answer = shop.operator.answers.find(question)
            assert answer is not None or question.optional
            return answer or ""

    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses, operator=Leaves())
    assert (finished.outcome, finished.exit_code) == (Outcome.CANCELLED, Exit.REFUSED_BY_PERSON)
    assert untouched(shop)


async def expect(shop: Shop, kind: type[TechtoolError]) -> None:
    """The error comes before a visit exists."""
    async with shop.terminals() as simulation:
        with pytest.raises(kind):
            await shop.run(*simulation.addresses)
    assert shop.services.home.visit_ids() == []


async def test_a_stick_that_is_none(shop: Shop, tmp_path: Path) -> None:
    (shop.world.stick / "TECHTOOL").rename(tmp_path / "elsewhere")
    await expect(shop, NoStick)


async def test_a_laptop_that_was_never_set_up(shop: Shop) -> None:
    shop.world.paths.recipients.unlink()
    await expect(shop, NotSetUp)


async def test_the_wrong_passphrase(shop: Shop) -> None:
    shop.changed = {"visit.passphrase": "something else"}
    await expect(shop, WrongPassphrase)


async def test_no_passphrase(shop: Shop) -> None:
    shop.changed = {"visit.passphrase": "MISSING"}
    await expect(shop, AnswerMissing)


async def test_two_techtools_at_once(shop: Shop) -> None:
    with shop.services.home.lock("the other one"):
        await expect(shop, StoreLocked)


async def test_a_damaged_payload(shop: Shop) -> None:
    payload = next((shop.world.stick / "TECHTOOL" / "targets").rglob("*emvkernel*.apk"))
    data = bytearray(payload.read_bytes())
    data[100] ^= 1
    payload.write_bytes(data)
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.exit_code == Exit.DAMAGED_BUNDLE
    assert untouched(shop)
    assert list(shop.world.paths.payloads.glob("*")) == []
