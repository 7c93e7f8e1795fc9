"""The end of a visit: one outcome a terminal, where the reports are, what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from techtool.domain.guide import FAMILY
from techtool.domain.outcome import OUTCOME_LABEL, Outcome
from techtool.domain.plan import StepKind
from techtool.i18n import _, translate
from techtool.tui.views.lines import Line, Mark, clock_time, named
from techtool.tui.views.visit import LaneView, VisitView, label_of


@dataclass(frozen=True, slots=True)
class ResultView:
    """What the result screen shows."""

    mark: Mark
    title: str
    visit: str
    terminals: tuple[Line, ...]
    following: tuple[str, ...]
    took: str


def result_view(view: VisitView) -> ResultView | None:
    """The view of a finished run; None while it runs."""
    finished = view.finished
    if finished is None:
        return None
    good = finished.outcome.is_good and finished.sealed
    title = translate(OUTCOME_LABEL[finished.outcome]) if finished.sealed else _("stopped, can be resumed")
    return ResultView(
        mark=Mark.OK if good else Mark.WARNING if not finished.sealed else Mark.STOPPED,
        title=_("Visit {visit}: {outcome}").format(visit=finished.visit, outcome=title),
        visit=finished.visit,
        terminals=tuple(terminal_line(lane) for lane in view.lanes),
        following=tuple(_following(view, sealed=finished.sealed)),
        took=_took(view),
    )


def _took(view: VisitView) -> str:
    """How long this run took, from its first event to its last."""
    if view.finished is None or view.begun_at is None:
        return ""
    seconds = (view.finished.at - view.begun_at).total_seconds()
    return _("Took {time}, questions included.").format(time=clock_time(seconds))


def terminal_line(lane: LaneView) -> Line:
    """One terminal with what is known at the end."""
    name = "  ".join(part for part in (lane.model, lane.serial or lane.address) if part)
    if lane.outcome is None:
        return Line(Mark.WARNING, _unfinished(lane, name), (*_read_back(lane), *_error(lane)))
    text = named(name, translate(OUTCOME_LABEL[lane.outcome]))
    details = [*_read_back(lane)] if lane.outcome.is_good else []
    failed = [item.title.text() for item in lane.items if item.mark is Mark.WARNING]
    details += [_("Test failed: {test}").format(test=name) for name in failed]
    return Line(Mark.OK if lane.outcome.is_good else Mark.STOPPED, text, (*details, *_error(lane)))


def _unfinished(lane: LaneView, name: str) -> str:
    """Where it stopped; a terminal that was not begun in this run has no such place."""
    station = lane.at_work if lane.stopped else None
    if station is None:
        return _("{terminal}: unfinished").format(terminal=name)
    return _("{terminal}: unfinished, stopped at {step}").format(terminal=name, step=label_of(station.kind))


def _read_back(lane: LaneView) -> Iterator[str]:
    """What was installed, as soon as the terminal was read again: stopping later takes nothing of it away.

    Of a terminal that only a person can read it is what they typed, and nothing was read back.
    """
    if lane.plan is not None and lane.plan.releases and lane.station(StepKind.VERIFY).mark is Mark.OK:
        names = ", ".join(f"{v.release.id} {v.release.version}" for v in lane.plan.releases)
        if lane.address.startswith(f"{FAMILY}:"):
            yield _("installed, with the versions as you typed them: {releases}").format(releases=names)
        else:
            yield _("installed and read back: {releases}").format(releases=names)


def _error(lane: LaneView) -> Iterator[str]:
    if lane.error is not None:
        yield f"{lane.error.code}  {lane.error.what.text()}"
        yield _("State now: {state}").format(state=lane.error.state_now.text())
        yield from (_("Do: {what}").format(what=action.text()) for action in lane.error.next_actions)


def _following(view: VisitView, *, sealed: bool) -> list[str]:
    if not sealed:
        return [
            _("The visit is not finished: resume it from Home, here or later."),
            _("Every terminal is read again before anything else is done to it."),
        ]
    left = [lane for lane in view.lanes if lane.outcome is not None and not lane.outcome.is_good]
    if any(lane.outcome is Outcome.SUCCESS_NOT_RESTORED for lane in left):
        return [_("A test failed: put the settings right before the merchant takes payments.")]
    if left:
        return [
            _("Do what stands beside each terminal that is not done."),
            _("Give the report to the merchant and to the office."),
        ]
    return [
        _("Unplug the cable; the merchant can take payments."),
        _("Give the report to the merchant and to the office."),
    ]
