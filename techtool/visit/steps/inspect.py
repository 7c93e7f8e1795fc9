"""Inspect: the casing and skimmer check (PCI DSS 9.5.1.2), before anything else is touched."""

from __future__ import annotations

from techtool.domain.plan import StepKind
from techtool.domain.question import CheckAnswer, CheckResult
from techtool.errors import GateClosed
from techtool.i18n import phrase, raw
from techtool.visit.checks import SKIMMER_CHECK, question_for
from techtool.visit.lane import Lane

ACCEPTED = (CheckResult.PASS.value, CheckResult.NOT_APPLICABLE.value)
"""An anomaly, or an inspection that was not done, is asked again on resume."""


async def inspect(lane: Lane) -> None:
    """Ask for the inspection; an anomaly closes the gate."""
    if any(c.id == SKIMMER_CHECK and c.result in ACCEPTED for c in lane.record.checks):
        return
    test = lane.services.catalogue.test(SKIMMER_CHECK)
    async with lane.step(StepKind.INSPECT, SKIMMER_CHECK, title=test.title_phrase) as step:
        question = question_for(test, StepKind.INSPECT, lane.known.identity.serial)
        answer = CheckAnswer.parse(await lane.ask(StepKind.INSPECT, question)) or CheckAnswer(CheckResult.FAIL)
        lane.log.checked(lane.id, test.id, test.title_phrase, answer)
        if answer.result is CheckResult.FAIL:
            raise GateClosed(
                reason=phrase("the inspection found an anomaly"),
                remedy=phrase("Take the terminal out of use, do not open it, secure it and tell the acquirer."),
            )
        step.result = raw(answer.result.value)
