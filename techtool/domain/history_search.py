"""Questions put to the history: which visits fit, what is known of one terminal now, how a release fared. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from techtool.domain.history import TerminalEntry, concerns
from techtool.domain.outcome import DONE, TRIED, Outcome

UNFINISHED: Final = "unfinished"
"""Stands for an outcome that there is not yet."""
_RESTORE: Final = "restore"
_RUNS_IT: Final = (Outcome.SUCCESS, Outcome.SELF_REPORTED, Outcome.SUCCESS_NOT_RESTORED)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; empty fields do not restrict."""

    text: str = ""
    """Part of a serial, merchant, site, order number or technician; or the last four of a TID or MID, or all of it."""
    site: str = ""
    """Site id or part of the merchant's name."""
    release: str = ""
    """``id`` or ``id@version``."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""
    outcome: str = ""
    """An :class:`Outcome` word or :data:`UNFINISHED`."""

    def fits(self, entry: TerminalEntry) -> bool:
        """Whether everything that is given is true of ``entry``."""
        if self.text and not _says(entry, self.text):
            return False
        if self.site and not any(_within(self.site, place) for place in (entry.site, entry.merchant)):
            return False
        if self.release and not concerns(entry, self.release):
            return False
        if self.since is not None and entry.at < self.since:
            return False
        if self.until is not None and entry.at >= self.until:
            return False
        return not self.outcome or self.outcome == (entry.outcome.value if entry.outcome else UNFINISHED)


def begins(day: date | None, zone: tzinfo, days: int = 0) -> datetime | None:
    """The first moment of a day as the laptop's clock shows it, or of the day so many later; None: no bound."""
    if day is None or (date.max - date(day.year, day.month, day.day)).days < days:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=days)


def _folded(text: str) -> str:
    """Without regard to case and to full-width forms, as an input method leaves them."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _within(part: str, whole: str) -> bool:
    return _folded(part) in _folded(whole)


def _says(entry: TerminalEntry, text: str) -> bool:
    wanted = _folded(text)
    if any(_within(wanted, word) for word in (entry.serial, entry.merchant, entry.site, entry.technician)):
        return True
    if _within(wanted, entry.work_order) or wanted == _folded(entry.visit):
        return True
    numbers = (_folded(entry.tid), _folded(entry.mid))
    # Whoever knows less than the last four of a number cannot mean it.
    return len(wanted) >= 4 and any(n == wanted or (len(wanted) == 4 and n.endswith(wanted)) for n in numbers)


@dataclass(frozen=True, slots=True)
class TerminalHistory:
    """One terminal through all visits that fit, oldest first."""

    serial: str
    entries: tuple[TerminalEntry, ...]

    @property
    def last(self) -> TerminalEntry:
        """The newest."""
        return self.entries[-1]

    @property
    def inspected_at(self) -> datetime | None:
        """When the inspection of its casing was passed last."""
        return max((entry.inspected_at for entry in self.entries if entry.inspected_at is not None), default=None)


def by_terminal(entries: Iterable[TerminalEntry]) -> list[TerminalHistory]:
    """Every terminal once, the one that was worked on last at the end."""
    found: dict[str, list[TerminalEntry]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.at, entry.visit, entry.lane)):
        found.setdefault(entry.serial, []).append(entry)
    histories = [TerminalHistory(serial, tuple(own)) for serial, own in found.items()]
    return sorted(histories, key=lambda one: (one.last.at, one.serial))


@dataclass(frozen=True, slots=True)
class ReleaseFate:
    """How one release fared on the terminals of this laptop."""

    key: str
    tried: int
    """Terminals' visits in which it was confirmed and begun, and that came to an end."""
    good: int
    """Of those, how many ended with it installed and verified and everything in order."""
    runs_on: tuple[str, ...]
    """Serials of terminals that run it as far as this laptop knows: nothing else of the same id came after."""

    @property
    def share(self) -> float | None:
        """0 to 1; None where it was never tried."""
        return self.good / self.tried if self.tried else None


def fates(entries: Sequence[TerminalEntry], release: str) -> list[ReleaseFate]:
    """For each version of a release (``id``, or one: ``id@version``) how it fared, by key.

    ``entries`` are all there are of the terminals concerned: what came later decides what runs now.
    """
    keys = sorted({key for entry in entries for key in _keys(entry) if release in (key, key.partition("@")[0])})
    return [_fate(entries, key) for key in keys]


def _keys(entry: TerminalEntry) -> Iterator[str]:
    yield from entry.releases
    yield from entry.planned


def _fate(entries: Sequence[TerminalEntry], key: str) -> ReleaseFate:
    tried = [entry for entry in entries if entry.outcome in TRIED and key in (*entry.planned, *entry.releases)]
    good = [entry for entry in tried if entry.outcome in DONE and key in entry.releases]
    running = [one.serial for one in by_terminal(entries) if _running(one, key.partition("@")[0]) == key]
    return ReleaseFate(key, len(tried), len(good), tuple(sorted(running)))


def _running(history: TerminalHistory, release: str) -> str:
    """Which version of a release a terminal was left with; empty: none, or it is not known since a restore."""
    now = ""
    for entry in history.entries:
        if entry.outcome not in _RUNS_IT:
            continue
        if entry.visit_kind == _RESTORE:
            now = ""
        now = next((key for key in entry.releases if key.partition("@")[0] == release), now)
    return now
