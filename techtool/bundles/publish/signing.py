"""Signing by several people: each adds the signatures of the keys at hand; the last one publishes.

What is staged is signed role by role. When every staged role has what its delegator demands (a publisher's list both
a vendor's and a lab's signature), the stick-maker's key makes a new snapshot and timestamp, and the whole is published.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root, Targets

from techtool.bundles.profile import LAB, ORGANISATION, ROLE_PREFIX, VENDOR, organisations
from techtool.bundles.publish.keys import KeyRing
from techtool.bundles.publish.roles import STICK_MAKER, owner_of, snapshot_of, timestamp_of
from techtool.clock import Clock

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Missing:
    """A role that is not signed by enough people yet."""

    role: str
    owners: tuple[str, ...]
    """Any of these may sign."""
    signatures: int
    """How many of them are still needed."""


@dataclass(frozen=True, slots=True)
class SignReport:
    """What a signing did."""

    signed: tuple[tuple[str, str], ...]
    """Role and the key that signed it now."""
    missing: tuple[Missing, ...]
    published: bool
    """Whether there is a new state to write to sticks."""
    use_by: datetime | None = None
    version: int = 0
    """Of the timestamp that was published."""


def sign(workspace: Workspace, ring: KeyRing, clock: Clock, *, renew: bool, use_by_days: int) -> SignReport:
    """Add the signatures of the keys in ``ring``; publish when none is missing. ``renew`` moves the use-by date on.

    With nothing staged and no ``renew`` nothing is done, and the report says so by being empty.
    """
    signed: list[tuple[str, str]] = []
    missing: list[Missing] = []
    for role in workspace.staged_roles():
        signed += [(role, owner) for owner in _sign_role(workspace, ring, role)]
        lacking = _lacking(workspace, role)
        if lacking is not None:
            missing.append(lacking)
    if not missing and (workspace.staged_roles() or renew):
        return _publish(workspace, ring, clock.now(), use_by_days, tuple(signed))
    return SignReport(tuple(signed), tuple(missing), published=False)


def _sign_role(workspace: Workspace, ring: KeyRing, role: str) -> list[str]:
    """Sign one staged role with every key at hand that may; the names of those that had not yet."""
    metadata = _metadata(workspace, role)
    done: list[str] = []
    for delegator in _delegators(workspace, role):
        result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
        for key in result.unsigned.values():
            signer = ring.signer(key, owner_of(key))
            if signer is not None and owner_of(key) not in done:
                metadata.sign(signer, append=True)
                done.append(owner_of(key))
    if done:
        workspace.stage(role, metadata)
    return done


def _lacking(workspace: Workspace, role: str) -> Missing | None:
    """Whose signatures a staged role still needs."""
    metadata = _metadata(workspace, role)
    for delegator in _delegators(workspace, role):
        result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
        wanted = result.missing
        candidates = dict(result.unsigned)
        if role.startswith(ROLE_PREFIX):
            there = organisations({i: key.unrecognized_fields for i, key in result.signed.items()})
            absent = [name for name in (VENDOR, LAB) if name not in there]
            if absent:
                wanted = max(wanted, len(absent))
                candidates = {i: k for i, k in candidates.items() if k.unrecognized_fields.get(ORGANISATION) in absent}
        if wanted:
            return Missing(role, tuple(sorted(map(owner_of, candidates.values()))), wanted)
    return None


def _publish(
    workspace: Workspace, ring: KeyRing, now: datetime, use_by_days: int, signed: tuple[tuple[str, str], ...]
) -> SignReport:
    """Make snapshot and timestamp over everything, and publish it in an order that is good at any moment."""
    staged = workspace.staged_roles()
    signer = None
    for key in _stick_makers(workspace.root().signed):
        signer = signer or ring.signer(key, owner_of(key))
    if signer is None:
        owners = tuple(owner_of(key) for key in _stick_makers(workspace.root().signed)) or (STICK_MAKER,)
        return SignReport(signed, (Missing("timestamp", owners, 1),), published=False)
    lists, versions = _all_lists(workspace, staged)
    before = workspace.timestamp()
    snapshot_version = (before.snapshot_meta.version if before else 0) + 1
    snapshot = Metadata(snapshot_of(lists, versions, snapshot_version, now))
    snapshot.sign(signer)
    snapshot_data = snapshot.to_bytes()
    version = (before.version if before else 0) + 1
    timestamp = Metadata(timestamp_of(snapshot_data, snapshot_version, version, now, use_by_days))
    timestamp.sign(signer)
    files = {f"{_metadata(workspace, r).signed.version}.{r}.json": _metadata(workspace, r).to_bytes() for r in staged}
    files |= {f"{snapshot_version}.snapshot.json": snapshot_data, "timestamp.json": timestamp.to_bytes()}
    workspace.publish(files)
    for role in staged:
        workspace.unstage(role)
    by = owner_of(signer.public_key)
    return SignReport(
        (*signed, ("snapshot", by), ("timestamp", by)), (), True, timestamp.signed.expires, timestamp.signed.version
    )


def _all_lists(workspace: Workspace, staged: tuple[str, ...]) -> tuple[dict[str, bytes], dict[str, int]]:
    """Every list as it will lie on the stick, and its version."""
    names = ["targets", *(f"{ROLE_PREFIX}{name}" for name in workspace.publishers)]
    lists: dict[str, bytes] = {}
    versions: dict[str, int] = {}
    for role in names:
        metadata = workspace.list_of(role)
        versions[role] = metadata.signed.version
        published = workspace.published_version(role)
        lists[role] = metadata.to_bytes() if role in staged else workspace.published_file(role, published)
    return lists, versions


def _metadata(workspace: Workspace, role: str) -> Metadata[Root] | Metadata[Targets]:
    return workspace.root() if role == "root" else workspace.list_of(role)


def _delegators(workspace: Workspace, role: str) -> Iterator[Root | Targets]:
    """Who says which keys sign ``role``: a new root needs the old root's keys as well as its own."""
    if role == "root":
        published = workspace.published_root()
        if published is not None:
            yield published.signed
        yield workspace.root().signed
    elif role == "targets":
        yield workspace.root().signed
    else:
        yield workspace.list_of("targets").signed


def _stick_makers(root: Root) -> list[Key]:
    """Keys that may sign both snapshot and timestamp."""
    both = [i for i in root.roles["timestamp"].keyids if i in root.roles["snapshot"].keyids]
    return [root.keys[keyid] for keyid in both]
