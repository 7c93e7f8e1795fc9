"""What the engine tells the world: frozen, small, in order. Nothing below the user interface prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from techtool.domain.outcome import Outcome
from techtool.domain.plan import Plan, StepKind
from techtool.domain.question import Question
from techtool.domain.risk import Risk
from techtool.domain.visit import ErrorRecord
from techtool.i18n import Phrase, phrase


@dataclass(frozen=True, slots=True)
class VisitStarted:
    """A visit's journal is open on disk."""

    visit: str
    at: datetime
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class StepStarted:
    """The intent is on disk; the command goes out next."""

    lane: str
    step: StepKind
    at: datetime
    item: str = ""
    title: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes that the other side has confirmed, out of all."""

    lane: str
    step: StepKind
    at: datetime
    item: str
    confirmed_bytes: int
    total_bytes: int
    resumed_bytes: int = 0
    """Of the confirmed ones: brought by an earlier attempt, not sent again."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """The result is on disk."""

    lane: str
    step: StepKind
    at: datetime
    item: str = ""
    result: Phrase | None = None


@dataclass(frozen=True, slots=True)
class StepFailed:
    """The failure is on disk."""

    lane: str
    step: StepKind
    at: datetime
    error: ErrorRecord
    item: str = ""


@dataclass(frozen=True, slots=True)
class LaneIdentified:
    """The terminal at an address is known."""

    lane: str
    at: datetime
    address: str
    serial: str
    vendor_name: str
    model_name: str
    os_version: str


@dataclass(frozen=True, slots=True)
class LanePlanned:
    """The plan that will be put to the person."""

    lane: str
    at: datetime
    plan: Plan = field(repr=False)


@dataclass(frozen=True, slots=True)
class LaneRisk:
    """The plan was weighed, before the person is asked to take it on."""

    lane: str
    at: datetime
    risk: Risk = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question waits for a person."""

    lane: str
    step: StepKind
    at: datetime
    question: Question


@dataclass(frozen=True, slots=True)
class Answered:
    """It was answered."""

    lane: str
    step: StepKind
    at: datetime
    question_id: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth a line: a warning, a wait, a retry."""

    lane: str
    step: StepKind | None
    at: datetime
    text: Phrase
    warning: bool = False


@dataclass(frozen=True, slots=True)
class StillWaiting:
    """A terminal takes its time; every wait has a bound, and stopping here loses nothing."""

    lane: str
    step: StepKind
    at: datetime
    item: str
    waited_s: int
    """Since it was heard of last."""
    bound_s: int
    """The longest that one answer is waited for."""

    @property
    def text(self) -> Phrase:
        """For the person."""
        return phrase(
            "Still waiting for the terminal: {seconds} s, at most {bound} s. You may stop here; “techtool visit "
            "resume” goes on later.",
            seconds=self.waited_s,
            bound=self.bound_s,
        )


@dataclass(frozen=True, slots=True)
class LaneFinished:
    """One terminal is through."""

    lane: str
    at: datetime
    address: str
    serial: str
    outcome: Outcome
    exit_code: int
    error: ErrorRecord | None = None
    final: bool = True
    """False: its work only stopped, ``outcome`` is how far it got, and the visit stays open to be resumed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The visit is through; always the last event."""

    visit: str
    at: datetime
    outcome: Outcome
    exit_code: int
    sealed: bool
    reports: str = ""
    """Folder of the reports; empty while the visit is open."""


Event = (
    VisitStarted
    | StepStarted
    | Progress
    | StepDone
    | StepFailed
    | LaneIdentified
    | LanePlanned
    | LaneRisk
    | Asked
    | Answered
    | Notice
    | StillWaiting
    | LaneFinished
    | Finished
)
