"""Wait for the task of an update: a Redfish service goes on with it by itself, through restarts and lost links.

Source: DMTF DSP0266 §12.5 (task monitors), DSP0268 (Task).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from techtool.clock import Clock
from techtool.errors import CertificateChanged, InstallFailed, LinkError, LinkTimeout, LoginNeeded, LoginRefused
from techtool.i18n import Phrase, phrase
from techtool.links.redfish.http import Answer
from techtool.links.redfish.link import RedfishLink, said_by
from techtool.links.redfish.values import Body, list_of, text_of
from techtool.terminals.refusals import refusal_of, refused_with

SILENT_S: Final = 600.0
"""So long a task may stay as it is; then the technician is told, may stop here, and the visit is resumed later."""
AWAY_S: Final = 300.0
"""So long a device may be gone in the middle: many restart as part of an update."""
LONGEST_S: Final = 3 * 3600.0
"""So long a task is waited for in one go, however busy it says that it is."""
_POLL_S: Final = 2.0
_POLL_BOUNDS_S: Final = (0.1, 30.0)
_RUNNING: Final = frozenset({"New", "Starting", "Running", "Pending", "Service", "Stopping", "Suspended", "Cancelling"})
_KEPT: Final = frozenset({"Pending", "Suspended"})
_CLEAR: Final = (501, 503, 507)
_NOT_TOLD: Final = (401, 403)
"""Whoever asks may not see the task: no word on the update, which goes on."""
_DONE: Final = "Completed"
_GIVE_UP: Final = (CertificateChanged, LoginNeeded, LoginRefused)
AT_RESTART: Final = "at-restart "
"""Before the path of a task whose update is kept for the next restart; part of what is journalled."""
_NOT_FETCHED: Final = "NotFetched"
NOT_FETCHED: Final = f"{_NOT_FETCHED} "
"""Before the path of a task that ended well although nobody took the file; part of what is journalled as well."""
OFFERED: Final = "Offered "
"""Before the path of a task, if there is one yet, as long as the file was not fetched to its end; journalled as well.
With this laptop's process the offer is gone, so that a device left like this never gets the rest."""


async def wait_for(
    link: RedfishLink, session: str, name: str, clock: Clock, *, alive: Callable[[], None] = lambda: None
) -> bool:
    """Ask a task, or its monitor, until it has ended; one that is gone has ended.

    ``session``: the path, with :data:`AT_RESTART` before it where the device keeps the update for its next restart.
    True: that is what it waits for now. Raises ``InstallFailed``,
    ``LinkTimeout`` where nothing moved for :data:`SILENT_S` or it took :data:`LONGEST_S`, the link's own error where
    the device stays away.
    """
    task, at_restart = session.removeprefix(AT_RESTART), session.startswith(AT_RESTART)
    seen: object = None
    begun_s = heard_s = moved_s = clock.monotonic_s()
    while True:
        pause_s, now_s = _POLL_S, clock.monotonic_s()
        if now_s - begun_s > LONGEST_S:
            raise LinkTimeout(address=str(link.address), seconds=round(LONGEST_S))
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
                return False
            if at_restart and text_of(answer.body, "TaskState") in _KEPT:
                return True
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
        if answer.status in _NOT_TOLD:
            raise unclear(name, f"HTTP {answer.status} {said_by(answer.body)}")
        raise refused_answer(name, answer)
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


def refused_answer(name: str, answer: Answer) -> InstallFailed:
    """The error for an answer that is no; one by which nobody knows what the device did is no clear one."""
    if answer.status >= 500 and answer.status not in _CLEAR:
        return unclear(name, f"HTTP {answer.status} {said_by(answer.body)}")
    return refused_with(name, f"HTTP-{answer.status}", said_by(answer.body))


def unclear(name: str, answer: str) -> InstallFailed:
    """The terminal is read again before anything is believed."""
    return InstallFailed(
        package=name,
        reason=phrase("the terminal gave no clear answer"),
        remedy=phrase("Resume the visit: the terminal is read again before anything else is done."),
        word="",
        detail=answer,
        state=phrase("Whether it was installed is not known until the terminal is read again."),
    )


def not_fetched(name: str) -> InstallFailed:
    """A device says that it is done, and has never fetched the file: its version proves nothing then."""
    refusal = refusal_of(_NOT_FETCHED)
    return InstallFailed(
        package=name,
        reason=Phrase(refusal.reason),
        remedy=Phrase(refusal.remedy),
        word=_NOT_FETCHED,
        state=phrase("What this visit was to bring is not on it, whatever version it shows now."),
    )


def _retry_after(answer: Answer) -> float:
    """What the device asks for, within bounds."""
    text = answer.headers.get("retry-after", "")
    asked = float(text) if text.isascii() and text.isdigit() and len(text) < 6 else _POLL_S
    return min(max(asked, _POLL_BOUNDS_S[0]), _POLL_BOUNDS_S[1])
