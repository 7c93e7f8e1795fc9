"""A table that takes no card data: whatever is written goes through the redactor, whoever writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tinydb.queries import QueryLike
from tinydb.table import Document, Table

from techtool.domain.redacting import Cleaner


class CleanTable:
    """The part of a table's API that a visit's log uses."""

    def __init__(self, table: Table, cleaner: Cleaner) -> None:
        self._table = table
        self._cleaner = cleaner

    def __len__(self) -> int:
        return len(self._table)

    def insert(self, document: Mapping[str, object]) -> int:
        """Add a document; its id."""
        return self._table.insert(self._cleaner.clean(dict(document)))

    def insert_multiple(self, documents: Iterable[Mapping[str, object]]) -> list[int]:
        """Add several, in one line; their ids."""
        return self._table.insert_multiple([self._cleaner.clean(dict(document)) for document in documents])

    def update(
        self, fields: Mapping[str, object], condition: QueryLike | None = None, doc_ids: Iterable[int] | None = None
    ) -> list[int]:
        """Change fields of the documents that fit, or of these."""
        return self._table.update(self._cleaner.clean(dict(fields)), condition, doc_ids)

    def remove(self, condition: QueryLike) -> list[int]:
        """Take away the documents that fit."""
        return self._table.remove(condition)

    def search(self, condition: QueryLike) -> list[Document]:
        """The documents that fit."""
        return self._table.search(condition)

    def all(self) -> list[Document]:
        """Every document."""
        return self._table.all()
