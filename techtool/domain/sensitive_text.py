"""Card numbers, tracks, codes and keys in one text, given as bytes of which ASCII matters. Pure.

Whatever is decided of a place depends on no more than :data:`CONTEXT` bytes around it, so that a stream that is looked
at in pieces gives the same findings wherever its pieces end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from techtool.domain.issuers import LONGEST, SHORTEST, luhn, scheme_of
from techtool.domain.sensitive_fields import REACH, field_before, is_code_name, is_key_name, is_sim_or_phone
from techtool.domain.sensitive_kinds import Finding, Kind, OwnNumber, Profile
from techtool.domain.sensitive_tlv import number_before, pair_findings, tagged_findings, track_2_end

CONTEXT: Final = 1024
"""Bytes of a stream that are kept on both sides of a place while it is judged; in UTF-16 half as many characters."""

_SEPARATORS: Final = b"\t._/:|*"
_SHAPE: Final = bytes(
    0x30 if 0x30 <= c <= 0x39 else 0x20 if c in b" -" else 0x2C if c in _SEPARATORS else 0x78 for c in range(256)
)
"""Every digit as 0, space and hyphen as a space, the other separators as a comma: plain patterns are searched fast."""
_SUSPECT: Final = (b"0" * (SHORTEST - 1), b"000 000", b"0" * (SHORTEST - 2) + b" 0")
"""What the shape of every number holds that is written in one piece or in long groups, and of every track."""
_SUSPECT_GROUPS: Final = tuple(
    re.compile(pattern) for pattern in (rb"0000[ ,]{1,3}0000[ ,]{1,3}0000[ ,]", rb"0000[ ,]{1,3}000000[ ,]{1,3}0000")
)
"""The same of one grouped as on a card."""
_RUN: Final = re.compile(rb"[0-9]+(?:[ \-][0-9]+)*")
_GROUP: Final = re.compile(r"[0-9]+")
_GROUPED: Final = re.compile(
    rb"(?<![0-9])(?=([0-9]{4})([ \-\t._/:|*]|  | - |\t\t)"
    rb"([0-9]{4}\2[0-9]{4}\2[0-9]{1,4}(?:\2[0-9]{1,3})?|[0-9]{6}\2[0-9]{4,5})(?![0-9]))"
)
"""As cards print it (4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4), with the same separator throughout and none before or after."""
_GROUPED_REACH: Final = 64
"""More than the longest of them."""
_SHORTEST_GROUP: Final = 3
"""Shorter groups are dates, times and tables of numbers."""
_TRACK_1: Final = re.compile(rb"%[A-Za-z][0-9][0-9 ]{11,22}\^")
_TRACK_2: Final = re.compile(rb";[0-9]{12,19}[=D][0-9]{4}")
_TRACK_3: Final = tuple(re.compile(sentinel + rb"[0-9]{14,21}=[0-9]{6}") for sentinel in (b";", rb"\+", b"!", b"#"))
"""ISO/IEC 4909: two digits of format code before the number; readers write its start sentinel in several ways."""
_HEX_SHAPE: Final = bytes(
    0x68 if chr(c) in "0123456789abcdefABCDEF" else 0x20 if c in b" :-" else 0x78 for c in range(256)
)
_HEX: Final = tuple(
    re.compile(piece * least + rest)
    for piece, least, rest in (
        (b"h", 16, b"h*"),
        (b"hh ", 7, b"hh(?: hh)*"),
        (b"hhhh ", 3, b"hhhh(?: hhhh)*"),
    )
)
"""In one piece, in pairs, in fours; a literal beginning is searched fast."""
_KEY_DIGITS: Final = range(16, 129)
_KEY_HINT: Final = re.compile("[kK]|[eE][pP][bB]|\u5bc6".encode())
"""Every name of a key holds one of these."""
_PIN_BLOCK: Final = re.compile(rb"(?i)pin[ _\-]?block[\"'\])>]*[ \t]*[:=]?[ \t]*[\"'\[(<]*$")
_PEM: Final = re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")
_CODE: Final = re.compile(rb"cv[vcn]2?[^0-9\n]{1,8}([0-9]{3,4})(?![0-9a-z])")
_UUID: Final = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DIGEST_LENGTHS: Final = frozenset({32, 40, 56, 64, 96, 128})
_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"


def text_findings(data: bytes, profile: Profile, own: OwnNumber) -> Iterator[Finding]:
    """Everything in ``data``; the same place may come twice."""
    shape = data.translate(_SHAPE)
    yield from _numbers(data, shape, own)
    yield from pair_findings(data, shape)
    if profile is Profile.TEXT:
        yield from _keys(data)
        yield from _codes(data)


def number_findings(data: bytes, own: OwnNumber) -> Iterator[Finding]:
    """Card numbers and tracks alone."""
    yield from _numbers(data, data.translate(_SHAPE), own)


def _numbers(data: bytes, shape: bytes, own: OwnNumber) -> Iterator[Finding]:
    suspect = [pattern for pattern in _SUSPECT if pattern in shape]
    if suspect:
        yield from _tracks(data)
        yield from tagged_findings(data)
    if suspect or any(pattern.search(shape) for pattern in _SUSPECT_GROUPS):
        yield from _card_numbers(data, shape, suspect, own)


# --- card numbers --------------------------------------------------------------------------------------------------


def _card_numbers(data: bytes, shape: bytes, suspect: list[bytes], own: OwnNumber) -> Iterator[Finding]:
    for start, end, digits in (*_in_runs(data, shape, suspect), *_grouped(data, shape)):
        track = track_2_end(data, end)
        if track:
            yield Finding(Kind.TRACK_2, start, track)
        elif not _is_harmless(data, start, end, digits, own):
            yield Finding(Kind.CARD_NUMBER, start, end)


def _in_runs(data: bytes, shape: bytes, suspect: list[bytes]) -> Iterator[tuple[int, int, str]]:
    """Start, end and digits of everything written in one piece or in long groups that a scheme may have issued."""
    done = 0
    for place in sorted({found.start() for pattern in suspect for found in re.finditer(pattern, shape)}):
        if place < done:
            continue
        run = _RUN.match(data, _run_start(data, place))
        if run is not None:
            done = run.end()
            yield from _in_run(data, run)


def _grouped(data: bytes, shape: bytes) -> Iterator[tuple[int, int, str]]:
    """The same of everything grouped as on a card."""
    places = sorted({found.span() for pattern in _SUSPECT_GROUPS for found in pattern.finditer(shape)})
    for place, place_end in places:
        for found in _GROUPED.finditer(data, place, place_end + _GROUPED_REACH):
            start, end = found.start(1), found.end(3)
            if start >= place_end:
                break
            digits = re.sub(rb"[^0-9]", b"", data[start:end]).decode("ascii")
            if scheme_of(digits) and not _is_in_row(data, start, end, found.group(2)):
                yield start, end, digits


def _is_in_row(data: bytes, start: int, end: int, separator: bytes) -> bool:
    """Whether the row of groups goes on: then it is a table of numbers."""
    size = len(separator)
    before, after = data[max(0, start - size - 1) : start], data[end : end + size + 1]
    return (before[1:] == separator and before[:1].isdigit()) or (after[:-1] == separator and after[-1:].isdigit())


def _run_start(data: bytes, place: int) -> int:
    """Where the run of digits and single separators begins that ``place`` lies in."""
    while place > 0:
        before = data[place - 1 : place]
        if before.isdigit() or (before in b" -" and data[place - 2 : place - 1].isdigit() and place > 1):
            place -= 1
        else:
            break
    return place


def _in_run(data: bytes, run: re.Match[bytes]) -> Iterator[tuple[int, int, str]]:
    """Whole neighbouring groups of digits that make a number together."""
    low, high = run.span()
    if high - low < SHORTEST - 1:
        return
    text = run.group().decode("ascii")
    groups = [group.span() for group in _GROUP.finditer(text)]
    for first, (start, _end) in enumerate(groups):
        digits = ""
        for group_start, group_end in groups[first:]:
            if len(digits) + group_end - group_start > LONGEST:
                break
            digits += text[group_start:group_end]
            if len(digits) >= SHORTEST and scheme_of(digits):
                yield low + start, low + group_end, digits
            if group_end - group_start < _SHORTEST_GROUP:
                break
    if track_2_end(data, high):
        start = number_before(data, high)
        if start >= 0:
            yield start, high, data[start:high].decode("ascii")


def _is_harmless(data: bytes, start: int, end: int, digits: str, own: OwnNumber) -> bool:
    """Whether what looks like a card number is known to be something else."""
    if re.search(rb"[0-9]\.$", data[max(0, start - 2) : start]):
        return True
    if _is_digest(data, start, end) or _is_in_uuid(data, start, end):
        return True
    field = _field(data, start)
    return own.stands(field, digits) or (is_sim_or_phone(field, digits) and luhn(digits))


def _is_digest(data: bytes, start: int, end: int) -> bool:
    longest = max(_DIGEST_LENGTHS)
    low, high = start, end
    while low > 0 and start - low <= longest and data[low - 1] in _HEX_DIGITS:
        low -= 1
    while high < len(data) and high - end <= longest and data[high] in _HEX_DIGITS:
        high += 1
    return high - low in _DIGEST_LENGTHS and not data[low:high].isdigit()


def _is_in_uuid(data: bytes, start: int, end: int) -> bool:
    for uuid in _UUID.finditer(data, max(0, start - 36), end + 36):
        if uuid.start() <= start and end <= uuid.end() and not uuid.group().replace(b"-", b"").isdigit():
            return True
    return False


def _field(data: bytes, start: int) -> str:
    """The name before a value; bytes that are no UTF-8 stand for nothing."""
    low = max(0, start - REACH)
    before = data[max(low, data.rfind(b"\n", low, start)) : start].decode("utf-8", "replace")
    return field_before(before, len(before))


# --- tracks, keys, codes -------------------------------------------------------------------------------------------


def _tracks(data: bytes) -> Iterator[Finding]:
    for kind, pattern in ((Kind.TRACK_1, _TRACK_1), (Kind.TRACK_2, _TRACK_2)):
        for track in pattern.finditer(data):
            yield Finding(kind, *track.span())
    for track in (track for pattern in _TRACK_3 for track in pattern.finditer(data)):
        number = track.group()
        if number[:1] != b";" or number.index(b"=") > LONGEST + 1:
            yield Finding(Kind.TRACK_3, *track.span())


def _keys(data: bytes) -> Iterator[Finding]:
    for pem in _PEM.finditer(data):
        yield Finding(Kind.KEY, *pem.span())
    shape = data.translate(_HEX_SHAPE)
    for pattern in _HEX:
        for value in pattern.finditer(shape):
            if _is_key(data, *value.span()):
                yield Finding(Kind.KEY, *value.span())


def _is_key(data: bytes, start: int, end: int) -> bool:
    low = max(0, start - REACH)
    before = data[max(low, data.rfind(b"\n", low, start)) : start]
    if not _KEY_HINT.search(before) or before[-1:].isalnum() or data[end : end + 1].isalnum():
        return False
    value = re.sub(rb"[ :\-]", b"", data[start : min(end, start + CONTEXT)])
    if len(value) not in _KEY_DIGITS or len(set(value.lower())) < 2:
        return False
    return is_key_name(_field(data, start)) or _PIN_BLOCK.search(before) is not None


def _codes(data: bytes) -> Iterator[Finding]:
    for code in _CODE.finditer(data.lower()):
        if is_code_name(_field(data, code.start(1))):
            yield Finding(Kind.CODE, *code.span(1))
