"""One journal line: ``crc32 chain json LF``. Pure: bytes in, bytes out.

The CRC-32 (8 hex digits, over all that follows it up to the line's end) says of a line by itself whether it is whole.
The chain (64 hex digits: SHA-256 over the 32 bytes of the chain value before it, then the JSON) says whether it still
stands where it was written. Together they tell a write that was cut short from a record that was altered or moved.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

GENESIS: Final = "0" * 64
"""The chain value before the first line."""

_CRC: Final = 8
_CHAIN: Final = slice(_CRC + 1, _CRC + 65)
_JSON: Final = _CRC + 66
_START: Final = re.compile(rb"(?=[0-9a-f]{8} [0-9a-f]{64} )")
_MAX_STARTS: Final = 100
"""Places at which one line is looked for: a file made of nothing but beginnings would else take hours to read."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole line as it was found."""

    offset: int
    end: int
    chain: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """What the bytes of a journal hold."""

    payloads: tuple[bytes, ...]
    """Of the whole lines from the start, each in its place in the chain."""
    head: str
    """Chain value of the last of them."""
    head_before: str
    """Chain value of the one before the last: what a seal must name."""
    good_bytes: int
    tail: bytes
    """What follows ``good_bytes``; empty in a clean journal."""
    damaged: bool
    """Whether a whole line stands in the tail: then this is no unfinished write."""


def chained(previous: str, payload: bytes) -> str:
    """The chain value of ``payload`` after ``previous``."""
    return hashlib.sha256(bytes.fromhex(previous) + payload).hexdigest()


def frame(previous: str, payload: bytes) -> tuple[bytes, str]:
    """The line that records ``payload`` (one line of JSON), and its chain value."""
    if b"\n" in payload:
        raise ValueError("a journal line holds no line feed")
    chain = chained(previous, payload)
    checked = b"%b %b" % (chain.encode(), payload)
    return b"%08x %b\n" % (zlib.crc32(checked), checked), chain


def _whole(line: bytes) -> bool:
    return line[_CRC : _CRC + 1] == b" " and line[:_CRC] == b"%08x" % zlib.crc32(line[_CRC + 1 :])


def scan(data: bytes) -> Scan:
    """Read lines until one is not whole or not in its place."""
    payloads: list[bytes] = []
    before, head, offset = GENESIS, GENESIS, 0
    while (end := data.find(b"\n", offset)) >= 0:
        line = data[offset:end]
        payload = line[_JSON:]
        if not _whole(line):
            break
        chain = chained(head, payload)
        if line[_CHAIN] != chain.encode():
            break
        payloads.append(payload)
        before, head, offset = head, chain, end + 1
    tail = data[offset:]
    return Scan(tuple(payloads), head, before, offset, tail, damaged=next(whole_lines(tail), None) is not None)


def whole_lines(data: bytes, offset: int = 0) -> Iterator[Frame]:
    """Every line from ``offset`` on whose CRC is right, wherever it begins and whatever its chain says.

    A line feed that rotted joins two lines, so a line is looked for at every byte, not only after a line feed.
    """
    end, tried = -1, 0
    while (found := _START.search(data, offset)) is not None:
        start = found.start()
        if start > end:
            end, tried = data.find(b"\n", start), 0
        if end < 0:
            return
        line, tried = data[start:end], tried + 1
        if _whole(line):
            yield Frame(start, end + 1, line[_CHAIN].decode("ascii"), line[_JSON:])
            offset = end + 1
        else:
            offset = start + 1 if tried < _MAX_STARTS else end + 1
