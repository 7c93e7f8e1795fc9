"""One lane from start to outcome: the order of the stations, what a failure means, and the ways on after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from techtool.domain.outcome import OUTCOME_EXIT, Outcome
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.terminal import TerminalState
from techtool.errors import (
    AmbiguousChoice,
    AnswerMissing,
    BackupError,
    Exit,
    GateClosed,
    InstallFailed,
    InternalError,
    LinkError,
    NotCompatible,
    PersonError,
    RefusedByPerson,
    StoreError,
    TechtoolError,
    TrustError,
    UnknownModel,
    VerifyFailed,
)
from techtool.events import LaneFinished
from techtool.i18n import phrase
from techtool.terminals.install import outcome_of
from techtool.visit.lane import Lane
from techtool.visit.log import record_of
from techtool.visit.steps.backup import backup
from techtool.visit.steps.check import check
from techtool.visit.steps.confirm import confirm
from techtool.visit.steps.functional_tests import functional_tests
from techtool.visit.steps.identify import identify
from techtool.visit.steps.inspect import inspect
from techtool.visit.steps.install import install
from techtool.visit.steps.verify import verify

RETRY = "retry"
LATER = "later"
LEAVE = "leave"
MAX_RETRIES = 5


class StopHere(Exception):
    """The lane stays unfinished; resume goes on from its last step."""

    def __init__(self, error: TechtoolError) -> None:
        self.error = error
        super().__init__(str(error))


@dataclass(frozen=True, slots=True)
class LaneResult:
    """How a lane ended; ``outcome`` None: unfinished, to be resumed."""

    outcome: Outcome | None
    exit_code: int

    @property
    def grave(self) -> bool:
        """Whether the next terminal of the same visit should wait until somebody has looked."""
        return self.outcome in (Outcome.FAILED_NEEDS_FIRMWARE, Outcome.FAILED_UNRECOVERABLE, Outcome.INCONSISTENT)


async def reach(lane: Lane) -> LaneResult | None:
    """First station: connect and identify; None when the lane can go on."""
    return await _guarded(lane, [(StepKind.IDENTIFY, identify)])


async def work(lane: Lane) -> LaneResult:
    """All stations after identify."""
    ended = await _guarded(
        lane, [(StepKind.INSPECT, inspect), (StepKind.CHECK, check), (StepKind.CONFIRM, _confirm_if_work)]
    )
    if ended is not None:
        return ended
    if not lane.agreed.has_work:
        return _finish(lane, Outcome.NOTHING_TO_DO, int(Exit.NOTHING_TO_DO), None)
    ended = await _guarded(lane, [(StepKind.BACKUP, backup), (StepKind.INSTALL, install), (StepKind.VERIFY, verify)])
    if ended is not None:
        return ended
    passed = True

    async def attended(lane: Lane) -> None:
        nonlocal passed
        passed = await functional_tests(lane)

    ended = await _guarded(lane, [(StepKind.TEST, attended)])
    if ended is not None:
        return ended
    outcome = Outcome.SUCCESS if passed else Outcome.SUCCESS_NOT_RESTORED
    return _finish(lane, outcome, int(OUTCOME_EXIT[outcome]), None)


async def _confirm_if_work(lane: Lane) -> None:
    if lane.agreed.has_work:
        await confirm(lane)


async def _guarded(lane: Lane, stations: list[tuple[StepKind, Callable[[Lane], Awaitable[None]]]]) -> LaneResult | None:
    try:
        for kind, station in stations:
            await _with_ways_on(lane, kind, station)
    except StopHere as stop:
        return _unfinished(lane, stop.error)
    except TechtoolError as error:
        return _failed(lane, error)
    return None


async def _with_ways_on(lane: Lane, kind: StepKind, station: Callable[[Lane], Awaitable[None]]) -> None:
    """Do a station; after a failure offer: try again, stop here for now, leave it as it is."""
    for _attempt in range(MAX_RETRIES):
        try:
            return await station(lane)
        except (PersonError, AmbiguousChoice, StoreError) as error:
            if isinstance(error, RefusedByPerson):
                raise
            raise StopHere(error) from error
        except TechtoolError as error:
            if await _way_on(lane, kind, error) == LEAVE:
                raise
            if kind is not StepKind.IDENTIFY:
                await _with_ways_on(lane, StepKind.IDENTIFY, identify)
    return await station(lane)


async def _way_on(lane: Lane, kind: StepKind, error: TechtoolError) -> str:
    """Ask which way on; raises :class:`StopHere` for “later”, which is also the default after a lost link."""
    default = LATER if isinstance(error, LinkError) else LEAVE
    if not _can_be_retried(error):
        return LEAVE
    question = Question(
        f"problem.{kind.value}",
        AnswerKind.CHOICE,
        error.what_phrase,
        help=error.state_phrase,
        choices=(
            Choice(RETRY, phrase("Try again")),
            Choice(LATER, phrase("Stop here; go on later")),
            Choice(LEAVE, phrase("Leave it as it is and write it in the report")),
        ),
        serial=lane.state.identity.serial if lane.state else lane.record.serial,
        optional=True,
    )
    try:
        way = await lane.ask(kind, question) or default
    except AnswerMissing:
        way = default
    if way == LATER:
        raise StopHere(error)
    return way


def _can_be_retried(error: TechtoolError) -> bool:
    return not isinstance(error, UnknownModel | NotCompatible | TrustError | InternalError)


def _unfinished(lane: Lane, error: TechtoolError) -> LaneResult:
    """Stopped between two truths: what the terminal is like is said when it was read again."""
    code = int(error.exit_code)
    lane.log.stopped(lane.id, record_of(error), code)
    outcome = Outcome.INCONSISTENT if lane.changing else Outcome.FAILED_TRANSIENT
    _tell(lane, outcome, code, error)
    return LaneResult(None, code)


def _failed(lane: Lane, error: TechtoolError) -> LaneResult:
    outcome = _outcome_of(lane, error)
    code = int(error.exit_code)
    if outcome in (Outcome.INCONSISTENT, Outcome.FAILED_NEEDS_FIRMWARE, Outcome.FAILED_UNRECOVERABLE):
        code = int(OUTCOME_EXIT[outcome])
    return _finish(lane, outcome, code, error)


def _outcome_of(lane: Lane, error: TechtoolError) -> Outcome:
    if isinstance(error, RefusedByPerson):
        return Outcome.CANCELLED
    if isinstance(error, GateClosed | NotCompatible | UnknownModel | TrustError) and not lane.changing:
        return Outcome.REFUSED
    if isinstance(error, InstallFailed):
        return outcome_of(error.word)
    if isinstance(error, VerifyFailed):
        return Outcome.FAILED_DEVICE_OK if _as_before(lane) else Outcome.INCONSISTENT
    if isinstance(error, BackupError) or not lane.changing:
        return Outcome.FAILED_TRANSIENT
    return Outcome.INCONSISTENT


def _as_before(lane: Lane) -> bool:
    """Whether the terminal, read again, runs exactly what it ran before the work."""
    if lane.before is None or lane.state is None:
        return False
    return _versions(lane.before) == _versions(lane.state)


def _versions(state: TerminalState) -> dict[str, int]:
    return {package.id: package.version_code for package in state.packages}


def _finish(lane: Lane, outcome: Outcome, code: int, error: TechtoolError | None) -> LaneResult:
    lane.log.finished(lane.id, outcome, code, record_of(error) if error else None)
    _tell(lane, outcome, code, error)
    return LaneResult(outcome, code)


def _tell(lane: Lane, outcome: Outcome, code: int, error: TechtoolError | None) -> None:
    serial = lane.state.identity.serial if lane.state else lane.record.serial
    record = record_of(error) if error else None
    lane.emit(LaneFinished(lane.id, lane.services.clock.now(), str(lane.address), serial, outcome, code, record))
