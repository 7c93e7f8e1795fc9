"""One lane from start to outcome: the order of the stations, and how it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from techtool.domain.outcome import OUTCOME_EXIT, Outcome
from techtool.domain.plan import StepKind
from techtool.domain.visit import ErrorRecord, VisitKind
from techtool.errors import TechtoolError, VerifyFailed
from techtool.events import LaneFinished
from techtool.i18n import phrase
from techtool.visit.as_left import as_before, outcome_after, outcome_so_far, read_again, truthful
from techtool.visit.lane import Lane
from techtool.visit.log import record_of
from techtool.visit.steps.backup import backup
from techtool.visit.steps.bind import bind_terminal
from techtool.visit.steps.check import check
from techtool.visit.steps.configs import ask_to_reenter
from techtool.visit.steps.confirm import confirm
from techtool.visit.steps.functional_tests import functional_tests, inspection_tests, tests_after_restore
from techtool.visit.steps.identify import identify
from techtool.visit.steps.inspect import inspect
from techtool.visit.steps.install import install
from techtool.visit.steps.issues import before_work
from techtool.visit.steps.restore import carry_out, check_restore, verify_restore
from techtool.visit.steps.risk import risk
from techtool.visit.steps.verify import verify
from techtool.visit.undo import undo
from techtool.visit.ways_on import StopHere, UndoChosen, wants_undo, with_ways_on

Station = tuple[StepKind, Callable[[Lane], Awaitable[None]]]


@dataclass(frozen=True, slots=True)
class LaneResult:
    """How a lane ended in this run."""

    outcome: Outcome
    """As the person was told."""
    exit_code: int
    final: bool
    """False: unfinished, to be resumed."""

    @property
    def grave(self) -> bool:
        """Whether the next terminal of the same visit should wait until somebody has looked."""
        return self.final and self.outcome in (
            Outcome.FAILED_NEEDS_FIRMWARE,
            Outcome.FAILED_UNRECOVERABLE,
            Outcome.INCONSISTENT,
        )


async def reach(lane: Lane) -> LaneResult | None:
    """First station: connect and identify; None when the lane can go on."""
    return await _guarded(lane, [(StepKind.IDENTIFY, identify)])


async def work(lane: Lane) -> LaneResult:
    """All stations after identify; without a stick a restore, or only the backup."""
    if lane.record.undo_at is not None:
        lane.undoing = True
        return await _undone(lane, None)
    if lane.restoring is not None:
        return await _restore(lane)
    if lane.visit is not None and lane.visit.kind is VisitKind.INSPECTION:
        return await _inspection(lane)
    if lane.opened is None:
        ended = await _guarded(lane, [(StepKind.IDENTIFY, bind_terminal), (StepKind.BACKUP, backup)])
        return ended or _finish(lane, Outcome.SUCCESS)
    ended = await _guarded(
        lane, [(StepKind.IDENTIFY, bind_terminal), (StepKind.INSPECT, inspect), (StepKind.CHECK, check)]
    )
    if ended is not None:
        return ended
    if not lane.agreed.has_work:
        return _nothing_to_do(lane)
    passed = True

    async def attended(lane: Lane) -> None:
        nonlocal passed
        passed = await functional_tests(lane)

    ended = await _guarded(
        lane,
        [
            (StepKind.CHECK, before_work),
            (StepKind.CONFIRM, risk),
            (StepKind.CONFIRM, confirm),
            (StepKind.BACKUP, backup),
            (StepKind.INSTALL, install),
            (StepKind.VERIFY, verify),
            (StepKind.TEST, attended),
        ],
    )
    if ended is not None:
        return ended
    try:
        if not passed and await wants_undo(lane):
            return await _undone(lane, None)
    except StopHere as stop:
        return unfinished(lane, stop.error)
    outcome = _done(lane, passed=passed)
    return _finish(lane, outcome)


def _done(lane: Lane, *, passed: bool) -> Outcome:
    """The good end, or the one after which something is left to do; a person's word is never called verified."""
    if not passed:
        return Outcome.SUCCESS_NOT_RESTORED
    return Outcome.SELF_REPORTED if lane.known.typed else Outcome.SUCCESS


async def _inspection(lane: Lane) -> LaneResult:
    """Looked at and tested, nothing changed."""
    passed = True

    async def attended(lane: Lane) -> None:
        nonlocal passed
        passed = await inspection_tests(lane)

    ended = await _guarded(
        lane, [(StepKind.IDENTIFY, bind_terminal), (StepKind.INSPECT, inspect), (StepKind.TEST, attended)]
    )
    if ended is not None:
        return ended
    outcome = _done(lane, passed=passed)
    return _finish(lane, outcome)


async def _restore(lane: Lane) -> LaneResult:
    """Put packages back from a backup: the same stations, with a plan of its own."""
    ended = await _guarded(
        lane, [(StepKind.IDENTIFY, bind_terminal), (StepKind.INSPECT, inspect), (StepKind.CHECK, check_restore)]
    )
    if ended is not None:
        return ended
    if not lane.agreed.has_work and not lane.record.confirmed_digest:
        return _finish(lane, Outcome.NOTHING_TO_DO)
    passed = True

    async def attended(lane: Lane) -> None:
        nonlocal passed
        await ask_to_reenter(lane)
        passed = await tests_after_restore(lane)

    ended = await _guarded(
        lane,
        [
            (StepKind.CONFIRM, confirm),
            (StepKind.BACKUP, backup),
            (StepKind.INSTALL, carry_out),
            (StepKind.VERIFY, verify_restore),
            (StepKind.TEST, attended),
        ],
    )
    if ended is not None:
        return ended
    outcome = Outcome.SUCCESS if passed else Outcome.SUCCESS_NOT_RESTORED
    return _finish(lane, outcome)


async def _undone(lane: Lane, error: TechtoolError | None) -> LaneResult:
    """Put back what ran before; ``error``: what led to it. As before by re-reading, it is “rolled back”."""
    ended = await _guarded(lane, [(StepKind.INSTALL, undo)])
    if ended is not None:
        return ended
    outcome = Outcome.ROLLED_BACK if as_before(lane) else Outcome.INCONSISTENT
    record = truthful(lane, record_of(error)) if error is not None else lane.record.error
    if record is not None and outcome is Outcome.ROLLED_BACK:
        record = replace(record, state_now=phrase("What ran before the visit was put back and read again."))
    return _finish(lane, outcome, record)


def _nothing_to_do(lane: Lane) -> LaneResult:
    """Nothing to install now; but a terminal that was begun earlier in this visit must also be as it was."""
    if lane.changing and not as_before(lane):
        error = VerifyFailed(
            package=lane.known.identity.serial, reason=phrase("an earlier run of this visit changed it")
        )
        return _finish(lane, Outcome.INCONSISTENT, record_of(error))
    return _finish(lane, Outcome.NOTHING_TO_DO)


async def _guarded(lane: Lane, stations: Sequence[Station]) -> LaneResult | None:
    try:
        for kind, station in stations:
            await with_ways_on(lane, kind, station)
    except UndoChosen as chosen:
        return await _undone(lane, chosen.error)
    except StopHere as stop:
        return unfinished(lane, stop.error)
    except TechtoolError as error:
        return await _failed(lane, error)
    return None


def unfinished(lane: Lane, error: TechtoolError) -> LaneResult:
    """Stopped between two truths: what the terminal is like is said when it was read again."""
    code = int(error.exit_code)
    outcome = outcome_so_far(lane)
    record = truthful(lane, record_of(error))
    _tell(lane, outcome, code, record, final=False)
    lane.log.stopped(lane.id, record, code)
    return LaneResult(outcome, code, final=False)


def refused(lane: Lane, error: TechtoolError) -> LaneResult:
    """Ended before anything was done to it."""
    return _finish(lane, Outcome.REFUSED, record_of(error), int(error.exit_code))


async def _failed(lane: Lane, error: TechtoolError) -> LaneResult:
    if lane.changing:
        await read_again(lane)
    record = truthful(lane, record_of(error))
    outcome = outcome_after(lane, error)
    if outcome in (Outcome.INCONSISTENT, Outcome.FAILED_NEEDS_FIRMWARE, Outcome.FAILED_UNRECOVERABLE):
        return _finish(lane, outcome, record)
    return _finish(lane, outcome, record, int(error.exit_code))


def _finish(lane: Lane, outcome: Outcome, record: ErrorRecord | None = None, code: int | None = None) -> LaneResult:
    """``code``: None for the outcome's own."""
    code = int(OUTCOME_EXIT[outcome]) if code is None else code
    lane.log.finished(lane.id, outcome, code, record)
    _tell(lane, outcome, code, record)
    return LaneResult(outcome, code, final=True)


def _tell(lane: Lane, outcome: Outcome, code: int, record: ErrorRecord | None, *, final: bool = True) -> None:
    serial = lane.state.identity.serial if lane.state else lane.record.serial
    if not serial and lane.before is not None:
        serial = lane.before.identity.serial
    at = lane.services.clock.now()
    lane.emit(LaneFinished(lane.id, at, str(lane.address), serial, outcome, code, record, final))
