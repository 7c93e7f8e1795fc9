"""What a visit took, station by station, read off its record.

A record knows when a step began and ended and when a question was answered, not when it was put. So within a step the
time up to its last answer counts as a person's, and only what comes after it as the machine's. Steps that failed, were
cut off or ended before they began (a clock that was moved) are no durations: they feed the success rate instead.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from techtool.domain.estimate import together
from techtool.domain.plan import Estimate, StepKind
from techtool.domain.visit import CatmAction, LaneRecord, StepRecord, StepState, VisitRecord
from techtool.i18n import N_, Phrase, phrase

LONGEST_S: Final = 4 * 3600.0
"""Nothing at a counter takes so long: a longer one had a night or a moved clock in it, and is no duration."""
ATTENDED: Final = frozenset({StepKind.INSPECT, StepKind.CONFIRM, StepKind.TEST, StepKind.SIGN_OFF})
"""Stations of a person."""
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
        return StationTime(kind, title, key, kind in ATTENDED, estimate, self.machine_s, self.attended_s, self.done)


def _spent(lane: LaneRecord, visit: VisitRecord | None) -> dict[tuple[StepKind, str], _Spent]:
    found: dict[tuple[StepKind, str], _Spent] = defaultdict(_Spent)
    for step, key in with_releases(lane):
        machine_s, attended_s = split(step, lane)
        spent = found[step.step, key]
        spent.machine_s += machine_s
        spent.attended_s += attended_s
        spent.done = spent.done or step.state is StepState.DONE
    signed_s = sign_off_s(visit) if visit is not None else None
    if signed_s is not None:
        found[StepKind.SIGN_OFF, ""] = _Spent(attended_s=signed_s, done=True)
    return found


def with_releases(lane: LaneRecord) -> Iterator[tuple[StepRecord, str]]:
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


def seconds_of(step: StepRecord) -> float | None:
    """From begin to end; None where it has no end that can be believed."""
    if step.ended_at is None:
        return None
    seconds = (step.ended_at - step.started_at).total_seconds()
    return seconds if 0 <= seconds <= LONGEST_S else None


def split(step: StepRecord, lane: LaneRecord) -> tuple[float, float]:
    """Seconds of the machine's and of a person's; nothing of a step without an end."""
    seconds = seconds_of(step)
    if seconds is None or step.ended_at is None:
        return 0.0, 0.0
    answered = [a.at for a in lane.answers if step.started_at <= a.at <= step.ended_at]
    attended_s = (max(answered) - step.started_at).total_seconds() if answered else 0.0
    return seconds - attended_s, attended_s


def sign_off_s(visit: VisitRecord) -> float | None:
    """From the end of the last step to the last word of the sign-off, of a visit to one terminal."""
    said = [answer.at for answer in visit.answers if answer.question_id.startswith("sign_off.")]
    ends = [step.ended_at for lane in visit.lanes for step in lane.steps if step.ended_at is not None]
    if len(visit.lanes) != 1 or not said or not ends:
        return None
    seconds = (max(said) - max(ends)).total_seconds()
    return seconds if 0 < seconds <= LONGEST_S else None
