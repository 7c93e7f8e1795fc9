"""The terminals of one visit, one after the other or many at once: who may begin, who may write, who waits.

One terminal's failure stops no other, with two exceptions: a terminal that goes first alone must end well before the
rest are begun, and one after the other the rest wait when somebody must look at a terminal first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from techtool.domain.outcome import Outcome
from techtool.domain.pace import Pace
from techtool.errors import AmbiguousChoice, Exit, InternalError, StoreError, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.logbook import places
from techtool.visit.lane import Lane
from techtool.visit.runner import LaneResult, reach, refused, unfinished, work

_NO_RECORD: Final = (int(Exit.DISK_FULL), int(Exit.DAMAGED_STORE))
"""After these nothing more can be recorded, so nothing more is done."""


async def work_all(
    lanes: Sequence[Lane], pace: Pace, tell: Callable[[Phrase], None], *, proven: bool = False
) -> list[LaneResult]:
    """Identify all, then work on them at this pace; ``tell`` says why terminals were not begun.

    ``proven``: an earlier run of the visit has brought one to a good end, so that none need go first alone.
    """
    results, ready = await _reach_all(lanes, pace)
    if not pace.together:
        return results + await _one_by_one(ready, tell)
    if pace.one_first and not proven and len(ready) > 1:
        first, *rest = ready
        result = await _worked(first)
        results.append(result)
        if not (result.final and result.outcome.is_good):
            return results + _left(rest, result, tell)
        ready = rest
    return results + await _together(ready, pace, tell)


async def _reach_all(lanes: Sequence[Lane], pace: Pace) -> tuple[list[LaneResult], list[Lane]]:
    """What ended while it was identified, and what can be worked on."""
    found = await _all_at_once(lanes, reach, pace) if pace.together else [await _safely(lane, reach) for lane in lanes]
    results: list[LaneResult] = []
    ready: list[Lane] = []
    for lane, end in zip(lanes, found, strict=True):
        ended = end or _twin(lane, ready)
        if ended is None:
            ready.append(lane)
        else:
            results.append(ended)
    return results, ready


async def _all_at_once(
    lanes: Sequence[Lane], job: Callable[[Lane], Awaitable[LaneResult | None]], pace: Pace
) -> list[LaneResult | None]:
    turn = asyncio.Semaphore(pace.at_once)

    async def one(lane: Lane) -> LaneResult | None:
        async with turn:
            return await _safely(lane, job)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(lane)) for lane in lanes]
    return [task.result() for task in tasks]


async def _one_by_one(lanes: Sequence[Lane], tell: Callable[[Phrase], None]) -> list[LaneResult]:
    """One after the other; after a grave failure the rest wait."""
    results: list[LaneResult] = []
    for place, lane in enumerate(lanes):
        result = await _worked(lane)
        results.append(result)
        if result.grave or result.exit_code in _NO_RECORD:
            return results + _left(lanes[place + 1 :], result, tell)
    return results


async def _together(lanes: Sequence[Lane], pace: Pace, tell: Callable[[Phrase], None]) -> list[LaneResult]:
    """So many at once; only where nothing more can be recorded, the ones not yet begun wait."""
    turn = asyncio.Semaphore(pace.at_once)
    results: list[LaneResult] = []
    unbegun: list[Lane] = []
    last: LaneResult | None = None

    async def one(lane: Lane) -> None:
        nonlocal last
        async with turn:
            if last is not None:
                unbegun.append(lane)
                return
            result = await _worked(lane)
            results.append(result)
            if result.exit_code in _NO_RECORD:
                last = result

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(one(lane))
    return results + (_left(unbegun, last, tell) if last is not None else [])


def _left(lanes: Sequence[Lane], because: LaneResult, tell: Callable[[Phrase], None]) -> list[LaneResult]:
    """Terminals that were not begun, told once."""
    if lanes:
        count = len(lanes)
        tell(phrase("{count} more terminals were not begun, so that this one is looked at first.", count=count))
    return [LaneResult(Outcome.FAILED_TRANSIENT, because.exit_code, final=False)] * len(lanes)


async def _worked(lane: Lane) -> LaneResult:
    result = await _safely(lane, work)
    if result is None:
        raise InternalError(kind="LaneWithoutResult")
    return result


async def _safely(lane: Lane, job: Callable[[Lane], Awaitable[LaneResult | None]]) -> LaneResult | None:
    """Whatever breaks off one lane is told and, where it can be, recorded; the other lanes do not fall with it."""
    try:
        return await job(lane)
    except TechtoolError as error:
        broken: TechtoolError = error
    except Exception as error:
        lane.outlet.log(f"lane {lane.id} defect {type(error).__name__} at {places(error)}")
        broken = InternalError(kind=type(error).__name__)
    try:
        return unfinished(lane, broken)
    except StoreError as error:
        outcome = Outcome.INCONSISTENT if lane.changing else Outcome.FAILED_TRANSIENT
        return LaneResult(outcome, int(error.exit_code), final=False)


def _twin(lane: Lane, ready: list[Lane]) -> LaneResult | None:
    """The same serial number at two addresses (one terminal reached twice, or two that lie): the later is refused."""
    serial = lane.known.identity.serial if lane.state is not None else ""
    for other in ready:
        if other.known.identity.serial == serial:
            return refused(lane, AmbiguousChoice(what=serial, choices=f"{other.address}, {lane.address}"))
    return None
