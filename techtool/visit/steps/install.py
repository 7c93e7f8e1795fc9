"""Install: copy from the stick and hash, then stream into a session of the terminal; one package at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from techtool.domain.plan import StepKind
from techtool.domain.release import ApkFacts, ReleaseFile, VerifiedRelease
from techtool.domain.visit import CatmAction, CatmResult
from techtool.errors import InstallFailed, NotCompatible
from techtool.i18n import phrase
from techtool.visit.lane import Lane


async def install(lane: Lane) -> None:
    """Install every planned package that the terminal does not have yet, byte for byte."""
    await _abandon_leftovers(lane)
    for verified in lane.agreed.releases:
        for file in verified.release.files:
            if file.apk is None:
                raise NotCompatible(
                    release=verified.release.key, reason=phrase("its files cannot be installed over this link")
                )
            await _install_file(lane, verified, file, file.apk)


async def _abandon_leftovers(lane: Lane) -> None:
    """An interrupted installation leaves a session on the terminal; it is dropped before a new one is opened."""
    for left in lane.log.open_sessions(lane.id):
        await lane.driver.abandon(left.session)
        lane.log.sessions_closed(lane.id, left.package)
        lane.notice(phrase("An unfinished installation of {package} was dropped.", package=left.package))


async def _install_file(lane: Lane, verified: VerifiedRelease, file: ReleaseFile, apk: ApkFacts) -> None:
    present = await lane.driver.installed_file(apk.id)
    if present is not None and present[1] == file.sha256:
        lane.log.sessions_closed(lane.id, apk.id)
        lane.notice(phrase("{package} {version} is installed already.", package=apk.id, version=apk.version))
        return
    payload = await _fetch(lane, verified, file, apk)
    title = phrase("Install {package} {version}", package=apk.id, version=apk.version)
    async with lane.step(StepKind.INSTALL, apk.id, title=title, action=CatmAction.INSTALL) as step:
        try:
            await lane.driver.install(
                apk,
                payload,
                file.size_bytes,
                session=lambda session: lane.log.session_opened(lane.id, apk.id, session),
                confirmed=step.progress(file.size_bytes),
            )
        except InstallFailed:
            step.catm = CatmResult.INVALID
            raise
        lane.log.sessions_closed(lane.id, apk.id)
        step.catm = CatmResult.SUCCESS
        step.result = phrase("{package} {version} was accepted by the terminal", package=apk.id, version=apk.version)


async def _fetch(lane: Lane, verified: VerifiedRelease, file: ReleaseFile, apk: ApkFacts) -> Path:
    title = phrase("Copy {package} {version} from the stick", package=apk.id, version=apk.version)
    async with lane.step(StepKind.INSTALL, f"copy:{apk.id}", title=title, action=CatmAction.DOWNLOAD) as step:
        loop = asyncio.get_running_loop()
        tell = step.progress(file.size_bytes)

        def confirmed(count: int) -> None:
            loop.call_soon_threadsafe(tell, count)

        payload = await asyncio.to_thread(
            lane.stick.fetch,
            verified,
            file,
            lane.services.paths.payloads,
            confirmed=confirmed,
            disk=lane.services.disk,
        )
        step.catm = CatmResult.SUCCESS
        step.bytes_confirmed = file.size_bytes
        step.result = phrase("Copied, digest agrees")
        return payload
