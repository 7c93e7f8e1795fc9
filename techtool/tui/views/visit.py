"""What the screens of a visit show: terminals, stations, the question that waits, the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from techtool.domain.outcome import Outcome
from techtool.domain.plan import Plan, StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.remaining import Left
from techtool.domain.risk import Risk
from techtool.domain.visit import ErrorRecord
from techtool.events import Finished
from techtool.i18n import N_, Phrase, translate
from techtool.tui.views.lines import Mark

STATIONS: Final = (
    (StepKind.IDENTIFY, N_("Identify")),
    (StepKind.INSPECT, N_("Inspect")),
    (StepKind.CHECK, N_("Check")),
    (StepKind.CONFIRM, N_("Confirm")),
    (StepKind.BACKUP, N_("Back up")),
    (StepKind.INSTALL, N_("Install")),
    (StepKind.VERIFY, N_("Verify")),
    (StepKind.TEST, N_("Test")),
    (StepKind.SIGN_OFF, N_("Sign off")),
)
"""The rail, in the order of a visit."""
ORDER: Final = {kind: place for place, (kind, _label) in enumerate(STATIONS)}


class Place(StrEnum):
    """Which screen is due."""

    RUN = "run"
    PLAN = "plan"
    PROBLEM = "problem"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class Station:
    """One station of one terminal."""

    kind: StepKind
    mark: Mark = Mark.WAITING
    note: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One step within a station."""

    key: tuple[StepKind, str]
    title: Phrase
    mark: Mark
    note: Phrase | None = None


@dataclass(frozen=True, slots=True)
class LaneView:
    """One terminal."""

    lane: str
    address: str
    serial: str = ""
    model: str = ""
    system: str = ""
    stations: tuple[Station, ...] = tuple(Station(kind) for kind, _label in STATIONS)
    items: tuple[Item, ...] = ()
    plan: Plan | None = field(default=None, repr=False)
    risk: Risk | None = field(default=None, repr=False)
    error: ErrorRecord | None = None
    outcome: Outcome | None = None
    stopped: bool = False
    """Its work stopped before its end; the visit stays open, and it has no outcome yet."""
    transfer: Transfer | None = None
    """Under way right now; none while a person is asked or the terminal starts again."""
    sent: tuple[tuple[str, int], ...] = ()
    """Step within the installation, and how many of its bytes the terminal has confirmed."""
    begun: bool = False
    """Its work began in this run; identifying it is not yet work."""
    waits_turn: bool = False
    """It could be written, and waits until fewer others are."""
    left: TimeLeft | None = None
    """How long it still takes; only of the terminal that is looked at."""
    silent_s: int = 0
    """So long the terminal has said nothing, by the engine's word; 0: it was heard of since."""

    def station(self, kind: StepKind) -> Station:
        """The station of that kind."""
        return self.stations[ORDER[kind]]

    @property
    def at_work(self) -> Station | None:
        """The station that needs the person, else the one under way, or the one that stopped."""
        needs = next((s for s in self.stations if s.mark is Mark.NEEDS), None)
        return needs or next((s for s in self.stations if s.mark in (Mark.BUSY, Mark.STOPPED)), None)

    @property
    def mark(self) -> Mark:
        """One mark for the whole terminal."""
        if self.outcome is not None:
            return Mark.OK if self.outcome.is_good else Mark.STOPPED
        if self.stopped:
            return Mark.STOPPED
        station = self.at_work
        return station.mark if station else Mark.WAITING

    @property
    def name(self) -> str:
        """What it is called beside others: ``07``."""
        return f"{int(self.lane):02}" if self.lane.isdecimal() else self.lane

    @property
    def writing(self) -> bool:
        """Whether something is being changed on it right now, as far as is known."""
        busy = self.outcome is None and self.station(StepKind.INSTALL).mark is Mark.BUSY
        return busy and not self.waits_turn


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer under way, told honestly."""

    confirmed_bytes: int
    total_bytes: int
    elapsed_s: float
    bytes_s: float | None
    remaining_s: float | None
    stalled_s: float
    resumed_bytes: int = 0
    """Of the confirmed ones: there from an earlier attempt."""

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.confirmed_bytes / self.total_bytes if self.total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """The rest of a confirmed plan; or, where a person or a restart is waited for, how long that has taken."""

    left: Left | None = None
    why: Phrase | None = None
    """Why the figure went up."""
    elapsed_s: float | None = None
    usual_s: float | None = None
    slow: Phrase | None = None
    """What runs takes longer than usual, and what to do about it."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """Something that happened."""

    time: str
    mark: Mark
    text: str
    lane: str = ""
    """Empty: about the visit."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that waits for the person."""

    question: Question
    lane: str
    """Empty: it is about the visit."""
    since_s: float = 0.0
    """When it was asked (monotonic)."""


@dataclass(frozen=True, slots=True)
class VisitView:
    """One visit as the screens show it."""

    visit: str = ""
    resumed: bool = False
    lanes: tuple[LaneView, ...] = ()
    current: str = ""
    """The terminal that is looked at; empty: all of them."""
    questions: tuple[Waiting, ...] = ()
    """What waits for the person; asked first, first."""
    log: tuple[LogLine, ...] = ()
    failure: ErrorRecord | None = None
    """What ended the visit's run outside the record of a terminal."""
    finished: Finished | None = None
    begun_at: datetime | None = None
    """When this run of the visit began."""
    stopping: bool = False
    """The technician wants to stop at the next safe point."""

    @property
    def fleet(self) -> bool:
        """Whether there is more than one terminal."""
        return len(self.lanes) > 1

    @property
    def lane(self) -> LaneView | None:
        """The terminal that is looked at."""
        return self.lane_of(self.current)

    def lane_of(self, lane: str) -> LaneView | None:
        """That terminal."""
        return next((known for known in self.lanes if known.lane == lane), None)

    @property
    def question(self) -> Question | None:
        """What is asked about the terminal that is looked at, or about the visit."""
        return next((w.question for w in self.questions if w.lane in ("", self.current)), None)

    def waiting_for(self, lane: str) -> Waiting | None:
        """What is asked about this terminal; ``""``: about the visit."""
        return next((waiting for waiting in self.questions if waiting.lane == lane), None)

    @property
    def others(self) -> tuple[Waiting, ...]:
        """What waits elsewhere than where the person looks; asked first, first."""
        return tuple(waiting for waiting in self.questions if waiting.lane != self.current)

    @property
    def transfer(self) -> Transfer | None:
        """Of the terminal that is looked at."""
        return self.lane.transfer if self.lane is not None else None

    @property
    def writing(self) -> bool:
        """Whether something is being changed right now: on the terminal that is looked at, or on any."""
        lanes = (self.lane,) if self.lane is not None else self.lanes
        return any(lane.writing and self.waiting_for(lane.lane) is None for lane in lanes)

    @property
    def over(self) -> bool:
        """Whether nothing runs any more."""
        return self.finished is not None or self.failure is not None


def place_of(view: VisitView) -> Place:
    """Which screen is due for this view."""
    if view.failure is not None:
        return Place.PROBLEM
    if view.finished is not None:
        return Place.RESULT
    question = view.question
    if question is None:
        return Place.RUN
    if question.id.startswith("problem."):
        return Place.PROBLEM
    if question.kind is AnswerKind.LAST4 or question.id.startswith("check.override."):
        return Place.PLAN
    return Place.RUN


def lane_shown(view: VisitView) -> LaneView | None:
    """The terminal that is looked at as its rail is drawn: the station whose question waits needs the person, for
    nothing runs there meanwhile; one that stopped stays so.
    """
    lane = view.lane
    if lane is None or view.question is None or not view.visit:
        return lane
    kind = station_asking(view.question, lane)
    if kind is None or lane.station(kind).mark is Mark.STOPPED:
        return lane
    stations = tuple(replace(s, mark=Mark.NEEDS) if s.kind is kind else s for s in lane.stations)
    return replace(lane, stations=stations)


def station_asking(question: Question, lane: LaneView) -> StepKind | None:
    """The station that a question belongs to: gates are asked about again in later ones, so what runs comes first."""
    name, _dot, rest = question.id.partition(".")
    own = next((kind for kind in ORDER if kind.value == (rest if name == "problem" else name)), None)
    if own is not None and (name == "problem" or own is StepKind.SIGN_OFF):
        return own
    return lane.at_work.kind if lane.at_work is not None else own


def label_of(kind: StepKind) -> str:
    """The station's name."""
    return translate(STATIONS[ORDER[kind]][1]) if kind in ORDER else kind.value
