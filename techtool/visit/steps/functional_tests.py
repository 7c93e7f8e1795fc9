"""Test: what this visit calls for; first what the terminal answers itself, then by where a person's hands are.

Four results, reasons where due. A result that was recorded stands: a resumed lane goes on with the first test that has
none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from techtool.domain.evidence import EvidenceKind
from techtool.domain.functional import OCCASION_OF, STANDARD_QUESTION, STANDARD_TEST, FunctionalTest, Mode
from techtool.domain.plan import StepKind
from techtool.domain.probe import Finding
from techtool.domain.question import AnswerKind, CheckAnswer, CheckResult, Question
from techtool.domain.release import ReleaseKind
from techtool.domain.required_tests import (
    ChosenTest,
    Consent,
    Situation,
    by_hand,
    choose_tests,
    is_due,
    without_consent,
)
from techtool.domain.work_order import VisitType
from techtool.i18n import Phrase, phrase, raw
from techtool.visit.checks import question_for
from techtool.visit.evidence import ask_photo, digests
from techtool.visit.lane import Lane
from techtool.visit.operator import YES
from techtool.visit.steps.automatic import Found, automatic
from techtool.visit.steps.issues import after_work
from techtool.visit.steps.watch import WATCH, Watch

SIGN_IN: Final = "TX-01"
"""The terminal signs in with its host: batch number and working keys are the host's word, not a backup's."""
_CONSENT: Final = "test.consent"
_AUTOMATIC: Final = "automatic"
_ENOUGH: Final = (CheckResult.PASS.value, CheckResult.NOT_APPLICABLE.value)


async def functional_tests(lane: Lane) -> bool:
    """After an installation; True when no test failed and no mended problem is still there."""
    watch = await Watch.begin(lane) if _lacks(lane, WATCH) else None
    await after_work(lane)
    releases = [verified.release for verified in lane.agreed.releases]
    situation = Situation.of(releases, _visit_type(lane))
    return await _run(lane, await _chosen(lane, situation), watch)


async def inspection_tests(lane: Lane) -> bool:
    """On a visit that changes nothing; True when no test failed."""
    situation = Situation.of((), VisitType.INSPECTION)
    return await _run(lane, await _chosen(lane, situation), None)


async def tests_after_restore(lane: Lane) -> bool:
    """Sign in again before anything else, then what a payment application calls for; sign-in must be passed."""
    watch = await Watch.begin(lane) if _lacks(lane, WATCH) else None
    situation = Situation(frozenset({OCCASION_OF[ReleaseKind.APPLICATION]}))
    passed = await _run(lane, await _chosen(lane, situation), watch, first=SIGN_IN)
    signed_in = _results(lane).get(SIGN_IN) in _ENOUGH
    if not signed_in:
        lane.notice(phrase("The terminal did not sign in again."), step=StepKind.TEST, warning=True)
    return passed and signed_in


def _standard_question(serial: str) -> Question:
    """The level of the card standard, where the terminal does not tell it; for the record, not for a judgement."""
    return Question(
        STANDARD_QUESTION,
        AnswerKind.TEXT,
        phrase("Which card standard does the payment application show (PBOC, EMV), and which version?"),
        help=phrase("On the version page of the payment application, or on the slip of its self test."),
        serial=serial,
        optional=True,
    )


def _visit_type(lane: Lane) -> VisitType:
    return lane.visit.type if lane.visit is not None else VisitType.UPDATE


def _results(lane: Lane) -> dict[str, str]:
    """The newest result of each test, of this run and of earlier ones."""
    return {check.id: check.result for check in lane.log.checks_of(lane.id)}


def _lacks(lane: Lane, test_id: str) -> bool:
    return test_id not in _results(lane)


async def _chosen(lane: Lane, situation: Situation) -> tuple[ChosenTest, ...]:
    """The list as it was drawn up before a stop, else a new one, which is written down before it is begun."""
    if lane.record.tests:
        return lane.record.tests
    catalogue = lane.services.catalogue
    situation = replace(situation, capabilities=await lane.driver.capabilities())
    chosen = choose_tests(catalogue.tests, situation)
    lane.log.tests_chosen(lane.id, chosen)
    for unknown in sorted(situation.added.keys() - {test.id for test in catalogue.tests}):
        text = phrase(
            "{release} asks for a test that this techtool does not know, so you are asked: {test}",
            release=situation.added[unknown],
            test=unknown,
        )
        lane.notice(text, step=StepKind.TEST)
    return chosen


async def _run(lane: Lane, chosen: Sequence[ChosenTest], watch: Watch | None, *, first: str = "") -> bool:
    """Everything on the list; ``first``: a person's test that comes before all others."""
    tests = {one.id: by_hand(one) for one in chosen} | {test.id: test for test in lane.services.catalogue.tests}
    work = _Work(lane, [one for one in chosen if one.required], tests)
    for one in work.chosen:
        if one.id == first:
            await work.by_hand(one)
    await work.by_itself()
    for one in work.chosen:
        if one.id == WATCH and watch is not None:
            continue
        await work.by_hand(one)
    if watch is not None and any(one.id == WATCH for one in work.chosen):
        await work.watched(watch)
    failed = [one for one in work.chosen if work.results.get(one.id) == CheckResult.FAIL.value]
    lane.failed_tests = tuple(phrase("{test} {title}", test=one.id, title=one.title) for one in failed)
    if failed:
        names = ", ".join(one.id for one in failed)
        lane.notice(phrase("Failed tests: {tests}", tests=names), step=StepKind.TEST, warning=True)
    return not failed


@dataclass(slots=True)
class _Entry:
    """What will be recorded of one test."""

    test: ChosenTest
    found: Found


class _Work:
    """The tests of one terminal while they are done."""

    def __init__(self, lane: Lane, chosen: Sequence[ChosenTest], tests: Mapping[str, FunctionalTest]) -> None:
        self.lane = lane
        self.chosen = chosen
        self.tests = tests
        self.results = _results(lane)
        self.read: dict[str, Finding] = {}
        """What the terminal told and a person has to judge."""

    async def by_itself(self) -> None:
        """Everything that needs no person, recorded as one; what cannot be read is left to a person."""
        left = [one for one in self.chosen if one.id not in self.results]
        consent = await self._consent(left)
        entries: list[_Entry] = []
        if not any(self._has_no_person(one) for one in left):
            return
        async with self.lane.step(
            StepKind.TEST, _AUTOMATIC, title=phrase("What the terminal and this visit tell by themselves")
        ):
            for one in left:
                found = await self._found(one, consent)
                if found is None:
                    continue
                if found.finding.result is None:
                    self.read[one.id] = found.finding
                else:
                    entries.append(_Entry(one, found))
            with self.lane.log.db.transaction():
                for entry in entries:
                    self._record(entry.test, entry.found)
        self._tell(entries)

    def _has_no_person(self, one: ChosenTest) -> bool:
        return one.absent is not None or self.tests[one.id].consent or Mode.AUTOMATIC in self.tests[one.id].modes

    async def _found(self, one: ChosenTest, consent: Consent) -> Found | None:
        if one.absent is not None:
            return Found(Finding(CheckResult.NOT_APPLICABLE, said=one.absent))
        refused = without_consent(self.tests[one.id], consent)
        if refused is not None:
            return Found(refused, Mode.HUMAN)
        if Mode.AUTOMATIC not in self.tests[one.id].modes or one.id == WATCH:
            return None
        return await automatic(self.lane, one.id)

    async def _consent(self, left: Sequence[ChosenTest]) -> Consent:
        """Once for the terminal: may small test sales be made?"""
        if not any(self.tests[one.id].consent and one.absent is None for one in left):
            return Consent.NOT_ASKED
        said = [a.answer for a in self.lane.log.answers_of(self.lane.id) if a.question_id == _CONSENT]
        if not said:
            question = Question(
                _CONSENT,
                AnswerKind.CONFIRM,
                phrase("Does the merchant agree to test sales of the smallest amount, voided afterwards?"),
                help=phrase("Without consent no sale is made, and the report says so."),
                serial=self.lane.known.identity.serial,
                optional=True,
            )
            said = [await self.lane.ask(StepKind.TEST, question)]
        if not said[-1]:
            return Consent.NOT_ASKED
        return Consent.GIVEN if said[-1] == YES else Consent.REFUSED

    async def by_hand(self, one: ChosenTest) -> None:
        """Ask a person, unless there is a result already or nothing that it belongs after was run."""
        if one.id in self.results or not is_due(one, self.results):
            return
        lane, test = self.lane, self.tests[one.id]
        read = self.read.get(one.id)
        async with lane.step(StepKind.TEST, one.id, title=one.title) as step:
            opened = bool(test.show) and await lane.driver.show(test.show)
            question = question_for(test, StepKind.TEST, lane.known.identity.serial, read=read.said if read else None)
            answer = CheckAnswer.parse(await self._answer(question)) or CheckAnswer(CheckResult.FAIL)
            photos: tuple[str, ...] = ()
            if test.photo and answer.result in (CheckResult.PASS, CheckResult.FAIL):
                photos = digests(await ask_photo(lane, f"test.{one.id}", EvidenceKind(test.photo)))
            lane.log.checked(
                lane.id,
                one.id,
                one.title,
                answer,
                value=read.value if read else "",
                mode=(Mode.SEMI if opened or read else Mode.HUMAN).value,
                host=test.host,
                required=one.required,
                evidence=photos,
                because=one.because,
            )
            self.results[one.id] = answer.result.value
            step.result = raw(answer.result.value)
            if one.id == STANDARD_TEST and lane.known.card_standard is None:
                await lane.ask(StepKind.TEST, _standard_question(lane.known.identity.serial))

    async def _answer(self, question: Question) -> str:
        """What was said just before a stop, of which no result was recorded yet, is not asked again."""
        said = [a.answer for a in self.lane.log.answers_of(self.lane.id) if a.question_id == question.id]
        return said[-1] if said else await self.lane.ask(StepKind.TEST, question)

    async def watched(self, watch: Watch) -> None:
        """The rest of the stability watch, which began with the tests."""
        one = next(test for test in self.chosen if test.id == WATCH)
        if one.id in self.results:
            return
        async with self.lane.step(StepKind.TEST, WATCH, title=one.title) as step:
            answer = await watch.skipped()
            if answer is not None:
                finding, mode = Finding(answer.result, said=raw(answer.reason) if answer.reason else None), Mode.HUMAN
            else:
                finding, mode = await watch.look(), Mode.AUTOMATIC
            self._record(one, Found(finding, mode))
            step.result = raw(self.results[WATCH])
        self._tell([_Entry(one, Found(finding))] if finding.result is CheckResult.FAIL else [])

    def _record(self, one: ChosenTest, found: Found) -> None:
        finding, test = found.finding, self.tests[one.id]
        result = finding.result or CheckResult.NOT_DONE
        self.lane.log.checked(
            self.lane.id,
            one.id,
            one.title,
            CheckAnswer(result),
            value=finding.value,
            mode=found.mode.value,
            host=test.host,
            required=one.required,
            because=one.because,
            said=finding.said,
        )
        self.results[one.id] = result.value

    def _tell(self, entries: Sequence[_Entry]) -> None:
        """Each that is not in order, by name and reason; those that are, in one line."""
        passed = [e.test.id for e in entries if e.found.finding.result is CheckResult.PASS]
        if passed:
            self.lane.notice(phrase("Passed by themselves: {tests}", tests=", ".join(passed)), step=StepKind.TEST)
        for entry in entries:
            said = entry.found.finding.said
            if entry.found.finding.result is CheckResult.FAIL:
                reason: Phrase = said if said is not None else raw(entry.found.finding.value)
                text = phrase("{test} {title}: {reason}", test=entry.test.id, title=entry.test.title, reason=reason)
                self.lane.notice(text, step=StepKind.TEST, warning=True)
