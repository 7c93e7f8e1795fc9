"""Home: unfinished work first, then what can be begun, then how things stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from techtool.i18n import _, translate
from techtool.tui.views.lines import Line, Mark, day_and_time
from techtool.tui.views.places import PLACES, VISITS

if TYPE_CHECKING:
    from techtool.domain.visit import VisitRecord

LANGUAGE: Final = "language"
RESUME: Final = "resume:"
CLOSE: Final = "close:"
MAX_OPEN: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be chosen."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """One unfinished visit."""

    visit: str
    what: str
    where: str
    since: str
    elsewhere: str = ""
    """Not empty: it is being worked on in another window, and cannot be resumed here."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another techtool that works in this home folder right now."""

    pid: int = 0
    """0: not known."""
    visit: str = ""
    """Empty: not known."""

    def has(self, visit: str) -> bool:
        """Whether that visit may be the one it works on."""
        return self.visit in ("", visit)

    def text(self) -> str:
        """For the line of that visit."""
        if not self.pid:
            return _("being worked on in another window")
        return _("being worked on in another window (process {pid})").format(pid=self.pid)


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What home knows; ``None`` while it is still being looked up."""

    technician: str = ""
    unfinished: tuple[VisitRecord, ...] | None = None
    damaged: int = 0
    sticks: tuple[str, ...] | None = None
    visits: int = 0
    hinted: int = 0
    """Terminals of the demo."""
    hinted_stick: str = ""
    """Folder of the demo's stick."""
    trouble: str = ""
    """Why the records could not be read."""
    key: str = ""
    """What is wrong with the key that opens the records' confidential words."""
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class HomeView:
    """Home."""

    technician: str
    unfinished: tuple[OpenVisit, ...]
    more_unfinished: int
    entries: tuple[Entry, ...]
    state: tuple[Line, ...]


def home_view(facts: HomeFacts) -> HomeView:
    """The view of home."""
    records = sorted(facts.unfinished or (), key=lambda visit: visit.started_at, reverse=True)
    shown = records[:MAX_OPEN]
    entries = [
        Entry(RESUME + record.id, _("Resume {visit}").format(visit=_short(record.id)), _stopped_at(record))
        for record in shown
        if facts.elsewhere is None or not facts.elsewhere.has(record.id)
    ]
    for place in PLACES:
        if place.on_home:
            note = _visits_note(facts.visits) if place.id == VISITS else translate(place.note)
            entries.append(Entry(place.id, translate(place.label), note))
    entries.append(Entry(LANGUAGE, "中文 / English", _("the language of the screens")))
    return HomeView(
        technician=facts.technician,
        unfinished=tuple(_open_visit(record, facts.elsewhere) for record in shown),
        more_unfinished=max(0, len(records) - len(shown)),
        entries=tuple(entries),
        state=tuple(_state(facts)),
    )


def _short(visit: str) -> str:
    return visit.rpartition("-")[2] or visit


def _open_visit(record: VisitRecord, elsewhere: Elsewhere | None) -> OpenVisit:
    serials = ", ".join(lane.serial or lane.address for lane in record.lanes)
    return OpenVisit(
        visit=record.id,
        what=record.merchant or _("merchant not named"),
        where=serials,
        since=day_and_time(record.started_at),
        elsewhere=elsewhere.text() if elsewhere is not None and elsewhere.has(record.id) else "",
    )


def _stopped_at(record: VisitRecord) -> str:
    """Where it stopped, in a few words."""
    from techtool.domain.visit import StepState
    from techtool.tui.views.visit import label_of

    for lane in record.lanes:
        if lane.outcome is not None:
            continue
        step = lane.unfinished_step
        if step is not None:
            return _("stopped during: {step}").format(step=label_of(step.step))
        done = [s.step for s in lane.steps if s.state is StepState.DONE]
        if done:
            return _("last done: {step}").format(step=label_of(done[-1]))
        return _("nothing done yet")
    return _("only the sign-off is missing") if record.lanes else ""


def _visits_note(count: int) -> str:
    return _("{count} on this laptop").format(count=count) if count else _("none yet")


def _state(facts: HomeFacts) -> Sequence[Line]:
    lines: list[Line] = []
    if facts.sticks is None:
        lines.append(Line(Mark.WAITING, _("USB stick: looking …")))
    elif facts.hinted_stick and not facts.sticks:
        lines.append(Line(Mark.OK, _("USB stick: the demo's, a folder that is filled in")))
    elif not facts.sticks:
        lines.append(Line(Mark.NOTE, _("USB stick: none found; it can also be named as a folder")))
    else:
        lines.append(Line(Mark.OK, _("USB stick: {places}").format(places=", ".join(facts.sticks))))
    if facts.hinted:
        text = _("Demo: {count} simulated terminals; nothing here is real").format(count=facts.hinted)
        lines.append(Line(Mark.NOTE, text))
    if facts.elsewhere is not None:
        text = _("Another techtool window is at work; a visit can be begun or resumed here when it has ended")
        lines.append(Line(Mark.WARNING, text))
    if facts.trouble:
        lines.append(Line(Mark.STOPPED, facts.trouble))
    if facts.key:
        way = _("^P, then “Check this laptop” says how to put the key back; then F5.")
        lines += [Line(Mark.STOPPED, facts.key, (way,))]
    if facts.damaged:
        text = _("{count} damaged records: “techtool doctor” says more").format(count=facts.damaged)
        lines.append(Line(Mark.STOPPED, text))
    return lines
