"""Whether a terminal is the one that it should be: label, software, order, and what this laptop remembers. Pure.

One terminal has exactly one serial number, bound to acquirer, merchant and place (银发〔2021〕259号); a changed serial
number or marking is a sign of substitution (PCI DSS 9.5.1.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from techtool.domain.history import TerminalEntry
from techtool.domain.sensitive import redact
from techtool.domain.terminal import TerminalState
from techtool.domain.work_order import (
    Binding,
    BindingProblem,
    ExpectedTerminal,
    VisitType,
    WorkOrder,
    fits_model,
    same,
)

STOPS: Final = (BindingProblem.LABEL_DIFFERS, BindingProblem.NOT_IN_ORDER, BindingProblem.DUPLICATE_SERIAL)
"""No work begins on a terminal with one of these."""
SHORTEST_LABEL: Final = 4
"""Fewer characters of a serial number prove nothing."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What of the visit matters for a terminal's binding."""

    order: WorkOrder | None = None
    type: VisitType = VisitType.UPDATE
    site: str = ""
    """Site id of the order, else the merchant, as the memory keeps it."""
    merchant: str = ""


def label_wanted(occasion: Occasion) -> bool:
    """Whether the label is asked for by itself.

    Before an installation the last four of the label are typed at the one gate (``confirm.last4``), which proves as
    much for an ordinary update. It is asked for where an order says which terminals stand there, and where the visit
    is about the terminal itself: installed, swapped, or inspected.
    """
    about_it = occasion.type in (VisitType.INSTALL, VisitType.SWAP, VisitType.INSPECTION)
    return about_it or bool(occasion.order and occasion.order.terminals)


def label_fits(label: str, serial: str) -> bool:
    """Whether what was read from the label (whole, or its end) is this serial number."""
    return len(same(label)) >= SHORTEST_LABEL and same(serial).endswith(same(label))


def bind(label: str, state: TerminalState, occasion: Occasion, remembered: Sequence[TerminalEntry]) -> Binding:
    """Compare; ``remembered``: entries of this serial number and of this terminal number, oldest first."""
    serial = state.identity.serial
    expected = occasion.order.expected(serial, state.tid or "") if occasion.order else None
    problems = [
        *_with_label(label, serial),
        *_with_order(state, occasion.order, expected),
        *_with_memory(state, occasion, remembered),
    ]
    kept = label if not label or label_fits(label, serial) else redact(label)
    return Binding(kept, serial, expected.serial if expected else "", expected, tuple(dict.fromkeys(problems)))


def _with_label(label: str, serial: str) -> Iterable[BindingProblem]:
    if label and not label_fits(label, serial):
        yield BindingProblem.LABEL_DIFFERS


def _with_order(
    state: TerminalState, order: WorkOrder | None, expected: ExpectedTerminal | None
) -> Iterable[BindingProblem]:
    if order is None or not order.terminals:
        return
    if expected is None:
        # A row that names neither serial nor terminal number may mean this one; only then the model decides.
        nameless = [t for t in order.terminals if not (t.serial or t.tid)]
        if not any(fits_model(terminal, state.identity) for terminal in nameless):
            yield BindingProblem.NOT_IN_ORDER
        return
    if not fits_model(expected, state.identity):
        yield BindingProblem.WRONG_MODEL
    if differ(expected.tid, state.tid):
        yield BindingProblem.TID_DIFFERS
    if differ(expected.mid or order.site.mid, state.mid):
        yield BindingProblem.MID_DIFFERS


def differ(told: str, found: str | None) -> bool:
    """Both are known, and are not the same; an order keeps a number that looks like a card's only masked."""
    return bool(told and found) and same(told) not in (same(found or ""), same(redact(found or "")))


def _with_memory(
    state: TerminalState, occasion: Occasion, remembered: Sequence[TerminalEntry]
) -> Iterable[BindingProblem]:
    identity = state.identity
    own = [entry for entry in remembered if same(entry.serial) == same(identity.serial)]
    if identity.serial_trusted:
        if any(_another(entry, identity.vendor, identity.model) for entry in own):
            yield BindingProblem.DUPLICATE_SERIAL
        elif own and occasion.type is not VisitType.RELOCATION and _elsewhere(own[-1], occasion):
            yield BindingProblem.RELOCATED
    if state.tid:
        newest = {same(entry.serial): entry for entry in remembered if same(entry.serial) != same(identity.serial)}
        if any(entry.tid == state.tid for entry in newest.values()):
            yield BindingProblem.DUPLICATE_TID


def _another(entry: TerminalEntry, vendor: str, model: str) -> bool:
    """A serial number belongs to one unit, and a unit does not become another model."""
    return bool(entry.vendor and entry.model) and (entry.vendor, entry.model) != (vendor, model)


def _elsewhere(entry: TerminalEntry, occasion: Occasion) -> bool:
    """Both places are known and differ, by site and by merchant's name alike."""
    there = {same(entry.site), same(entry.merchant)} - {""}
    here = {same(occasion.site), same(occasion.merchant)} - {""}
    return bool(there and here) and not there & here
