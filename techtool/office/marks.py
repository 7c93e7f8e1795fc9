"""Which visits are home, and when the office was last reached: a journal of its own in the home folder.

Only a convenience: a mark that is lost means that a visit is sent once more, which changes nothing at the office.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from techtool.clock import from_stamp, stamp
from techtool.domain.schema import OFFICE
from techtool.errors import StoreDamaged
from techtool.store.db import JournalDB
from techtool.store.details import SPARE_LINES
from techtool.store.home import Home
from techtool.store.journal import aside_name
from techtool.store.salvage import DAMAGED

STICK: Final = "stick"
"""Handed over on a stick; that it arrived is not known."""
_MARKS: Final = "marks"
_RUNS: Final = "runs"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one way home."""

    heads: dict[str, str]
    """Visit → chain head of the file that went."""
    partly: frozenset[str]
    """Visits of which photos or slips could not go that way."""
    last: datetime | None
    """When everything that was to go had gone."""


class Marks:
    """The journal; reading needs no lock, writing takes the home's for that moment."""

    def __init__(self, home: Home) -> None:
        self._home = home

    @property
    def _path(self) -> Path:
        return self._home.paths.office / "home.jnl"

    def known(self, way: str) -> Known:
        """Of a database (its address) or of :data:`STICK`; what cannot be read counts as not there."""
        try:
            db = JournalDB.open_read(self._path, self._home.keys) if self._path.exists() else None
        except StoreDamaged:
            db = None
        if db is None:
            return Known({}, frozenset(), None)
        marks = [document for document in db.table(_MARKS).all() if document.get("way") == way]
        heads = {str(mark["visit"]): str(mark["head"]) for mark in marks}
        partly = frozenset(str(mark["visit"]) for mark in marks if mark.get("partly"))
        ended = [from_stamp(str(d["at"])) for d in db.table(_RUNS).all() if d.get("way") == way]
        return Known(heads, partly, max(ended, default=None))

    def home(self, way: str, visits: Mapping[str, str], at: datetime, *, partly: bool = False) -> None:
        """These visits (id → head) are there: on disk, as one, when this returns. Raises :class:`StoreLocked`.

        ``partly``: their records, and not all of their photos and slips.
        """
        mark: dict[str, object] = {"way": way, "at": stamp(at), **({"partly": True} if partly else {})}
        self._write(_MARKS, [{**mark, "visit": visit, "head": head} for visit, head in visits.items()])

    def done(self, way: str, at: datetime) -> None:
        """Everything that was to go that way has gone."""
        self._write(_RUNS, [{"way": way, "at": stamp(at)}])

    def _write(self, table: str, documents: Sequence[Mapping[str, object]]) -> None:
        with self._home.lock("sync"):
            self._home.ensure_folder(self._path.parent)
            db = self._open()
            with db.transaction():
                if table == _RUNS:
                    way = documents[0]["way"]
                    db.table(table).remove(lambda document: document.get("way") == way)
                db.table(table).insert_multiple(documents)

    def _open(self) -> JournalDB:
        """A damaged one is moved aside and begun anew; one that is mostly about the past is written anew."""
        if self._path.exists():
            try:
                db = self._home.writer(self._path)
                content = {name: {str(d.doc_id): dict(d) for d in db.table(name).all()} for name in sorted(db.tables())}
                if db.line_count <= 2 * sum(map(len, content.values())) + SPARE_LINES:
                    return db
                db.close()
                self._home.create_journal(self._path, OFFICE, OFFICE, content)
                return self._home.writer(self._path)
            except StoreDamaged:
                self._home.disk.replace(self._path, aside_name(self._path, DAMAGED))
        self._home.create_journal(self._path, OFFICE, OFFICE)
        return self._home.writer(self._path)
