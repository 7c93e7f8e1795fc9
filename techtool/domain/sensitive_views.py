"""The same bytes as other readers would see them: digits of other scripts, UTF-16, lines that were wrapped. Pure."""

from __future__ import annotations

import re
import sys
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from techtool.domain.issuers import SHORTEST
from techtool.domain.sensitive_kinds import Finding

WIDTHS: Final = frozenset({24, 32, 40, 42, 48, 56, 60, 64, 72, 76, 78, 79, 80, 100, 120, 132})
"""Columns at which printers, screens, mail and base64 writers break a line; a number goes on behind such a break."""
_LINE: Final = 4 * max(WIDTHS) + 4
"""Bytes in which the beginning of such a line lies, whatever its script."""
_BREAK: Final = re.compile(rb"\n(?<=[0-9 \-\r]\n)[ \-]?[0-9]")

_RUN_BEFORE: Final = re.compile(rb"(?:[0-9]{3,}[ \-])*[0-9]+[ \-]?\Z")
_RUN_AFTER: Final = re.compile(rb"[ \-]?[0-9]+(?:[ \-][0-9]{3,})*(?:[ \-][0-9]{1,2})?")

_FOREIGN: Final = re.compile(
    rb"\xc2[\xa0\xad]|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xdf[\x80-\x89]|\xe3\x80\x80"
    rb"|\xef\xbc[\x85\x8d\x90-\x99\x9b\x9d]|\xef\xbb\xbf|\xe2[\x80\x81][\x80-\xbf]|\xe2\x88\x92"
    rb"|\xe0[\xa5-\xbd][\x80-\xbf]|\xe1[\x81-\xb1][\x80-\xbf]|\xea[\x98-\xaf][\x80-\xbf]"
    rb"|\xf0[\x90\x91\x96\x9e][\x80-\xbf]{2}|\xf0\x9d\x9f[\x80-\xbf]|\xf0\x9f\xaf[\xb0-\xb9]"
)
"""UTF-8 of every digit, space, dash and invisible character beyond ASCII, and of some others."""
_MINUS: Final = "\u2212"
_FULL_WIDTH: Final = range(0xFF01, 0xFF5F)
_WIDE_SHAPE: Final = bytes(
    0x30 if 0x30 <= c <= 0x39 else 0x31 if 0x10 <= c <= 0x19 else c if c in (0, 0xFF) else 0x78 for c in range(256)
)
_WIDE_LITTLE: Final = tuple(
    re.compile(rb"%b(?:(?:..)?%b){11}" % (digit, digit), re.DOTALL) for digit in (rb"0\0", rb"1\xff")
)
_WIDE_BIG: Final = tuple(
    re.compile(rb"%b(?:(?:..)?%b){11}" % (digit, digit), re.DOTALL) for digit in (rb"\x000", rb"\xff1")
)
"""Digits in UTF-16, ASCII and full-width ones."""
_MARGIN: Final = 256
"""Bytes before and behind a place that are looked at with it: as far as a decision reaches."""


@dataclass(frozen=True, slots=True)
class View:
    """Bytes to look at, and where they came from."""

    data: bytes
    places: Sequence[int]
    """Offset in the source of each byte."""
    wide: bool = False
    """The source is UTF-16; places are those of the lower half."""

    def joined(self, data: bytes, start: int, end: int, plain: bytes = b"") -> View:
        """With ``data[start:end]`` behind it, then ``plain``, which stands for what is at ``end``."""
        places = [*self.places, *range(start, end), *([end] * len(plain))]
        return View(self.data + data[start:end] + plain, places, self.wide)

    def back(self, found: Finding, source: bytes) -> Finding:
        """The finding where it is in the source, to the end of its last character."""
        end = self.places[found.end - 1] + 1
        while not self.wide and end < len(source) and 0x80 <= source[end] < 0xC0:
            end += 1
        return Finding(found.kind, self.places[found.start], end)


def foreign_views(data: bytes) -> Iterator[View]:
    """Digits of any script as ASCII, spaces and dashes of any kind as one kind, without what is invisible."""
    if data.isascii():
        return
    places = [found.span() for found in _FOREIGN.finditer(data) if _matters(data, *found.span())]
    for low, high in _around(places, _MARGIN, len(data)):
        kept = View(b"", [])
        end = low
        for found in _FOREIGN.finditer(data, low, high):
            plain = _plain(found.group())
            if plain is not None:
                kept = kept.joined(data, end, found.start(), plain)
                end = found.end()
        whole = kept.joined(data, end, high)
        if len(whole.data) - len(whole.data.translate(None, b"0123456789")) >= SHORTEST:
            yield whole


def _matters(data: bytes, start: int, end: int) -> bool:
    """Whether a number can go on here: a digit, or a sign with a digit beside it (or with another such sign)."""
    plain = _plain(data[start:end])
    if plain is None:
        return False
    return plain.isdigit() or data[max(0, start - 1) : start].isdigit() or data[end : end + 1].isdigit()


def _around(places: Sequence[tuple[int, int]], margin: int, size: int) -> Iterator[tuple[int, int]]:
    """The places with a margin on both sides, in order; those that touch are one."""
    low = high = -1
    for start, end in places:
        if low >= 0 and start - margin <= high:
            high = min(size, end + margin)
            continue
        if low >= 0:
            yield low, high
        low, high = max(0, start - margin), min(size, end + margin)
    if low >= 0:
        yield low, high


@cache
def _plain(sequence: bytes) -> bytes | None:
    """What a character stands for; None: for itself."""
    try:
        character = sequence.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return _ascii_of(character)


def _ascii_of(character: str) -> bytes | None:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return b"%d" % digit
    category = unicodedata.category(character)
    if category == "Cf":
        return b""
    if category == "Zs":
        return b" "
    if category == "Pd" or character == _MINUS:
        return b"-"
    return chr(ord(character) - 0xFEE0).encode("ascii") if ord(character) in _FULL_WIDTH else None


def unwrapped_views(data: bytes, *, from_start: bool) -> Iterator[View]:
    """Without the line breaks that a full line ends with; ``from_start``: a line begins where ``data`` begins."""
    for found in _BREAK.finditer(data):
        end = found.start() - (data[found.start() - 1 : found.start()] == b"\r")
        if _is_full(data, end, from_start=from_start) and _may_hold(data, end, found.start() + 1):
            low, high = max(0, end - _MARGIN), min(len(data), found.end() + _MARGIN)
            yield View(b"", []).joined(data, low, end).joined(data, found.start() + 1, high)


def _is_full(data: bytes, end: int, *, from_start: bool) -> bool:
    low = max(0, end - _LINE)
    begin = max(data.rfind(b"\n", low, end), data.rfind(b"\r", low, end)) + 1
    if begin == 0 and not (from_start and low == 0):
        return False
    line = data[begin:end]
    width = len(line) if line.isascii() else len(line) - sum(0x80 <= byte < 0xC0 for byte in line)
    return width in WIDTHS


def _may_hold(data: bytes, end: int, begin: int) -> bool:
    """Whether there are enough digits around the break between ``end`` and ``begin`` for a number."""
    before, after = _RUN_BEFORE.search(data[max(0, end - 40) : end]), _RUN_AFTER.match(data, begin, begin + 40)
    digits = sum(len(found.group().translate(None, b" -")) for found in (before, after) if found)
    return digits >= SHORTEST


def wide_views(data: bytes) -> Iterator[View]:
    """Every place that may hold a number in UTF-16, read in the byte order that fits it."""
    if b"\0" not in data and b"\xff" not in data:
        return
    shape = data.translate(_WIDE_SHAPE)
    for pattern in _WIDE_LITTLE:
        for found in pattern.finditer(shape):
            # A digit right behind: of the other order, whose last digit would be missing here.
            if shape[found.end() : found.end() + 1] != shape[found.start() : found.start() + 1]:
                yield _wide_view(data, found.start(), found.end(), big=False)
    for pattern in _WIDE_BIG:
        for found in pattern.finditer(shape):
            if shape[max(0, found.start() - 1) : found.start()] != shape[found.start() + 1 : found.start() + 2]:
                yield _wide_view(data, found.start(), found.end(), big=True)


def _wide_view(data: bytes, start: int, end: int, *, big: bool) -> View:
    """The characters around; one begins at ``start``."""
    low = start - min(start, 2 * _MARGIN) // 2 * 2
    piece = data[low : min(len(data), end + 2 * _MARGIN)]
    units = array("H", piece[: len(piece) // 2 * 2])
    if big is (sys.byteorder == "little"):
        units.byteswap()
    kept = bytearray()
    places: list[int] = []
    for place, unit in enumerate(units):
        plain = _unit(unit)
        kept += plain
        places += [low + 2 * place + big] * len(plain)
    return View(bytes(kept), places, wide=True)


@cache
def _unit(unit: int) -> bytes:
    if unit < 0x80:
        return bytes([unit])
    plain = None if 0xD800 <= unit < 0xE000 else _ascii_of(chr(unit))
    return b"\xff" if plain is None else plain
