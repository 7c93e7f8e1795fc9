"""Test: what a person must see with their own eyes, from the catalogue; four results, reasons where due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from techtool.catalogue.functional import FunctionalTest
from techtool.domain.plan import StepKind
from techtool.domain.question import CheckAnswer, CheckResult
from techtool.domain.release import ReleaseKind
from techtool.i18n import phrase, raw
from techtool.visit.checks import after_install, question_for
from techtool.visit.lane import Lane

SIGN_IN: Final = "TX-01"
"""The terminal signs in with its host: batch number and working keys are the host's word, not a backup's."""


async def functional_tests(lane: Lane) -> bool:
    """Ask for each attended test of the planned kinds that has no result yet; True when none failed."""
    tests = after_install(lane.services.catalogue, {v.release.kind for v in lane.agreed.releases})
    return not _failed(lane, tests, await _ask(lane, tests))


async def tests_after_restore(lane: Lane) -> bool:
    """Sign in again before anything else, then what a payment application calls for; sign-in must be passed."""
    known = after_install(lane.services.catalogue, {ReleaseKind.APPLICATION})
    sign_in = lane.services.catalogue.test(SIGN_IN)
    tests = (sign_in, *(test for test in known if test.id != SIGN_IN))
    results = await _ask(lane, tests)
    signed_in = results.get(SIGN_IN) in (CheckResult.PASS.value, CheckResult.NOT_APPLICABLE.value)
    if not signed_in:
        lane.notice(phrase("The terminal did not sign in again."), step=StepKind.TEST, warning=True)
    return not _failed(lane, tests, results) and signed_in


async def _ask(lane: Lane, tests: Sequence[FunctionalTest]) -> dict[str, str]:
    results = {check.id: check.result for check in lane.record.checks}
    for test in tests:
        if test.id in results:
            continue
        async with lane.step(StepKind.TEST, test.id, title=test.title_phrase) as step:
            question = question_for(test, StepKind.TEST, lane.known.identity.serial)
            answer = CheckAnswer.parse(await lane.ask(StepKind.TEST, question)) or CheckAnswer(CheckResult.FAIL)
            lane.log.checked(lane.id, test.id, test.title_phrase, answer)
            results[test.id] = answer.result.value
            step.result = raw(answer.result.value)
    return results


def _failed(lane: Lane, tests: Sequence[FunctionalTest], results: Mapping[str, str]) -> bool:
    failed = [test.id for test in tests if results.get(test.id) == CheckResult.FAIL.value]
    if failed:
        lane.notice(phrase("Failed tests: {tests}", tests=", ".join(failed)), step=StepKind.TEST, warning=True)
    return bool(failed)
