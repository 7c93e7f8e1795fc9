"""Files that prove something: photos, slips, logs. Copied into the visit's evidence folder, named by their SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EvidenceKind(StrEnum):
    """What a file shows."""

    STOREFRONT = "storefront"
    COUNTER = "counter"
    DEVICE = "device"
    LABEL = "label"
    CABLES = "cables"
    SEAL = "seal"
    SLIP = "slip"
    """A test slip, card number masked."""
    SETTLEMENT_SLIP = "settlement-slip"
    SIGNATURE = "signature"
    """The report signed on paper."""
    ANOMALY = "anomaly"
    LOG = "log"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One file as it was taken in."""

    sha256: str
    """Lower-case hex of the copied bytes; the copy is ``evidence/<sha256><suffix>``."""
    name: str
    """As the technician's file was called."""
    suffix: str
    """``.jpg`` …, lower case."""
    size_bytes: int
    kind: EvidenceKind
    about: str
    """The question or check it belongs to: ``inspect.SE-02.card-slot``, ``test.TX-02``, ``sign_off.paper`` …"""
    at: datetime
    """When it was taken in."""
    modified_at: datetime | None = None
    """The file's own time."""
    taken_at: str = ""
    """The camera's own time, as the picture says it (EXIF, no zone)."""
    geo: str = ""
    """``LAT,LON`` from the picture."""
    camera: str = ""
    note: str = ""
    masked: bool = False
    """Card, terminal or merchant numbers in a text were masked: the copy is not the original byte for byte."""


@dataclass(frozen=True, slots=True)
class Incident:
    """An anomaly that stopped the work: out of use, not opened, secured, told (PCI DSS 9.5.1 practice)."""

    no: str
    """Incident number, ours: ``VISIT-LANE-n``."""
    what: str
    """The inspection item or binding problem."""
    note: str
    at: datetime
    removed_from_use: bool | None = None
    secured: bool | None = None
    reported_to: str = ""
    reported_at: str = ""
    """As the technician says it."""
    evidence: tuple[str, ...] = ()
    """SHA-256 of its files."""
    closed_because: str = ""
    """Who released the terminal again and what it was; empty: the incident is open."""
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has said yet what it was."""
        return not self.closed_because
