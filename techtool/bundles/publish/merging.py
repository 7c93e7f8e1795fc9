"""Two people signed two copies of one folder at the same time: their signatures come together here.

Taken over is a valid signature over exactly the bytes that are staged here, by a key that may sign them. Nothing else
of the other copy counts, so a copy that somebody tampered with can add nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from techtool.bundles.publish.roles import owner_of
from techtool.bundles.publish.state import Loaded, Shelf
from techtool.errors import PublisherError
from techtool.i18n import phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Merged:
    """What came from the other copy, and what could not."""

    taken: tuple[tuple[str, str], ...]
    """Role, and whose signature over it."""
    differing: tuple[str, ...]
    """Made in both with other content: one of the two changes has to be made again."""
    elsewhere: tuple[str, ...]
    """Staged only in the other copy."""
    ahead: bool
    """The other copy has published a later state: it is the one to go on with."""
    done: tuple[str, ...] = ()
    """Staged in the other copy, and published here meanwhile."""


def merge(workspace: Workspace, other: Workspace) -> Merged:
    """Take over the signatures of ``other``; raises :class:`PublisherError` where one of the two cannot be read."""
    if workspace.folder.resolve() == other.folder.resolve():
        raise PublisherError(problem=phrase("{path} is this folder itself", path=str(other.folder)))
    shelf = Shelf(workspace)
    taken: list[tuple[str, str]] = []
    differing: list[str] = []
    for role, staged in shelf.staged.items():
        theirs = list(_versions_of(other, role, staged.version))
        same = [loaded for loaded in theirs if loaded.signed_bytes == staged.signed_bytes]
        if theirs and not same:
            differing.append(role)
        owners = [owner for loaded in same for owner in _take(shelf, role, staged, loaded)]
        if owners:
            workspace.stage(role, staged.metadata)
        taken += [(role, owner) for owner in owners]
    elsewhere: list[str] = []
    done: list[str] = []
    for role in other.staged_roles():
        if role not in shelf.staged and role not in shelf.finished:
            _sorted_in(workspace, role, Loaded(other.parsed(role, other.staged_file(role))), done, differing, elsewhere)
    ahead = _version(other) > _version(workspace)
    return Merged(tuple(taken), tuple(differing), tuple(elsewhere), ahead, tuple(done))


def _sorted_in(
    workspace: Workspace, role: str, theirs: Loaded, done: list[str], differing: list[str], elsewhere: list[str]
) -> None:
    """What waits there and not here: published here meanwhile, overtaken by another content, or changed only there."""
    here = list(_versions_of(workspace, role, theirs.version))
    if not here:
        elsewhere.append(role)
    elif any(loaded.signed_bytes == theirs.signed_bytes for loaded in here):
        done.append(role)
    else:
        differing.append(role)


def _versions_of(other: Workspace, role: str, version: int) -> Iterator[Loaded]:
    """The role in the other copy: staged there, or published there meanwhile as that version."""
    if role in other.staged_roles():
        yield Loaded(other.parsed(role, other.staged_file(role)))
    if (other.metadata / f"{version}.{role}.json").exists():
        yield Loaded(other.parsed(role, other.published_file(role, version)))


def _take(shelf: Shelf, role: str, staged: Loaded, theirs: Loaded) -> Iterator[str]:
    """Copy each valid signature that is not here yet; the owners."""
    for delegator in shelf.delegators(role):
        here = delegator.get_verification_result(role, staged.signed_bytes, staged.metadata.signatures)
        there = delegator.get_verification_result(role, staged.signed_bytes, theirs.metadata.signatures)
        for keyid, key in there.signed.items():
            if keyid in here.unsigned:
                staged.metadata.signatures[keyid] = theirs.metadata.signatures[keyid]
                yield owner_of(key)


def _version(workspace: Workspace) -> int:
    timestamp = workspace.timestamp()
    return 0 if timestamp is None else timestamp.version
