"""What a report is made of: few shapes, already in words of one language, the same for every writer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Tone(StrEnum):
    """How a word is coloured. The word itself says it: paper may be grey and eyes differ."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Cell:
    """One value with what belongs to it."""

    text: str
    note: str = ""
    """Smaller, below."""
    tone: Tone = Tone.PLAIN
    """Anything but plain is drawn as a mark with a sign."""
    mono: bool = False
    """Digests, codes and ids: every character matters."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value."""

    label: str
    value: Cell


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and values under a title; ``empty`` is said where there are none."""

    title: str
    items: tuple[Fact, ...]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column headings; ``empty`` is said where there are none."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = ""
    kind: str = ""
    """Names its column widths in :data:`WIDTHS`; empty: all columns alike."""


WIDTHS: Final[Mapping[str, tuple[int, ...]]] = {
    "summary": (5, 37, 34, 24),
    "expected": (34, 22, 22, 22),
    "changes": (34, 26, 25, 15),
    "files": (24, 63, 13),
    "planned": (38, 36, 13, 13),
    "rules": (17, 17, 66),
    "steps": (5, 18, 11, 12, 13, 29, 12),
    "checks": (40, 16, 20, 12, 12),
    "answers": (48, 40, 12),
    "times": (36, 16, 18, 15, 15),
    "factors": (46, 18, 9, 27),
    "issues": (40, 15, 15, 18, 12),
    "incidents": (20, 34, 20, 26),
    "evidence": (30, 20, 50),
    "merchant": (7, 37, 32, 24),
}
"""Per cent of the page's width, by the kind of table; the same for every writer."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader must not miss."""

    text: str
    tone: Tone
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """An error for the person at the counter: what, state now, what to do."""

    title: str
    code: str
    what: str
    state_label: str
    state_now: str
    actions_label: str
    next_actions: tuple[str, ...]
    detail_label: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReleaseFindings:
    """One release of the stick, its verdict, and every rule that was evaluated."""

    name: Cell
    verdict: Cell
    rules: Table


@dataclass(frozen=True, slots=True)
class TerminalReport:
    """Everything about one terminal."""

    lane: str
    title: str
    outcome: Cell
    problem: Problem | None
    identity: Facts
    changes: Table
    condition: Facts
    """Batch, tamper state, TID and MID: each with how it is known."""
    binding: Facts
    """Label, software and order compared."""
    risk: Facts
    factors: Table
    times: Table
    """Foretold and measured, phase by phase."""
    inspection: Table
    issues: Table
    incidents: Table
    evidence: Table
    plan: Facts
    findings_title: str
    findings: tuple[ReleaseFindings, ...]
    findings_empty: str
    planned: Table
    steps: Table
    backup: Facts
    installed: Table
    checks: Table
    answers: Table


@dataclass(frozen=True, slots=True)
class Report:
    """One visit, in one language, redacted."""

    language: str
    visit_id: str
    digest: str
    """SHA-256 of the JSON report, in the foot of every page."""
    title: str
    subtitle: str
    outcome: Cell
    notices: tuple[Notice, ...]
    head: Facts
    people: Facts
    place: Facts
    """The merchant's shop, and when somebody was there."""
    order: Facts
    """What was ordered; empty where there was no order."""
    expected: Table
    """Terminals of the order, and which of them were not reached."""
    trust: tuple[Facts, ...]
    summary: Table
    """One row a terminal."""
    terminals: tuple[TerminalReport, ...]
    totals: Facts
    evidence: Table
    """Files about the visit and not one terminal."""
    close: Facts
    """What the visit came to, and how it was signed off."""
    signatures: tuple[str, ...]
    """Captions of the lines to sign on paper."""
    notes_title: str
    notes: tuple[str, ...]
    """On evidence, redaction, times, and how the signature is checked."""
    footer: str


@dataclass(frozen=True, slots=True)
class MerchantPage:
    """What the merchant keeps: one page, without what only the office needs."""

    language: str
    visit_id: str
    digest: str
    """SHA-256 of the JSON report, in the foot of every page."""
    title: str
    subtitle: str
    outcome: Cell
    notices: tuple[Notice, ...]
    visit: Facts
    people: Facts
    terminals: Table
    todo: Facts
    """What is still to be done, and by whom it was told; empty where nothing is."""
    close: Facts
    signatures: tuple[str, ...]
    notes: tuple[str, ...]
    footer: str
