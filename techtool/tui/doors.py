"""The doors from the screens into the house: everything slow or heavy is behind one, so that tests put in theirs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from techtool.clock import Clock, SystemClock
from techtool.paths import Paths
from techtool.tui.back_doors import BackDoors, HouseBackDoors
from techtool.tui.office_doors import HouseOfficeDoors, OfficeDoors
from techtool.tui.views.home import Elsewhere, HomeFacts

if TYPE_CHECKING:
    from techtool.bundles.refresh import Known
    from techtool.bundles.trust import Stick
    from techtool.domain.nearby import Nearby
    from techtool.domain.visit import VisitRecord
    from techtool.store.index import VisitSummary
    from techtool.tui.bridge import EngineLike
    from techtool.visit.operator import Operator


class Doors(BackDoors, OfficeDoors, Protocol):
    """What the screens use of the rooms below."""

    @property
    def paths(self) -> Paths:
        """The home folder."""
        ...

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    def engine(self, operator: Operator) -> EngineLike:
        """What runs visits."""
        ...

    def home_facts(self) -> HomeFacts:
        """What home shows; reads the disk, so it is called in a thread."""
        ...

    def sticks(self) -> tuple[str, ...]:
        """Mount points of removable drives that hold a bundle; in a thread."""
        ...

    def open_stick(self, path: Path) -> Stick:
        """Verify a stick; in a thread."""
        ...

    def learn(self, path: Path) -> Known:
        """Verify and keep the office's newest metadata from a refresh file; in a thread."""
        ...

    async def nearby(self) -> Sequence[Nearby]:
        """Terminals that can be seen."""
        ...

    def cables(self) -> AsyncGenerator[Sequence[Nearby], None]:
        """Those on cables, told again whenever one goes in or out."""
        ...

    def pair(self, place: str, code: str, connect_to: str) -> str:
        """Pair with a terminal over the network, and connect where that is wanted: its address; in a thread."""
        ...

    def visits(self) -> Sequence[VisitSummary]:
        """Every visit, newest last; in a thread."""
        ...

    def record(self, visit: str) -> VisitRecord:
        """One visit; in a thread."""
        ...

    def reports(self, visit: str) -> tuple[Path, ...]:
        """Report files of a visit."""
        ...

    def write_reports(self, visit: str) -> tuple[Path, ...]:
        """Write the reports again from the record; in a thread."""
        ...

    def abandon(self, visit: str, passphrase: str) -> VisitRecord:
        """Close a visit as stopped; in a thread."""
        ...


class HouseDoors(HouseBackDoors, HouseOfficeDoors):
    """The real ones; modules are loaded when a door is first opened."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.clock: Clock = SystemClock()

    def engine(self, operator: Operator) -> EngineLike:
        """The engine over this home folder, with the settings of now."""
        from techtool.visit.engine import Engine

        return Engine(self._services(), operator)

    def home_facts(self) -> HomeFacts:
        """Unfinished visits and the technician's name."""
        from techtool.visit.visits import list_visits, record_in

        services = self._services()
        summaries = list_visits(services)
        unfinished = tuple(record_in(services.home, s.id, masked=True) for s in summaries if s.state.value == "open")
        damaged = sum(s.state.value == "damaged" for s in summaries)
        at_work = services.home.at_work()
        elsewhere = Elsewhere(at_work.pid, at_work.visit) if at_work is not None else None
        return HomeFacts(services.settings.technician, unfinished, damaged, None, len(summaries), elsewhere=elsewhere)

    def sticks(self) -> tuple[str, ...]:
        """What psutil sees."""
        from techtool.bundles.find import find_sticks

        return tuple(str(stick.mount) for stick in find_sticks())

    def open_stick(self, path: Path) -> Stick:
        """The full verification."""
        from techtool.bundles.trust import open_stick

        return open_stick(path, self.paths, self.clock)

    def learn(self, path: Path) -> Known:
        """The full verification of a refresh file."""
        from techtool.bundles.refresh import learn

        return learn(path, self.paths, self.clock)

    async def nearby(self) -> Sequence[Nearby]:
        """What is plugged in, announces itself or stands in the settings."""
        from techtool.visit.nearby import nearby

        return await nearby(self._services())

    async def cables(self) -> AsyncGenerator[Sequence[Nearby], None]:
        """What an adb server tells."""
        from techtool.visit.nearby import cables

        async with aclosing(cables(self._services())) as changes:
            async for found in changes:
                yield found

    def pair(self, place: str, code: str, connect_to: str) -> str:
        """Through Google's adb."""
        import asyncio

        from techtool.visit.nearby import connect, pair, place_of

        services = self._services()
        if connect_to:
            place_of(connect_to)  # a slip of the hand here must not use up the code
        asyncio.run(pair(services, place, code))
        return asyncio.run(connect(services, connect_to)) if connect_to else ""

    def visits(self) -> Sequence[VisitSummary]:
        """From the index and the journals."""
        from techtool.visit.visits import list_visits

        return list_visits(self._services())

    def record(self, visit: str) -> VisitRecord:
        """From its journal."""
        from techtool.visit.visits import open_record

        return open_record(self._services(), visit)

    def reports(self, visit: str) -> tuple[Path, ...]:
        """What lies in the visit's report folder."""
        folder = self.paths.reports / visit
        return tuple(sorted(path for path in folder.glob("*") if path.is_file()))

    def write_reports(self, visit: str) -> tuple[Path, ...]:
        """Every format, both languages; a signature that still fits stays."""
        from techtool.visit.closing import write_visit_reports
        from techtool.visit.visits import open_record

        services = self._services()
        return tuple(write_visit_reports(services, open_record(services, visit), None))

    def abandon(self, visit: str, passphrase: str) -> VisitRecord:
        """Truthful outcomes, a seal, a report; unsigned without the passphrase."""
        from techtool.visit.abandon import abandon

        return abandon(self._services(), visit, passphrase or None)
