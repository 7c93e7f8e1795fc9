"""Taking in facts that the office supplies, with their pictures; and the pictures that an inspection compares with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.catalogue.facts import FactsFile, facts_bytes, parse_facts
from techtool.catalogue.pictures import SUFFIXES, Picture
from techtool.domain.evidence import EvidenceKind
from techtool.errors import BadEvidence, BadFile, NotFoundError, TechtoolError
from techtool.i18n import Phrase, phrase, raw
from techtool.paths import DISK, Disk, Paths
from techtool.visit.evidence_read import read_evidence
from techtool.visit.learned import remembered
from techtool.visit.services import Services
from techtool.visit.visits import open_record

_MOST: Final = 4
"""Pictures that one question names."""
_SHOWING: Final = (EvidenceKind.DEVICE, EvidenceKind.LABEL, EvidenceKind.SEAL, EvidenceKind.CABLES)


@dataclass(frozen=True, slots=True)
class Reference:
    """One picture to compare the terminal with."""

    path: Path
    what: Phrase


def add_facts(paths: Paths, file: Path, disk: Disk = DISK) -> FactsFile:
    """Check a facts file and its pictures and keep copies in the home; an older one of the same name is replaced.

    Pictures come first, so that no file in the home names one that is not there. Raises :class:`BadFile`,
    :class:`BadEvidence`, ``DiskFull``, ``DiskError``.
    """
    content = facts_bytes(file)
    found = parse_facts(file, content)
    pictures = [(picture, _picture(file.parent / picture.file, picture)) for picture in found.picture]
    disk.make_folder(paths.facts / "pictures")
    for picture, data in pictures:
        disk.write_file(paths.facts / "pictures" / picture.kept_as, data)
    disk.write_file(paths.facts / _name(file), content)
    return found


def remove_facts(paths: Paths, name: str, disk: Disk = DISK) -> None:
    """Take a file's facts away again; raises :class:`NotFoundError`. Its pictures stay: visits may name them."""
    path = paths.facts / _name(Path(name))
    if Path(name).name != name or not path.is_file():
        raise NotFoundError(what=name)
    disk.unlink(path)


def _name(file: Path) -> str:
    return f"{file.name.removesuffix('.toml')}.toml"


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
    own = [Reference(path, one.title or raw(one.source)) for one, path in services.facts.pictures(vendor, model)]
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
