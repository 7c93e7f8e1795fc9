"""What the risk model looks at, read off the plan, the terminal, the place and what this laptop remembers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from techtool.domain.history import TerminalEntry
from techtool.domain.outcome import DONE, TRIED
from techtool.domain.plan import Plan
from techtool.domain.release import KeyFate, Release, ReleaseKind
from techtool.domain.risk_subject import BackupFact, Facts, Trading, Tries, WayBack
from techtool.domain.risk_weights import Weights
from techtool.domain.rollback import RollbackClass, falls_below
from techtool.domain.terminal import Address, BatchState, Identity, TerminalState
from techtool.i18n import Phrase, phrase

_HOURS: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*[-–—~]\s*([01]?\d|2[0-4]):([0-5]\d)")
_WAYS: Final = {
    RollbackClass.NOTHING: WayBack.SLOT,
    RollbackClass.TERMINAL: WayBack.SLOT,
    RollbackClass.KEEPS_DATA: WayBack.CARRIED,
    RollbackClass.REMOVES: WayBack.CARRIED,
    RollbackClass.LOSES_DATA: WayBack.REINSTALL,
}
_HARDEST_LAST: Final = tuple(WayBack)


@dataclass(frozen=True, slots=True)
class Past:
    """What this laptop remembers of the model, the releases, the technician and the terminal."""

    tries: Tries = field(default_factory=Tries)
    first_time: bool = True
    restarts: int | None = None
    """Unplanned restarts of this terminal in the watch after its last update; None: nobody looked."""


@dataclass(frozen=True, slots=True)
class Around:
    """What stands beside terminal and plan."""

    now: datetime
    """In the shop's zone."""
    trading_hours: str = ""
    critical_merchant: bool = False
    drops: int = 0
    anomaly: bool = False
    trading: Trading | None = None
    spare: bool | None = None
    settled: bool | None = None
    """What the technician said of the batch where the terminal does not tell."""
    errors_percent: float = 0.0
    """Of the round trips that measured the link."""


def facts_of(
    plan: Plan,
    terminal: TerminalState,
    weights: Weights,
    past: Past,
    around: Around,
    known: Sequence[Release] = (),
) -> Facts:
    """The facts; ``known``: releases of the stick, which tell how old what runs is."""
    releases = [verified.release for verified in plan.releases]
    address = Address.parse(terminal.identity.address)
    link = weights.link_of(address.scheme, address.target)
    return Facts(
        battery=terminal.battery,
        free_storage_bytes=terminal.free_storage_bytes,
        need_bytes=sum(release.size_bytes for release in releases),
        link=link.name if link else address.scheme,
        resumes=link.resumes if link else False,
        steps=len(releases),
        kinds=frozenset(release.kind for release in releases),
        backup=BackupFact.NONE if terminal.typed else BackupFact.VERIFIED,
        way_back=way_back(plan, terminal, weights.rollback.final),
        keys=keys_of(releases, weights.keys.kept),
        batch=_batch(terminal, around.settled),
        tries=past.tries,
        p90_s=plan.total.p90_s,
        left_s=left_s(around.trading_hours, around.now),
        warnings=tuple(_warnings(terminal, weights, past, known, around.now.date())),
        first_time=past.first_time,
        drops=around.drops,
        errors_percent=around.errors_percent,
        trading=around.trading,
        spare=around.spare,
        critical_merchant=around.critical_merchant,
        anomaly=around.anomaly,
    )


def past_of(
    entries: Iterable[TerminalEntry], who: Identity, releases: Sequence[Release], technician: str, visit: str = ""
) -> Past:
    """Success of these releases on this model, by what is remembered; ``visit``: the one under way, left out."""
    ids = {release.id for release in releases} | {p.id for release in releases for p in release.packages}
    same = [e for e in entries if e.visit != visit and (e.vendor, e.model) == (who.vendor, who.model)]
    tried = [entry for entry in same if entry.outcome in TRIED]
    about = [entry for entry in tried if ids & _ids(entry)]
    own = [entry.restarts for entry in same if entry.serial == who.serial and entry.restarts is not None]
    return Past(
        tries=Tries(len(about), sum(entry.outcome in DONE for entry in about)),
        first_time=not any(entry.technician == technician for entry in tried),
        restarts=own[-1] if own else None,
    )


def _ids(entry: TerminalEntry) -> set[str]:
    return {key.split("@")[0] for key in entry.releases} | {seen.id for seen in entry.versions}


def way_back(plan: Plan, terminal: TerminalState, final: Sequence[ReleaseKind]) -> WayBack:
    """The hardest of the plan's releases.

    An application that cannot be undone on site can be loaded again by the acquirer; firmware that its publisher does
    not let go back, or that lets nothing older in, cannot.
    """
    releases = {verified.release.key: verified.release for verified in plan.releases}
    ways = [
        _WAYS.get(one.kind) or _hard(releases[one.release_key], terminal, final)
        for one in plan.rollback.releases
        if one.release_key in releases
    ]
    return max(ways, key=_HARDEST_LAST.index, default=WayBack.SLOT)


def _hard(release: Release, terminal: TerminalState, final: Sequence[ReleaseKind]) -> WayBack:
    if release.kind not in final:
        return WayBack.REINSTALL
    shut = not release.rollback.allowed or falls_below(release, terminal)
    return WayBack.IRREVERSIBLE if shut or release.kind is ReleaseKind.BOOTLOADER else WayBack.REINSTALL


def keys_of(releases: Sequence[Release], kept: Sequence[ReleaseKind]) -> KeyFate:
    """The worst of the releases; of one that does not say, by its kind."""
    fates = {
        KeyFate.KEPT if release.keys is KeyFate.UNKNOWN and release.kind in kept else release.keys
        for release in releases
    }
    return next((fate for fate in (KeyFate.WIPED, KeyFate.UNKNOWN) if fate in fates), KeyFate.KEPT)


def _batch(terminal: TerminalState, settled: bool | None) -> BatchState | None:
    if terminal.batch is BatchState.OPEN or terminal.offline_sales or terminal.reversals:
        return BatchState.OPEN
    if terminal.batch is not None:
        return terminal.batch
    return None if settled is None else BatchState.SETTLED if settled else BatchState.OPEN


def left_s(hours: str, now: datetime) -> float | None:
    """Seconds until the shop closes or, where it is closed now, opens; None where ``HH:MM-HH:MM`` does not say.

    Closing before opening is after midnight; the same time twice, or the whole day, is a shop that never
    closes.
    """
    found = _HOURS.fullmatch(hours.strip())
    if found is None:
        return None
    opens, closes = (int(found[i]) * 60 + int(found[i + 1]) for i in (1, 3))
    if max(opens, closes) > 24 * 60 or (closes - opens) % (24 * 60) == 0:
        return None
    minute = now.hour * 60 + now.minute + now.second / 60
    trading = opens <= minute < closes if opens < closes else minute >= opens or minute < closes
    return ((closes if trading else opens) - minute) % (24 * 60) * 60


def _warnings(
    terminal: TerminalState, weights: Weights, past: Past, known: Sequence[Release], today: date
) -> Iterator[Phrase]:
    """Signs of a terminal that is not well."""
    limits = weights.threshold
    if terminal.clock_offset_s is not None and abs(terminal.clock_offset_s) > limits.clock_off_s:
        yield phrase("its clock is days off: the buffer battery may be empty")
    if past.restarts is not None and past.restarts >= limits.restarts:
        yield phrase("it restarted by itself while it was watched after its last update")
    oldest = today - timedelta(days=limits.version_old_days)
    for release in known:
        runs = any(
            (now := terminal.package(apk.id)) is not None and now.version_code == apk.version_code
            for apk in release.packages
        )
        if runs and release.date is not None and release.date < oldest:
            yield phrase("{release} runs, of {date}", release=release.key, date=release.date.isoformat())
            return
