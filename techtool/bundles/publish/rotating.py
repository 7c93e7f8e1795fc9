"""A key for another: somebody leaves, a token is lost or stolen, an algorithm grows old.

A key of root, top role or stick-maker changes the root, which the former root's keys and its own sign, so that every
laptop follows by itself. A key of a publisher, a lab or of the recalls changes the top role. Whatever loses the
signatures it stands on is staged again with the same content.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from securesystemslib.signer import Key, SSlibKey
from tuf.api.metadata import Metadata, Root, Targets

from techtool.bundles.profile import ORGANISATION
from techtool.bundles.publish.delegating import Holding, holdings, owners_ever, refuse_known_keys
from techtool.bundles.publish.keys import SUFFIX, KeySource, provide
from techtool.bundles.publish.restaging import settle
from techtool.bundles.publish.roles import key_fields, made_again
from techtool.bundles.publish.state import Shelf
from techtool.clock import Clock
from techtool.errors import PublisherError
from techtool.i18n import phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
_NUMBERED: Final = re.compile(r"(.+?)-([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did."""

    owner: str
    new_owner: str
    roles: tuple[str, ...]
    """In which the new key stands for the old one."""
    staged: tuple[str, ...]
    """What waits for signatures because of it."""
    key_file: Path | None
    """Of the new key, when it lies in the folder."""


def next_name(workspace: Workspace, owner: str) -> str:
    """The name of the key after ``owner``: ``lab-1`` → ``lab-3`` where ``lab-2`` is or was somebody."""
    found = _NUMBERED.fullmatch(owner)
    family = found[1] if found else owner
    numbers = [int(n[2]) for name in owners_ever(workspace) if (n := _NUMBERED.fullmatch(name)) and n[1] == family]
    return f"{family}-{max([1, *numbers]) + 1}"


def rotate(
    workspace: Workspace, owner: str, new_owner: str, source: KeySource, clock: Clock, *, lost: bool = False
) -> Rotated:
    """Replace the key of ``owner`` by one of ``new_owner`` in every role it has; raises :class:`PublisherError`.

    ``lost``: nobody can sign with the old key, so its signature under the next root is not counted on. ``source`` gives
    the new public key, or makes a key file.
    """
    shelf = Shelf(workspace)
    held = [holding for holding in holdings(shelf) if holding.owner == owner]
    _check(workspace, shelf, owner, new_owner, held)
    organisation = str(held[0].key.unrecognized_fields.get(ORGANISATION, ""))
    keys = provide(source, {new_owner: key_fields(new_owner, organisation)}, workspace.keys)
    refuse_known_keys(shelf, keys)
    if lost:
        _remember_lost(workspace, shelf, held)
    keys.save(workspace.keys, source.passphrase, workspace.disk)
    for holding in held:
        _replace(workspace, shelf, holding, keys.public[new_owner], clock)
    again = settle(workspace, clock.now())
    tops = tuple(dict.fromkeys(holding.top for holding in held))
    roles = tuple(role for holding in held for role in holding.roles)
    file = workspace.keys / f"{new_owner}{SUFFIX}"
    here = file if file.exists() else None
    return Rotated(owner, new_owner, roles, tuple(dict.fromkeys((*tops, *again))), here)


def _check(workspace: Workspace, shelf: Shelf, owner: str, new_owner: str, held: list[Holding]) -> None:
    everyone = sorted({holding.owner for holding in holdings(shelf)})
    if not held:
        text = phrase(
            "“{owner}” is no owner of a key here; there are: {owners}", owner=owner, owners=", ".join(everyone)
        )
        raise PublisherError(problem=text)
    if not _NAME.fullmatch(new_owner):
        text = phrase("“{name}” cannot be a key's name: small letters, digits and hyphens only", name=new_owner)
        raise PublisherError(problem=text)
    if new_owner in owners_ever(workspace):
        text = phrase("“{name}” is or was another key's name; give a new one", name=new_owner)
        raise PublisherError(problem=text)


def _remember_lost(workspace: Workspace, shelf: Shelf, held: list[Holding]) -> None:
    """Keep that the key does not sign the next root, when the others are enough for that.

    Laptops follow a new root only by the former one's keys: without enough of those, no rotation reaches them.
    """
    former = shelf.published.get("root")
    if former is None or not isinstance(former.metadata.signed, Root):
        return
    role = former.metadata.signed.roles["root"]
    lost = workspace.lost_keys() | {holding.key.keyid for holding in held if holding.key.keyid in role.keyids}
    left = len(set(role.keyids) - lost)
    if left < role.threshold:
        text = phrase(
            "the root needs {threshold} signatures and only {keys} of its keys are left: laptops cannot be led to "
            "another one. Make a new bundle, and have its root trusted on every laptop (“techtool trust add”)",
            threshold=role.threshold,
            keys=left,
        )
        raise PublisherError(problem=text)
    if lost != workspace.lost_keys():
        workspace.remember_lost(lost)


def _replace(workspace: Workspace, shelf: Shelf, holding: Holding, new: SSlibKey, clock: Clock) -> None:
    """Stage the root or the top role with the new key in the place of the old one."""
    current = shelf.current(holding.top)
    if current is None:
        return
    signed = copy.deepcopy(current.metadata.signed)
    for role in holding.roles:
        _swap(signed, role, holding.key, new)
    version = workspace.next_version(holding.top)
    if isinstance(signed, Root):
        workspace.stage(holding.top, Metadata(made_again(signed, version, clock.now())))
    else:
        workspace.stage(holding.top, Metadata(made_again(signed, version, clock.now())))


def _swap(signed: Root | Targets, role: str, old: Key, new: Key) -> None:
    signed.revoke_key(old.keyid, role)
    signed.add_key(new, role)
