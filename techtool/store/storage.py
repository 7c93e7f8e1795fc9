"""The tables of one journal in memory, and the one way they change: encode → write → fsync → apply."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from tinydb.storages import Storage

from techtool.domain.codec import CodecError
from techtool.domain.schema import VISIT, newest
from techtool.errors import InternalError, StoreKeyMissing, UsageError
from techtool.i18n import phrase, raw
from techtool.store.changes import (
    NOTHING,
    Fields,
    Op,
    Overlay,
    Tables,
    apply,
    change,
    copied,
    decode_ops,
    encode_ops,
    ops_for,
)
from techtool.store.journal import Header, Journal, Place, Reading, Seal, damaged
from techtool.store.keys import Keys
from techtool.store.migrations import replay, schema_line
from techtool.store.sealing import Sealer


class _Pending:
    """A transaction that is open."""

    def __init__(self) -> None:
        self.tables: dict[str, Overlay] = {}


_mine: Final[ContextVar[tuple[_Pending, ...]]] = ContextVar("techtool_transactions", default=())
"""The transactions this thread or task opened: another task of the same thread must not slip into one."""


class JournalStorage(Storage):
    """A TinyDB storage that records what changed instead of everything.

    ``lock`` guards all of it for threads; whoever writes what depends on what was read holds it over both.
    """

    def __init__(self, path: Path, reading: Reading, journal: Journal | None, keys: Keys | None = None) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.header: Header = reading.header
        self.seal: Seal | None = reading.seal
        self.tail = reading.tail
        self.set_aside: Path | None = journal.set_aside if journal else None
        self._place = reading.place
        self._journal = journal
        self._open: _Pending | None = None
        self._tables: Tables = {}
        self._sealer = sealer = Sealer(self.header.kind, self.header.id, keys)
        self._learned = False
        try:
            self._schema = replay(
                self.header.kind, self.header.schema, reading.payloads, self._tables, sealer.open_tables
            )
        except CodecError as error:
            raise damaged(path, raw(str(error))) from error

    @property
    def place(self) -> Place:
        """Count and head of what is on disk."""
        return self._journal.place if self._journal else self._place

    @property
    def writable(self) -> bool:
        """Whether the journal is open for writing."""
        return self._journal is not None

    # --- reading -----------------------------------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        """Whether words of it could not be opened: what is read then has their masks."""
        return self._sealer.locked

    @property
    def in_transaction(self) -> bool:
        """Whether one is open, the caller's or another's: then what is read now may never be true."""
        return self._open is not None

    def names(self) -> set[str]:
        """The tables there are."""
        with self.lock:
            names = set(self._tables)
            for name, overlay in self._visible().items():
                (names.add if overlay.exists else names.discard)(name)
            return names

    def view(self, name: str) -> Mapping[str, Fields]:
        """The documents of a table as the caller may see them; not to be changed, not to be kept."""
        found = self._existing(name)
        return NOTHING if found is None else found

    def read(self) -> dict[str, dict[str, Fields]]:
        """A copy of everything, in TinyDB's shape."""
        with self.lock:
            return {
                name: {key: copied(document) for key, document in self.view(name).items()}
                for name in sorted(self.names())
            }

    def _visible(self) -> dict[str, Overlay]:
        return self._open.tables if self._open and self._is_mine(self._open) else {}

    def _is_mine(self, pending: _Pending) -> bool:
        return any(mine is pending for mine in _mine.get())

    def _existing(self, name: str) -> Mapping[str, Fields] | None:
        overlay = self._visible().get(name)
        if overlay is not None:
            return overlay if overlay.exists else None
        return self._tables.get(name)

    # --- writing -----------------------------------------------------------------------------------------------

    @contextmanager
    def statement(self, name: str) -> Iterator[Overlay]:
        """Edit one table, which exists afterwards; recorded when the block ends, forgotten when it raises."""
        with self.lock:
            self._refuse_unless_writable()
            overlay = Overlay(self._existing(name))
            overlay.exists = True
            yield overlay
            self._keep(overlay.ops(name))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all statements of the block one line: one fsync, all or nothing.

        Do not wait for anything inside. A statement of another task meanwhile is refused, as is a second transaction.
        """
        with self.lock:
            self._refuse_unless_writable()
            if self._open is not None:
                raise InternalError(kind="TransactionOpen", detail=str(self.path))
            self._open = pending = _Pending()
            token = _mine.set((*_mine.get(), pending))
            try:
                yield
                self._commit([op for name, overlay in pending.tables.items() for op in overlay.ops(name)])
            finally:
                self._open = None
                _mine.reset(token)

    def drop(self, names: Iterable[str]) -> None:
        """Take tables away, in one line."""
        with self.lock:
            self._refuse_unless_writable()
            there = self.names()
            self._keep([("drop", name, "", None) for name in names if name in there])

    def write(self, data: Mapping[str, Mapping[str, Mapping[str, object]]]) -> None:
        """Replace everything, as TinyDB's contract for storages asks; our tables never need it."""
        with self.lock:
            self._refuse_unless_writable()
            self._keep([("drop", name, "", None) for name in sorted(self.names())] + list(ops_for(data)))

    def append_seal(self, extra: Mapping[str, object]) -> Seal:
        """Close the journal for good."""
        with self.lock:
            journal = self._refuse_unless_writable()
            if self._open is not None:
                raise InternalError(kind="TransactionOpen", detail=str(self.path))
            self.seal = journal.append_seal(extra)
            self.close()
            return self.seal

    def close(self) -> None:
        """Let go of the file; what was read stays readable."""
        with self.lock:
            if self._journal:
                self._place = self._journal.place
                self._journal.close()
                self._journal = None

    def _refuse_unless_writable(self) -> Journal:
        if self.seal is not None:
            raise UsageError(
                problem=phrase(
                    "The record {path} is closed and sealed; a correction is a new visit.", path=str(self.path)
                )
            )
        if self._journal is None:
            raise InternalError(kind="JournalNotOpenForWriting", detail=str(self.path))
        if self._open is not None and not self._is_mine(self._open):
            raise InternalError(kind="TransactionOfAnotherTask", detail=str(self.path))
        if self.locked and self.header.kind == VISIT:
            raise StoreKeyMissing(visit=self.header.id)
        return self._journal

    def _keep(self, ops: list[Op]) -> None:
        if self._open is None:
            self._commit(ops)
            return
        # Through JSON at once, so that the transaction reads what it would read after it.
        for op in decode_ops([encode_ops(ops)]):
            overlay = self._open.tables.setdefault(op[1], Overlay(self._tables.get(op[1])))
            if op[0] == "drop":
                overlay.drop()
            else:
                change(overlay, op)

    def _commit(self, ops: list[Op]) -> None:
        if not ops:
            return
        journal = self._refuse_unless_writable()
        recorded = list(decode_ops([encode_ops(ops)]))
        payload = encode_ops(self._sealed(recorded))
        self._note_schema(journal)
        before = journal.place
        try:
            journal.append(payload)
        finally:
            # Asked of the journal: an interrupt may arrive between the last byte and here.
            if journal.place is not before:
                apply(recorded, self._tables)

    def _sealed(self, ops: list[Op]) -> list[Op]:
        if not self._learned:
            self._sealer.learn(document for table in self._tables.values() for document in table.values())
            self._learned = True
        return self._sealer.sealed(ops)

    def _note_schema(self, journal: Journal) -> None:
        """Before the first record of today's schema in an older journal, say so in a line of its own."""
        schema = newest(self.header.kind)
        if self._schema < schema:
            journal.append(schema_line(schema))
            self._schema = schema
