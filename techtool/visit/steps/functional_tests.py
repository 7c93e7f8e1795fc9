"""Test: what a person must see with their own eyes, from the catalogue; four results, reasons where due."""

from __future__ import annotations

from techtool.domain.plan import StepKind
from techtool.domain.question import CheckAnswer, CheckResult
from techtool.i18n import phrase, raw
from techtool.visit.checks import after_install, question_for
from techtool.visit.lane import Lane


async def functional_tests(lane: Lane) -> bool:
    """Ask for each attended test of the planned kinds that has no result yet; True when none failed."""
    results = {check.id: check.result for check in lane.record.checks}
    tests = after_install(lane.services.catalogue, {v.release.kind for v in lane.agreed.releases})
    for test in tests:
        if test.id in results:
            continue
        async with lane.step(StepKind.TEST, test.id, title=test.title_phrase) as step:
            question = question_for(test, StepKind.TEST, lane.known.identity.serial)
            answer = CheckAnswer.parse(await lane.ask(StepKind.TEST, question)) or CheckAnswer(CheckResult.FAIL)
            lane.log.checked(lane.id, test.id, test.title_phrase, answer)
            results[test.id] = answer.result.value
            step.result = raw(answer.result.value)
    failed = [test.id for test in tests if results.get(test.id) == CheckResult.FAIL.value]
    if failed:
        lane.notice(phrase("Failed tests: {tests}", tests=", ".join(failed)), step=StepKind.TEST, warning=True)
    return not failed
