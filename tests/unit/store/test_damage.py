"""What a journal says after it was cut, overwritten or rotted: the committed prefix, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.domain.schema import VISIT, newest
from techtool.errors import StoreDamaged, StoreTooNew
from techtool.store import frames
from techtool.store.db import JournalDB
from techtool.store.frames import frame, scan
from techtool.store.journal import read_journal
from tests.unit.store.disks import QuickDisk
from tests.unit.store.helpers import content, write_sample


def ends(data: bytes) -> list[int]:
    """Where each line ends."""
    return [place + 1 for place, byte in enumerate(data) if byte == 0x0A]


def flipped(data: bytes, place: int, bit: int) -> bytes:
    """``data`` with one bit another."""
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


def test_a_line_has_the_documented_shape(tmp_path: Path) -> None:
    import hashlib
    import zlib

    path = tmp_path / "v1.jnl"
    write_sample(path)
    chain = bytes(32)
    for line in path.read_bytes().splitlines():
        crc, found, payload = line.split(b" ", 2)
        chain = hashlib.sha256(chain + payload).digest()
        assert found == chain.hex().encode()
        assert int(crc, 16) == zlib.crc32(found + b" " + payload)
    assert JournalDB.open_read(path).head == chain.hex()


def test_a_line_feed_cannot_be_smuggled_in() -> None:
    with pytest.raises(ValueError, match="line feed"):
        frame("0" * 64, b"[]\n[]")


def test_cut_at_every_byte_reads_as_the_committed_prefix(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    states = write_sample(path)
    data = path.read_bytes()
    header_end = ends(data)[0]
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        if cut < header_end:
            with pytest.raises(StoreDamaged):
                JournalDB.open_read(path)
            continue
        lines = data[:cut].count(b"\n")
        db = JournalDB.open_read(path)
        assert content(db) == states[lines - 1], cut
        assert db.line_count == lines
        assert path.read_bytes() == data[:cut], "a reader changed the file"


def test_cut_at_every_byte_is_set_aside_told_and_written_on(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    states = write_sample(path)
    data = path.read_bytes()
    torn = tmp_path / "v1.jnl.torn-1"
    for cut in range(ends(data)[0], len(data) + 1):
        path.write_bytes(data[:cut])
        whole = data[: data[:cut].rfind(b"\n") + 1]
        db = JournalDB.open_write(path, QuickDisk())
        assert path.read_bytes() == whole
        if cut == len(whole):
            assert db.dirty_tail is None
            assert not torn.exists()
        else:
            assert db.dirty_tail == data[len(whole) : cut]
            assert db.torn_file == torn
            assert torn.read_bytes() == db.dirty_tail
            torn.unlink()
        db.table("steps").insert({"after": "repair"})
        db.close()
        again = JournalDB.open_read(path)
        expected = states[whole.count(b"\n") - 1]
        documents = list(content(again)["steps"].values())
        assert documents == [*expected.get("steps", {}).values(), {"after": "repair"}]


@pytest.mark.parametrize(
    "junk",
    [bytes(700), b"\xff" * 700, b"x" + b"\n" * 50, b"00000000 " * 90, bytes(range(256)) * 2],
    ids=["zeros", "ones", "line feeds", "digits", "all bytes"],
)
def test_a_junk_tail_from_any_byte_of_the_last_line_is_no_record(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "v1.jnl"
    states = write_sample(path)
    data = path.read_bytes()
    last = ends(data)[-2]
    for cut in range(last, len(data)):
        path.write_bytes(data[:cut] + junk)
        assert content(JournalDB.open_read(path)) == states[-2]
    path.write_bytes(data + junk)
    assert content(JournalDB.open_read(path)) == states[-1]
    db = JournalDB.open_write(path, QuickDisk())
    assert db.dirty_tail == junk
    assert path.read_bytes() == data


def test_earlier_torn_files_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    write_sample(path)
    for number in (1, 2, 3):
        with path.open("ab") as file:
            file.write(b"torn %d" % number)
        db = JournalDB.open_write(path, QuickDisk())
        db.close()
        assert db.torn_file == tmp_path / f"v1.jnl.torn-{number}"
    assert (tmp_path / "v1.jnl.torn-2").read_bytes() == b"torn 2"


def test_one_flipped_bit_is_refused_or_only_ever_costs_the_last_line(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    states = write_sample(path)
    data = path.read_bytes()
    last = ends(data)[-2]
    for place in range(len(data)):
        path.write_bytes(flipped(data, place, place % 8))
        if place < last:
            with pytest.raises(StoreDamaged):
                JournalDB.open_read(path)
        else:
            db = JournalDB.open_read(path)
            assert content(db) == states[-2], place
            assert db.line_count == len(states) - 1


def test_no_bit_anywhere_makes_another_line(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    write_sample(path)
    data = path.read_bytes()
    last = ends(data)[-2]
    true = scan(data).payloads
    for place in range(len(data)):
        for bit in range(8):
            found = scan(flipped(data, place, bit))
            assert found.payloads == true[: data[:place].count(b"\n")], (place, bit)
            assert found.damaged is (place < last), (place, bit)


def test_a_damaged_file_is_left_as_it_is_and_the_message_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    write_sample(path)
    data = bytearray(path.read_bytes())
    place = ends(bytes(data))[2]
    data[place + 80] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreDamaged) as caught:
        JournalDB.open_write(path, QuickDisk())
    assert str(place) in caught.value.what_phrase.text("en")
    assert path.read_bytes() == bytes(data)
    assert [p.name for p in tmp_path.iterdir()] == ["v1.jnl"]


@pytest.mark.parametrize("change", ["remove", "swap", "repeat", "move-last"])
def test_lines_removed_or_moved_are_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "v1.jnl"
    write_sample(path)
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "remove":
        del lines[3]
    elif change == "swap":
        lines[3], lines[4] = lines[4], lines[3]
    elif change == "repeat":
        lines.insert(3, lines[2])
    else:
        lines.insert(2, lines.pop())
    path.write_bytes(b"".join(lines))
    with pytest.raises(StoreDamaged):
        JournalDB.open_read(path)


def test_a_rotted_line_feed_before_the_last_line_is_damage_not_a_tail(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    write_sample(path)
    data = bytearray(path.read_bytes())
    data[ends(bytes(data))[-2] - 1] = 0x20
    path.write_bytes(data)
    with pytest.raises(StoreDamaged):
        JournalDB.open_write(path, QuickDisk())


def test_a_newer_techtools_journal_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    line, _head = frame("0" * 64, b'{"journal":"techtool","schema":7,"kind":"visit","id":"v1","more":1}')
    path.write_bytes(line)
    for data in (line, line + b"torn", line + b"?" + frame(_head, b"[]")[0]):
        path.write_bytes(data)
        with pytest.raises(StoreTooNew) as caught:
            JournalDB.open_read(path)
        assert (caught.value.params["found"], caught.value.params["known"]) == (7, newest(VISIT))


@pytest.mark.parametrize(
    "payload",
    [
        b'{"journal":"another","schema":1,"kind":"visit","id":"v1"}',
        b'{"schema":1}',
        b"[1]",
        b"not json",
    ],
)
def test_a_first_line_that_is_no_header_is_refused(tmp_path: Path, payload: bytes) -> None:
    path = tmp_path / "v1.jnl"
    path.write_bytes(frame("0" * 64, payload)[0])
    with pytest.raises(StoreDamaged):
        JournalDB.open_read(path)


@pytest.mark.parametrize(
    "payload",
    [
        b'[["burn","steps","1",null]]',
        b'[["put","steps","1",null]]',
        b'[["del","steps","1",{}]]',
        b'[["put","steps",1,{}]]',
        b'[["put","steps"]]',
        b'{"seal":{"count":9,"head":"00"}}',
        b"[NaN]",
        b"",
    ],
)
def test_a_whole_line_that_is_not_understood_is_refused_not_skipped(tmp_path: Path, payload: bytes) -> None:
    path = tmp_path / "v1.jnl"
    write_sample(path)
    line, _head = frame(scan(path.read_bytes()).head, payload)
    with path.open("ab") as file:
        file.write(line)
    with pytest.raises(StoreDamaged):
        JournalDB.open_read(path)


def test_a_picture_taken_while_a_failed_line_is_replaced_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "v1.jnl"
    write_sample(path)
    data = path.read_bytes()
    cut = ends(data)[-2]
    pictures = [data[:cut] + b"half a line that was taken back " + data[cut:], data]
    monkeypatch.setattr(Path, "read_bytes", lambda _self: pictures.pop(0))
    assert read_journal(path).place.count == len(ends(data))


def test_a_file_made_of_beginnings_is_read_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's stick: with every beginning tried to the line's end, 64 MB of them take hours."""
    looked_at: list[int] = []

    def whole(line: bytes) -> bool:
        looked_at.append(len(line))
        return False

    monkeypatch.setattr(frames, "_whole", whole)
    hostile = (b"deadbeef " + b"0" * 64 + b" ") * 5_000 + b"\n"
    scan(hostile * 2)
    assert sum(looked_at) < 150 * 2 * len(hostile)
