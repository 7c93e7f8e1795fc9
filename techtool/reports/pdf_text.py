"""Text of a PDF report, made for thousands of table cells: parsed once a look, broken into lines once a width."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Any

from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph

_WIDTHS_KEPT = 20_000
"""Words and single characters whose width is remembered; a visit of thirty terminals has some thousands."""


class MeasuredFont(TTFont):  # type: ignore[misc]  # the library has no types
    """A font that measures each word once: the same few hundred words fill every table."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unit = lru_cache(_WIDTHS_KEPT)(self._measured)

    def _measured(self, text: str) -> float:
        return float(super().stringWidth(text, 1))

    def stringWidth(self, text: str, size: float, encoding: str = "utf8") -> float:  # noqa: ARG002, N802 - the library's
        """Width in points; ``encoding`` is of bytes, which nobody here gives."""
        return self._unit(text) * size


class Text(Paragraph):  # type: ignore[misc]  # the library has no types
    """A paragraph that is broken into lines once for each width: a table asks twice for every cell."""

    _wrapped_in: float | None = None

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: N803 - the library's names
        """Width and height in points."""
        if self._wrapped_in != availWidth or not hasattr(self, "blPara"):
            super().wrap(availWidth, availHeight)
            self._wrapped_in = availWidth
        return self.width, self.height


class Look:
    """One look of plain text: the markup around it is parsed once, on a sample."""

    def __init__(self, around: str, style: Any) -> None:
        self._around = around
        self._style = style
        self._sample = Text(around.format("x"), style).frags[0]

    def of(self, text: str) -> Text:
        """``text`` in this look, whatever characters it has."""
        if "\n" in text or not text.strip():
            return Text(self._around.format(escape(text, quote=False).replace("\n", "<br/>")), self._style)
        return Text(None, self._style, frags=[self._sample.clone(text=" ".join(text.split()))])
