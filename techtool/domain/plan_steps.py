"""The stations of a plan with what each does and how long it takes, and what can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from techtool.domain.components import Relation, parts, starting_versions
from techtool.domain.config_file import ConfigBack
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
from techtool.domain.restore import PutBack, Way
from techtool.domain.rollback import falls_below
from techtool.domain.terminal import SETS_SINCE_SDK, TerminalState
from techtool.i18n import N_, Phrase, phrase, raw


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


@dataclass(frozen=True, slots=True)
class _Station:
    """A station that every plan has, or every plan with something to install."""

    kind: StepKind
    phase: Phase
    title: str
    effect: str = N_("Nothing on the terminal changes.")
    attended: bool = False


_BEFORE: Final = (
    _Station(StepKind.IDENTIFY, Phase.IDENTIFY, N_("Identify the terminal")),
    _Station(StepKind.INSPECT, Phase.INSPECTION, N_("Inspect casing, seals and slots"), attended=True),
    _Station(StepKind.CHECK, Phase.PREFLIGHT, N_("Check every rule")),
)
_READY: Final = (
    _Station(StepKind.CONFIRM, Phase.CONFIRM, N_("Confirm the plan"), attended=True),
    _Station(
        StepKind.BACKUP,
        Phase.BACKUP,
        N_("Back up what may be read"),
        N_("Nothing on the terminal changes; an encrypted copy is kept on this laptop."),
    ),
)
_READY_BY_HAND: Final = (
    _READY[0],
    _Station(StepKind.BACKUP, Phase.BACKUP, N_("No backup"), N_("Nothing can be read from this terminal.")),
)
_AFTER: Final = (
    _Station(StepKind.VERIFY, Phase.VERIFY, N_("Read the terminal again and compare")),
    _Station(
        StepKind.TEST,
        Phase.TESTS,
        N_("Test with the merchant"),
        N_("Test transactions, if the merchant agrees to them; they are voided."),
        attended=True,
    ),
    _Station(StepKind.SIGN_OFF, Phase.SIGN_OFF, N_("Hand over and sign off"), attended=True),
)
_AFTER_BY_HAND: Final = (
    _Station(
        StepKind.VERIFY,
        Phase.VERIFY,
        N_("Type the versions from its screen and compare"),
        N_("Nothing on the terminal changes; what is typed is self-reported, not verified."),
        attended=True,
    ),
    *_AFTER[1:],
)


def plan_steps(terminal: TerminalState, legs: Sequence[Leg], pace: Pace) -> tuple[PlanStep, ...]:
    """Every station in order; without releases the visit ends after the check."""

    def stops(stations: Sequence[_Station]) -> list[PlanStep]:
        return [_stop(station, terminal, pace) for station in stations]

    if not legs:
        return tuple(stops(_BEFORE))
    ready, after = (_READY_BY_HAND, _AFTER_BY_HAND) if terminal.typed else (_READY, _AFTER)
    return (*stops(_BEFORE), *stops(ready), *(_install(leg, pace) for leg in legs), *stops(after))


def restore_steps(
    terminal: TerminalState, items: Sequence[PutBack], pace: Pace, configs: Sequence[ConfigBack] = ()
) -> tuple[PlanStep, ...]:
    """The stations of a restore: what differs from the backup is put back, files first, one after the other."""

    def stops(stations: Sequence[_Station]) -> list[PlanStep]:
        return [_stop(station, terminal, pace) for station in stations]

    back = (*(_write_back(config) for config in configs), *(_put_back(item, pace) for item in items))
    return (*stops(_BEFORE), *stops(_READY), *back, *stops(_AFTER))


def _write_back(config: ConfigBack) -> PlanStep:
    effect = phrase("changes {keys} in it; no counter goes down, passwords stay", keys=", ".join(config.changed))
    title = phrase("Write {path} back from the backup", path=config.path)
    return PlanStep(StepKind.INSTALL, title, effect, duration(PRIOR_S[Phase.STAGE], ()))


def _put_back(item: PutBack, pace: Pace) -> PlanStep:
    size_bytes = sum(file.size_bytes for file in item.files)
    estimate = together([transfer(size_bytes, pace.link_bytes_s, ()), duration(PRIOR_S[Phase.STAGE], ())])
    title = phrase("Put {package} back from the backup", package=item.package)
    if item.way is Way.REMOVE:
        title = phrase("Remove {package}, which was not there before", package=item.package)
    return PlanStep(StepKind.INSTALL, title, _back_effect(item), estimate)


def _back_effect(item: PutBack) -> Phrase:
    found = f"{item.now.version} ({item.now.version_code})" if item.now else ""
    former = str(item.former_code) if item.former_code is not None else "?"
    if item.way is Way.INSTALL:
        return phrase("adds {package}, version code {former}", package=item.package, former=former)
    if item.way is Way.OVER:
        return phrase(
            "replaces {package} {found} by version code {former}; application data stays",
            package=item.package,
            found=found,
            former=former,
        )
    return phrase(
        "uninstalls {package} {found}: its data on the terminal is lost; you are asked before",
        package=item.package,
        found=found,
    )


def downtime(steps: Sequence[PlanStep]) -> Estimate:
    """From the first installation to the end of the re-read: as long as the report measures."""
    return together([step.estimate for step in steps if step.kind in (StepKind.INSTALL, StepKind.VERIFY)])


def undo_of(legs: Sequence[Leg]) -> Phrase:
    """What can be undone, and how: to what the terminal ran before the first of them."""
    if not legs:
        return phrase("Nothing will be changed, so nothing has to be undone.")
    before = legs[0].before
    if before.typed:
        return phrase("techtool cannot undo it: there is no backup. The way back is the maker's, if there is one.")
    releases = [leg.release for leg in legs]
    fallen = [r for r in releases if r.rollback.allowed and falls_below(r, before)]
    final = [r for r in releases if not r.rollback.allowed or r in fallen]
    back = [r for r in releases if r not in final]
    undo = _undo(_keys(back), _keys(final))
    for release in fallen:
        found = ", ".join(starting_versions(release, before)) or "?"
        undo = phrase(
            "{undo} {release} lets nothing older than {lowest} come back, and the terminal runs {found}.",
            undo=undo,
            release=release.key,
            lowest=release.rollback.lowest,
            found=found,
        )
    wiped = [r for r in back if r.rollback.data == "wipe"]
    if wiped:
        undo = phrase("{undo} Going back erases the data of {releases}.", undo=undo, releases=_keys(wiped))
    return undo


def _keys(releases: Sequence[Release]) -> str:
    return ", ".join(release.key for release in releases)


def _undo(back: str, final: str) -> Phrase:
    if not final:
        return phrase(
            "Every release may be undone as its publisher allows: install the earlier version again from the backup."
        )
    if not back:
        return phrase(
            "Cannot be undone on site once installed: {releases}. The way on is a newer release.", releases=final
        )
    return phrase("Can be undone: {back}. Cannot be undone on site once installed: {final}.", back=back, final=final)


def _stop(station: _Station, terminal: TerminalState, pace: Pace) -> PlanStep:
    observed = pace.timings.of(station.phase, _subject(terminal, pace))
    estimate = duration(PRIOR_S[station.phase], observed)
    return PlanStep(station.kind, Phrase(station.title), Phrase(station.effect), estimate, station.attended)


def _subject(terminal: TerminalState, pace: Pace, release: Release | None = None) -> Subject:
    identity = terminal.identity
    model = f"{identity.vendor}/{identity.model}"
    if release is None:
        return Subject(model, identity.family, pace.link)
    return Subject(model, identity.family, pace.link, release.key, release.kind.value)


def _install(leg: Leg, pace: Pace) -> PlanStep:
    release, timings = leg.release, pace.timings
    subject = _subject(leg.before, pace, release)
    # How fast the link is does not depend on what is sent: it is learned, and asked for, without the release.
    seen_bytes_s = timings.of(Phase.TRANSFER, _subject(leg.before, pace))
    phases = [
        transfer(release.size_bytes, pace.link_bytes_s, seen_bytes_s),
        duration(PRIOR_S[Phase.STAGE], timings.of(Phase.STAGE, subject)),
        duration(release.install_duration_s or INSTALL_PRIOR_S[release.kind], timings.of(Phase.INSTALL, subject)),
    ]
    if release.after.restart:
        phases.append(duration(PRIOR_S[Phase.REBOOT], timings.of(Phase.REBOOT, subject)))
    title = phrase("Install {id} {version}", id=release.id, version=release.version)
    by_hand = leg.before.typed
    if by_hand:
        title = phrase("Update to {id} {version} by the terminal's own menu", id=release.id, version=release.version)
    return PlanStep(StepKind.INSTALL, title, _effect(leg), together(phases), by_hand, release_key=release.key)


def _effect(leg: Leg) -> Phrase:
    changes = [
        _change(part.relation, part.name, part.found.version, part.brings) for part in parts(leg.release, leg.before)
    ]
    data = phrase("application data is erased") if leg.release.erases_data else phrase("application data stays")
    if leg.before.typed and not leg.release.erases_data:
        data = phrase("whether its menu erases data is not known")
    effect = phrase("{changes}; {data}.", changes=_joined(changes), data=data)
    sdk = leg.before.identity.sdk
    if len(leg.release.packages) > 1 and sdk is not None:
        if sdk >= SETS_SINCE_SDK:
            effect = phrase("{effect} Its packages go in together, all or none, if the terminal agrees.", effect=effect)
        else:
            effect = phrase("{effect} Its packages go in one after the other.", effect=effect)
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
