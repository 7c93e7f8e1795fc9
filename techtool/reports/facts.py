"""What every report says of a visit as a whole: its state, its sums, how its facts are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.question import CheckResult
from techtool.domain.terminal import Evidence
from techtool.domain.visit import LaneRecord, StepState, VisitRecord


class VisitState(StrEnum):
    """How far a visit came."""

    FINISHED = "finished"
    UNFINISHED = "unfinished"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all terminals."""

    terminals: int
    outcomes: Mapping[str, int]
    """By outcome word; ``unfinished`` where there is none yet."""
    steps: int
    bytes_confirmed: int
    """Sent to terminals in install steps and confirmed by them."""
    installed: int
    read_back: int
    """Installed files whose digest, read again from the terminal, is the expected one."""
    backups: int
    checks: Mapping[str, int]
    """By result; all four are always there."""
    duration_s: float | None


def state_of(visit: VisitRecord) -> VisitState:
    """Whether the visit was finished, given up, or stopped on the way."""
    if visit.abandoned:
        return VisitState.ABANDONED
    return VisitState.FINISHED if visit.finished_at is not None else VisitState.UNFINISHED


def outcome_word(lane: LaneRecord) -> str:
    """The outcome's word; without one, ``inconsistent`` where a step or its end may be missing, else ``unfinished``."""
    if lane.outcome is not None:
        return lane.outcome.value
    return Outcome.INCONSISTENT.value if lane.unfinished_step or lane.gap else VisitState.UNFINISHED.value


def totals(visit: VisitRecord) -> Totals:
    """The sums of a visit."""
    files = [f for lane in visit.lanes for f in lane.installed]
    results = Counter(c.result for lane in visit.lanes for c in lane.checks)
    return Totals(
        terminals=len(visit.lanes),
        outcomes=dict(sorted(Counter(outcome_word(lane) for lane in visit.lanes).items())),
        steps=sum(len(lane.steps) for lane in visit.lanes),
        bytes_confirmed=sum(
            s.bytes_confirmed for lane in visit.lanes for s in lane.steps if s.step is StepKind.INSTALL
        ),
        installed=len(files),
        read_back=sum(f.sha256_found == f.sha256_expected for f in files),
        backups=sum(lane.backup is not None and lane.backup.verified for lane in visit.lanes),
        checks={r.value: results.get(r.value, 0) for r in CheckResult},
        duration_s=(visit.finished_at - visit.started_at).total_seconds() if visit.finished_at else None,
    )


def evidence_kinds(lane: LaneRecord) -> tuple[Evidence, ...]:
    """Every way in which facts of this terminal are known."""
    states = [s for s in (lane.before, lane.after) if s is not None]
    kinds = {s.identity.evidence for s in states} | {e for s in states for e in s.evidence.values()}
    return tuple(sorted(kinds))


def simulated(visit: VisitRecord) -> bool:
    """Whether anything in the record comes from a simulated terminal or provider."""
    return any(Evidence.SIMULATED in evidence_kinds(lane) for lane in visit.lanes)


def downtime_s(lane: LaneRecord) -> float | None:
    """From the start of the first installation to the end of the last step that verified it; None where none ended."""
    starts = [s.started_at for s in lane.steps if s.step is StepKind.INSTALL]
    ends = [s.ended_at for s in lane.steps if s.ended_at and s.step in (StepKind.INSTALL, StepKind.VERIFY)]
    return (max(ends) - min(starts)).total_seconds() if starts and ends else None


def recovery_s(lane: LaneRecord) -> float | None:
    """Seconds from the begin of putting back to the end of the reading that proved it.

    Of an undo from the moment it was begun, of a restore from its first change; None: nothing was put back, or it was
    not read again with a good end.
    """
    begun = lane.undo_at
    plan = lane.plan
    if begun is None and plan is not None and not plan.releases and (plan.put_back or plan.configs):
        begun = min((s.started_at for s in lane.steps if s.step is StepKind.INSTALL and s.action), default=None)
    if begun is None:
        return None
    ends = [
        s.ended_at
        for s in lane.steps
        if s.step is StepKind.VERIFY and s.state is StepState.DONE and s.ended_at and s.started_at >= begun
    ]
    return round((max(ends) - begun).total_seconds(), 3) if ends else None
