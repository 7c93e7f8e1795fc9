"""Taking in facts that the office supplies, with their pictures; and the pictures that an inspection compares with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from techtool.catalogue.facts import MAX_FILES, FactsFile, IssuedFacts, facts_bytes, parse_facts
from techtool.catalogue.pictures import SUFFIXES, Picture
from techtool.clock import Clock, SystemClock
from techtool.domain.evidence import EvidenceKind
from techtool.errors import BadEvidence, BadFile, FactsUntrusted, NotFoundError, TechtoolError
from techtool.i18n import Phrase, phrase, raw
from techtool.paths import DISK, Disk, Paths
from techtool.reports.enrolled import read_enrolled
from techtool.reports.facts_seal import beside, judge_facts, read_signature
from techtool.visit.evidence_read import read_evidence
from techtool.visit.known_facts import kept_signature, known_facts
from techtool.visit.learned import remembered
from techtool.visit.services import Services
from techtool.visit.visits import open_record

_CLOCK: Final = SystemClock()
_MOST: Final = 4
"""Pictures that one question names."""
_SHOWING: Final = (EvidenceKind.DEVICE, EvidenceKind.LABEL, EvidenceKind.SEAL, EvidenceKind.CABLES)


@dataclass(frozen=True, slots=True)
class Reference:
    """One picture to compare the terminal with."""

    path: Path
    what: Phrase
    source: str = ""
    """Whose picture it is, and who answers for it; empty: of an earlier visit of this laptop."""


@dataclass(frozen=True, slots=True)
class _Supplied:
    """A file that was judged, with everything that is kept of it."""

    issued: IssuedFacts
    content: bytes
    signature: bytes
    pictures: tuple[tuple[Picture, bytes], ...]


def add_facts(paths: Paths, place: Path, disk: Disk = DISK, clock: Clock = _CLOCK) -> tuple[IssuedFacts, ...]:
    """Judge a facts file, or those on a stick, and keep copies; one of the same name is replaced by a newer one.

    All are judged before the first is kept; of each its pictures and signature come first, so that no file in the home
    names what is not there. Raises :class:`FactsUntrusted`, :class:`BadFile`, :class:`BadEvidence`,
    :class:`NotFoundError`, ``DiskFull``, ``DiskError``.
    """
    supplied = [_supplied(paths, file, clock) for file in facts_at(place)]
    disk.make_folder(paths.facts / "pictures")
    for one in supplied:
        for picture, data in one.pictures:
            disk.write_file(paths.facts / "pictures" / picture.kept_as, data)
        kept = paths.facts / _name(one.issued.path)
        before = _content(kept)
        disk.write_file(kept_signature(paths, one.content), one.signature)
        disk.write_file(kept, one.content)
        if before is not None:
            _forget_signature(paths, before, disk)
    return tuple(one.issued for one in supplied)


def facts_at(place: Path) -> tuple[Path, ...]:
    """The file that is named, or the facts files in a folder or on a stick; raises :class:`NotFoundError`."""
    if not place.is_dir():
        return (place,)
    for folder in (place, place / "facts", place / "TECHTOOL" / "facts"):
        found = sorted(path for path in folder.glob("*.toml") if not path.name.startswith("."))
        if found:
            return tuple(found[:MAX_FILES])
    raise NotFoundError(what=str(place / "facts" / "*.toml"))


def draft_facts(file: Path, clock: Clock = _CLOCK) -> tuple[FactsFile, bytes]:
    """The office's own file before it is signed: everything that a laptop would refuse is refused here."""
    content = facts_bytes(file)
    found = parse_facts(file, content)
    _refuse_days_to_come(file, found, clock)
    _pictures(file, found)
    return found, content


def remove_facts(paths: Paths, name: str, disk: Disk = DISK) -> None:
    """Take a file's facts away again; raises :class:`NotFoundError`. Its pictures stay: visits may name them."""
    path = paths.facts / _name(Path(name))
    if Path(name).name != name or not path.is_file():
        raise NotFoundError(what=name)
    content = _content(path)
    disk.unlink(path)
    if content is not None:
        _forget_signature(paths, content, disk)


def _forget_signature(paths: Paths, content: bytes, disk: Disk) -> None:
    """Unless a file that says the same is still there, under that name or another one."""
    if all(_content(path) != content for path in paths.facts.glob("*.toml")):
        disk.unlink(kept_signature(paths, content))


def _supplied(paths: Paths, file: Path, clock: Clock) -> _Supplied:
    content, signature = facts_bytes(file), read_signature(beside(file))
    issued = IssuedFacts(file, *_believed(paths, file, content, signature))
    _refuse_days_to_come(file, issued.file, clock)
    kept = paths.facts / _name(file)
    before = next((one.file for one in known_facts(paths).files if one.path == kept), None)
    if before is not None and issued.file.dated < before.dated:
        days = {"day": issued.file.dated.isoformat(), "kept": before.dated.isoformat()}
        problem = phrase("it is as of {day}, older than the one of that name that is here, as of {kept}", **days)
        raise FactsUntrusted(path=str(file), problem=problem)
    return _Supplied(issued, content, signature or b"", _pictures(file, issued.file))


def _refuse_days_to_come(file: Path, found: FactsFile, clock: Clock) -> None:
    """It would count as new for ever, and every correction as older. One day is left to the zones of the earth."""
    today = clock.now().date()
    if found.dated > today + timedelta(days=1):
        days = {"day": found.dated.isoformat(), "today": today.isoformat()}
        problem = phrase("it is as of {day}, which is still to come; this laptop's clock says {today}", **days)
        raise BadFile(path=str(file), problem=problem)


def _believed(paths: Paths, file: Path, content: bytes, signature: bytes | None) -> tuple[FactsFile, str]:
    """Its words are read only once its signature was judged."""
    office = judge_facts(file, content, signature, read_enrolled(paths))
    return parse_facts(file, content), office


def _name(file: Path) -> str:
    return f"{file.name.removesuffix('.toml')}.toml"


def _content(path: Path) -> bytes | None:
    """What lies in the home, however long or odd it is; None: nothing that can be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _pictures(file: Path, found: FactsFile) -> tuple[tuple[Picture, bytes], ...]:
    return tuple((picture, _picture(file.parent / picture.file, picture)) for picture in found.picture)


def _picture(path: Path, picture: Picture) -> bytes:
    """Its bytes, which must be a picture without card data, and the one that was meant."""
    read = read_evidence(path)
    if hashlib.sha256(read.data).hexdigest() != picture.sha256:
        raise BadFile(path=str(path), problem=phrase("it is not the picture that the facts file names"))
    if read.suffix not in SUFFIXES:
        raise BadEvidence(path=str(path), problem=phrase("it is no picture"))
    return read.data


def references(services: Services, visit: str, vendor: str, model: str, serial: str) -> tuple[Reference, ...]:
    """What this terminal should look like: the office's pictures of the model, then its own of the visit before."""
    own = [
        Reference(path, one.title or raw(one.source), one.source)
        for one, path in services.facts.pictures()
        if one.fits(vendor, model)
    ]
    return (*own, *_last_time(services, visit, serial))[:_MOST]


def _last_time(services: Services, visit: str, serial: str) -> Iterator[Reference]:
    """Photos of the newest earlier visit that has any; nothing where its record cannot be read."""
    before = [one for one in remembered(services) if one.serial == serial and one.visit != visit]
    for entry in reversed(before[-3:]):
        try:
            lanes = [lane for lane in open_record(services, entry.visit).lanes if lane.serial == serial]
        except TechtoolError:
            continue
        folder = services.paths.evidence(entry.visit)
        found = [
            Reference(path, phrase("photo of {day}", day=file.at.date().isoformat()))
            for lane in lanes
            for file in lane.evidence
            if file.kind in _SHOWING and (path := folder / f"{file.sha256}{file.suffix}").is_file()
        ]
        if found:
            yield from found
            return
