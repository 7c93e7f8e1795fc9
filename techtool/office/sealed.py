"""A sealed visit as it leaves the laptop and as the office takes it: its lines, its seal, and who stands for it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError
from techtool.domain.schema import VISIT
from techtool.errors import StoreDamaged
from techtool.i18n import Phrase, phrase, raw
from techtool.paths import disk_error
from techtool.reports.seals import SEAL_NAMESPACE, seal_signature
from techtool.reports.signers import Signature, Signer
from techtool.store.frames import scan
from techtool.store.journal import damaged, interpret, seal_bytes

MAX_EVIDENCE_BYTES: Final = 100_000_000
"""Twice what a visit takes in (:mod:`techtool.visit.evidence_read`): what is longer on a stick is not even hashed."""
_EVIDENCE: Final = re.compile(r"([0-9a-f]{64})(\.[a-z0-9]{1,8})?")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A whole journal that ends with its seal."""

    visit: str
    lines: tuple[str, ...]
    """As they stand in the file, without line ends."""
    head: str
    """Chain value of the seal's own line: stands for the whole file."""
    signature: Signature | None
    """It fits; None: sealed without a key. Says nothing of whose key it is."""

    @property
    def data(self) -> bytes:
        """The file, to the last byte."""
        return "".join(f"{line}\n" for line in self.lines).encode()

    def signer(self, signers: Sequence[Signer], now: datetime) -> Signer | None:
        """Who of the list stands for it."""
        if self.signature is None:
            return None
        key = self.signature.key
        return next((one for one in signers if one.may_sign(key, SEAL_NAMESPACE, now)), None)

    def names(self, sha256: str) -> bool:
        """Whether the record names a file with that digest, so that its seal stands for the file too."""
        return any(f'"{sha256}"' in line for line in self.lines)


def read_sealed(path: Path, data: bytes, visit: str) -> Sealed | None:
    """The sealed journal of ``visit`` in ``data``; None: it is whole and has no seal.

    ``path`` is for messages. Raises :class:`StoreDamaged`, :class:`StoreTooNew`.
    """
    reading = interpret(path, scan(data))
    if (reading.header.kind, reading.header.id) != (VISIT, visit):
        raise damaged(path, phrase("it is the record of {kind} {id}", kind=reading.header.kind, id=reading.header.id))
    if reading.seal is None:
        return None
    if reading.tail:
        raise damaged(path, phrase("{size} bytes at its end are no entry", size=len(reading.tail)))
    try:
        if seal_bytes(reading.seal) != reading.seal_line:
            raise CodecError("not its fields")
        seal = reading.seal
        signature = seal_signature(visit, seal.count, seal.head, seal.extra)
        lines = tuple(data.decode("utf-8").split("\n")[:-1])
    except CodecError as error:
        raise damaged(path, phrase("its seal is not what techtool writes: {problem}", problem=str(error))) from error
    except UnicodeDecodeError as error:
        raise damaged(path, raw(str(error.reason))) from error
    return Sealed(visit, lines, reading.place.head, signature)


@dataclass(frozen=True, slots=True)
class EvidenceCopy:
    """A photo, slip or log that a sealed record names."""

    path: Path
    sha256: str
    size_bytes: int


def evidence_in(folder: Path, sealed: Sealed) -> Iterator[EvidenceCopy | Phrase]:
    """The files of a folder that the record names, by name; and why one that is there cannot be taken.

    A file that the record does not name (a stop came between copy and record) is none of it. Raises
    :class:`DiskError` where the folder cannot be read.
    """
    try:
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise disk_error(error, folder) from error
    for path in paths:
        match = _EVIDENCE.fullmatch(path.name)
        if match is None or path.is_symlink() or not path.is_file() or not sealed.names(match[1]):
            continue
        try:
            if path.stat().st_size > MAX_EVIDENCE_BYTES:
                yield phrase("{file} is larger than any photo", file=path.name)
                continue
            digest, size = _digest(path)
        except OSError as error:
            yield phrase("{file}: {problem}", file=path.name, problem=error.strerror or type(error).__name__)
            continue
        if digest == match[1]:
            yield EvidenceCopy(path, digest, size)
        else:
            yield phrase("{file} is not the file that the record names", file=path.name)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def why(error: StoreDamaged) -> Phrase:
    """What is wrong with a file, without its name, which the teller has said already."""
    return error.problem
