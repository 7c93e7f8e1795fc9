"""A laptop whose key to its records is lost, and found again: nothing is lost by what was written in between."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.domain.history import TerminalEntry
from techtool.domain.question import CheckAnswer, CheckResult
from techtool.domain.visit_state import VisitState
from techtool.errors import BackupNotVerified, Exit, UsageError
from techtool.i18n import phrase
from techtool.paths import Paths
from techtool.store.keys import read_store_key
from techtool.tui.doors import HouseDoors
from techtool.visit.checkup import examine, rebuild
from techtool.visit.kept_backups import KeptBackup, Presence, manifest_for
from techtool.visit.lane import Lane
from techtool.visit.log import VisitLog
from techtool.visit.rescue import House, rescue
from techtool.visit.services import Services
from techtool.visit.steps.seals import SEAL_CHECK, _seen_last
from techtool.visit.visits import history_of
from tests.factories import identity, terminal_state

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
KEPT = Path(__file__).parents[1] / "fixtures" / "store" / "v2" / "home"


class Laptop:
    """A home with a sealed visit and an open one, of which everything is in the index."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths(folder)
        shutil.copytree(KEPT, folder)
        self.rebuild()
        self.known = self.history()
        assert [entry.tid for entry in self.known if entry.tid.isdigit()]
        self.key = self.paths.store_key.read_bytes()

    def house(self) -> House:
        """Another process each time."""
        return House.at(self.paths, SystemClock())

    def rebuild(self) -> None:
        house = self.house()
        with house.home.lock("test"):
            rebuild(house)

    def history(self) -> list[TerminalEntry]:
        house = self.house()
        return history_of(house.home, house.index)[0]

    def in_index(self) -> list[TerminalEntry]:
        return self.house().index.terminals()


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "home")


def test_masks_never_take_the_place_of_what_the_index_knows(laptop: Laptop) -> None:
    kept = laptop.in_index()
    laptop.paths.store_key.unlink()
    assert all(not entry.tid.isdigit() for entry in laptop.history())
    laptop.rebuild()
    assert not laptop.paths.store_key.exists(), "nothing new was sealed, so no key was begun"
    laptop.paths.store_key.write_bytes(laptop.key)
    assert laptop.in_index() == kept
    assert laptop.history() == laptop.known


def test_an_index_made_from_masks_is_not_believed_when_the_key_is_back(laptop: Laptop) -> None:
    laptop.paths.store_key.unlink()
    for path in (laptop.paths.index, laptop.paths.terminals, laptop.paths.timings):
        path.unlink(missing_ok=True)
    laptop.rebuild()
    assert len(laptop.history()) == len(laptop.known)
    laptop.paths.store_key.write_bytes(laptop.key)
    assert laptop.history() == laptop.known


def test_with_another_key_there_nobody_is_told_to_put_the_old_one_over_it(laptop: Laptop) -> None:
    """The visits since would be lost by it."""
    laptop.paths.store_key.unlink()
    (gone,) = [finding for finding in examine(laptop.house()).problems if finding.path == laptop.paths.store_key]
    assert any("Put back a copy" in action.text() for action in gone.actions)
    house = laptop.house()
    with house.home.lock("test"):
        house.home.create_visit("V20261122-090000-cccc", {"lanes": {"1": {"tid": "11223344"}}})
    (other,) = [finding for finding in examine(laptop.house()).problems if finding.path == laptop.paths.store_key]
    assert not any("Put back a copy" in action.text() for action in other.actions)
    with laptop.paths.store_key.open("ab") as file:
        file.write(laptop.key)
    assert not [finding for finding in examine(laptop.house()).problems if finding.path == laptop.paths.store_key]


def test_reports_with_masks_never_take_the_place_of_others(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(laptop.paths.home))
    visit = laptop.known[0].visit
    again = ["report", visit, "--format", "json"]
    assert run(again) == Exit.DONE
    report = laptop.paths.reports / visit / f"{visit}.json"
    made = report.read_bytes()
    laptop.paths.store_key.unlink()
    assert run(again) == Exit.USAGE
    assert "--to" in capsys.readouterr().err
    with pytest.raises(UsageError):
        HouseDoors(laptop.paths).write_reports(visit)
    assert report.read_bytes() == made
    assert run([*again, "--to", str(tmp_path / "elsewhere")]) == Exit.DONE


def test_no_backup_counts_as_damaged_because_the_key_is_gone(laptop: Laptop) -> None:
    """Its manifest is compared word by word, and of this one a word cannot be opened."""
    not_read = {"name": "x", "reason": "the terminal does not give it"}
    visit = "V20261122-090000-cccc"
    house = laptop.house()
    manifest = house.home.open_visit(laptop.known[0].visit).table("backups").all()[0]["manifest"]
    with house.home.lock("test"):
        document = {"id": f"{visit}-1", "lane": "1", "manifest": {**manifest, "not_read": [not_read]}}
        house.home.create_visit(visit, {"backups": {"1": document}})
    kept = KeptBackup(
        visit,
        VisitState.OPEN,
        f"{visit}-1",
        serial="S",
        file="",
        sha256="",
        size_bytes=1,
        items=1,
        made_at=AT,
        verified=True,
        presence=Presence.HERE,
        key=Presence.HERE,
        key_until=AT,
    )
    found, _proven = manifest_for(Services.real(laptop.paths), kept)
    assert found is not None
    assert found.not_read[0].reason == not_read["reason"]
    laptop.paths.store_key.unlink()
    with pytest.raises(BackupNotVerified, match="key"):
        manifest_for(Services.real(laptop.paths), kept)


def test_no_seal_differs_from_a_mask(laptop: Laptop) -> None:
    """Else the terminal would be taken out of use for what the laptop lost."""
    house, serial = laptop.house(), laptop.known[0].serial
    (visit,) = [one.id for one in house.index.visits() if not one.closed]
    with house.home.lock("test"):
        log = VisitLog(house.home.open_visit(visit, write=True), SystemClock(), visit)
        log.checked(
            "1", SEAL_CHECK, phrase("Seals"), CheckAnswer(CheckResult.PASS), value="A-778812; B-778813", mode="H"
        )

    def seen() -> tuple[str, ...]:
        """By a later visit, in another process."""
        here, log = terminal_state(who=identity(serial)), SimpleNamespace(visit_id="")
        return _seen_last(cast("Lane", SimpleNamespace(services=Services.real(laptop.paths), known=here, log=log)))

    assert seen() == ("A-778812", "B-778813")
    laptop.paths.store_key.unlink()
    assert seen() == ()


def test_a_visit_saved_without_the_key_has_lost_nothing_by_that(laptop: Laptop) -> None:
    (path, *_) = sorted(laptop.paths.visits.glob("*.jnl"))
    data = path.read_bytes()
    path.write_bytes(data[:-200])
    laptop.paths.store_key.unlink()
    house = laptop.house()
    with house.home.lock("test"):
        rescue(house, path.stem)
    laptop.paths.store_key.write_bytes(laptop.key)
    assert [entry.tid for entry in laptop.history()] == [entry.tid for entry in laptop.known]
    assert len(read_store_key(laptop.paths.store_key)) == 1
