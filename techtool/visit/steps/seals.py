"""The seals: their numbers compared with those on record, by the order or by the last visit."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, CheckAnswer, CheckResult, Question
from techtool.domain.sensitive import redact
from techtool.domain.work_order import same
from techtool.errors import GateClosed, TechtoolError
from techtool.i18n import phrase, raw
from techtool.visit.bind import remembered
from techtool.visit.incidents import open_incident
from techtool.visit.lane import Lane
from techtool.visit.visits import open_record

SEAL_CHECK: Final = "SE-04"
_BETWEEN: Final = re.compile(r"[;；,，、\s]+")


async def inspect_seals(lane: Lane) -> None:
    """Ask for the numbers where some are on record; others than those close the gate, unless they were replaced.

    Without an answer nothing is recorded: the check stays open.
    """
    if any(c.id == SEAL_CHECK and c.result == CheckResult.PASS.value for c in lane.record.checks):
        return
    known = await _on_record(lane)
    if not known:
        return
    test = lane.services.catalogue.test(SEAL_CHECK)
    serial = lane.known.identity.serial
    question = Question(
        "inspect.SE-04.numbers",
        AnswerKind.TEXT,
        phrase("Numbers on the seals (several are parted by “;”)"),
        help=test.criteria_phrase,
        serial=serial,
        optional=True,
    )
    found = _numbers(_said_before(lane, question) or await lane.ask(StepKind.INSPECT, question))
    if not found:
        return
    async with lane.step(StepKind.INSPECT, SEAL_CHECK, title=test.title_phrase) as step:
        answer = CheckAnswer(CheckResult.PASS)
        if _compared(found) != _compared(known):
            answer = await _replaced(lane, known)
        value = "; ".join(found)
        lane.log.checked(lane.id, test.id, test.title_phrase, answer, value=value, mode="H")
        if answer.result is CheckResult.FAIL:
            note = f"{value} / {'; '.join(known)}"
            await open_incident(lane, SEAL_CHECK, note, StepKind.INSPECT)
            raise GateClosed(
                reason=phrase("the seals are not those on record"),
                remedy=phrase("Take the terminal out of use, do not open it, secure it and tell the acquirer."),
            )
        step.result = raw(answer.result.value)


def _said_before(lane: Lane, question: Question) -> str:
    """What was said just before a stop, of which no result was recorded yet; empty: it is asked."""
    said = [a.answer for a in lane.log.answers_of(lane.id) if a.question_id == question.id]
    done = [check for check in lane.log.checks_of(lane.id) if check.id == SEAL_CHECK]
    return said[-1] if len(said) > len(done) else ""


async def _replaced(lane: Lane, known: tuple[str, ...]) -> CheckAnswer:
    """Other numbers are in order only where somebody can say who replaced the seals."""
    question = Question(
        "inspect.SE-04.replaced",
        AnswerKind.TEXT,
        phrase("On record are other seals: {numbers}. Who replaced them, when and why?", numbers="; ".join(known)),
        help=phrase("Without an answer this is an anomaly and the terminal is not touched."),
        serial=lane.known.identity.serial,
        optional=True,
    )
    reason = (await lane.ask(StepKind.INSPECT, question)).strip()
    return CheckAnswer(CheckResult.PASS if reason else CheckResult.FAIL, reason)


async def _on_record(lane: Lane) -> tuple[str, ...]:
    """By the order, else by the newest visit in which they were read."""
    order = lane.visit.order if lane.visit else None
    expected = order.expected(lane.known.identity.serial, lane.known.tid or "") if order else None
    if expected is not None and expected.seals:
        return expected.seals
    return await asyncio.to_thread(_seen_last, lane)


def _seen_last(lane: Lane) -> tuple[str, ...]:
    serial = lane.known.identity.serial
    entries = remembered(lane.services, lane.known, lane.log.visit_id)
    for entry in reversed([e for e in entries if e.serial.casefold() == serial.casefold()][-_LOOK_BACK:]):
        try:
            visit = open_record(lane.services, entry.visit)
        except TechtoolError:
            continue  # what can no longer be read tells nothing; doctor names it
        if entry.visit in lane.services.home.keys.masked:
            continue  # no seal differs from a mask
        for record in visit.lanes:
            if record.serial == serial:
                for check in reversed(record.checks):
                    if check.id == SEAL_CHECK and check.result == CheckResult.PASS.value and check.value:
                        return _numbers(check.value)
    return ()


def _compared(numbers: tuple[str, ...]) -> set[str]:
    """A number that looks like a card's is on record only masked."""
    return {same(redact(number)) for number in numbers}


_LOOK_BACK: Final = 3
"""Older visits are not opened for this: reading one takes time while a person waits."""


def _numbers(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in _BETWEEN.split(text.strip()) if part))
