"""Which terminals are due: by their maker's cycle, by what waits on the stick, by advisories and by inspection. Pure.

No cycle is invented: a release's own word counts first, then what a document says of the maker, then the setting; where
none of them says anything there is no due date. What is urgent comes first and closes or opens no gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from techtool.domain.history import UNKNOWN, TerminalEntry
from techtool.domain.outcome import Outcome
from techtool.domain.release import Release, ReleaseKind, Urgency
from techtool.domain.terminal import Evidence, titled
from techtool.domain.versions import Comparison, compare

_UPDATED: Final = (Outcome.SUCCESS, Outcome.SELF_REPORTED, Outcome.SUCCESS_NOT_RESTORED)
_URGENCY: Final = tuple(Urgency)
BY_SETTINGS: Final = "settings"
ADVISORY: Final = "cve"
"""Type of an issue that is a published weakness."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a maker brings updates, by a document."""

    vendor: str
    days: int
    source: str
    model: str = ""
    kind: ReleaseKind | None = None
    evidence: Evidence = Evidence.DOCUMENTED


@dataclass(frozen=True, slots=True)
class Life:
    """How long a model is supported, by a document."""

    vendor: str
    model: str
    source: str
    hw_revision: str = ""
    last_supported: Mapping[str, str] = field(default_factory=dict)
    """Release id → highest version for this hardware."""
    end_of_life: date | None = None
    evidence: Evidence = Evidence.DOCUMENTED


@dataclass(frozen=True, slots=True)
class Cycles:
    """``cadence.toml``"""

    schema: int
    cadence: tuple[Cadence, ...] = ()
    life: tuple[Life, ...] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """The settings' word where no document has one; 0: none."""

    default_days: int = 0
    inspection_days: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A release that is newer than what a terminal ran when it was seen last."""

    key: str
    urgency: Urgency
    installed: str
    """Empty: not there, or not known."""
    install_by: date | None = None
    advisories: tuple[str, ...] = ()
    """Published weaknesses that it mends and that the installed version has."""


@dataclass(frozen=True, slots=True)
class Due:
    """One terminal of this laptop's history."""

    serial: str
    title: str
    site: str
    updated: date | None
    """When something was installed last; None: never by this laptop."""
    cadence_days: int = 0
    """0: nobody says."""
    cadence_from: str = ""
    """Source of the cycle: a release's key, a document, or :data:`BY_SETTINGS`."""
    due: date | None = None
    inspected: date | None = None
    inspection_due: date | None = None
    waiting: tuple[Waiting, ...] = ()
    """The most urgent first."""
    end_of_life: date | None = None
    highest: Mapping[str, str] = field(default_factory=dict)
    """Release id → highest version for this hardware, by a document."""
    life_from: str = ""
    """Source of the two before."""

    def overdue(self, today: date) -> bool:
        """Whether any of its days has passed: the cycle's, a release's, the inspection's."""
        return self.days_over(today) > 0

    def days_over(self, today: date) -> int:
        """Of the day that passed first; 0: none has."""
        days = [self.due, self.inspection_due, *(waiting.install_by for waiting in self.waiting)]
        return max([0, *((today - day).days for day in days if day is not None)])

    @property
    def advisories(self) -> tuple[str, ...]:
        """Published weaknesses of what it runs."""
        return tuple(dict.fromkeys(name for waiting in self.waiting for name in waiting.advisories))

    @property
    def urgency(self) -> Urgency | None:
        """Of the most urgent release that waits."""
        return max((w.urgency for w in self.waiting), key=_URGENCY.index, default=None)


def due_list(
    entries: Iterable[TerminalEntry], releases: Sequence[Release], cycles: Cycles, wishes: Wishes, now: datetime
) -> tuple[Due, ...]:
    """Every terminal: overdue ones first and of these the most urgent, then by the next day that comes."""
    by_serial: dict[str, list[TerminalEntry]] = {}
    for entry in sorted(entries, key=lambda one: one.at):
        if entry.serial:
            by_serial.setdefault(entry.serial, []).append(entry)
    zone = now.tzinfo
    found = [_due(one, releases, cycles, wishes, zone) for one in by_serial.values()]
    today = now.date()

    def place(due: Due) -> tuple[bool, int, int, date, str]:
        urgency = due.urgency
        rank = _URGENCY.index(urgency) if urgency is not None else -1
        days = (due.due, due.inspection_due, *(waiting.install_by for waiting in due.waiting))
        next_day = min((day for day in days if day is not None), default=date.max)
        return (not due.overdue(today), -rank, -due.days_over(today), next_day, due.serial)

    return tuple(sorted(found, key=place))


def _due(
    entries: Sequence[TerminalEntry], releases: Sequence[Release], cycles: Cycles, wishes: Wishes, zone: tzinfo | None
) -> Due:
    last = entries[-1]
    updates = [e for e in entries if e.releases and e.outcome in _UPDATED]
    updated = _day(updates[-1].at, zone) if updates else None
    inspections = [e.inspected_at for e in entries if e.inspected_at is not None]
    inspected = _day(max(inspections), zone) if inspections else None
    fitting = [release for release in releases if _fits(release, last)]
    days, source = _cadence(last, fitting, updates[-1] if updates else None, cycles, wishes)
    life = next((one for one in cycles.life if _of(one, last)), None)
    highest = life.last_supported if life is not None else {}
    waiting = [w for release in fitting if (w := _waiting(release, entries, highest)) is not None]
    return Due(
        serial=last.serial,
        title=titled(last.vendor_name, last.model_name),
        site=last.merchant or last.site,
        updated=updated,
        cadence_days=days,
        cadence_from=source,
        due=_after(updated, days),
        inspected=inspected,
        inspection_due=_after(inspected, wishes.inspection_days),
        waiting=tuple(sorted(_newest(waiting, releases), key=lambda w: (-_URGENCY.index(w.urgency), w.key))),
        end_of_life=life.end_of_life if life is not None else None,
        highest=dict(highest),
        life_from=life.source if life is not None else "",
    )


def _day(at: datetime, zone: tzinfo | None) -> date:
    return at.astimezone(zone).date()


def _after(day: date | None, days: int) -> date | None:
    """The last day that is in time: an update of day 0 with a cycle of 180 is due on day 180, overdue on day 181."""
    if day is None or not 0 < days <= (date.max - day).days:
        return None
    return day + timedelta(days=days)


def _of(life: Life, entry: TerminalEntry) -> bool:
    same = (life.vendor, life.model) == (entry.vendor, entry.model)
    return same and life.hw_revision in ("", entry.hw_revision)


def _fits(release: Release, entry: TerminalEntry) -> bool:
    """Made for this model and, where both are known, this hardware revision."""
    made = any(
        (one.vendor, one.model) == (entry.vendor, entry.model)
        and (not one.hw_revisions or not entry.hw_revision or entry.hw_revision in one.hw_revisions)
        for one in release.provides
    )
    return made and entry.hw_revision not in {blocked.hw_revision for blocked in release.blocked_hw}


def _cadence(
    last: TerminalEntry, fitting: Sequence[Release], updated: TerminalEntry | None, cycles: Cycles, wishes: Wishes
) -> tuple[int, str]:
    """The shortest cycle of what this terminal runs, as the releases say; else the maker's; else the setting's."""
    ids = {key.split("@")[0] for key in updated.releases} if updated is not None else set()
    own = [(r.cadence_days, r.key) for r in fitting if r.cadence_days > 0 and r.id in ids]
    if own:
        return min(own)
    kinds = {release.kind for release in fitting if release.id in ids}
    exact = [
        one
        for one in cycles.cadence
        if one.vendor == last.vendor and one.model in ("", last.model) and (one.kind is None or one.kind in kinds)
    ]
    if exact:
        best = max(exact, key=lambda one: (bool(one.model), one.kind is not None))
        return best.days, best.source
    return (wishes.default_days, BY_SETTINGS) if wishes.default_days > 0 else (0, "")


def _waiting(release: Release, entries: Sequence[TerminalEntry], highest: Mapping[str, str]) -> Waiting | None:
    """The release, where what was seen last is older than it, and the hardware takes it."""
    limit = highest.get(release.id)
    if limit is not None and compare(release.version_format, release.version, limit) is Comparison.NEWER:
        return None
    older = ""
    if release.kind is ReleaseKind.FIRMWARE and not release.packages:
        older = entries[-1].firmware
        if compare(release.version_format, older, release.version) is not Comparison.OLDER:
            return None
    else:
        seen = {apk.id: _seen(apk.id, entries) for apk in release.packages}
        behind = [
            now
            for apk in release.packages
            if (now := seen[apk.id]) and compare(release.version_format, now, apk.version) is Comparison.OLDER
        ]
        if not behind:
            return None
        older = behind[0]
    advisories = tuple(issue.id for issue in release.issues if issue.type == ADVISORY)
    return Waiting(release.key, release.urgency, older, release.install_by, advisories)


def _seen(package: str, entries: Sequence[TerminalEntry]) -> str:
    """The version that a package had when it was read last; empty: never seen, or not read again."""
    for entry in reversed(entries):
        for version in entry.versions:
            if version.id == package:
                return "" if version.after == UNKNOWN else version.after
    return ""


def _newest(waiting: Sequence[Waiting], releases: Sequence[Release]) -> list[Waiting]:
    """Of each release id the newest, with the weaknesses and the earliest day of all that it passes over."""
    by_key = {release.key: release for release in releases}
    groups: dict[str, list[Waiting]] = {}
    for one in waiting:
        groups.setdefault(by_key[one.key].id, []).append(one)
    found = []
    for group in groups.values():
        top = group[0]
        for one in group[1:]:
            a, b = by_key[one.key], by_key[top.key]
            if compare(a.version_format, a.version, b.version) is Comparison.NEWER:
                top = one
        found.append(
            Waiting(
                top.key,
                max((one.urgency for one in group), key=_URGENCY.index),
                top.installed,
                min((one.install_by for one in group if one.install_by is not None), default=None),
                tuple(dict.fromkeys(name for one in group for name in one.advisories)),
            )
        )
    return found
