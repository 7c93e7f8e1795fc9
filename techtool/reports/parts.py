"""What a report is made of: few shapes, already in words of one language, the same for every writer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    title: str
    subtitle: str
    outcome: Cell
    notices: tuple[Notice, ...]
    head: Facts
    people: Facts
    trust: tuple[Facts, ...]
    summary: Table
    """One row a terminal."""
    terminals: tuple[TerminalReport, ...]
    totals: Facts
    signatures: tuple[str, ...]
    """Captions of the lines to sign on paper."""
    notes_title: str
    notes: tuple[str, ...]
    """On evidence, redaction, times, and how the signature is checked."""
    footer: str
