"""The index: derived, quick, and never in the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.visit_state import VisitState
from techtool.errors import InternalError, StoreDamaged
from techtool.paths import Paths
from techtool.store.home import Home
from techtool.store.index import Index, VisitSummary
from tests.unit.store.disks import QuickDisk

START = datetime(2026, 11, 22, 8, 30, 0, 250_000, tzinfo=UTC)


def summary(number: int, state: VisitState = VisitState.SEALED, *serials: str) -> VisitSummary:
    return VisitSummary(
        id=f"v{number:04}",
        started_at=START + timedelta(minutes=number),
        finished_at=None if state is VisitState.OPEN else START + timedelta(minutes=number + 5),
        technician="张伟",
        merchant="Café “Öst”",
        state=state,
        outcome=None if state is VisitState.OPEN else Outcome.SUCCESS,
        serials=serials or (f"SN{number}", "SHARED"),
        head="ab" * 32,
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(Paths(tmp_path / "home"), QuickDisk())


def test_an_index_that_is_not_there_is_empty_and_is_not_made_by_reading(home: Home) -> None:
    index = Index(home)
    assert index.visits() == []
    assert index.by_serial("SN1") == []
    assert index.visit("v0001") is None
    assert index.unsettled() == []
    assert not home.paths.home.exists()


def test_summaries_come_back_as_they_were_oldest_first(home: Home) -> None:
    with home.lock("test"):
        index = Index(home)
        for number in (3, 1, 2):
            index.put_visit(summary(number))
        index.put_visit(summary(2, VisitState.DAMAGED, "SN2", "NEW"))
        expected = [summary(1), summary(2, VisitState.DAMAGED, "SN2", "NEW"), summary(3)]
        assert index.visits() == expected
    for later in (index, Index(home)):
        assert later.visits() == expected
        assert later.by_serial("SHARED") == [summary(1), summary(3)]
        assert later.by_serial("NEW") == [expected[1]]
        assert later.by_serial("SHARE") == []
        assert later.visit("v0003") == summary(3)
        assert later.visit("v0009") is None


def test_a_reader_sees_what_another_adds(home: Home) -> None:
    reader = Index(Home(home.paths))
    with home.lock("test"):
        index = Index(home)
        for number in range(5):
            index.put_visit(summary(number))
            assert len(reader.visits()) == number + 1
        index.rebuild([summary(7)])
        assert reader.visits() == index.visits() == [summary(7)]
        index.put_visit(summary(8))
        assert reader.visits() == index.visits() == [summary(7), summary(8)]


def test_writing_needs_the_lock_and_a_new_lock_goes_on(home: Home) -> None:
    index = Index(home)
    with pytest.raises(InternalError):
        index.put_visit(summary(1))
    with home.lock("test"):
        index.put_visit(summary(1))
    with pytest.raises(InternalError):
        index.put_visit(summary(2))
    with home.lock("test"):
        index.put_visit(summary(2))
        index.put_visit(summary(1, VisitState.ABANDONED))
    assert index.visits() == [summary(1, VisitState.ABANDONED), summary(2)]


def test_rebuild_replaces_everything_and_the_last_of_an_id_counts(home: Home) -> None:
    with home.lock("test"):
        index = Index(home)
        index.put_visit(summary(1))
        index.rebuild([summary(5, VisitState.OPEN), summary(4), summary(5)])
        assert index.visits() == [summary(4), summary(5)]
        index.put_visit(summary(4, VisitState.DAMAGED))
    assert Index(home).visits() == [summary(4, VisitState.DAMAGED), summary(5)]


def test_a_write_is_one_short_line_whatever_lies_behind(home: Home) -> None:
    with home.lock("test"):
        index = Index(home)
        index.rebuild(summary(number) for number in range(500))
        index.put_visit(summary(500))
        size = home.paths.index.stat().st_size
        index.put_visit(summary(501))
        assert home.paths.index.stat().st_size - size < 500


def test_many_changes_of_few_visits_do_not_pile_up(home: Home) -> None:
    for _round in range(6):
        with home.lock("test"):
            index = Index(home)
            for number in range(40):
                index.put_visit(summary(number % 4))
    assert home.paths.index.read_bytes().count(b"\n") < 150
    assert Index(home).visits() == [summary(number) for number in range(4)]


def test_unsettled_are_the_visits_a_crash_left_behind(home: Home) -> None:
    with home.lock("test"):
        for number in range(4):
            home.create_visit(f"v{number:04}")
        index = Index(home)
        index.put_visit(summary(0))
        index.put_visit(summary(1, VisitState.OPEN))
        index.put_visit(summary(2, VisitState.ABANDONED))
        index.put_visit(summary(9))
        assert index.unsettled() == ["v0001", "v0003"]


def test_a_damaged_index_is_told_to_readers_and_set_aside_by_the_writer(home: Home) -> None:
    with home.lock("test"):
        index = Index(home)
        index.put_visit(summary(1))
        index.put_visit(summary(2))
    rotten = bytearray(home.paths.index.read_bytes())
    rotten[len(rotten) // 2] ^= 1
    home.paths.index.write_bytes(rotten)
    with pytest.raises(StoreDamaged):
        Index(home).visits()
    with home.lock("test"):
        index = Index(home)
        index.put_visit(summary(3))
        assert index.set_aside == home.paths.home / "index.jnl.damaged-1"
        assert index.set_aside.read_bytes() == rotten
        assert index.visits() == [summary(3)]
    assert Index(home).visits() == [summary(3)]


def test_an_index_of_another_shape_is_damage_not_a_traceback(home: Home) -> None:
    with home.lock("test"):
        index = Index(home)
        index.put_visit(summary(1))
    with home.lock("test"):
        home.writer(home.paths.index).table("visits").update({"state": "perhaps"})
    with pytest.raises(StoreDamaged):
        Index(home).visits()
