"""Confirm: the one gate before anything is changed."""

from __future__ import annotations

from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.rules import Verdict
from techtool.errors import RefusedByPerson
from techtool.i18n import phrase
from techtool.visit.lane import Lane


async def confirm(lane: Lane) -> None:
    """Have the last four of the serial number typed; a resumed lane needs no new word for the same plan."""
    if lane.record.confirmed_digest == lane.agreed.digest:
        return
    serial = lane.known.identity.serial
    async with lane.step(StepKind.CONFIRM, title=phrase("Confirm the plan")) as step:
        for verdict in _warnings(lane):
            reason = verdict.reason
            question = Question(
                f"check.override.{verdict.what}",
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
        lane.log.confirmed(lane.id, lane.agreed.digest)
        step.result = phrase("Confirmed for serial number {serial}", serial=serial)


def _warnings(lane: Lane) -> list[Verdict]:
    """Every distinct warning on a release that will be installed."""
    planned = {(v.release.id, v.release.version) for v in lane.agreed.releases}
    found = {
        (verdict.what, verdict.reason.text("en")): verdict
        for finding in lane.agreed.findings
        if (finding.release_id, finding.version) in planned
        for verdict in finding.warnings
        if not verdict.ask
    }
    return list(found.values())
