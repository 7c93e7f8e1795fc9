"""What is kept beside the index's list of visits: for each visit one document, replaced as one. Derived like the index.

The list of visits is opened first and often, so what is only asked for now and then lies in files of its own:
``terminals.jnl`` (one entry a terminal) and ``timings.jnl`` (what each phase took). Nothing waits for them: what cannot
be read counts as not there, and the next one who writes makes it again from the visits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import GenericAlias
from typing import Final, TypeVar, cast

from techtool.domain.codec import CodecError, convert, plain
from techtool.domain.schema import INDEX, newest
from techtool.errors import StoreDamaged, StoreTooNew
from techtool.i18n import raw
from techtool.paths import disk_error
from techtool.store.changes import Fields
from techtool.store.db import JournalDB
from techtool.store.home import Home
from techtool.store.journal import aside_name, damaged
from techtool.store.salvage import DAMAGED
from techtool.store.table import JournalTable
from techtool.store.tokens import PREFIX, shown

T = TypeVar("T")

Parts = Mapping[str, Sequence[object]]
"""Name → dataclasses of one kind."""

_TABLE: Final = "visits"
SPARE_LINES: Final = 64
"""A derived journal is rewritten on opening when it holds twice as many lines as visits, and these."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Many values of one kind, their field names once: a third of the bytes."""

    fields: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class _Kept:
    """One visit's document."""

    visit: str
    head: str
    """Chain head of the visit's journal when this was read off it."""
    parts: Mapping[str, _Columns]


class Details:
    """One such file. Reading needs no lock and sees what other processes add; writing needs the home's lock."""

    def __init__(self, home: Home, path: Path) -> None:
        self._home = home
        self._path = path
        self._db: JournalDB | None = None
        self._seen: tuple[int, int, int] | None = None
        self._doc_ids: dict[str, int] = {}
        self._read: dict[str, dict[str, list[object]]] = {}
        """Parts that were read since the file changed: a visit asks once for each of its terminals."""

    # --- reading -----------------------------------------------------------------------------------------------

    def heads(self) -> dict[str, str]:
        """Of which visits something is kept, and the head that each visit's journal had then."""
        return {str(document.get("visit", "")): str(document.get("head", "")) for document in self._documents()}

    def read(self, part: str, kind: type[T]) -> Mapping[str, Sequence[T]]:
        """All values of one part, by visit; what is not understood is left out."""
        documents = self._documents()
        if part not in self._read:
            many = cast("type[list[T]]", GenericAlias(list, (kind,)))
            found: dict[str, list[object]] = {}
            for document in documents:
                with contextlib.suppress(CodecError):
                    found[str(document.get("visit", ""))] = [*convert(_rows(document, part), many)]
            self._read[part] = found
        return cast("Mapping[str, Sequence[T]]", self._read[part])

    def _documents(self) -> list[Mapping[str, object]]:
        try:
            table = self._table()
        except (StoreDamaged, StoreTooNew):
            self._read.clear()
            return []
        if table is None:
            self._read.clear()
        return [document for _id, document in table.peek()] if table is not None else []

    def check(self) -> None:
        """Raise :class:`StoreDamaged` or :class:`StoreTooNew` where reading would only find nothing."""
        table = self._table()
        for _id, document in table.peek() if table is not None else ():
            try:
                convert(document, _Kept)
            except CodecError as error:
                raise damaged(self._path, raw(str(error))) from error

    def _table(self) -> JournalTable | None:
        if self._db is None or not self._db.writable:
            now = _signature(self._path)
            if now is None:
                return None
            if self._db is None or now != self._seen:
                self._read.clear()
                self._db, self._seen = JournalDB.open_read(self._path, self._home.keys), now
        return self._db.table(_TABLE)

    # --- writing -----------------------------------------------------------------------------------------------

    def put(self, visit: str, head: str, parts: Parts) -> None:
        """Replace everything that is kept of a visit; nothing is written where nothing is kept and nothing comes."""
        if not any(parts.values()) and (not self._path.exists() or visit not in self.heads()):
            return
        table = self._writer().table(_TABLE)
        self._read.clear()
        document = _packed(visit, head, parts)
        doc_id = self._doc_ids.get(visit)
        if doc_id is None:
            self._doc_ids[visit] = table.insert(document)
        else:
            table.update(document, doc_ids=[doc_id])

    def rewrite(self, everything: Mapping[str, tuple[str, Parts]], keep: Container[str] = ()) -> None:
        """Write the file anew, as one: visit → head and parts; a damaged one is set aside first.

        Of the visits in ``keep`` that ``everything`` says nothing of, what is here stays as it stands: where a word
        cannot be opened today, its mask must not take its place.
        """
        try:
            self.check()
        except StoreDamaged:
            self._move_aside()
        here = {str(document.get("visit", "")): dict(document) for document in self._documents()}
        found = {visit: document for visit, document in here.items() if visit in keep}
        found |= {visit: _packed(visit, head, parts) for visit, (head, parts) in everything.items()}
        self._replace({str(number): document for number, document in enumerate(found.values(), 1)})

    def _replace(self, documents: Mapping[str, Fields]) -> None:
        self._home.require_lock()
        self._read.clear()
        if self._db is not None:
            self._db.close()
            self._db = None
        self._home.ensure_folder(self._path.parent)
        content = {_TABLE: documents} if documents else None
        self._home.create_journal(self._path, INDEX, self._path.stem, content)

    def _writer(self) -> JournalDB:
        if self._db is not None and self._db.writable:
            return self._db
        db = self._open_writer()
        documents = db.table(_TABLE).peek()
        if db.line_count > 2 * len(documents) + SPARE_LINES or db.schema < newest(INDEX):
            self._db = db
            self._replace({str(doc_id): dict(document) for doc_id, document in documents})
            db = self._open_writer()
            documents = db.table(_TABLE).peek()
        self._doc_ids = {str(document.get("visit", "")): doc_id for doc_id, document in documents}
        self._db = db
        return db

    def _open_writer(self) -> JournalDB:
        self._home.require_lock()
        try:
            if _signature(self._path):
                return self._home.writer(self._path)
        except StoreDamaged:
            self._move_aside()
        self._replace({})
        return self._home.writer(self._path)

    def _move_aside(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
        self._home.disk.replace(self._path, aside_name(self._path, DAMAGED))


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Another one whenever the file is: it only grows, or is replaced."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error(error, path) from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _packed(visit: str, head: str, parts: Parts) -> Fields:
    columns = {name: _columns(values) for name, values in parts.items()}
    return dict(plain(_Kept(visit, head, columns)))


def _columns(values: Sequence[object]) -> _Columns:
    if not values:
        return _Columns()
    first = values[0]
    if not is_dataclass(first):
        raise TypeError("only dataclasses are kept")
    names = tuple(field.name for field in fields(first))
    return _Columns(names, tuple(tuple(plain(getattr(value, name)) for name in names) for value in values))


def _rows(document: Mapping[str, object], part: str) -> list[dict[str, object]]:
    """The values of a part as they were before they were put into columns; raises :class:`CodecError`.

    Looked at by hand: this is done for every visit there was, and what the rows hold is checked by whoever converts
    them.
    """
    parts = document.get("parts")
    columns = parts.get(part) if isinstance(parts, dict) else None
    names, rows = (columns.get("fields"), columns.get("rows")) if isinstance(columns, dict) else ([], [])
    if not isinstance(names, list) or not isinstance(rows, list):
        raise CodecError(f"{part}: no columns")
    return [dict(zip(names, map(_as_shown, row), strict=False)) for row in rows]


def _as_shown(cell: object) -> object:
    """A cell; of a word that could not be opened its mask."""
    return shown(cell) if isinstance(cell, str) and cell.startswith(PREFIX) else cell
