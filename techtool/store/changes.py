"""What a transaction changes: pending edits over tables that stay as they are until the line is on disk. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import Final

from techtool.domain.codec import CodecError, decode_json, encode_json

Fields = dict[str, object]
"""One document."""
Op = tuple[str, str, str, Fields | None]
"""``[what, table, document id, document]``; ``what`` is one of :data:`KNOWN_OPS`."""
Tables = MutableMapping[str, MutableMapping[str, Fields]]
"""Table → document id → document."""

KNOWN_OPS: Final = frozenset({"put", "del", "clear", "drop"})
"""``clear`` empties a table, and makes it when it is not there."""
NOTHING: Final[Mapping[str, Fields]] = MappingProxyType({})
MAX_DEPTH: Final = 64
"""Of a document: what was written can be read again however deep the reader's own stack is."""


_LEAVES: Final = frozenset({str, int, float, bool, type(None)})
"""Most of what a document holds: never changed in place, so a copy shares it, without a call for each."""


def copied(document: Mapping[str, object]) -> Fields:
    """A deep copy of a document; an order of magnitude faster than ``copy.deepcopy``."""
    return {key: value if type(value) in _LEAVES else _copied(value) for key, value in document.items()}


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return {key: item if type(item) in _LEAVES else _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [item if type(item) in _LEAVES else _copied(item) for item in value]
    return value


def _refuse_lossy(value: object, depth: int = 0) -> None:
    """Refuse what would come back from JSON as something else (NaN as null, bytes as text, 1 as "1")."""
    if depth > MAX_DEPTH:
        raise ValueError(f"a document is nested more than {MAX_DEPTH} deep")
    if type(value) is str:
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no JSON form")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key must be text, not {type(key).__name__}")
            _refuse_lossy(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_lossy(item, depth + 1)
    elif value is not None and not isinstance(value, str | int):
        raise TypeError(f"{type(value).__name__} has no JSON form; make it plain first")


def ops_for(content: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Iterator[Op]:
    """The ops that make whole tables, given in TinyDB's shape: table → document id → document."""
    for name, documents in content.items():
        yield ("clear", name, "", None)
        for key, document in documents.items():
            yield ("put", name, str(key), dict(document))


def encode_ops(ops: Iterable[Op]) -> bytes:
    """The ops as one line of JSON; ``TypeError`` or ``ValueError`` (as TinyDB's own storage) for what is not JSON."""
    listed = list(ops)
    for _what, _table, _id, document in listed:
        _refuse_lossy(document)
    return encode_json(listed)


def decode_ops(payloads: Iterable[bytes]) -> Iterator[Op]:
    """All ops of some lines in order; raises :class:`CodecError`."""
    for line in decode_json(b"[%b]" % b",".join(payloads), list[list[Op]]):
        for op in line:
            if op[0] not in KNOWN_OPS or (op[0] == "put") is (op[3] is None):
                raise CodecError(f"unknown change “{op[0]}”")
            yield op


def change(table: MutableMapping[str, Fields], op: Op) -> None:
    """Do one ``put``, ``del`` or ``clear`` to a table."""
    what, _name, key, document = op
    if what == "clear":
        table.clear()
    elif document is None:
        table.pop(key, None)
    else:
        table[key] = document


def apply(ops: Iterable[Op], tables: Tables) -> None:
    """Do ops to tables."""
    for op in ops:
        if op[0] == "drop":
            tables.pop(op[1], None)
        else:
            change(tables.setdefault(op[1], {}), op)


class Overlay(MutableMapping[str, Fields]):
    """A table with pending edits: reads through to the table beneath, never writes to it.

    Documents are replaced whole, never edited in place; order is what the table's would be.
    """

    def __init__(self, base: Mapping[str, Fields] | None) -> None:
        self.exists = base is not None
        self._existed = self.exists
        self._base: Mapping[str, Fields] = NOTHING if base is None else base
        self._emptied = False
        self._gone: dict[str, None] = {}
        self._edited: dict[str, Fields] = {}
        self._added: dict[str, Fields] = {}

    def __getitem__(self, key: str) -> Fields:
        if key in self._added:
            return self._added[key]
        if key in self._edited:
            return self._edited[key]
        if key in self._gone:
            raise KeyError(key)
        return self._base[key]

    def __setitem__(self, key: str, document: Fields) -> None:
        self.exists = True
        stands = key in self._base and key not in self._gone
        (self._edited if stands else self._added)[key] = document

    def __delitem__(self, key: str) -> None:
        if key in self._added:
            del self._added[key]
        elif key in self._base and key not in self._gone:
            self._gone[key] = None
            self._edited.pop(key, None)
        else:
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self._base if key not in self._gone)
        yield from self._added

    def __len__(self) -> int:
        return len(self._base) - len(self._gone) + len(self._added)

    def clear(self) -> None:
        """Empty the table; it exists afterwards."""
        self.exists = True
        self._emptied = self._emptied or bool(self._base)
        self._base = NOTHING
        self._gone.clear()
        self._edited.clear()
        self._added.clear()

    def drop(self) -> None:
        """Take the table away."""
        self.clear()
        self.exists = False

    def ops(self, name: str) -> list[Op]:
        """The fewest ops that do to table ``name`` what was done here."""
        if not self.exists:
            return [("drop", name, "", None)] if self._existed else []
        ops: list[Op] = []
        if self._emptied or not (self._existed or self._added):
            ops.append(("clear", name, "", None))
        ops += [("del", name, key, None) for key in self._gone]
        ops += [("put", name, key, document) for key, document in self._edited.items()]
        ops += [("put", name, key, document) for key, document in self._added.items()]
        return ops
