"""Makes ``tests/fixtures/store/vN``, a used laptop as this techtool leaves it: ``python -m tests.make_store_fixtures``.

N is the newest schema of all kinds (:mod:`techtool.domain.schema`). In the folder: ``home`` (a sealed visit, one that
was stopped in its installation, index, settings, clock floor, mirror, a backup of each terminal with its key, the
report key), ``reports`` (the signed statement), ``office`` (the office's age key, ``allowed_signers``), ``facts.json``
(both visits as they read when they were made, to be compared with what they read as later).

Clock, ids, serials, ports and words are fixed. Keys are made anew each time, and with them everything that is signed,
encrypted or digested; ``tests/visit/test_old_files.py`` holds the rest to the byte. A folder that is there is not made
again: what was released once stays for ever. Only before its first release, ``--again`` replaces it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from techtool.cli.demo_world import PASSPHRASE, DemoWorld
from techtool.domain.codec import plain
from techtool.domain.schema import KNOWN
from techtool.reports.keys import allowed_signers_line, public_path
from techtool.reports.seals import SEAL_NAMESPACE
from techtool.reports.sshsig import NAMESPACE
from techtool.settings import read_settings, write_settings
from techtool.simulator.faults import Faults, FaultScript, InstallRefusal
from techtool.simulator.model import find_model
from techtool.simulator.run import Simulation, TerminalSpec
from techtool.visit.services import Services
from techtool.visit.visits import open_record
from tests.visit.conftest import Shop

FOLDER: Final = Path(__file__).parent / "fixtures" / "store"
VERSION: Final = max(KNOWN.values())
START: Final = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
SEALED: Final = "V20261120-081500-aaaa"
OPEN: Final = "V20261120-091500-bbbb"
SIGNER: Final = "fixture"
PORT: Final = 47111


class TickingClock:
    """A clock of which every look takes a quarter of a second, wall time and monotonic time alike."""

    def __init__(self, at: datetime) -> None:
        self._start = self._at = at

    def now(self) -> datetime:
        """The next quarter."""
        self._at += timedelta(milliseconds=250)
        return self._at

    def monotonic_s(self) -> float:
        """The same clock."""
        return (self.now() - self._start).total_seconds()

    def move_to(self, at: datetime) -> None:
        """Another visit, later."""
        self._at = at


@dataclass
class FixtureShop(Shop):
    """A shop whose visits have fixed ids."""

    visit_id: str = SEALED
    """Of the next visit."""

    @property
    def services(self) -> Services:
        """With that id."""
        return replace(super().services, new_id=lambda _now: self.visit_id)


async def visits(shop: FixtureShop, clock: TickingClock) -> None:
    """One visit that ends well, one that is stopped while it installs."""
    refuses = Faults(install=InstallRefusal(word="INSTALL_FAILED_USER_RESTRICTED", times=1))
    for visit_id, faults in ((SEALED, Faults()), (OPEN, refuses)):
        shop.visit_id = visit_id
        shop.changed = {"problem.install": "later"} if visit_id == OPEN else {}
        specs = [TerminalSpec(find_model("sunmi-p2"), 1, PORT)]
        state = shop.world.folder / f"terminals-{visit_id}"
        async with Simulation(specs, state=state, faults=FaultScript(terminal=(faults,)), boot_s=0.05) as simulation:
            finished = await shop.run(*simulation.addresses)
        assert finished.sealed is (visit_id == SEALED), finished
        clock.move_to(START + timedelta(hours=1))


def make(into: Path) -> None:
    """The whole folder."""
    # Its name stands in the records, so it is the same on every computer that makes it.
    work = Path(tempfile.gettempdir()) / "techtool-fixtures"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        clock = TickingClock(START)
        world = DemoWorld.make(work, "zh", clock)
        shop = FixtureShop(world, clock=clock)
        asyncio.run(visits(shop, clock))
        _keep(shop, into)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _keep(shop: Shop, into: Path) -> None:
    world, home = shop.world, into / "home"
    home.mkdir(parents=True)
    for name in ("settings.toml", "index.jnl"):
        shutil.copyfile(world.paths.home / name, home / name)
    write_settings(home / "settings.toml", read_settings(home / "settings.toml"))
    for name in ("visits", "trust", "keys", "backups"):
        shutil.copytree(world.paths.home / name, home / name)
    (home / "keys" / "adb.key").unlink(missing_ok=True)
    reports = into / "reports"
    reports.mkdir()
    for path in sorted((world.paths.reports / SEALED).glob("*.json*")):
        shutil.copyfile(path, reports / path.name)
    office = into / "office"
    office.mkdir()
    shutil.copyfile(world.folder / "office" / "office.agekey", office / "office.agekey")
    public = public_path(world.paths.report_key).read_text(encoding="utf-8")
    line = allowed_signers_line(public, SIGNER, (NAMESPACE, SEAL_NAMESPACE))
    (office / "allowed_signers").write_text(line + "\n", encoding="utf-8")
    (office / "passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
    facts = {visit: plain(open_record(shop.services, visit)) for visit in (SEALED, OPEN)}
    text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
    (into / "facts.json").write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Make the folder of today's schema, unless it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--to", type=Path, default=FOLDER / f"v{VERSION}")
    parser.add_argument("--again", action="store_true", help="replace what was never released")
    chosen = parser.parse_args()
    if chosen.to.exists():
        if not chosen.again:
            print(f"{chosen.to} is there; what was released stays as it is", file=sys.stderr)
            return 1
        shutil.rmtree(chosen.to)
    make(chosen.to)
    print(f"{chosen.to}: {sum(1 for path in chosen.to.rglob('*') if path.is_file())} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
