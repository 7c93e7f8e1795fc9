"""A recall's own signed file: schema 1, decoded strictly, small, and listed by the ``recall`` role alone.

The role needs one signature of the office's security people, so that a recall is out within the hour; a publisher's
list, which needs a vendor and a lab, follows when it can. The file is listed like a release description and travels
with the metadata: on every stick, and in a refresh file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as calendar_date
from typing import Final

from techtool.bundles.bounds import check_recall_bounds
from techtool.bundles.description import ProvidesEntry
from techtool.bundles.profile import RECALLS
from techtool.domain.codec import CodecError, convert, convert_exactly, decode_json_untyped, encode_json
from techtool.domain.components import shown_version
from techtool.domain.recall import Recall, RecalledPackage
from techtool.domain.release import Provides, Release, ReleaseKind, Urgency

SCHEMA: Final = 1
MAX_BYTES: Final = 64 * 1024
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._+=@-]+")
_SYSTEM_KINDS: Final = (ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER)


@dataclass(frozen=True, slots=True)
class RecallEntry:
    """The file as it is written."""

    schema: int = SCHEMA
    id: str = ""
    version: str = ""
    urgency: Urgency = Urgency.HIGH
    date: calendar_date | None = None
    reason: Mapping[str, str] = field(default_factory=dict)
    replacement: str = ""
    kind: ReleaseKind | None = None
    shown_version: str = ""
    packages: tuple[RecalledPackage, ...] = ()
    provides: tuple[ProvidesEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class _Core:
    """What every schema has."""

    id: str
    version: str
    date: calendar_date
    reason: Mapping[str, str] = field(default_factory=dict)


def recall_path(release_id: str, version: str) -> str:
    """TUF target path of the recall of one release."""
    return f"{RECALLS}/{safe_name(f'{release_id}-{version}')}.json"


def safe_name(text: str) -> str:
    """A name for any file system, as near to ``text`` as it can be."""
    return _UNSAFE.sub("_", text).strip("._") or "_"


def recall_of(
    release: Release,
    *,
    urgency: Urgency,
    date: calendar_date,
    reason: Mapping[str, str],
    replacement: str = "",
) -> Recall:
    """The recall of ``release``, with all that a terminal shows when it runs it."""
    return Recall(
        id=release.id,
        version=release.version,
        urgency=urgency,
        date=date,
        reason=dict(reason),
        replacement=replacement,
        kind=release.kind,
        shown_version=shown_version(release) if release.kind in _SYSTEM_KINDS else "",
        packages=tuple(RecalledPackage(apk.id, apk.version_code) for apk in release.packages),
        provides=release.provides,
    )


def encode_recall(recall: Recall) -> bytes:
    """The file of ``recall``: the same recall gives the same bytes."""
    entry = RecallEntry(
        id=recall.id,
        version=recall.version,
        urgency=recall.urgency,
        date=recall.date,
        reason=dict(recall.reason),
        replacement=recall.replacement,
        kind=recall.kind,
        shown_version=recall.shown_version,
        packages=recall.packages,
        provides=tuple(ProvidesEntry(p.vendor, p.model, p.hw_revisions, p.regions) for p in recall.provides),
    )
    return encode_json(entry, indent=1) + b"\n"


def decode_recall(data: bytes) -> Recall:
    """Read a recall file; raises :class:`CodecError`, whose text names the place.

    One of a newer schema is not passed over: id, version and reason keep their meaning in every schema, and what else
    it says is not read.
    """
    if len(data) > MAX_BYTES:
        raise CodecError(f"longer than {MAX_BYTES} bytes")
    tree = decode_json_untyped(data)
    schema = tree.get("schema") if isinstance(tree, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise CodecError("expected a number from 1 - at `$.schema`")
    if schema > SCHEMA:
        return _of_a_newer_schema(tree)
    entry = convert_exactly(tree, RecallEntry)
    if entry.date is None:
        raise CodecError("missing - at `$.date`")
    return _checked(entry, entry.date)


def _of_a_newer_schema(tree: object) -> Recall:
    core = convert(tree, _Core)
    reason = core.reason or {"en": "–"}
    return _checked(RecallEntry(id=core.id, version=core.version, urgency=Urgency.CRITICAL, reason=reason), core.date)


def _checked(entry: RecallEntry, date: calendar_date) -> Recall:
    recall = Recall(
        id=entry.id,
        version=entry.version,
        urgency=entry.urgency,
        date=date,
        reason=dict(entry.reason),
        replacement=entry.replacement,
        kind=entry.kind,
        shown_version=entry.shown_version,
        packages=entry.packages,
        provides=tuple(Provides(p.vendor, p.model, p.hw_rev, p.region) for p in entry.provides),
    )
    return check_recall_bounds(recall)
