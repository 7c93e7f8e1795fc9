"""A release's own signed file: schema 1, decoded strictly, with every size bounded before anything is believed.

The field names in the file are the publisher's (``hw_rev``, ``size``, ``install_duration``); the domain's carry their
units. A field this techtool does not know is refused, because whoever signed it meant something by it. The one
exception is a rule of an unknown kind: it stays in the list as a :class:`Requirement` that can never be met, so that
the release is shown with “needs a newer techtool” instead of vanishing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as calendar_date
from typing import Final

from techtool.bundles.bounds import check_bounds
from techtool.domain.codec import CodecError, convert_exactly, decode_json_untyped, decode_toml, encode_json, plain
from techtool.domain.release import (
    After,
    ApkFacts,
    BlockedHardware,
    Conflict,
    Issue,
    KeyFate,
    KnownIssue,
    LabResult,
    Provides,
    Release,
    ReleaseFile,
    ReleaseKind,
    Requirement,
    Rollback,
    Urgency,
)

SCHEMA: Final = 1
MAX_BYTES: Final = 512 * 1024
"""Of one description file; the largest sensible one (30 models, two languages) has about 20 kB."""
KNOWN_RULES: Final = frozenset(
    {
        "firmware",
        "bootloader",
        "component",
        "battery",
        "external-power",
        "free-storage",
        "tool",
        "no-open-batch",
        "sdk",
        "abi",
    }
)
"""The kinds of ``requires`` and ``recommends`` that this techtool can judge."""


class NewerSchema(CodecError):
    """The description is of a schema that only a newer techtool reads."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """``files[]``"""

    role: str
    target: str
    size: int
    sha256: str
    apk: ApkFacts | None = None


@dataclass(frozen=True, slots=True)
class ProvidesEntry:
    """``provides[]``"""

    vendor: str
    model: str
    hw_rev: tuple[str, ...] = ()
    region: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockedEntry:
    """``blocked_hw[]``"""

    hw_rev: str
    reason: str


@dataclass(frozen=True, slots=True)
class WhenEntry:
    """``known_issues[].if``, which is a word of Python and is read as ``when``."""

    hw_rev: str = ""


@dataclass(frozen=True, slots=True)
class KnownIssueEntry:
    """``known_issues[]``"""

    id: str
    text: str = ""
    when: WhenEntry = field(default_factory=WhenEntry)


@dataclass(frozen=True, slots=True)
class LabEntry:
    """``tested_on[]``; ``from`` is read as ``from_versions``."""

    model: str
    result: str
    hw_rev: str = ""
    from_versions: tuple[str, ...] = ()
    date: calendar_date | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """The file as it is written; also, with most fields left out, what a publisher gives by hand."""

    schema: int = SCHEMA
    id: str = ""
    version: str = ""
    version_format: str = ""
    kind: ReleaseKind | None = None
    urgency: Urgency = Urgency.MEDIUM
    install_duration: int = 0
    date: calendar_date | None = None
    install_by: calendar_date | None = None
    cadence_days: int = 0
    keys: KeyFate = KeyFate.UNKNOWN
    branch: str = ""
    tags: tuple[str, ...] = ()
    files: tuple[FileEntry, ...] = ()
    provides: tuple[ProvidesEntry, ...] = ()
    requires: tuple[Requirement, ...] = ()
    recommends: tuple[Requirement, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    blocked_hw: tuple[BlockedEntry, ...] = ()
    after: After = field(default_factory=After)
    rollback: Rollback = field(default_factory=Rollback)
    erases_data: bool = False
    issues: tuple[Issue, ...] = ()
    known_issues: tuple[KnownIssueEntry, ...] = ()
    tested_on: tuple[LabEntry, ...] = ()
    text: Mapping[str, str] = field(default_factory=dict)


def decode_release(data: bytes) -> Release:
    """Read a description file; raises :class:`NewerSchema` and :class:`CodecError`, whose text names the place."""
    if len(data) > MAX_BYTES:
        raise CodecError(f"longer than {MAX_BYTES} bytes")
    return to_release(_from_tree(decode_json_untyped(data)))


def decode_draft(data: bytes) -> Description:
    """Read what a publisher wrote in TOML, with the same field names; what an APK states may be left out."""
    tree = decode_toml(data, dict[str, object])
    for name in ("schema", "files"):
        if name in tree:
            raise CodecError(f"“{name}” is written by techtool - at `$`")
    return _from_tree({"schema": SCHEMA, **tree})


def decode_rules(data: bytes) -> tuple[Requirement, ...]:
    """Read a JSON list of ``requires`` entries."""
    return _from_tree({"schema": SCHEMA, "requires": decode_json_untyped(data)}).requires


def encode_release(release: Release) -> bytes:
    """The description file of ``release``: the same release gives the same bytes, defaults left out."""
    wire = plain(_to_wire(release))
    tree = {key: value for key, value in wire.items() if key in _ALWAYS or value != _DEFAULTS[key]}
    for issue in tree.get("known_issues", ()):
        issue["if"] = issue.pop("when")
    if not release.after.texts:
        # Written as it always was, so that an older techtool reads it.
        tree.get("after", {}).pop("texts", None)
    for issue in tree.get("issues", ()):
        _drop_unsaid(issue)
    for tested in tree.get("tested_on", ()):
        tested["from"] = tested.pop("from_versions")
    return encode_json(tree, indent=1) + b"\n"


def _drop_unsaid(issue: dict[str, object]) -> None:
    """An issue without texts and check is written as it always was."""
    check = issue.get("check")
    if isinstance(check, dict):
        for name in ("probe", "question"):
            if not check[name]:
                del check[name]
        if "probe" not in check:
            del check["expect"]
    for name in ("text", "symptom", "check"):
        if not issue[name]:
            del issue[name]


def to_release(wire: Description) -> Release:
    """The domain's release, when everything it needs is there and within bounds; raises :class:`CodecError`."""
    if wire.kind is None:
        raise CodecError("missing - at `$.kind`")
    release = Release(
        id=wire.id,
        version=wire.version,
        version_format=wire.version_format,
        kind=wire.kind,
        files=tuple(ReleaseFile(f.role, f.target, f.size, f.sha256, f.apk) for f in wire.files),
        provides=tuple(Provides(p.vendor, p.model, p.hw_rev, p.region) for p in wire.provides),
        requires=wire.requires,
        recommends=wire.recommends,
        conflicts=wire.conflicts,
        blocked_hw=tuple(BlockedHardware(b.hw_rev, b.reason) for b in wire.blocked_hw),
        urgency=wire.urgency,
        install_duration_s=wire.install_duration,
        date=wire.date,
        install_by=wire.install_by,
        cadence_days=wire.cadence_days,
        keys=wire.keys,
        after=wire.after,
        rollback=wire.rollback,
        erases_data=wire.erases_data,
        text=dict(wire.text),
        tags=wire.tags,
        branch=wire.branch,
        issues=wire.issues,
        known_issues=tuple(KnownIssue(k.id, k.text, k.when.hw_rev) for k in wire.known_issues),
        tested_on=tuple(LabResult(t.model, t.result, t.hw_rev, t.from_versions, t.date) for t in wire.tested_on),
    )
    return check_bounds(release)


def _to_wire(release: Release) -> Description:
    return Description(
        id=release.id,
        version=release.version,
        version_format=release.version_format,
        kind=release.kind,
        urgency=release.urgency,
        install_duration=release.install_duration_s,
        date=release.date,
        install_by=release.install_by,
        cadence_days=release.cadence_days,
        keys=release.keys,
        branch=release.branch,
        tags=release.tags,
        files=tuple(FileEntry(f.role, f.target, f.size_bytes, f.sha256, f.apk) for f in release.files),
        provides=tuple(ProvidesEntry(p.vendor, p.model, p.hw_revisions, p.regions) for p in release.provides),
        requires=release.requires,
        recommends=release.recommends,
        conflicts=release.conflicts,
        blocked_hw=tuple(BlockedEntry(b.hw_revision, b.reason) for b in release.blocked_hw),
        after=release.after,
        rollback=release.rollback,
        erases_data=release.erases_data,
        issues=release.issues,
        known_issues=tuple(KnownIssueEntry(k.id, k.text, WhenEntry(k.hw_revision)) for k in release.known_issues),
        tested_on=tuple(LabEntry(t.model, t.result, t.hw_revision, t.from_versions, t.date) for t in release.tested_on),
        text=dict(release.text),
    )


_DEFAULTS: Final[Mapping[str, object]] = plain(Description())
_ALWAYS: Final = frozenset({"schema", "id", "version", "version_format", "kind", "files", "provides"})


def _from_tree(tree: object) -> Description:
    """The strict reading of a document."""
    if not isinstance(tree, dict):
        raise CodecError("expected an object - at `$`")
    schema = tree.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise CodecError("expected a number from 1 - at `$.schema`")
    if schema > SCHEMA:
        raise NewerSchema(f"schema {schema}")
    ready = dict(tree)
    for name in ("requires", "recommends"):
        if name in ready:
            ready[name] = _bounded_rules(ready[name])
    for name, theirs, ours in (("known_issues", "if", "when"), ("tested_on", "from", "from_versions")):
        if name in ready:
            ready[name] = _renamed(ready[name], theirs, ours)
    return convert_exactly(ready, Description)


def _bounded_rules(rules: object) -> object:
    """Rules of a kind nobody here knows, with their unknown parts left out."""
    if not isinstance(rules, list):
        return rules
    return [
        {"what": rule["what"]}
        if isinstance(rule, dict) and isinstance(rule.get("what"), str) and rule["what"] not in KNOWN_RULES
        else rule
        for rule in rules
    ]


def _renamed(items: object, theirs: str, ours: str) -> object:
    """Entries with a key that is a word of Python under the name of our field; ours itself is not accepted."""
    if not isinstance(items, list):
        return items
    renamed = []
    for item in items:
        if isinstance(item, dict):
            if ours in item:
                raise CodecError(f"unknown field “{ours}”")
            item = {ours if key == theirs else key: value for key, value in item.items()}  # noqa: PLW2901
        renamed.append(item)
    return renamed
