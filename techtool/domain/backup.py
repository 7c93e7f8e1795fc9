"""What a configuration snapshot is made of, and what its manifest says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from techtool.domain.schema import MANIFEST, newest
from techtool.domain.sensitive_kinds import Kind, Profile


class ItemKind(StrEnum):
    """What an item of a snapshot is; decides how it is scanned."""

    PROPERTIES = "properties"
    PACKAGES = "packages"
    APK = "apk"
    FILE = "file"


class OnFinding(StrEnum):
    """What becomes of an item that looks as if it held card data."""

    REFUSE = "refuse"
    """The backup fails, and nothing of it is kept."""
    NOTE = "note"
    """It is kept, and the manifest says what was found where: for programs, which everybody has."""


@dataclass(frozen=True, slots=True)
class Scan:
    """How an item is searched before it is stored."""

    profile: Profile = Profile.TEXT
    found: OnFinding = OnFinding.REFUSE


STRICT = Scan()


@dataclass(frozen=True, slots=True)
class Announced:
    """What a snapshot will hold, as far as the terminal tells the sizes before it is read."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class BackupItem:
    """One readable thing of the terminal, as a stream."""

    name: str
    """Path inside the snapshot, e.g. ``packages/com.acme.pay/base.apk``."""
    kind: ItemKind
    chunks: AsyncIterator[bytes]
    size_bytes: int | None = None
    """What the terminal says it is long; None: not known before it is read, so it must be small."""
    scan: Scan = STRICT
    serial_fields: frozenset[str] = frozenset()
    """Names of fields in it that hold the terminal's own serial number, which may look like a card's."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """Something on the allow-list that could not be read, and why (the terminal's own words)."""

    name: str
    reason: str


SnapshotPart = Announced | BackupItem | NotRead
"""What a terminal's driver yields: the announcement first."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A place in a program that looks like card data."""

    item: str
    kind: Kind
    offset: int


@dataclass(frozen=True, slots=True)
class ItemDigest:
    """One item as it was stored."""

    name: str
    kind: ItemKind
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """The document in the visit's ``backups`` table; also the last member of the archive itself.

    Last, because digests are known when everything was read, and nothing is ever laid down unencrypted to go back to.
    """

    id: str
    serial: str
    vendor: str
    model: str
    os_version: str
    made_at: datetime
    items: tuple[ItemDigest, ...]
    not_read: tuple[NotRead, ...]
    noted: tuple[Noted, ...] = ()
    """The first of each program's; see :class:`OnFinding`."""
    schema: int = newest(MANIFEST)
    """See :mod:`techtool.domain.schema`."""


@dataclass(frozen=True, slots=True)
class StoredBackup:
    """A snapshot on disk that was decrypted from there and hashed again."""

    manifest: BackupManifest
    file: str
    """Name within the backups folder."""
    size_bytes: int
    sha256: str
    """Of the encrypted file."""
    recipients: tuple[str, ...]
    verified: bool
