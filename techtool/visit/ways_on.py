"""After a failure: the ways on that a person is offered, and which was taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from techtool.domain.lint_shelf import joined
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.errors import (
    AmbiguousChoice,
    AnotherTerminal,
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
    VerifyFailed,
)
from techtool.i18n import N_, Phrase, phrase
from techtool.visit.lane import Lane
from techtool.visit.log import record_of
from techtool.visit.steps.identify import identify
from techtool.visit.undo import can_undo, prepare_undo

UNDO = "undo"
RETRY = "retry"
LATER = "later"
LEAVE = "leave"
MAX_RETRIES = 5
_UNDO_LABEL = N_("Undo: put back what ran before")
_LEAVE_LABEL = N_("Leave it as it is and write it in the report")


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


async def with_ways_on(lane: Lane, kind: StepKind, station: Callable[[Lane], Awaitable[None]]) -> None:
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
            way = UNDO
            while way == UNDO:  # Whoever said no to undoing did not ask for the installation to be tried again.
                way = await _way_on(lane, kind, error)
                if way == LEAVE:
                    raise
                retries += 1
                if retries > MAX_RETRIES:
                    raise StopHere(error) from error
                if kind is not StepKind.IDENTIFY:
                    await with_ways_on(lane, StepKind.IDENTIFY, identify)
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


async def wants_undo(lane: Lane) -> bool:
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
