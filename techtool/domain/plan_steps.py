"""The stations of a plan with what each does and how long it takes, and what can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from techtool.domain.components import Relation, parts
from techtool.domain.estimate import (
    INSTALL_PRIOR_S,
    LINK_BYTES_S,
    PRIOR_S,
    Phase,
    Subject,
    Timings,
    duration,
    together,
    transfer,
)
from techtool.domain.plan import Estimate, PlanStep, StepKind
from techtool.domain.release import Release
from techtool.domain.terminal import TerminalState
from techtool.i18n import Phrase, phrase, raw


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things go here."""

    link_bytes_s: float = LINK_BYTES_S
    link: str = ""
    """Kind of link, as timings are kept by it."""
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Leg:
    """One release of the way, and the terminal as it is just before it."""

    release: Release
    before: TerminalState


def plan_steps(terminal: TerminalState, legs: Sequence[Leg], pace: Pace) -> tuple[PlanStep, ...]:
    """Every station in order; without releases the visit ends after the check."""
    unchanged = phrase("Nothing on the terminal changes.")
    steps = [
        _station(StepKind.IDENTIFY, phrase("Identify the terminal"), unchanged, _phase(Phase.IDENTIFY, terminal, pace)),
        _station(
            StepKind.INSPECT,
            phrase("Inspect casing, seals and slots"),
            unchanged,
            _phase(Phase.INSPECTION, terminal, pace),
            attended=True,
        ),
        _station(StepKind.CHECK, phrase("Check every rule"), unchanged, _phase(Phase.PREFLIGHT, terminal, pace)),
    ]
    if not legs:
        return tuple(steps)
    steps += [
        _station(
            StepKind.CONFIRM,
            phrase("Confirm the plan"),
            unchanged,
            _phase(Phase.CONFIRM, terminal, pace),
            attended=True,
        ),
        _station(
            StepKind.BACKUP,
            phrase("Back up what may be read"),
            phrase("Nothing on the terminal changes; an encrypted copy is kept on this laptop."),
            _phase(Phase.BACKUP, terminal, pace),
        ),
        *(_install(leg, pace) for leg in legs),
        _station(
            StepKind.VERIFY,
            phrase("Read the terminal again and compare"),
            unchanged,
            _phase(Phase.VERIFY, terminal, pace),
        ),
        _station(
            StepKind.TEST,
            phrase("Test with the merchant"),
            phrase("Test transactions, if the merchant agrees to them; they are voided."),
            _phase(Phase.TESTS, terminal, pace),
            attended=True,
        ),
        _station(
            StepKind.SIGN_OFF,
            phrase("Hand over and sign off"),
            unchanged,
            _phase(Phase.SIGN_OFF, terminal, pace),
            attended=True,
        ),
    ]
    return tuple(steps)


def downtime(steps: Sequence[PlanStep]) -> Estimate:
    """From the first installation to the end of the re-read: as long as the report measures."""
    return together([step.estimate for step in steps if step.kind in (StepKind.INSTALL, StepKind.VERIFY)])


def undo_of(releases: Sequence[Release]) -> Phrase:
    """What can be undone, and how."""
    if not releases:
        return phrase("Nothing will be changed, so nothing has to be undone.")
    final = ", ".join(r.key for r in releases if not r.rollback.allowed)
    if not final:
        return phrase(
            "Every release may be undone as its publisher allows: install the earlier version again from the backup."
        )
    if all(not r.rollback.allowed for r in releases):
        return phrase(
            "Cannot be undone on site once installed: {releases}. The way on is a newer release.", releases=final
        )
    back = ", ".join(r.key for r in releases if r.rollback.allowed)
    return phrase("Can be undone: {back}. Cannot be undone on site once installed: {final}.", back=back, final=final)


def _station(kind: StepKind, title: Phrase, effect: Phrase, estimate: Estimate, *, attended: bool = False) -> PlanStep:
    return PlanStep(kind, title, effect, estimate, attended)


def _phase(phase: Phase, terminal: TerminalState, pace: Pace) -> Estimate:
    return duration(PRIOR_S[phase], pace.timings.of(phase, _subject(terminal, pace)))


def _subject(terminal: TerminalState, pace: Pace, release: Release | None = None) -> Subject:
    identity = terminal.identity
    model = f"{identity.vendor}/{identity.model}"
    if release is None:
        return Subject(model, identity.family, pace.link)
    return Subject(model, identity.family, pace.link, release.key, release.kind.value)


def _install(leg: Leg, pace: Pace) -> PlanStep:
    release, timings = leg.release, pace.timings
    subject = _subject(leg.before, pace, release)
    phases = [
        transfer(release.size_bytes, pace.link_bytes_s, timings.of(Phase.TRANSFER, subject)),
        duration(PRIOR_S[Phase.STAGE], timings.of(Phase.STAGE, subject)),
        duration(release.install_duration_s or INSTALL_PRIOR_S[release.kind], timings.of(Phase.INSTALL, subject)),
    ]
    if release.after.restart:
        phases.append(duration(PRIOR_S[Phase.REBOOT], timings.of(Phase.REBOOT, subject)))
    title = phrase("Install {id} {version}", id=release.id, version=release.version)
    return PlanStep(StepKind.INSTALL, title, _effect(leg), together(phases), release_key=release.key)


def _effect(leg: Leg) -> Phrase:
    changes = [
        _change(part.relation, part.name, part.found.version, part.brings) for part in parts(leg.release, leg.before)
    ]
    data = phrase("application data is erased") if leg.release.erases_data else phrase("application data stays")
    effect = phrase("{changes}; {data}.", changes=_joined(changes), data=data)
    return phrase("{effect} The terminal restarts.", effect=effect) if leg.release.after.restart else effect


def _change(relation: Relation, name: Phrase, found: str, brings: str) -> Phrase:
    if relation is Relation.ABSENT:
        return phrase("adds {name} {brings}", name=name, brings=brings)
    if relation is Relation.UNREADABLE:
        return phrase("puts {name} {brings} over an unknown version", name=name, brings=brings)
    return phrase("replaces {name} {found} by {brings}", name=name, found=found, brings=brings)


def _joined(phrases: Sequence[Phrase]) -> Phrase:
    joined = phrases[0] if phrases else raw("–")
    for one in phrases[1:]:
        joined = phrase("{first}, {second}", first=joined, second=one)
    return joined
