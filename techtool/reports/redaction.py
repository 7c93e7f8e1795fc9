"""What a report may say: one pass over the record, before any writer sees it.

Card numbers never leave (`techtool.domain.sensitive`), TID and MID keep their last four, and characters that could hide
or turn text around on screen become visible. Serial numbers stay: without them a report proves nothing.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Collection
from typing import Final

from techtool.domain.redacting import Cleaner, standing_alone
from techtool.domain.visit import VisitRecord

_MASKED_FIELDS: Final = frozenset({"tid", "mid"})
_KEPT_CONTROLS: Final = "\n\t"


def visible(text: str) -> str:
    """``text`` with control, bidirectional and lone surrogate characters written out, e.g. ``[U+202E]``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"[U+{ord(c):04X}]" if c not in _KEPT_CONTROLS and unicodedata.category(c) in ("Cc", "Cf", "Cs") else c
        for c in text
    )


def masked(number: str) -> str:
    """A merchant or terminal number by its last four."""
    return f"****{number[-4:]}" if len(number) > 4 else "****"


class Redactor(Cleaner):
    """Redacts the texts of one visit, whose serial, TID and MID it knows."""

    def __init__(self, serials: Collection[str] = (), numbers: Collection[str] = ()) -> None:
        super().__init__(serials)
        self._masked_words = tuple(numbers)
        self._numbers = standing_alone(numbers)

    def knowing(self, words: Collection[str]) -> Cleaner:
        """The same that lets these numbers stand as well."""
        return Redactor((*self._known_words, *words), self._masked_words)

    def text(self, text: str) -> str:
        """``text`` without card data, with known TIDs and MIDs masked; the visit's serial numbers stand."""
        if self._numbers:
            text = self._numbers.sub(lambda m: masked(m.group()), text)
        return visible(super().text(text))

    def field(self, text: str, name: str) -> str:
        """The same of a field, by its name."""
        return masked(visible(text)) if name in _MASKED_FIELDS else visible(super().field(text, name))


def redacted(visit: VisitRecord) -> VisitRecord:
    """The record that reports are made from; its id, our own, stays as it is."""
    states = [s for lane in visit.lanes for s in (lane.before, lane.after) if s is not None]
    serials = {lane.serial for lane in visit.lanes} | {s.identity.serial for s in states}
    numbers = {n for s in states for n in (s.tid, s.mid) if n}
    return dataclasses.replace(Redactor(serials, numbers).clean(visit), id=visit.id)
