"""Install: copy everything from the stick and hash it, then stream it into sessions of the terminal, one at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from techtool.domain.plan import StepKind
from techtool.domain.release import ApkFacts, ReleaseFile, VerifiedRelease
from techtool.domain.visit import CatmAction, CatmResult
from techtool.errors import InstallFailed, NotCompatible
from techtool.i18n import phrase
from techtool.terminals.install import catm_of
from techtool.visit.lane import Lane
from techtool.visit.steps.check import check_again


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
    await _abandon_leftovers(lane)
    missing = [item for item in _items(lane) if not await _is_there(lane, item)]
    payloads = [await _fetch(lane, item) for item in missing]
    if missing:
        await check_again(lane)
    for item, payload in zip(missing, payloads, strict=True):
        await _install(lane, item, payload)
    if missing and any(verified.release.after.restart for verified in lane.agreed.releases):
        await _restart(lane)


def _items(lane: Lane) -> list[_Item]:
    items: list[_Item] = []
    for verified in lane.agreed.releases:
        for file in verified.release.files:
            if file.apk is None:
                reason = phrase("its files cannot be installed over this link")
                raise NotCompatible(release=verified.release.key, reason=reason)
            items.append(_Item(verified, file, file.apk))
    return items


async def _abandon_leftovers(lane: Lane) -> None:
    """An interrupted installation leaves a session on the terminal; it is dropped before a new one is opened."""
    for left in lane.log.open_sessions(lane.id):
        await lane.driver.abandon(left.session)
        lane.log.sessions_closed(lane.id, left.package)
        lane.notice(phrase("An unfinished installation of {package} was dropped.", package=left.package))


async def _is_there(lane: Lane, item: _Item) -> bool:
    present = await lane.driver.installed_file(item.apk.id)
    if present is None or present[1] != item.file.sha256:
        return False
    title = phrase("{package} {version} is installed already.", package=item.apk.id, version=item.apk.version)
    async with lane.step(StepKind.INSTALL, item.apk.id, title=title) as step:
        step.result = title
    return True


async def _fetch(lane: Lane, item: _Item) -> Path:
    title = phrase("Copy {package} {version} from the stick", package=item.apk.id, version=item.apk.version)
    async with lane.step(StepKind.INSTALL, f"copy:{item.apk.id}", title=title, action=CatmAction.DOWNLOAD) as step:
        loop = asyncio.get_running_loop()
        tell = step.progress(item.file.size_bytes)

        def confirmed(count: int) -> None:
            loop.call_soon_threadsafe(tell, count)

        payload = await asyncio.to_thread(
            lane.stick.fetch,
            item.verified,
            item.file,
            lane.services.paths.payloads,
            confirmed=confirmed,
            disk=lane.services.disk,
        )
        step.catm = CatmResult.SUCCESS
        step.bytes_confirmed = item.file.size_bytes
        step.result = phrase("Copied, digest agrees")
        return payload


async def _install(lane: Lane, item: _Item, payload: Path) -> None:
    apk = item.apk
    title = phrase("Install {package} {version}", package=apk.id, version=apk.version)
    async with lane.step(StepKind.INSTALL, apk.id, title=title, action=CatmAction.INSTALL) as step:
        try:
            await lane.driver.install(
                apk,
                payload,
                item.file.size_bytes,
                session=lambda session: lane.log.session_opened(lane.id, apk.id, session),
                confirmed=step.progress(item.file.size_bytes),
            )
        except InstallFailed as error:
            step.catm = catm_of(error.word)
            raise
        step.catm = CatmResult.SUCCESS
        step.result = phrase("{package} {version} was accepted by the terminal", package=apk.id, version=apk.version)
    lane.log.sessions_closed(lane.id, apk.id)


async def _restart(lane: Lane) -> None:
    title = phrase("Restart the terminal and wait for it")
    async with lane.step(StepKind.INSTALL, "restart", title=title, action=CatmAction.RESTART) as step:
        await lane.driver.reboot()
        step.catm = CatmResult.SUCCESS
        step.result = phrase("The terminal is back")
