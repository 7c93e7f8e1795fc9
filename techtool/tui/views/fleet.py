"""Many terminals beside each other: who needs the person comes first; how far all are, as far as it is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from techtool.domain.estimate import STALL_S
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.pace import Pace
from techtool.domain.plan import Plan, StepKind
from techtool.domain.verdicts import size_text
from techtool.i18n import N_, _, translate
from techtool.tui.views.lines import Mark, cells, clip, clock_time, word_of
from techtool.tui.views.visit import ORDER, LaneView, VisitView, label_of, station_asking

URGENCY: Final = (Mark.NEEDS, Mark.STOPPED, Mark.BUSY, Mark.WAITING, Mark.OK)
"""Who comes first; the counts stand in the same order, so that what is cut is the least urgent."""
GAP: Final = 2
"""Cells between columns."""
WIDE: Final = 96
"""From so many cells on, the model is shown."""
WIDEST: Final = 120
"""From so many on, everything."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    id: str
    title: str
    width: int


@dataclass(frozen=True, slots=True)
class Row:
    """One terminal."""

    lane: str
    mark: Mark
    name: str
    model: str
    serial: str
    to: str
    step: str
    done: str
    state: str
    next: str


@dataclass(frozen=True, slots=True)
class Overall:
    """All transfers together."""

    sent_bytes: int
    total_bytes: int
    """Of the terminals whose plan is known."""
    unplanned: int
    """Terminals whose plan is not known yet."""
    bytes_s: float | None
    remaining_s: float | None
    """None: it cannot be known."""
    stalled_s: float


# -- one terminal -----------------------------------------------------------------------------------------------------


def mark_of(view: VisitView, lane: LaneView) -> Mark:
    """The state of one terminal among many."""
    if lane.outcome is not None:
        return Mark.OK if lane.outcome.is_good else Mark.STOPPED
    if view.waiting_for(lane.lane) is not None:
        return Mark.NEEDS
    station = lane.at_work
    if lane.stopped or (station is not None and station.mark is Mark.STOPPED):
        return Mark.STOPPED
    if lane.waits_turn:
        return Mark.WAITING
    return Mark.BUSY if lane.begun or station is not None else Mark.WAITING


def sent_of(lane: LaneView) -> tuple[int, int] | None:
    """Confirmed bytes of this terminal's packages, and all of them; None while its plan is not known."""
    if lane.plan is None:
        return None
    packages, together = _sizes(lane.plan)
    total = sum(packages.values())
    if lane.station(StepKind.INSTALL).mark is Mark.OK:
        return total, total
    sent = {item: count for item, count in lane.sent if item in packages or item in together}
    there = {item.key[1] for item in lane.items if item.key[0] is StepKind.INSTALL and item.mark is Mark.OK}
    known = sum(sent.values()) + sum(size for name, size in packages.items() if name in there and name not in sent)
    return min(known, total), total


def _sizes(plan: Plan) -> tuple[Mapping[str, int], frozenset[str]]:
    """Bytes of each package, and the names of releases whose packages go in together."""
    packages: dict[str, int] = {}
    for verified in plan.releases:
        for file in verified.release.files:
            if file.apk is not None:
                packages[file.apk.id] = packages.get(file.apk.id, 0) + file.size_bytes
    return packages, frozenset(verified.release.key for verified in plan.releases)


def row_of(view: VisitView, lane: LaneView) -> Row:
    """The cells of one terminal."""
    mark = mark_of(view, lane)
    sent = sent_of(lane)
    releases = lane.plan.releases if lane.plan is not None else ()
    to = releases[-1].release.version if releases else ""
    return Row(
        lane=lane.lane,
        mark=mark,
        name=lane.name,
        model=lane.model,
        serial=lane.serial or lane.address,
        to=f"{to} +{len(releases) - 1}" if len(releases) > 1 else to,
        step=_step(view, lane),
        done=f"{100 * sent[0] // sent[1]}%" if sent is not None and sent[1] else "-",
        state=state_word(mark),
        next=_next(view, lane, mark),
    )


def state_word(mark: Mark) -> str:
    """The word beside the mark; a terminal that is through is done."""
    return _("done") if mark is Mark.OK else word_of(mark)


def _step(view: VisitView, lane: LaneView) -> str:
    """The station whose question waits, else the one at work, else the last one done."""
    waiting = view.waiting_for(lane.lane)
    kind = station_asking(waiting.question, lane) if waiting is not None else None
    if kind is None:
        station = lane.at_work
        if station is None:
            done = [known for known in lane.stations if known.mark is Mark.OK]
            station = done[-1] if done else lane.stations[0]
        kind = station.kind
    return f"{ORDER[kind] + 1} {label_of(kind)}"


def _next(view: VisitView, lane: LaneView, mark: Mark) -> str:
    """What is asked, what is wrong, or how long it takes: no time while a person or a restart is waited for."""
    waiting = view.waiting_for(lane.lane)
    if mark is Mark.NEEDS and waiting is not None:
        return waiting.question.text.text()
    if mark is Mark.OK and lane.outcome is not None:
        return translate(OUTCOME_LABEL[lane.outcome])
    if mark is Mark.STOPPED:
        return f"{lane.error.code} {lane.error.what.text()}" if lane.error is not None else ""
    if mark is Mark.WAITING:
        return _("waits its turn") if lane.waits_turn else _("not begun")
    return _busy(lane)


def _busy(lane: LaneView) -> str:
    transfer = lane.transfer
    if transfer is not None and transfer.stalled_s >= STALL_S:
        return _("no answer for {seconds} s").format(seconds=int(transfer.stalled_s))
    if transfer is not None and transfer.share < 1:
        if transfer.remaining_s is None:
            return ""
        return _("{time} left").format(time=clock_time(transfer.remaining_s))
    if lane.silent_s:
        return _("no answer for {seconds} s").format(seconds=lane.silent_s)
    busy = next((item for item in reversed(lane.items) if item.mark is Mark.BUSY), None)
    return busy.title.text() if busy is not None else ""


# -- all of them ------------------------------------------------------------------------------------------------------


def rows_of(view: VisitView) -> tuple[Row, ...]:
    """Every terminal, who needs the person first; among equals they keep their order."""
    rows = [row_of(view, lane) for lane in view.lanes]
    return tuple(sorted(rows, key=lambda row: URGENCY.index(row.mark)))


def counts(rows: Sequence[Row]) -> tuple[tuple[Mark, str], ...]:
    """How many are in each state, the most urgent first; a state that none is in is left out."""
    number = {mark: sum(row.mark is mark for row in rows) for mark in URGENCY}
    texts = {
        Mark.NEEDS: _("{count} need you") if number[Mark.NEEDS] != 1 else _("{count} needs you"),
        Mark.STOPPED: _("{count} stopped"),
        Mark.BUSY: _("{count} busy"),
        Mark.WAITING: _("{count} waiting"),
        Mark.OK: _("{count} of {total} done"),
    }
    shown = [mark for mark in URGENCY if number[mark] or mark is Mark.OK]
    return tuple((mark, texts[mark].format(count=number[mark], total=len(rows))) for mark in shown)


def bytes_of(view: VisitView) -> tuple[int, int, int]:
    """Confirmed bytes, all bytes, and how many terminals have no plan yet; one that stopped adds what it took."""
    sent = total = unplanned = 0
    for lane in view.lanes:
        known = sent_of(lane)
        if known is None:
            unplanned += lane.outcome is None
            continue
        sent += known[0]
        total += known[0] if lane.outcome is not None else known[1]
    return sent, total, unplanned


def foreseeable(view: VisitView) -> bool:
    """Whether nothing but bytes is waited for: every plan is confirmed, nobody is asked, none starts again."""
    if view.questions:
        return False
    open_ = [lane for lane in view.lanes if lane.outcome is None]
    confirmed = all(lane.plan is not None and lane.station(StepKind.CONFIRM).mark is Mark.OK for lane in open_)
    restarting = any(
        item.key == (StepKind.INSTALL, "restart") and item.mark is Mark.BUSY for lane in open_ for item in lane.items
    )
    return confirmed and not restarting


def overall_line(overall: Overall) -> str:
    """One line about all of them."""
    parts: list[str] = []
    if overall.total_bytes:
        share = 100 * overall.sent_bytes // overall.total_bytes
        text = _("Of what is planned: {share}%") if overall.unplanned else _("All: {share}%")
        parts.append(text.format(share=share))
        parts.append(f"{size_text(overall.sent_bytes)} / {size_text(overall.total_bytes)}")
    if overall.unplanned:
        parts.append(_("{count} without a plan yet").format(count=overall.unplanned))
    if overall.stalled_s >= STALL_S:
        parts.append(_("no byte confirmed for {seconds} s").format(seconds=int(overall.stalled_s)))
    elif overall.remaining_s is not None and overall.sent_bytes < overall.total_bytes:
        parts.append(_("about {time} left to send").format(time=clock_time(overall.remaining_s)))
    return "   ".join(parts)


def pace_words(pace: Pace) -> str:
    """In what order, and how many are written at once."""
    if not pace.together:
        return _("one after the other")
    if pace.one_first:
        return _("one first, then {count} written at once").format(count=pace.writers)
    return _("{count} written at once").format(count=pace.writers)


def waiting_line(view: VisitView, now_s: float) -> str:
    """The request that waits longest elsewhere than where the person looks; empty: none does."""
    others = view.others
    if not others:
        return ""
    oldest = others[0]
    lane = view.lane_of(oldest.lane)
    who = _("Lane {lane}").format(lane=lane.name) if lane is not None else _("The visit")
    waited = _("waiting {time}").format(time=clock_time(now_s - oldest.since_s))
    return _("{who} ({waited}): {question}").format(who=who, waited=waited, question=oldest.question.text.text())


# -- columns ----------------------------------------------------------------------------------------------------------

_TITLES: Final = {
    "name": N_("Lane"),
    "model": N_("Model"),
    "serial": N_("Serial"),
    "to": N_("To"),
    "step": N_("Step"),
    "done": N_("Done"),
    "state": N_("State"),
    "next": N_("Next"),
}
_FROM: Final = {"model": WIDE, "to": WIDEST}
"""Columns that need so much room; the others are always shown."""
_NEXT_LEAST: Final = 14
"""Cells below which what comes next says nothing."""
_MOST: Final = {"name": 4, "model": 16, "serial": 22, "to": 12, "step": 16, "done": 5, "state": 14}
"""Cells that a column takes at most; what comes next has the rest."""


def columns(rows: Sequence[Row], width: int) -> tuple[Column, ...]:
    """The columns that go into ``width`` cells, as wide as what stands in them; the serial number is never cut for
    another column's sake.
    """
    ids = [name for name in _TITLES if width >= _FROM.get(name, 0)]
    found: list[Column] = []
    left = width
    for name in ids:
        title = translate(_TITLES[name])
        if name == "next":
            size = left - GAP if left - GAP >= _NEXT_LEAST else 0
        else:
            widest = max([cells(cell_text(row, name)) for row in rows], default=0)
            size = max(cells(title), min(widest + (2 if name == "state" else 0), _MOST[name]))
        size = min(size, left - GAP)
        if size > 0:
            found.append(Column(name, clip(title, size), size))
            left -= size + GAP
    return tuple(found)


def cell_text(row: Row, column: str) -> str:
    """What stands in this column of the row."""
    return {
        "name": row.name,
        "model": row.model,
        "serial": row.serial,
        "to": row.to,
        "step": row.step,
        "done": row.done,
        "state": row.state,
        "next": row.next,
    }[column]
