"""The smallest parts of every view: a mark, a word for it, a line, and fitting parts into a width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from unicodedata import combining, east_asian_width

from techtool.clock import said
from techtool.i18n import N_, _, translate


class Mark(StrEnum):
    """State of a thing; drawn as a glyph and a word, never as a colour alone."""

    OK = "ok"
    BUSY = "busy"
    STOPPED = "stopped"
    NEEDS = "needs"
    WARNING = "warning"
    WAITING = "waiting"
    NOTE = "note"


MARK_WORD: Final = {
    Mark.OK: N_("ok"),
    Mark.BUSY: N_("busy"),
    Mark.STOPPED: N_("stopped"),
    Mark.NEEDS: N_("needs you"),
    Mark.WARNING: N_("look"),
    Mark.WAITING: N_("waiting"),
    Mark.NOTE: N_("note"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line with what hangs below it."""

    mark: Mark
    text: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the top line; the lowest ``keep`` goes first when there is no room."""

    text: str
    keep: int = 0


def named(name: str, text: str) -> str:
    """``name: text``, with the colon of the language."""
    return _("{name}: {text}").format(name=name, text=text)


def word_of(mark: Mark) -> str:
    """The word beside the glyph."""
    return translate(MARK_WORD[mark])


def cells(text: str) -> int:
    """Width on a terminal: wide characters take two cells, combining marks none."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def clip(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, cut at the end."""
    if cells(text) <= width:
        return text
    taken = ""
    for character in text:
        if cells(taken + character) > max(0, width - 1):
            break
        taken += character
    return taken + "~" if width > 0 else ""


def fit(parts: Sequence[Part], width: int, gap: str = "   ") -> str:
    """The parts in order, as many as go into ``width`` cells; those kept longest are cut only as the last resort."""
    left = [part for part in parts if part.text]
    while len(left) > 1 and cells(gap.join(p.text for p in left)) > width:
        left.remove(min(reversed(left), key=lambda part: part.keep))
    return clip(gap.join(p.text for p in left), width)


def clock_time(seconds: float) -> str:
    """``3:05``"""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{whole % 60:02}"


def time_of_day(at: datetime) -> str:
    """Hours, minutes, seconds in this laptop's zone."""
    return at.astimezone().strftime("%H:%M:%S")


def day_and_time(at: datetime) -> str:
    """Date, hours and minutes in this laptop's zone."""
    return said(at)
