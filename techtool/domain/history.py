"""One terminal in one visit, as history, the due list and the search remember it. Derived from sealed records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from techtool.domain.outcome import Outcome


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """One package on a terminal, before and after; empty: not there."""

    id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TerminalEntry:
    """What the index keeps of one terminal of one visit."""

    visit: str
    lane: str
    at: datetime
    """When the work on it ended, or began where it did not end."""
    serial: str
    vendor: str
    model: str
    vendor_name: str
    model_name: str
    tid: str
    mid: str
    site: str
    """Site id of the order, else the merchant's name."""
    merchant: str
    work_order: str
    technician: str
    visit_kind: str
    visit_type: str
    outcome: Outcome | None
    exit_code: int
    versions: tuple[VersionSeen, ...] = ()
    """Packages that the visit's releases name, and those that changed."""
    releases: tuple[str, ...] = ()
    """``id@version`` of what was installed."""
    backup: str = ""
    """Id of the backup made."""
    firmware: str = ""
    hw_revision: str = ""
    inspected_at: datetime | None = None
    """When the casing and skimmer inspection was passed."""
    incidents: tuple[str, ...] = ()
    failed_checks: tuple[str, ...] = ()
    restarts: int | None = None
