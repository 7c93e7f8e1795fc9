"""The way home without a network: sealed visits copied to a stick, and read from it again at the office.

``outbox/LAPTOP/VISIT.jnl`` and beside it ``outbox/LAPTOP/VISIT/evidence/…``: the very files of the laptop. Nothing on
a stick is believed: whoever reads it bounds what is read, follows no link, and judges every seal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from techtool.bundles.find import FOLDER as BUNDLE
from techtool.bundles.find import METADATA
from techtool.clock import Clock
from techtool.errors import (
    BadFile,
    Damaged,
    DiskError,
    NotFoundError,
    OfficeConflict,
    RecordUnproven,
    StoreDamaged,
    StoreTooNew,
    TechtoolError,
    UsageError,
)
from techtool.i18n import Phrase, phrase
from techtool.office.bring import Brought
from techtool.office.documents import LAPTOP_ID
from techtool.office.laptop import ensure_laptop_id
from techtool.office.marks import STICK, Marks
from techtool.office.sealed import EvidenceCopy, Sealed, evidence_in, read_sealed
from techtool.office.sync import Step, Synced, Trouble, candidates, sealed_visit
from techtool.paths import Disk, disk_error
from techtool.reports.signers import Signer
from techtool.store.home import Home

FOLDER: Final = "outbox"
MAX_JOURNAL_BYTES: Final = 64_000_000
_MAX_NAMES: Final = 20_000
_VISIT: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,99})\.jnl")


def write_outbox(place: Path, home: Home, way: str, clock: Clock, tell: Callable[[Step], None]) -> Synced:
    """Copy every sealed visit that is not home by ``way`` (the office's database; empty: there is none) to a stick.

    What went there without all of its photos is copied too. A copy that is there already is left as it is; one that a
    pulled stick cut short is made again. Raises :class:`NotFoundError`, :class:`BadFile`, ``StoreError``.
    """
    folder = _mount(place)
    laptop, marks = ensure_laptop_id(home), Marks(home)
    known = marks.known(way)
    visits = candidates(home, {visit: head for visit, head in known.heads.items() if visit not in known.partly})
    brought: list[Brought] = []
    troubles: list[Trouble] = []
    for number, visit in enumerate(visits, 1):
        tell(Step(visit, number, len(visits)))
        sealed = sealed_visit(home, visit)
        if isinstance(sealed, Trouble):
            troubles.append(sealed)
        elif sealed is not None:
            brought.append(_copy(sealed, home.paths.evidence(visit), folder / FOLDER / laptop, home.disk))
    handed = {one.visit: one.head for one in brought if not one.conflicts}
    already = marks.known(STICK).heads
    if any(already.get(visit) != head for visit, head in handed.items()):
        marks.home(STICK, {v: h for v, h in handed.items() if already.get(v) != h}, clock.now())
    result = Synced(str(folder / FOLDER), tuple(brought), tuple(troubles))
    if not (result.conflicts or troubles):
        marks.done(STICK, clock.now())
    return result


def _mount(place: Path) -> Path:
    """The stick's own folder, which may be named by what is in it, as a bundle is."""
    folder = place.expanduser().absolute()
    if not folder.exists():
        raise NotFoundError(what=str(folder))
    if not folder.is_dir():
        raise BadFile(path=str(folder), problem=phrase("it is no folder"))
    if folder.name == FOLDER or (folder.name.casefold() == BUNDLE.casefold() and (folder / METADATA).is_dir()):
        return folder.parent
    return folder


def _copy(sealed: Sealed, evidence: Path, into: Path, disk: Disk) -> Brought:
    """Photos first: a journal that is there says that all of the visit is."""
    target = into / f"{sealed.visit}.jnl"
    there = _there(target, sealed.visit)
    if there is not None and there.data != sealed.data:
        return Brought(sealed.visit, sealed.head, 0, 0, (str(target),), ())
    new, count, notes = 0, 1, list[Phrase]()
    for file in evidence_in(evidence, sealed):
        if isinstance(file, Phrase):
            notes.append(file)
            continue
        count += 1
        new += _write(file, into / sealed.visit / "evidence" / file.path.name, disk)
    if there is None:
        disk.make_folder(into)
        disk.write_file(target, sealed.data)
        if _bytes(target, MAX_JOURNAL_BYTES) != sealed.data:
            raise DiskError(path=str(target), problem=phrase("it does not read back as it was written"))
        new += 1
    return Brought(sealed.visit, sealed.head, count, new, (), tuple(notes))


def _there(target: Path, visit: str) -> Sealed | None:
    """What a stick holds of a visit already, if that is whole: half a copy is no other record."""
    try:
        return read_sealed(target, _bytes(target, MAX_JOURNAL_BYTES), visit)
    except (NotFoundError, StoreDamaged, StoreTooNew, BadFile):
        return None


def _write(file: EvidenceCopy, target: Path, disk: Disk) -> int:
    try:
        data = file.path.read_bytes()
    except OSError as error:
        raise disk_error(error, file.path) from error
    try:
        if target.stat().st_size == len(data) and target.read_bytes() == data:
            return 0
    except OSError:
        pass  # not there, or not to be read: it is written
    disk.make_folder(target.parent)
    disk.write_file(target, data)
    return 1


def _bytes(path: Path, limit: int) -> bytes:
    """A file of a stick, within bounds and no link; raises :class:`NotFoundError`, :class:`BadFile`."""
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise BadFile(path=str(path), problem=phrase("it is no plain file"))
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise NotFoundError(what=str(path)) from error
    except OSError as error:
        raise disk_error(error, path) from error
    if len(data) > limit:
        raise BadFile(path=str(path), problem=phrase("it is longer than any visit"))
    return data


@dataclass(frozen=True, slots=True)
class Delivered:
    """A visit on a stick whose seal the office believes."""

    laptop: str
    sealed: Sealed
    evidence: Path
    principal: str
    """Who stands for it, as the list of signers names them; empty: nobody."""


@dataclass(frozen=True, slots=True)
class InOutbox:
    """A file on a stick that should be a visit."""

    path: Path
    laptop: str
    visit: str

    def judge(self, signers: Sequence[Signer], now: datetime, *, unsigned: bool = False) -> Delivered | Trouble:
        """Believed, or refused with the reason; ``unsigned``: believed too when it was sealed without a key."""

        def unproven(problem: Phrase) -> Trouble:
            return Trouble(self.visit, RecordUnproven(visit=self.visit, problem=problem))

        try:
            sealed = read_sealed(self.path, _bytes(self.path, MAX_JOURNAL_BYTES), self.visit)
        except StoreDamaged as error:
            return Trouble(self.visit, Damaged(path=str(self.path), problem=error.problem, detail=error.detail))
        except TechtoolError as error:
            return Trouble(self.visit, error)
        if sealed is None:
            return unproven(phrase("has no seal: not closed yet, or its end was cut off"))
        signer = sealed.signer(signers, now)
        if sealed.signature is None and not unsigned:
            return unproven(phrase("sealed without a signature: nobody stands for it"))
        if sealed.signature is not None and signer is None:
            return unproven(phrase("sealed by a key that is not on the list"))
        evidence = self.path.with_suffix("") / "evidence"
        return Delivered(self.laptop, sealed, evidence, signer.principal if signer else "")


def in_outbox(place: Path) -> list[InOutbox]:
    """What a stick holds for the office, by name; raises :class:`NotFoundError`, :class:`UsageError`."""
    folder = _mount(place) / FOLDER
    if folder.is_symlink() or not folder.is_dir():
        raise NotFoundError(what=str(folder))
    found: list[InOutbox] = []
    for laptop in _names(folder):
        below = folder / laptop
        if LAPTOP_ID.fullmatch(laptop) and below.is_dir() and not below.is_symlink():
            named = ((name, _VISIT.fullmatch(name)) for name in _names(below))
            found += [InOutbox(below / name, laptop, match[1]) for name, match in named if match is not None]
    return found


def _names(folder: Path) -> list[str]:
    try:
        found = [path.name for path, _n in zip(folder.iterdir(), range(_MAX_NAMES + 1), strict=False)]
    except OSError as error:
        raise disk_error(error, folder) from error
    if len(found) > _MAX_NAMES:
        raise UsageError(problem=phrase("{path} holds more than any office sends.", path=str(folder)))
    return sorted(found)


def conflict_of(visits: Sequence[Brought]) -> OfficeConflict:
    """The error that names them."""
    return OfficeConflict(visits=", ".join(one.visit for one in visits))
