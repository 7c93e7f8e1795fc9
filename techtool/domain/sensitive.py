"""Find what may never be stored: card numbers, magnetic-stripe tracks, keys (PCI DSS 3.3.1, 3.5.1). Pure, streaming.

A finding says what and where, never the content. What is exempt, because it only looks like it: digits inside a
hexadecimal digest or a UUID, fractions of decimal numbers, an IMEI or ICCID in a field named so. Not found by design: a
card number inside a longer run of digits, spelt with groups of one or two digits, or spread over two lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from techtool.domain.issuers import LONGEST, SHORTEST, luhn, scheme_of
from techtool.domain.sensitive_fields import field_before, is_key_name, is_sim_or_phone
from techtool.i18n import N_


class Kind(StrEnum):
    """What was found."""

    CARD_NUMBER = "card-number"
    TRACK_1 = "track-1"
    TRACK_2 = "track-2"
    KEY = "key"


KIND_LABEL: Final[dict[Kind, str]] = {
    Kind.CARD_NUMBER: N_("card number"),
    Kind.TRACK_1: N_("magnetic stripe, track 1"),
    Kind.TRACK_2: N_("magnetic stripe, track 2"),
    Kind.KEY: N_("cryptographic key"),
}


class Profile(StrEnum):
    """How content is read."""

    TEXT = "text"
    BINARY = "binary"
    """Installation packages: keys in named fields are the maker's own and not looked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that may not be stored."""

    kind: Kind
    start: int
    """Offset of its first byte (of its first character in :func:`find`)."""
    end: int


CONTEXT: Final = 256
"""Bytes looked at on both sides of a place; every finding is shorter, also in UTF-16."""

_RUN: Final = re.compile(rf"[0-9](?:[ \-]?[0-9]){{{SHORTEST - 1},}}")
_GROUP: Final = re.compile(r"[0-9]+")
_TRACK_1: Final = re.compile(r"%[A-Z][0-9][0-9 ]{11,22}\^")
_TRACK_2: Final = re.compile(r";[0-9]{12,19}[=D][0-9]{4}")
_HEX: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{16,128}(?![0-9G-Zg-z])"
    r"|(?:[0-9A-Fa-f]{2}[ :\-]){7,63}[0-9A-Fa-f]{2}(?![0-9A-Za-z])"
    r"|(?:[0-9A-Fa-f]{4}[ \-]){3,31}[0-9A-Fa-f]{4}(?![0-9A-Za-z]))"
)
_PEM: Final = re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_WIDE_TEXT: Final = re.compile(r"(?:[\x20-\x7e]\x00){15,}[\x20-\x7e]?")
_WIDE_DIGITS: Final = re.compile(r"(?:[0-9]\x00(?:[ \-]\x00)?){12,}[0-9]?")
"""UTF-16 of either byte order; in the one that begins with the zero, the last character has none behind it."""
_SHAPE: Final = bytes(
    0x30 if 0x30 <= c <= 0x39 else 0x20 if c in b" -" else c if c in b"\0%;^=DB" else 0x78 for c in range(256)
)
"""Every digit as 0, both separators as a space: what a card number or track looks like becomes a plain pattern."""
_SUSPECT: Final = tuple(
    re.compile(pattern)
    for pattern in (rb"000(?: ?0){10}", rb"0\x000\x000\x00(?:(?: \x00)?0\x00){9}", rb"%.0[0 ]{11}", rb";0{12}")
)
_DIGEST_LENGTHS: Final = frozenset({32, 40, 56, 64, 96, 128})
_SHORTEST_GROUP: Final = 3
"""Shorter groups are dates, times and tables of numbers."""


def find(text: str, profile: Profile = Profile.TEXT) -> tuple[Finding, ...]:
    """Everything in ``text`` that may not be stored, in order; digits of any script count."""
    return tuple(_scan(_plain_digits(text), 0, len(text), profile))


def redact(text: str) -> str:
    """``text`` with every finding made harmless: first six and last four of a card number stay, nothing else does."""
    shadow = _plain_digits(text)
    pieces: list[str] = []
    end = 0
    for finding in _scan(shadow, 0, len(text), Profile.TEXT):
        if finding.start < end:
            continue
        stop = finding.end
        if finding.kind is Kind.CARD_NUMBER:
            mask = _masked(text[finding.start : stop])
        else:
            stop = _end_of_track(shadow, stop) if finding.kind in (Kind.TRACK_1, Kind.TRACK_2) else stop
            mask = "********"
        pieces += [text[end : finding.start], mask]
        end = stop
    return "".join([*pieces, text[end:]])


class Scanner:
    """The same over a stream of bytes, with matches across the borders of chunks.

    What :meth:`feed` was given is judged up to ``cleared``; the rest waits for what follows it, so that a caller who
    stores only cleared bytes never stores the beginning of a number whose end comes later.
    """

    def __init__(self, profile: Profile = Profile.TEXT) -> None:
        self._profile = profile
        self._tail = b""
        self._tail_at = 0
        self.cleared = 0
        """Bytes from the start in which everything was found that there is."""

    def feed(self, chunk: bytes) -> tuple[Finding, ...]:
        """Look at the next bytes; returns what begins before ``cleared``."""
        return self._advance(self._tail + chunk, CONTEXT)

    def finish(self) -> tuple[Finding, ...]:
        """Look at what still waits: nothing follows it."""
        return self._advance(self._tail, 0)

    def _advance(self, data: bytes, held: int) -> tuple[Finding, ...]:
        low = self.cleared - self._tail_at
        high = max(low, len(data) - held)
        found: tuple[Finding, ...] = ()
        if self._profile is Profile.TEXT or _is_suspect(data):
            found = tuple(
                Finding(f.kind, f.start + self._tail_at, f.end + self._tail_at)
                for f in _scan(data.decode("latin-1"), low, high, self._profile)
            )
        self.cleared += high - low
        keep = max(0, high - CONTEXT)
        self._tail = data[keep:]
        self._tail_at += keep
        return found


def _is_suspect(data: bytes) -> bool:
    """Whether a closer look is due: ten times as fast as looking closely, and true for all that would be found."""
    shape = data.translate(_SHAPE)
    return any(pattern.search(shape) for pattern in _SUSPECT)


def _scan(text: str, low: int, high: int, profile: Profile) -> Iterator[Finding]:
    """Findings that begin in ``text[low:high]``, in order of kind; what lies around is read as context."""
    found = set(_narrow(text, profile))
    wide = _WIDE_DIGITS if profile is Profile.BINARY else _WIDE_TEXT
    for run in wide.finditer(text) if "\0" in text else ():
        for string in {run.group(), run.group()[: len(run.group()) // 2 * 2]}:
            inner = _narrow(string[::2], profile)
            found |= {Finding(f.kind, run.start() + 2 * f.start, run.start() + 2 * f.end) for f in inner}
    yield from sorted((f for f in found if low <= f.start < high), key=lambda f: (f.start, -f.end))


def _narrow(text: str, profile: Profile) -> Iterator[Finding]:
    for track in _TRACK_1.finditer(text):
        yield Finding(Kind.TRACK_1, *track.span())
    for track in _TRACK_2.finditer(text):
        yield Finding(Kind.TRACK_2, *track.span())
    for run in _RUN.finditer(text):
        yield from _card_numbers(text, run)
    if profile is Profile.TEXT:
        for hexadecimal in _HEX.finditer(text):
            if _is_key(text, hexadecimal):
                yield Finding(Kind.KEY, *hexadecimal.span())
        for pem in _PEM.finditer(text):
            yield Finding(Kind.KEY, *pem.span())


def _card_numbers(text: str, run: re.Match[str]) -> Iterator[Finding]:
    """Card numbers made of whole neighbouring groups of digits within a run."""
    groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
    for first, (start, _end) in enumerate(groups):
        digits = ""
        for group_start, group_end in groups[first:]:
            digits += text[group_start:group_end]
            if len(digits) > LONGEST:
                break
            if scheme_of(digits) and not _is_harmless(text, start, group_end, digits):
                yield Finding(Kind.CARD_NUMBER, start, group_end)
            if group_end - group_start < _SHORTEST_GROUP:
                break


def _is_harmless(text: str, start: int, end: int, digits: str) -> bool:
    """Whether what looks like a card number is known to be something else."""
    if re.search(r"[0-9]\.$", text[max(0, start - 2) : start]):
        return True
    if _is_digest(text, start, end) or any(u.start() <= start and end <= u.end() for u in _uuids(text, start, end)):
        return True
    return is_sim_or_phone(field_before(text, start), digits) and luhn(digits)


def _is_digest(text: str, start: int, end: int) -> bool:
    while start > 0 and text[start - 1] in "0123456789abcdefABCDEF":
        start -= 1
    while end < len(text) and text[end] in "0123456789abcdefABCDEF":
        end += 1
    token = text[start:end]
    return len(token) in _DIGEST_LENGTHS and not token.isdigit()


def _uuids(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    for uuid in _UUID.finditer(text, max(0, start - 36), end + 36):
        if not uuid.group().replace("-", "").isdigit():
            yield uuid


def _is_key(text: str, value: re.Match[str]) -> bool:
    digits = set(re.sub(r"[ :\-]", "", value.group()).lower())
    return len(digits) > 1 and is_key_name(field_before(text, value.start()))


def _plain_digits(text: str) -> str:
    """``text`` with digits of any script as ASCII, and spaces and dashes of any kind as one kind; same length."""
    if text.isascii():
        return text
    return "".join(c if c.isascii() else _plain(c) for c in text)


def _plain(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category in ("Zs", "Cf"):
        return " "
    if category == "Pd":
        return "-"
    narrow = unicodedata.normalize("NFKC", character)
    return narrow if len(narrow) == 1 else character


def _masked(number: str) -> str:
    """The middle of a card number starred, separators kept."""
    total = sum(c.isdecimal() for c in number)
    seen = 0
    out: list[str] = []
    for c in number:
        seen += c.isdecimal()
        out.append("*" if c.isdecimal() and 6 < seen <= total - 4 else c)
    return "".join(out)


def _end_of_track(text: str, end: int) -> int:
    """A track goes on to its end sentinel or the end of the line."""
    rest = re.compile(r"[^?\r\n]*\??").match(text, end)
    return rest.end() if rest else end
