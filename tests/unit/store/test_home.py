"""The home folder: lock, visits, folders."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path

import pytest

from techtool.clock import FixedClock, said
from techtool.errors import DiskError, DiskFull, InternalError, NoSuchVisit, StoreDamaged, StoreLocked, UsageError
from techtool.paths import Paths
from techtool.store.home import Home
from tests.unit.store.disks import FailingDisk, QuickDisk


@pytest.fixture
def home(tmp_path: Path) -> Home:
    clock = FixedClock(datetime(2026, 11, 22, 8, 30, tzinfo=UTC))
    return Home(Paths(tmp_path / "a" / "home"), QuickDisk(), clock)


def test_visits_are_listed_by_id_newest_last(home: Home) -> None:
    assert home.visit_ids() == []
    with home.lock("test"):
        for visit in ("20261122-090000-b", "20261121-180000-z", "20261122-083000-a"):
            home.create_visit(visit)
        home.paths.evidence("20261122-083000-a").mkdir(parents=True)
    for stray in ("20261122-083000-a.jnl.torn-1", "x.jnl.part", ".hidden.jnl", "notes.txt"):
        (home.paths.visits / stray).touch()
    assert home.visit_ids() == ["20261121-180000-z", "20261122-083000-a", "20261122-090000-b"]


def test_a_visit_is_made_once(home: Home) -> None:
    with home.lock("test"):
        home.create_visit("v1").insert({"n": 1})
        with pytest.raises(UsageError):
            home.create_visit("v1")
    assert home.open_visit("v1").all() == [{"n": 1}]
    assert (home.open_visit("v1").kind, home.open_visit("v1").id) == ("visit", "v1")


@pytest.mark.parametrize("visit", ["", "..", "../v1", "a/b", "a\\b", ".v", "x" * 101, "v 1", "v1\n", "访"])
def test_what_can_be_no_id_is_no_such_visit(home: Home, visit: str) -> None:
    with home.lock("test"):
        for opens in (home.open_visit, home.create_visit):
            with pytest.raises(NoSuchVisit):
                opens(visit)
    assert not home.paths.visits.exists()


def test_a_visit_that_is_not_there(home: Home) -> None:
    with pytest.raises(NoSuchVisit):
        home.open_visit("v1")
    with home.lock("test"), pytest.raises(NoSuchVisit):
        home.open_visit("v1", write=True)
    assert home.visit_ids() == []


def test_a_damaged_visit_is_no_missing_visit(home: Home) -> None:
    with home.lock("test"):
        home.create_visit("v1")
    home.visit_path("v1").write_bytes(b"?" * 100)
    with pytest.raises(StoreDamaged):
        home.open_visit("v1")


def test_writing_needs_the_lock(home: Home) -> None:
    with pytest.raises(InternalError):
        home.create_visit("v1")
    with home.lock("test"):
        assert home.locked
        db = home.create_visit("v1")
        db.insert({"n": 1})
    assert not home.locked
    with pytest.raises(InternalError):
        home.open_visit("v1", write=True)
    with pytest.raises(InternalError):
        db.insert({"n": 2})
    assert db.all() == home.open_visit("v1").all() == [{"n": 1}]


def test_one_journal_has_one_writer_at_a_time(home: Home) -> None:
    with home.lock("test"):
        db = home.create_visit("v1")
        with pytest.raises(InternalError):
            home.open_visit("v1", write=True)
        assert home.open_visit("v1").all() == []
        home.create_visit("v2")
        db.close()
        home.open_visit("v1", write=True).insert({"n": 1})
    assert home.open_visit("v1").all() == [{"n": 1}]


def test_the_holder_is_named_with_process_and_time(home: Home) -> None:
    import os
    import platform

    second = Home(home.paths, QuickDisk())
    with home.lock("techtool visit resume"):
        with pytest.raises(StoreLocked) as caught, second.lock("x"):
            pass
        assert not second.locked
        for language in ("en", "zh"):
            text = caught.value.what_phrase.text(language)
            assert "techtool visit resume" in text
            assert str(os.getpid()) in text
            assert platform.node() in text
            assert said(datetime(2026, 11, 22, 8, 30, tzinfo=UTC)) in text
        note = home.paths.home / "techtool.lock.holder"
        note.write_bytes(b'{"pid":7,"what":"an older techtool","since":"2026"}')
        with pytest.raises(StoreLocked, match=r"an older techtool \(process 7 on \?, since 2026\)"), second.lock("x"):
            pass
        (home.paths.home / "techtool.lock.holder").write_bytes(b"{broken")
        with pytest.raises(StoreLocked), second.lock("x"):
            pass
        (home.paths.home / "techtool.lock.holder").unlink()
        with pytest.raises(StoreLocked), second.lock("x"):
            pass
    with second.lock("x"):
        assert second.locked


def test_an_error_inside_frees_the_lock_and_closes_the_journals(home: Home) -> None:
    opened = []

    def fails_inside() -> None:
        with home.lock("test"):
            opened.append(home.create_visit("v1"))
            raise DiskFull(path="x")

    with pytest.raises(DiskFull):
        fails_inside()
    assert [db.writable for db in opened] == [False]
    with home.lock("again"):
        pass


@pytest.mark.parametrize("effect", ["write", "fsync", "replace"])
def test_a_full_disk_does_not_keep_out_the_one_who_makes_room(home: Home, effect: str) -> None:
    with home.lock("before"):
        home.create_visit("v1")
    (home.paths.home / "techtool.lock.holder").write_bytes(b'{"pid":1,"what":"an older one","since":"x"}')
    full = Home(home.paths, FailingDisk(effect, 1, errno.ENOSPC))
    with full.lock("make room"):
        assert full.open_visit("v1", write=True).all() == []
        assert not (home.paths.home / "techtool.lock.holder").exists()


def test_folders_are_made_durable_from_the_first_missing_one_down(tmp_path: Path) -> None:
    class Noting(QuickDisk):
        synced: list[Path] = []  # noqa: RUF012

        def fsync_folder(self, folder: Path) -> None:
            self.synced.append(folder)

    home = Home(Paths(tmp_path / "a" / "home"), Noting())
    home.ensure_folder(tmp_path / "a" / "home" / "visits")
    assert sorted(Noting.synced) == [tmp_path, tmp_path / "a", tmp_path / "a" / "home"]
    Noting.synced.clear()
    home.ensure_folder(tmp_path / "a" / "home" / "visits")
    assert Noting.synced == [tmp_path / "a" / "home"], "its name, in case the one who made it failed to sync it"


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    home = Home(Paths(tmp_path / "home"), QuickDisk())
    with pytest.raises(DiskError), home.lock("test"):
        pass
    with pytest.raises(DiskError):
        home.visit_ids()
