"""The way home: every sealed visit of this laptop into the office's database, the newest metadata back.

May be stopped at any instant, and begun again as often as one likes: what is sent twice is there once, and a visit is
marked as home only after the office has said that nothing of it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from techtool.clock import Clock
from techtool.domain.visit_state import VisitState
from techtool.errors import (
    DiskError,
    OfficeCertificate,
    OfficeDenied,
    OfficeError,
    OfficeRefused,
    StoreDamaged,
    StoreTooNew,
    TechtoolError,
)
from techtool.i18n import Phrase
from techtool.office.bring import Brought, bring
from techtool.office.couch import Database
from techtool.office.http import OfficeHttp
from techtool.office.laptop import ensure_laptop_id
from techtool.office.marks import STICK, Marks
from techtool.office.sealed import Sealed, read_sealed
from techtool.store.home import Home
from techtool.store.index import Index
from techtool.store.journal import read_bytes

_GONE: Final = 2
_SEALED: Final = (VisitState.SEALED, VisitState.ABANDONED)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A visit that did not go, by name and with its reason; the others went on."""

    visit: str
    error: TechtoolError


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is."""

    visit: str
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of the office's newest metadata."""

    found: bool = False
    """Whether the office has put any there."""
    news: bool = False
    """Whether this laptop learned something."""
    error: TechtoolError | None = None
    notes: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Synced:
    """What one run did."""

    to: str
    brought: tuple[Brought, ...]
    troubles: tuple[Trouble, ...]
    refreshed: Refreshed = field(default_factory=Refreshed)

    @property
    def conflicts(self) -> tuple[Brought, ...]:
        """The visits of which the office holds something else too; they are not marked as home."""
        return tuple(one for one in self.brought if one.conflicts)

    @property
    def home(self) -> tuple[Brought, ...]:
        """The visits that are home now and were not known to be."""
        return tuple(one for one in self.brought if not one.conflicts)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not gone home, told from the index alone."""

    waiting: tuple[str, ...]
    sealed: int
    """All visits that are closed for good."""
    partly: tuple[str, ...] = ()
    """Visits that went, but not all of their photos and slips, and that were not handed over on a stick either."""


def waiting(home: Home, way: str) -> Waiting:
    """Closed visits that are not known to have gone that way; quick, for lists and screens."""
    marks = Marks(home)
    known, handed = marks.known(way), marks.known(STICK).heads
    closed = [summary for summary in Index(home).visits() if summary.state in _SEALED]
    missing = tuple(s.id for s in closed if known.heads.get(s.id) != s.head)
    partly = (s.id for s in closed if s.id in known.partly and handed.get(s.id) != s.head)
    return Waiting(missing, len(closed), tuple(visit for visit in partly if visit not in missing))


def candidates(home: Home, marked: Mapping[str, str]) -> list[str]:
    """The visits that may have to go, oldest first: all but those that the index knows as they went."""
    try:
        heads = {summary.id: summary.head for summary in Index(home).visits()}
    except (StoreDamaged, StoreTooNew):
        heads = {}
    return [
        visit for visit in home.visit_ids() if visit not in marked or heads.get(visit, marked[visit]) != marked[visit]
    ]


def sealed_visit(home: Home, visit: str) -> Sealed | Trouble | None:
    """One of them, or why it cannot go; None: it is open yet, or was saved from damage and is no proof any more."""
    path = home.visit_path(visit)
    try:
        return read_sealed(path, read_bytes(path), visit)
    except (StoreDamaged, StoreTooNew, DiskError) as error:
        return Trouble(visit, error)


async def send_home(http: OfficeHttp, home: Home, clock: Clock, tell: Callable[[Step], None]) -> Synced:
    """Send what has not gone yet; ``http`` is entered already.

    One that the line or the server will not carry does not keep the next from going; after two in a row the office
    counts as gone. Raises :class:`OfficeError` when any was left for that reason, unless there is a conflict
    to be told of: what went is marked.
    """
    database, marks, way = Database(http), Marks(home), http.address.url
    await database.check()
    laptop = ensure_laptop_id(home)
    visits = candidates(home, marks.known(way).heads)
    brought: list[Brought] = []
    troubles: list[Trouble] = []
    left: OfficeError | None = None
    in_a_row = 0
    for number, visit in enumerate(visits, 1):
        tell(Step(visit, number, len(visits)))
        sealed = sealed_visit(home, visit)
        if isinstance(sealed, Trouble):
            troubles.append(sealed)
        elif sealed is not None:
            try:
                one = await bring(database, laptop, sealed, home.paths.evidence(visit))
            except (OfficeRefused, DiskError) as error:
                troubles.append(Trouble(visit, error))
                continue
            except (OfficeCertificate, OfficeDenied):
                raise
            except OfficeError as error:
                left, in_a_row = error, in_a_row + 1
                if in_a_row == _GONE:
                    raise
                troubles.append(Trouble(visit, error))
                continue
            in_a_row = 0
            brought.append(one)
            if not one.conflicts:
                marks.home(way, {visit: one.head}, clock.now(), partly=bool(one.notes))
    result = Synced(way, tuple(brought), tuple(troubles))
    if left is not None and not result.conflicts:
        raise left
    if not (result.conflicts or troubles):
        marks.done(way, clock.now())
    return result
