"""What later visits can learn from one: single observations, what was foretold beside what came, and both put together.

Kept in the index; only of what ended well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from techtool.domain.estimate import Phase, Timings
from techtool.domain.outcome import Outcome
from techtool.domain.plan import Estimate, StepKind
from techtool.domain.terminal import Identity
from techtool.domain.timing import (
    ATTENDED,
    LONGEST_S,
    downtime_s,
    seconds_of,
    sign_off_s,
    split,
    times,
    totals,
    with_releases,
)
from techtool.domain.visit import CatmAction, LaneRecord, StepRecord, StepState, VisitRecord

A_PERSON_S: Final = 3.0
"""A person's station that took less was answered by a file: it teaches nothing about persons."""
SMALLEST_BYTES: Final = 1_000_000
"""Fewer bytes say nothing of a link: the talk before and after them takes longer than they do."""
_DONE_WELL: Final = (Outcome.SUCCESS, Outcome.SELF_REPORTED, Outcome.SUCCESS_NOT_RESTORED)
_PHASE: Final = {
    StepKind.IDENTIFY: Phase.IDENTIFY,
    StepKind.INSPECT: Phase.INSPECTION,
    StepKind.CHECK: Phase.PREFLIGHT,
    StepKind.CONFIRM: Phase.CONFIRM,
    StepKind.BACKUP: Phase.BACKUP,
    StepKind.VERIFY: Phase.VERIFY,
    StepKind.TEST: Phase.TESTS,
    StepKind.SIGN_OFF: Phase.SIGN_OFF,
}


@dataclass(frozen=True, slots=True)
class Observation:
    """One phase of one terminal that ended well."""

    visit: str
    serial: str
    phase: str
    """A :class:`techtool.domain.estimate.Phase` word."""
    vendor: str
    model: str
    family: str
    link: str
    """Scheme of the address."""
    release_key: str
    """Empty: not about one release."""
    kind: str
    """Release kind; empty: not about one release."""
    value: float
    """Seconds; bytes a second for ``transfer``."""
    at: datetime
    attended: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was foretold for one terminal and what it took, for calibration."""

    visit: str
    serial: str
    at: datetime
    p50_s: float
    p90_s: float
    actual_s: float
    downtime_p50_s: float = 0.0
    downtime_p90_s: float = 0.0
    downtime_s: float | None = None
    step: str = ""
    """A :class:`techtool.domain.plan.StepKind` word; empty: the whole terminal."""
    vendor: str = ""
    model: str = ""


def observations(visit: VisitRecord) -> tuple[Observation, ...]:
    """What can be learned from a visit: one entry a phase and terminal, only of what ended well."""
    return tuple(seen for lane in visit.lanes if lane.before is not None for seen in _observed(visit, lane))


def _observed(visit: VisitRecord, lane: LaneRecord) -> Iterator[Observation]:
    see = _Eye(visit, lane)
    kinds = {r.key: r.kind.value for r in lane.plan.releases} if lane.plan else {}
    whole: dict[Phase, float] = defaultdict(float)
    """Stations of several steps: the estimate is of them together, so an unfinished one tells nothing."""
    installing: dict[str, float] = defaultdict(float)
    for step, key in with_releases(lane):
        seconds = seconds_of(step)
        if step.state is not StepState.DONE or seconds is None:
            continue
        if step.step is StepKind.INSTALL:
            if step.action is CatmAction.DOWNLOAD:
                yield from see(Phase.STAGE, seconds, step, key, kinds.get(key, ""))
            elif step.action is CatmAction.RESTART:
                yield from see(Phase.REBOOT, seconds, step, key, kinds.get(key, ""))
            elif step.action is CatmAction.INSTALL and key:
                yield from _sent(see, step)
                installing[key] += _after_sending_s(step, seconds)
        elif step.step in ATTENDED:
            whole[_PHASE[step.step]] += seconds
        elif step.step in _PHASE and not split(step, lane)[1]:
            # A step in which a person was asked is no measure of the machine.
            yield from see(_PHASE[step.step], seconds, step)
    if lane.outcome not in _DONE_WELL:
        return
    last = lane.steps[-1]
    for key, seconds in installing.items():
        yield from see(Phase.INSTALL, seconds, last, key, kinds.get(key, ""))
    for phase, seconds in whole.items():
        yield from see(phase, seconds, last, attended=True)
    signed_s = sign_off_s(visit)
    if signed_s is not None:
        yield from see(Phase.SIGN_OFF, signed_s, last, attended=True)


@dataclass(frozen=True, slots=True)
class _Eye:
    """Makes observations of one terminal."""

    visit: VisitRecord
    lane: LaneRecord

    def __call__(
        self, phase: Phase, value: float, step: StepRecord, key: str = "", kind: str = "", *, attended: bool = False
    ) -> Iterator[Observation]:
        if value <= 0 or (attended and value < A_PERSON_S) or self.lane.before is None:
            return
        who: Identity = self.lane.before.identity
        yield Observation(
            visit=self.visit.id,
            serial=who.serial,
            phase=phase.value,
            vendor=who.vendor,
            model=who.model,
            family=who.family,
            link=_scheme(self.lane.address),
            release_key=key,
            kind=kind,
            value=round(value, 3),
            at=step.ended_at or step.started_at,
            attended=attended,
        )


def _scheme(address: str) -> str:
    """``adb://…`` → ``adb``; ``adb+server:…`` → ``adb+server``."""
    return address.partition(":")[0]


def _sent(see: _Eye, step: StepRecord) -> Iterator[Observation]:
    """The link's throughput; of the model and the link only, whatever was sent."""
    if step.sent_at is None:
        return
    count = step.bytes_confirmed - step.bytes_resumed
    seconds = (step.sent_at - step.started_at).total_seconds()
    if count >= SMALLEST_BYTES and 0 < seconds <= LONGEST_S:
        yield from see(Phase.TRANSFER, count / seconds, step)


def _after_sending_s(step: StepRecord, seconds: float) -> float:
    """What the terminal took after the last byte; the whole step where an older record does not say when that was."""
    return seconds if step.sent_at is None else seconds - (step.sent_at - step.started_at).total_seconds()


def forecasts(visit: VisitRecord) -> tuple[Forecast, ...]:
    """What was foretold and what came, for each terminal that was done well: as a whole and station by station."""
    return tuple(one for lane in visit.lanes for one in _forecast(visit, lane))


def _forecast(visit: VisitRecord, lane: LaneRecord) -> Iterator[Forecast]:
    if lane.plan is None or lane.before is None or lane.outcome not in _DONE_WELL or not lane.steps:
        return
    who = lane.before.identity
    at = lane.steps[-1].ended_at or lane.steps[-1].started_at
    rows = tuple(row for row in times(lane, visit) if not row.attended or (row.actual_s or 0.0) >= A_PERSON_S)
    down_s = downtime_s(lane)
    down = lane.plan.downtime if down_s is not None else Estimate(0.0, 0.0)

    def one(estimate: Estimate, actual_s: float, step: str = "") -> Forecast:
        return Forecast(
            visit.id,
            who.serial,
            at,
            estimate.p50_s,
            estimate.p90_s,
            round(actual_s, 3),
            step=step,
            vendor=who.vendor,
            model=who.model,
            downtime_p50_s=0.0 if step else down.p50_s,
            downtime_p90_s=0.0 if step else down.p90_s,
            downtime_s=None if step else down_s,
        )

    whole = totals(rows)
    if whole.actual_s > 0:
        yield one(whole.estimate, whole.actual_s)
    for kind in dict.fromkeys(row.step for row in rows):
        part = totals(row for row in rows if row.step is kind)
        if part.actual_s > 0 and part.estimate.p50_s > 0:
            yield one(part.estimate, part.actual_s, kind.value)


def timings_of(seen: Iterable[Observation]) -> Timings:
    """Observations by every key that :class:`Timings` looks under, the most exact and the vaguer ones."""
    found: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for one in seen:
        model = f"{one.vendor}/{one.model}"
        keys = {
            (one.phase, model, one.release_key, one.link),
            (one.phase, model, one.kind, one.link),
            (one.phase, one.family, one.kind, one.link),
        }
        for key in keys:
            found[key].append(one.value)
    return Timings(found)
