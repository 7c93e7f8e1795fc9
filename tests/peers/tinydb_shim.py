"""The conftest of TinyDB's own test suite when it runs against our journal: its ``TinyDB`` is a :class:`JournalDB`.

Only tests that bring another storage class of their own (they test TinyDB itself) get the stock class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from tinydb import JSONStorage, TinyDB
from tinydb.storages import MemoryStorage, Storage

from techtool.store.db import JournalDB

Opener = Callable[..., TinyDB]


def opened(path: Path) -> JournalDB:
    """The journal at ``path``, made when it is not there: what ``TinyDB(path)`` does."""
    if not path.exists():
        JournalDB.create(path, kind="suite", id=path.name)
    return JournalDB.open_write(path)


@pytest.fixture(autouse=True)
def ours(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> Iterator[Opener]:
    """Stand in for ``TinyDB`` in the test's module; the report says how often our journal was opened."""
    numbers = count(1)
    journals: list[JournalDB] = []

    def stand_in(*args: object, storage: type[Storage] | None = None, **options: object) -> TinyDB:
        if storage is MemoryStorage:
            journals.append(opened(tmp_path / f"memory-{next(numbers)}.jnl"))
        elif storage in (None, JSONStorage):
            journals.append(opened(Path(str(args[0]))))
        else:
            return TinyDB(*args, storage=storage, **options)
        return journals[-1]

    monkeypatch.setattr(request.module, "TinyDB", stand_in, raising=False)
    yield stand_in
    for journal in journals:
        journal.close()
    record_property("journals", len(journals))


@pytest.fixture
def db(ours: Opener) -> TinyDB:
    """TinyDB's own fixture of that name, on a journal."""
    database = ours(storage=MemoryStorage)
    database.drop_tables()
    database.insert_multiple({"int": 1, "char": c} for c in "abc")
    return database
