"""Everything ``techtool doctor`` looks at: what is damaged, since when, and what to do about it.

Needs no sound settings and changes no file: repairs are :mod:`techtool.visit.rescue` and :func:`rebuild`, when a person
asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from techtool.bundles.clock_floor import note_time, read_floor
from techtool.domain.visit import VisitRecord
from techtool.errors import BadFile, DiskError, StoreDamaged, StoreError, StoreTooNew, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.paths import Paths
from techtool.reports.signers import Signer, own_signers
from techtool.store.home import Home
from techtool.store.index import Index, VisitSummary
from techtool.store.journal import TORN, aside_name
from techtool.store.salvage import DAMAGED
from techtool.visit.backup_files import check_backups, deleted_backups
from techtool.visit.backup_log import BackupLog
from techtool.visit.disk_protection import check_protection
from techtool.visit.health import (
    UPDATE,
    Finding,
    check_facts,
    check_keys,
    check_settings,
    check_store_key,
    check_trust,
    too_new,
)
from techtool.visit.rescue import House, damage_of
from techtool.visit.verify import VERDICT_LABEL, Verdict, verify_file
from techtool.visit.visits import known_visits, rebuild_index, record_in, summary_of

_REBUILD: Final = phrase("“techtool doctor --rebuild” makes the index again from the visits; a damaged one is kept.")


@dataclass(frozen=True, slots=True)
class Health:
    """All that was found."""

    readable: int
    """Visits whose journals can be read to the last byte."""
    findings: tuple[Finding, ...]
    store_key: Path | None = None
    """Where the key to the records' confidential words lies, if there is one."""

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is wrong."""
        return tuple(finding for finding in self.findings if finding.problem)

    @property
    def salvageable(self) -> tuple[str, ...]:
        """Visits of which ``doctor --salvage`` can save something."""
        return tuple(finding.visit for finding in self.findings if finding.salvage)


def examine(house: House) -> Health:
    """Read every visit's journal to its last byte, the index, the settings, the trust state and the keys."""
    home, index = house.home, house.index
    known = {summary.id: summary for summary in known_visits(index)}
    ids = home.visit_ids()
    signers = _own_signers(home.paths)
    deleted = deleted_backups(house)
    found: list[Finding] = []
    for visit_id in ids:
        found += _check_visit(house, visit_id, known.get(visit_id), signers, deleted)
        if not any(finding.problem for finding in found if finding.visit == visit_id):
            found += _check_entry(home, visit_id, known.get(visit_id))
    readable = len(ids) - len({finding.visit for finding in found if finding.problem and finding.visit})
    for visit_id in known.keys() - set(ids):
        found.append(_gone(home, visit_id))
    found += _check_index(home.paths, index)
    found += _check_backup_log(house)
    for check in (check_settings, check_facts, check_trust, check_keys, check_protection):
        found += check(home.paths)
    found += check_store_key(home.paths, home.keys)
    found += _asides(home.paths)
    key = home.paths.store_key
    return Health(readable, tuple(found), key if key.exists() else None)


def rebuild(house: House) -> list[Path]:
    """Make the index, and a damaged clock floor, again from the visits; what was set aside for it.

    The caller holds the lock. Raises :class:`StoreTooNew`, :class:`DiskFull`, :class:`DiskError`.
    """
    home, index = house.home, house.index
    before = index.set_aside
    rebuild_index(home, index, known_visits(index))
    aside = [index.set_aside] if index.set_aside is not None and index.set_aside != before else []
    clock = home.paths.trust / "clock.json"
    try:
        read_floor(home.paths)
    except StoreDamaged:
        kept = aside_name(clock, DAMAGED)
        home.disk.replace(clock, kept)
        aside.append(kept)
        for moment in sorted(_last_times(home)):
            note_time(home.paths, moment, home.disk)
    return aside


def _last_times(home: Home) -> Iterator[datetime]:
    for visit_id in home.visit_ids():
        try:
            yield record_in(home, visit_id).last_at
        except TechtoolError:
            continue


def _own_signers(paths: Paths) -> Sequence[Signer]:
    try:
        return own_signers(paths)
    except BadFile:
        return ()


# --- visits ---------------------------------------------------------------------------------------------------------


def _check_visit(
    house: House, visit_id: str, known: VisitSummary | None, signers: Sequence[Signer], deleted: frozenset[str]
) -> Iterator[Finding]:
    path = house.home.visit_path(visit_id)
    try:
        record = record_in(house.home, visit_id)
    except StoreTooNew as error:
        yield Finding(path, error.what_phrase, (UPDATE,), visit=visit_id)
        return
    except StoreDamaged as error:
        yield _damaged(house, visit_id, error.problem)
        return
    except TechtoolError as error:
        yield Finding(path, error.what_phrase, error.action_phrases, visit=visit_id)
        return
    judged = verify_file(path, signers, house.clock.now(), known, own=visit_id)
    if judged.problem is not None:
        yield _damaged(house, visit_id, judged.problem)
    elif judged.verdict is Verdict.UNKNOWN_SIGNER:
        words = phrase(
            "visit {visit}: {verdict} ({key})", visit=visit_id, verdict=VERDICT_LABEL[judged.verdict], key=judged.key
        )
        action = phrase(
            "Compare with the office's list: “techtool visit verify {visit} --allowed-signers FILE”.", visit=visit_id
        )
        yield Finding(path, words, (action,), visit=visit_id, problem=bool(signers))
    elif judged.verdict is Verdict.UNSIGNED:
        words = phrase("visit {visit}: {verdict}", visit=visit_id, verdict=VERDICT_LABEL[judged.verdict])
        yield Finding(path, words, visit=visit_id, problem=False)
    yield from _notes(house.home, path, record)
    yield from check_backups(house, record, deleted)


def _damaged(house: House, visit_id: str, problem: Phrase) -> Finding:
    """A journal that cannot be believed: since when, as narrowly as its own times tell, and what can be saved."""
    damage = damage_of(house, visit_id)
    until, behind, changed = damage.since
    since = phrase(
        "proven up to {until}; first entry behind the damage {behind}; file last changed {changed}",
        until=until,
        behind=behind,
        changed=changed,
    )
    salvage = phrase(
        "“techtool doctor --salvage {visit}” sets it aside and saves what can be read of it.", visit=visit_id
    )
    office = phrase("Send the damaged file to the office.")
    actions = (salvage, office) if damage.salvageable else (office,)
    what = phrase("the record of visit {visit} is damaged: {problem}", visit=visit_id, problem=problem)
    return Finding(house.home.visit_path(visit_id), what, actions, since, visit_id, salvage=damage.salvageable)


def _gone(home: Home, visit_id: str) -> Finding:
    return Finding(
        home.visit_path(visit_id),
        phrase("the record of visit {visit} is gone", visit=visit_id),
        (phrase("Look for the file in a copy of this folder and put it back."), phrase("Tell the office.")),
        visit=visit_id,
    )


def _notes(home: Home, path: Path, record: VisitRecord) -> Iterator[Finding]:
    db = home.open_visit(record.id)
    tail = len(db.unread_tail)
    db.close()
    if tail and not record.sealed:
        what = phrase(
            "the last entry of visit {visit} was cut off by a stop ({size} bytes); it is set aside when the visit is "
            "gone on with",
            visit=record.id,
            size=tail,
        )
        yield Finding(path, what, visit=record.id, problem=False)
    for salvage in record.salvaged:
        what = phrase("visit {visit} was saved from the damaged file {file}", visit=record.id, file=salvage.source)
        yield Finding(path, what, visit=record.id, problem=False)


# --- the rest -------------------------------------------------------------------------------------------------------


def _check_entry(home: Home, visit_id: str, known: VisitSummary | None) -> Iterator[Finding]:
    """Whether the index knows a sound visit as it is; one that is open is read from its journal anyway."""
    now = summary_of(record_in(home, visit_id))
    if now.closed and now != known:
        what = phrase("the index does not know visit {visit} as it is; nothing of it is lost", visit=visit_id)
        yield Finding(home.paths.index, what, (_REBUILD,), visit=visit_id, problem=False)


def _check_index(paths: Paths, index: Index) -> Iterator[Finding]:
    try:
        index.visits()
    except StoreTooNew as error:
        yield too_new(paths.index, error)
    except StoreDamaged as error:
        what = phrase("the index of visits is damaged: {problem}; nothing of the visits is lost", problem=error.problem)
        yield Finding(paths.index, what, (_REBUILD,))
    except DiskError as error:
        yield Finding(paths.index, error.what_phrase, error.action_phrases)


def _check_backup_log(house: House) -> Iterator[Finding]:
    """Who opened which backup; a damaged one stops nothing, so that nobody would hear of it."""
    log = BackupLog(house.home, house.clock, "")
    try:
        log.entries()
    except StoreTooNew as error:
        yield too_new(log.path, error)
    except StoreError as error:
        actions = (
            phrase("Give it another name and send it to the office; the next entry begins a new log."),
            phrase("What was deleted before is then shown as missing."),
        )
        yield Finding(log.path, error.what_phrase, actions)


def _asides(paths: Paths) -> Iterator[Finding]:
    """What was set aside and still lies here."""
    folders = (paths.home, paths.visits, paths.trust, paths.backups)
    for kept in sorted(kept for folder in folders for word in (DAMAGED, TORN) for kept in folder.glob(f"*.{word}-*")):
        what = phrase("set aside earlier, to be kept until the office has it: {file}", file=kept.name)
        yield Finding(kept, what, problem=False)
