"""What is kept beside the list of visits: replaced as one, never in the way, and made again from what it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techtool.domain.history import TerminalEntry, VersionSeen, VisitDetails
from techtool.domain.learning import Forecast, Observation
from techtool.domain.outcome import Outcome
from techtool.domain.visit_state import VisitState
from techtool.errors import DiskFull, StoreDamaged, StoreTooNew
from techtool.paths import Paths
from techtool.store.db import JournalDB
from techtool.store.frames import GENESIS, frame
from techtool.store.home import Home
from techtool.store.index import Index
from tests.unit.store.disks import QuickDisk
from tests.unit.store.test_index import START, summary


def entry(number: int, lane: int = 1, **changes: object) -> TerminalEntry:
    made = TerminalEntry(
        visit=f"v{number:04}",
        lane=str(lane),
        at=START + timedelta(minutes=number),
        serial=f"SN{number}",
        vendor="sunmi",
        model="P2",
        vendor_name="SUNMI",
        model_name="SUNMI P2",
        tid=f"2001{number:04}",
        mid="104110058120001",
        site=f"S-{number}",
        merchant="幸福超市",
        work_order=f"WO-{number}",
        technician="张伟",
        visit_kind="update",
        visit_type="update",
        outcome=Outcome.SUCCESS,
        exit_code=0,
        versions=(VersionSeen("com.acme.pay", "1.0", "2.0"),),
        releases=("com.acme.pay@2.0",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def observation(number: int, value: float = 12.5) -> Observation:
    return Observation(
        visit=f"v{number:04}",
        serial=f"SN{number}",
        phase="backup",
        vendor="sunmi",
        model="P2",
        family="android",
        link="adb",
        release_key="",
        kind="",
        value=value,
        at=START + timedelta(minutes=number),
    )


def forecast(number: int) -> Forecast:
    return Forecast(f"v{number:04}", f"SN{number}", START + timedelta(minutes=number), 300.0, 420.0, 333.25)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(Paths(tmp_path / "home"), QuickDisk())


def put(index: Index, number: int, *entries: TerminalEntry, seen: Sequence[Observation] = ()) -> None:
    index.put_visit(summary(number), entries, seen, [forecast(number)] if seen else ())


def test_nothing_is_there_and_nothing_is_made_by_reading(home: Home) -> None:
    index = Index(home)
    assert (index.terminals(), index.observations(), index.forecasts(), index.detailed()) == ([], [], [], {})
    assert index.lacking() == []
    assert not home.paths.home.exists()


def test_what_was_put_comes_back_as_it_was_in_order_of_time(home: Home) -> None:
    with home.lock("test"):
        index = Index(home)
        for number in (3, 1, 2):
            put(
                index, number, entry(number), entry(number, 2, serial="OTHER", outcome=None), seen=[observation(number)]
            )
    for reader in (index, Index(home)):
        assert [(e.visit, e.lane) for e in reader.terminals()] == [
            (f"v{number:04}", lane) for number in (1, 2, 3) for lane in ("1", "2")
        ]
        assert reader.terminals(serial="sn2") == [entry(2)]
        assert reader.observations() == [observation(1), observation(2), observation(3)]
        assert reader.forecasts() == [forecast(1), forecast(2), forecast(3)]


def test_a_visits_entries_are_replaced_as_one(home: Home) -> None:
    with home.lock("test"):
        index = Index(home)
        put(index, 1, entry(1), entry(1, 2), seen=[observation(1)])
        put(index, 2, entry(2), seen=[observation(2)])
        put(index, 1, entry(1, serial="NEW"))
        assert [e.serial for e in index.terminals()] == ["NEW", "SN2"]
        assert index.observations() == [observation(2)]
        put(index, 1)
    assert [e.serial for e in Index(home).terminals()] == ["SN2"]
    assert Index(home).detailed() == {"v0001": "ab" * 32, "v0002": "ab" * 32}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"serial": "sn1"}, ["SN1"]),
        ({"serial": "SN"}, []),
        ({"tid": "20010002"}, ["SN2"]),
        ({"tid": "0002"}, []),
        ({"site": "s-2"}, ["SN2"]),
        ({"site": "幸福超市"}, ["SN1", "SN2"]),
        ({"release": "com.acme.pay"}, ["SN1"]),
        ({"release": "com.acme.pay@2.0"}, ["SN1"]),
        ({"release": "com.acme.pay@1.0"}, []),
        ({"release": "com.acme.kernel@7"}, ["SN2"]),
        ({"release": "com.acme.pay", "serial": "SN2"}, []),
    ],
    ids=str,
)
def test_terminals_that_fit_everything_given(home: Home, wanted: dict[str, str], found: list[str]) -> None:
    with home.lock("test"):
        index = Index(home)
        put(index, 1, entry(1))
        put(index, 2, entry(2, releases=(), planned=("com.acme.kernel@7",)))
    assert [e.serial for e in index.terminals(**wanted)] == found


def test_closed_visits_without_entries_are_known_to_be_lacking(home: Home) -> None:
    with home.lock("test"):
        index = Index(home)
        put(index, 1)
        put(index, 2, entry(2))
        index.put_visit(summary(3, VisitState.OPEN))
        index.put_visit(summary(4, VisitState.DAMAGED))
        assert index.lacking() == ["v0001"]
        home.paths.terminals.unlink()
    assert Index(home).lacking() == ["v0001", "v0002"]


@pytest.mark.parametrize("name", ["terminals", "timings"])
def test_a_damaged_file_counts_as_empty_and_the_next_writer_sets_it_aside(home: Home, name: str) -> None:
    with home.lock("test"):
        put(Index(home), 1, entry(1), seen=[observation(1)])
    path: Path = getattr(home.paths, name)
    rotten = bytearray(path.read_bytes())
    rotten[40] ^= 1
    path.write_bytes(rotten)
    reader = Index(home)
    with pytest.raises(StoreDamaged):
        reader.check_details()
    assert reader.visits() == [summary(1)]
    assert (reader.terminals(), reader.observations())[name == "timings"] == []
    with home.lock("test"):
        put(Index(home), 2, entry(2), seen=[observation(2)])
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == bytes(rotten)
    assert entry(2) in Index(home).terminals()
    assert observation(2) in Index(home).observations()
    Index(home).check_details()


def test_one_of_a_newer_techtool_is_not_touched(home: Home) -> None:
    with home.lock("test"):
        put(Index(home), 1, entry(1))
    newer = frame(GENESIS, b'{"kind":"index","id":"terminals","schema":99,"journal":"techtool"}')[0]
    home.paths.terminals.write_bytes(newer)
    assert Index(home).terminals() == []
    with home.lock("test"), pytest.raises(StoreTooNew):
        put(Index(home), 2, entry(2))
    assert home.paths.terminals.read_bytes() == newer
    assert Index(home).visits() == [summary(1)], "the list comes last"


def test_a_full_disk_leaves_what_was_there(home: Home, tmp_path: Path) -> None:
    class Full(QuickDisk):
        def write(self, fd: int, data: bytes, path: Path) -> None:
            raise DiskFull(path=str(path))

    with home.lock("test"):
        put(Index(home), 1, entry(1), seen=[observation(1)])
    full = Home(home.paths, Full())
    with pytest.raises(DiskFull), full.lock("test"):
        put(Index(full), 2, entry(2), seen=[observation(2)])
    assert Index(home).terminals() == [entry(1)]
    assert Index(home).visits() == [summary(1)]


def test_often_replaced_entries_do_not_make_the_file_grow(home: Home) -> None:
    for _round in range(5):
        with home.lock("test"):
            index = Index(home)
            for number in range(40):
                put(index, number % 4, entry(number % 4))
    assert home.paths.terminals.read_bytes().count(b"\n") < 150
    assert len(Index(home).terminals()) == 4


_VISITS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 2)),  # visit, how many entries, observations
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(_VISITS)
def test_made_again_it_is_what_it_was_kept_up_to(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[int, int, int]]
) -> None:
    """Any order of puts comes to the same as making everything anew from what was put last."""
    paths = [Paths(tmp_path_factory.mktemp("home") / name) for name in ("kept", "made")]
    kept, made = (Home(path, QuickDisk()) for path in paths)
    last: dict[int, VisitDetails] = {}
    with kept.lock("test"):
        index = Index(kept)
        for number, terminals, phases in puts:
            last[number] = VisitDetails(
                tuple(entry(number, lane) for lane in range(terminals)),
                tuple(observation(number, float(value + 1)) for value in range(phases)),
                (forecast(number),) if phases else (),
            )
            found = last[number]
            index.put_visit(summary(number), found.terminals, found.observations, found.forecasts)
    with made.lock("test"):
        anew = Index(made)
        anew.put_visit(summary(99), [entry(99)], [observation(99)])
        anew.rebuild([summary(number) for number in sorted(last)], {summary(n).id: found for n, found in last.items()})
    first, second = Index(kept), Index(made)
    assert first.visits() == second.visits()
    assert first.terminals() == second.terminals()
    assert first.observations() == second.observations()
    assert first.forecasts() == second.forecasts()
    second.check_details()


def test_a_document_that_is_not_understood_hides_no_other(home: Home) -> None:
    with home.lock("test"):
        put(Index(home), 1, entry(1))
    db = JournalDB.open_write(home.paths.terminals, QuickDisk())
    db.table("visits").insert({"visit": "v0009", "head": "", "parts": {"terminals": {"fields": ["x"], "rows": [[1]]}}})
    db.close()
    assert Index(home).terminals() == [entry(1)]
