"""Whatever is done, in any order, the journal holds what stock TinyDB holds in memory, and so does the file."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tinydb import TinyDB, where
from tinydb.operations import add, delete, increment
from tinydb.storages import MemoryStorage
from tinydb.table import Document

from techtool.store.db import JournalDB
from tests.unit.store.disks import QuickDisk

KEYS = st.sampled_from(["a", "b", "n", "键"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
).filter(lambda value: "\ud800" not in str(value))
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=3)
TABLES = st.sampled_from(["_default", "steps", "表\n"])
IDS = st.integers(min_value=1, max_value=8)


class _Abort(Exception):
    pass


def outcome(work: Callable[[], object]) -> object:
    """What a call gave, or how it failed."""
    try:
        return work()
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        return type(error)


class Comparison(RuleBasedStateMachine):
    """The same calls to both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "v1.jnl"

    @initialize()
    def begin(self) -> None:
        JournalDB.create(self.path, QuickDisk(), kind="visit", id="v1")
        self.ours = JournalDB.open_write(self.path, QuickDisk())
        self.memory: MemoryStorage = MemoryStorage()  # type: ignore[no-untyped-call]
        self.stock = TinyDB(storage=lambda: self.memory)

    def both(self, work: Callable[[TinyDB], object]) -> None:
        """Do it to both; a failing call must fail in both, and leave nothing behind in ours."""
        before = self.ours.storage.read()
        result = outcome(lambda: work(self.ours))
        memory = copy.deepcopy(self.memory.memory)
        expected = outcome(lambda: work(self.stock))
        assert result == expected
        if isinstance(expected, type):
            # Stock keeps what was done before the failure; ours is all or nothing.
            assert self.ours.storage.read() == before
            self.memory.memory = memory
            self.stock.clear_cache()
            for table in self.stock._tables.values():
                table.clear_cache()

    @rule(table=TABLES, document=DOCUMENTS)
    def insert(self, table: str, document: dict[str, object]) -> None:
        self.both(lambda db: db.table(table).insert(copy.deepcopy(document)))

    @rule(table=TABLES, document=DOCUMENTS, doc_id=IDS)
    def insert_with_id(self, table: str, document: dict[str, object], doc_id: int) -> None:
        self.both(lambda db: db.table(table).insert(Document(copy.deepcopy(document), doc_id)))

    @rule(table=TABLES, documents=st.lists(DOCUMENTS, max_size=3))
    def insert_multiple(self, table: str, documents: list[dict[str, object]]) -> None:
        self.both(lambda db: db.table(table).insert_multiple(copy.deepcopy(d) for d in documents))

    @rule(table=TABLES, fields=DOCUMENTS, ids=st.lists(IDS, max_size=3))
    def update_ids(self, table: str, fields: dict[str, object], ids: list[int]) -> None:
        self.both(lambda db: db.table(table).update(copy.deepcopy(fields), doc_ids=ids))

    @rule(table=TABLES, fields=DOCUMENTS, key=KEYS)
    def update_where(self, table: str, fields: dict[str, object], key: str) -> None:
        self.both(lambda db: db.table(table).update(copy.deepcopy(fields), where(key).exists()))

    @rule(table=TABLES, key=KEYS, operation=st.sampled_from(["increment", "delete", "add"]))
    def update_with(self, table: str, key: str, operation: str) -> None:
        how = {"increment": increment(key), "delete": delete(key), "add": add(key, 2)}[operation]
        self.both(lambda db: db.table(table).update(how, where(key).exists()))

    @rule(table=TABLES, one=KEYS, two=KEYS, fields=DOCUMENTS)
    def update_multiple(self, table: str, one: str, two: str, fields: dict[str, object]) -> None:
        self.both(
            lambda db: db.table(table).update_multiple(
                [(copy.deepcopy(fields), where(one).exists()), (delete(two), where(two).exists())]
            )
        )

    @rule(table=TABLES, document=DOCUMENTS, key=KEYS, value=VALUES)
    def upsert(self, table: str, document: dict[str, object], key: str, value: object) -> None:
        self.both(lambda db: db.table(table).upsert(copy.deepcopy(document), where(key) == value))

    @rule(table=TABLES, document=DOCUMENTS, doc_id=IDS)
    def upsert_id(self, table: str, document: dict[str, object], doc_id: int) -> None:
        self.both(lambda db: db.table(table).upsert(Document(copy.deepcopy(document), doc_id)))

    @rule(table=TABLES, ids=st.lists(IDS, max_size=3, unique=True))
    def remove_ids(self, table: str, ids: list[int]) -> None:
        self.both(lambda db: db.table(table).remove(doc_ids=ids))

    @rule(table=TABLES, key=KEYS)
    def remove_where(self, table: str, key: str) -> None:
        self.both(lambda db: db.table(table).remove(where(key).exists()))

    @rule(table=TABLES)
    def truncate(self, table: str) -> None:
        self.both(lambda db: db.table(table).truncate())

    @rule(table=TABLES)
    def drop_table(self, table: str) -> None:
        self.both(lambda db: db.drop_table(table))

    @rule()
    def drop_tables(self) -> None:
        self.both(lambda db: db.drop_tables())

    @rule(table=TABLES)
    def persist_empty(self, table: str) -> None:
        if table not in self.stock._tables:
            self.both(lambda db: db.table(table, persist_empty=True).name)

    @rule(table=TABLES, other=TABLES, document=DOCUMENTS, ids=st.lists(IDS, max_size=2), drop=st.booleans())
    def transaction(self, table: str, other: str, document: dict[str, object], ids: list[int], drop: bool) -> None:
        def work(db: TinyDB) -> None:
            db.table(table).insert(copy.deepcopy(document))
            db.table(other).update({"t": [1]}, doc_ids=ids)
            db.table(table).remove(doc_ids=ids[:1])
            if drop:
                db.drop_table(other)
            db.table(other).insert_multiple([{"last": 1}, copy.deepcopy(document)])

        lines = self.ours.line_count
        with self.ours.transaction():
            work(self.ours)
        work(self.stock)
        assert self.ours.line_count == lines + 1

    @rule(table=TABLES, document=DOCUMENTS, ids=st.lists(IDS, max_size=2), drop=st.booleans())
    def taken_back(self, table: str, document: dict[str, object], ids: list[int], drop: bool) -> None:
        data = self.path.read_bytes()
        try:
            with self.ours.transaction():
                self.ours.table(table).insert(document)
                self.ours.table(table).update({"t": [1]}, doc_ids=ids)
                if drop:
                    self.ours.drop_tables()
                self.ours.table(table).insert(document)
                raise _Abort
        except _Abort:
            pass
        assert self.path.read_bytes() == data

    @precondition(lambda self: self.ours.line_count > 3)
    @rule()
    def reopen(self) -> None:
        self.ours.close()
        self.ours = JournalDB.open_write(self.path, QuickDisk())
        self.stock = TinyDB(storage=lambda: self.memory)

    @rule(key=KEYS, value=VALUES)
    def ask(self, key: str, value: object) -> None:
        for query in (where(key) == value, where(key).exists(), where(key) != value):
            for table in self.stock.tables():
                ours, stock = self.ours.table(table), self.stock.table(table)
                assert ours.search(query) == stock.search(query)
                assert ours.get(query) == stock.get(query)
                assert ours.count(query) == stock.count(query)
                assert ours.contains(query) == stock.contains(query)

    @invariant()
    def same(self) -> None:
        on_disk = JournalDB.open_read(self.path)
        memory: Mapping[str, Mapping[str, object]] = self.memory.memory or {}
        for db in (self.ours, on_disk):
            assert db.tables() == set(memory)
            for name in memory:
                found = db.table(name).all()
                expected = self.stock.table(name).all()
                assert [(d.doc_id, repr(sorted_keys(d))) for d in found] == [
                    (d.doc_id, repr(sorted_keys(d))) for d in expected
                ]
                assert len(db.table(name)) == len(expected)
        assert on_disk.head == self.ours.head

    def teardown(self) -> None:
        if hasattr(self, "ours"):
            self.ours.close()
        self.folder.cleanup()


def sorted_keys(value: object) -> object:
    """So that ``repr`` tells 1 from True and 1.0 but not one order of keys from another."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sorted_keys(item) for item in value]
    return value


TestComparison = Comparison.TestCase
TestComparison.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, derandomize=True)
