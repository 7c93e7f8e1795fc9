"""The file a recording is: JSON Lines; a head, one line an operation, and an end with a hash of everything before it.

Strict where it is read: what is cut short, changed, larger than allowed or of a newer schema is a :class:`BadFile`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from techtool.domain.codec import CodecError, convert_exactly, decode_json_untyped, encode_json, plain
from techtool.errors import BadFile, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.paths import os_problem

SCHEMA: Final = 1
KIND: Final = "techtool-recording"
LIMIT_BYTES: Final = 16 << 20
"""Of the whole file."""
ENTRIES: Final = 20_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation that ended with an error."""

    kind: str
    """The error's class."""
    words: str = ""
    """What the terminal said, cleaned."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A name in a folder."""

    name: str
    size_bytes: int
    mode: int
    modified_s: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation and what came of it."""

    op: str
    """``run``, ``systool``, ``feed``, ``stat``, ``pull``, ``push``, ``list``, ``facts``, ``reboot``, ``http``, or
    ``open``."""
    what: str = ""
    """The command or the path; of ``http`` both."""
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    there: bool = True
    """``stat``: whether the file is there."""
    size_bytes: int = 0
    mode: int = 0
    modified_s: int = 0
    sha256: str = ""
    """Of what was pulled or sent; where ``stdout`` has the text, of that."""
    files: tuple[NamedFile, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    refused: Refusal | None = None
    cut: bool = False
    """More was said than a recording keeps."""
    dropped: bool = False
    """What was said could not be made harmless and is left out."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line."""

    kind: str
    schema: int
    at: str
    """When it was begun, UTC."""
    tool: str
    """techtool's version."""
    scheme: str
    """Of the address; the address itself is the shop's and is not kept."""
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class End:
    """The last line."""

    entries: int
    complete: bool
    """False: the bounds of a recording were reached, later operations are missing."""
    sha256: str
    """Of every byte before this line."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that is as it was made."""

    head: Head
    entries: tuple[Entry, ...]
    complete: bool
    sha256: str


def refusal_of(error: TechtoolError) -> Refusal:
    """An error as a recording keeps it."""
    words = error.params.get("answer", "")
    return Refusal(type(error).__name__, printable(words.text("en") if isinstance(words, Phrase) else str(words)))


def line_of(value: Head | Entry) -> bytes:
    """One line; what says nothing is left out."""
    whole = plain(value)
    if isinstance(value, Head):
        return encode_json(whole) + b"\n"
    kept = {k: v for k, v in whole.items() if v not in ("", None, False, (), [], {}) or k in ("op", "exit_code")}
    if value.there:
        kept.pop("there")
    else:
        kept["there"] = False
    return encode_json(kept) + b"\n"


def pack(head: Head, lines: Sequence[bytes], *, complete: bool) -> bytes:
    """The file of these lines."""
    body = b"".join([line_of(head), *lines])
    end = End(len(lines), complete, hashlib.sha256(body).hexdigest())
    return body + encode_json(plain(end)) + b"\n"


def read_recording(path: Path) -> Recording:
    """Read a recording; raises :class:`BadFile`."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError as error:
        raise _bad(path, phrase("there is no such file or folder")) from error
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    if len(data) > LIMIT_BYTES:
        raise _bad(path, phrase("a recording has {limit} bytes at most", limit=LIMIT_BYTES))
    return unpack(data, path)


def unpack(data: bytes, path: Path) -> Recording:
    """A recording from its bytes; ``path`` is for the errors."""
    lines = data.split(b"\n")
    _refuse_other_kinds(lines[0], path)
    if len(lines) < 3 or lines[-1]:
        raise _bad(path, phrase("its end is missing: it was cut short"))
    end = _read(lines[-2], End, path, len(lines) - 1)
    body = data[: len(data) - len(lines[-2]) - 1]
    if hashlib.sha256(body).hexdigest() != end.sha256 or end.entries != len(lines) - 3:
        raise _bad(path, phrase("it was changed after it was made"))
    if end.entries > ENTRIES:
        raise _bad(path, phrase("it holds more operations than a recording may"))
    head = _read(lines[0], Head, path, 1)
    entries = tuple(_read(line, Entry, path, number) for number, line in enumerate(lines[1:-2], 2))
    return Recording(head, entries, end.complete, hashlib.sha256(data).hexdigest())


def printable(text: str) -> str:
    """Without lone surrogates, which JSON cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _refuse_other_kinds(first: bytes, path: Path) -> None:
    try:
        head = decode_json_untyped(first)
    except CodecError:
        head = None
    if not isinstance(head, dict) or head.get("kind") != KIND:
        raise _bad(path, phrase("it is no recording of a terminal"))
    schema = head.get("schema")
    if schema != SCHEMA:
        raise _bad(path, phrase("its schema is {found}; this techtool reads {known}", found=str(schema), known=SCHEMA))


def _read(line: bytes, kind: type[T], path: Path, number: int) -> T:
    try:
        return convert_exactly(decode_json_untyped(line), kind)
    except CodecError as error:
        if kind is End:
            raise _bad(path, phrase("its end is missing: it was cut short")) from error
        raise _bad(path, phrase("line {number}: {problem}", number=number, problem=str(error))) from error


def _bad(path: Path, problem: Phrase) -> BadFile:
    return BadFile(path=str(path), problem=problem)
