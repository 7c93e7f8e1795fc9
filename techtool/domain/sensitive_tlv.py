"""Card data as chips and terminals code it: track 2 with a D as separator, TLV in hexadecimal, packed digits. Pure.

EMV Book 3, annex A: tag 5A is the card number (packed digits, filled up with F), tag 57 the track 2 equivalent data:
the number, a hexadecimal D, year and month, service code, the rest, filled up with F. 9F6B is a card's own track 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from techtool.domain.issuers import LONGEST, SHORTEST, scheme_of
from techtool.domain.sensitive_kinds import Finding, Kind

_LONGEST_TRACK: Final = 40
_AFTER_NUMBER: Final = re.compile(rb"[dD=][0-9]{2}(?:0[1-9]|1[0-2])[125679][024][0-7]")
"""Separator, year and month of expiry, one of the service codes there are (ISO/IEC 7813)."""
_REST: Final = re.compile(rb"[dD=0-9]{1,%d}[fF]?" % _LONGEST_TRACK)
_NUMBER_TAG: Final = re.compile(rb"5[aA]0([7-9aA])")
_TRACK_TAGS: Final = tuple(re.compile(tag + rb"(0[89a-fA-F]|1[0-3])") for tag in (b"57", b"9[fF]6[bB]"))
_DIGITS: Final = re.compile(rb"[0-9]*")
_PAIRS: Final = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}[ :\-]){7,}[0-9A-Fa-f]{2}(?![0-9A-Za-z])")
_PAIRS_SUSPECT: Final = (b"00 " * 6, b"00," * 6)

_PACKED_SHAPE: Final = bytes(
    0x30 if c < 0xA0 and c & 0xF < 10 else 0x44 if 0xD0 <= c <= 0xD9 else 0x78 for c in range(256)
)
"""Two digits as 0, a separator with a digit as D."""
_PACKED_NUMBER: Final = re.compile(rb"\x5a([\x07-\x0a])")
_PACKED_TRACKS: Final = tuple(re.compile(tag + rb"([\x08-\x13])") for tag in (rb"\x57", rb"\x9f\x6b"))
_PACKED_UNTAGGED: Final = re.compile(b"0" * 8 + b"D00")
"""A number of 16 digits and the rest of a track; other lengths without a tag would be found in every program."""


def track_2_end(data: bytes, end: int) -> int:
    """Where the track ends whose number ends at ``end``; 0: what follows is not the rest of a track."""
    if not _AFTER_NUMBER.match(data, end):
        return 0
    rest = _REST.match(data, end)
    return rest.end() if rest else 0


def number_before(data: bytes, end: int) -> int:
    """Where the card number begins that ends at ``end`` within a longer run of digits; -1: none does.

    Only for places where the rest of a track follows: one run in five would have such an end.
    """
    for length in range(LONGEST, SHORTEST - 1, -1):
        digits = data[max(0, end - length) : end]
        if len(digits) == length and digits.isdigit() and scheme_of(digits.decode("ascii")):
            return end - length
    return -1


# --- hexadecimal ---------------------------------------------------------------------------------------------------


def pair_findings(data: bytes, shape: bytes) -> Iterator[Finding]:
    """Tagged numbers and tracks in pairs of hexadecimal digits.

    ``shape`` is ``data`` with 0 for every digit, a space for space and hyphen, a comma for the colon.
    """
    for dump in _dumps(data, shape):
        places = [at for at in range(*dump.span()) if data[at : at + 1] not in (b" ", b":", b"-")]
        joined = bytes(data[at] for at in places)
        for found in (*tagged_findings(joined), *_tracks(joined)):
            yield Finding(found.kind, places[found.start], places[found.end - 1] + 1)


def _dumps(data: bytes, shape: bytes) -> Iterator[re.Match[bytes]]:
    """Pairs of hexadecimal digits on the lines that hold many pairs of decimal ones."""
    done = 0
    for place in sorted({found.start() for pattern in _PAIRS_SUSPECT for found in re.finditer(pattern, shape)}):
        if place >= done:
            line_end = data.find(b"\n", place)
            end = len(data) if line_end < 0 else line_end
            yield from _PAIRS.finditer(data, max(done, data.rfind(b"\n", 0, place) + 1), end)
            done = end


def tagged_findings(data: bytes) -> Iterator[Finding]:
    """Tagged numbers and tracks in hexadecimal."""
    for tag in _NUMBER_TAG.finditer(data):
        value = data[tag.end() : tag.end() + 2 * int(tag.group(1), 16)]
        digits = value.rstrip(b"fF")
        if digits.isdigit() and scheme_of(digits.decode("ascii")):
            yield Finding(Kind.CARD_NUMBER, tag.end(), tag.end() + len(digits))
    for tag in (tag for pattern in _TRACK_TAGS for tag in pattern.finditer(data)):
        value = data[tag.end() : tag.end() + 2 * int(tag.group(1), 16)]
        if _is_track(value):
            yield Finding(Kind.TRACK_2, tag.end(), tag.end() + len(value))


def _is_track(value: bytes) -> bool:
    number = _DIGITS.match(value)
    if number is None or not scheme_of(number.group().decode("ascii")):
        return False
    return _AFTER_NUMBER.match(value, number.end()) is not None


def _tracks(data: bytes) -> Iterator[Finding]:
    for after in _AFTER_NUMBER.finditer(data):
        start = number_before(data, after.start())
        if start >= 0:
            yield Finding(Kind.TRACK_2, start, track_2_end(data, after.start()))


# --- packed digits -------------------------------------------------------------------------------------------------


def packed_findings(data: bytes, *, untagged: bool) -> Iterator[Finding]:
    """The same as bytes: two digits in each; ``untagged``: tracks without their tag as well."""
    for tag in _PACKED_NUMBER.finditer(data):
        value = data[tag.end() : tag.end() + tag.group(1)[0]]
        digits = value.hex().rstrip("f")
        if digits.isdigit() and scheme_of(digits):
            yield Finding(Kind.CARD_NUMBER, tag.end(), tag.end() + len(value))
    for tag in (tag for pattern in _PACKED_TRACKS for tag in pattern.finditer(data)):
        value = data[tag.end() : tag.end() + tag.group(1)[0]]
        if _is_track(value.hex().encode("ascii")):
            yield Finding(Kind.TRACK_2, tag.end(), tag.end() + len(value))
    if not untagged or data.isascii():
        return
    shape = data.translate(_PACKED_SHAPE)
    for track in _PACKED_UNTAGGED.finditer(shape):
        start = track.start()
        alone = shape[max(0, start - 1) : start] != b"0"
        if alone and _is_track(data[start : track.end() + 1].hex().encode("ascii")):
            yield Finding(Kind.TRACK_2, start, track.end())
