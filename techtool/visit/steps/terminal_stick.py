"""The stick that goes into the terminal: is it fit, what would disturb, and the release's files on it, proven."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from techtool.domain.fat import clashes
from techtool.domain.guide import Guide
from techtool.domain.plan import Plan, StepKind
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.release import Release, ReleaseFile, VerifiedRelease
from techtool.domain.visit import CatmAction, CatmResult
from techtool.errors import MediumUnfit, NotCompatible
from techtool.i18n import phrase
from techtool.links.medium.volume import Volume, volume_at
from techtool.links.medium.write import Load, disturbing, load_for, move_aside, put, refuse_unfit
from techtool.visit.by_hand import guide_of
from techtool.visit.lane import Lane, StepScope
from techtool.visit.worker import in_thread

MOVE: Final = "move"
STOP: Final = "stop"
_SHOWN: Final = 8


async def stick_fits(lane: Lane, plan: Plan) -> None:
    """Found out before anybody confirms anything: the stick, and whether the terminal's menu takes the files' names.

    Raises :class:`MediumUnfit`, :class:`NotCompatible`.
    """
    guide = guide_of(lane.known)
    await _volume(lane, guide)
    for verified in plan.releases:
        loads_of(guide, verified.release)


def loads_of(guide: Guide, release: Release) -> tuple[Load, ...]:
    """Where every file of a release belongs; raises :class:`NotCompatible`."""
    loads = tuple(load_for(guide.layout, release.key, f.target, f.size_bytes, f.sha256) for f in release.files)
    twice = clashes(load.path for load in loads)
    if twice:
        reason = phrase("two of its files have the same name on a stick: {names}", names=", ".join(twice))
        raise NotCompatible(release=release.key, reason=reason)
    return loads


async def fill_stick(lane: Lane, guide: Guide, verified: VerifiedRelease) -> tuple[Load, ...]:
    """Bring the files of one release onto the stick, flushed and read back; what lies there whole is not sent again.

    Raises ``MediumUnfit`` (also where something would disturb and is not to be moved), ``MediumFailed``,
    ``NotCompatible``, and the bundle stick's own errors.
    """
    release = verified.release
    title = phrase("Prepare the terminal's stick with {release}", release=release.key)
    async with lane.step(StepKind.INSTALL, f"stick:{release.key}", title=title, action=CatmAction.DOWNLOAD) as step:
        loads = loads_of(guide, release)
        volume = await _volume(lane, guide)
        await _clear(lane, guide, volume, loads)
        before = 0
        for load, file in zip(loads, release.files, strict=True):
            payload = await _fetch(lane, verified, file)
            await _put(lane, step, volume, load, payload, before, release.size_bytes)
            before += load.size_bytes
        step.catm = CatmResult.SUCCESS
        step.result = phrase(
            "{count} files are on the stick, read back and identical: {names}", count=len(loads), names=_names(loads)
        )
    return loads


async def _volume(lane: Lane, guide: Guide) -> Volume:
    volume = await asyncio.to_thread(volume_at, Path(lane.address.target))
    if volume.simulated is not guide.simulated:
        problem = phrase("{model} and this stick do not go together: only one of them is simulated", model=guide.title)
        remedy = phrase("Name the stick that goes into this very terminal.")
        raise MediumUnfit(path=str(volume.root), problem=problem, remedy=remedy)
    refuse_unfit(volume, guide.layout)
    if guide.layout.label and volume.label is None:
        text = phrase("Look yourself whether the stick's label is “{label}”.", label=guide.layout.label)
        lane.notice(text, step=StepKind.INSTALL, warning=True)
    return volume


async def _clear(lane: Lane, guide: Guide, volume: Volume, loads: Sequence[Load]) -> None:
    """What the terminal's menu could take by mistake is named, and moved only when the person says so."""
    found = await asyncio.to_thread(disturbing, volume, guide.layout, loads)
    if not found:
        return
    shown = ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")
    question = Question(
        "install.others",
        AnswerKind.CHOICE,
        phrase("On the stick lie other files that the terminal could take: {names}", names=shown),
        help=phrase("They are moved into a folder of their own on the same stick; nothing is deleted."),
        choices=(Choice(MOVE, phrase("Move them aside")), Choice(STOP, phrase("Touch nothing; I take another stick"))),
        serial=lane.known.identity.serial,
    )
    if await lane.ask(StepKind.INSTALL, question) == STOP:
        problem = phrase("other files lie on it: {names}", names=shown)
        remedy = phrase("Put in another, empty stick and try again.")
        raise MediumUnfit(path=str(volume.root), problem=problem, remedy=remedy)
    place = await asyncio.to_thread(move_aside, volume, found, lane.services.disk)
    text = phrase("Moved on the stick to {place}: {names}", place=place, names=shown)
    lane.notice(text, step=StepKind.INSTALL)


async def _fetch(lane: Lane, verified: VerifiedRelease, file: ReleaseFile) -> Path:
    """This laptop's proven copy of one payload."""
    services = lane.services

    def copy(go_on: Callable[[], None]) -> Path:
        return lane.stick.fetch(
            verified, file, services.paths.payloads, confirmed=lambda _count: go_on(), disk=services.disk
        )

    async with lane.shared.payload(file.sha256):
        return await in_thread(copy)


async def _put(
    lane: Lane, step: StepScope, volume: Volume, load: Load, payload: Path, before_bytes: int, total_bytes: int
) -> None:
    loop = asyncio.get_running_loop()
    tell = step.progress(total_bytes)

    def copy(go_on: Callable[[], None]) -> bool:
        def confirmed(count: int) -> None:
            go_on()
            loop.call_soon_threadsafe(tell, before_bytes + count)

        return put(volume, load, payload, confirmed, lane.services.disk)

    fresh = await in_thread(copy)
    step.bytes_confirmed = before_bytes + load.size_bytes
    if not fresh:
        text = phrase("{name} lay on the stick already, whole.", name=load.path)
        lane.notice(text, step=StepKind.INSTALL)


def _names(loads: Sequence[Load]) -> str:
    return ", ".join(load.path for load in loads)
