"""Every rule of a release, evaluated against a terminal: none hidden, none stopping at the first failure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from techtool.domain import question as asking
from techtool.domain.policy import Policy
from techtool.domain.question import Question
from techtool.domain.release import Release
from techtool.domain.terminal import TerminalState
from techtool.i18n import Phrase


class Force(StrEnum):
    """What a rule that is not met means."""

    GATE = "gate"
    """No override in the field."""
    WARNING = "warning"
    """May be overridden with a reason that the report keeps."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule and how it came out."""

    what: str
    """Kind of rule: ``model``, ``hw-revision``, ``battery``, ``component`` …"""
    ok: bool
    reason: Phrase
    """With real numbers: what is required and what was found."""
    remedy: Phrase | None = None
    """What to do about it, when it is not ok."""
    force: Force = Force.GATE
    ask: str = ""
    """Id of the question that decides it where the terminal cannot say (``check.batch``); empty when it can."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the rules look at besides the terminal."""

    tool_version: str
    answers: Mapping[str, bool] = field(default_factory=dict)
    """Question id → what the technician said; a question that is not in it is still open."""
    roles: frozenset[str] = frozenset({"apk"})
    """Roles of files that can be brought onto this terminal; a release with another one cannot be installed."""
    policy: Policy = field(default_factory=Policy)
    """What a release's kind needs besides, and other ways than this connection."""

    @property
    def settled(self) -> bool | None:
        """What the technician said of the batch; None: not asked yet."""
        return self.answers.get("check.batch")


@dataclass(frozen=True, slots=True)
class Case:
    """One release before one terminal: what every rule is given."""

    release: Release
    terminal: TerminalState
    environment: Environment
    known: Sequence[Release] = ()
    """Every release of the stick, so that a rule may name a release where no package has its id."""

    def states(self, what: str) -> bool:
        """Whether the release itself requires something of that kind."""
        return any(rule.what == what for rule in self.release.requires)


class Rated(Protocol):
    """Anything that carries verdicts, such as a plan's findings."""

    @property
    def rules(self) -> tuple[Verdict, ...]:
        """The verdicts."""
        ...


def evaluate(
    release: Release, terminal: TerminalState, environment: Environment, known: Sequence[Release] = ()
) -> tuple[Verdict, ...]:
    """Every rule of ``release``, in a fixed order: the same release gives the same rules for every state of a terminal.

    Rules that the description does not state but good practice does (identity, tamper, what its kind needs, floors of
    battery and storage, what Android would refuse) are among them.
    """
    # They build on the types above.
    from techtool.domain.rules_fit import fit
    from techtool.domain.rules_kind import kind
    from techtool.domain.rules_lab import known_issues, lab_results
    from techtool.domain.rules_packages import packages
    from techtool.domain.rules_requirements import conflicts, recommendations, requirements
    from techtool.domain.rules_state import floors, state

    case = Case(release, terminal, environment, known)
    groups = (
        fit,
        state,
        packages,
        requirements,
        conflicts,
        kind,
        floors,
        lab_results,
        known_issues,
        recommendations,
    )
    return tuple(verdict for group in groups for verdict in group(case))


def questions(findings: Iterable[Rated]) -> tuple[Question, ...]:
    """What a person must answer before the findings are final; see :func:`techtool.domain.question.questions`."""
    return asking.questions(verdict for finding in findings for verdict in finding.rules)
