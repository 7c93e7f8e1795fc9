"""A release as its own signed description states it, and the type that only verification makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class ReleaseKind(StrEnum):
    """What a release replaces; decides gates and tests. In brackets the ISO 20022 catm component."""

    BOOTLOADER = "bootloader"
    FIRMWARE = "firmware"
    """OPST"""
    APPLICATION = "application"
    """APLI"""
    KERNEL = "kernel"
    """EMVK"""
    AID_CAPK = "aid_capk"
    PARAMETERS = "parameters"
    """AQPR, MRPR, TRPR"""
    RESOURCES = "resources"
    CERTIFICATES = "certificates"
    """CRTF"""


class Urgency(StrEnum):
    """How soon (AppStream's words)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class KeyFate(StrEnum):
    """What becomes of the terminal's payment keys."""

    KEPT = "kept"
    UNKNOWN = "unknown"
    """Nobody says: judged by the release's kind."""
    WIPED = "wiped"
    """They must be loaded again before it takes a payment."""


class Compare(StrEnum):
    """How a version is compared with the one a rule names."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


@dataclass(frozen=True, slots=True)
class ApkFacts:
    """What an APK states of itself, read from the file when the bundle was made, never typed."""

    id: str
    version: str
    version_code: int
    min_sdk: int
    abis: tuple[str, ...]
    """Empty: runs on any."""
    signer: str
    """Lower-case hex SHA-256 of the signing certificate."""


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One payload of a release."""

    role: str
    """``apk`` for a package, ``image`` for firmware, ``data`` for parameters."""
    target: str
    """TUF target path, from signed metadata only."""
    size_bytes: int
    sha256: str
    apk: ApkFacts | None = None


@dataclass(frozen=True, slots=True)
class Provides:
    """A model this release was made for; empty tuples mean any."""

    vendor: str
    model: str
    hw_revisions: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """One typed rule of ``requires`` or ``recommends``; an unknown ``what`` can never be met.

    ``what`` is one of ``firmware``, ``bootloader``, ``component``, ``battery``, ``external-power``, ``free-storage``,
    ``tool``, ``no-open-batch``, ``sdk``, ``abi``. The other fields are used as the kind needs them.
    """

    what: str
    compare: Compare = Compare.GE
    version: str = ""
    version_format: str = ""
    """Scheme of ``version``; empty means the release's own."""
    id: str = ""
    """Release or package id of a ``component``."""
    percent: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """A component that must not be there."""

    id: str
    compare: Compare | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class BlockedHardware:
    """A hardware revision this release must never reach."""

    hw_revision: str
    reason: str


@dataclass(frozen=True, slots=True)
class After:
    """What must be true when it is done."""

    restart: bool = False
    expect_version: str = ""
    checks: tuple[str, ...] = ()
    """Functional tests that this release asks for; one that is not in the catalogue is done by a person."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Test of :attr:`checks` → language → what is to be tested, for one that the catalogue does not describe."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """Whether and how it can be undone."""

    allowed: bool = False
    data: str = "retain"
    """``restore``, ``retain`` or ``wipe``: what happens to application data."""
    lowest: str = ""
    """Once it runs, the terminal takes nothing older than this (fwupd's ``VersionLowest``); empty: anything."""


@dataclass(frozen=True, slots=True)
class IssueCheck:
    """How it is found out on site whether a problem is there: asked of the terminal, of a person, or both."""

    probe: str = ""
    """A functional test that the terminal answers itself (``HW-07``), or ``property:NAME``."""
    expect: str = "pass"
    """What the probe says where the problem is **not** there: a result word, or the property's value."""
    question: Mapping[str, str] = field(default_factory=dict)
    """For a person, per language: how it is provoked and seen."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something this release mends."""

    type: str
    """``cve`` or ``vendor``."""
    id: str
    text: Mapping[str, str] = field(default_factory=dict)
    """What it is, per language."""
    symptom: Mapping[str, str] = field(default_factory=dict)
    """By what it is noticed, per language."""
    check: IssueCheck | None = None

    @property
    def can_be_checked(self) -> bool:
        """Whether anything says how it shows on site; a bare number does not."""
        return self.check is not None or bool(self.symptom or self.text)


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """Something this release does not mend."""

    id: str
    text: str
    hw_revision: str = ""
    """Only on this revision; empty: everywhere."""


@dataclass(frozen=True, slots=True)
class LabResult:
    """Where the lab tried it."""

    model: str
    result: str
    """``passed``, ``warned`` or ``failed`` (in-toto's test-result words)."""
    hw_revision: str = ""
    from_versions: tuple[str, ...] = ()
    date: date | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """The description of a release, in the words of AppStream and fwupd where they have one."""

    id: str
    version: str
    version_format: str
    """How ``version`` is ordered: one of :data:`techtool.domain.versions.SCHEMES`."""
    kind: ReleaseKind
    files: tuple[ReleaseFile, ...]
    provides: tuple[Provides, ...]
    requires: tuple[Requirement, ...] = ()
    recommends: tuple[Requirement, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    blocked_hw: tuple[BlockedHardware, ...] = ()
    urgency: Urgency = Urgency.MEDIUM
    install_duration_s: int = 0
    """0: the publisher gave none."""
    install_by: date | None = None
    """Latest day by which its publisher wants it installed; None: none given."""
    date: date | None = None
    cadence_days: int = 0
    """How often its publisher brings a new one; 0: not said."""
    keys: KeyFate = KeyFate.UNKNOWN
    after: After = field(default_factory=After)
    rollback: Rollback = field(default_factory=Rollback)
    erases_data: bool = False
    text: Mapping[str, str] = field(default_factory=dict)
    """What is new, per language (``en``, ``zh``)."""
    tags: tuple[str, ...] = ()
    branch: str = ""
    issues: tuple[Issue, ...] = ()
    known_issues: tuple[KnownIssue, ...] = ()
    tested_on: tuple[LabResult, ...] = ()

    @property
    def key(self) -> str:
        """``id@version``: names one release on a stick."""
        return f"{self.id}@{self.version}"

    @property
    def size_bytes(self) -> int:
        """All payloads together."""
        return sum(f.size_bytes for f in self.files)

    @property
    def packages(self) -> tuple[ApkFacts, ...]:
        """The packages it installs."""
        return tuple(f.apk for f in self.files if f.apk is not None)


@dataclass(frozen=True, slots=True)
class TrustFacts:
    """What the verification of a stick stands on: shown on screen and printed in the report."""

    root_version: int
    root_sha256: str
    """Fingerprint of the trusted root this laptop pinned or reached by the signed chain."""
    metadata_issued: datetime
    use_by: datetime
    """When the timestamp role expires."""
    reference_time: datetime
    """The time expiry was judged by (never before the clock floor)."""
    system_time: datetime
    publisher: str
    """The delegated role that signed the release, e.g. ``vendor-sunmi``."""
    keys: tuple[str, ...]
    """Key ids of the valid signatures over that role."""


@dataclass(frozen=True, slots=True)
class VerifiedRelease:
    """A release whose description came through the whole trust chain. Only ``techtool.bundles`` makes one.

    Its payloads are named by signed length and digest; they are copied and hashed again before use.
    """

    release: Release
    trust: TrustFacts
