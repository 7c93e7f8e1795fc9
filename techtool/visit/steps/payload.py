"""One payload from the stick onto this laptop: copied and hashed, the same for every kind of file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from techtool.domain.release import ReleaseFile, VerifiedRelease
from techtool.domain.visit import CatmResult
from techtool.i18n import phrase
from techtool.visit.lane import Lane, StepScope
from techtool.visit.worker import in_thread


async def fetch_payload(lane: Lane, step: StepScope, verified: VerifiedRelease, file: ReleaseFile) -> Path:
    """The verified copy; raises ``Damaged`` and what the disk raises."""
    loop = asyncio.get_running_loop()
    tell = step.progress(file.size_bytes)

    def copy(go_on: Callable[[], None]) -> Path:
        def confirmed(count: int) -> None:
            go_on()
            loop.call_soon_threadsafe(tell, count)

        paths, disk = lane.services.paths, lane.services.disk
        return lane.stick.fetch(verified, file, paths.payloads, confirmed=confirmed, disk=disk)

    async with lane.shared.payload(file.sha256):
        payload = await in_thread(copy)
    step.catm = CatmResult.SUCCESS
    step.bytes_confirmed = file.size_bytes
    step.result = phrase("Copied, digest agrees")
    return payload
