"""Saving what can be saved of a damaged journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.errors import NotFoundError, StoreDamaged, UsageError
from techtool.store.db import JournalDB
from techtool.store.frames import frame, scan
from techtool.store.salvage import SALVAGE_TABLE, UNKNOWN, Gap, salvage
from tests.unit.store.disks import QuickDisk
from tests.unit.store.helpers import begin, content


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sealed journal: header, six inserts, seal."""
    db = begin(tmp_path / "v1.jnl")
    for n in range(6):
        db.insert({"n": n})
    db.seal()
    return db.path


def numbers(path: Path) -> list[object]:
    return [document["n"] for document in JournalDB.open_read(path)]


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_everything_but_the_damaged_line_is_saved_and_the_loss_is_told(path: Path, tmp_path: Path) -> None:
    parts = lines(path)
    offset = len(b"".join(parts[:3]))
    parts[3] = parts[3][:90] + b"?" + parts[3][91:]
    path.write_bytes(b"".join(parts))
    rotten = path.read_bytes()
    into = tmp_path / "saved.jnl"

    result = salvage(path, into, QuickDisk())

    assert result.gaps == (Gap(offset, len(parts[3])),)
    assert (result.lines_in_place, result.lines_after_damage, result.was_sealed) == (3, 4, True)
    assert numbers(into) == [0, 1, 3, 4, 5]
    saved = JournalDB.open_read(into)
    assert (saved.kind, saved.id, saved.sealed) == ("visit", "v1", False)
    told = saved.table(SALVAGE_TABLE).all()[0]
    assert told["source"] == "v1.jnl"
    assert told["gaps"] == [{"offset": offset, "size_bytes": len(parts[3])}]
    assert path.read_bytes() == rotten


def test_removed_lines_leave_a_gap_of_no_bytes(path: Path, tmp_path: Path) -> None:
    parts = lines(path)
    del parts[2:4]
    path.write_bytes(b"".join(parts))
    result = salvage(path, tmp_path / "saved.jnl", QuickDisk())
    assert result.gaps == (Gap(len(b"".join(parts[:2])), 0),)
    assert numbers(tmp_path / "saved.jnl") == [0, 3, 4, 5]


def test_junk_between_whole_lines_is_told_although_no_line_is_missing(path: Path, tmp_path: Path) -> None:
    parts = lines(path)
    path.write_bytes(b"".join(parts[:3]) + b"junk" + b"".join(parts[3:]))
    result = salvage(path, tmp_path / "saved.jnl", QuickDisk())
    assert result.gaps == (Gap(len(b"".join(parts[:3])), 4),)
    assert numbers(tmp_path / "saved.jnl") == list(range(6))


def test_a_lost_header_does_not_lose_the_rest(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(b"\x00" * 10 + data[10:])
    result = salvage(path, tmp_path / "saved.jnl", QuickDisk())
    assert (result.lines_in_place, result.lines_after_damage) == (0, 7)
    assert numbers(tmp_path / "saved.jnl") == list(range(6))
    assert (JournalDB.open_read(tmp_path / "saved.jnl").kind, JournalDB.open_read(tmp_path / "saved.jnl").id) == (
        UNKNOWN,
        "v1",
    )


def test_a_torn_tail_and_a_file_of_nothing(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    result = salvage(path, tmp_path / "one.jnl", QuickDisk())
    assert (result.lines_in_place, result.lines_after_damage, result.was_sealed) == (7, 0, False)
    assert len(result.gaps) == 1
    path.write_bytes(bytes(500))
    result = salvage(path, tmp_path / "two.jnl", QuickDisk())
    assert (result.lines_in_place, result.gaps) == (0, (Gap(0, 500),))
    assert set(content(JournalDB.open_read(tmp_path / "two.jnl"))) == {SALVAGE_TABLE}


def test_a_sound_journal_has_no_gaps(path: Path, tmp_path: Path) -> None:
    result = salvage(path, tmp_path / "saved.jnl", QuickDisk())
    assert (result.gaps, result.lines_in_place) == ((), 8)


def test_every_single_damaged_byte_costs_at_most_its_line(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    into = tmp_path / "saved.jnl"
    for place in range(len(data)):
        hit = data[:place].count(b"\n")
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :])
        result = salvage(path, into, QuickDisk())
        assert result.gaps, place
        assert numbers(into) == [n for n in range(6) if n != hit - 1], place
        into.unlink()


def test_nothing_is_overwritten_and_nothing_not_understood_is_salvaged(path: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_bytes(b"mine")
    with pytest.raises(UsageError):
        salvage(path, taken)
    assert taken.read_bytes() == b"mine"
    with pytest.raises(NotFoundError):
        salvage(tmp_path / "none", tmp_path / "new")
    with path.open("ab") as file:
        file.write(frame(scan(path.read_bytes()).head, b'[["burn","t","1",null]]')[0])
    with pytest.raises(StoreDamaged):
        salvage(path, tmp_path / "new")
    path.write_bytes(frame("0" * 64, b'{"journal":"techtool","schema":9,"kind":"visit","id":"v1"}')[0])
    with pytest.raises(StoreDamaged):
        salvage(path, tmp_path / "new")
    assert not (tmp_path / "new").exists()
