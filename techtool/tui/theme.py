"""Colours and marks: every state is a glyph and a word first, a colour second."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import Theme

from techtool.tui.views.lines import Mark

TEXT: Final = "#d8dee6"
DIM: Final = "#8492a3"
STRONG: Final = "#ffffff"
BLUE: Final = "#6cb6ff"
GREEN: Final = "#7ee2a0"
AMBER: Final = "#ffcb6b"
RED: Final = "#ff7b7b"

THEME: Final = Theme(
    name="techtool",
    primary="#2f81d6",
    secondary="#5a7a9a",
    accent=BLUE,
    foreground=TEXT,
    background="#0f141a",
    surface="#151c24",
    panel="#1e2832",
    success=GREEN,
    warning=AMBER,
    error=RED,
    dark=True,
    variables={"input-selection-background": "#2f81d6 40%", "border": "#34424f", "border-blurred": "#26313b"},
)

COLOUR: Final = {
    Mark.OK: GREEN,
    Mark.BUSY: BLUE,
    Mark.STOPPED: RED,
    Mark.NEEDS: AMBER,
    Mark.WARNING: AMBER,
    Mark.WAITING: DIM,
    Mark.NOTE: DIM,
}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The marks of one way of drawing."""

    marks: dict[Mark, str]
    bar: str
    bar_rest: str
    cursor: str
    dot: str
    separator: str
    ellipsis: str


UNICODE: Final = Glyphs(
    marks={
        Mark.OK: "✓",
        Mark.BUSY: "▸",
        Mark.STOPPED: "✗",
        Mark.NEEDS: "?",
        Mark.WARNING: "!",
        Mark.WAITING: "·",
        Mark.NOTE: "·",
    },
    bar="━",
    bar_rest="━",
    cursor="▸",
    dot="·",
    separator="─",
    ellipsis="…",
)
ASCII: Final = Glyphs(
    marks={
        Mark.OK: "+",
        Mark.BUSY: ">",
        Mark.STOPPED: "x",
        Mark.NEEDS: "?",
        Mark.WARNING: "!",
        Mark.WAITING: ".",
        Mark.NOTE: "-",
    },
    bar="#",
    bar_rest=".",
    cursor=">",
    dot=".",
    separator="-",
    ellipsis="...",
)


class AsciiScrollBar(ScrollBarRender):
    """A scroll bar of whole cells: no blocks of an eighth."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def scroll_bars(glyphs: Glyphs) -> None:
    """Draw scroll bars as the marks are drawn; Textual has one renderer for all of them."""
    ScrollBar.renderer = AsciiScrollBar if glyphs is ASCII else ScrollBarRender


def glyphs_for(*, ascii_only: bool) -> Glyphs:
    """The marks to draw with: ASCII when asked for, or when the terminal's encoding knows nothing else."""
    encoding = (getattr(sys.__stdout__, "encoding", None) or "utf-8").lower().replace("-", "")
    return ASCII if ascii_only or not encoding.startswith(("utf", "gb")) else UNICODE
