"""The embedded font: Noto Sans SC, the characters of GBK and a few more; what it lacks is written out, never dropped.

Loaded only when a PDF is written, once a process (unpacking takes about a quarter of a second). How it is made:
``tests/make_font.py``; its license (SIL OFL 1.1) lies beside it.
"""

from __future__ import annotations

import lzma
from collections.abc import Collection
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

NAME: Final = "TechtoolSans"
FILE: Final = Path(__file__).parent / "fonts" / "NotoSansSC-Regular.gbk.ttf.xz"
_KEPT: Final = "\n"


@cache
def load() -> frozenset[int]:
    """Make the font known to the PDF library under :data:`NAME`; returns the characters it has."""
    from reportlab.pdfbase import pdfmetrics

    from techtool.reports.pdf_text import MeasuredFont

    font = MeasuredFont(NAME, BytesIO(lzma.decompress(FILE.read_bytes())))
    pdfmetrics.registerFont(font)
    return frozenset(font.face.charToGlyph)


def covered(text: str, known: Collection[int]) -> str:
    """``text`` with every character that is not among ``known`` written out, e.g. ``[U+20BB7]``; tabs become spaces."""
    if all(ord(c) in known for c in text):
        return text
    return "".join(c if c in _KEPT or ord(c) in known else " " if c == "\t" else f"[U+{ord(c):04X}]" for c in text)
