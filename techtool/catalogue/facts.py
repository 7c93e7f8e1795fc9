"""Facts about makers that the office supplies: cycles, ends of support, approvals, contacts, reference pictures.

The built-in catalogue holds only what a public source documents, which of most makers is nothing. What the office knows
better (a contract, its own copy of the PCI SSC's list, a maker's letter) it writes into a file like the built-in ones
and signs it; ``techtool facts --add`` checks it and keeps it in the home. Each entry says its source and how it is
known, and comes before the built-in ones. Whose signature counts is not known here: it comes in as an argument.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final, Protocol, TypeVar

from techtool.catalogue.approvals import Approval, Approvals
from techtool.catalogue.cadence import load_cycles
from techtool.catalogue.contacts import Contact, vendor_contacts
from techtool.catalogue.pictures import Picture, picture_problem
from techtool.domain.codec import CodecError, decode_toml
from techtool.domain.due import Cadence, Cycles, Life
from techtool.domain.sensitive import redact
from techtool.errors import BadFile, TechtoolError
from techtool.i18n import phrase
from techtool.paths import os_problem

MAX_BYTES: Final = 1 << 20
MAX_FILES: Final = 64
_SCHEMA: Final = 1
_LONGEST: Final = 500
"""Characters of one text."""
_MOST_DAYS: Final = 36_500
"""Between two updates; a day that this is added to stays one that the calendar has."""


class _Sourced(Protocol):
    @property
    def vendor(self) -> str: ...
    @property
    def source(self) -> str: ...


@dataclass(frozen=True, slots=True)
class FactsFile:
    """One file of the office's."""

    schema: int
    issued_by: str
    """Who answers for it."""
    dated: date
    """As of when it is true; an old copy of approvals is not believed."""
    cadence: tuple[Cadence, ...] = ()
    life: tuple[Life, ...] = ()
    approval: tuple[Approval, ...] = ()
    contact: tuple[Contact, ...] = ()
    picture: tuple[Picture, ...] = ()


_Entry = TypeVar("_Entry", Cadence, Life, Approval, Contact, Picture)


@dataclass(frozen=True, slots=True)
class IssuedFacts:
    """A file whose signature was judged."""

    path: Path
    file: FactsFile
    office: str
    """Who signed, as the enrolment of this laptop calls it."""

    def attributed(self, entries: Iterable[_Entry]) -> Iterator[_Entry]:
        """The entries with the issuer beside each source: it goes wherever a source is shown."""
        by = f"{self.file.issued_by}, {self.file.dated.isoformat()}"
        for entry in entries:
            yield replace(entry, source=f"{entry.source} ({by})")


Believe = Callable[[Path, bytes], str]
"""Who signed a file with this content; raises a :class:`TechtoolError` where nobody did whose word counts."""


@dataclass(frozen=True, slots=True)
class OfficeFacts:
    """Everything that the office supplied, newest file first, and what of it cannot be used."""

    files: tuple[IssuedFacts, ...] = ()
    unusable: tuple[tuple[Path, TechtoolError], ...] = ()
    _folder: Path = field(default_factory=Path)

    def cycles(self) -> Cycles:
        """Cycles and ends of support, the office's before the built-in ones."""
        known = load_cycles()
        cadence = tuple(one for issued in self.files for one in issued.attributed(issued.file.cadence))
        life = tuple(one for issued in self.files for one in issued.attributed(issued.file.life))
        return replace(known, cadence=(*cadence, *known.cadence), life=(*life, *known.life))

    def approvals(self, known: Approvals) -> Approvals:
        """Approvals, each with the date of the copy that it stands in."""
        own = [
            replace(one, dated=issued.file.dated)
            for issued in self.files
            for one in issued.attributed(issued.file.approval)
        ]
        return replace(known, approval=(*own, *known.approval))

    def contacts(self) -> tuple[Contact, ...]:
        """Whom to call, the office's word first."""
        own = [one for issued in self.files for one in issued.attributed(issued.file.contact)]
        return (*own, *vendor_contacts())

    def pictures(self) -> Iterator[tuple[Picture, Path]]:
        """Reference pictures that are there, and still those that the office signed for."""
        return ((one, path) for one, path in self._kept_pictures() if _digest(path) == one.sha256)

    def lost_pictures(self) -> Iterator[Path]:
        """Where a picture should lie that is gone, or is another one now."""
        return (path for one, path in self._kept_pictures() if _digest(path) != one.sha256)

    def _kept_pictures(self) -> Iterator[tuple[Picture, Path]]:
        for issued in self.files:
            for one in issued.attributed(issued.file.picture):
                yield one, self._folder / "pictures" / one.kept_as


def _digest(path: Path) -> str:
    """Of a file; empty: there is none that can be read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def load_facts(folder: Path, believe: Believe) -> OfficeFacts:
    """The files of a folder; one that cannot be used is left out and named, for no visit waits for it."""
    found: list[IssuedFacts] = []
    unusable: list[tuple[Path, TechtoolError]] = []
    for path in sorted(folder.glob("*.toml"))[:MAX_FILES]:
        try:
            found.append(read_facts(path, believe))
        except TechtoolError as error:
            unusable.append((path, error))
    found.sort(key=lambda one: one.file.dated, reverse=True)
    return OfficeFacts(tuple(found), tuple(unusable), folder)


def read_facts(path: Path, believe: Believe) -> IssuedFacts:
    """One file, its signature before its words; raises :class:`BadFile` naming the place, and what ``believe`` does."""
    content = facts_bytes(path)
    office = believe(path, content)
    return IssuedFacts(path, parse_facts(path, content), office)


def facts_bytes(path: Path) -> bytes:
    """What stands in the file, as far as a facts file may be long; raises :class:`BadFile`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadFile(path=str(path), problem=phrase("it is not a file"))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    if len(data) > MAX_BYTES:
        raise BadFile(path=str(path), problem=phrase("it is too large"))
    return data


def parse_facts(path: Path, data: bytes) -> FactsFile:
    """The content of a file called ``path``; raises :class:`BadFile`."""
    try:
        file = decode_toml(data, FactsFile, strict=True)
    except CodecError as error:
        raise BadFile(path=str(path), problem=redact(str(error))) from error
    problem = problem_in(file)
    if problem:
        raise BadFile(path=str(path), problem=problem)
    return file


def problem_in(file: FactsFile) -> str:
    """Place and kind of the first thing that is wrong; empty when nothing is."""
    if file.schema != _SCHEMA:
        return f"$.schema: not {_SCHEMA}"
    if not file.issued_by.strip():
        return "$.issued_by: missing"
    for name, entries in _sections(file).items():
        for place, one in enumerate(entries):
            if not one.source.strip():
                return f"$.{name}[{place}].source: missing"
    return _problem_in_values(file) or _problem_in_texts(file)


def _sections(file: FactsFile) -> dict[str, Sequence[_Sourced]]:
    return {
        "cadence": file.cadence,
        "life": file.life,
        "approval": file.approval,
        "contact": file.contact,
        "picture": file.picture,
    }


def _problem_in_values(file: FactsFile) -> str:
    for place, cadence in enumerate(file.cadence):
        if not 1 <= cadence.days <= _MOST_DAYS:
            return f"$.cadence[{place}].days: not 1 to {_MOST_DAYS}"
    for place, approval in enumerate(file.approval):
        problem = approval.problem
        if problem:
            return f"$.approval[{place}].{problem}"
    for place, picture in enumerate(file.picture):
        problem = picture_problem(picture)
        if problem:
            return f"$.picture[{place}].{problem}"
    return ""


def _problem_in_texts(file: FactsFile) -> str:
    """Shown as they are: one line each, without card numbers, of a length that fits a screen."""
    for name, text in texts_of(file):
        if len(text) > _LONGEST or not text.isprintable():
            return f"$.{name}: too long, or not one line"
        if redact(text) != text:
            return f"$.{name}: it looks like a card number or a secret"
    return ""


def texts_of(file: FactsFile) -> Iterable[tuple[str, str]]:
    """Every text for people in it, with its place."""
    yield "issued_by", file.issued_by
    for number, one in enumerate(file.contact):
        yield from ((f"contact[{number}]", text) for text in (one.name, one.page, one.phone, one.mail))
        yield from ((f"contact[{number}].region.{language}", text) for language, text in one.region.items())
    for number, picture in enumerate(file.picture):
        yield from ((f"picture[{number}].shows.{language}", text) for language, text in picture.shows.items())
    for number, life in enumerate(file.life):
        yield from ((f"life[{number}].model", text) for text in (life.model, life.hw_revision))
        yield from ((f"life[{number}].last_supported", text) for pair in life.last_supported.items() for text in pair)
    for number, approval in enumerate(file.approval):
        yield from ((f"approval[{number}]", text) for text in (approval.model, approval.number, approval.version))
    for name, entries in _sections(file).items():
        yield from ((f"{name}[{number}].vendor", entry.vendor) for number, entry in enumerate(entries))
        yield from ((f"{name}[{number}].source", entry.source) for number, entry in enumerate(entries))
    for number, cadence in enumerate(file.cadence):
        yield f"cadence[{number}].model", cadence.model
