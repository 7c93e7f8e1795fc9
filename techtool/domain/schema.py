"""Schema numbers of everything that is stored and outlives a version of techtool. Pure.

A document of a newer schema than is known here is refused with :class:`StoreTooNew` and never written over; older ones
are read for ever, and ``tests/fixtures/store/vN`` holds real files of every schema there was.

How to add schema 2 of a kind:

1. Needed when a field changes its meaning or its type, goes, or when an enum gets a word that schema 1 does not know.
   A new field with a default is no new schema: an older techtool passes over it.
2. Raise the number in :data:`KNOWN`, and write what is new in the module that owns the kind (named there).
3. Journals (``visit``, ``index``): add ``(kind, 1): step`` to :data:`techtool.store.migrations.STEPS`. A step lifts the
   tables in memory from schema 1 to 2 while a journal is read; the file is never rewritten: sealed ones are proof. It
   must leave a document alone that has the new shape already. Files of their own (settings, clock floor, mirror,
   manifest) are converted where they are read, before they are decoded into the new class.
4. Make ``tests/fixtures/store/v2`` with ``python -m tests.make_store_fixtures`` and commit it; ``v1`` stays as it is,
   for ever, and so do the tests that read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from techtool.domain.codec import decode_json
from techtool.errors import StoreTooNew

VISIT: Final = "visit"
"""A visit's journal (:mod:`techtool.store.journal`; documents: :mod:`techtool.visit.log`).

2: confidential words are sealed (:mod:`techtool.store.sealing`)."""
INDEX: Final = "index"
"""The index's journal (:mod:`techtool.store.index`). 2: as of a visit's."""
SETTINGS: Final = "settings"
"""``settings.toml`` (:mod:`techtool.settings`)."""
CLOCK: Final = "clock"
"""``trust/clock.json`` (:mod:`techtool.bundles.clock_floor`)."""
MIRROR: Final = "mirror"
"""``trust/mirror/*.json`` (:mod:`techtool.bundles.roots`)."""
MANIFEST: Final = "manifest"
"""A backup's manifest (:class:`techtool.domain.backup.BackupManifest`)."""
STATEMENT: Final = "statement"
"""The predicate of a report (:mod:`techtool.reports.statement`)."""

OFFICE: Final = "office"
"""``office/home.jnl``: which visits are home (:mod:`techtool.office.marks`)."""
ENROLMENT: Final = "enrolment"
"""``trust/enrolment.json``, and what an enrolment file says (:mod:`techtool.office.enrolment`)."""

OLDEST: Final = 1
KNOWN: Final[Mapping[str, int]] = MappingProxyType(
    {VISIT: 2, INDEX: 2, SETTINGS: 1, CLOCK: 1, MIRROR: 1, MANIFEST: 1, STATEMENT: 1, OFFICE: 1, ENROLMENT: 1}
)
"""The newest schema of each kind that this techtool reads, and the one it writes."""


def newest(kind: str) -> int:
    """The schema in which ``kind`` is written here; the oldest for a kind that is not known."""
    return KNOWN.get(kind, OLDEST)


@dataclass(frozen=True, slots=True)
class _AnyDocument:
    """What a JSON document has in every schema there will be."""

    schema: int = OLDEST


def check_schema(kind: str, data: bytes, path: object) -> None:
    """Look at a JSON document's ``schema`` before the rest of it is read; raises :class:`StoreTooNew`, CodecError."""
    refuse_newer(kind, decode_json(data, _AnyDocument).schema, path)


def refuse_newer(kind: str, found: int, path: object) -> None:
    """Raise :class:`StoreTooNew` when ``found`` is beyond what is known of ``kind``; ``path`` is for the message."""
    if found > newest(kind):
        raise StoreTooNew(path=str(path), found=found, known=newest(kind))
