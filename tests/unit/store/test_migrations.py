"""What happens when there is a newer schema: rehearsed from 1 to 2 with a step that turns ``txt`` into ``text``.

The numbers are those of the rehearsal, whatever today's are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from techtool.domain import schema
from techtool.errors import StoreDamaged, StoreTooNew
from techtool.paths import Paths
from techtool.store import migrations
from techtool.store.changes import Tables
from techtool.store.db import JournalDB
from techtool.store.frames import frame, scan
from techtool.store.home import Home
from techtool.store.index import Index
from techtool.store.journal import Header
from techtool.store.salvage import read_saved
from tests.unit.store.disks import QuickDisk
from tests.unit.store.helpers import begin
from tests.unit.store.test_index import summary


def as_text(tables: Tables) -> None:
    """Schema 1 said ``txt``; a document that says ``text`` has the new shape already."""
    for document in tables.get("notes", {}).values():
        if "txt" in document:
            document["text"] = document.pop("txt")


EVERY_STEP = dict(migrations.STEPS)
NEWEST = dict(schema.KNOWN)


@pytest.fixture(autouse=True)
def first_techtool() -> Iterator[None]:
    """The techtool of schema 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "KNOWN", {**schema.KNOWN, "visit": 1, "index": 1})
        patch.setattr(migrations, "STEPS", {})
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of schema 1 with two notes."""
    db = begin(tmp_path / "v1.jnl")
    db.table("notes").insert({"txt": "one"})
    db.table("notes").insert({"txt": "two"})
    db.close()
    return db.path


@pytest.fixture
def tomorrow(first_techtool: None, path: Path) -> Iterator[pytest.MonkeyPatch]:
    """The techtool of schema 2; ``undo()`` brings back that of schema 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "KNOWN", {**schema.KNOWN, "visit": 2, "index": 2})
        patch.setattr(migrations, "STEPS", {("visit", 1): as_text, ("index", 1): lambda _tables: None})
        yield patch


def texts(path: Path) -> list[object]:
    return [document["text"] for document in JournalDB.open_read(path).table("notes")]


def test_every_schema_has_a_step_to_the_next() -> None:
    for kind in ("visit", "index"):
        for number in range(schema.OLDEST, NEWEST[kind]):
            assert (kind, number) in EVERY_STEP


@pytest.mark.usefixtures("tomorrow")
def test_an_older_journal_reads_in_todays_shape_and_stays_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    assert texts(path) == ["one", "two"]
    db = JournalDB.open_write(path, QuickDisk())
    assert db.schema == 1
    db.close()
    assert path.read_bytes() == before


def test_what_is_added_is_told_apart_from_what_was_there(path: Path, tomorrow: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    db = JournalDB.open_write(path, QuickDisk())
    db.table("notes").insert({"text": "three", "txt": "a field of schema 2 that only sounds like the old one"})
    db.table("notes").update({"text": "TWO"}, doc_ids=[2])
    db.close()
    data = path.read_bytes()
    assert data.startswith(before)
    payloads = scan(data).payloads
    assert [payload for payload in payloads if payload.startswith(b'{"schema"')] == [b'{"schema":2}']
    assert payloads[3] == b'{"schema":2}', "before the first line of the new schema, and once"
    assert texts(path) == ["one", "TWO", "three"]
    assert JournalDB.open_read(path).table("notes").get(doc_id=3) == {
        "text": "three",
        "txt": "a field of schema 2 that only sounds like the old one",
    }
    tomorrow.undo()
    for opens in (JournalDB.open_read, JournalDB.open_write):
        with pytest.raises(StoreTooNew) as caught:
            opens(path)
        assert (caught.value.params["found"], caught.value.params["known"]) == (2, 1)
    assert path.read_bytes() == data


@pytest.mark.usefixtures("tomorrow")
def test_a_seal_of_schema_1_stands(path: Path) -> None:
    db = JournalDB.open_write(path, QuickDisk())
    head = db.head
    db.seal({"signed_head": head})
    again = JournalDB.open_read(path)
    assert again.seal_record is not None
    assert (again.seal_record.head, again.seal_record.extra) == (head, {"signed_head": head})
    assert texts(path) == ["one", "two"]


@pytest.mark.usefixtures("tomorrow")
def test_a_stop_between_the_schema_line_and_the_record(path: Path) -> None:
    db = JournalDB.open_write(path, QuickDisk())
    db.table("notes").insert({"text": "three"})
    db.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:30])
    assert texts(path) == ["one", "two"]
    db = JournalDB.open_write(path, QuickDisk())
    db.table("notes").insert({"text": "three"})
    db.close()
    assert path.read_bytes().count(b'{"schema":2}') == 1
    assert texts(path) == ["one", "two", "three"]


@pytest.mark.usefixtures("tomorrow")
def test_new_journals_are_of_the_new_schema(tmp_path: Path) -> None:
    db = begin(tmp_path / "v2.jnl")
    db.table("notes").insert({"text": "new"})
    db.close()
    assert JournalDB.open_read(db.path).schema == 2
    assert b'{"schema":2}' not in db.path.read_bytes()
    assert texts(db.path) == ["new"]


def test_a_schema_line_goes_forward_only(path: Path, tomorrow: pytest.MonkeyPatch) -> None:
    def add(*payloads: bytes) -> None:
        data = path.read_bytes()
        head = scan(data).head
        for payload in payloads:
            line, head = frame(head, payload)
            data += line
        path.write_bytes(data)

    add(b'{"schema":2}', b'{"schema":2}')
    assert texts(path) == ["one", "two"]
    before = path.read_bytes()
    for payload in (b'{"schema":1}', b'{"schema":"2"}', b'{"schema":null}'):
        path.write_bytes(before)
        add(payload)
        with pytest.raises(StoreDamaged):
            JournalDB.open_read(path)
    tomorrow.undo()


def test_without_a_step_nothing_is_guessed(path: Path, tomorrow: pytest.MonkeyPatch) -> None:
    tomorrow.setattr(migrations, "STEPS", {})
    with pytest.raises(StoreDamaged, match="no way from schema 1 to 2"):
        JournalDB.open_read(path)


@pytest.mark.usefixtures("tomorrow")
@pytest.mark.parametrize("lost", [1, 3, 4])
def test_salvage_of_a_journal_of_two_schemas(path: Path, lost: int) -> None:
    """Lines: header, note, note, schema line, note. What was written in the new shape stays in it."""
    db = JournalDB.open_write(path, QuickDisk())
    db.table("notes").insert({"text": "three"})
    db.close()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[lost] = b"?" + lines[lost][1:]
    path.write_bytes(b"".join(lines))
    saved = read_saved(path, Header("visit", "v1", 1))
    kept = [text for number, text in ((1, "one"), (2, "two"), (4, "three")) if number != lost]
    assert [document["text"] for document in JournalDB.of_bytes(path, saved.journal()).table("notes")] == kept
    assert [document["text"] for document in saved.tables()["notes"].values()] == kept


def test_an_older_index_is_written_anew(path: Path, tomorrow: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tomorrow.undo()
    home = Home(Paths(tmp_path / "home"), QuickDisk())
    with home.lock("today"):
        Index(home).put_visit(summary(1))
    tomorrow.setattr(schema, "KNOWN", {**schema.KNOWN, "index": 2})
    tomorrow.setattr(migrations, "STEPS", {("index", 1): lambda _tables: None})
    assert Index(home).visits() == [summary(1)]
    assert JournalDB.open_read(home.paths.index).schema == 1, "readers change nothing"
    with home.lock("tomorrow"):
        Index(home).put_visit(summary(2))
    assert JournalDB.open_read(home.paths.index).schema == 2
    assert Index(home).visits() == [summary(1), summary(2)]
    tomorrow.undo()
    with pytest.raises(StoreTooNew), home.lock("today"):
        pass
    with pytest.raises(StoreTooNew):
        Index(home).visits()
