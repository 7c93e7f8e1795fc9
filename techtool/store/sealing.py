"""The border at which the documents of one journal become bytes: what is confidential is sealed there, and opened.

Which values, says :mod:`techtool.domain.confidential`. Above this border everything is plain, below it nothing of
that is: neither in a field of its own nor in a text that repeats it. Without the key a reader gets the masks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from techtool.domain.codec import CodecError
from techtool.domain.confidential import (
    HIDDEN,
    NUMBERS,
    OPEN_IN_LISTS,
    Words,
    hidden_by_name,
    is_mask,
    like_a_number,
    masked_number,
    needs_no_look,
    numbers_in,
    open_by_name,
)
from techtool.domain.schema import INDEX, VISIT
from techtool.errors import InternalError
from techtool.store.changes import Fields, Op, Tables
from techtool.store.keys import Cipher, Keys
from techtool.store.tokens import PREFIX, Token

_MOST: Final = 8_192
"""Words and harmless texts that are remembered of a journal."""


class Sealer:
    """Of one journal. ``keys`` None: nothing is sealed, and what is sealed is read as its mask."""

    def __init__(self, kind: str, id: str, keys: Keys | None) -> None:  # noqa: A002 - the header's own word
        self._kind = kind
        self._id = id
        self._keys = keys
        self.locked = False
        """Whether something was met that could not be opened."""
        self._is_visit = kind == VISIT
        self._is_derived = kind == INDEX
        self._words = Words()
        self._opened: dict[str, str] = {}
        self._tokens: dict[tuple[str, str, str], str] = {}
        self._harmless: set[str] = set()

    # --- reading -----------------------------------------------------------------------------------------------

    def open_tables(self, tables: Tables) -> None:
        """Open every word of some tables, in place; raises :class:`CodecError` for one that belongs elsewhere.

        What no key is here for becomes its mask. Of a derived journal it stays as it is: that is written anew, and
        what cannot be opened today can be once the key is back.
        """
        for table in tables.values():
            for key, document in table.items():
                table[key] = self.opened(document)

    def opened(self, document: Fields) -> Fields:
        """One document, opened; raises :class:`CodecError`, also where a stranger nested it without end."""
        try:
            return {self._open(key): self._open_any(item) for key, item in document.items()}
        except RecursionError as error:
            raise CodecError("nested too deeply") from error

    def opened_line(self, line: object) -> object:
        """All of one line as it was decoded, whatever it holds; raises :class:`CodecError`."""
        try:
            return self._open_any(line)
        except RecursionError as error:
            raise CodecError("nested too deeply") from error

    def _open_any(self, value: object) -> object:
        if isinstance(value, str):
            return self._open(value)
        if isinstance(value, dict):
            return {self._open(key): self._open_any(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._open_any(item) for item in value]
        return value

    def _open(self, text: str) -> str:
        if not text.startswith(PREFIX):
            return text
        known = self._opened.get(text)
        if known is None:
            known = self._opened_word(text)
            if len(self._opened) < _MOST:
                self._opened[text] = known
        return known

    def _opened_word(self, text: str) -> str:
        token = Token.read(text)
        if token is None:
            return text
        cipher = self._keys.opening(token.key_id, self._kind, self._id) if self._keys is not None else None
        if cipher is not None:
            try:
                return cipher.open(token)
            except CodecError:
                # What is derived proves nothing, and must not be damaged by what a terminal calls itself.
                if not self._is_derived:
                    raise
        self.locked = True
        return text if self._is_derived else token.mask

    # --- writing -----------------------------------------------------------------------------------------------

    def learn(self, documents: Iterable[object]) -> None:
        """Know the numbers in these documents again wherever they stand from now on."""
        if self._keys is not None and self._words.add(n for document in documents for n in numbers_in(document)):
            self._harmless.clear()

    def sealed(self, ops: Sequence[Op]) -> list[Op]:
        """The same changes with everything confidential sealed; raises :class:`StoreKeyUnusable`, ``StoreError``.

        The numbers of a visit are known to all of its record; a derived journal has a document a visit, each with
        its own.
        """
        if self._keys is None:
            return list(ops)
        if self._is_visit:
            self.learn(op[3] for op in ops)
        return [self._sealed_op(op) for op in ops]

    def _sealed_op(self, op: Op) -> Op:
        what, table, key, document = op
        if document is None:
            return op
        if not self._is_visit:
            self._words = Words(numbers_in(document))
            self._harmless.clear()
        return what, table, key, self._sealed_fields(document, table)

    def _sealed_fields(self, document: Fields, parent: str) -> Fields:
        names, rows = document.get("fields"), document.get("rows")
        if isinstance(names, list) and isinstance(rows, list) and len(document) == 2:
            return {"fields": names, "rows": [self._sealed_row(names, row, parent) for row in rows]}
        return {self._seal_key(key): self._seal_any(item, key, parent) for key, item in document.items()}

    def _sealed_row(self, names: list[object], row: object, parent: str) -> object:
        if not isinstance(row, list):
            return self._seal_any(row, "", parent)
        named = [*map(str, names), *("" for _ in row[len(names) :])]
        return [self._seal_any(cell, name, parent) for cell, name in zip(row, named, strict=False)]

    def _seal_any(self, value: object, name: str, parent: str) -> object:
        if isinstance(value, str):
            return self._seal_field(value, name, parent)
        if isinstance(value, dict):
            return self._sealed_fields(value, name)
        if isinstance(value, list):
            return [self._seal_any(item, name, parent) for item in value]
        return value

    def _seal_key(self, key: str) -> str:
        return self._seal_text(key) if self._gives_away(key) else key

    def _seal_field(self, text: str, name: str, parent: str) -> str:
        if not text:
            return text
        if hidden_by_name(name, parent):
            # Of a derived journal: what could not be opened when it was read goes back as it came.
            if self._is_derived and (is_mask(text) or Token.read(text) is not None):
                return text
            return self._token(text, masked_number(text) if name in NUMBERS else HIDDEN)
        stays = open_by_name(name, parent) or (self._is_derived and name in OPEN_IN_LISTS)
        if stays and not text.startswith(PREFIX):
            return text
        return self._seal_text(text) if self._gives_away(text) else text

    def _gives_away(self, text: str) -> bool:
        """Whether a text that is not hidden by its name holds a number that is known, or one that may be."""
        if text in self._harmless:
            return False
        if text.startswith(PREFIX):
            return not self._is_derived or Token.read(text) is None
        found = not needs_no_look(text) and (self._words.within(text) or like_a_number(text))
        if not found and len(self._harmless) < _MOST:
            self._harmless.add(text)
        return found

    def _seal_text(self, text: str) -> str:
        return self._token(text, HIDDEN if text.startswith(PREFIX) else self._words.mask(text))

    def _token(self, text: str, mask: str) -> str:
        # Asked each time: the key may be another one than a moment ago, where a lost one was put back.
        cipher = self._cipher()
        known = self._tokens.get((cipher.key_id, text, mask))
        if known is None:
            known = cipher.seal(text, mask)
            if len(self._tokens) < _MOST:
                self._tokens[cipher.key_id, text, mask] = known
        return known

    def _cipher(self) -> Cipher:
        if self._keys is None:
            raise InternalError(kind="SealedWithoutKeys", detail=self._id)
        return self._keys.writing(self._kind, self._id)
