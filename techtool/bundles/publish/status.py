"""How a bundle stands: what ends when, whose signatures are missing, which keys are here, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from securesystemslib.signer import Key

from techtool.bundles.metadata import issued
from techtool.bundles.profile import ORGANISATION, RECALL
from techtool.bundles.publish.contents import recalls, release_paths, releases, withdrawn
from techtool.bundles.publish.delegating import holdings
from techtool.bundles.publish.keyfiles import KeyFile, look_into
from techtool.bundles.publish.lint import staged_errors
from techtool.bundles.publish.roles import owner_of
from techtool.bundles.publish.state import TOP, Missing, Shelf, keys_of
from techtool.bundles.roots import fingerprint
from techtool.clock import Clock
from techtool.domain.lint import LintFinding, in_order
from techtool.domain.recall import Recall
from techtool.domain.release import Release
from techtool.i18n import Phrase, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace

SOON: Final = timedelta(days=60)
URGENT: Final = timedelta(days=14)
_ONLINE: Final = ("snapshot", "timestamp")


class Ends(StrEnum):
    """How near the end of something is."""

    LATER = "later"
    SOON = "soon"
    """Within 60 days."""
    URGENT = "urgent"
    """Within 14 days."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class OwnerStatus:
    """Somebody who may sign a role."""

    owner: str
    organisation: str
    """``vendor``, ``lab``, ``office``, or empty."""
    key_here: bool
    """The private key lies in the folder."""


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One role as it is published, and whether a newer version waits."""

    role: str
    version: int
    """0: never published."""
    expires: datetime | None
    days_left: int
    ends: Ends
    threshold: int
    owners: tuple[OwnerStatus, ...]
    staged_version: int
    """0: nothing is staged."""
    missing: tuple[Missing, ...]
    """Signatures that the staged version still needs."""


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """A private key that lies in the folder."""

    path: Path
    owner: str
    """Empty: no role knows it (any more)."""
    protected: bool
    retiring: bool
    """Another key is staged in its place: it counts until that is published, and must not be destroyed before."""


@dataclass(frozen=True, slots=True)
class PublishedStatus:
    """What goes onto sticks now."""

    version: int
    issued: datetime
    use_by: datetime
    """The earliest end of any of its roles: sticks are good until then."""
    days_left: int
    ends: Ends
    root_version: int
    root_sha256: str
    """What people tell each other of the root that laptops trust."""


@dataclass(frozen=True, slots=True)
class ReleaseStatus:
    """A release as it is being made."""

    release: Release
    role: str
    published: bool


@dataclass(frozen=True, slots=True)
class Status:
    """Everything a publisher asks of a folder."""

    folder: Path
    published: PublishedStatus | None
    roles: tuple[RoleStatus, ...]
    keys: tuple[KeyStatus, ...]
    releases: tuple[ReleaseStatus, ...]
    recalls: tuple[tuple[Recall, bool], ...]
    """With whether it is published."""
    withdrawn: tuple[tuple[str, str], ...]
    ready: tuple[str, ...]
    """Staged and complete: the stick-maker's key publishes it."""
    stick_makers: tuple[str, ...]
    held: tuple[LintFinding, ...] = ()
    """Lint errors of what is staged: the lists with them are not published."""

    @property
    def staged(self) -> tuple[RoleStatus, ...]:
        """The roles that wait."""
        return tuple(role for role in self.roles if role.staged_version)


def status(workspace: Workspace, clock: Clock) -> Status:
    """Look at the folder and change nothing; raises :class:`PublisherError` for what cannot be read."""
    shelf = Shelf(workspace)
    now = clock.now()
    files = tuple(look_into(workspace.keys))
    roles = tuple(_role(shelf, role, files, now) for role in (*TOP, *shelf.lists()))
    online = tuple(_online(workspace, shelf, role, files, now) for role in _ONLINE)
    done = release_paths(workspace, staged=False)
    out = list(recalls(workspace, staged=False).values())
    errors = staged_errors(workspace, shelf.staged, shelf.ready())
    ready = shelf.ready(errors)
    root = shelf.root(ready) or shelf.root(shelf.staged)
    return Status(
        folder=workspace.folder,
        published=_published(workspace, shelf, now),
        roles=(*roles, *online),
        keys=tuple(_key(file, shelf) for file in files),
        releases=tuple(ReleaseStatus(s.release, s.role, s.path in done) for s in releases(workspace)),
        recalls=tuple((recall, recall in out) for recall in recalls(workspace).values()),
        withdrawn=withdrawn(workspace),
        ready=ready,
        stick_makers=() if root is None else tuple(map(owner_of, keys_of(root, "timestamp"))),
        held=in_order(finding for of_role in errors.values() for finding in of_role),
    )


def ends(expires: datetime, now: datetime) -> Ends:
    """How near ``expires`` is."""
    left = expires - now
    if left <= timedelta(0):
        return Ends.ENDED
    return Ends.URGENT if left < URGENT else Ends.SOON if left < SOON else Ends.LATER


def next_step(found: Status) -> Phrase:
    """What to do now, in one line: the most urgent thing."""
    waiting = {role.role: role for role in found.staged if role.missing}
    if RECALL in waiting:
        owners = ", ".join(waiting[RECALL].missing[0].owners)
        return phrase("Next: a recall waits. One of {owners} runs “bundle sign” now.", owners=owners)
    if found.ready:
        owners = ", ".join(found.stick_makers)
        return phrase("Next: {owners} runs “bundle sign”: it publishes what is complete.", owners=owners)
    if found.held:
        named = ", ".join(dict.fromkeys(finding.release_key for finding in found.held))
        return phrase(
            "Next: mend {releases} (“bundle lint” shows what is wrong): “bundle withdraw”, then “bundle add” again.",
            releases=named,
        )
    if waiting:
        owners = ", ".join(dict.fromkeys(o for role in waiting.values() for lack in role.missing for o in lack.owners))
        return phrase("Next: “bundle sign” by those of {owners} who are named above.", owners=owners)
    near = [role for role in found.roles if role.ends in {Ends.ENDED, Ends.URGENT} and role.role not in _ONLINE]
    if near:
        return phrase("Next: “bundle renew”, because {roles} ends.", roles=", ".join(role.role for role in near))
    if found.published is None:
        return phrase("Next: “bundle sign”.")
    if found.published.ends in {Ends.ENDED, Ends.URGENT}:
        return phrase("Next: “bundle sign --renew”, then “bundle write”: sticks run out.")
    if not found.releases:
        return phrase("Next: “bundle add”.")
    return phrase("Next: “bundle write” to a stick.")


def _role(shelf: Shelf, role: str, files: Sequence[KeyFile], now: datetime) -> RoleStatus:
    published = shelf.published.get(role)
    staged = shelf.staged.get(role)
    by = shelf.delegator(role)
    expires = None if published is None else published.metadata.signed.expires
    return RoleStatus(
        role=role,
        version=0 if published is None else published.version,
        expires=expires,
        days_left=_days(expires, now),
        ends=Ends.LATER if expires is None else ends(expires, now),
        threshold=0 if by is None else by.get_delegated_role(role).threshold,
        owners=() if by is None else _owners(keys_of(by, role), files),
        staged_version=0 if staged is None else staged.version,
        missing=shelf.missing(role) if staged is not None else (),
    )


def _online(workspace: Workspace, shelf: Shelf, role: str, files: Sequence[KeyFile], now: datetime) -> RoleStatus:
    """Snapshot and timestamp, which the stick-maker makes anew each time."""
    signed = workspace.snapshot() if role == "snapshot" else workspace.timestamp()
    root = shelf.root(shelf.staged)
    return RoleStatus(
        role=role,
        version=0 if signed is None else signed.version,
        expires=None if signed is None else signed.expires,
        days_left=_days(None if signed is None else signed.expires, now),
        ends=Ends.LATER if signed is None else ends(signed.expires, now),
        threshold=0 if root is None else root.roles[role].threshold,
        owners=() if root is None else _owners(keys_of(root, role), files),
        staged_version=0,
        missing=(),
    )


def _owners(keys: Sequence[Key], files: Sequence[KeyFile]) -> tuple[OwnerStatus, ...]:
    return tuple(
        OwnerStatus(
            owner_of(key),
            str(key.unrecognized_fields.get(ORGANISATION, "")),
            any(_is(file, key) for file in files),
        )
        for key in keys
    )


def _key(file: KeyFile, shelf: Shelf) -> KeyStatus:
    staying = next((holding.owner for holding in holdings(shelf) if _is(file, holding.key)), "")
    known = next((holding.owner for holding in holdings(shelf, published=True) if _is(file, holding.key)), "")
    return KeyStatus(file.path, staying or known, file.protected, retiring=bool(known and not staying))


def _is(file: KeyFile, key: Key) -> bool:
    """Whether that is the file of that key: by its public half, or by its name where only a passphrase would tell."""
    return file.public == key.keyval.get("public") if file.public else file.path.stem == owner_of(key)


def _published(workspace: Workspace, shelf: Shelf, now: datetime) -> PublishedStatus | None:
    timestamp = workspace.timestamp()
    use_by = usable_until(workspace, shelf)
    if timestamp is None or use_by is None:
        return None
    return PublishedStatus(
        version=timestamp.version,
        issued=issued(timestamp),
        use_by=use_by,
        days_left=_days(use_by, now),
        ends=ends(use_by, now),
        root_version=workspace.published_version("root"),
        root_sha256=fingerprint(workspace.root_data()),
    )


def usable_until(workspace: Workspace, shelf: Shelf) -> datetime | None:
    """Until when sticks of the published state are good; None before the first."""
    timestamp, snapshot = workspace.timestamp(), workspace.snapshot()
    if timestamp is None or snapshot is None:
        return None
    return min(
        timestamp.expires, snapshot.expires, *(loaded.metadata.signed.expires for loaded in shelf.published.values())
    )


def _days(expires: datetime | None, now: datetime) -> int:
    return 0 if expires is None else (expires - now).days
