"""The metadata of a bundle as it is made: who signs what, how many must, and how long it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from securesystemslib.signer import Key, SSlibKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    MetaFile,
    Role,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from techtool.bundles.metadata import ISSUED
from techtool.bundles.profile import LAB, ORGANISATION, OWNER, ROLE_PREFIX, VENDOR, paths_of

ROOT_DAYS: Final = 3 * 365
ROLE_DAYS: Final = 400
USE_BY_DAYS: Final = 120
"""How long a stick may be used after it was signed: also how long a laptop can miss a recall."""

S = TypeVar("S", bound=Signed)


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many keys each role has and how many must sign; the defaults suit an office of a few people."""

    root_keys: int = 3
    root_threshold: int = 2
    targets_keys: int = 2
    targets_threshold: int = 2
    vendor_keys: int = 1
    lab_keys: int = 1
    publisher_threshold: int = 2
    """Valid signatures over a publisher's list, of which one is the vendor's and one the lab's in any case."""

    def owners(self, publishers: Sequence[str]) -> dict[str, str]:
        """Every key by the name people call it by, and its organisation (empty where none matters)."""
        owners = {f"root-{n}": "" for n in range(1, self.root_keys + 1)}
        owners |= {f"targets-{n}": "" for n in range(1, self.targets_keys + 1)}
        for publisher in publishers:
            owners |= {f"{ROLE_PREFIX}{publisher}-{n}": VENDOR for n in range(1, self.vendor_keys + 1)}
        owners |= {f"lab-{n}": LAB for n in range(1, self.lab_keys + 1)}
        return {**owners, STICK_MAKER: ""}


STICK_MAKER: Final = "stick-maker"
"""The one key of snapshot and timestamp: whoever prepares sticks, every few weeks."""


def key_fields(owner: str, organisation: str) -> dict[str, str]:
    """The signed fields of a key: what people call it, and whose it is."""
    return {OWNER: owner, **({ORGANISATION: organisation} if organisation else {})}


def owner_of(key: Key) -> str:
    """The name of a key, as the metadata states it."""
    return str(key.unrecognized_fields.get(OWNER, key.keyid[:12]))


def first_root(keys: Mapping[str, SSlibKey], quorum: Quorum, now: datetime) -> Root:
    """Version 1 of the root."""
    by_role = {
        "root": (_numbered(keys, "root-"), quorum.root_threshold),
        "targets": (_numbered(keys, "targets-"), quorum.targets_threshold),
        "snapshot": ([keys[STICK_MAKER]], 1),
        "timestamp": ([keys[STICK_MAKER]], 1),
    }
    root = Root(
        version=1,
        expires=_after(now, ROOT_DAYS),
        keys={key.keyid: key for role_keys, _threshold in by_role.values() for key in role_keys},
        roles={name: Role([k.keyid for k in role_keys], threshold) for name, (role_keys, threshold) in by_role.items()},
        consistent_snapshot=True,
    )
    return _issued(root, now)


def first_targets(keys: Mapping[str, SSlibKey], publishers: Sequence[str], quorum: Quorum, now: datetime) -> Targets:
    """Version 1 of the top role, which only delegates."""
    labs = _numbered(keys, "lab-")
    roles: dict[str, DelegatedRole] = {}
    used: dict[str, Key] = {}
    for publisher in publishers:
        name = f"{ROLE_PREFIX}{publisher}"
        signers = [*_numbered(keys, f"{name}-"), *labs]
        used.update({key.keyid: key for key in signers})
        roles[name] = DelegatedRole(
            name, [k.keyid for k in signers], quorum.publisher_threshold, terminating=True, paths=paths_of(publisher)
        )
    targets = Targets(version=1, expires=_after(now, ROLE_DAYS), delegations=Delegations(used, roles))
    return _issued(targets, now)


def publisher_list(targets: Mapping[str, TargetFile], version: int, now: datetime) -> Targets:
    """What one publisher lists, from now on."""
    return _issued(Targets(version=version, expires=_after(now, ROLE_DAYS), targets=dict(targets)), now)


def snapshot_of(files: Mapping[str, bytes], versions: Mapping[str, int], version: int, now: datetime) -> Snapshot:
    """The state of all lists: every file by version, length and digest, so that no two states can be mixed."""
    meta = {f"{role}.json": _meta_file(data, versions[role]) for role, data in files.items()}
    return _issued(Snapshot(version=version, expires=_after(now, ROLE_DAYS), meta=meta), now)


def timestamp_of(snapshot: bytes, snapshot_version: int, version: int, now: datetime, use_by_days: int) -> Timestamp:
    """The last word: which snapshot counts, and until when the stick may be used."""
    timestamp = Timestamp(
        version=version, expires=_after(now, use_by_days), snapshot_meta=_meta_file(snapshot, snapshot_version)
    )
    return _issued(timestamp, now)


def file_entry(target: str, length: int, sha256: str) -> TargetFile:
    """One line of a publisher's list."""
    return TargetFile(length, {"sha256": sha256}, target)


def _numbered(keys: Mapping[str, SSlibKey], prefix: str) -> list[SSlibKey]:
    return [key for name, key in sorted(keys.items()) if name.startswith(prefix) and name[len(prefix) :].isdigit()]


def _meta_file(data: bytes, version: int) -> MetaFile:
    return MetaFile(version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})


def _after(now: datetime, days: int) -> datetime:
    return (now + timedelta(days=days)).astimezone(UTC).replace(microsecond=0)


def _issued(signed: S, now: datetime) -> S:
    signed.unrecognized_fields[ISSUED] = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return signed
