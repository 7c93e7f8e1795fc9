"""What will happen to one terminal: which releases in which order, why, how long, and what can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from techtool.domain.config_file import ConfigBack
from techtool.domain.release import Compare, Release, VerifiedRelease
from techtool.domain.restore import PutBack
from techtool.domain.rollback import RollbackPlan
from techtool.domain.rules import Force, Verdict
from techtool.i18n import N_, Phrase


class ReleaseVerdict(StrEnum):
    """One word for a release against one terminal."""

    INSTALL = "install"
    NOT_FOR_THIS_MODEL = "not-for-this-model"
    INSTALLED = "installed"
    """The terminal already runs exactly this."""
    OLDER = "older"
    """The terminal runs a newer one."""
    SUPERSEDED = "superseded"
    """A newer release of the same id on this stick is planned instead."""
    BLOCKED = "blocked"
    """A gate is closed; the failed rules say which."""
    NOT_CHOSEN = "not-chosen"
    """It could be installed, but other releases were asked for."""
    WITHDRAWN = "withdrawn"
    RECALLED = "recalled"


VERDICT_LABEL: Final = {
    ReleaseVerdict.INSTALL: N_("will be installed"),
    ReleaseVerdict.NOT_FOR_THIS_MODEL: N_("not for this model"),
    ReleaseVerdict.INSTALLED: N_("installed already"),
    ReleaseVerdict.OLDER: N_("older than what is installed"),
    ReleaseVerdict.SUPERSEDED: N_("a newer one is planned"),
    ReleaseVerdict.BLOCKED: N_("may not be installed"),
    ReleaseVerdict.NOT_CHOSEN: N_("not chosen"),
    ReleaseVerdict.WITHDRAWN: N_("withdrawn"),
    ReleaseVerdict.RECALLED: N_("recalled"),
}
"""How a verdict is said to the technician."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What must come before a release and no release of the stick brings."""

    what: str
    """``firmware``, ``bootloader`` or ``component``."""
    id: str
    """Of a component."""
    compare: Compare
    version: str
    need: Phrase
    """“com.acme.pay 2.0 or newer”"""
    between: bool = False
    """A step is missing between what runs and the release itself: the same thing in a version before it."""


@dataclass(frozen=True, slots=True)
class ReleaseFinding:
    """One release of the stick and everything that was found about it; none is left out."""

    release_id: str
    version: str
    verdict: ReleaseVerdict
    rules: tuple[Verdict, ...]
    missing: tuple[Missing, ...] = ()
    """Why it cannot come, down to the root: what another stick would have to bring."""
    highest: str | None = None
    """Where the hardware revision refuses it: the highest version on the stick for this hardware, empty where there is
    none; None: the hardware is not what refuses it."""

    @property
    def key(self) -> str:
        """``id@version``: names one release."""
        return f"{self.release_id}@{self.version}"

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The gates that are closed."""
        return tuple(r for r in self.rules if not r.ok and r.force is Force.GATE)

    @property
    def warnings(self) -> tuple[Verdict, ...]:
        """What may be overridden with a reason."""
        return tuple(r for r in self.rules if not r.ok and r.force is Force.WARNING)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds: as likely under as over, and nine times of ten under."""

    p50_s: float
    p90_s: float


class StepKind(StrEnum):
    """The stations of a visit; the values are the ``step`` words of journals, answers files and ``--json``."""

    IDENTIFY = "identify"
    INSPECT = "inspect"
    CHECK = "check"
    CONFIRM = "confirm"
    BACKUP = "backup"
    INSTALL = "install"
    VERIFY = "verify"
    TEST = "test"
    SIGN_OFF = "sign_off"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One thing that will be done."""

    kind: StepKind
    title: Phrase
    effect: Phrase
    """What it changes on the terminal, or that it changes nothing."""
    estimate: Estimate
    attended: bool = False
    release_key: str = ""


def attended_of(steps: Sequence[PlanStep]) -> Estimate:
    """The stations at which a person works, together."""
    # It builds on the types above.
    from techtool.domain.estimate import together

    return together([step.estimate for step in steps if step.attended])


@dataclass(frozen=True, slots=True)
class Plan:
    """The one thing a person confirms before anything is changed."""

    serial: str
    findings: tuple[ReleaseFinding, ...]
    releases: tuple[VerifiedRelease, ...]
    """In the order of installation; empty when there is nothing to do."""
    steps: tuple[PlanStep, ...]
    total: Estimate
    downtime: Estimate
    undo: Phrase
    """What can be undone, and how."""
    digest: str
    """SHA-256 over what was decided; resume needs no new confirmation of the same plan."""
    rollback: RollbackPlan = field(default_factory=RollbackPlan)
    """The same in one word for each release, for what is offered after a failure."""
    put_back: tuple[PutBack, ...] = ()
    """Packages that come back from a backup: of a restore, which has no releases."""
    configs: tuple[ConfigBack, ...] = ()
    """Configuration files of which keys come back from a backup."""

    @property
    def attended(self) -> Estimate:
        """Of the whole time: with a person at it."""
        return attended_of(self.steps)

    @property
    def has_work(self) -> bool:
        """Whether anything is to be installed or put back."""
        return bool(self.releases or self.put_back or self.configs)


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan as it was journalled: what was decided and why; it proves nothing, so it holds plain releases."""

    serial: str
    findings: tuple[ReleaseFinding, ...]
    releases: tuple[Release, ...]
    steps: tuple[PlanStep, ...]
    total: Estimate
    downtime: Estimate
    undo: Phrase
    digest: str
    rollback: RollbackPlan = field(default_factory=RollbackPlan)
    put_back: tuple[PutBack, ...] = ()
    configs: tuple[ConfigBack, ...] = ()

    @property
    def attended(self) -> Estimate:
        """Of the whole time: with a person at it."""
        return attended_of(self.steps)

    @classmethod
    def of(cls, plan: Plan) -> PlanRecord:
        """The record of ``plan``."""
        releases = tuple(v.release for v in plan.releases)
        return cls(
            plan.serial,
            plan.findings,
            releases,
            plan.steps,
            plan.total,
            plan.downtime,
            plan.undo,
            plan.digest,
            plan.rollback,
            plan.put_back,
            plan.configs,
        )
