"""Bring an image to a Redfish service and wait until its task has ended.

Pushed in one request where the service takes that (``MultipartHttpPushUri``); where it only fetches files itself
(``SimpleUpdate`` over HTTP), this laptop offers that one file to that one device meanwhile. Source: DMTF DSP0266 §12.6
and §12.5 (task monitors), DSP2062 (firmware update white paper).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from techtool.clock import Clock
from techtool.domain.components import shown_version
from techtool.domain.release import Release
from techtool.errors import (
    CertificateChanged,
    InstallFailed,
    LinkError,
    LinkTimeout,
    LoginNeeded,
    LoginRefused,
    NotCapable,
    NotCompatible,
)
from techtool.i18n import phrase
from techtool.links.base import Confirmed
from techtool.links.redfish.http import Answer
from techtool.links.redfish.link import RedfishLink, said_by
from techtool.links.redfish.offer import offered
from techtool.links.redfish.payload import UpdateFile
from techtool.links.redfish.values import Body, list_of, path_of, text_of
from techtool.terminals.base import ImageFile, SessionSink
from techtool.terminals.redfish_read import Component, UpdateService
from techtool.terminals.refusals import refused_with

SILENT_S: Final = 600.0
"""So long a task may stay as it is; then the technician is told, may stop here, and the visit is resumed later."""
AWAY_S: Final = 300.0
"""So long a device may be gone in the middle: many restart as part of an update."""
_POLL_S: Final = 2.0
_POLL_BOUNDS_S: Final = (0.1, 30.0)
_RUNNING: Final = frozenset({"New", "Starting", "Running", "Pending", "Service", "Stopping", "Suspended", "Cancelling"})
_DONE: Final = "Completed"
_GIVE_UP: Final = (CertificateChanged, LoginNeeded, LoginRefused)


@dataclass(frozen=True, slots=True)
class UpdateWay:
    """How one release is brought to one device."""

    push: str
    """Where it is pushed; empty: the device fetches it."""
    fetch: str
    """The action by which the device is told to fetch it."""
    said: Mapping[str, object]
    """What the device is told besides: for which component, and when."""


def choose_way(address: str, service: UpdateService, components: Sequence[Component], release: Release) -> UpdateWay:
    """By what the device says that it can; raises ``NotCapable``, ``NotCompatible``, ``InstallFailed``."""
    target = next((component for component in components if component.id == release.id), None)
    if target is not None and not target.updateable:
        reason = phrase("the device says that {component} cannot be updated", component=target.id)
        raise NotCompatible(release=release.key, reason=reason)
    if service.largest_bytes and release.size_bytes > service.largest_bytes:
        raise refused_with(_name(release), "HTTP 413", "")
    said: dict[str, object] = {"Targets": [target.path]} if target is not None else {}
    apply_time = next((time for time in ("Immediate", "OnReset") if time in service.apply_times), "")
    if apply_time:
        said["@Redfish.OperationApplyTime"] = apply_time
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
) -> None:
    """See :meth:`techtool.terminals.base.TakesImages.install_image`."""

    async def ended(answer: Answer) -> None:
        await _ended(link, answer, _name(image.release), clock, session, lambda: _alive(image, confirmed))

    if way.push:
        await ended(await _pushed(link, way, image, confirmed))
    else:
        await _fetched(link, way, image, confirmed, ended)


def _alive(image: ImageFile, confirmed: Confirmed | None) -> None:
    """Something moved: all of it is there, and it goes on."""
    if confirmed is not None:
        confirmed(image.size_bytes)


async def _pushed(link: RedfishLink, way: UpdateWay, image: ImageFile, confirmed: Confirmed | None) -> Answer:
    file = UpdateFile(image.path, image.size_bytes, image.sha256, _file_name(image), confirmed)
    try:
        return await link.push_update(way.push, way.said, file)
    finally:
        file.close()


async def _fetched(
    link: RedfishLink,
    way: UpdateWay,
    image: ImageFile,
    confirmed: Confirmed | None,
    ended: Callable[[Answer], Awaitable[None]],
) -> None:
    """The file is offered until the task has ended: nobody knows when a device fetches it."""
    host, peer = link.hosts
    try:
        async with offered(image.path, image.size_bytes, host=host, peer=peer, confirmed=confirmed) as there:
            wanted = {"ImageURI": there.url, "TransferProtocol": "HTTP", **way.said}
            await ended(await link.ask("POST", way.fetch, wanted))
    except OSError as error:
        capability = phrase("fetching the file from this laptop")
        raise NotCapable(address=str(link.address), capability=capability, detail=str(error)) from error


async def _ended(
    link: RedfishLink, answer: Answer, name: str, clock: Clock, session: SessionSink, alive: Callable[[], None]
) -> None:
    """Whatever the device answered to the update: a no, a task to wait for, or a yes at once."""
    if not answer.ok:
        raise _refused(name, answer.status, answer.body)
    task = path_of(answer.body.get("@odata.id")) if "TaskState" in answer.body else ""
    task = task or link.local(answer.headers.get("location", ""))
    if answer.status == 202 and not task:
        raise _unclear(name, "202")
    if not task:
        session("-")
        return
    session(task)
    await wait_for(link, task, name, clock, alive=alive)


async def wait_for(
    link: RedfishLink, task: str, name: str, clock: Clock, *, alive: Callable[[], None] = lambda: None
) -> None:
    """Ask a task, or its monitor, until it has ended; one that is gone has ended. Raises ``InstallFailed``.

    ``LinkTimeout`` where nothing moved for :data:`SILENT_S`, the link's own error where the device stays away.
    """
    seen: object = None
    heard_s = moved_s = clock.monotonic_s()
    while True:
        pause_s, now_s = _POLL_S, clock.monotonic_s()
        try:
            answer = await link.ask("GET", task)
            heard_s = now_s
        except _GIVE_UP:
            raise
        except LinkError:
            if now_s - heard_s > AWAY_S:
                raise
            await _again(link)
        else:
            if _is_over(name, answer):
                return
            state = (text_of(answer.body, "TaskState"), answer.body.get("PercentComplete"))
            if state != seen:
                seen, moved_s = state, now_s
                alive()
            elif now_s - moved_s > SILENT_S:
                raise LinkTimeout(address=str(link.address), seconds=round(SILENT_S))
            pause_s = _retry_after(answer)
        await asyncio.sleep(pause_s)


async def _again(link: RedfishLink) -> None:
    """Connect anew; a device on its way up refuses, drops, or does not know itself yet."""
    try:
        await link.open()
    except _GIVE_UP:
        raise
    except LinkError:
        return


def _is_over(name: str, answer: Answer) -> bool:
    """Whether the task has ended well, or is not there any more; raises ``InstallFailed`` where it ended badly."""
    if answer.status in (404, 410):
        return True
    if not answer.ok:
        if answer.status in (429, 500, 502, 503, 504) and "error" not in answer.body:
            return False
        raise _refused(name, answer.status, answer.body)
    state = text_of(answer.body, "TaskState")
    if state in _RUNNING or (not state and answer.status == 202):
        return False
    if state in ("", _DONE):
        if text_of(answer.body, "TaskStatus") == "Critical":
            raise _failed(name, answer.body)
        return True
    raise _failed(name, answer.body)


def _failed(name: str, body: Body) -> InstallFailed:
    """By the last key of a message registry that it names, else by the task's own state."""
    keys = [
        text_of(message, "MessageId").rpartition(".")[2]
        for message in list_of(body, "Messages")
        if isinstance(message, dict)
    ]
    known = [key for key in keys if key.endswith("Failed") or key == "NoTargetsDetermined"]
    return refused_with(name, (known or [text_of(body, "TaskState") or "Exception"])[-1], said_by(body))


def _refused(name: str, status: int, body: Body) -> InstallFailed:
    return refused_with(name, f"HTTP {status}", said_by(body))


def _unclear(name: str, answer: str) -> InstallFailed:
    return InstallFailed(
        package=name,
        reason=phrase("the terminal gave no clear answer"),
        remedy=phrase("Resume the visit: the terminal is read again before anything else is done."),
        word="",
        detail=answer,
        state=phrase("Whether it was installed is not known until the terminal is read again."),
    )


def _retry_after(answer: Answer) -> float:
    """What the device asks for, within bounds."""
    text = answer.headers.get("retry-after", "")
    asked = float(text) if text.isascii() and text.isdigit() and len(text) < 6 else _POLL_S
    return min(max(asked, _POLL_BOUNDS_S[0]), _POLL_BOUNDS_S[1])


def _name(release: Release) -> str:
    return f"{release.id} {shown_version(release)}"


def _file_name(image: ImageFile) -> str:
    """The name on the stick: some services look at its ending."""
    return image.release.files[0].target.rpartition("/")[2]
