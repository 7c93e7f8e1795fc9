"""Install: copy everything from the stick and hash it, then stream it into sessions of the terminal.

Releases go in one after the other, in the plan's order; the packages of one release together, all or none, where the
terminal can do that.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from techtool.domain.components import lasting
from techtool.domain.plan import StepKind
from techtool.domain.release import ApkFacts, ReleaseFile, VerifiedRelease
from techtool.domain.terminal import InstalledPackage
from techtool.domain.visit import CatmAction, CatmResult
from techtool.errors import InstallFailed, NotCompatible
from techtool.i18n import phrase
from techtool.terminals.base import PackageFile
from techtool.terminals.install import catm_of
from techtool.visit.by_hand import is_by_hand
from techtool.visit.lane import Lane, StepScope
from techtool.visit.steps.check import check_again
from techtool.visit.steps.images import install_images, takes_images
from techtool.visit.steps.menu import install_by_stick
from techtool.visit.steps.payload import fetch_payload


@dataclass(frozen=True, slots=True)
class _Item:
    """One package that the terminal does not have yet."""

    verified: VerifiedRelease
    file: ReleaseFile
    apk: ApkFacts


async def install(lane: Lane) -> None:
    """Install every planned package that the terminal does not have yet, byte for byte; restart where a release asks.

    Nothing is sent before every payload lies verified on this laptop and the terminal was read once more.
    """
    if is_by_hand(lane.address):
        await install_by_stick(lane)
        return
    if takes_images(lane):
        await install_images(lane)
        return
    left = await abandon_leftovers(lane)
    missing = [[item for item in unit if not await _is_there(lane, item)] for unit in _units(lane)]
    ready = [[await _fetch(lane, item) for item in unit] for unit in missing if unit]
    if ready:
        await check_again(lane)
    for place, (unit, files) in enumerate(zip([unit for unit in missing if unit], ready, strict=True)):
        if place and unit[0].verified.release.erases_data:
            # The one before it took minutes, and sales may have come in.
            await check_again(lane)
        async with lane.writing():
            await _install_unit(lane, unit[0].verified.release.key, files)
    if left and not ready:
        await lane.driver.drop_staged()
    if ready and any(verified.release.after.restart for verified in lane.agreed.releases):
        await _restart(lane)


def _units(lane: Lane) -> list[list[_Item]]:
    """What goes in together: the packages of each release, in the plan's order."""
    units: list[list[_Item]] = []
    for verified in lane.agreed.releases:
        unit: list[_Item] = []
        for file in verified.release.files:
            if file.apk is None:
                reason = phrase("its files cannot be installed over this link")
                raise NotCompatible(release=verified.release.key, reason=reason)
            unit.append(_Item(verified, file, file.apk))
        units.append(unit)
    return units


async def abandon_leftovers(lane: Lane) -> bool:
    """An interrupted installation leaves sessions on the terminal; they are dropped before new ones are opened.

    Whether there was one.
    """
    left = lane.log.open_sessions(lane.id)
    if not left:
        return False
    unnamed = {one.size_bytes for one in left if not one.session}
    found = await lane.driver.unfinished_sessions(unnamed) if unnamed else ()
    sessions = [one.session for one in left if one.session]
    sessions += [session for session in found or () if session not in sessions]
    kept = [session for session in sessions if not await lane.driver.abandon(session)]
    lane.log.sessions_closed(lane.id)
    packages = ", ".join(dict.fromkeys(one.package for one in left if one.package))
    if sessions:
        lane.notice(phrase("An unfinished installation of {package} was dropped.", package=packages))
    if kept:
        text = phrase(
            "The terminal keeps parts of it that nobody can install any more, and the storage they take; it throws them"
            " away by itself after some days."
        )
        lane.notice(text, warning=True)
    if found is None:
        text = phrase("Whether an empty installation of {package} was left behind cannot be read.", package=packages)
        lane.notice(text)
    return True


async def _is_there(lane: Lane, item: _Item) -> bool:
    present = await lane.driver.installed_file(item.apk.id)
    if present is not None and _is_passed(lane, item, present[0]):
        return True
    if present is None or present[1] != item.file.sha256:
        return False
    title = phrase("{package} {version} is installed already.", package=item.apk.id, version=item.apk.version)
    async with lane.step(StepKind.INSTALL, item.apk.id, title=title) as step:
        step.result = title
    return True


def _is_passed(lane: Lane, item: _Item, installed: InstalledPackage) -> bool:
    """Whether a resumed visit has gone past a step on the way to a newer version of the same package."""
    last = {apk.id: apk for _release, _file, apk in lasting([v.release for v in lane.agreed.releases])}
    code = item.apk.version_code
    return code < min(installed.version_code, last[item.apk.id].version_code)


async def _fetch(lane: Lane, item: _Item) -> PackageFile:
    title = phrase("Copy {package} {version} from the stick", package=item.apk.id, version=item.apk.version)
    async with lane.step(StepKind.INSTALL, f"copy:{item.apk.id}", title=title, action=CatmAction.DOWNLOAD) as step:
        payload = await fetch_payload(lane, step, item.verified, item.file)
        return PackageFile(item.apk, payload, item.file.size_bytes)


async def _install_unit(lane: Lane, release: str, files: Sequence[PackageFile]) -> None:
    if len(files) > 1 and await _install_together(lane, release, files):
        return
    for file in files:
        await _install(lane, file)


async def _install_together(lane: Lane, release: str, files: Sequence[PackageFile]) -> bool:
    """Whether the terminal can do it; what it refuses is raised, and then none of them was installed."""
    names = ", ".join(f"{file.apk.id} {file.apk.version}" for file in files)
    total_bytes = sum(file.size_bytes for file in files)
    title = phrase("Install {packages} together", packages=names)
    async with lane.step(StepKind.INSTALL, release, title=title, action=CatmAction.INSTALL) as step:
        async with _sessions(lane, step, {"": total_bytes, **{file.apk.id: file.size_bytes for file in files}}):
            done = await lane.driver.install_together(
                files,
                session=lambda package, session: lane.log.session_opened(lane.id, package, session),
                confirmed=step.progress(total_bytes),
                resumed=step.resumed,
            )
        if done:
            step.catm = CatmResult.SUCCESS
            step.result = phrase("{packages} were accepted by the terminal, all at once", packages=names)
        else:
            step.catm = CatmResult.NOT_SUPPORTED
            step.bytes_confirmed = 0
            step.result = phrase("This terminal takes packages one after the other only")
    if not done:
        text = phrase(
            "This terminal cannot install several packages all or none: {packages} go in one after the other.",
            packages=names,
        )
        lane.notice(text, step=StepKind.INSTALL)
    return done


async def _install(lane: Lane, file: PackageFile) -> None:
    apk = file.apk
    title = phrase("Install {package} {version}", package=apk.id, version=apk.version)
    async with lane.step(StepKind.INSTALL, apk.id, title=title, action=CatmAction.INSTALL) as step:
        async with _sessions(lane, step, {apk.id: file.size_bytes}):
            await lane.driver.install(
                apk,
                file.path,
                file.size_bytes,
                session=lambda session: lane.log.session_opened(lane.id, apk.id, session),
                confirmed=step.progress(file.size_bytes),
                resumed=step.resumed,
            )
        step.catm = CatmResult.SUCCESS
        step.result = phrase("{package} {version} was accepted by the terminal", package=apk.id, version=apk.version)


@contextlib.asynccontextmanager
async def _sessions(lane: Lane, step: StepScope, sizes_bytes: Mapping[str, int]) -> AsyncIterator[None]:
    """Journal the sessions of an installation before it asks for them, and that they are over when it ended clearly."""
    lane.log.sessions_wanted(lane.id, sizes_bytes)
    try:
        yield
    except InstallFailed as error:
        step.catm = catm_of(error.word)
        if error.word:
            lane.log.sessions_closed(lane.id)
        raise
    lane.log.sessions_closed(lane.id)


async def _restart(lane: Lane) -> None:
    title = phrase("Restart the terminal and wait for it")
    async with lane.step(StepKind.INSTALL, "restart", title=title, action=CatmAction.RESTART) as step:
        await lane.driver.reboot()
        step.catm = CatmResult.SUCCESS
        step.result = phrase("The terminal is back")
