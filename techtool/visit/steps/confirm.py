"""Confirm: the one gate before anything is changed."""

from __future__ import annotations

from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.errors import RefusedByPerson
from techtool.i18n import Phrase, phrase
from techtool.visit.lane import Lane


async def confirm(lane: Lane) -> None:
    """Have the last four of the serial number typed; a resumed lane needs no new word for the same plan."""
    record = lane.record
    if record.confirmed_at is not None and record.plan is not None and record.plan.digest == lane.agreed.digest:
        return
    serial = lane.known.identity.serial
    async with lane.step(StepKind.CONFIRM, title=phrase("Confirm the plan")) as step:
        for what, reason in _warnings(lane).items():
            question = Question(
                f"check.override.{what}",
                AnswerKind.TEXT,
                phrase("Why go on although {reason}?", reason=reason),
                help=phrase("The reason is kept in the report."),
                serial=serial,
            )
            if not await lane.ask(StepKind.CONFIRM, question):
                raise RefusedByPerson(question=question.text)
        question = Question(
            "confirm.last4",
            AnswerKind.LAST4,
            phrase("Type the last four of the serial number on the terminal's label to start"),
            serial=serial,
        )
        await lane.ask(StepKind.CONFIRM, question)
        lane.log.confirmed(lane.id)
        step.result = phrase("Confirmed for serial number {serial}", serial=serial)


def _warnings(lane: Lane) -> dict[str, Phrase]:
    """Every distinct warning on a release that will be installed."""
    planned = {(v.release.id, v.release.version) for v in lane.agreed.releases}
    return {
        verdict.what: verdict.reason
        for finding in lane.agreed.findings
        if (finding.release_id, finding.version) in planned
        for verdict in finding.warnings
        if not verdict.ask
    }
