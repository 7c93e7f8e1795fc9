"""Saving what can be saved of a damaged journal."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from techtool.domain.salvage import Gap, SalvageRecord
from techtool.errors import DiskFull, InternalError, NotFoundError, StoreDamaged, StoreTooNew
from techtool.store.db import JournalDB
from techtool.store.frames import frame, scan
from techtool.store.journal import Header
from techtool.store.salvage import (
    SALVAGE_TABLE,
    Saved,
    aside_files,
    put_in_place,
    read_saved,
    salvage_op,
    salvages_of,
)
from tests.unit.store.disks import FailingDisk, QuickDisk
from tests.unit.store.helpers import begin, content

LOST = Header("visit", "v1", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sealed journal: header, six inserts, seal."""
    db = begin(tmp_path / "v1.jnl")
    for n in range(6):
        db.insert({"n": n})
    db.seal({"signature": "signed"})
    return db.path


def tale(saved: Saved) -> SalvageRecord:
    return SalvageRecord(
        at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
        source="v1.jnl.damaged-1",
        sha256=saved.sha256,
        lines_in_place=saved.lines_in_place,
        lines_after_damage=saved.lines_after_damage,
        gaps=saved.gaps,
        closed=saved.seal is not None,
    )


def replaced(path: Path) -> Saved:
    """Salvage in place."""
    saved = read_saved(path, LOST)
    put_in_place(path, saved.data, saved.journal([salvage_op(1, tale(saved))]), QuickDisk())
    return saved


def numbers(path: Path) -> list[object]:
    return [document["n"] for document in JournalDB.open_read(path)]


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_everything_but_the_damaged_line_is_saved_and_the_loss_is_told(path: Path) -> None:
    parts = lines(path)
    offset = len(b"".join(parts[:3]))
    parts[3] = parts[3][:90] + b"?" + parts[3][91:]
    path.write_bytes(b"".join(parts))
    rotten = path.read_bytes()

    saved = replaced(path)

    assert saved.gaps == (Gap(offset, len(parts[3])),)
    assert (saved.lines_in_place, saved.lines_after_damage) == (3, 4)
    assert saved.seal is not None
    assert saved.seal.extra == {"signature": "signed"}
    assert numbers(path) == [0, 1, 3, 4, 5]
    new = JournalDB.open_read(path)
    assert (new.kind, new.id, new.sealed) == ("visit", "v1", False)
    assert salvages_of(new) == (tale(saved),)
    assert path.with_name("v1.jnl.damaged-1").read_bytes() == rotten
    assert saved.sha256 == hashlib.sha256(rotten).hexdigest()


def test_what_was_read_is_told_apart_by_what_proves_it(path: Path) -> None:
    parts = lines(path)
    del parts[3]
    path.write_bytes(b"".join(parts))
    saved = read_saved(path, LOST)
    assert [document["n"] for document in saved.documents(proven=True)] == [0, 1]
    assert [document["n"] for document in saved.documents(proven=False)] == [3, 4, 5]


def test_removed_lines_leave_a_gap_of_no_bytes(path: Path) -> None:
    parts = lines(path)
    del parts[2:4]
    path.write_bytes(b"".join(parts))
    assert replaced(path).gaps == (Gap(len(b"".join(parts[:2])), 0),)
    assert numbers(path) == [0, 3, 4, 5]


def test_junk_between_whole_lines_is_told_although_no_line_is_missing(path: Path) -> None:
    parts = lines(path)
    path.write_bytes(b"".join(parts[:3]) + b"junk" + b"".join(parts[3:]))
    assert replaced(path).gaps == (Gap(len(b"".join(parts[:3])), 4),)
    assert numbers(path) == list(range(6))


def test_a_lost_header_does_not_lose_the_rest(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(b"\x00" * 10 + data[10:])
    saved = replaced(path)
    assert (saved.lines_in_place, saved.lines_after_damage, saved.proven) == (0, 7, 0)
    assert numbers(path) == list(range(6))
    assert (JournalDB.open_read(path).kind, JournalDB.open_read(path).id) == ("visit", "v1")


def test_a_torn_tail_and_a_file_of_nothing(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    saved = replaced(path)
    assert (saved.lines_in_place, saved.lines_after_damage, saved.seal) == (7, 0, None)
    assert len(saved.gaps) == 1
    path.write_bytes(bytes(500))
    saved = replaced(path)
    assert (saved.lines_in_place, saved.gaps) == (0, (Gap(0, 500),))
    assert set(content(JournalDB.open_read(path))) == {SALVAGE_TABLE}


def test_a_sound_journal_has_no_gaps(path: Path) -> None:
    saved = read_saved(path, LOST)
    assert (saved.gaps, saved.lines_in_place) == ((), 8)


def test_every_single_damaged_byte_costs_at_most_its_line(path: Path) -> None:
    data = path.read_bytes()
    for place in range(len(data)):
        hit = data[:place].count(b"\n")
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :])
        saved = read_saved(path, LOST)
        assert saved.gaps, place
        new = JournalDB.of_bytes(path, saved.journal())
        assert [document["n"] for document in new] == [n for n in range(6) if n != hit - 1], place


def test_every_damaged_file_is_kept_under_a_name_of_its_own(path: Path) -> None:
    kept = []
    for number in (1, 2, 3):
        parts = lines(path)
        path.write_bytes(b"".join(parts[:1]) + b"x" * number + b"".join(parts[1:]))
        kept.append(path.read_bytes())
        replaced(path)
    found = aside_files(path, "damaged")
    assert [file.name for file in found] == [f"v1.jnl.damaged-{n}" for n in (1, 2, 3)]
    assert [file.read_bytes() for file in found] == kept


@pytest.mark.parametrize(
    ("effect", "nth"), [("write", 1), ("fsync", 1), ("replace", 1), ("write", 2), ("fsync", 2), ("replace", 2)]
)
def test_a_disk_that_is_full_leaves_the_damaged_file_where_it_is(path: Path, effect: str, nth: int) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    rotten = path.read_bytes()
    saved = read_saved(path, LOST)
    new = saved.journal([salvage_op(1, tale(saved))])
    with pytest.raises(DiskFull):
        put_in_place(path, rotten, new, FailingDisk(effect, nth, keep_bytes=7))
    assert path.read_bytes() == rotten
    put_in_place(path, rotten, new, QuickDisk())
    assert path.read_bytes() == new
    assert sorted(os.listdir(path.parent)) == ["v1.jnl", "v1.jnl.damaged-1"], "kept once, and no half file is left"
    assert path.with_name("v1.jnl.damaged-1").read_bytes() == rotten


def test_a_file_that_changed_meanwhile_is_not_replaced(path: Path) -> None:
    with pytest.raises(InternalError):
        put_in_place(path, b"what it held before", b"new", QuickDisk())
    assert [file.name for file in path.parent.iterdir()] == ["v1.jnl"]


def test_nothing_that_is_not_understood_is_salvaged(path: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_saved(tmp_path / "none", LOST)
    whole = path.read_bytes()
    path.write_bytes(whole + frame(scan(whole).head, b'[["burn","t","1",null]]')[0])
    with pytest.raises(StoreDamaged):
        read_saved(path, LOST)
    path.write_bytes(whole + frame(scan(whole).head, b'{"schema":9}')[0])
    with pytest.raises(StoreTooNew):
        read_saved(path, LOST)
    path.write_bytes(frame("0" * 64, b'{"journal":"techtool","schema":9,"kind":"visit","id":"v1"}')[0])
    with pytest.raises(StoreTooNew):
        read_saved(path, LOST)
