"""Bring an image to a Redfish service.

Pushed in one request where the service takes that (``MultipartHttpPushUri``); where it only fetches files itself
(``SimpleUpdate`` over HTTP), this laptop offers that one file to that one device meanwhile. Source: DMTF DSP0266 §12.6,
DSP2062 (firmware update white paper).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from techtool.clock import Clock
from techtool.domain.components import shown_version
from techtool.domain.release import Release
from techtool.errors import NotCapable, NotCompatible
from techtool.i18n import phrase
from techtool.links.base import Confirmed
from techtool.links.redfish.http import Answer
from techtool.links.redfish.link import RedfishLink
from techtool.links.redfish.offer import Offer, offered
from techtool.links.redfish.payload import UpdateFile
from techtool.links.redfish.values import path_of
from techtool.terminals.base import ImageFile, SessionSink
from techtool.terminals.redfish_read import Component, UpdateService
from techtool.terminals.redfish_tasks import (
    AT_RESTART,
    NOT_FETCHED,
    OFFERED,
    not_fetched,
    refused_answer,
    unclear,
    wait_for,
)
from techtool.terminals.refusals import refused_with

APPLY_TIME: Final = "@Redfish.OperationApplyTime"
IMMEDIATE: Final = "Immediate"
ON_RESET: Final = "OnReset"
FETCH_WAIT_S: Final = 60.0
"""So long a device that says yes at once, and names no task, may take to come for the file."""
_SETTLE_S: Final = 2.0
"""Its “done” may overtake the end of its own fetching."""


@dataclass(frozen=True, slots=True)
class UpdateWay:
    """How one release is brought to one device."""

    push: str
    """Where it is pushed; empty: the device fetches it."""
    fetch: str
    """The action by which the device is told to fetch it."""
    said: Mapping[str, object]
    """What the device is told besides: for which component, and when."""

    @property
    def at_restart(self) -> bool:
        """Whether the device keeps it for its next restart."""
        return self.said.get(APPLY_TIME) == ON_RESET


def choose_way(address: str, service: UpdateService, components: Sequence[Component], release: Release) -> UpdateWay:
    """By what the device says that it can; raises ``NotCapable``, ``NotCompatible``, ``InstallFailed``."""
    target = next((component for component in components if component.id == release.id), None)
    if target is not None and not target.updateable:
        reason = phrase("the device says that {component} cannot be updated", component=target.id)
        raise NotCompatible(release=release.key, reason=reason)
    if service.largest_bytes and release.size_bytes > service.largest_bytes:
        raise refused_with(f"{release.id} {shown_version(release)}", "HTTP-413", "")
    said: dict[str, object] = {"Targets": [target.path]} if target is not None else {}
    apply_time = next((time for time in (IMMEDIATE, ON_RESET) if time in service.apply_times), "")
    if apply_time:
        said[APPLY_TIME] = apply_time
    fetches = service.simple and (not service.simple_protocols or "HTTP" in service.simple_protocols)
    if not service.multipart and not fetches:
        older = phrase("it only takes updates by an older way (HttpPushUri)")
        none = phrase("it offers no way to bring it an update")
        raise NotCapable(address=address, capability=older if service.http_push else none)
    return UpdateWay(service.multipart, "" if service.multipart else service.simple, said)


async def bring(
    link: RedfishLink,
    way: UpdateWay,
    image: ImageFile,
    clock: Clock,
    *,
    session: SessionSink,
    confirmed: Confirmed | None,
) -> bool:
    """See :meth:`techtool.terminals.base.TakesImages.install_image`."""
    name = f"{image.release.id} {shown_version(image.release)}"

    async def ended(task: str, there: Callable[[], int]) -> bool:
        """``there``: how much of the image the device has by now."""
        if not task:
            return way.at_restart
        return await wait_for(link, task, name, clock, alive=lambda: _alive(there(), confirmed))

    if way.push:
        task = _task_of(link, way, await _pushed(link, way, image, confirmed), name)
        session(task)
        return await ended(task, lambda: image.size_bytes)
    host, peer = link.hosts
    try:
        async with (
            offered(image.path, image.size_bytes, host=host, peer=peer, confirmed=confirmed) as offer,
            _noted(offer, session) as note,
        ):
            task = _task_of(link, way, await _told_to_fetch(link, way, offer), name)
            note(task)
            kept = await ended(task, lambda: offer.sent_bytes)
            if not await offer.wait_fetched(_SETTLE_S if task else FETCH_WAIT_S):
                session(f"{NOT_FETCHED}{task}")
                raise not_fetched(name)
            note(task)
            _alive(offer.sent_bytes, confirmed)
            return kept
    except OSError as error:
        capability = phrase("fetching the file from this laptop")
        raise NotCapable(address=str(link.address), capability=capability, detail=str(error)) from error


@contextlib.asynccontextmanager
async def _noted(offer: Offer, session: SessionSink) -> AsyncIterator[Callable[[str], None]]:
    """Journal which task there is, and as soon as it is so, that all of the file was fetched.

    From before the device hears of it: whenever this process ends, the record tells whether the device can have it.
    """
    known = ""

    def note(task: str) -> None:
        nonlocal known
        known = task
        session(task if offer.fetched else f"{OFFERED}{task}")

    async def when_fetched() -> None:
        await offer.read_to_end()
        note(known)

    note("")
    watching = asyncio.create_task(when_fetched())
    try:
        yield note
    except BaseException:
        if offer.fetched:  # by a device that still holds the line
            note(known)
        raise
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


def _alive(there_bytes: int, confirmed: Confirmed | None) -> None:
    """Something moved: so much of it is there, and it goes on."""
    if confirmed is not None:
        confirmed(there_bytes)


async def _pushed(link: RedfishLink, way: UpdateWay, image: ImageFile, confirmed: Confirmed | None) -> Answer:
    file = UpdateFile(image.path, image.size_bytes, image.sha256, _file_name(image), confirmed)
    try:
        return await link.push_update(way.push, way.said, file)
    finally:
        file.close()


async def _told_to_fetch(link: RedfishLink, way: UpdateWay, offer: Offer) -> Answer:
    """It is offered until the task has ended: nobody knows when a device fetches it."""
    return await link.ask("POST", way.fetch, {"ImageURI": offer.url, "TransferProtocol": "HTTP", **way.said})


def _task_of(link: RedfishLink, way: UpdateWay, answer: Answer, name: str) -> str:
    """What to wait for after the device answered to an update; empty: it said yes at once. Raises its no."""
    if not answer.ok:
        raise refused_answer(name, answer)
    task = path_of(answer.body.get("@odata.id")) if "TaskState" in answer.body else ""
    task = task or link.local(answer.headers.get("location", ""))
    if answer.status == 202 and not task:
        raise unclear(name, "202")
    return f"{AT_RESTART}{task}" if task and way.at_restart else task


def _file_name(image: ImageFile) -> str:
    """The name on the stick: some services look at its ending."""
    return image.release.files[0].target.rpartition("/")[2]
