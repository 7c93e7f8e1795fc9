"""A sealed visit as documents of a CouchDB, and back to the very same bytes. Pure, but for :meth:`Entry.wire`.

One document a line of the journal, verbatim, so that the office can put the file together again and judge its seal
itself; one a photo or slip, with the file attached. The ``_id`` says whose and which, the ``_rev`` is made of the
content: with ``new_edits: false`` the same document sent again is no second one, from whatever side and in whatever
order it comes, and another content under the same ``_id`` is kept beside the first, as a conflict that can be seen.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from techtool.domain.codec import encode_json
from techtool.errors import OfficeRefused
from techtool.i18n import phrase
from techtool.office.sealed import EvidenceCopy, Sealed
from techtool.paths import disk_error

Document = Mapping[str, object]

SCHEMA: Final = 1
LINE: Final = "techtool-line"
FILE: Final = "techtool-file"
ATTACHMENT: Final = "file"
"""The name under which a file hangs on its document."""
LAPTOP_ID: Final = re.compile(r"L[0-9a-f]{16}")
MAX_FILE_BYTES: Final = 8_000_000
"""Of a photo that is sent: in JSON it is a third longer. Larger ones travel on a stick only."""
MAX_BATCH: Final = 100
MAX_BATCH_BYTES: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One document before it is sent."""

    id: str
    rev: str
    size_bytes: int
    body: Document
    """Everything but the attachment."""
    file: EvidenceCopy | None = None

    def wire(self) -> Document:
        """As it is sent; reads the file, if there is one.

        Raises :class:`OfficeRefused` when it is another one by now: sent once, a wrong file would stay under its name.
        Raises :class:`DiskError`.
        """
        if self.file is None:
            return self.body
        try:
            content = self.file.path.read_bytes()
        except OSError as error:
            raise disk_error(error, self.file.path) from error
        if hashlib.sha256(content).hexdigest() != self.file.sha256:
            problem = phrase("{file} is not the file that the record names", file=self.file.path.name)
            raise OfficeRefused(visit=self.id, problem=problem)
        data = base64.b64encode(content).decode()
        return {**self.body, "_attachments": {ATTACHMENT: {"content_type": "application/octet-stream", "data": data}}}


def revision(body: Document) -> str:
    """Of the first generation, and the same for the same content: what makes sending twice harmless."""
    return "1-" + hashlib.sha256(encode_json(body)).hexdigest()[:32]


def line_id(laptop: str, visit: str, seq: int) -> str:
    """``LAPTOP:VISIT:000042``: their order is that of the lines."""
    return f"{laptop}:{visit}:{seq:06d}"


def entries(laptop: str, sealed: Sealed) -> list[Entry]:
    """One a line, the header and the seal among them."""
    return [_line(laptop, sealed.visit, seq, line) for seq, line in enumerate(sealed.lines)]


def _line(laptop: str, visit: str, seq: int, line: str) -> Entry:
    body = {"type": LINE, "schema": SCHEMA, "laptop": laptop, "visit": visit, "seq": seq, "line": line}
    return _entry(line_id(laptop, visit, seq), body, len(line))


def file_entry(laptop: str, visit: str, file: EvidenceCopy) -> Entry:
    """Of a photo, slip or log; its digest stands for its content."""
    body = {
        "type": FILE,
        "schema": SCHEMA,
        "laptop": laptop,
        "visit": visit,
        "name": file.path.name,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
    }
    return _entry(f"{laptop}:{visit}:{file.sha256}", body, file.size_bytes * 4 // 3, file)


def _entry(identity: str, content: Document, size_bytes: int, file: EvidenceCopy | None = None) -> Entry:
    body = {"_id": identity, **content}
    rev = revision(body)
    return Entry(identity, rev, size_bytes, {**body, "_rev": rev}, file)


def batches(waiting: Sequence[Entry]) -> Iterator[list[Entry]]:
    """As many at once as a server takes gladly; a large one alone."""
    batch: list[Entry] = []
    size = 0
    for entry in waiting:
        if batch and (len(batch) == MAX_BATCH or size + entry.size_bytes > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size_bytes
    if batch:
        yield batch


def journal_of(lines: Mapping[int, str]) -> bytes | None:
    """The journal's bytes from the lines by number; None while one is missing. Its seal is judged by who asks."""
    if not lines or set(lines) != set(range(len(lines))):
        return None
    return "".join(f"{lines[seq]}\n" for seq in range(len(lines))).encode()
