"""One lane from start to outcome: the order of the stations, what a failure means, and the ways on after it."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from techtool.domain.components import slot_values, slots_written
from techtool.domain.lint_shelf import joined
from techtool.domain.outcome import OUTCOME_EXIT, Outcome
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.terminal import TerminalState
from techtool.domain.visit import ErrorRecord, VisitKind
from techtool.errors import (
    AmbiguousChoice,
    AnotherTerminal,
    Exit,
    GateClosed,
    InstallFailed,
    InternalError,
    LinkError,
    NotCapable,
    NotCompatible,
    PersonError,
    RefusedByPerson,
    RestoreRefused,
    StoreError,
    TechtoolError,
    TrustError,
    UnknownModel,
    VerifyFailed,
)
from techtool.events import LaneFinished
from techtool.i18n import N_, Phrase, phrase
from techtool.terminals.install import outcome_of
from techtool.visit.lane import Lane
from techtool.visit.log import record_of
from techtool.visit.steps.backup import backup
from techtool.visit.steps.bind import bind_terminal
from techtool.visit.steps.check import check
from techtool.visit.steps.configs import ask_to_reenter, forget_unplaced, written_configs
from techtool.visit.steps.confirm import confirm
from techtool.visit.steps.functional_tests import functional_tests, inspection_tests, tests_after_restore
from techtool.visit.steps.identify import identify, read_state
from techtool.visit.steps.inspect import inspect
from techtool.visit.steps.install import install
from techtool.visit.steps.issues import before_work
from techtool.visit.steps.restore import carry_out, check_restore, verify_restore
from techtool.visit.steps.risk import risk
from techtool.visit.steps.verify import verify
from techtool.visit.undo import can_undo, prepare_undo, undo

UNDO = "undo"
RETRY = "retry"
LATER = "later"
LEAVE = "leave"
MAX_RETRIES = 5
_UNDO_LABEL = N_("Undo: put back what ran before")
_LEAVE_LABEL = N_("Leave it as it is and write it in the report")

Station = tuple[StepKind, Callable[[Lane], Awaitable[None]]]


class StopHere(Exception):
    """The lane stays unfinished; resume goes on from its last step."""

    def __init__(self, error: TechtoolError) -> None:
        self.error = error
        super().__init__(str(error))


class UndoChosen(Exception):
    """What ran before is put back; gates are open and words are typed."""

    def __init__(self, error: TechtoolError) -> None:
        self.error = error
        super().__init__(str(error))


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
        return ended or _finish(lane, Outcome.SUCCESS, int(Exit.DONE), None)
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
        if not passed and await _wants_undo(lane):
            return await _undone(lane, None)
    except StopHere as stop:
        return unfinished(lane, stop.error)
    outcome = _done(lane, passed=passed)
    return _finish(lane, outcome, int(OUTCOME_EXIT[outcome]), None)


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
    return _finish(lane, outcome, int(OUTCOME_EXIT[outcome]), None)


async def _restore(lane: Lane) -> LaneResult:
    """Put packages back from a backup: the same stations, with a plan of its own."""
    ended = await _guarded(
        lane, [(StepKind.IDENTIFY, bind_terminal), (StepKind.INSPECT, inspect), (StepKind.CHECK, check_restore)]
    )
    if ended is not None:
        return ended
    if not lane.agreed.has_work and not lane.record.confirmed_digest:
        return _finish(lane, Outcome.NOTHING_TO_DO, int(Exit.NOTHING_TO_DO), None)
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
    return _finish(lane, outcome, int(OUTCOME_EXIT[outcome]), None)


async def _wants_undo(lane: Lane) -> bool:
    """After a failed test: put back what ran before, or leave it. Without an answer it is left.

    Raises :class:`StopHere` where it was chosen and could not be begun.
    """
    if not can_undo(lane):
        return False
    question = Question(
        f"problem.{StepKind.TEST.value}",
        AnswerKind.CHOICE,
        phrase("Failed after the installation: {tests}.", tests=joined(lane.failed_tests)),
        help=phrase("What was installed is in place and was read again."),
        choices=(Choice(UNDO, Phrase(_UNDO_LABEL)), Choice(LEAVE, Phrase(_LEAVE_LABEL))),
        serial=lane.known.identity.serial,
        optional=True,
    )
    try:
        chosen = await lane.ask(StepKind.TEST, question)
    except PersonError:
        return False
    return chosen == UNDO and await _ready_to_undo(lane)


async def _ready_to_undo(lane: Lane) -> bool:
    """Gates and words; what keeps it from being undone is told, and nothing was changed by it.

    A link that is lost meanwhile, or an answer that is missing, is no reason to give it up: the visit stays open.
    """
    try:
        if await prepare_undo(lane):
            return True
        lane.notice(phrase("There is nothing to undo: the terminal runs what it ran before."))
    except (GateClosed, RestoreRefused, RefusedByPerson) as error:
        text = phrase("Not undone: {problem}", problem=error.what_phrase)
        lane.notice(text, step=StepKind.INSTALL, warning=True)
    except TechtoolError as error:
        raise StopHere(error) from error
    return False


async def _undone(lane: Lane, error: TechtoolError | None) -> LaneResult:
    """Put back what ran before; ``error``: what led to it. As before by re-reading, it is “rolled back”."""
    ended = await _guarded(lane, [(StepKind.INSTALL, undo)])
    if ended is not None:
        return ended
    outcome = Outcome.ROLLED_BACK if _as_before(lane) else Outcome.INCONSISTENT
    record = _truthful(lane, record_of(error)) if error is not None else lane.record.error
    if record is not None and outcome is Outcome.ROLLED_BACK:
        record = replace(record, state_now=phrase("What ran before the visit was put back and read again."))
    return _finish(lane, outcome, int(OUTCOME_EXIT[outcome]), record)


def _nothing_to_do(lane: Lane) -> LaneResult:
    """Nothing to install now; but a terminal that was begun earlier in this visit must also be as it was."""
    if lane.changing and not _as_before(lane):
        error = VerifyFailed(
            package=lane.known.identity.serial, reason=phrase("an earlier run of this visit changed it")
        )
        return _finish(lane, Outcome.INCONSISTENT, int(Exit.INCONSISTENT), record_of(error))
    return _finish(lane, Outcome.NOTHING_TO_DO, int(Exit.NOTHING_TO_DO), None)


async def _guarded(lane: Lane, stations: Sequence[Station]) -> LaneResult | None:
    try:
        for kind, station in stations:
            await _with_ways_on(lane, kind, station)
    except UndoChosen as chosen:
        return await _undone(lane, chosen.error)
    except StopHere as stop:
        return unfinished(lane, stop.error)
    except TechtoolError as error:
        return await _failed(lane, error)
    return None


async def _with_ways_on(lane: Lane, kind: StepKind, station: Callable[[Lane], Awaitable[None]]) -> None:
    """Do a station; after a failure offer: try again, stop here for now, leave it as it is."""
    retries = 0
    while True:
        try:
            return await station(lane)
        except (StopHere, UndoChosen):
            raise
        except (PersonError, AmbiguousChoice, StoreError) as error:
            if isinstance(error, RefusedByPerson) and not lane.changing:
                raise
            raise StopHere(error) from error
        except TechtoolError as error:
            way = await _way_on(lane, kind, error)
            if way == LEAVE:
                raise
            retries += 1
            if retries > MAX_RETRIES:
                raise StopHere(error) from error
            if kind is not StepKind.IDENTIFY:
                await _with_ways_on(lane, StepKind.IDENTIFY, identify)
            if way == UNDO and await _ready_to_undo(lane):
                raise UndoChosen(error) from error


async def _way_on(lane: Lane, kind: StepKind, error: TechtoolError) -> str:
    """Ask which way on; raises :class:`StopHere` for “later”.

    Without an answer: later, where the terminal may be half-done or another one answers; else the outcome stands.
    """
    hopeless = isinstance(error, NotCompatible | NotCapable | InternalError | RestoreRefused) and not lane.changing
    if hopeless:
        return LEAVE
    begun = lane.before is not None or lane.record.before is not None
    unclear = isinstance(error, AnotherTerminal) or (begun and isinstance(error, LinkError))
    unclear = unclear or (lane.changing and not _is_an_answer(error))
    question = Question(
        f"problem.{kind.value}",
        AnswerKind.CHOICE,
        error.what_phrase,
        help=error.state_phrase,
        choices=(
            Choice(RETRY, phrase("Try again")),
            Choice(LATER, phrase("Stop here; go on later")),
            *((Choice(UNDO, Phrase(_UNDO_LABEL)),) if lane.changing and _undoes(lane, kind) else ()),
            Choice(LEAVE, Phrase(_LEAVE_LABEL)),
        ),
        serial=lane.state.identity.serial if lane.state else lane.record.serial,
        optional=True,
        error=record_of(error),
    )
    try:
        way = await lane.ask(kind, question) or (LATER if unclear else LEAVE)
    except PersonError as silence:
        raise StopHere(error) from silence
    if way == LATER:
        raise StopHere(error)
    return way


def _undoes(lane: Lane, kind: StepKind) -> bool:
    return kind in (StepKind.INSTALL, StepKind.VERIFY) and can_undo(lane)


def _is_an_answer(error: TechtoolError) -> bool:
    """The terminal's own clear word about the installation: it ends the lane, resume would hear the same."""
    return isinstance(error, VerifyFailed) or (isinstance(error, InstallFailed) and bool(error.word))


def unfinished(lane: Lane, error: TechtoolError) -> LaneResult:
    """Stopped between two truths: what the terminal is like is said when it was read again."""
    code = int(error.exit_code)
    outcome = _so_far(lane)
    record = _truthful(lane, record_of(error))
    _tell(lane, outcome, code, record, final=False)
    lane.log.stopped(lane.id, record, code)
    return LaneResult(outcome, code, final=False)


def _so_far(lane: Lane) -> Outcome:
    """How far a lane got that only stopped: “nothing changed” is not said of a terminal that was read otherwise."""
    if lane.changing:
        return Outcome.INCONSISTENT
    return Outcome.SUCCESS_NOT_RESTORED if _differs(lane) else Outcome.FAILED_TRANSIENT


def refused(lane: Lane, error: TechtoolError) -> LaneResult:
    """Ended before anything was done to it."""
    return _finish(lane, Outcome.REFUSED, int(error.exit_code), record_of(error))


async def _failed(lane: Lane, error: TechtoolError) -> LaneResult:
    if lane.changing:
        await _read_again(lane)
    record = _truthful(lane, record_of(error))
    outcome = _outcome_of(lane, error)
    code = int(error.exit_code)
    if outcome in (Outcome.INCONSISTENT, Outcome.FAILED_NEEDS_FIRMWARE, Outcome.FAILED_UNRECOVERABLE):
        code = int(OUTCOME_EXIT[outcome])
    return _finish(lane, outcome, code, record)


def _truthful(lane: Lane, record: ErrorRecord) -> ErrorRecord:
    """No “nothing was changed” for a terminal that was, by its newest reading; none either where nobody read it."""
    if not lane.changing:
        return record
    if lane.state is None:
        unread = record.state_now.msgid in (LinkError.state_now, InstallFailed.state_now)
        text = phrase("The work had begun; the terminal was not read again since, so what it runs now is not known.")
        return replace(record, state_now=text) if unread else record
    if _as_before(lane):
        return record
    missing = _unread(lane, lane.state)
    if missing:
        text = phrase("Nobody could read what it runs now: {packages}.", packages=", ".join(missing))
        return replace(record, state_now=text)
    return replace(
        record, state_now=phrase("Not everything is as before the work: {packages}.", packages=_changed(lane))
    )


async def _read_again(lane: Lane) -> None:
    """After a failure the terminal's own word counts; where it does not answer, nothing is known."""
    try:
        state = await read_state(lane)
    except TechtoolError:
        lane.state = None
        return
    lane.state = state
    lane.log.read_again(lane.id, state)
    with contextlib.suppress(LinkError):
        await forget_unplaced(lane)


def _outcome_of(lane: Lane, error: TechtoolError) -> Outcome:
    if not lane.changing:
        if isinstance(error, RefusedByPerson):
            return Outcome.CANCELLED
        refusal = isinstance(error, GateClosed | NotCompatible | UnknownModel | TrustError | RestoreRefused)
        return Outcome.REFUSED if refusal else Outcome.FAILED_TRANSIENT
    if not _as_before(lane):
        return Outcome.INCONSISTENT
    if isinstance(error, InstallFailed) and error.word:
        return outcome_of(error.word)
    return Outcome.FAILED_DEVICE_OK


def _as_before(lane: Lane) -> bool:
    """Whether the terminal, read again, runs exactly what it ran before the work."""
    if lane.before is None or lane.state is None:
        return False
    if lane.state.typed and (lane.plan is None or _unread(lane, lane.state)):
        return False
    return not _differs(lane)


def _differs(lane: Lane) -> bool:
    """Whether the newest reading is another one than the first; what nobody has read yet is no difference."""
    if lane.before is None or lane.state is None:
        return False
    return _versions(lane.before) != _versions(lane.state) or bool(written_configs(lane))


def _unread(lane: Lane, state: TerminalState) -> list[str]:
    """What the plan was to change and no person could read; what nobody reads is not “as before”."""
    if lane.plan is None or not state.typed:
        return []
    written = {slot for verified in lane.plan.releases for slot in slots_written(verified.release)}
    return sorted(written - _versions(state).keys())


def _versions(state: TerminalState) -> dict[str, object]:
    """What is compared: the mark of each package; of a terminal that a person reads, what was typed."""
    if state.typed:
        return {slot: value for slot, value in slot_values(state).items() if value}
    return {package.id: package.mark for package in state.packages}


def _changed(lane: Lane) -> str:
    """Package ids that differ from before; what could not be read is all of them."""
    if lane.before is None or lane.state is None:
        return "?"
    before, now = _versions(lane.before), _versions(lane.state)
    packages = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return ", ".join([*packages, *written_configs(lane)]) or "?"


def _finish(lane: Lane, outcome: Outcome, code: int, record: ErrorRecord | None) -> LaneResult:
    lane.log.finished(lane.id, outcome, code, record)
    _tell(lane, outcome, code, record)
    return LaneResult(outcome, code, final=True)


def _tell(lane: Lane, outcome: Outcome, code: int, record: ErrorRecord | None, *, final: bool = True) -> None:
    serial = lane.state.identity.serial if lane.state else lane.record.serial
    if not serial and lane.before is not None:
        serial = lane.before.identity.serial
    at = lane.services.clock.now()
    lane.emit(LaneFinished(lane.id, at, str(lane.address), serial, outcome, code, record, final))
