"""A problem as the screen tells it: what happened, the state now, numbered ways on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from techtool.domain.plan import StepKind
from techtool.domain.redacting import Cleaner
from techtool.domain.visit import ErrorRecord
from techtool.errors import TechtoolError, UsageError
from techtool.i18n import N_, Phrase, _, translate
from techtool.tui.views.lines import Mark
from techtool.tui.views.visit import ORDER, LaneView, VisitView, label_of

AGAIN: Final = "again"
FORM: Final = "form"
HOME: Final = "home"
RESUME: Final = "resume"

_COST: Final = {
    "retry": N_("the terminal is identified again, then the step is repeated"),
    "later": N_("the visit stays open; Home offers to resume it"),
    "leave": N_("this terminal ends here, with what is known of it"),
    AGAIN: N_("with what was entered before"),
    RESUME: N_("every terminal is read again first"),
    HOME: N_("what was recorded is kept"),
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way on."""

    value: str
    label: str
    cost: str


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Everything a person needs to go on."""

    title: str
    code: str
    what: str
    state: tuple[str, ...]
    advice: tuple[str, ...]
    ways: tuple[Way, ...]
    detail: str


def problem_view(view: VisitView) -> ProblemView | None:
    """The problem in ``view``, if there is one."""
    if view.failure is not None:
        return _run_failed(view, view.failure)
    question = view.question
    if question is None or not question.id.startswith("problem."):
        return None
    lane = view.lane
    step = _kind(question.id.removeprefix("problem."))
    title = _("Stopped")
    if step is not None:
        title = _("Step {number} stopped: {step}").format(number=ORDER.get(step, 0) + 1, step=label_of(step))
    error = question.error or (lane.error if lane else None)
    advice = tuple(action.text() for action in error.next_actions) if error else ()
    ways = tuple(Way(c.value, c.label.text(), _cost(c.value)) for c in question.choices)
    return ProblemView(
        title=title,
        code=error.code if error else "",
        what=question.text.text(),
        state=_state(question.help, lane),
        advice=advice,
        ways=ways,
        detail=error.detail if error else "",
    )


def _run_failed(view: VisitView, error: ErrorRecord) -> ProblemView:
    begun = bool(view.visit)
    ways = [Way(RESUME, _("Resume this visit"), _cost(RESUME))] if begun else []
    if not begun:
        ways.append(Way(AGAIN, _("Try again"), _cost(AGAIN)))
        if not view.resumed:
            ways.append(Way(FORM, _("Back to what was entered"), ""))
    ways.append(Way(HOME, _("Home"), _cost(HOME) if begun else ""))
    return ProblemView(
        title=_("The visit stopped") if begun else _("The visit has not begun"),
        code=error.code,
        what=error.what.text(),
        state=(error.state_now.text(),),
        advice=tuple(action.text() for action in error.next_actions),
        ways=tuple(ways),
        detail=error.detail,
    )


def _state(state: Phrase | None, lane: LaneView | None) -> tuple[str, ...]:
    lines = [state.text()] if state is not None else []
    if lane is not None:
        backup = lane.station(StepKind.BACKUP)
        if backup.mark is Mark.OK:
            lines.append(_("Backup: complete, read back."))
        elif lane.station(StepKind.IDENTIFY).mark is Mark.OK:
            lines.append(_("Backup: not made yet."))
    return tuple(lines)


def _cost(value: str) -> str:
    return translate(_COST[value]) if value in _COST else ""


def _kind(text: str) -> StepKind | None:
    try:
        return StepKind(text)
    except ValueError:
        return None


def complaint(error: TechtoolError) -> str:
    """An error in what was entered, for the line below it; advice about command lines is left out."""
    if type(error) is UsageError:
        return Cleaner().phrase(error.what_phrase).text()
    phrases = (error.what_phrase, *error.action_phrases)
    return "  ".join(Cleaner().phrase(phrase).text() for phrase in phrases)


def record_of(error: TechtoolError) -> ErrorRecord:
    """An error that was raised, as it would be recorded."""
    record = ErrorRecord(error.code, error.what_phrase, error.state_phrase, error.action_phrases, error.detail)
    return Cleaner().clean(record)
