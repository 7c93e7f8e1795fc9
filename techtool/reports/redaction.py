"""What a report may say: one pass over the record, before any writer sees it.

Card numbers never leave (`techtool.domain.sensitive`), TID, MID, credit code and telephone keep their last four, and
characters that could hide or turn text around on screen become visible. The serial numbers of terminals that were
reached stay: without them a report proves nothing. One that was only typed or ordered is searched like any other text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from techtool.domain.confidential import SHORTEST
from techtool.domain.redacting import Cleaner, standing_alone
from techtool.domain.terminal import TerminalState
from techtool.domain.visit import VisitRecord
from techtool.domain.work_order import Binding, ExpectedTerminal, WorkOrder

_MASKED_FIELDS: Final = frozenset({"tid", "mid", "credit_code", "merchant_phone"})
_CLAIMED_SERIALS: Final = frozenset({"label_serial", "order_serial", "from_serial", "to_serial"})
"""Read from a label or an order, or typed by people; what a terminal says of itself stands by its type."""
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


def _within_words(numbers: Collection[str]) -> re.Pattern[str] | None:
    """Finds the numbers also where letters touch them (``TID20011001``), but not within a longer number."""
    known = sorted({n for n in numbers if len(n) >= SHORTEST}, key=lambda n: (-len(n), n))
    return re.compile("|".join(rf"(?<![0-9]){re.escape(n)}(?![0-9])" for n in known)) if known else None


class Redactor(Cleaner):
    """Redacts the texts of one visit, whose serial, TID and MID it knows."""

    def __init__(self, serials: Collection[str] = (), numbers: Collection[str] = ()) -> None:
        super().__init__(serials)
        self._masked_words = tuple(numbers)
        self._numbers = _within_words(numbers)
        self._serials = standing_alone(serials)

    def knowing(self, words: Collection[str]) -> Cleaner:
        """The same that lets these numbers stand as well."""
        return Redactor((*self._known_words, *words), self._masked_words)

    def text(self, text: str) -> str:
        """``text`` without card data, with known TIDs and MIDs masked; the visit's serial numbers stand."""
        if self._numbers and self._numbers.search(text):
            pieces, end = [], 0
            for serial in self._serials.finditer(text) if self._serials else ():
                pieces += [self._hidden(text[end : serial.start()]), serial.group()]
                end = serial.end()
            text = "".join([*pieces, self._hidden(text[end:])])
        return visible(super().text(text))

    def _hidden(self, text: str) -> str:
        return self._numbers.sub(lambda m: masked(m.group()), text) if self._numbers else text

    def field(self, text: str, name: str) -> str:
        """The same of a field, by its name."""
        if name in _MASKED_FIELDS:
            return masked(visible(text)) if text else ""
        return self.text(text) if name in _CLAIMED_SERIALS else visible(super().field(text, name))


class _Newest:
    """The record that was redacted last: every format in every language is made from the same one."""

    pair: tuple[VisitRecord, VisitRecord] | None = None


def redacted(visit: VisitRecord) -> VisitRecord:
    """The record that reports are made from; its id, our own, stays as it is."""
    newest = _Newest.pair
    if newest is None or newest[0] is not visit:
        newest = _Newest.pair = (visit, _redacted(visit))
    return newest[1]


def _redacted(visit: VisitRecord) -> VisitRecord:
    states = [s for lane in visit.lanes for s in (lane.before, lane.after) if s is not None]
    serials = {lane.serial for lane in visit.lanes} | {s.identity.serial for s in states}
    redactor = Redactor(serials, _numbers(visit, states))
    clean = redactor.clean(visit)
    order = _claimed(clean.order, redactor) if clean.order else None
    lanes = tuple(replace(lane, binding=_bound(lane.binding, redactor)) for lane in clean.lanes)
    return replace(clean, id=visit.id, order=order, lanes=lanes)


def _numbers(visit: VisitRecord, states: Collection[TerminalState]) -> set[str]:
    """Every merchant and terminal number that the record knows, to be masked wherever it stands."""
    found = {n for s in states for n in (s.tid, s.mid) if n}
    expected = [lane.binding.expected for lane in visit.lanes if lane.binding and lane.binding.expected]
    if visit.order is not None:
        expected += visit.order.terminals
        found |= {visit.order.site.mid, visit.order.site.credit_code, visit.order.site.merchant_phone}
    return found | {n for t in expected for n in (t.tid, t.mid)} - {""}


def _claimed(order: WorkOrder, redactor: Redactor) -> WorkOrder:
    return replace(order, terminals=tuple(_expected(t, redactor) for t in order.terminals))


def _expected(terminal: ExpectedTerminal, redactor: Redactor) -> ExpectedTerminal:
    return replace(terminal, serial=redactor.text(terminal.serial))


def _bound(binding: Binding | None, redactor: Redactor) -> Binding | None:
    if binding is None or binding.expected is None:
        return binding
    return replace(binding, expected=_expected(binding.expected, redactor))
