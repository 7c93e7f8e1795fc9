"""A laptop whose key to its records is lost, and found again: nothing is lost by what was written in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.domain.history import TerminalEntry
from techtool.errors import Exit, UsageError
from techtool.paths import Paths
from techtool.store.keys import read_store_key
from techtool.tui.doors import HouseDoors
from techtool.visit.checkup import examine, rebuild
from techtool.visit.rescue import House, rescue
from techtool.visit.visits import history_of

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
