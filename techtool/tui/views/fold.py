"""Engine events folded, one after the other, into one frozen view; and the view that a run begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.pace import WAITS_TURN
from techtool.domain.plan import StepKind
from techtool.domain.question import CheckResult, Question
from techtool.domain.terminal import titled
from techtool.domain.visit import LaneRecord, StepState
from techtool.events import (
    Event,
    Finished,
    LaneFinished,
    LaneIdentified,
    LanePlanned,
    LaneRisk,
    Notice,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
    StillWaiting,
    VisitStarted,
)
from techtool.i18n import Phrase, phrase, translate
from techtool.tui.views.lines import Mark, time_of_day
from techtool.tui.views.run import check_word
from techtool.tui.views.visit import (
    ORDER,
    STATIONS,
    Item,
    LaneView,
    LogLine,
    Station,
    Transfer,
    VisitView,
    Waiting,
)

MANY: Final = frozenset({StepKind.INSTALL, StepKind.TEST})
"""Stations of several steps: done only when the next one begins."""
LOG_LINES: Final = 400


def planned_visit(addresses: Sequence[str]) -> VisitView:
    """A new visit before its first event."""
    lanes = tuple(LaneView(str(n), address) for n, address in enumerate(addresses, 1))
    return VisitView(lanes=lanes, current=_only(lanes))


def resumed_visit(visit: str, lanes: Sequence[LaneRecord]) -> VisitView:
    """An unfinished visit before it is gone on with: what its record says of each terminal."""
    views = tuple(_known_lane(record) for record in lanes)
    return VisitView(visit=visit, resumed=True, lanes=views, current=_only(views))


def _only(lanes: Sequence[LaneView]) -> str:
    """Where there is one terminal, it is looked at; of several a person chooses."""
    return lanes[0].lane if len(lanes) == 1 else ""


def _known_lane(record: LaneRecord) -> LaneView:
    done = {s.step for s in record.steps if s.state is StepState.DONE}
    open_ = {s.step for s in record.steps if s.state is not StepState.DONE}
    stations = tuple(
        Station(kind, Mark.OK if kind in done and kind not in open_ else Mark.WAITING) for kind, _label in STATIONS
    )
    identity = record.before.identity if record.before else None
    return LaneView(
        record.lane,
        record.address,
        record.serial,
        identity.title if identity else "",
        identity.os_version if identity else "",
        stations,
        outcome=record.outcome,
        error=record.error,
    )


def fold(view: VisitView, event: Event) -> VisitView:
    """The view after one more event."""
    match event:
        case VisitStarted(visit=visit, resumed=resumed):
            view = replace(view, begun_at=event.at)
            text = (
                phrase("Visit {visit} resumed", visit=visit) if resumed else phrase("Visit {visit} begun", visit=visit)
            )
            return _logged(replace(view, visit=visit, resumed=resumed), event, Mark.NOTE, text)
        case StepStarted(lane=lane):
            return _changed(view, lane, _started(_lane(view, lane), event))
        case StepDone(lane=lane, result=result):
            view = _changed(view, lane, _done(_lane(view, lane), event))
            return _logged(view, event, *_told(view, event, result), lane=lane) if result is not None else view
        case StepFailed(lane=lane, error=error):
            view = _changed(view, lane, _failed(_lane(view, lane), event))
            text = phrase("{code} {what}", code=error.code, what=error.what)
            return _logged(view, event, Mark.STOPPED, text, lane=lane)
        case LaneIdentified(lane=lane):
            identified = replace(
                _lane(view, lane),
                serial=event.serial,
                model=titled(event.vendor_name, event.model_name),
                system=event.os_version,
                address=event.address,
            )
            return _changed(view, lane, identified)
        case LanePlanned() | LaneRisk():
            return _decided(view, event)
        case Notice(lane=lane, text=text, warning=warning):
            if text.msgid == WAITS_TURN:
                view = _changed(view, lane, replace(_lane(view, lane), waits_turn=True, silent_s=0))
            return _logged(view, event, Mark.WARNING if warning else Mark.NOTE, text, lane=lane)
        case StillWaiting(lane=lane, text=text, waited_s=waited_s):
            view = _changed(view, lane, replace(_lane(view, lane), silent_s=waited_s))
            return _logged(view, event, Mark.NOTE, text, lane=lane)
        case LaneFinished():
            return _lane_finished(view, event)
        case Finished():
            lanes = tuple(_signed_off(lane) for lane in view.lanes) if event.sealed else view.lanes
            return replace(view, finished=event, questions=(), lanes=tuple(_at_rest(lane) for lane in lanes))
        case _:
            return view


def _decided(view: VisitView, event: LanePlanned | LaneRisk) -> VisitView:
    lane = _lane(view, event.lane)
    lane = replace(lane, plan=event.plan) if isinstance(event, LanePlanned) else replace(lane, risk=event.risk)
    return _changed(view, event.lane, lane)


def _lane(view: VisitView, lane: str) -> LaneView:
    return next((known for known in view.lanes if known.lane == lane), LaneView(lane, ""))


def _changed(view: VisitView, lane: str, changed: LaneView) -> VisitView:
    if any(known.lane == lane for known in view.lanes):
        return replace(view, lanes=tuple(changed if known.lane == lane else known for known in view.lanes))
    return replace(view, lanes=(*view.lanes, changed))


def _at_rest(lane: LaneView) -> LaneView:
    """Nothing is transferred or waited for any more."""
    return replace(lane, transfer=None, waits_turn=False, silent_s=0)


def _with_station(lane: LaneView, kind: StepKind, mark: Mark, note: Phrase | None = None) -> tuple[Station, ...]:
    return tuple(replace(s, mark=mark, note=note) if s.kind is kind else s for s in lane.stations)


def _started(lane: LaneView, event: StepStarted) -> LaneView:
    """The station is busy; what lies before it is behind the terminal."""
    lane = _at_rest(lane)
    place = ORDER.get(event.step, -1)
    stations = []
    for station in lane.stations:
        if station.kind is event.step:
            stations.append(replace(station, mark=Mark.BUSY))
        elif ORDER[station.kind] < place and station.mark is not Mark.OK:
            stations.append(replace(station, mark=Mark.OK))
        elif station.mark is Mark.BUSY:
            stations.append(replace(station, mark=_left_behind(station, event.step)))
        else:
            stations.append(station)
    key = (event.step, event.item)
    items = tuple(item for item in lane.items if item.key != key and item.key[0] is event.step)
    if event.title is not None:
        items = (*items, Item(key, event.title, Mark.BUSY))
    begun = lane.begun or event.step is not StepKind.IDENTIFY
    return replace(lane, stations=tuple(stations), items=items, error=None, begun=begun, stopped=False)


def _left_behind(station: Station, begun: StepKind) -> Mark:
    """A later station, when an earlier one begins again: from the tests one goes back to undo, else to repeat."""
    undone = station.kind is StepKind.TEST and begun is StepKind.INSTALL
    return Mark.WARNING if undone else Mark.WAITING


def _done(lane: LaneView, event: StepDone) -> LaneView:
    lane = _at_rest(lane)
    mark = Mark.BUSY if event.step in MANY else Mark.OK
    stations = _with_station(lane, event.step, mark, event.result)
    failed = event.step is StepKind.TEST and event.result is not None and _is_fail(event.result)
    items = _ended(lane, event.step, event.item, Mark.WARNING if failed else Mark.OK, event.result)
    return replace(lane, stations=stations, items=items)


def _is_fail(result: Phrase) -> bool:
    return result.text("en").startswith(CheckResult.FAIL.value)


def _failed(lane: LaneView, event: StepFailed) -> LaneView:
    """What was confirmed of the step counts no more: how much of it is still there is known when it is sent again."""
    lane = _at_rest(lane)
    sent = tuple((item, count) for item, count in lane.sent if item != event.item)
    stations = _with_station(lane, event.step, Mark.STOPPED, event.error.what)
    items = _ended(lane, event.step, event.item, Mark.STOPPED, event.error.what)
    return replace(lane, stations=stations, items=items, error=event.error, sent=sent)


def _told(view: VisitView, event: StepDone, result: Phrase) -> tuple[Mark, Phrase]:
    """A step's result as a line of the log: a test is named, and a failed one marked."""
    if event.step not in (StepKind.TEST, StepKind.INSPECT):
        return Mark.OK, result
    title = next((i.title for i in _lane(view, event.lane).items if i.key == (event.step, event.item)), result)
    passed = result.text("en").startswith(CheckResult.PASS.value)
    mark = Mark.WARNING if _is_fail(result) else Mark.OK if passed else Mark.NOTE
    return mark, phrase("{title}: {result}", title=title, result=check_word(result.text("en")))


def _ended(lane: LaneView, kind: StepKind, item: str, mark: Mark, note: Phrase | None) -> tuple[Item, ...]:
    return tuple(replace(i, mark=mark, note=note) if i.key == (kind, item) else i for i in lane.items)


def _lane_finished(view: VisitView, event: LaneFinished) -> VisitView:
    lane = _at_rest(_lane(view, event.lane))
    if not event.final:
        return _lane_stopped(view, event, lane)
    through = Mark.OK if event.outcome.is_good else Mark.WARNING
    stations = tuple(replace(s, mark=through) if s.mark is Mark.BUSY else s for s in lane.stations)
    lane = replace(
        lane, stations=stations, serial=event.serial or lane.serial, outcome=event.outcome, error=event.error
    )
    mark = Mark.OK if event.outcome.is_good else Mark.STOPPED
    outcome = translate(OUTCOME_LABEL[event.outcome])
    text = phrase("{terminal}: {outcome}", terminal=lane.serial or lane.address, outcome=outcome)
    return _logged(_changed(view, event.lane, lane), event, mark, text, lane=event.lane)


def _lane_stopped(view: VisitView, event: LaneFinished, lane: LaneView) -> VisitView:
    """Its work stopped before its end: what was done stands, and nothing is said of an outcome."""
    stations = tuple(replace(s, mark=Mark.STOPPED) if s.mark is Mark.BUSY else s for s in lane.stations)
    lane = replace(lane, stations=stations, serial=event.serial or lane.serial, stopped=True, error=event.error)
    text = phrase("{terminal}: stopped, can be resumed", terminal=lane.serial or lane.address)
    return _logged(_changed(view, event.lane, lane), event, Mark.WARNING, text, lane=event.lane)


def _logged(view: VisitView, event: Event, mark: Mark, text: Phrase, lane: str = "") -> VisitView:
    line = LogLine(time_of_day(event.at), mark, text.text(), lane if view.lane_of(lane) else "")
    return replace(view, log=(*view.log, line)[-LOG_LINES:])


def with_question(view: VisitView, question: Question | None) -> VisitView:
    """The view while one question waits, or none."""
    return with_questions(view, [Waiting(question, lane_asked(view, question))] if question else [])


def lane_asked(view: VisitView, question: Question) -> str:
    """Which terminal a question is about, by its serial number; empty: the visit."""
    return next((lane.lane for lane in view.lanes if question.serial and lane.serial == question.serial), "")


def with_questions(view: VisitView, waiting: Sequence[Waiting]) -> VisitView:
    """The view while these questions wait: what waits for a person is not timed."""
    asked = {one.lane for one in waiting}
    lanes = tuple(replace(lane, transfer=None, silent_s=0) if lane.lane in asked else lane for lane in view.lanes)
    if any(one.question.id.startswith("sign_off.") for one in waiting):
        lanes = tuple(replace(lane, stations=_with_station(lane, StepKind.SIGN_OFF, Mark.BUSY)) for lane in lanes)
    return replace(view, questions=tuple(waiting), lanes=lanes)


def _signed_off(lane: LaneView) -> LaneView:
    return replace(lane, stations=_with_station(lane, StepKind.SIGN_OFF, Mark.OK))


def with_progress(view: VisitView, event: Progress, transfer: Transfer) -> VisitView:
    """The view with newly confirmed bytes."""
    lane = _lane(view, event.lane)
    others = tuple((item, count) for item, count in lane.sent if item != event.item)
    sent = (*others, (event.item, event.confirmed_bytes)) if event.step is StepKind.INSTALL else lane.sent
    return _changed(view, event.lane, replace(lane, transfer=transfer, sent=sent, silent_s=0))
