"""The doors to what lies behind the visits: backups, history, orders, exports, settings. All but one are slow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from techtool.clock import Clock
from techtool.paths import Paths
from techtool.settings import Settings, read_settings, write_settings

if TYPE_CHECKING:
    from techtool.bundles.roots import RootFacts
    from techtool.domain.calibration import Calibration
    from techtool.domain.due import Due
    from techtool.domain.history import TerminalEntry
    from techtool.domain.release import Release
    from techtool.domain.restore import RestoreWish, Swap
    from techtool.reports.support import Opened
    from techtool.visit.backup_log import LogEntry
    from techtool.visit.checkup import Health
    from techtool.visit.kept_backups import KeptBackup, Verified
    from techtool.visit.orders import FoundOrders
    from techtool.visit.retention import Pruned
    from techtool.visit.services import Services
    from techtool.visit.support import Made
    from techtool.visit.verify import Verification


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything that is known of terminals, oldest first, and the visits that cannot be read."""

    entries: tuple[TerminalEntry, ...]
    damaged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrustState:
    """Whom this laptop believes, for whom it encrypts, and since when its clock is believed."""

    roots: tuple[RootFacts, ...]
    recipients: tuple[str, ...]
    floor: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written of a visit, and where."""

    visit: str
    folder: Path
    formats: tuple[str, ...]
    languages: tuple[str, ...]
    passphrase: str = ""
    """Of the report key; empty: nothing is signed."""


class BackDoors(Protocol):
    """What the screens beside a visit use of the rooms below; every call reads or writes the disk: in a thread."""

    def backups(self) -> Sequence[KeptBackup]:
        """Every backup, oldest first."""
        ...

    def verify_backup(self, visit: str, why: str) -> Sequence[Verified]:
        """Read back every backup of a visit; each opening is logged."""
        ...

    def backup_log(self) -> Sequence[LogEntry]:
        """Who opened or deleted what, oldest first."""
        ...

    def prune(self, word: str, *, dry_run: bool, clock_is_right: bool) -> tuple[Pruned, int]:
        """What goes because its time is up, on the office's ``word`` the files too; and after how many days."""
        ...

    def restore_wish(self, backup: str, swap: Swap | None, identity: Path | None) -> RestoreWish:
        """What a restore is begun with; raises ``RestoreRefused`` where it could never work."""
        ...

    def history(self) -> Remembered:
        """What was found and done."""
        ...

    def due(self, stick: Path | None) -> Sequence[Due]:
        """Which terminals are due; with a stick also what waits on it."""
        ...

    def orders(self, place: Path) -> FoundOrders:
        """Work orders in a file, a folder or on a stick."""
        ...

    def drives(self) -> Sequence[Path]:
        """Mount points of removable drives, with a bundle or without."""
        ...

    def export(self, wanted: Wanted) -> Sequence[Path]:
        """Write reports of a visit somewhere else."""
        ...

    def support(self, visit: str, folder: Path) -> Made:
        """Write the support file of a visit."""
        ...

    def check_support(self, file: Path, code: str) -> Opened:
        """Open a support file and compare everything in it; with a case code also whether it is that file's."""
        ...

    def prove(self, visit: str) -> Verification:
        """Whether a record is, to the last byte, what was sealed, and by whom."""
        ...

    def attach(self, visit: str, files: Sequence[Path], note: str) -> int:
        """Take photos or slips into an open visit; returns how many."""
        ...

    def settings(self) -> Settings:
        """What was chosen; quick."""
        ...

    def save_settings(self, settings: Settings) -> None:
        """Keep what was chosen."""
        ...

    def trust(self) -> TrustState:
        """Roots, recipients, clock."""
        ...

    def set_clock_back(self) -> datetime:
        """Believe the clock from now on; returns the time before which it still is not believed."""
        ...

    def health(self) -> Health:
        """Read everything on this laptop to its last byte."""
        ...

    def rebuild(self) -> int:
        """Make the index again from the visits; returns how many damaged files were set aside."""
        ...

    def salvage(self, visit: str) -> Path:
        """Save what can be read of a damaged visit; returns where the damaged file is now."""
        ...

    def calibration(self) -> Sequence[Calibration]:
        """How good the foretold times were."""
        ...


class HouseBackDoors:
    """The real ones; modules are loaded when a door is first opened."""

    paths: Paths
    clock: Clock

    def _services(self) -> Services:
        from techtool.visit.services import Services

        return Services.real(self.paths)

    def backups(self) -> Sequence[KeptBackup]:
        """From the visits' journals, the files that are here, and the log."""
        from techtool.visit.kept_backups import backup_log, kept_backups, log_entries

        services = self._services()
        return kept_backups(services, log_entries(backup_log(services)))

    def verify_backup(self, visit: str, why: str) -> Sequence[Verified]:
        """A loop of its own, because this runs in a thread."""
        from techtool.visit.kept_backups import verify_visit

        return asyncio.run(verify_visit(self._services(), visit, why))

    def backup_log(self) -> Sequence[LogEntry]:
        """Needs no lock."""
        from techtool.visit.kept_backups import backup_log

        return backup_log(self._services()).entries()

    def prune(self, word: str, *, dry_run: bool, clock_is_right: bool) -> tuple[Pruned, int]:
        """After as many days as the settings say; under the home's lock when it is done."""
        from techtool.visit.kept_backups import keep_days
        from techtool.visit.retention import prune

        services = self._services()
        pruned = prune(services, word=word, dry_run=dry_run, clock_is_right=clock_is_right)
        return pruned, keep_days(services).days

    def restore_wish(self, backup: str, swap: Swap | None, identity: Path | None) -> RestoreWish:
        """The wish, after a look whether it can be fulfilled at all."""
        from techtool.visit.restore_source import refuse_hopeless, wish_for

        services = self._services()
        wish = wish_for(services, backup, swap)
        refuse_hopeless(services, wish, identity)
        return wish

    def history(self) -> Remembered:
        """Needs no lock, no sound settings and no sound index."""
        from techtool.visit.rescue import House
        from techtool.visit.visits import history_of

        house = House.at(self.paths, self.clock)
        entries, damaged = history_of(house.home, house.index)
        return Remembered(tuple(entries), tuple(damaged))

    def due(self, stick: Path | None) -> Sequence[Due]:
        """By cycle, stick, weaknesses and inspection."""
        from techtool.domain.due import Wishes, due_list
        from techtool.visit.visits import history_of

        services = self._services()
        releases: tuple[Release, ...] = ()
        if stick is not None:
            from techtool.bundles.trust import open_stick

            releases = open_stick(stick, services.paths, services.clock).offered
        entries, _damaged = history_of(services.home, services.index)
        chosen = services.settings.cadence
        wishes = Wishes(chosen.default_days, chosen.inspection_days)
        return due_list(entries, releases, services.facts.cycles(), wishes, services.clock.now().astimezone())

    def orders(self, place: Path) -> FoundOrders:
        """Unsigned, believed in nothing."""
        from techtool.visit.orders import orders_on

        return orders_on(place)

    def drives(self) -> Sequence[Path]:
        """What psutil sees."""
        from techtool.bundles.find import drives

        return sorted(drive.mount for drive in drives() if drive.removable)

    def export(self, wanted: Wanted) -> Sequence[Path]:
        """Signed where the passphrase is given."""
        from techtool.reports.keys import load_report_key
        from techtool.visit.closing import write_visit_reports
        from techtool.visit.visits import open_record

        services = self._services()
        key = load_report_key(self.paths.report_key, wanted.passphrase) if wanted.passphrase else None
        return write_visit_reports(
            services,
            open_record(services, wanted.visit),
            key,
            formats=wanted.formats,
            languages=wanted.languages,
            folder=wanted.folder,
        )

    def support(self, visit: str, folder: Path) -> Made:
        """Redacted, searched, and whole or not there."""
        from techtool.visit.rescue import House
        from techtool.visit.support import make_bundle

        return make_bundle(House.at(self.paths, self.clock), visit, folder)

    def check_support(self, file: Path, code: str) -> Opened:
        """Against its own list of digests, the code in its name, and the one that was read out."""
        from techtool.domain.case_code import parse_code
        from techtool.reports.support import check, compare_codes

        codes = [parse_code(code)] if code else []
        opened = check(file)
        compare_codes(file, opened, codes)
        return opened

    def prove(self, visit: str) -> Verification:
        """Against this laptop's report key; the index remembers something of the visit too."""
        from techtool.reports.signers import own_signers
        from techtool.visit.rescue import House
        from techtool.visit.verify import verify_file
        from techtool.visit.visits import known_visits

        house = House.at(self.paths, self.clock)
        known = {summary.id: summary for summary in known_visits(house.index)}
        path = house.home.visit_path(visit)
        return verify_file(path, own_signers(self.paths), self.clock.now(), known.get(visit), own=visit)

    def attach(self, visit: str, files: Sequence[Path], note: str) -> int:
        """Copied first, then recorded."""
        from techtool.domain.evidence import EvidenceKind
        from techtool.visit.attach import attach

        return len(attach(self._services(), visit, files, EvidenceKind.OTHER, "visit.attached", "", note))

    def settings(self) -> Settings:
        """``settings.toml``"""
        return read_settings(self.paths.settings)

    def save_settings(self, settings: Settings) -> None:
        """As one."""
        write_settings(self.paths.settings, settings)

    def trust(self) -> TrustState:
        """What was pinned, kept and seen."""
        from techtool.backups.keys import read_recipients
        from techtool.bundles.clock_floor import read_floor
        from techtool.bundles.roots import pinned

        recipients = read_recipients(self.paths.recipients)
        return TrustState(pinned(self.paths), recipients, read_floor(self.paths), self.clock.now())

    def set_clock_back(self) -> datetime:
        """To what signatures prove; a person said that the clock is right now."""
        from techtool.bundles.clock_floor import BUILT, read_floor, set_back
        from techtool.bundles.refresh import known

        proven = max((office.trust.issued for office in known(self.paths, self.clock)), default=BUILT)
        set_back(self.paths, proven, self.clock.now())
        return read_floor(self.paths).astimezone(UTC)

    def health(self) -> Health:
        """Journals, index, settings, trust state, keys."""
        from techtool.visit.checkup import examine
        from techtool.visit.rescue import House

        return examine(House.at(self.paths, self.clock))

    def rebuild(self) -> int:
        """Under the home's lock."""
        from techtool.visit.checkup import rebuild
        from techtool.visit.rescue import House

        house = House.at(self.paths, self.clock)
        with house.home.lock("doctor --rebuild"):
            return len(rebuild(house))

    def salvage(self, visit: str) -> Path:
        """Under the home's lock."""
        from techtool.visit.rescue import House, rescue

        house = House.at(self.paths, self.clock)
        with house.home.lock("doctor --salvage"):
            return rescue(house, visit).aside

    def calibration(self) -> Sequence[Calibration]:
        """From the index."""
        from techtool.domain.calibration import calibration

        return calibration(self._services().index.forecasts())
