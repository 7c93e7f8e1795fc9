"""A visit as its record tells it: what the screens and the report are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from techtool.domain.config_file import RestoredConfig
from techtool.domain.evidence import EvidenceFile, Incident
from techtool.domain.known_issues import IssueRecord
from techtool.domain.outcome import Outcome
from techtool.domain.pace import Pace
from techtool.domain.plan import PlanRecord, StepKind
from techtool.domain.release import TrustFacts
from techtool.domain.required_tests import ChosenTest
from techtool.domain.restore import RestoredPackage, RestoreWish
from techtool.domain.risk import RiskRecord
from techtool.domain.salvage import SalvageRecord
from techtool.domain.settlement import Settlement
from techtool.domain.sign_off import SignOff
from techtool.domain.terminal import InstalledPackage, TerminalState
from techtool.domain.work_order import Arrival, Binding, VisitType, WorkOrder
from techtool.i18n import Phrase


class VisitKind(StrEnum):
    """What a visit is for."""

    UPDATE = "update"
    BACKUP = "backup"
    """Terminals are read and backed up, nothing on them is changed, no stick is needed."""
    RESTORE = "restore"
    """Packages are put back from a backup, no stick is needed."""
    INSPECTION = "inspection"
    """Terminals are read, looked at and tested, nothing on them is changed, no stick is needed."""


class StepState(StrEnum):
    """An intent is on disk before its command; ``STARTED`` without an end means inconsistent until read again."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


class CatmAction(StrEnum):
    """ISO 20022 TerminalManagementAction5, for records."""

    DOWNLOAD = "DWNL"
    INSTALL = "INST"
    RESTART = "RSTR"
    UPLOAD = "UPLD"
    UPDATE = "UPDT"
    DELETE = "DELT"


class CatmResult(StrEnum):
    """ISO 20022 TerminalManagementActionResult5, for records."""

    SUCCESS = "SUCC"
    WARNING = "WARN"
    ACCESS_DENIED = "ACCD"
    CONNECTION = "CNTE"
    FORMAT = "FMTE"
    INVALID = "INVC"
    OVERFLOW = "OVER"
    MISSING = "MISS"
    NOT_SUPPORTED = "NSUP"
    SIGNATURE = "SIGE"
    TIMEOUT = "TIMO"


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """An error as it was recorded."""

    code: str
    what: Phrase
    state_now: Phrase
    next_actions: tuple[Phrase, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of one terminal, as journalled."""

    seq: int
    step: StepKind
    item: str
    """What within the step: a package id, a test id; may be empty."""
    state: StepState
    started_at: datetime
    ended_at: datetime | None = None
    result: Phrase | None = None
    error: ErrorRecord | None = None
    action: CatmAction | None = None
    action_result: CatmResult | None = None
    bytes_confirmed: int = 0
    bytes_resumed: int = 0
    """Of these: brought by an earlier attempt."""
    sent_at: datetime | None = None
    """When the last byte was confirmed: what came after it is the terminal's own work."""


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """What was asked and what a person said."""

    question_id: str
    text: Phrase
    answer: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One functional test or inspection item and its result."""

    id: str
    title: Phrase
    result: str
    """``pass``, ``fail``, ``not-applicable``, ``not-done``."""
    reason: str
    at: datetime
    value: str = ""
    """What was measured or read, e.g. “12 s off”, “response code 00”."""
    mode: str = ""
    """Who did it: ``A`` the terminal's driver, ``S`` started by it and seen by a person, ``H`` a person; empty: old."""
    host: bool = False
    """It needed the terminal's own connection to the acquirer."""
    required: bool = False
    """This visit cannot be complete without it."""
    evidence: tuple[str, ...] = ()
    """SHA-256 of its files."""
    because: Phrase | None = None
    """Why it was on the list; None: an older record, or nobody asked."""
    said: Phrase | None = None
    """The reason in words for any language, where techtool gives it itself; ``reason`` has it as it was said then."""
    compared: tuple[str, ...] = ()
    """Pictures that the person was given to compare with: beginning of each one's SHA-256, and its source."""


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """A configuration snapshot that was made and verified."""

    id: str
    file: str
    sha256: str
    size_bytes: int
    items: int
    not_read: tuple[str, ...]
    recipients: tuple[str, ...]
    verified: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """One installed payload, read again from the terminal."""

    release_key: str
    package: InstalledPackage
    sha256_expected: str
    sha256_found: str
    """Empty where the terminal does not let it be read."""


@dataclass(frozen=True, slots=True)
class LaneRecord:
    """One terminal of a visit."""

    lane: str
    """Short stable id within the visit: ``1``, ``2`` …"""
    address: str
    serial: str
    """Empty until identified."""
    before: TerminalState | None = None
    after: TerminalState | None = None
    plan: PlanRecord | None = None
    """As it was put to the person."""
    trust: TrustFacts | None = None
    steps: tuple[StepRecord, ...] = ()
    answers: tuple[AnswerRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    backup: BackupRecord | None = None
    installed: tuple[InstalledFile, ...] = ()
    restored: tuple[RestoredPackage, ...] = ()
    """What was put back from a backup, or removed, and read again."""
    restored_configs: tuple[RestoredConfig, ...] = ()
    """Configuration files that were written back and read again."""
    undo_at: datetime | None = None
    """When putting back what ran before was begun: a resumed lane goes on with that."""
    confirmed_at: datetime | None = None
    confirmed_digest: str = ""
    """Of the plan that was confirmed; another plan needs a new word."""
    outcome: Outcome | None = None
    """None while the lane is unfinished."""
    error: ErrorRecord | None = None
    exit_code: int = 0
    binding: Binding | None = None
    """Label, software and order compared."""
    issues: tuple[IssueRecord, ...] = ()
    """What its releases claim to mend, looked at before and after."""
    risk: RiskRecord | None = None
    incidents: tuple[Incident, ...] = ()
    evidence: tuple[EvidenceFile, ...] = ()
    tests: tuple[ChosenTest, ...] = ()
    """The list of tests this terminal calls for, from when it was drawn up; empty: older, or it never came to that."""
    baseline: Mapping[str, str] = field(default_factory=dict)
    """What probes read before the work, to be compared with after it: test id → value."""
    settlement: Settlement | None = None
    """What the slip said where a person settled the batch; None: the terminal told it, or nobody was asked."""
    announced: bool = False
    """Its address was picked from what announces itself in the network, and named by nobody."""
    gap: bool = False
    """Entries of it may be missing from a salvaged record: what was done to the terminal is not known from here."""

    @property
    def unfinished_step(self) -> StepRecord | None:
        """A step whose intent was journalled and whose end was not."""
        return next((s for s in reversed(self.steps) if s.state is StepState.STARTED), None)


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One visit: the unit of work, of export and of sync."""

    id: str
    started_at: datetime
    finished_at: datetime | None
    technician: str
    tool_version: str
    language: str
    stick: str
    """Where the bundle was read from, as given; empty: none was used."""
    merchant: str
    work_order: str
    lanes: tuple[LaneRecord, ...]
    sealed: bool = False
    head: str = ""
    """Hex SHA-256 chain head of the journal this record was read from."""
    outcome: Outcome | None = None
    exit_code: int = 0
    abandoned: bool = False
    clock_note: Mapping[str, str] = field(default_factory=dict)
    """Laptop clock and reference time when they differ."""
    answers: tuple[AnswerRecord, ...] = ()
    """To questions about the visit as a whole (the sign-off), not about one terminal."""
    kind: VisitKind = VisitKind.UPDATE
    restore: RestoreWish | None = None
    """What a restore was begun with."""
    salvaged: tuple[SalvageRecord, ...] = ()
    """What was saved and what was lost when the record's file was damaged, oldest first."""

    type: VisitType = VisitType.UPDATE
    """What the trade calls it, from the order or typed."""
    order: WorkOrder | None = None
    """As it was read, with nothing in it that looks like a card number."""
    staff_no: str = ""
    """Of the technician."""
    arrival: Arrival | None = None
    evidence: tuple[EvidenceFile, ...] = ()
    """About the visit and not one terminal."""
    sign_off: SignOff | None = None
    pace: Pace = field(default_factory=Pace)
    """In what order its terminals are worked on; a resumed visit keeps to it."""

    @property
    def remains(self) -> bool:
        """What is left of a visit that was closed before: unsealed for ever, and nothing is done to it any more."""
        return not self.sealed and any(salvage.closed for salvage in self.salvaged)

    @property
    def last_at(self) -> datetime:
        """The newest time that stands in the record."""
        times = [self.started_at, *(answer.at for answer in self.answers)]
        for lane in self.lanes:
            times += [step.ended_at or step.started_at for step in lane.steps]
            times += [answer.at for answer in lane.answers]
        return max(times)
