"""Journals of older schemas: read into today's shape, never rewritten.

A journal is proof, so its lines stay as they were written; what changes is what is made of them in memory. Every line
belongs to a schema: the header's, or that of the last *schema line* (``{"schema":2}``) before it. A writer that goes
on with an older journal writes such a line first; an older techtool that meets one refuses the file as too new.

How a schema is added stands in :mod:`techtool.domain.schema`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.schema import newest
from techtool.store.changes import Tables, apply, decode_ops
from techtool.store.tokens import MARK

Step = Callable[[Tables], None]
"""Lifts the tables by one schema, in place. What has the new shape already is left alone: behind a gap of a salvaged
journal the schema line may be missing, and then a step meets both shapes."""


def _nothing(tables: Tables) -> None:
    """Schema 2 seals words (:mod:`techtool.store.sealing`); opened, its documents are those of schema 1."""


STEPS: Mapping[tuple[str, int], Step] = MappingProxyType({("visit", 1): _nothing, ("index", 1): _nothing})
"""``(kind, n)`` → the step from schema n to n + 1. There is one for every n below the newest."""

_MARK: Final = b'{"schema":'


@dataclass(frozen=True, slots=True)
class _SchemaLine:
    schema: int


def schema_line(schema: int) -> bytes:
    """The line from which on a journal's lines are of ``schema``."""
    return encode_json(_SchemaLine(schema))


def is_schema_line(payload: bytes) -> bool:
    """Whether a line says of which schema the ones after it are."""
    return payload.startswith(_MARK)


def schema_of(payload: bytes) -> int:
    """What a schema line says; raises :class:`CodecError`."""
    return decode_json(payload, _SchemaLine).schema


def replay(kind: str, schema: int, payloads: Iterable[bytes], tables: Tables, opened: Step | None = None) -> int:
    """Do the records of a journal to ``tables`` and lift them to the newest schema; the schema of its last line.

    ``schema`` is the header's; ``opened`` opens the sealed words of tables, None: they stay as they stand. Raises
    :class:`CodecError` for what is not understood.
    """
    waiting: list[bytes] = []

    def record() -> None:
        apply(decode_ops(waiting), tables)
        # What was overwritten later is not opened: most of a journal is older words of the same documents.
        if opened is not None and any(MARK in line for line in waiting):
            opened(tables)
        waiting.clear()

    for payload in payloads:
        if not is_schema_line(payload):
            waiting.append(payload)
            continue
        record()
        later = schema_of(payload)
        _lift(kind, schema, later, tables)
        schema = later
    record()
    _lift(kind, schema, newest(kind), tables)
    return schema


def _lift(kind: str, schema: int, until: int, tables: Tables) -> None:
    for number in range(schema, until):
        step = STEPS.get((kind, number))
        if step is None:
            raise CodecError(f"{kind}: no way from schema {number} to {number + 1}")
        step(tables)
