"""TinyDB's API over a journal: every write is on disk when the call returns, or did not happen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self, cast

from tinydb import TinyDB

from techtool.domain.codec import encode_json
from techtool.paths import DISK, Disk
from techtool.store.changes import decode_ops, encode_ops, ops_for
from techtool.store.frames import scan
from techtool.store.journal import Header, Journal, Seal, interpret, read_journal
from techtool.store.keys import Keys
from techtool.store.sealing import Sealer
from techtool.store.storage import JournalStorage
from techtool.store.table import JournalTable


class JournalDB(TinyDB):
    """A TinyDB whose storage is a journal. ``with db.transaction():`` makes several writes one line.

    Threads may share it. Of the API only the constructor differs: :meth:`create`, :meth:`open_write`,
    :meth:`open_read`. Documents must be JSON as they stand: what JSON would alter (NaN, bytes, keys that are no text)
    is a ``ValueError`` or ``TypeError``, and nothing is written.
    """

    table_class = JournalTable

    def __init__(self, storage: JournalStorage) -> None:
        self._store = storage
        super().__init__(storage=lambda: storage)

    @classmethod
    def create(
        cls,
        path: Path,
        disk: Disk = DISK,
        *,
        kind: str,
        id: str,  # noqa: A002 - the header's own word
        content: Mapping[str, Mapping[str, Mapping[str, object]]] | None = None,
        keys: Keys | None = None,
    ) -> None:
        """Write a new journal as one, over an old one if there is one; open it with :meth:`open_write`.

        ``content`` (table → document id → document) is in it from the start. ``keys`` here and below: with what its
        confidential words are sealed and opened; None: they are not sealed, and of sealed ones the masks are read.
        """
        payloads: list[bytes] = []
        if content:
            ops = list(decode_ops([encode_ops(ops_for(content))]))
            payloads.append(encode_ops(Sealer(kind, id, keys).sealed(ops)))
        Journal.create(path, Header.new(kind, id), disk, payloads)

    @classmethod
    def open_write(cls, path: Path, disk: Disk = DISK, keys: Keys | None = None) -> Self:
        """Open for reading and writing; an unfinished tail is set aside (:attr:`torn_file`).

        A sealed journal is not touched: it opens, and refuses writes. Only for the holder of the home's lock.
        """
        reading = read_journal(path)
        journal = None if reading.seal else Journal.open(path, reading, disk)
        try:
            return cls(JournalStorage(path, reading, journal, keys))
        except BaseException:
            if journal:
                journal.close()
            raise

    @classmethod
    def open_read(cls, path: Path, keys: Keys | None = None) -> Self:
        """Read what is recorded so far; never waits, never changes anything, needs no lock."""
        return cls(JournalStorage(path, read_journal(path), None, keys))

    @classmethod
    def of_bytes(cls, path: Path, data: bytes, keys: Keys | None = None) -> Self:
        """Read a journal that is not on disk (yet); ``path`` is for messages."""
        return cls(JournalStorage(path, interpret(path, scan(data)), None, keys))

    # --- beyond TinyDB -----------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The journal."""
        return self._store.path

    @property
    def writable(self) -> bool:
        """Whether it is open for writing."""
        return self._store.writable

    @property
    def locked(self) -> bool:
        """Whether words of it could not be opened: what is read then has their masks."""
        return self._store.locked

    @property
    def kind(self) -> str:
        """What the journal holds: ``visit``, ``index`` …"""
        return self._store.header.kind

    @property
    def id(self) -> str:
        """Of what: the visit's id."""
        return self._store.header.id

    @property
    def schema(self) -> int:
        """In which schema it was begun (:mod:`techtool.domain.schema`); what is read of it is in today's."""
        return self._store.header.schema

    @property
    def head(self) -> str:
        """Hex SHA-256 chain value of the last line: stands for everything recorded up to here, in this order."""
        return self._store.place.head

    @property
    def line_count(self) -> int:
        """Lines on disk, the header and the seal included."""
        return self._store.place.count

    @property
    def seal_record(self) -> Seal | None:
        """The seal, when the journal is closed for good."""
        return self._store.seal

    @property
    def sealed(self) -> bool:
        """Whether the journal is closed for good."""
        return self._store.seal is not None

    @property
    def unread_tail(self) -> bytes:
        """What follows the last whole line and is no record; empty in a clean journal."""
        return self._store.tail

    @property
    def dirty_tail(self) -> bytes | None:
        """The unfinished write that was set aside on opening; the person is to be told."""
        return self._store.tail if self._store.set_aside else None

    @property
    def torn_file(self) -> Path | None:
        """Where it is now."""
        return self._store.set_aside

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all writes of the block one line and one fsync: all or nothing, in memory as on disk.

        Never ``await`` inside: other tasks' writes are refused meanwhile.
        """
        with self._store.lock:
            tables = dict(self._tables)
            next_ids = {name: table._next_id for name, table in tables.items()}
            try:
                with self._store.transaction():
                    yield
            except BaseException:
                self._tables = tables
                for name, table in tables.items():
                    table._next_id = next_ids[name]
                raise

    def seal(self, extra: Mapping[str, object] | None = None) -> str:
        """Write the last line (count, head, and ``extra`` such as a signature over :attr:`head`); the final head.

        From then on every write is a :class:`UsageError`.
        """
        self._store.append_seal(extra or {})
        return self.head

    def to_tinydb(self, path: Path, disk: Disk = DISK) -> None:
        """Write a copy that stock TinyDB opens (ASCII only: its JSONStorage reads in the computer's own encoding)."""
        text = encode_json(self._store.read()).decode("utf-8")
        disk.write_file(path, re.sub(r"[^\x00-\x7f]", _escaped, text).encode("ascii"))

    # --- TinyDB, with the lock and without copying everything ---------------------------------------------------

    def table(self, name: str, **kwargs: int) -> JournalTable:
        """The table of that name; ``cache_size`` and ``persist_empty`` as in TinyDB."""
        with self._store.lock:
            return cast("JournalTable", super().table(name, **kwargs))

    def tables(self) -> set[str]:
        """The names of all tables."""
        return self._store.names()

    def drop_table(self, name: str) -> None:
        """Take a table away."""
        with self._store.lock:
            self._store.drop([name])
            self._forget([name])

    def drop_tables(self) -> None:
        """Take all tables away, in one line."""
        with self._store.lock:
            self._store.drop(sorted(self._store.names()))
            self._forget(list(self._tables))

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            table = self._tables.pop(name, None)
            if table is not None:
                table.clear_cache()


def _escaped(found: re.Match[str]) -> str:
    """A character outside ASCII as JSON escapes, a pair of them beyond the first plane."""
    units = found.group().encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
