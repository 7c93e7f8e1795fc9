"""Whether a visit's journal is, to the last byte, what was sealed, and by whom.

The CRC of a line and the chain find every accident. Against a forger, who can make both anew, stands the signature in
the seal: it names the visit, the number of lines and the chain value of the last of them, and so every byte before the
seal; the seal's own line is compared with the only bytes it can consist of. Stock ``ssh-keygen -Y verify`` judges the
signature the same way (:func:`write_for_ssh_keygen`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError
from techtool.domain.schema import VISIT
from techtool.errors import StoreDamaged, StoreTooNew
from techtool.i18n import Phrase, phrase, raw
from techtool.paths import DISK, Disk
from techtool.reports.seals import SEAL_NAMESPACE, seal_signature, seal_text
from techtool.reports.signers import Signature, Signer
from techtool.store.db import JournalDB
from techtool.store.frames import scan
from techtool.store.index import VisitSummary
from techtool.store.journal import Reading, Seal, interpret, read_bytes, seal_bytes
from techtool.store.salvage import salvages_of
from techtool.visit.visits import NOT_AS_CLOSED


class Verdict(StrEnum):
    """What was found."""

    GOOD = "good"
    """Whole, sealed, and signed by a key that may."""
    UNSIGNED = "unsigned"
    """Whole and sealed without a key: nobody stands for it."""
    UNKNOWN_SIGNER = "unknown-signer"
    """Whole and sealed, by a key that is not on the list."""
    OPEN = "open"
    """Whole so far, and not sealed: not closed yet, or its end was cut off."""
    SALVAGED = "salvaged"
    """Saved from a damaged file after it had been sealed: its seal is gone."""
    DAMAGED = "damaged"
    """Not what was written, or not what was sealed."""
    NEWER = "newer"
    """Only a newer techtool can tell."""


VERDICT_LABEL: Final = {
    Verdict.GOOD: phrase("as it was sealed"),
    Verdict.UNSIGNED: phrase("sealed without a signature: nobody stands for it"),
    Verdict.UNKNOWN_SIGNER: phrase("sealed by a key that is not on the list"),
    Verdict.OPEN: phrase("has no seal: not closed yet, or its end was cut off"),
    Verdict.SALVAGED: phrase("saved from a damaged file: the seal stands for that file, not for this record"),
    Verdict.DAMAGED: phrase("damaged"),
    Verdict.NEWER: phrase("written by a newer techtool"),
}


@dataclass(frozen=True, slots=True)
class Verification:
    """The judgement on one file."""

    path: Path
    visit: str
    """By the file's own header; empty where there is none."""
    verdict: Verdict
    problem: Phrase | None = None
    lines: int = 0
    head: str = ""
    """Chain value of the last line before the seal, which is what was signed."""
    principal: str = ""
    """As the list of signers names the key."""
    key: str = ""
    """SHA-256 fingerprint of the key that signed."""
    signature: str = ""
    """Armored, as it stands in the seal."""
    salvaged: bool = False
    """It was saved from a damaged file before it was sealed, and says so itself."""


def verify_file(
    path: Path, signers: Sequence[Signer], now: datetime, known: VisitSummary | None = None, *, own: str = ""
) -> Verification:
    """Judge a journal; ``known``: what the index remembers of it; ``own``: the visit it stands for in this home.

    Of an own one that is open the last entry may be unfinished: a stop leaves that, and a writer at work.

    Raises :class:`NotFoundError` and :class:`DiskError` where there is no file to judge.
    """
    data = read_bytes(path)
    try:
        reading = interpret(path, scan(data))
        db = JournalDB.of_bytes(path, data)
        salvages = salvages_of(db)
    except StoreTooNew as error:
        return Verification(path, "", Verdict.NEWER, error.what_phrase)
    except StoreDamaged as error:
        return Verification(path, "", Verdict.DAMAGED, error.problem)
    except CodecError as error:
        return Verification(path, "", Verdict.DAMAGED, raw(str(error)))
    judge = _Judge(path, own, reading, known, saved=bool(salvages), remains=any(s.closed for s in salvages))
    return judge.verdict(signers, now, may_grow=bool(own) and not (known is not None and known.closed))


@dataclass(frozen=True, slots=True)
class _Judge:
    """One file that can be read."""

    path: Path
    own: str
    reading: Reading
    known: VisitSummary | None
    saved: bool
    remains: bool

    def verdict(self, signers: Sequence[Signer], now: datetime, *, may_grow: bool) -> Verification:
        """Every question in turn; the first bad answer counts."""
        problem = self._problem(may_grow=may_grow)
        if problem is not None:
            return self._found(Verdict.DAMAGED, problem)
        seal = self.reading.seal
        if seal is None:
            return self._found(Verdict.SALVAGED if self.remains else Verdict.OPEN)
        try:
            signature = _signature_in(self.reading, seal)
        except CodecError as error:
            problem = phrase("its seal is not what techtool writes: {problem}", problem=str(error))
            return self._found(Verdict.DAMAGED, problem)
        if signature is None:
            return self._found(Verdict.UNSIGNED)
        signer = next((s for s in signers if s.may_sign(signature.key, SEAL_NAMESPACE, now)), None)
        return replace(
            self._found(Verdict.GOOD if signer else Verdict.UNKNOWN_SIGNER),
            principal=signer.principal if signer else "",
            key=signature.fingerprint,
            signature=str(seal.extra["signature"]),
        )

    def _problem(self, *, may_grow: bool) -> Phrase | None:
        header, known = self.reading.header, self.known
        if header.kind != VISIT or (self.own and self.own != header.id):
            return phrase("it is the record of {kind} {id}", kind=header.kind, id=header.id)
        if self.reading.tail and (self.reading.seal is not None or not may_grow):
            return phrase("{size} bytes at its end are no entry", size=len(self.reading.tail))
        if known is not None and known.closed and known.head and known.head != self.reading.place.head:
            return NOT_AS_CLOSED
        return None

    def _found(self, verdict: Verdict, problem: Phrase | None = None) -> Verification:
        place, seal = self.reading.place, self.reading.seal
        head = seal.head if seal is not None else place.head
        visit = self.reading.header.id
        return Verification(self.path, visit, verdict, problem, place.count, head, salvaged=self.saved)


def _signature_in(reading: Reading, seal: Seal) -> Signature | None:
    """The seal's signature, which fits; None when it has none. Raises :class:`CodecError`."""
    if seal_bytes(seal) != reading.seal_line:
        raise CodecError("not its fields")
    return seal_signature(reading.header.id, seal.count, seal.head, seal.extra)


def write_for_ssh_keygen(found: Verification, folder: Path, disk: Disk = DISK) -> tuple[Path, Path]:
    """Write what the seal signed and its signature as stock ssh-keygen takes them: ``VISIT.seal``, ``VISIT.seal.sig``.

    ``ssh-keygen -Y verify -f allowed_signers -I NAME -n techtool-visit -s VISIT.seal.sig < VISIT.seal``
    """
    disk.make_folder(folder)
    text, signature = folder / f"{found.visit}.seal", folder / f"{found.visit}.seal.sig"
    disk.write_file(text, seal_text(found.visit, found.lines - 1, found.head))
    disk.write_file(signature, found.signature.encode())
    return text, signature
