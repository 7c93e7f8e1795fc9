"""TinyDB's table over a journal: writes cost what they change, results are copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import cast, overload

from tinydb.queries import QueryLike
from tinydb.storages import Storage
from tinydb.table import Document, Table

from techtool.store.changes import Fields, copied
from techtool.store.storage import JournalStorage

Edit = Mapping[str, object] | Callable[[MutableMapping[str, object]], None]
"""New fields, or a function that changes a document (``tinydb.operations``)."""


class _ById(MutableMapping[int, Fields]):
    """A table's documents by document id: the storage's keys are text."""

    def __init__(self, documents: MutableMapping[str, Fields], id_class: type[int]) -> None:
        self._documents = documents
        self._id_class = id_class

    def __getitem__(self, doc_id: int) -> Fields:
        return self._documents[str(doc_id)]

    def __setitem__(self, doc_id: int, document: Fields) -> None:
        self._documents[str(doc_id)] = document

    def __delitem__(self, doc_id: int) -> None:
        del self._documents[str(doc_id)]

    def __iter__(self) -> Iterator[int]:
        return map(self._id_class, self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    def clear(self) -> None:
        self._documents.clear()

    def edit(self, doc_id: int, how: Edit) -> None:
        """Replace a document by an edited copy: what is stored is never edited in place."""
        document = copied(self[doc_id])
        if callable(how):
            how(document)
        else:
            document.update(how)
        self[doc_id] = document


class JournalTable(Table):
    """A table whose writes cost what they change, and whose results are copies, free to be edited.

    Everything else is TinyDB's own :class:`Table`. ``_read_table`` and ``_update_table`` are the two private methods
    that it reads and writes through; ``update`` and ``update_multiple`` are ours because TinyDB's edit what is stored
    in place, where no change can be seen.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        cache_size: int = Table.default_query_cache_capacity,
        persist_empty: bool = False,
    ) -> None:
        self._store = cast("JournalStorage", storage)
        super().__init__(storage, name, cache_size, persist_empty)

    # --- reading -----------------------------------------------------------------------------------------------

    def _read_table(self) -> dict[str, Mapping[str, object]]:
        return cast("dict[str, Mapping[str, object]]", self._store.view(self.name))

    def peek(self) -> list[tuple[int, Mapping[str, object]]]:
        """Document ids and documents as they are stored, not copied: not to be changed, not to be kept."""
        with self._store.lock:
            return [(int(key), document) for key, document in self._read_table().items()]

    def _fresh(self, document: Document) -> Document:
        return self.document_class(copied(document), document.doc_id)

    def __iter__(self) -> Iterator[Document]:
        with self._store.lock:
            found = [self._fresh(document) for document in super().__iter__()]
        yield from found

    def __len__(self) -> int:
        with self._store.lock:
            return len(self._read_table())

    def search(self, cond: QueryLike) -> list[Document]:
        """The documents that fit ``cond``."""
        with self._store.lock:
            if self._store.in_transaction:
                # Neither from TinyDB's cache of results nor into it: what is seen now may be taken back.
                return [document for document in self if cond(document)]
            return [self._fresh(document) for document in super().search(cond)]

    @overload  # type: ignore[override]  # TinyDB has eight overloads for these two
    def get(self, cond: QueryLike | None = None, doc_id: int | None = None) -> Document | None: ...

    @overload
    def get(self, cond: None = None, doc_id: None = None, *, doc_ids: list[int]) -> list[Document]: ...

    def get(
        self, cond: QueryLike | None = None, doc_id: int | None = None, doc_ids: list[int] | None = None
    ) -> Document | list[Document] | None:
        """The first document that fits, or the one with ``doc_id``, or those with ``doc_ids``."""
        with self._store.lock:
            look_up = cast("Callable[..., Document | list[Document] | None]", super().get)
            found = look_up(cond, doc_id, doc_ids)
            if isinstance(found, list):
                return [self._fresh(document) for document in found]
            return None if found is None else self._fresh(found)

    # --- writing -----------------------------------------------------------------------------------------------

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, object]]], None]) -> None:
        with self._store.lock:
            with self._store.statement(self.name) as overlay:
                updater(cast("dict[int, Mapping[str, object]]", _ById(overlay, self.document_id_class)))
            self.clear_cache()

    def insert(self, document: Mapping[str, object]) -> int:
        """Record a document; its id."""
        with self._store.lock:
            return super().insert(document)

    def insert_multiple(self, documents: Iterable[Mapping[str, object]]) -> list[int]:
        """Record documents in one line; their ids."""
        with self._store.lock:
            return super().insert_multiple(documents)

    def update(self, fields: Edit, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None) -> list[int]:
        """Edit the documents with ``doc_ids``, else those that fit ``cond``, else all; the ids of those edited."""
        updated: list[int] = []

        def updater(table: _ById) -> None:
            if doc_ids is not None:
                updated.extend(doc_id for doc_id in doc_ids if doc_id in table)
            else:
                updated.extend(doc_id for doc_id, document in table.items() if cond is None or cond(document))
            for doc_id in updated:
                table.edit(doc_id, fields)

        self._update_table(cast("Callable[[dict[int, Mapping[str, object]]], None]", updater))
        return updated

    def update_multiple(self, updates: Iterable[tuple[Edit, QueryLike]]) -> list[int]:
        """Do several edits in one line; the ids of those edited, once for each edit."""
        listed = list(updates)
        updated: list[int] = []

        def updater(table: _ById) -> None:
            for doc_id in list(table):
                for fields, cond in listed:
                    if cond(table[doc_id]):
                        updated.append(doc_id)
                        table.edit(doc_id, fields)

        self._update_table(cast("Callable[[dict[int, Mapping[str, object]]], None]", updater))
        return updated

    def upsert(self, document: Mapping[str, object], cond: QueryLike | None = None) -> list[int]:
        """Edit the documents that fit, or record a new one."""
        with self._store.lock:
            return super().upsert(document, cond)

    def truncate(self) -> None:
        """Take all documents away."""
        with self._store.lock:
            super().truncate()
