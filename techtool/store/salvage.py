"""What can still be read of a damaged journal, in a new one; the damaged file itself is never touched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, plain
from techtool.errors import UsageError
from techtool.i18n import phrase, raw
from techtool.paths import DISK, Disk
from techtool.store.changes import decode_ops, encode_ops, ops_for
from techtool.store.frames import GENESIS, chained, whole_lines
from techtool.store.journal import Header, Journal, damaged, read_bytes, read_header

SALVAGE_TABLE: Final = "salvage"
"""The table of the new journal that says where it comes from and what is missing."""
UNKNOWN: Final = "unknown"
"""The kind of a new journal when the damaged one's header is lost."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where something is missing or was altered."""

    offset: int
    size_bytes: int
    """Bytes there that are no whole line; 0 where lines were removed or moved."""


@dataclass(frozen=True, slots=True)
class SalvageResult:
    """What was saved, and what was not."""

    source: str
    into: str
    lines_in_place: int
    """Whole lines from the start, each proven by the chain."""
    lines_after_damage: int
    """Whole lines behind the first gap: read, but no longer proven to be all, or in order."""
    gaps: tuple[Gap, ...]
    was_sealed: bool


def salvage(path: Path, into: Path, disk: Disk = DISK) -> SalvageResult:
    """Copy every whole record of ``path`` into a new, unsealed journal that says what is missing.

    A torn tail counts as a gap as well. Raises :class:`StoreDamaged` when whole records are not understood (a newer
    techtool's): then the file may be sound.
    """
    if into.exists():
        raise UsageError(problem=phrase("{path} exists already; name a new file.", path=str(into)))
    data = read_bytes(path)
    gaps: list[Gap] = []
    head, end, proven, after = GENESIS, 0, 0, 0
    header = Header(UNKNOWN, path.stem)
    records: list[bytes] = []
    sealed = False
    for line in whole_lines(data):
        if line.offset > end or line.chain != chained(head, line.payload):
            gaps.append(Gap(end, line.offset - end))
        head, end = line.chain, line.end
        proven, after = (proven, after + 1) if gaps else (proven + 1, after)
        if line.payload.startswith(b"["):
            records.append(line.payload)
        elif line.payload.startswith(b'{"seal"'):
            sealed = True
        else:
            header = read_header(path, (line.payload,))
    if end < len(data):
        gaps.append(Gap(end, len(data) - end))
    result = SalvageResult(path.name, into.name, proven, after, tuple(gaps), sealed)
    _refuse_unknown(path, records)
    Journal.create(into, header, disk, [*records, encode_ops(ops_for({SALVAGE_TABLE: {"1": plain(result)}}))])
    return result


def _refuse_unknown(path: Path, records: list[bytes]) -> None:
    try:
        for _op in decode_ops(records):
            pass
    except CodecError as error:
        raise damaged(path, raw(str(error))) from error
