"""TinyDB's API on the journal, and what we promise beyond it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tinydb import Query, TinyDB, where
from tinydb.operations import increment
from tinydb.table import Document

from techtool.errors import InternalError, NotFoundError, StoreDamaged, UsageError
from techtool.store.changes import MAX_DEPTH
from techtool.store.db import JournalDB
from techtool.store.frames import frame, scan
from tests.unit.store.disks import QuickDisk
from tests.unit.store.helpers import begin, content


@pytest.fixture
def db(tmp_path: Path) -> JournalDB:
    return begin(tmp_path / "v1.jnl")


def reopened(db: JournalDB) -> JournalDB:
    return JournalDB.open_read(db.path)


# --- one line a write -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "lines"),
    [
        (lambda db: db.insert({"a": 1}), 1),
        (lambda db: db.insert_multiple({"a": n} for n in range(50)), 1),
        (lambda db: db.update({"n": 9}), 1),
        (lambda db: db.update_multiple([({"n": 9}, where("n") == 1), ({"n": 8}, where("n") == 2)]), 1),
        (lambda db: db.upsert({"n": 5, "k": 1}, where("k") == 1), 1),
        (lambda db: db.remove(where("n") > 0), 1),
        (lambda db: db.truncate(), 1),
        (lambda db: db.drop_tables(), 1),
        (lambda db: db.drop_table("_default"), 1),
        (lambda db: db.drop_table("no such table"), 0),
        (lambda db: db.update({"n": 9}, where("n") == 77), 0),
        (lambda db: db.remove(doc_ids=[77]), 0),
        (lambda db: db.insert_multiple([]), 0),
        (lambda db: db.search(where("n") == 1), 0),
        (lambda db: db.table("made", persist_empty=True), 1),
        (lambda db: db.table("not made"), 0),
    ],
)
def test_a_write_is_one_line_and_reads_the_same_again(
    db: JournalDB, write: Callable[[JournalDB], object], lines: int
) -> None:
    db.insert_multiple([{"n": 1}, {"n": 2}])
    before = db.line_count
    write(db)
    assert db.line_count == before + lines
    again = reopened(db)
    assert content(again) == content(db)
    assert (again.head, again.line_count) == (db.head, db.line_count)
    assert db.path.read_bytes().count(b"\n") == db.line_count


def test_a_line_holds_only_what_changed(db: JournalDB) -> None:
    db.insert_multiple({"n": n, "text": "x" * 100} for n in range(500))
    size = db.path.stat().st_size
    db.update(increment("n"), doc_ids=[250])
    assert db.path.stat().st_size - size < 300


def test_table_names_may_be_any_text(db: JournalDB) -> None:
    names = ["", " ", "终端", "a\nb", '"', "../x", "\x00", "_default", "😀", "t" * 500]
    for name in names:
        db.table(name).insert({"name": name})
    assert reopened(db).tables() == set(names)
    for name in names:
        assert reopened(db).table(name).all() == [{"name": name}]
        db.drop_table(name)
    assert reopened(db).tables() == set()


def test_header_names_kind_and_id(tmp_path: Path) -> None:
    db = begin(tmp_path / "x.jnl", kind="index", name="我")
    assert (db.kind, db.id, db.line_count) == ("index", "我", 1)
    assert (reopened(db).kind, reopened(db).id) == ("index", "我")


def test_content_given_at_creation_is_there_and_leaves_no_part_behind(tmp_path: Path) -> None:
    path = tmp_path / "x.jnl"
    JournalDB.create(path, kind="index", id="i", content={"a": {"3": {"n": 1}}, "empty": {}})
    db = JournalDB.open_write(path)
    assert content(db) == {"a": {"3": {"n": 1}}, "empty": {}}
    assert db.table("a").insert({"n": 2}) == 4
    assert [file.name for file in tmp_path.iterdir()] == ["x.jnl"]


# --- what is stored is the store's own ------------------------------------------------------------------------------


def test_nothing_given_or_got_is_the_stored_thing(db: JournalDB) -> None:
    given: dict[str, object] = {"list": [1, {"deep": [2]}], "pair": (1, 2)}
    doc_id = db.insert(given)
    stored = {"list": [1, {"deep": [2]}], "pair": [1, 2]}

    def spoil(document: object) -> None:
        assert isinstance(document, dict)
        document["list"][1]["deep"].append(99)
        document["new"] = 1

    spoil(given)
    query = Query().pair.exists()
    reads: list[Callable[[], dict[str, object]]] = [
        lambda: db.get(doc_id=doc_id),
        lambda: db.get(query),
        lambda: db.get(doc_ids=[doc_id])[0],
        lambda: db.search(query)[0],
        lambda: db.search(query)[0],
        lambda: db.all()[0],
        lambda: next(iter(db)),
        lambda: db._store.read()["_default"][str(doc_id)],
    ]
    for get in reads:
        got = get()
        assert got == stored
        spoil(got)
    fields: dict[str, object] = {"more": [1]}
    db.update(fields, doc_ids=[doc_id])
    fields["more"] = [2]
    assert db.all() == [{**stored, "more": [1]}]
    assert reopened(db).all() == db.all()


def test_an_update_that_raises_half_way_changes_nothing(db: JournalDB) -> None:
    db.insert_multiple([{"list": [1]}, {"list": [2]}, {"no": "list"}])
    before = content(db)

    def edit(document: dict[str, list[int]]) -> None:
        document["list"].append(0)

    with pytest.raises(KeyError):
        db.update(edit)
    with pytest.raises(KeyError):
        db.update_multiple([(edit, where("list").exists()), (edit, where("no").exists())])
    assert content(db) == before == content(reopened(db))


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (math.nan, ValueError),
        (-math.inf, ValueError),
        ("\ud800", ValueError),
        ({1: "a"}, TypeError),
        (b"bytes", TypeError),
        ({1, 2}, TypeError),
        (datetime(2026, 1, 1, tzinfo=UTC), TypeError),
        (object(), TypeError),
    ],
)
def test_what_json_would_alter_is_refused(db: JournalDB, value: object, error: type[Exception]) -> None:
    db.insert({"n": 1})
    before = db.path.read_bytes()
    writes: list[Callable[[], object]] = [
        lambda: db.insert({"v": [value]}),
        lambda: db.insert_multiple([{"fine": 1}, {"v": {"deep": value}}]),
        lambda: db.update({"v": value}),
    ]
    for write in writes:
        with pytest.raises(error):
            write()
    assert db.path.read_bytes() == before
    assert db.all() == [{"n": 1}]


@pytest.mark.parametrize(
    "value",
    [0, -0.0, 1.0, 5e-324, 1.7976931348623157e308, 2**63, -(2**80), True, None, "", "\x00\u2028\x7f", [[], {}], "😀"],
)
def test_values_come_back_exactly(db: JournalDB, value: object) -> None:
    db.insert({"v": value})
    for got in (db.all()[0]["v"], reopened(db).all()[0]["v"]):
        assert repr(got) == repr(value)


def test_true_and_one_are_not_the_same(db: JournalDB) -> None:
    db.insert({"v": 1})
    db.update({"v": True})
    assert repr(reopened(db).all()) == "[{'v': True}]"


def test_a_document_as_deep_as_allowed_reads_back_and_one_deeper_is_refused(db: JournalDB) -> None:
    def nested(depth: int) -> dict[str, object]:
        document: dict[str, object] = {}
        for _ in range(depth):
            document = {"d": document}
        return document

    db.insert(nested(MAX_DEPTH))
    assert reopened(db).all() == [nested(MAX_DEPTH)]
    with pytest.raises(ValueError, match="deep"):
        db.insert(nested(MAX_DEPTH + 1))
    with pytest.raises(ValueError, match="deep"):
        db.insert(nested(100_000))


# --- transactions ---------------------------------------------------------------------------------------------------


def test_a_transaction_is_one_line_over_tables_and_sees_itself(db: JournalDB) -> None:
    steps, backups = db.table("steps"), db.table("backups")
    steps.insert({"n": 1})
    before = db.line_count
    with db.transaction():
        assert steps.insert({"n": 2, "pair": (1, 2)}) == 2
        steps.update({"state": "done"}, where("n") == 2)
        backups.insert({"of": 2})
        steps.update({"state": "gone"}, doc_ids=[1])
        steps.remove(doc_ids=[1])
        assert steps.all() == [{"n": 2, "pair": [1, 2], "state": "done"}]
        assert steps.count(where("n") == 2) == 1
        assert len(steps) == 1
        assert db.tables() == {"steps", "backups"}
        assert content(reopened(db)) == {"steps": {"1": {"n": 1}}}
    assert db.line_count == before + 1
    assert content(db) == content(reopened(db))
    assert backups.all() == [{"of": 2}]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_transaction_that_raises_writes_nothing_and_takes_back_memory(
    db: JournalDB, error: type[BaseException]
) -> None:
    steps = db.table("steps")
    db.table("old").insert({"n": 0})
    steps.insert_multiple([{"n": 1}, {"n": 2}, {"n": 3}])
    steps.remove(doc_ids=[3])
    assert steps.search(where("n") == 1)
    before, data = content(db), db.path.read_bytes()

    def half_done() -> None:
        with db.transaction():
            steps.update({"n": 9})
            steps.insert({"n": 3})
            steps.remove(doc_ids=[1])
            db.drop_table("old")
            db.table("new").insert({})
            steps.truncate()
            assert steps.search(where("n") == 1) == []
            raise error

    with pytest.raises(error):
        half_done()
    assert content(db) == before
    assert db.path.read_bytes() == data
    assert db.tables() == {"old", "steps"}
    assert db.table("steps") is steps
    assert [document.doc_id for document in steps.search(where("n") == 1)] == [1]
    assert steps.insert({"n": 4}) == 4


def test_a_failed_statement_within_a_transaction_leaves_the_others(db: JournalDB) -> None:
    with db.transaction():
        db.insert({"n": 1})
        with pytest.raises(ValueError, match="exists"):
            db.insert_multiple([{"n": 2}, Document({"n": 3}, doc_id=1)])
        db.insert({"n": 4})
    assert [document["n"] for document in reopened(db)] == [1, 4]


def test_a_transaction_without_changes_writes_nothing(db: JournalDB) -> None:
    before = db.line_count
    with db.transaction():
        db.all()
        db.insert({"n": 1})
        db.drop_tables()
    assert db.line_count == before
    assert db.tables() == set()


def test_dropped_and_made_again_within_a_transaction(db: JournalDB) -> None:
    db.insert_multiple([{"n": 1}, {"n": 2}])
    with db.transaction():
        db.drop_table("_default")
        assert db.all() == []
        assert db.insert({"n": 3}) == 1
    assert content(db) == {"_default": {"1": {"n": 3}}} == content(reopened(db))


def test_a_second_transaction_inside_is_refused_and_the_first_goes_on(db: JournalDB) -> None:
    with db.transaction():
        db.insert({"n": 1})
        with pytest.raises(InternalError), db.transaction():
            pass
        db.insert({"n": 2})
    assert len(reopened(db)) == 2


def test_transactions_of_two_stores_may_overlap(tmp_path: Path) -> None:
    one, two = begin(tmp_path / "1.jnl"), begin(tmp_path / "2.jnl")
    with one.transaction(), two.transaction():
        one.insert({"n": 1})
        two.insert({"n": 2})
        one.insert({"n": 3})
    assert (len(reopened(one)), len(reopened(two))) == (2, 1)


async def test_another_task_cannot_slip_into_an_open_transaction(db: JournalDB) -> None:
    import asyncio

    inside, over = asyncio.Event(), asyncio.Event()

    async def waits_inside() -> None:
        with db.transaction():
            db.insert({"n": 1})
            inside.set()
            await over.wait()

    task = asyncio.create_task(waits_inside())
    await inside.wait()
    assert db.all() == []
    assert db.count(where("n") == 1) == 0
    with pytest.raises(InternalError):
        db.insert({"n": 2})
    over.set()
    await task
    assert db.count(where("n") == 1) == 1
    assert content(db) == content(reopened(db)) == {"_default": {"1": {"n": 1}}}


# --- sealing --------------------------------------------------------------------------------------------------------


def test_a_sealed_journal_says_so_and_refuses_every_write(db: JournalDB) -> None:
    db.insert({"n": 1})
    head, count = db.head, db.line_count
    final = db.seal({"signature": "abc", "key": {"id": 1}})
    data = db.path.read_bytes()
    for sealed in (db, reopened(db), JournalDB.open_write(db.path)):
        assert sealed.sealed
        assert sealed.head == final != head
        assert sealed.line_count == count + 1
        seal = sealed.seal_record
        assert seal is not None
        assert (seal.count, seal.head, seal.extra) == (count, head, {"signature": "abc", "key": {"id": 1}})
        assert sealed.all() == [{"n": 1}]
        writes: list[Callable[[JournalDB], object]] = [
            lambda db: db.insert({"n": 2}),
            lambda db: db.update({"n": 2}),
            lambda db: db.truncate(),
            lambda db: db.transaction().__enter__(),
            JournalDB.drop_tables,
            JournalDB.seal,
        ]
        for write in writes:
            with pytest.raises(UsageError):
                write(sealed)
    assert db.path.read_bytes() == data


def test_an_open_journal_is_not_sealed(db: JournalDB) -> None:
    assert not db.sealed
    assert db.seal_record is None
    with pytest.raises(InternalError), db.transaction():
        db.seal()
    assert not db.sealed
    db.insert({"n": 1})


def test_what_follows_a_seal_is_damage(db: JournalDB) -> None:
    db.insert({"n": 1})
    final = db.seal()
    line, _head = frame(final, b'[["put","_default","2",{"n":2}]]')
    with db.path.open("ab") as file:
        file.write(line)
    with pytest.raises(StoreDamaged):
        reopened(db)


@pytest.mark.parametrize("seal", [{"count": 1}, {"head": "0" * 64}])
def test_a_seal_that_names_another_journal_is_damage(db: JournalDB, seal: dict[str, object]) -> None:
    db.insert({"n": 1})
    payload = json.dumps({"seal": {"count": db.line_count, "head": db.head, **seal}}, separators=(",", ":")).encode()
    line, _head = frame(scan(db.path.read_bytes()).head, payload)
    with db.path.open("ab") as file:
        file.write(line)
    with pytest.raises(StoreDamaged):
        reopened(db)


def test_a_sealed_file_is_never_touched_not_even_its_torn_tail(db: JournalDB) -> None:
    db.insert({"n": 1})
    final = db.seal()
    db.path.write_bytes(db.path.read_bytes() + b"junk")
    data = db.path.read_bytes()
    again = JournalDB.open_write(db.path)
    assert (again.head, again.dirty_tail, again.torn_file) == (final, None, None)
    assert db.path.read_bytes() == data


# --- opening and leaving --------------------------------------------------------------------------------------------


def test_a_reader_never_writes(db: JournalDB) -> None:
    db.insert({"n": 1})
    reader = reopened(db)
    assert not reader.writable
    writes: list[Callable[[], object]] = [lambda: reader.insert({}), reader.seal, reader.drop_tables]
    for write in writes:
        with pytest.raises(InternalError):
            write()
    assert reader.all() == [{"n": 1}]


def test_after_close_it_can_be_read_but_not_written(db: JournalDB) -> None:
    with db:
        db.insert({"n": 1})
    db.close()
    assert db.all() == [{"n": 1}]
    assert db.line_count == 2
    with pytest.raises(InternalError):
        db.insert({"n": 2})


def test_a_journal_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for opens in (JournalDB.open_read, JournalDB.open_write):
        with pytest.raises(NotFoundError):
            opens(tmp_path / "none.jnl")
    assert list(tmp_path.iterdir()) == []


def test_stock_tinydb_opens_the_copy(db: JournalDB, tmp_path: Path) -> None:
    db.insert_multiple([{"text": "终端 “A920” é 😀 \u2028", "deep": [{"n": 1.5}, None, True]}, {"n": 2}])
    db.table("表").insert(Document({"x": []}, doc_id=7))
    db.table("empty", persist_empty=True)
    copy = tmp_path / "copy.json"
    db.to_tinydb(copy)
    for encoding in ("ascii", "cp936", "utf-8"):
        with TinyDB(copy, encoding=encoding) as stock:
            assert stock.tables() == db.tables()
            for name in db.tables():
                assert stock.table(name).all() == db.table(name).all()
                assert [d.doc_id for d in stock.table(name)] == [d.doc_id for d in db.table(name)]
    with TinyDB(copy) as stock:
        assert stock.insert({"goes": "on"}) == 3
    reopened(db).to_tinydb(copy, QuickDisk())
    assert json.loads(copy.read_bytes()) == content(db)


def test_storages_contract_read_and_write(db: JournalDB) -> None:
    db.insert({"n": 1})
    db.table("gone").insert({})
    data = db.storage.read()
    assert data == {"_default": {"1": {"n": 1}}, "gone": {"1": {}}}
    del data["gone"]
    data["_default"]["5"] = {"n": 5}
    assert db.tables() == {"_default", "gone"}
    db.storage.write(data)
    assert db.storage.read() == data == content(reopened(db))
