"""One terminal in one visit, as history, the due list and the search remember it. Derived from sealed records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from techtool.domain.learning import Forecast, Observation
from techtool.domain.outcome import Outcome
from techtool.domain.probe import RESTARTED
from techtool.domain.terminal import InstalledPackage, TerminalState
from techtool.domain.visit import CatmAction, CheckRecord, LaneRecord, VisitRecord

INSPECTION: Final = "SE-02"
"""The check that stands for the inspection of the casing."""
WATCH: Final = "APP-07"
"""The stability watch."""
UNKNOWN: Final = "?"
"""Stands for a version that was not read again."""
_CHANGING: Final = (CatmAction.INSTALL, CatmAction.RESTART, CatmAction.UPDATE, CatmAction.DELETE)


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """One package on a terminal, before and after; empty: not there; :data:`UNKNOWN`: not read again."""

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
    """Tests whose last word was “fail”."""
    planned: tuple[str, ...] = ()
    """``id@version`` of what was to be installed when the work was confirmed, also where that failed."""
    restarts: int | None = None
    """Unplanned ones in the stability watch, which ends at the first; None: nobody looked."""


@dataclass(frozen=True, slots=True)
class VisitDetails:
    """Everything the index keeps of one visit beside its line in the list."""

    terminals: tuple[TerminalEntry, ...] = ()
    observations: tuple[Observation, ...] = ()
    forecasts: tuple[Forecast, ...] = ()


def concerns(entry: TerminalEntry, release: str) -> bool:
    """Whether a release (``id`` or ``id@version``) was installed on the terminal in that visit, or was to be."""
    return any(release in (key, key.partition("@")[0]) for key in (*entry.releases, *entry.planned))


def entries_of(visit: VisitRecord) -> tuple[TerminalEntry, ...]:
    """One entry for each terminal of a visit whose serial number was read; an unfinished one has no outcome."""
    return tuple(_entry(visit, lane) for lane in visit.lanes if lane.serial)


def _entry(visit: VisitRecord, lane: LaneRecord) -> TerminalEntry:
    state = lane.after or lane.before
    identity = state.identity if state is not None else None
    site = visit.order.site if visit.order is not None else None
    newest = {check.id: check for check in lane.checks}
    merchant = visit.merchant or (site.merchant_name if site is not None else "")
    return TerminalEntry(
        visit=visit.id,
        lane=lane.lane,
        at=_at(visit, lane),
        serial=lane.serial,
        vendor=identity.vendor if identity else "",
        model=identity.model if identity else "",
        vendor_name=identity.vendor_name if identity else "",
        model_name=identity.model_name if identity else "",
        tid=_number(lane, "tid"),
        mid=_number(lane, "mid"),
        site=(site.site_id if site is not None else "") or merchant,
        merchant=merchant,
        work_order=visit.work_order or (visit.order.number if visit.order is not None else ""),
        technician=visit.technician,
        visit_kind=visit.kind.value,
        visit_type=visit.type.value,
        outcome=lane.outcome,
        exit_code=lane.exit_code,
        versions=tuple(_versions(lane)),
        releases=tuple(dict.fromkeys(file.release_key for file in lane.installed)),
        planned=tuple(release.key for release in lane.plan.releases) if lane.plan and lane.confirmed_at else (),
        backup=lane.backup.id if lane.backup is not None else "",
        firmware=identity.firmware if identity else "",
        hw_revision=(identity.hw_revision or "") if identity else "",
        inspected_at=next((c.at for c in reversed(lane.checks) if c.id == INSPECTION and c.result == "pass"), None),
        incidents=tuple(incident.no for incident in lane.incidents),
        failed_checks=tuple(check.id for check in newest.values() if check.result == "fail"),
        restarts=_restarts(newest.get(WATCH)),
    )


def _restarts(watch: CheckRecord | None) -> int | None:
    """0 where the watch was passed, 1 where it ended with a restart; a crash alone says nothing of restarts."""
    if watch is None:
        return None
    if watch.said is not None and watch.said.msgid == RESTARTED.msgid:
        return 1
    return 0 if watch.result == "pass" else None


def _at(visit: VisitRecord, lane: LaneRecord) -> datetime:
    if lane.outcome is None:
        return min((step.started_at for step in lane.steps), default=visit.started_at)
    ends = [step.ended_at for step in lane.steps if step.ended_at is not None]
    return max([*ends, *(check.at for check in lane.checks)], default=visit.finished_at or visit.started_at)


def _number(lane: LaneRecord, name: str) -> str:
    """Terminal or merchant number: as the terminal says it, else as the order does."""
    for state in (lane.after, lane.before):
        found = getattr(state, name, None)
        if found:
            return str(found)
    expected = lane.binding.expected if lane.binding is not None else None
    return str(getattr(expected, name, "") or "")


def _versions(lane: LaneRecord) -> Iterator[VersionSeen]:
    """What the planned releases name, then what else is another one now, each with its version before and after.

    Where the terminal was not read again, nobody knows what runs now: the version before stands on both sides only
    for terminals to which nothing was sent.
    """
    if lane.before is None:
        return
    releases = lane.plan.releases if lane.plan is not None else ()
    named = [apk.id for release in releases for apk in release.packages]
    before = lane.before
    after = lane.after or (None if any(step.action in _CHANGING for step in lane.steps) else before)
    there = (*before.packages, *after.packages) if after is not None else ()
    changed = [p.id for p in there if after is not None and _differs(before, after, p)]
    for package in dict.fromkeys([*named, *changed]):
        seen = VersionSeen(package, _version(before, package), _version(after, package) if after else UNKNOWN)
        if seen.before or seen.after not in ("", UNKNOWN):
            yield seen


def _differs(before: TerminalState, after: TerminalState, package: InstalledPackage) -> bool:
    return _version(before, package.id) != _version(after, package.id)


def _version(state: TerminalState, package: str) -> str:
    found = state.package(package)
    return found.version if found is not None else ""
