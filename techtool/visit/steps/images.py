"""Install and verify releases that are whole images, on terminals that put them in themselves by their own time.

A terminal goes on with an update after the link or the laptop has gone. So its task is journalled, a resumed visit
waits for it before anything else, and what it runs is read again: a task's “completed” proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from techtool.domain.components import Relation, parts, relation, slots_written
from techtool.domain.plan import StepKind
from techtool.domain.release import Release, ReleaseFile, VerifiedRelease
from techtool.domain.terminal import InstalledPackage, TerminalState
from techtool.domain.visit import CatmAction, CatmResult, InstalledFile, StepState
from techtool.errors import InstallFailed, NotCapable, NotCompatible, VerifyFailed
from techtool.i18n import phrase
from techtool.terminals.base import ImageFile, TakesImages
from techtool.terminals.install import catm_of
from techtool.visit.lane import Lane, StepScope
from techtool.visit.steps.check import check_again
from techtool.visit.steps.identify import read_state
from techtool.visit.steps.payload import fetch_payload

_RESTART: Final = "restart"
_THERE: Final = (Relation.SAME, Relation.NEWER)
"""A resumed visit has gone past the first step of a way of several; nothing older is ever brought."""


@dataclass(frozen=True, slots=True)
class _Image:
    """One release and its only file."""

    verified: VerifiedRelease
    file: ReleaseFile

    @property
    def release(self) -> Release:
        """Its description."""
        return self.verified.release


def takes_images(lane: Lane) -> bool:
    """Whether this terminal is updated with images."""
    return isinstance(lane.driver, TakesImages)


async def install_images(lane: Lane) -> None:
    """Wait for what an earlier run began, then bring what is still missing, release by release."""
    doubted = _never_arrived(lane)
    await _restart_where_owed(lane, kept=await _follow_leftovers(lane, doubted))
    lane.state = await read_state(lane)
    images = [_image(verified) for verified in lane.agreed.releases]
    missing = [image for image in images if _is_missing(lane, image, doubted)]
    for image in missing:
        await _driver(lane).check_image(image.release)
    ready = [(image, await _fetch(lane, image)) for image in missing]
    if ready:
        await check_again(lane)
    for place, (image, copy) in enumerate(ready):
        if place and image.release.erases_data:
            # The one before it took minutes and perhaps a restart, and sales may have come in.
            await check_again(lane)
        async with lane.writing():
            kept = await _install(lane, image, copy)
        await _restart_where_owed(lane, kept=kept)


def _image(verified: VerifiedRelease) -> _Image:
    release = verified.release
    if len(release.files) != 1 or release.files[0].role != "image":
        reason = phrase("its files cannot be installed over this link")
        raise NotCompatible(release=release.key, reason=reason)
    return _Image(verified, release.files[0])


def _driver(lane: Lane) -> TakesImages:
    if not isinstance(lane.driver, TakesImages):
        raise NotCapable(address=str(lane.address), capability=phrase("installing whole images"))
    return lane.driver


def _never_arrived(lane: Lane) -> frozenset[str]:
    """Releases whose file the terminal has not got: whatever it says or shows now, it is not their file."""
    left = lane.log.open_sessions(lane.id)
    return frozenset(one.package for one in left if _driver(lane).never_arrived(one.session))


def _is_missing(lane: Lane, image: _Image, doubted: frozenset[str]) -> bool:
    found = relation(image.release, lane.known)
    return found not in _THERE or (found is Relation.SAME and image.release.id in doubted)


async def _follow_leftovers(lane: Lane, doubted: frozenset[str]) -> bool:
    """An update that was begun before a stop is waited for; the terminal is not told the same thing twice.

    What is ``doubted`` stays in the journal until it was brought again. Whether the terminal keeps one for its next
    restart.
    """
    kept = False
    for one in lane.log.open_sessions(lane.id):
        title = phrase("Wait for the update of {package} that was begun before", package=one.package)
        async with lane.step(StepKind.INSTALL, one.package, title=title, action=CatmAction.INSTALL) as step:
            try:
                kept |= await _driver(lane).follow(one.session, one.package, alive=step.alive)
            except InstallFailed as error:
                step.catm = catm_of(error.word)
                if error.word:
                    _over(lane, kept=False)
                raise
            step.result = phrase("The terminal is done with it; what it runs now is read next.")
            if one.package in doubted:
                step.result = phrase("The terminal has not fetched the whole file: it is brought again.")
    _over(lane, kept=kept)
    return kept


def _over(lane: Lane, *, kept: bool) -> None:
    """Nothing of it lies on the terminal any more; what waits for a restart does, until that has come.

    What never arrived stays open until it did: a version that is there already would be believed without it.
    """
    if not kept:
        still = {one.package for one in lane.log.open_sessions(lane.id)} - _never_arrived(lane)
        for package in sorted(still):
            lane.log.sessions_closed(lane.id, package)


async def _fetch(lane: Lane, image: _Image) -> ImageFile:
    release, file = image.release, image.file
    title = phrase("Copy {package} {version} from the stick", package=release.id, version=release.version)
    async with lane.step(StepKind.INSTALL, f"copy:{release.id}", title=title, action=CatmAction.DOWNLOAD) as step:
        return ImageFile(release, await fetch_payload(lane, step, image.verified, file), file.size_bytes, file.sha256)


async def _install(lane: Lane, image: _Image, copy: ImageFile) -> bool:
    """Whether the terminal keeps it for its next restart."""
    release = image.release
    title = phrase("Install {package} {version}", package=release.id, version=release.version)
    async with lane.step(StepKind.INSTALL, release.id, title=title, action=CatmAction.INSTALL) as step:
        lane.log.sessions_wanted(lane.id, {release.id: copy.size_bytes})
        kept = await _brought(lane, step, copy)
        _over(lane, kept=kept)
        step.catm = CatmResult.SUCCESS
        step.result = phrase(
            "{package} {version} was accepted by the terminal", package=release.id, version=release.version
        )
    return kept


async def _brought(lane: Lane, step: StepScope, copy: ImageFile) -> bool:
    name = copy.release.id
    try:
        return await _driver(lane).install_image(
            copy,
            session=lambda session: lane.log.session_opened(lane.id, name, session),
            confirmed=step.progress(copy.size_bytes),
        )
    except (NotCompatible, NotCapable):
        _over(lane, kept=False)
        raise
    except InstallFailed as error:
        step.catm = catm_of(error.word)
        if error.word:
            _over(lane, kept=False)
        raise


def _owed(lane: Lane) -> bool:
    """Whether, by the journal, a release that asks for a restart was put in and no restart came after it."""
    asking = {verified.release.id for verified in lane.agreed.releases if verified.release.after.restart}
    owed = False
    for past in lane.log.steps_of(lane.id):
        if past.step is StepKind.INSTALL and past.state is StepState.DONE:
            owed = past.item != _RESTART and (owed or (past.action is CatmAction.INSTALL and past.item in asking))
    return owed


async def _restart_where_owed(lane: Lane, *, kept: bool) -> None:
    """After each release that asks for it, since the next may need what it brought; also where a stop came between."""
    if not (kept or _owed(lane)):
        return
    title = phrase("Restart the terminal and wait for it")
    async with lane.step(StepKind.INSTALL, _RESTART, title=title, action=CatmAction.RESTART) as step:
        await lane.driver.reboot()
        _over(lane, kept=False)
        step.catm = CatmResult.SUCCESS
        step.result = phrase("The terminal is back")


def verify_images(lane: Lane, after: TerminalState) -> int:
    """Every slot of the plan against what the terminal runs now; how many there are. Raises ``VerifyFailed``."""
    releases = [verified.release for verified in lane.agreed.releases]
    last = {slot: release.key for release in releases for slot in slots_written(release)}
    for release in releases:
        for part in parts(release, after):
            if last[part.slot] != release.key:
                continue
            now = InstalledPackage(release.id, part.found.version, 0)
            lane.log.installed(lane.id, InstalledFile(release.key, now, release.files[0].sha256, ""))
            if part.relation is not Relation.SAME:
                reason = phrase(
                    "it says version {found}, {wanted} was installed", found=part.found.version, wanted=part.brings
                )
                raise VerifyFailed(package=release.id, reason=reason)
    return len(last)
