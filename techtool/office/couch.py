"""The few questions that techtool asks a CouchDB, each bounded, each safe to ask again."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from techtool.domain.codec import CodecError, Unread, decode_json, encode_json
from techtool.errors import OfficeError, OfficeRefused
from techtool.i18n import phrase
from techtool.office.documents import ATTACHMENT, MAX_FILE_BYTES, Entry, batches
from techtool.office.http import MAX_ANSWER_BYTES, OfficeHttp

REFRESH: Final = "techtool-refresh"
"""The document on which the office hangs its newest refresh file."""
REFRESH_FILE: Final = "refresh.json"
_NULL: Final = b"null"
_PAGE: Final = 500
_PAGE_OF_LINES: Final = 200
"""Whole entries come back: fewer at once."""


@dataclass(frozen=True, slots=True)
class _Database:
    db_name: str


@dataclass(frozen=True, slots=True)
class _Unknown:
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pushed:
    id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Winner:
    rev: str = ""
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    _conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    value: _Winner = field(default_factory=_Winner)
    doc: _Held | None = None


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class StoredLine:
    """What the database holds of one line or file; nothing of it is believed yet."""

    laptop: str = ""
    visit: str = ""
    type: str = ""
    seq: int = -1
    line: str = ""
    name: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of a page."""

    id: str
    doc: StoredLine | None = None
    """None: whatever it is, it is neither a line nor a file."""


@dataclass(frozen=True, slots=True)
class _Page:
    rows: tuple[Mapping[str, Unread], ...]


class Database:
    """One database over a connection."""

    def __init__(self, http: OfficeHttp) -> None:
        self.http = http

    async def check(self) -> None:
        """That it is there and lets this laptop in; raises :class:`OfficeError`."""
        await self.http.json("GET", "", _Database)

    async def missing(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that the office does not have as they are."""
        found: list[Entry] = []
        for start in range(0, len(entries), _PAGE):
            page = entries[start : start + _PAGE]
            asked = {entry.id: [entry.rev] for entry in page}
            unknown = await self.http.json("POST", "/_revs_diff", dict[str, _Unknown], asked)
            found += [entry for entry in page if entry.rev in unknown.get(entry.id, _Unknown()).missing]
        return found

    async def push(self, entries: Sequence[Entry]) -> AsyncIterator[int]:
        """Send them in batches; yields how many of them were sent. Raises :class:`OfficeError`."""
        sent = 0
        for batch in batches(entries):
            body = {"new_edits": False, "docs": [entry.wire() for entry in batch]}
            refused = [one for one in await self.http.json("POST", "/_bulk_docs", list[_Pushed], body) if one.error]
            if refused:
                problem = phrase("it does not take {count} of the entries", count=len(refused))
                raise OfficeRefused(visit=batch[0].id, problem=problem)
            sent += len(batch)
            yield sent

    async def conflicts(self, entries: Sequence[Entry]) -> list[str]:
        """The ids under which the office holds something else too. What it has deleted since is its own affair.

        Raises :class:`OfficeRefused` for what it does not hold at all.
        """
        found: list[str] = []
        # The entries come back with the answer: no more at once than goes there at once, for a weak line's sake.
        for batch in batches(entries):
            page = {entry.id: entry.rev for entry in batch}
            params = {"include_docs": "true", "conflicts": "true"}
            size = sum(entry.size_bytes for entry in batch if entry.file is None)
            rows = await self.http.json("POST", "/_all_docs", _Rows, {"keys": list(page)}, params, size)
            absent = page.keys() - {row.key for row in rows.rows if row.value.rev}
            if absent:
                problem = phrase("{count} entries are not there although it took them", count=len(absent))
                raise OfficeRefused(visit=min(absent), problem=problem)
            for row in rows.rows:
                other = row.value.rev != page.get(row.key) and not row.value.deleted
                if other or (row.doc is not None and row.doc._conflicts):
                    found.append(row.key)
        return found

    async def lines(self, prefix: str = "") -> AsyncIterator[StoredRow]:
        """Every line and file whose id begins with ``prefix``, in the order of their ids, a page at a time."""
        start = prefix
        while True:
            params = {
                "include_docs": "true",
                "limit": str(_PAGE_OF_LINES),
                "startkey": encode_json(start).decode(),
                "endkey": encode_json(prefix + "\ufff0").decode(),
            }
            page = await self.http.json("GET", "/_all_docs", _Page, params=params)
            rows = [_stored(row, self.http.address.host) for row in page.rows]
            for row in rows:
                yield row
            if len(page.rows) < _PAGE_OF_LINES:
                return
            # The next id there can be: a page begins behind the last one, whatever is written meanwhile.
            following = rows[-1].id + "\x00"
            if following <= start:
                raise OfficeError(problem=phrase("its list of entries goes round in circles"))
            start = following

    async def file(self, identity: str) -> bytes | None:
        """The file that hangs on a document; None: there is none."""
        path = f"/{quote(identity, safe='')}/{ATTACHMENT}"
        answer = await self.http.ask("GET", path, limit_bytes=MAX_FILE_BYTES)
        return answer.data if answer.status == 200 else None

    async def refresh_file(self, limit_bytes: int) -> bytes | None:
        """The refresh file that the office has put there; None: there is none."""
        answer = await self.http.ask("GET", f"/{REFRESH}/{REFRESH_FILE}", limit_bytes=limit_bytes)
        return answer.data if answer.status == 200 else None

    async def put_refresh(self, data: bytes) -> bool:
        """Put a refresh file there in place of an older one; whether that changed anything."""
        answer = await self.http.ask("GET", f"/{REFRESH}")
        revision = ""
        if answer.status == 200:
            revision = (await self.http.json("GET", f"/{REFRESH}", _Revision))._rev
            if await self.refresh_file(MAX_ANSWER_BYTES) == data:
                return False
        attached = {"content_type": "application/json", "data": base64.b64encode(data).decode()}
        body: Mapping[str, object] = {
            "type": REFRESH,
            "schema": 1,
            "_attachments": {REFRESH_FILE: attached},
            **({"_rev": revision} if revision else {}),
        }
        await self.http.json("PUT", f"/{REFRESH}", dict[str, Unread], body)
        return True


@dataclass(frozen=True, slots=True)
class _Revision:
    _rev: str = ""


def _stored(row: Mapping[str, Unread], host: str) -> StoredRow:
    """Each by itself: what somebody has put there by hand does not hide the others."""
    try:
        identity = decode_json(bytes(row.get("id", _NULL)), str)
    except CodecError:
        problem = phrase("{host} does not answer as the office's database does", host=host)
        raise OfficeError(problem=problem) from None
    try:
        return StoredRow(identity, decode_json(bytes(row.get("doc", _NULL)), StoredLine))
    except CodecError:
        return StoredRow(identity)
