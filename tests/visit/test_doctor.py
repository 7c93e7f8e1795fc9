"""What ``techtool doctor`` names besides visits, and what it says to do: it never dies of what it is called for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from techtool.bundles.clock_floor import BUILT, read_floor
from techtool.bundles.trust import open_stick
from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.errors import Exit
from techtool.paths import Paths
from tests.visit.conftest import Shop


@dataclass
class Laptop:
    """A home with one sealed visit in it, and what doctor says of it."""

    paths: Paths
    visit: str
    capsys: pytest.CaptureFixture[str]

    def doctor(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        self.capsys.readouterr()
        code = run(["doctor", "--json", *arguments])
        said = self.capsys.readouterr()
        found: dict[str, Any] = json.loads(said.out)
        assert not said.err
        return code, found

    def problem(self) -> dict[str, Any]:
        """The one problem there is."""
        code, found = self.doctor()
        assert code == Exit.DAMAGED_STORE
        (problem,) = [finding for finding in found["findings"] if finding["problem"]]
        assert found["damaged"] == [problem["what"]]
        return dict(problem)


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory, world_template: Path) -> Path:
    """Made once: a world in which a visit was made."""
    import asyncio

    from techtool.cli.demo_world import DemoWorld

    folder = tmp_path_factory.mktemp("used") / "world"
    shutil.copytree(world_template, folder)
    shop = Shop(DemoWorld(folder))

    async def visit() -> None:
        async with shop.terminals() as simulation:
            await shop.run(*simulation.addresses)

    asyncio.run(visit())
    return folder


@pytest.fixture
def laptop(
    used_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Laptop:
    shutil.copytree(used_home, tmp_path / "world")
    paths = Paths(tmp_path / "world" / "home")
    monkeypatch.setenv("TECHTOOL_HOME", str(paths.home))
    (journal,) = paths.visits.glob("*.jnl")
    return Laptop(paths, journal.stem, capsys)


def test_a_sound_home_has_nothing_to_tell(laptop: Laptop) -> None:
    nothing: dict[str, object] = {"damaged": [], "findings": [], "salvaged": [], "failed": [], "rebuilt": False}
    kept = {"store_key": str(laptop.paths.store_key)}
    assert laptop.doctor() == (Exit.DONE, {"schema": 1, "visits": 1, **nothing, **kept})


def test_an_empty_home_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "none"))
    assert run(["doctor"]) == Exit.DONE
    assert not (tmp_path / "none").exists()


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def rubbish(path: Path) -> None:
    path.write_bytes(b"\xff\x00 rubbish")


def files(paths: Paths) -> dict[str, Path]:
    """What can be damaged, by a short name."""
    (mirror,) = (paths.trust / "mirror").glob("*.json")
    (root,) = (paths.trust / "roots").glob("*.json")
    (agekey,) = paths.visit_keys.glob("*.agekey")
    return {
        "settings": paths.settings,
        "clock": paths.trust / "clock.json",
        "mirror": mirror,
        "root": root,
        "recipients": paths.recipients,
        "report key": paths.report_key,
        "public half": paths.report_key.with_name("report.key.pub"),
        "visit key": agekey,
        "index": paths.index,
    }


WAYS = {
    "settings": "settings.toml",
    "clock": "--rebuild",
    "mirror": "trust refresh",
    "root": "techtool trust add",
    "recipients": "--recipients",
    "report key": "techtool setup",
    "public half": "techtool setup",
    "visit key": "office",
    "index": "--rebuild",
}


@pytest.mark.parametrize(
    ("name", "damage"),
    [(name, damage) for name in WAYS for damage in (cut_in_half, rubbish) if (name, damage) != ("index", cut_in_half)],
)
def test_a_damaged_file_is_named_with_what_to_do(laptop: Laptop, name: str, damage: Callable[[Path], None]) -> None:
    path = files(laptop.paths)[name]
    damage(path)
    found = path.read_bytes()
    if name == "recipients" and damage is cut_in_half:
        path.write_bytes(b"age1cut\n")
        found = b"age1cut\n"
    problem = laptop.problem()
    assert path.name in problem["path"] + problem["what"]
    assert any(WAYS[name] in action for action in problem["next_actions"])
    assert path.read_bytes() == found, "doctor changes nothing unasked"
    if name != "index":
        assert laptop.doctor()[1]["visits"] == 1


@pytest.mark.parametrize("damage", [cut_in_half, Path.unlink], ids=["cut", "gone"])
def test_a_backup_that_is_cut_short_or_gone(laptop: Laptop, damage: Callable[[Path], None]) -> None:
    (path,) = laptop.paths.backups.glob("*.age")
    damage(path)
    problem = laptop.problem()
    assert problem["path"] == str(path)
    assert any("tell the office" in action for action in problem["next_actions"])
    assert laptop.doctor()[1]["visits"] == 1, "the visit itself is whole"


def test_a_backup_that_was_wiped_on_the_offices_word_is_no_loss(laptop: Laptop) -> None:
    assert run(["backup", "prune", "--older-than", "0", "--confirmed-by-office", "letter of today"]) == Exit.DONE
    assert not list(laptop.paths.backups.glob("*.age"))
    assert laptop.doctor()[0] == Exit.DONE


def test_an_index_that_lost_its_end_is_no_loss_but_told(laptop: Laptop) -> None:
    cut_in_half(laptop.paths.index)
    code, found = laptop.doctor()
    assert code == Exit.DONE
    (note,) = found["findings"]
    assert (note["problem"], note["visit"], note["path"]) == (False, laptop.visit, str(laptop.paths.index))
    assert "--rebuild" in note["next_actions"][0]
    left = laptop.doctor("--rebuild")[1]["findings"]
    assert [finding["path"] for finding in left] == [str(laptop.paths.home / "index.jnl.torn-1")]


def test_a_public_half_of_another_key(laptop: Laptop, world_template: Path, tmp_path: Path) -> None:
    from techtool.reports.keys import make_report_key

    make_report_key(tmp_path / "other.key", "a passphrase", "Wei")
    shutil.copy(tmp_path / "other.key.pub", files(laptop.paths)["public half"])
    _code, found = laptop.doctor()
    assert len(found["damaged"]) == 2, "the key, and the seal that the listed key did not make"
    files(laptop.paths)["public half"].unlink()
    assert "report.key.pub" in laptop.problem()["what"]


def test_an_adb_key_that_is_none(laptop: Laptop) -> None:
    laptop.paths.adb_key.write_bytes(b"rubbish")
    assert "adb.key" in laptop.problem()["path"]


@pytest.mark.parametrize("name", ["settings", "clock", "mirror", "index"])
def test_what_a_newer_techtool_wrote_is_no_damage_and_stays(laptop: Laptop, name: str) -> None:
    path = files(laptop.paths)[name]
    if name == "settings":
        path.write_bytes(b"schema = 2\n" + path.read_bytes().replace(b"schema = 1\n", b""))
    elif name == "index":
        from techtool.store.frames import GENESIS, frame

        path.write_bytes(frame(GENESIS, b'{"kind":"index","id":"index","schema":9,"journal":"techtool"}')[0])
    else:
        path.write_bytes(path.read_bytes().replace(b'"schema":1', b'"schema":2'))
    kept = path.read_bytes()
    problem = laptop.problem()
    assert problem["next_actions"] == ["Update techtool on this laptop."]
    assert run(["doctor", "--rebuild"]) == Exit.DAMAGED_STORE
    assert path.read_bytes() == kept


def test_rebuild_makes_a_damaged_index_again_and_keeps_the_old_one(laptop: Laptop) -> None:
    index = laptop.paths.index
    rubbish(index)
    assert run(["visit", "list"]) == Exit.DONE
    code, found = laptop.doctor("--rebuild")
    assert (code, found["rebuilt"]) == (Exit.DONE, True)
    assert index.with_name("index.jnl.damaged-1").read_bytes() == b"\xff\x00 rubbish"
    assert [finding["path"] for finding in found["findings"]] == [str(index.with_name("index.jnl.damaged-1"))]


def test_rebuild_makes_the_clock_floor_again_from_the_visits(laptop: Laptop) -> None:
    stick, clock = laptop.paths.home.parent / "stick", SystemClock()
    before = read_floor(laptop.paths)
    assert before > BUILT
    rubbish(laptop.paths.trust / "clock.json")
    with pytest.raises(Exception, match="TT-502"):
        open_stick(stick, laptop.paths, clock)
    assert laptop.doctor("--rebuild")[0] == Exit.DONE
    assert (laptop.paths.trust / "clock.json.damaged-1").read_bytes() == b"\xff\x00 rubbish"
    assert BUILT < read_floor(laptop.paths) <= before + timedelta(seconds=1)
    open_stick(stick, laptop.paths, clock)


def test_what_the_damaged_index_still_says_is_used(laptop: Laptop) -> None:
    """A record whose end was cut off is found though the index is damaged as well."""
    index, journal = laptop.paths.index, laptop.paths.visits / f"{laptop.visit}.jnl"
    index.write_bytes(index.read_bytes() + b"rubbish\n" + b"0" * 80 + index.read_bytes()[-400:])
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    _code, found = laptop.doctor("--rebuild")
    assert any("not the record that was closed" in what for what in found["damaged"])


def test_one_record_that_cannot_be_saved_keeps_nobody_from_the_next(laptop: Laptop) -> None:
    good = laptop.paths.visits / f"{laptop.visit}.jnl"
    bad = laptop.paths.visits / "V20261122-083000-ab12.jnl"
    bad.write_bytes(good.read_bytes())
    data = bytearray(good.read_bytes())
    data[len(data) // 2] ^= 1
    good.write_bytes(data)
    code, found = laptop.doctor("--salvage", bad.stem, "--salvage-all")
    assert code == Exit.DAMAGED_STORE
    assert [saved["visit"] for saved in found["salvaged"]] == [laptop.visit]
    assert [error["code"] for error in found["failed"]] == ["TT-502"]
    assert bad.stem in "".join(found["damaged"])


def test_a_visit_that_is_not_there(laptop: Laptop) -> None:
    code, found = laptop.doctor("--salvage", "V1")
    assert (code, [error["code"] for error in found["failed"]]) == (Exit.NOT_FOUND, ["TT-112"])


def test_doctor_speaks_to_people_too(laptop: Laptop) -> None:
    rubbish(laptop.paths.recipients)
    journal = laptop.paths.visits / f"{laptop.visit}.jnl"
    journal.write_bytes(b"?" + journal.read_bytes()[1:])
    laptop.capsys.readouterr()
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    said = laptop.capsys.readouterr()
    assert said.out == ""
    assert f"techtool doctor --salvage {laptop.visit}" in said.err
    assert "proven up to –" in said.err
    assert "techtool setup --recipients" in said.err
    assert run(["doctor", "--salvage", laptop.visit]) == Exit.DAMAGED_STORE
    said = laptop.capsys.readouterr()
    assert "was saved" in said.err
