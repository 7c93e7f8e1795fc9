"""The doors to the office: what has not gone home, the two ways there, and enrolment. Loaded when one is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from techtool.clock import Clock
from techtool.paths import Paths

if TYPE_CHECKING:
    from techtool.catalogue.facts import OfficeFacts
    from techtool.i18n import Phrase
    from techtool.office.enrolment import SignedEnrolment
    from techtool.office.sync import Step, Synced
    from techtool.reports.enrolled import Enrolled
    from techtool.reports.maker_facts import FactRow


@dataclass(frozen=True, slots=True)
class OfficeState:
    """How things stand between this laptop and the office."""

    url: str = ""
    """Of its database; empty: not known here."""
    waiting: int = 0
    """Closed visits that have not gone home: to the database, or where none is known onto a stick."""
    sealed: int = 0
    partly: int = 0
    """Visits that went without all of their photos, which only a stick carries."""
    last: datetime | None = None
    """When everything had gone to the database."""
    stick: datetime | None = None
    """When everything was handed over on a stick."""
    enrolled: Enrolled | None = None
    key_line: str = ""
    """This laptop's report key as the office lists it."""


@dataclass(frozen=True, slots=True)
class FactsState:
    """What is known of makers."""

    facts: OfficeFacts
    rows: tuple[FactRow, ...]
    """Every fact, the office's first."""
    office: str = ""
    """Whose facts count here; empty: this laptop is not enrolled."""


@dataclass(frozen=True, slots=True)
class EnrolmentOffer:
    """A file that was read and judged; nothing of it is taken over yet."""

    signed: SignedEnrolment
    first: bool
    """A person has to compare its fingerprint."""
    known: bool
    changes: tuple[Phrase, ...]


class OfficeDoors(Protocol):
    """What the office's screen uses of the rooms below."""

    def office(self) -> OfficeState:
        """How things stand; in a thread."""
        ...

    async def send_home(self, tell: Callable[[Step], None]) -> Synced:
        """Send what waits and learn what is new; may be cancelled at any moment and begun again."""
        ...

    def copy_home(self, folder: Path, tell: Callable[[Step], None]) -> Synced:
        """The same onto a stick; in a thread."""
        ...

    def keep_login(self, user: str, password: str) -> None:
        """Name and password for the office's server; in a thread."""
        ...

    def enrolment(self, file: Path) -> EnrolmentOffer:
        """Read and judge an enrolment file; in a thread."""
        ...

    def enrol(self, offer: EnrolmentOffer) -> None:
        """Take it over, whole or not at all; in a thread."""
        ...

    def facts(self) -> FactsState:
        """What is known of makers; in a thread."""
        ...

    def add_facts(self, place: Path) -> int:
        """Take over the office's signed facts from a file, folder or stick; returns how many files; in a thread."""
        ...


class HouseOfficeDoors:
    """The real ones."""

    paths: Paths
    clock: Clock

    def office(self) -> OfficeState:
        """From the settings, the index and what is remembered of both ways."""
        from techtool.office.connection import office_address
        from techtool.office.key_line import key_line
        from techtool.office.marks import STICK, Marks
        from techtool.office.sync import waiting
        from techtool.reports.enrolled import read_enrolled
        from techtool.settings import read_settings
        from techtool.store.home import Home

        home = Home(self.paths)
        url = office_address(self.paths).url if read_settings(self.paths.settings).office.url else ""
        found, marks = waiting(home, url or STICK), Marks(home)
        return OfficeState(
            url=url,
            waiting=len(found.waiting),
            sealed=found.sealed,
            partly=len(found.partly),
            last=marks.known(url).last if url else None,
            stick=marks.known(STICK).last,
            enrolled=read_enrolled(self.paths),
            key_line=key_line(self.paths),
        )

    async def send_home(self, tell: Callable[[Step], None]) -> Synced:
        """As ``techtool sync`` does it."""
        from techtool.office.connection import connect, office_address
        from techtool.office.refreshing import refresh_from
        from techtool.office.sync import send_home
        from techtool.store.home import Home

        async with connect(self.paths, office_address(self.paths)) as http:
            result = await send_home(http, Home(self.paths), self.clock, tell)
            return replace(result, refreshed=await refresh_from(http, self.paths, self.clock))

    def copy_home(self, folder: Path, tell: Callable[[Step], None]) -> Synced:
        """As ``techtool sync --to FOLDER`` does it."""
        from techtool.office.outbox import write_outbox
        from techtool.office.refreshing import refresh_beside
        from techtool.store.home import Home

        result = write_outbox(folder, Home(self.paths), self.office().url, self.clock, tell)
        return replace(result, refreshed=refresh_beside(folder, self.paths, self.clock))

    def keep_login(self, user: str, password: str) -> None:
        """As ``techtool office login`` does it."""
        from techtool.office.connection import office_address
        from techtool.office.login import keep_login, parse_login

        login = parse_login(f"{user}:{password}", "")
        keep_login(self.paths, office_address(self.paths), login)

    def enrolment(self, file: Path) -> EnrolmentOffer:
        """Against the pinned key, if there is one."""
        from techtool.office.enrolling import changes, judge
        from techtool.office.enrolment import read_enrolment

        signed = read_enrolment(file)
        judged = judge(signed, self.paths)
        return EnrolmentOffer(signed, judged.first, judged.known, changes(signed, self.paths))

    def enrol(self, offer: EnrolmentOffer) -> None:
        """Takes the home's lock for that moment."""
        from techtool.office.enrolling import accept
        from techtool.store.home import Home

        accept(offer.signed, Home(self.paths), self.clock)

    def facts(self) -> FactsState:
        """Judged anew each time it is looked at."""
        from techtool.catalogue.reader import load_catalogue
        from techtool.reports.enrolled import read_enrolled
        from techtool.reports.maker_facts import rows_of
        from techtool.visit.known_facts import known_facts

        facts, enrolled = known_facts(self.paths), read_enrolled(self.paths)
        rows = tuple(rows_of(facts, load_catalogue().approvals))
        return FactsState(facts, rows, enrolled.office if enrolled is not None else "")

    def add_facts(self, place: Path) -> int:
        """As ``techtool facts --add`` does it."""
        from techtool.visit.facts import add_facts

        return len(add_facts(self.paths, place))
