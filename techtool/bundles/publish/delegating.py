"""Who holds which key in which role, and changes to that: a new publisher, the role of recalls, a key for another."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from securesystemslib.signer import Key
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, Targets

from techtool.bundles.profile import LAB, OFFICE, ORGANISATION, OWNER, RECALL, ROLE_PREFIX
from techtool.bundles.publish.creating import check_publisher_name, refuse_strangers, refuse_too_many
from techtool.bundles.publish.keys import KeySource, NewKeys, provide
from techtool.bundles.publish.restaging import settle
from techtool.bundles.publish.roles import (
    key_fields,
    made_again,
    owner_of,
    publisher_role,
    recall_role,
    vendor_owners,
)
from techtool.bundles.publish.state import TOP, Shelf
from techtool.clock import Clock
from techtool.domain.codec import CodecError, decode_json_untyped
from techtool.errors import PublisherError
from techtool.i18n import phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Holding:
    """One key in the bundle, by its owner."""

    owner: str
    key: Key
    roles: tuple[str, ...]
    """Whose metadata it may sign."""
    top: str
    """``root`` or ``targets``: which of the two names the key."""


@dataclass(frozen=True, slots=True)
class Delegated:
    """What a change of delegations made."""

    role: str
    owners: tuple[str, ...]
    key_files: tuple[Path, ...]
    """Of the keys that were made here."""
    staged: tuple[str, ...]


def holdings(shelf: Shelf, *, published: bool = False) -> tuple[Holding, ...]:
    """Every key of the bundle as it is being made, or as it is ``published``, by owner."""
    found: list[Holding] = []
    for name in TOP:
        loaded = shelf.published.get(name) if published else shelf.current(name)
        if loaded is None:
            continue
        signed = loaded.metadata.signed
        for keyid, key in _keys(signed).items():
            roles = tuple(role for role, keyids in _keyids(signed).items() if keyid in keyids)
            found.append(Holding(owner_of(key), key, roles, name))
    return tuple(sorted(found, key=lambda holding: (holding.owner, holding.top)))


def owners_ever(workspace: Workspace) -> set[str]:
    """Every owner's name that any root or top role has ever had: none is given to another key."""
    names = set()
    for role in TOP:
        for data in workspace.every_version(role):
            names |= set(_owners_in(data))
    return names


def add_publisher(
    workspace: Workspace,
    name: str,
    source: KeySource,
    clock: Clock,
    *,
    vendor_keys: int = 1,
    threshold: int | None = None,
) -> Delegated:
    """Let the bundle carry the releases of another publisher; raises :class:`PublisherError`.

    Its list is signed by its own keys and by the labs' that the bundle has; ``threshold`` as the other publishers'
    where it is not given.
    """
    check_publisher_name(name)
    if name in workspace.publishers:
        raise PublisherError(problem=phrase("the bundle has the publisher “{name}” already", name=name))
    refuse_too_many(len(workspace.publishers) + 1)
    owners = vendor_owners(name, vendor_keys)

    def change(delegations: Delegations, own: list[Key]) -> DelegatedRole:
        labs = [key for key in delegations.keys.values() if key.unrecognized_fields.get(ORGANISATION) == LAB]
        others = [role.threshold for at, role in (delegations.roles or {}).items() if at.startswith(ROLE_PREFIX)]
        wanted = threshold or max(others, default=2)
        if not 2 <= wanted <= len(own) + len(labs):
            text = phrase(
                "{role} would need {threshold} signatures, but has {keys} keys",
                role=f"{ROLE_PREFIX}{name}",
                threshold=wanted,
                keys=len(own) + len(labs),
            )
            raise PublisherError(problem=text)
        return publisher_role(name, [*own, *labs], wanted)

    return _delegate(workspace, f"{ROLE_PREFIX}{name}", owners, source, clock, change)


def add_recalls(workspace: Workspace, source: KeySource, clock: Clock, keys: int = 2) -> Delegated:
    """Give an older bundle the role of recalls; raises :class:`PublisherError`."""
    if RECALL in workspace.lists:
        raise PublisherError(problem=phrase("the bundle has keys for recalls already"))
    owners = {f"{RECALL}-{n}": OFFICE for n in range(1, keys + 1)}

    def change(_delegations: Delegations, own: list[Key]) -> DelegatedRole:
        return recall_role(own, 1)

    return _delegate(workspace, RECALL, owners, source, clock, change)


def refuse_known_keys(shelf: Shelf, keys: NewKeys) -> None:
    """One key, one owner: a threshold counts people; raises :class:`PublisherError`."""
    known = {holding.key.keyid: holding.owner for holding in holdings(shelf)}
    for owner, key in keys.public.items():
        if key.keyid in known:
            raise PublisherError(problem=phrase("{one} and {other} are one key", one=known[key.keyid], other=owner))


def _delegate(
    workspace: Workspace,
    role: str,
    owners: dict[str, str],
    source: KeySource,
    clock: Clock,
    change: Callable[[Delegations, list[Key]], DelegatedRole],
) -> Delegated:
    shelf = Shelf(workspace)
    refuse_strangers(source.given, owners)
    current = shelf.current("targets")
    if current is None or not isinstance(current.metadata.signed, Targets):
        raise PublisherError(problem=phrase("the bundle has no role {role}", role="targets"))
    fields = {owner: key_fields(owner, organisation) for owner, organisation in owners.items()}
    keys = provide(source, fields, workspace.keys)
    refuse_known_keys(shelf, keys)
    targets = copy.deepcopy(current.metadata.signed)
    delegations = targets.delegations or Delegations({}, {})
    targets.delegations = delegations
    delegated = change(delegations, list(keys.public.values()))
    delegations.keys.update({key.keyid: key for key in keys.public.values()})
    delegations.roles = {**(delegations.roles or {}), role: delegated}
    files = keys.save(workspace.keys, source.passphrase, workspace.disk)
    workspace.stage("targets", Metadata(made_again(targets, workspace.next_version("targets"), clock.now())))
    settle(workspace, clock.now())
    return Delegated(role, tuple(owners), files, ("targets", role))


def _keys(signed: Root | Targets) -> Mapping[str, Key]:
    if isinstance(signed, Root):
        return signed.keys
    return signed.delegations.keys if signed.delegations is not None else {}


def _keyids(signed: Root | Targets) -> Mapping[str, Sequence[str]]:
    """Ids of the keys of each role."""
    if isinstance(signed, Root):
        return {name: role.keyids for name, role in signed.roles.items()}
    roles = signed.delegations.roles if signed.delegations is not None else None
    return {name: role.keyids for name, role in (roles or {}).items()}


def _owners_in(data: bytes) -> Iterator[str]:
    """The owners that a root or top role names, whatever its version of the format."""
    try:
        tree = decode_json_untyped(data)
    except CodecError:
        return
    signed = _member(tree, "signed")
    for keys in (_member(signed, "keys"), _member(_member(signed, "delegations"), "keys")):
        for key in keys.values():
            owner = _member({"key": key}, "key").get(OWNER)
            if isinstance(owner, str):
                yield owner


def _member(tree: object, name: str) -> Mapping[str, object]:
    member = tree.get(name) if isinstance(tree, Mapping) else None
    return member if isinstance(member, Mapping) else {}
