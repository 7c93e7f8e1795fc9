"""Plain text in columns, for people: Chinese characters take two places, and a line keeps to the window."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import chain
from typing import Final

WINDOW: Final = 80
"""Columns of the narrowest window that is used in the field."""


def width(text: str) -> int:
    """Places that ``text`` takes on a terminal (Unicode's East Asian Width; marks that combine take none)."""
    if text.isascii():
        return len(text)
    return sum(_places(c) for c in text)


def _places(c: str) -> int:
    if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1


def cut(text: str, places: int) -> str:
    """``text`` in at most so many places; what does not fit is shown to be missing."""
    if width(text) <= places:
        return text
    kept, used = "", 0
    for c in text:
        if used + _places(c) > places - 1:
            break
        kept, used = kept + c, used + _places(c)
    return kept + "…"


def column(text: str, places: int) -> str:
    """``text`` cut or filled up to exactly so many places."""
    short = cut(text, places)
    return short + " " * (places - width(short))


def wrapped(text: str, first: str, window: int = WINDOW) -> list[str]:
    """``text`` behind ``first`` in lines that fit the window, the further ones set in as far.

    Broken at spaces; a word that is longer than a line (Chinese has no spaces) is broken where the line ends.
    """
    room = max(20, window - width(first))
    lines, line = [], ""
    pieces = chain.from_iterable(_pieces(word, room) for word in text.split(" "))
    for word in pieces:
        longer = f"{line} {word}" if line else word
        if line and width(longer) > room:
            lines.append(line)
            longer = word
        line = longer
    lines.append(line)
    return [(first if not number else " " * width(first)) + part for number, part in enumerate(lines)]


def _pieces(word: str, room: int) -> Iterator[str]:
    piece, used = "", 0
    for c in word:
        if piece and used + _places(c) > room:
            yield piece
            piece, used = "", 0
        piece, used = piece + c, used + _places(c)
    yield piece
