"""Versions, each compared by the scheme that its publisher declares: what cannot be compared is said, never guessed.

``dotted`` (also called ``triplet``)
    Numbers between dots, of any count: ``1.4``, ``V1.02.03``. A missing part counts as zero.
``semver``
    Semantic Versioning 2.0.0, precedence by its §11: a pre-release comes before its release, build data
    does not count.
``android-code``
    Android's integer ``versionCode``: the only thing Android itself compares.
``dotted-date``
    A vendor's text around numbers and a day, such as ``A920Pro_PayDroid_10.0.0_Sagittarius_V1.01_20241205``. Two of
    them are comparable only when everything that is not a number or a day is the same (model, system, code name,
    suffix); then the numbers decide from left to right, and the days only where all numbers are equal.
``opaque``
    A name without an order: equal or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

from techtool.domain.release import Compare

SCHEMES: Final = frozenset({"dotted", "triplet", "semver", "android-code", "dotted-date", "opaque"})
"""Every scheme that :func:`compare` knows."""

_LONGEST: Final = 200
"""Longest text that is looked into: device text is never trusted for its length."""
_BLANKS: Final = " \t\r\n\v\f\0\u00a0\u3000\ufeff"
_DOTTED: Final = re.compile(r"[vV]?([0-9]{1,18}(?:\.[0-9]{1,18})*)", re.ASCII)
_CODE: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_SEMVER: Final = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)


class Comparison(StrEnum):
    """How the first of two versions stands to the second."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    UNKNOWN = "unknown"
    """They cannot be put in order."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version as it was given, and what its scheme makes of it."""

    scheme: str
    raw: str
    """Exactly as the terminal or the publisher wrote it."""
    text: str
    """Without surrounding blanks."""
    line: tuple[str, ...] | None
    """What must be the same for two of them to be comparable; None: the scheme cannot read the text."""
    order: tuple[object, ...] = ()
    """Compares within one ``line``."""


def parse(scheme: str, raw: str) -> Version:
    """Read ``raw`` by ``scheme``; text that the scheme cannot read still equals itself."""
    return _remembered(scheme, raw) if len(raw) <= _LONGEST else _read(scheme, raw)


def _read(scheme: str, raw: str) -> Version:
    text = raw.strip(_BLANKS)
    if len(text) > _LONGEST:
        return Version(scheme, raw, text, None)
    match scheme:
        case "dotted" | "triplet":
            found = _DOTTED.fullmatch(text)
            return Version(scheme, raw, text, () if found else None, _numbers(found[1]) if found else ())
        case "android-code":
            fits = _CODE.fullmatch(text)
            return Version(scheme, raw, text, () if fits else None, (int(text),) if fits else ())
        case "semver":
            order = _semver(text)
            return Version(scheme, raw, text, None if order is None else (), order or ())
        case "dotted-date":
            line, order = _dotted_date(text)
            return Version(scheme, raw, text, line, order)
        case _:
            return Version(scheme, raw, text, None)


_remembered = lru_cache(maxsize=4096)(_read)
"""The same few versions are compared again and again while rules are judged."""


def compare(scheme: str, a: str, b: str) -> Comparison:
    """How ``a`` stands to ``b`` under ``scheme``; :attr:`Comparison.UNKNOWN` when the scheme cannot tell."""
    first, second = parse(scheme, a), parse(scheme, b)
    if not first.text or not second.text:
        return Comparison.UNKNOWN
    if first.text == second.text:
        return Comparison.SAME
    if first.line is None or first.line != second.line:
        return Comparison.UNKNOWN
    if first.order == second.order:
        return Comparison.SAME
    return Comparison.OLDER if first.order < second.order else Comparison.NEWER


_HOLDS: Final = {
    Comparison.SAME: frozenset({Compare.EQ, Compare.LE, Compare.GE}),
    Comparison.OLDER: frozenset({Compare.NE, Compare.LT, Compare.LE}),
    Comparison.NEWER: frozenset({Compare.NE, Compare.GT, Compare.GE}),
}


def holds(comparison: Comparison, wanted: Compare) -> bool | None:
    """Whether a found version that stands so to the wanted one meets the rule; None when nobody can tell."""
    return None if comparison is Comparison.UNKNOWN else wanted in _HOLDS[comparison]


def meets(scheme: str, found: str, how: Compare, wanted: str) -> bool | None:
    """Whether ``found`` meets the rule ``how wanted``; None when the two cannot be compared.

    An ``opaque`` version is a name: another text is another version, though neither newer nor older.
    """
    comparison = compare(scheme, found, wanted)
    named = scheme == "opaque" and bool(found.strip(_BLANKS)) and bool(wanted.strip(_BLANKS))
    if comparison is Comparison.UNKNOWN and named and how in (Compare.EQ, Compare.NE):
        return how is Compare.NE
    return holds(comparison, how)


def _numbers(text: str) -> tuple[int, ...]:
    """The parts of a dotted number without trailing zeros, so that ``1.4`` and ``1.4.0`` are one version."""
    parts = [int(part) for part in text.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _semver(text: str) -> tuple[object, ...] | None:
    found = _SEMVER.fullmatch(text)
    if found is None:
        return None
    core = tuple(int(found[part]) for part in (1, 2, 3))
    if found[4] is None:
        return (*core, 1)
    names = tuple((0, int(name), "") if name.isdigit() else (1, 0, name) for name in found[4].split("."))
    return (*core, 0, names)


def _dotted_date(text: str) -> tuple[tuple[str, ...] | None, tuple[object, ...]]:
    """Split a vendor's text into what names its line, its numbers and its days."""
    line: list[str] = []
    numbers: list[tuple[int, ...]] = []
    days: list[date] = []
    for part in re.split(r"([-_ ]+)", text):
        day = _day(part)
        found = _DOTTED.fullmatch(part)
        if day is not None:
            days.append(day)
            line.append("day")
        elif found is not None:
            numbers.append(_numbers(found[1]))
            line.append("number")
        else:
            line.append(f"text {part}")
    if not numbers and not days:
        return None, ()
    return tuple(line), (*numbers, *days)


def _day(text: str) -> date | None:
    if len(text) != 8 or not _CODE.fullmatch(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
