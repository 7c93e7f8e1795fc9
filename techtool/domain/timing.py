"""What a visit took, station by station: read off its record, kept in the index, and learned from.

A record knows when a step began and ended and when a question was answered, not when it was put. So within a step the
time up to its last answer counts as a person's, and only what comes after it as the machine's. Steps that failed, were
cut off or ended before they began (a clock that was moved) are no durations: they feed the success rate instead.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from techtool.domain.estimate import Phase, Timings, together
from techtool.domain.outcome import Outcome
from techtool.domain.plan import Estimate, StepKind
from techtool.domain.terminal import Identity
from techtool.domain.visit import CatmAction, LaneRecord, StepRecord, StepState, VisitRecord
from techtool.i18n import N_, Phrase, phrase

LONGEST_S: Final = 4 * 3600.0
"""Nothing at a counter takes so long: a longer one had a night or a moved clock in it, and is no duration."""
A_PERSON_S: Final = 3.0
"""A person's station that took less was answered by a file: it teaches nothing about persons."""
SMALLEST_BYTES: Final = 1_000_000
"""Fewer bytes say nothing of a link: the talk before and after them takes longer than they do."""
_DONE_WELL: Final = (Outcome.SUCCESS, Outcome.SELF_REPORTED, Outcome.SUCCESS_NOT_RESTORED)
_PHASE: Final = {
    StepKind.IDENTIFY: Phase.IDENTIFY,
    StepKind.INSPECT: Phase.INSPECTION,
    StepKind.CHECK: Phase.PREFLIGHT,
    StepKind.CONFIRM: Phase.CONFIRM,
    StepKind.BACKUP: Phase.BACKUP,
    StepKind.VERIFY: Phase.VERIFY,
    StepKind.TEST: Phase.TESTS,
    StepKind.SIGN_OFF: Phase.SIGN_OFF,
}
_ATTENDED: Final = frozenset({StepKind.INSPECT, StepKind.CONFIRM, StepKind.TEST, StepKind.SIGN_OFF})
STATION_LABEL: Final = {
    StepKind.IDENTIFY: N_("Identify the terminal"),
    StepKind.INSPECT: N_("Inspect casing, seals and slots"),
    StepKind.CHECK: N_("Check every rule"),
    StepKind.CONFIRM: N_("Confirm the plan"),
    StepKind.BACKUP: N_("Back up what may be read"),
    StepKind.INSTALL: N_("Install"),
    StepKind.VERIFY: N_("Read the terminal again and compare"),
    StepKind.TEST: N_("Test with the merchant"),
    StepKind.SIGN_OFF: N_("Hand over and sign off"),
    StepKind.REPORT: N_("Write the report"),
}
"""What a station is called where no plan names it."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One phase of one terminal that ended well."""

    visit: str
    serial: str
    phase: str
    """A :class:`techtool.domain.estimate.Phase` word."""
    vendor: str
    model: str
    family: str
    link: str
    """Scheme of the address."""
    release_key: str
    """Empty: not about one release."""
    kind: str
    """Release kind; empty: not about one release."""
    value: float
    """Seconds; bytes a second for ``transfer``."""
    at: datetime
    attended: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was foretold for one terminal and what it took, for calibration."""

    visit: str
    serial: str
    at: datetime
    p50_s: float
    p90_s: float
    actual_s: float
    downtime_p50_s: float = 0.0
    downtime_p90_s: float = 0.0
    downtime_s: float | None = None
    step: str = ""
    """A :class:`techtool.domain.plan.StepKind` word; empty: the whole terminal."""
    vendor: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class StationTime:
    """One row of a report's times: a station of the plan, or one release's installation."""

    step: StepKind
    title: Phrase
    release_key: str
    """Empty: not about one release."""
    attended: bool
    """It is a person's station."""
    estimate: Estimate | None
    """None: the plan did not foresee it, or there was no plan yet."""
    machine_s: float
    """Failed tries are in it: it is what the merchant waited."""
    attended_s: float
    """Time in which a question was open."""
    done: bool
    """It ended well; False: failed, cut off, or not begun."""

    @property
    def actual_s(self) -> float | None:
        """What it took; None where it has no good end."""
        return self.machine_s + self.attended_s if self.done else None


@dataclass(frozen=True, slots=True)
class Totals:
    """Rows added up."""

    estimate: Estimate
    """Only of rows that have a good end, so that like stands beside like."""
    actual_s: float
    """Of the same rows."""
    machine_s: float
    attended_s: float


def times(lane: LaneRecord, visit: VisitRecord | None = None) -> tuple[StationTime, ...]:
    """Estimate and actual of every station in the plan's order, then what the plan did not foresee.

    With ``visit`` also the sign-off, where this is its only terminal: it is about the visit as a whole.
    """
    spent = _spent(lane, visit)
    rows = []
    for step in lane.plan.steps if lane.plan else ():
        found = spent.pop((step.kind, step.release_key), _Spent())
        rows.append(found.row(step.kind, step.title, step.release_key, step.estimate))
    for (kind, key), found in spent.items():
        title = Phrase(STATION_LABEL[kind])
        title = phrase("{station}: {release}", station=title, release=key) if key else title
        rows.append(found.row(kind, title, key, None))
    return tuple(rows)


def totals(rows: Iterable[StationTime]) -> Totals:
    """All rows together; stations that the plan did not foresee count in the times and not beside the estimate."""
    rows = tuple(rows)
    compared = [row for row in rows if row.done and row.estimate is not None]
    return Totals(
        estimate=together([row.estimate for row in compared if row.estimate is not None]),
        actual_s=sum(row.actual_s or 0.0 for row in compared),
        machine_s=sum(row.machine_s for row in rows),
        attended_s=sum(row.attended_s for row in rows),
    )


def downtime_s(lane: LaneRecord) -> float | None:
    """From the first installation to the end of the re-read; None where one of the two is missing."""
    begun = [step.started_at for step in lane.steps if step.step is StepKind.INSTALL and step.action in _WRITES]
    ended = [step.ended_at for step in lane.steps if step.step is StepKind.VERIFY and step.state is StepState.DONE]
    if not begun or not ended or ended[-1] is None:
        return None
    seconds = (ended[-1] - begun[0]).total_seconds()
    return seconds if 0 < seconds <= LONGEST_S else None


_WRITES: Final = (CatmAction.INSTALL, CatmAction.RESTART)


@dataclass(slots=True)
class _Spent:
    """What the steps of one station took together."""

    machine_s: float = 0.0
    attended_s: float = 0.0
    done: bool = False

    def row(self, kind: StepKind, title: Phrase, key: str, estimate: Estimate | None) -> StationTime:
        """As a row of the report."""
        return StationTime(kind, title, key, kind in _ATTENDED, estimate, self.machine_s, self.attended_s, self.done)


def _spent(lane: LaneRecord, visit: VisitRecord | None) -> dict[tuple[StepKind, str], _Spent]:
    found: dict[tuple[StepKind, str], _Spent] = defaultdict(_Spent)
    for step, key in _with_releases(lane):
        machine_s, attended_s = _split(step, lane)
        spent = found[step.step, key]
        spent.machine_s += machine_s
        spent.attended_s += attended_s
        spent.done = spent.done or step.state is StepState.DONE
    signed_s = _sign_off_s(visit) if visit is not None else None
    if signed_s is not None:
        found[StepKind.SIGN_OFF, ""] = _Spent(attended_s=signed_s, done=True)
    return found


def _with_releases(lane: LaneRecord) -> Iterator[tuple[StepRecord, str]]:
    """Every step and the key of the release that it is about; empty: none.

    An installation step names its package (a restart: none). Where several releases of the plan bring that package,
    one after the other, each good end is the next one's; a restart belongs to the last release that asks for one.
    """
    releases = lane.plan.releases if lane.plan else ()
    bringing: dict[str, list[str]] = defaultdict(list)
    for release in releases:
        bringing[release.key].append(release.key)
        for package in release.packages:
            bringing[package.id].append(release.key)
    restarting = [release.key for release in releases if release.after.restart]
    done: Counter[str] = Counter()
    for step in lane.steps:
        key = ""
        if step.step is StepKind.INSTALL:
            keys = bringing.get(step.item.removeprefix("copy:"), [])
            keys = restarting[-1:] if step.item == "restart" else keys
            key = keys[min(done[step.item], len(keys) - 1)] if keys else ""
            done[step.item] += step.state is StepState.DONE and step.action is not None
        yield step, key


def _seconds(step: StepRecord) -> float | None:
    if step.ended_at is None:
        return None
    seconds = (step.ended_at - step.started_at).total_seconds()
    return seconds if 0 <= seconds <= LONGEST_S else None


def _split(step: StepRecord, lane: LaneRecord) -> tuple[float, float]:
    """Seconds of the machine's and of a person's; nothing of a step without an end."""
    seconds = _seconds(step)
    if seconds is None or step.ended_at is None:
        return 0.0, 0.0
    answered = [a.at for a in lane.answers if step.started_at <= a.at <= step.ended_at]
    attended_s = (max(answered) - step.started_at).total_seconds() if answered else 0.0
    return seconds - attended_s, attended_s


def _sign_off_s(visit: VisitRecord) -> float | None:
    """From the end of the last step to the last word of the sign-off, of a visit to one terminal."""
    said = [answer.at for answer in visit.answers if answer.question_id.startswith("sign_off.")]
    ends = [step.ended_at for lane in visit.lanes for step in lane.steps if step.ended_at is not None]
    if len(visit.lanes) != 1 or not said or not ends:
        return None
    seconds = (max(said) - max(ends)).total_seconds()
    return seconds if 0 < seconds <= LONGEST_S else None


# -- for the index ------------------------------------------------------------------------------------------------


def observations(visit: VisitRecord) -> tuple[Observation, ...]:
    """What can be learned from a visit: one entry a phase and terminal, only of what ended well."""
    return tuple(seen for lane in visit.lanes if lane.before is not None for seen in _observed(visit, lane))


def _observed(visit: VisitRecord, lane: LaneRecord) -> Iterator[Observation]:
    see = _Eye(visit, lane)
    kinds = {r.key: r.kind.value for r in lane.plan.releases} if lane.plan else {}
    whole: dict[Phase, float] = defaultdict(float)
    """Stations of several steps: the estimate is of them together, so an unfinished one tells nothing."""
    installing: dict[str, float] = defaultdict(float)
    for step, key in _with_releases(lane):
        seconds = _seconds(step)
        if step.state is not StepState.DONE or seconds is None:
            continue
        if step.step is StepKind.INSTALL:
            if step.action is CatmAction.DOWNLOAD:
                yield from see(Phase.STAGE, seconds, step, key, kinds.get(key, ""))
            elif step.action is CatmAction.RESTART:
                yield from see(Phase.REBOOT, seconds, step, key, kinds.get(key, ""))
            elif step.action is CatmAction.INSTALL and key:
                yield from _sent(see, step)
                installing[key] += _after_sending_s(step, seconds)
        elif step.step in _ATTENDED:
            whole[_PHASE[step.step]] += seconds
        elif step.step in _PHASE and not _split(step, lane)[1]:
            # A step in which a person was asked is no measure of the machine.
            yield from see(_PHASE[step.step], seconds, step)
    if lane.outcome not in _DONE_WELL:
        return
    last = lane.steps[-1]
    for key, seconds in installing.items():
        yield from see(Phase.INSTALL, seconds, last, key, kinds.get(key, ""))
    for phase, seconds in whole.items():
        yield from see(phase, seconds, last, attended=True)
    signed_s = _sign_off_s(visit)
    if signed_s is not None:
        yield from see(Phase.SIGN_OFF, signed_s, last, attended=True)


@dataclass(frozen=True, slots=True)
class _Eye:
    """Makes observations of one terminal."""

    visit: VisitRecord
    lane: LaneRecord

    def __call__(
        self, phase: Phase, value: float, step: StepRecord, key: str = "", kind: str = "", *, attended: bool = False
    ) -> Iterator[Observation]:
        if value <= 0 or (attended and value < A_PERSON_S) or self.lane.before is None:
            return
        who: Identity = self.lane.before.identity
        yield Observation(
            visit=self.visit.id,
            serial=who.serial,
            phase=phase.value,
            vendor=who.vendor,
            model=who.model,
            family=who.family,
            link=_scheme(self.lane.address),
            release_key=key,
            kind=kind,
            value=round(value, 3),
            at=step.ended_at or step.started_at,
            attended=attended,
        )


def _scheme(address: str) -> str:
    """``adb://…`` → ``adb``; ``adb+server:…`` → ``adb+server``."""
    return address.partition(":")[0]


def _sent(see: _Eye, step: StepRecord) -> Iterator[Observation]:
    """The link's throughput; of the model and the link only, whatever was sent."""
    if step.sent_at is None:
        return
    count = step.bytes_confirmed - step.bytes_resumed
    seconds = (step.sent_at - step.started_at).total_seconds()
    if count >= SMALLEST_BYTES and 0 < seconds <= LONGEST_S:
        yield from see(Phase.TRANSFER, count / seconds, step)


def _after_sending_s(step: StepRecord, seconds: float) -> float:
    """What the terminal took after the last byte; the whole step where an older record does not say when that was."""
    return seconds if step.sent_at is None else seconds - (step.sent_at - step.started_at).total_seconds()


def forecasts(visit: VisitRecord) -> tuple[Forecast, ...]:
    """What was foretold and what came, for each terminal that was done well: as a whole and station by station."""
    return tuple(one for lane in visit.lanes for one in _forecast(visit, lane))


def _forecast(visit: VisitRecord, lane: LaneRecord) -> Iterator[Forecast]:
    if lane.plan is None or lane.before is None or lane.outcome not in _DONE_WELL or not lane.steps:
        return
    who = lane.before.identity
    at = lane.steps[-1].ended_at or lane.steps[-1].started_at
    rows = tuple(row for row in times(lane, visit) if not row.attended or (row.actual_s or 0.0) >= A_PERSON_S)
    down_s = downtime_s(lane)
    down = lane.plan.downtime if down_s is not None else Estimate(0.0, 0.0)

    def one(estimate: Estimate, actual_s: float, step: str = "") -> Forecast:
        return Forecast(
            visit.id,
            who.serial,
            at,
            estimate.p50_s,
            estimate.p90_s,
            round(actual_s, 3),
            step=step,
            vendor=who.vendor,
            model=who.model,
            downtime_p50_s=0.0 if step else down.p50_s,
            downtime_p90_s=0.0 if step else down.p90_s,
            downtime_s=None if step else down_s,
        )

    whole = totals(rows)
    if whole.actual_s > 0:
        yield one(whole.estimate, whole.actual_s)
    for kind in dict.fromkeys(row.step for row in rows):
        part = totals(row for row in rows if row.step is kind)
        if part.actual_s > 0 and part.estimate.p50_s > 0:
            yield one(part.estimate, part.actual_s, kind.value)


# -- learned ------------------------------------------------------------------------------------------------------


def timings_of(seen: Iterable[Observation]) -> Timings:
    """Observations by every key that :class:`Timings` looks under, the most exact and the vaguer ones."""
    found: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for one in seen:
        model = f"{one.vendor}/{one.model}"
        keys = {
            (one.phase, model, one.release_key, one.link),
            (one.phase, model, one.kind, one.link),
            (one.phase, one.family, one.kind, one.link),
        }
        for key in keys:
            found[key].append(one.value)
    return Timings(found)


# -- live ---------------------------------------------------------------------------------------------------------


class Tempo(StrEnum):
    """How a phase that still runs compares with its estimate."""

    USUAL = "usual"
    LONGER = "longer"
    """Past its 90 % bound."""
    STUCK = "stuck"
    """Past twice its 90 % bound."""


@dataclass(frozen=True, slots=True)
class Running:
    """A phase that still runs, in one word and, where it is not as usual, in a sentence."""

    tempo: Tempo
    text: Phrase | None = None


def pace(elapsed_s: float, estimate: Estimate, step: StepKind | None = None) -> Running:
    """Longer than usual after its P90, “stuck?” after twice that, with what can be done about it."""
    if elapsed_s <= estimate.p90_s or estimate.p90_s <= 0:
        return Running(Tempo.USUAL)
    if elapsed_s <= 2 * estimate.p90_s:
        return Running(Tempo.LONGER, phrase("Takes longer than usual; nothing has to be done."))
    return Running(Tempo.STUCK, Phrase(_HINT.get(step, _HINT_ANY) if step else _HINT_ANY))


_HINT_ANY: Final = N_(
    "Stuck? Look at the terminal's screen and the cable. You may stop here: what is done is recorded, and “techtool "
    "visit resume” goes on."
)
_HINT: Final = {
    StepKind.INSTALL: N_(
        "Stuck? Leave the terminal switched on and connected. If its screen shows no progress either, stop here: "
        "“techtool visit resume” reads it again and goes on without sending twice."
    ),
}


# -- calibration --------------------------------------------------------------------------------------------------

ENOUGH: Final = 5
"""Fewer comparisons than this say nothing of how good the estimates are."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How good the estimates were for one station and model."""

    step: str
    """Empty: whole terminals."""
    model: str
    """``vendor/model``; empty: all."""
    count: int
    within_p90: float
    """Share of the actual times that were at most the 90 % bound."""
    median_error: float
    """Of |actual - P50| / actual, half are at most this."""

    @property
    def enough(self) -> bool:
        """Whether it says anything."""
        return self.count >= ENOUGH


def calibration(foretold: Sequence[Forecast]) -> tuple[Calibration, ...]:
    """Whole terminals first, then station by station; of all models together, then of each."""
    groups: dict[tuple[str, str], list[Forecast]] = defaultdict(list)
    for one in foretold:
        if one.actual_s > 0:
            groups[one.step, ""].append(one)
            groups[one.step, f"{one.vendor}/{one.model}"].append(one)
    order = {kind.value: place for place, kind in enumerate(StepKind, 1)}
    keys = sorted(groups, key=lambda key: (order.get(key[0], 0), key))
    return tuple(_calibrated(step, model, groups[step, model]) for step, model in keys)


def _calibrated(step: str, model: str, group: Sequence[Forecast]) -> Calibration:
    errors = sorted(abs(one.actual_s - one.p50_s) / one.actual_s for one in group)
    middle = len(errors) // 2
    median = errors[middle] if len(errors) % 2 else (errors[middle - 1] + errors[middle]) / 2
    within = sum(one.actual_s <= one.p90_s for one in group) / len(group)
    return Calibration(step, model, len(group), within, median)
