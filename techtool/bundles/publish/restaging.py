"""Staging a role again: the same content as a new version, when its signatures no longer suffice or its time ends."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tuf.api.metadata import Metadata

from techtool.bundles.publish.roles import end_of, made_again, publisher_list
from techtool.bundles.publish.state import TOP, Loaded, Shelf
from techtool.clock import Clock
from techtool.errors import PublisherError
from techtool.i18n import phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace

RENEW_DAYS: Final = 90
"""A role that ends within these days is renewed: time enough for several people to sign."""
_ONLINE: Final = ("snapshot", "timestamp")


def settle(workspace: Workspace, now: datetime) -> tuple[str, ...]:
    """Stage what must be signed again because a delegator changed; gives the roles, none when all is well.

    A list keeps its content and goes up by one version. A delegated role that has no list yet gets an empty one. What
    is staged already is left as it is. Doing it twice does nothing more, so an interrupted command is finished by it.
    """
    shelf = Shelf(workspace)
    if shelf.current("targets") is None:
        return ()
    again: list[str] = []
    for role in ("targets", *shelf.lists()):
        current = shelf.current(role)
        if current is None:
            workspace.stage(role, Metadata(publisher_list({}, workspace.next_version(role), now)))
        elif role not in shelf.staged and shelf.missing(role):
            stage_again(workspace, role, current, now)
        else:
            continue
        again.append(role)
    return tuple(again)


def stage_again(workspace: Workspace, role: str, current: Loaded, now: datetime) -> None:
    """The next version of ``role`` with the same content, to hold from now on, and with no signatures yet."""
    metadata = copy.deepcopy(current.metadata)
    metadata.signatures.clear()
    made_again(metadata.signed, workspace.next_version(role), now)
    workspace.stage(role, metadata)


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a renewal staged, and what it left alone."""

    staged: tuple[str, ...]
    waiting: tuple[str, ...]
    """Named or near their end, but staged already: signing them is enough."""
    newest: tuple[str, ...] = ()
    """They end soon, and a new version made now would hold no longer: they were made today."""
    limit: datetime | None = None
    """What counted as soon."""


def renew(workspace: Workspace, roles: Sequence[str], clock: Clock, within_days: int = RENEW_DAYS) -> Renewed:
    """Stage new versions with a new expiry of ``roles``; with none named, of all that end within ``within_days``.

    Snapshot and timestamp are made anew with each publication and cannot be named. Raises :class:`PublisherError`.
    """
    now = clock.now()
    shelf = Shelf(workspace)
    known = [*TOP, *shelf.lists()]
    limit = now + timedelta(days=within_days)
    soon = now + timedelta(days=RENEW_DAYS)  # a staged role with much time left keeps the signatures it has
    wanted = [_role(name, known) for name in roles] or [role for role in known if _ends(shelf, role, limit, now)]
    staged: list[str] = []
    waiting: list[str] = []
    for role in dict.fromkeys(wanted):
        current = shelf.current(role)
        if current is None:
            continue
        if role in shelf.staged and not _ends(shelf, role, soon, now):
            waiting.append(role)
            continue
        stage_again(workspace, role, current, now)
        staged.append(role)
    newest = tuple(role for role in known if role not in wanted and _ends_by(shelf, role, limit))
    return Renewed(tuple(staged), tuple(waiting), newest, limit)


def _ends_by(shelf: Shelf, role: str, limit: datetime) -> bool:
    current = shelf.current(role)
    return current is not None and current.metadata.signed.expires <= limit


def _ends(shelf: Shelf, role: str, limit: datetime, now: datetime) -> bool:
    """Whether a role ends by ``limit`` and a new version would hold longer."""
    current = shelf.current(role)
    if current is None:
        return False
    expires = current.metadata.signed.expires
    return expires <= limit and end_of(current.metadata.signed, now) - expires >= timedelta(days=1)


def _role(name: str, known: Sequence[str]) -> str:
    """A role by its name, or by its publisher's."""
    if name in _ONLINE:
        raise PublisherError(problem=phrase("{role} is made anew each time: “bundle sign --renew”", role=name))
    for role in (name, f"vendor-{name}"):
        if role in known:
            return role
    text = phrase("the bundle has no role {role}; there are: {roles}", role=name, roles=", ".join(known))
    raise PublisherError(problem=text)
