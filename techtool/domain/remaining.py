"""What is left of a confirmed plan while it is carried out: the running step's rest and the later steps' middles.

Nothing counts down while a person is asked or a terminal starts again: how long that takes is nobody's to foretell, so
those are told as “so long by now, usually so long”. A figure that goes up says why. Pure: the times come in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from techtool.domain.estimate import PRIOR_S, Phase
from techtool.domain.plan import Plan, PlanStep, StepKind
from techtool.domain.restore import Way
from techtool.i18n import Phrase, phrase

RESTART: Final = "restart"
"""The installation's item in which a terminal starts again."""
JUMP: Final = 1.2
"""A figure that grows by more than this factor is told with its reason."""
REASON_S: Final = 30.0
"""A reason stays so long: somebody who looks away from the cable must find it. Own judgement."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the work on one terminal stands against its plan; steps are named by their place in the plan."""

    steps: tuple[PlanStep, ...]
    done: frozenset[int]
    running: int | None
    elapsed_s: float = 0.0
    """Of the running step, since it began or began again."""
    transfer_s: float | None = None
    """Of a running transfer, to its last byte; None: none runs, or its speed cannot be trusted yet."""
    restart: int | None = None
    """The step at whose end the terminal will start again, as long as it has not; its packages may be in already."""


@dataclass(frozen=True, slots=True)
class Left:
    """Seconds that are left, and how many of them with a person."""

    total_s: float
    attended_s: float


@dataclass(frozen=True, slots=True)
class Told:
    """What is told, and what has to be remembered to tell honestly the next time."""

    left: Left
    standing: Standing
    least_s: float
    """The smallest figure told since the last reason."""
    why: Phrase | None = None
    why_until_s: float = 0.0


def left_of(standing: Standing) -> Left:
    """The rest of the running step, by its transfer where that is slower than planned, and every later step."""
    total_s = attended_s = 0.0
    for place, step in enumerate(standing.steps):
        left_s = _left_s(standing, place)
        total_s += left_s
        attended_s += left_s if step.attended else 0.0
    return Left(total_s, attended_s)


def _left_s(standing: Standing, place: int) -> float:
    p50_s = standing.steps[place].estimate.p50_s
    left_s = 0.0 if place in standing.done else p50_s
    if place == standing.running:
        left_s = max(0.0, p50_s - standing.elapsed_s, standing.transfer_s or 0.0)
    if place == standing.restart:
        left_s = max(left_s, min(p50_s, PRIOR_S[Phase.REBOOT]))
    return left_s


def told(before: Told | None, standing: Standing, at_s: float) -> Told:
    """What to tell at ``at_s`` (monotonic), after ``before``; with the reason where it grew by more than a fifth."""
    left = left_of(standing)
    if before is None or before.standing.steps != standing.steps:
        return Told(left, standing, left.total_s)
    if left.total_s > before.least_s * JUMP:
        return Told(left, standing, left.total_s, _why(before.standing, standing), at_s + REASON_S)
    kept = before.why if at_s < before.why_until_s else None
    return Told(left, standing, min(before.least_s, left.total_s), kept, before.why_until_s)


def _why(before: Standing, now: Standing) -> Phrase:
    if now.running is None:
        return phrase("an extra step")
    step = now.steps[now.running]
    again = now.running in before.done or (now.running == before.running and now.elapsed_s < before.elapsed_s)
    if again:
        return phrase("done once more: {step}", step=step.title)
    if now.transfer_s is not None and now.transfer_s > step.estimate.p50_s - now.elapsed_s:
        return phrase("the link is slower than expected")
    return phrase("an extra step: {step}", step=step.title)


# -- where a plan stands ----------------------------------------------------------------------------------------------


def done_of(plan: Plan, stations: Collection[StepKind], items: Mapping[str, int]) -> frozenset[int]:
    """The steps that are behind a terminal: ``stations`` that are through, and how often each item was installed.

    Where several releases bring the same package, one after the other, each good end is the next one's.
    """
    counted = Counter(items)
    done = {place for place, step in enumerate(plan.steps) if step.kind in stations}
    for place, ways in _installs(plan):
        way = next((way for way in ways if all(counted[item] > 0 for item in way)), None)
        if way is not None:
            counted.subtract(way)
            done.add(place)
    return frozenset(done)


def running_of(plan: Plan, kind: StepKind, item: str, done: Collection[int]) -> int | None:
    """The plan's step that is being done with ``item``; None: it is not in the plan."""
    if kind is not StepKind.INSTALL:
        return next((place for place, step in enumerate(plan.steps) if step.kind is kind), None)
    if item == RESTART:
        return _restarting(plan)
    installs = [place for place, _ways in _installs(plan)]
    if item.startswith("copy:"):
        # All payloads are copied before the first one goes in.
        return next((place for place in installs if place not in done), None)
    bare = item.partition(":")[2] or item
    named = [place for place, ways in _installs(plan) if any(item in way or bare in way for way in ways)]
    return next((place for place in named if place not in done), named[-1] if named else None)


def restart_of(plan: Plan, items: Collection[str]) -> int | None:
    """The step whose restart is still to come."""
    return None if RESTART in items else _restarting(plan)


def _restarting(plan: Plan) -> int | None:
    keys = {verified.release.key for verified in plan.releases if verified.release.after.restart}
    places = [place for place, step in enumerate(plan.steps) if step.release_key and step.release_key in keys]
    return places[-1] if places else None


def _installs(plan: Plan) -> list[tuple[int, tuple[frozenset[str], ...]]]:
    """The installing steps, each with the ways to do it: the items of the journal that make it complete."""
    places = [place for place, step in enumerate(plan.steps) if step.kind is StepKind.INSTALL]
    packages = {v.release.key: frozenset(apk.id for apk in v.release.packages) for v in plan.releases}
    back = [(frozenset({f"config:{config.path}"}),) for config in plan.configs]
    back += [
        (frozenset({f"remove:{item.package}" if item.way is Way.REMOVE else item.package}),) for item in plan.put_back
    ]
    found: list[tuple[int, tuple[frozenset[str], ...]]] = []
    for number, place in enumerate(places):
        key = plan.steps[place].release_key
        if key:
            found.append((place, (frozenset({key}), packages.get(key, frozenset({key})))))
        elif number < len(back):
            found.append((place, back[number]))
    return found
