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
from techtool.bundles.profile import (
    LAB,
    OFFICE,
    ORGANISATION,
    OWNER,
    RECALL,
    RECALL_PATHS,
    ROLE_PREFIX,
    VENDOR,
    paths_of,
)
from techtool.errors import PublisherError
from techtool.i18n import phrase

ROOT_DAYS: Final = 3 * 365
ROLE_DAYS: Final = 400
USE_BY_DAYS: Final = 120
"""How long a stick may be used after it was signed: also how long a laptop can miss a recall."""

S = TypeVar("S", bound=Signed)


STICK_MAKER: Final = "stick-maker"
"""The one key of snapshot and timestamp: whoever prepares sticks, every few weeks."""


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
    recall_keys: int = 2
    """0: the bundle cannot recall."""
    recall_threshold: int = 1

    def owners(self, publishers: Sequence[str]) -> dict[str, str]:
        """Every key by the name people call it by, and its organisation (empty where none matters)."""
        owners = {f"root-{n}": "" for n in range(1, self.root_keys + 1)}
        owners |= {f"targets-{n}": "" for n in range(1, self.targets_keys + 1)}
        for publisher in publishers:
            owners |= vendor_owners(publisher, self.vendor_keys)
        owners |= {f"lab-{n}": LAB for n in range(1, self.lab_keys + 1)}
        owners |= {f"{RECALL}-{n}": OFFICE for n in range(1, self.recall_keys + 1)}
        return {**owners, STICK_MAKER: ""}

    def check(self) -> None:
        """Refuse what nobody could ever sign, and what the organisation rule makes idle."""
        of_lists = self.vendor_keys + self.lab_keys
        pairs = [
            ("root", self.root_threshold, self.root_keys),
            ("targets", self.targets_threshold, self.targets_keys),
            (f"{ROLE_PREFIX}…", self.publisher_threshold, of_lists),
        ]
        if self.recall_keys:
            pairs.append((RECALL, self.recall_threshold, self.recall_keys))
        for role, threshold, keys in pairs:
            if not 1 <= threshold <= keys:
                text = phrase(
                    "{role} would need {threshold} signatures, but has {keys} keys",
                    role=role,
                    threshold=threshold,
                    keys=keys,
                )
                raise PublisherError(problem=text)
        if self.vendor_keys < 1 or self.lab_keys < 1 or self.publisher_threshold < 2:
            text = phrase("a release needs two signatures at least, a vendor's and a lab's")
            raise PublisherError(problem=text)


def vendor_owners(publisher: str, count: int) -> dict[str, str]:
    """The vendor keys of a publisher by name, with their organisation."""
    return {f"{ROLE_PREFIX}{publisher}-{n}": VENDOR for n in range(1, count + 1)}


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
        signers = [*_numbered(keys, f"{ROLE_PREFIX}{publisher}-"), *labs]
        used.update({key.keyid: key for key in signers})
        role = publisher_role(publisher, signers, quorum.publisher_threshold)
        roles[role.name] = role
    security = _numbered(keys, f"{RECALL}-")
    if security:
        used.update({key.keyid: key for key in security})
        roles[RECALL] = recall_role(security, quorum.recall_threshold)
    targets = Targets(version=1, expires=_after(now, ROLE_DAYS), delegations=Delegations(used, roles))
    return _issued(targets, now)


def publisher_role(publisher: str, signers: Sequence[Key], threshold: int) -> DelegatedRole:
    """The delegation of one publisher: its own paths and no others."""
    name = f"{ROLE_PREFIX}{publisher}"
    return DelegatedRole(name, [k.keyid for k in signers], threshold, terminating=True, paths=paths_of(publisher))


def recall_role(signers: Sequence[Key], threshold: int) -> DelegatedRole:
    """The delegation of the office's security people."""
    return DelegatedRole(RECALL, [k.keyid for k in signers], threshold, terminating=True, paths=list(RECALL_PATHS))


def publisher_list(targets: Mapping[str, TargetFile], version: int, now: datetime) -> Targets:
    """What one publisher lists, from now on."""
    return _issued(Targets(version=version, expires=_after(now, ROLE_DAYS), targets=dict(targets)), now)


def made_again(signed: S, version: int, now: datetime) -> S:
    """The same content as a new version that holds from now on; changes ``signed`` and gives it back."""
    signed.version = version
    signed.expires = end_of(signed, now)
    return _issued(signed, now)


def end_of(signed: Signed, now: datetime) -> datetime:
    """Until when such a role holds that is made now."""
    return _after(now, ROOT_DAYS if isinstance(signed, Root) else ROLE_DAYS)


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
