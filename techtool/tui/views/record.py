"""A visit on record as the screens show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.visit import LaneRecord, StepState, VisitRecord
from techtool.domain.visit_state import STATE_LABEL, VisitState
from techtool.i18n import _, translate
from techtool.tui.views.conclusion import conclusion_line
from techtool.tui.views.lines import Line, Mark, day_and_time, named
from techtool.tui.views.reports import report_lines
from techtool.tui.views.visit import label_of

if TYPE_CHECKING:
    from techtool.store.index import VisitSummary
    from techtool.visit.verify import Verification

STATE_MARK: Final = {
    VisitState.OPEN: Mark.NEEDS,
    VisitState.SEALED: Mark.OK,
    VisitState.ABANDONED: Mark.WARNING,
    VisitState.DAMAGED: Mark.STOPPED,
    VisitState.SALVAGED: Mark.WARNING,
    VisitState.NEWER: Mark.STOPPED,
}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One visit in the list."""

    visit: str
    mark: Mark
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """One visit."""

    visit: str
    mark: Mark
    state: str
    facts: tuple[tuple[str, str], ...]
    terminals: tuple[Line, ...]
    reports: tuple[Line, ...]
    conclusion: Line | None
    unfinished: bool


def record_rows(summaries: Sequence[VisitSummary]) -> tuple[RecordRow, ...]:
    """Newest first."""
    return tuple(_row(summary) for summary in reversed(summaries))


def _row(summary: VisitSummary) -> RecordRow:
    state = summary.state
    good = summary.outcome is None or summary.outcome.is_good
    mark = STATE_MARK[state] if good or state is not VisitState.SEALED else Mark.STOPPED
    outcome = translate(OUTCOME_LABEL[summary.outcome]) if summary.outcome else translate(STATE_LABEL[state])
    label = f"{day_and_time(summary.started_at)}  {summary.merchant}".rstrip()
    note = "  ".join(part for part in (outcome, ", ".join(summary.serials)) if part)
    return RecordRow(summary.id, mark, label, note)


def record_view(record: VisitRecord, reports: Sequence[Path]) -> RecordView:
    """The view of one visit."""
    closed = VisitState.ABANDONED if record.abandoned else VisitState.SEALED
    state = closed if record.sealed else VisitState.SALVAGED if record.remains else VisitState.OPEN
    facts = (
        (_("Begun"), day_and_time(record.started_at)),
        (_("Finished"), day_and_time(record.finished_at) if record.finished_at else "-"),
        (_("Technician"), record.technician),
        (_("Merchant"), record.merchant or "-"),
        (_("Work order"), record.work_order or "-"),
        (_("Stick"), record.stick),
    )
    mark = STATE_MARK[state]
    if state is VisitState.SEALED and record.outcome is not None and not record.outcome.is_good:
        mark = Mark.STOPPED
    label = translate(STATE_LABEL[state])
    if record.outcome is not None:
        label = named(label, translate(OUTCOME_LABEL[record.outcome]))
    return RecordView(
        visit=record.id,
        mark=mark,
        state=label,
        facts=facts,
        terminals=tuple(_terminal(lane) for lane in record.lanes),
        reports=report_lines(reports),
        conclusion=conclusion_line(record),
        unfinished=state is VisitState.OPEN,
    )


def proof_line(proof: Verification) -> Line:
    """Whether the record is what was sealed, and who stands for it."""
    good = proof.verdict.value == "good"
    details = [proof.problem.text()] if proof.problem is not None else []
    if proof.key:
        text = _("sealed by {who} {key}, {lines} lines")
        details.append(text.format(who=proof.principal or "?", key=proof.key, lines=proof.lines))
    from techtool.visit.verify import VERDICT_LABEL

    return Line(Mark.OK if good else Mark.STOPPED, VERDICT_LABEL[proof.verdict].text(), tuple(details))


def _terminal(lane: LaneRecord) -> Line:
    identity = lane.before.identity if lane.before else None
    name = f"{identity.model_name}  {lane.serial}" if identity else lane.serial or lane.address
    if lane.outcome is None:
        step = lane.unfinished_step
        left = _("unfinished: {step}").format(step=label_of(step.step)) if step else _("unfinished")
        return Line(Mark.NEEDS, named(name, left))
    details = [
        named(f"{i.package.id} {i.package.version}", _("read back") if i.sha256_found else _("installed"))
        for i in lane.installed
    ]
    if lane.error is not None:
        details.append(f"{lane.error.code}  {lane.error.what.text()}")
    failed = [c for c in lane.checks if c.result == "fail"]
    details += [_("Test failed: {test}").format(test=c.title.text()) for c in failed]
    done = sum(s.state is StepState.DONE for s in lane.steps)
    details.append(_("{count} steps on record").format(count=done))
    mark = Mark.OK if lane.outcome.is_good else Mark.STOPPED
    return Line(mark, named(name, translate(OUTCOME_LABEL[lane.outcome])), tuple(details))
