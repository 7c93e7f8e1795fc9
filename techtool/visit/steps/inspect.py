"""Inspect: the casing and skimmer check (PCI DSS 9.5.1.2) and the seals, before anything else is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from techtool.catalogue.inspection import InspectionItem
from techtool.domain.evidence import EvidenceKind
from techtool.domain.functional import FunctionalTest
from techtool.domain.inspection import ChecklistAnswer
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, CheckAnswer, CheckResult, Choice, Question
from techtool.domain.sensitive import redact
from techtool.domain.visit import CheckRecord
from techtool.errors import GateClosed
from techtool.i18n import phrase, raw
from techtool.visit.checks import SKIMMER_CHECK
from techtool.visit.evidence import ask_photo, digests
from techtool.visit.facts import Reference, references
from techtool.visit.incidents import close_incidents, open_incident
from techtool.visit.lane import Lane
from techtool.visit.steps.seals import inspect_seals

ACCEPTED = (CheckResult.PASS.value, CheckResult.NOT_APPLICABLE.value)
"""An anomaly, or an inspection that was not done, is asked again on resume."""
_QUESTION = f"{StepKind.INSPECT.value}.{SKIMMER_CHECK}"


async def inspect(lane: Lane) -> None:
    """Ask for the inspection, then for the seals where their numbers are known; an anomaly closes the gate."""
    if not any(c.id == SKIMMER_CHECK and c.result in ACCEPTED for c in lane.record.checks):
        await _inspect_casing(lane)
    await inspect_seals(lane)
    await close_incidents(lane)


def checklist_question(
    test: FunctionalTest, items: Sequence[InspectionItem], serial: str, pictures: Sequence[Reference] = ()
) -> Question:
    """All items at once: a person looks at the whole terminal and then names what is not in order.

    ``pictures``: what it should look like, told by path (PCI DSS v4.0.1 9.5.1.2 guidance: compare with photographs).
    """
    helped = phrase("Look at each of these; mark what is not in order.")
    for picture in pictures:
        helped = phrase(
            "{before} Compare with {path} ({what}).", before=helped, path=str(picture.path), what=picture.what
        )
    return Question(
        _QUESTION,
        AnswerKind.CHECKLIST,
        test.title_phrase,
        help=helped,
        serial=serial,
        items=tuple(Choice(item.id, item.title_phrase, item.help_phrase) for item in items),
    )


async def _inspect_casing(lane: Lane) -> None:
    test = lane.services.catalogue.test(SKIMMER_CHECK)
    items = lane.services.catalogue.inspection
    async with lane.step(StepKind.INSPECT, SKIMMER_CHECK, title=test.title_phrase) as step:
        answer, pictures = await _answer(lane, test, items)
        failed = answer.result is CheckResult.FAIL
        photos = await ask_photo(
            lane,
            _QUESTION,
            EvidenceKind.ANOMALY if failed else EvidenceKind.DEVICE,
            step=StepKind.INSPECT,
            question="inspect.photo",
            text=phrase("Photo of what is not in order (path of the file)")
            if failed
            else phrase("Photo of the terminal (path of the file)"),
        )
        lane.log.inspected(lane.id, _records(lane, test, items, answer, digests(photos), pictures))
        if failed:
            what = ", ".join(f"{SKIMMER_CHECK}.{item}" for item in answer.failed) or SKIMMER_CHECK
            await open_incident(lane, what, answer.reason, StepKind.INSPECT, digests(photos))
            raise GateClosed(
                reason=phrase("the inspection found an anomaly"),
                remedy=phrase("Take the terminal out of use, do not open it, secure it and tell the acquirer."),
            )
        step.result = raw(answer.result.value)


async def _answer(
    lane: Lane, test: FunctionalTest, items: Sequence[InspectionItem]
) -> tuple[ChecklistAnswer, Sequence[Reference]]:
    """What was said, and the pictures it was compared with.

    What was said just before a stop, of which no result was recorded yet, stands; of its pictures nothing is known.
    """
    ids = [item.id for item in items]
    said = [a.answer for a in lane.record.answers if a.question_id == _QUESTION]
    done = [c for c in lane.record.checks if c.id == SKIMMER_CHECK]
    if len(said) > len(done):
        read = ChecklistAnswer.parse(said[-1], ids)
        if read is not None:
            return read, ()
    who = lane.known.identity
    pictures = await asyncio.to_thread(references, lane.services, lane.log.visit_id, who.vendor, who.model, who.serial)
    question = checklist_question(test, items, who.serial, pictures)
    answer = ChecklistAnswer.parse(await lane.ask(StepKind.INSPECT, question), ids)
    return answer or ChecklistAnswer(CheckResult.FAIL, "", {}), pictures


def _records(
    lane: Lane,
    test: FunctionalTest,
    items: Sequence[InspectionItem],
    answer: ChecklistAnswer,
    photos: Sequence[str],
    pictures: Sequence[Reference],
) -> list[CheckRecord]:
    """Each item by itself, and the list."""
    now = lane.services.clock.now()
    compared = tuple(f"{one.path.stem[:12]} {one.source}".strip() for one in pictures)

    def record(check: str, item: InspectionItem | FunctionalTest, found: CheckAnswer) -> CheckRecord:
        evidence = tuple(photos) if item is test else ()
        return CheckRecord(
            check,
            item.title_phrase,
            found.result.value,
            redact(found.reason),
            now,
            mode="H",
            required=item is test,
            evidence=evidence,
            compared=compared if item is test else (),
        )

    each = [
        record(f"{SKIMMER_CHECK}.{item.id}", item, answer.items[item.id]) for item in items if item.id in answer.items
    ]
    return [*each, record(SKIMMER_CHECK, test, answer.whole)]
