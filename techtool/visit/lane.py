"""One terminal of a visit while it is worked on: its link, what is known, and how a step is journalled and told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import techtool
from techtool.bundles.trust import Stick
from techtool.domain.estimate import Timings
from techtool.domain.pace import WAITS_TURN, Pace
from techtool.domain.plan import Plan, StepKind
from techtool.domain.question import Question
from techtool.domain.redacting import Cleaner
from techtool.domain.rules import Environment
from techtool.domain.terminal import Address, TerminalState
from techtool.domain.verdicts import size_text
from techtool.domain.visit import CatmAction, CatmResult, LaneRecord, VisitRecord
from techtool.errors import InternalError, LinkLost, LinkTimeout, TechtoolError, Unreachable, WrongProtocol
from techtool.events import Answered, Asked, Event, Notice, Progress, StepDone, StepFailed, StepStarted, StillWaiting
from techtool.i18n import Phrase, phrase
from techtool.links.base import Confirmed, Link
from techtool.links.permission import Permission
from techtool.terminals.base import Terminal
from techtool.visit.awake import Awake, not_kept
from techtool.visit.clock_watch import ClockWatch
from techtool.visit.log import OpenStep, VisitLog, record_of
from techtool.visit.operator import Operator
from techtool.visit.outlet import Outlet
from techtool.visit.restore_source import Restoring
from techtool.visit.services import Services

if TYPE_CHECKING:
    from techtool.links.redfish.logins import Login

PROGRESS_EVERY_S = 0.1
WAIT_TOLD_EVERY_S = 10.0
_BOUNDS_S = {CatmAction.INSTALL: 600, CatmAction.RESTART: 300}
"""The longest wait within a step, by what it does; see the links' and the driver's own limits."""
_BOUND_S = 120
"""Nothing else waits longer; a person who reads the terminal's question has so long too."""
CHANGES = (CatmAction.INSTALL, CatmAction.UPDATE, CatmAction.RESTART, CatmAction.DELETE)
"""Actions after which a terminal is another one until it was read again."""
_UNHEARD = (LinkLost, LinkTimeout, Unreachable, WrongProtocol)
"""Errors that leave it open whether the terminal did what it was told."""


@dataclass(slots=True)
class StepScope:
    """A step under way: set ``result`` before it ends."""

    lane: Lane
    open: OpenStep
    result: Phrase | None = None
    catm: CatmResult | None = None
    bytes_confirmed: int = 0
    bytes_resumed: int = 0
    """Of these: brought by an earlier attempt."""
    sent_at: datetime | None = None
    """When the last byte was confirmed."""
    heard_s: float = 0.0
    """When the terminal or the person was heard of last (monotonic)."""

    async def tell_waiting(self, bound_s: int) -> None:
        """Until cancelled: say now and then that a terminal is waited for, and for how long at most."""
        lane, clock = self.lane, self.lane.services.clock
        told_s = self.heard_s = clock.monotonic_s()
        while True:
            await asyncio.sleep(WAIT_TOLD_EVERY_S)
            now_s = clock.monotonic_s()
            if lane.asking:
                self.heard_s = now_s
            if now_s - max(told_s, self.heard_s) >= WAIT_TOLD_EVERY_S / 2:
                told_s, step = now_s, self.open
                waited_s = round(now_s - self.heard_s)
                lane.emit(StillWaiting(step.lane, step.step, clock.now(), step.item, waited_s, bound_s))

    def permission(self, permission: Permission) -> None:
        """The terminal asks whether this laptop may come in: told and recorded once; that it lasts is told anyway."""
        if not permission.waited_s:
            self.heard_s = self.lane.services.clock.monotonic_s()
            self.lane.notice(permission.text, step=self.open.step, warning=True)

    def alive(self) -> None:
        """The terminal was heard of, although no byte was sent."""
        self.heard_s = self.lane.services.clock.monotonic_s()

    def resumed(self, count: int) -> None:
        """So many bytes were there already: told and recorded before the first one is sent."""
        self.bytes_resumed = count
        size = size_text(count)
        text = phrase("{size} of it are on the terminal already and proven; only the rest is sent.", size=size)
        self.lane.notice(text, step=self.open.step)

    def progress(self, total_bytes: int) -> Confirmed:
        """A sink for confirmed bytes: tells the world ten times a second and at the end."""
        clock = self.lane.services.clock
        last_s = float("-inf")

        def confirmed(count: int) -> None:
            nonlocal last_s
            self.bytes_confirmed = count
            if count >= total_bytes:
                self.sent_at = clock.now()
            now_s = self.heard_s = clock.monotonic_s()
            if count < total_bytes and now_s - last_s < PROGRESS_EVERY_S:
                return
            last_s = now_s
            step, resumed = self.open, self.bytes_resumed
            self.lane.emit(Progress(step.lane, step.step, clock.now(), step.item, count, total_bytes, resumed))

        return confirmed


@dataclass(slots=True)
class Shared:
    """What the lanes of one run share so that they do not get in each other's way."""

    pace: Pace = field(default_factory=Pace)
    awake: Awake = field(default_factory=lambda: Awake(not_kept, lambda: None))
    _writing: asyncio.Semaphore = field(init=False)
    _payloads: dict[str, asyncio.Lock] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict, repr=False)
    """Address → what was typed for it in this run; never recorded."""

    def __post_init__(self) -> None:
        self._writing = asyncio.Semaphore(self.pace.writers)

    @contextlib.asynccontextmanager
    async def writing(self, wait: Callable[[int], None]) -> AsyncIterator[None]:
        """Held while a terminal is written; ``wait`` is told how many are being written when it has to wait."""
        if self._writing.locked():
            wait(self.pace.writers)
        async with self._writing, self.awake.held():
            yield

    def payload(self, sha256: str) -> asyncio.Lock:
        """One copy from the stick at a time for each payload: the next lane finds it there."""
        return self._payloads.setdefault(sha256, asyncio.Lock())


@dataclass(slots=True)
class Lane:
    """The work on one terminal; the steps in ``visit.steps`` are functions over it."""

    id: str
    address: Address
    record: LaneRecord
    """As journalled when this run began; tells a resumed lane what is behind it."""
    services: Services
    log: VisitLog
    operator: Operator
    opened: Stick | None
    """None: a visit that only backs up."""
    outlet: Outlet
    watch: ClockWatch
    wanted: tuple[str, ...] = ()
    visit: VisitRecord | None = None
    """As it was when this run began: order, type, merchant."""
    shared: Shared = field(default_factory=Shared)
    """With the other lanes of this run."""
    link: Link | None = None
    terminal: Terminal | None = None
    state: TerminalState | None = None
    """Newest reading."""
    before: TerminalState | None = None
    """First reading of this visit, before anything was changed."""
    plan: Plan | None = None
    timings: Timings | None = None
    """What earlier visits took; None: not read yet."""
    environment: Environment = field(default_factory=lambda: Environment(techtool.__version__))
    """What the rules look at besides the terminal, with what the technician answered in this run."""
    restoring: Restoring | None = None
    """Not None: packages are put back from a backup, nothing is installed."""
    undoing: bool = False
    """What ran before is being put back."""
    failed_tests: tuple[Phrase, ...] = ()
    """Id and title of each, once all tests were done."""
    words: set[str] = field(default_factory=set)
    """Questions of this run that were answered with the word that lets data be lost."""
    link_errors_percent: float | None = None
    """Of the round trips that measured the link; None: not measured in this run."""
    asking: bool = False
    """A person is asked something at this moment."""
    typed_anew: bool = True
    """Of a terminal that is worked on by hand: nothing was done to it since its versions were typed last."""
    changing: bool = False
    """A step that changes the terminal began in this visit, and what came of it was not yet verified."""

    def emit(self, event: Event) -> None:
        """Tell the world."""
        self.outlet.emit(event)

    @property
    def stick(self) -> Stick:
        """The stick that is installed from."""
        if self.opened is None:
            raise InternalError(kind="no stick")
        return self.opened

    @property
    def driver(self) -> Terminal:
        """The identified terminal."""
        if self.terminal is None:
            raise InternalError(kind="no terminal")
        return self.terminal

    @property
    def known(self) -> TerminalState:
        """What was read of it last."""
        if self.state is None:
            raise InternalError(kind="no state")
        return self.state

    @property
    def agreed(self) -> Plan:
        """The plan being carried out."""
        if self.plan is None:
            raise InternalError(kind="no plan")
        return self.plan

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Held while the terminal is written: only so many at the same time, and the laptop stays awake."""

        def wait(count: int) -> None:
            self.notice(Phrase(WAITS_TURN, {"count": count}))

        async with self.shared.writing(wait):
            yield

    @contextlib.asynccontextmanager
    async def step(
        self, kind: StepKind, item: str = "", *, title: Phrase | None = None, action: CatmAction | None = None
    ) -> AsyncIterator[StepScope]:
        """Journal the intent, do the step, journal its end.

        A lost link in a step that changes the terminal leaves the intent open: what the terminal is like is not known
        until it was read again. Cancellation leaves it open too.
        """
        moved = self.watch.moved()
        if moved is not None:
            self.log.clock_moved(moved.note)
            self.notice(moved.text, warning=True)
        opened = self.log.begin(self.id, kind, item, action)
        self.changing = self.changing or action in CHANGES
        clock = self.services.clock
        self.emit(StepStarted(self.id, kind, clock.now(), item, title))
        scope = StepScope(self, opened)
        waiting = asyncio.create_task(scope.tell_waiting(_BOUNDS_S.get(action, _BOUND_S) if action else _BOUND_S))
        try:
            yield scope
        except TechtoolError as error:
            record = record_of(error)
            if not (action in CHANGES and isinstance(error, _UNHEARD)):
                self.log.failed(opened, record, catm=scope.catm)
            self.emit(StepFailed(self.id, kind, clock.now(), record, item))
            raise
        finally:
            waiting.cancel()
        self.log.done(
            opened,
            scope.result,
            catm=scope.catm,
            bytes_confirmed=scope.bytes_confirmed,
            bytes_resumed=scope.bytes_resumed,
            sent_at=scope.sent_at,
        )
        self.emit(StepDone(self.id, kind, clock.now(), item, scope.result))

    async def ask(self, step: StepKind, question: Question, *, recorded: bool = True) -> str:
        """Put a question to the person, record what was said; not ``recorded``: it is nobody's business later."""
        question = Cleaner().clean(question)
        clock = self.services.clock
        self.emit(Asked(self.id, step, clock.now(), question))
        await self.outlet.settle()
        self.asking = True
        try:
            answer = await self.operator.ask(question)
        finally:
            self.asking = False
        if recorded and (answer or not question.optional):
            self.log.answered(self.id, question, answer)
        self.emit(Answered(self.id, step, clock.now(), question.id))
        return answer

    def notice(self, text: Phrase, *, step: StepKind | None = None, warning: bool = False) -> None:
        """Tell the person something, and record that."""
        self.log.noted(self.id, text, warning=warning)
        self.emit(Notice(self.id, step, self.services.clock.now(), text, warning))

    async def disconnect(self) -> None:
        """Let go of the link."""
        if self.link is not None:
            await self.link.close()
        self.link = self.terminal = None
