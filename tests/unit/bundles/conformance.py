"""A small TUF repository on a stick, whose every role can be signed by anybody, and a laptop that opens it.

It is made with python-tuf's classes and not with the publisher's side, so that it can publish what no office would.
The top list delegates to one publisher (or more), as techtool's profile demands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from securesystemslib.signer import CryptoSigner, Signer, SSlibKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from techtool.bundles.description import encode_release
from techtool.bundles.medium import place_of
from techtool.bundles.metadata import ISSUED
from techtool.bundles.profile import paths_of
from techtool.bundles.publish.roles import key_fields
from techtool.bundles.roots import pin_root, read_mirror
from techtool.bundles.trust import Stick, open_stick
from techtool.clock import FixedClock
from techtool.domain.release import Provides, Release, ReleaseFile, ReleaseKind
from techtool.errors import TrustError
from techtool.paths import Paths
from tests.unit.bundles.office import NOW, private_key

ACME: Final = "vendor-acme"
TOP: Final = ("root", "timestamp", "snapshot", "targets")
LISTS: Final = (ACME, "targets", "snapshot", "timestamp")
ALL: Final = ("root", *LISTS)
S = TypeVar("S", bound=Signed)


def unpublished(signed: S) -> S:
    """Of no version yet: the first publishing makes it 1."""
    signed.version = 0
    return signed


def make_signer(owner: str, organisation: str = "") -> CryptoSigner:
    key = SSlibKey.from_crypto(private_key(owner).public_key())
    key.unrecognized_fields.update(key_fields(owner, organisation))
    return CryptoSigner(private_key(owner), key)


@dataclass
class Repository:
    """The stick as it is being made: change what is signed, then :meth:`publish`."""

    stick: Path
    at: datetime = NOW
    hashes: bool = True
    """Whether snapshot and timestamp name the digests of what they list."""
    signers: dict[str, list[Signer]] = field(default_factory=dict)
    lists: dict[str, Targets] = field(default_factory=dict)

    def __post_init__(self) -> None:
        later = (self.at + timedelta(days=300)).replace(microsecond=0)
        for name in TOP:
            self.signers[name] = [make_signer(name)]
        keys = {s[0].public_key.keyid: s[0].public_key for s in self.signers.values()}
        roles = {name: Role([self.signers[name][0].public_key.keyid], 1) for name in TOP}
        self.root = unpublished(Root(expires=later, keys=keys, roles=roles, consistent_snapshot=True))
        self.targets = unpublished(Targets(expires=later, delegations=Delegations({}, {})))
        self.snapshot = unpublished(Snapshot(expires=later, meta={}))
        self.timestamp = unpublished(Timestamp(expires=later))
        self.add_publisher("acme")
        self.add_release("1.0")
        self.publish("root", ACME, "targets", "snapshot", "timestamp")

    @property
    def bundle(self) -> Path:
        return self.stick / "TECHTOOL"

    @property
    def metadata(self) -> Path:
        return self.bundle / "metadata"

    @property
    def delegations(self) -> dict[str, DelegatedRole]:
        assert self.targets.delegations is not None
        assert self.targets.delegations.roles is not None
        return self.targets.delegations.roles

    def signed(self, role: str) -> Signed:
        top: Mapping[str, Signed] = {
            "root": self.root,
            "timestamp": self.timestamp,
            "snapshot": self.snapshot,
            "targets": self.targets,
        }
        return top[role] if role in top else self.lists[role]

    def add_publisher(self, name: str) -> None:
        """A delegated role with a vendor's key and a lab's."""
        role = f"vendor-{name}"
        self.signers[role] = [make_signer(f"{role}-1", "vendor"), make_signer("lab-1", "lab")]
        keys = [signer.public_key for signer in self.signers[role]]
        assert self.targets.delegations is not None
        self.targets.delegations.keys.update({key.keyid: key for key in keys})
        self.delegations[role] = DelegatedRole(role, [k.keyid for k in keys], 2, True, paths_of(name))
        self.add_list(role)

    def add_list(self, role: str) -> None:
        """An empty list, unless there is one already."""
        self.lists.setdefault(role, unpublished(Targets(expires=self.root.expires)))
        self.signers.setdefault(role, self.signers[ACME])

    def add_release(
        self, version: str, name: str = "pay", publisher: str = "acme", content: bytes = b"payload"
    ) -> Path:
        """A release with one payload; gives the payload's place on the stick."""
        path = f"{publisher}/{name}/{name}.bin"
        payload = self.put(f"vendor-{publisher}", path, content)
        release = Release(
            id=f"com.{publisher}.{name}",
            version=version,
            version_format="dotted",
            kind=ReleaseKind.PARAMETERS,
            files=(ReleaseFile("data", path, len(content), hashlib.sha256(content).hexdigest(), None),),
            provides=(Provides("sunmi", "P2"),),
        )
        self.put(f"vendor-{publisher}", f"releases/{publisher}/{name}.json", encode_release(release))
        return payload

    def put(self, role: str, path: str, data: bytes, digests: Sequence[str] = ("sha256",)) -> Path:
        """A file on the stick and its line in a list."""
        named = {name: hashlib.new(name, data).hexdigest() for name in digests}
        place = self.bundle / place_of(path, hashlib.sha256(data).hexdigest())
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        self.lists[role].targets[path] = TargetFile(len(data), named, path)
        return place

    def set_keys(self, role: str, owners: Iterable[int], threshold: int) -> None:
        """Let the root say that these (by number) sign ``role``, and how many must."""
        for keyid in list(self.root.roles[role].keyids):
            self.root.revoke_key(keyid, role)
        self.root.roles[role].threshold = threshold
        for number in owners:
            self.root.add_key(make_signer(f"key-{number}").public_key, role)

    def sign_with(self, role: str, owners: Iterable[int]) -> None:
        self.signers[role] = [make_signer(f"key-{number}") for number in owners]

    def rotate_keys(self, *roles: str) -> None:
        """Replace the key of each role by one that was never used."""
        for role in roles:
            number = 100 + self.root.version * 10
            self.set_keys(role, [number], 1)
            self.sign_with(role, [number])

    def publish(self, *roles: str, bump: bool = True) -> None:
        """Write new versions of these, in the order a repository makes them."""
        for role in sorted(roles, key=_order):
            signed = self.signed(role)
            if bump:
                signed.version += 1
            self.write(role, self.sign(role, signed), signed.version)

    def sign(self, role: str, signed: Signed) -> bytes:
        signed.unrecognized_fields.setdefault(ISSUED, f"{self.at:%Y-%m-%dT%H:%M:%SZ}")
        metadata = Metadata(cast("Any", signed))
        for signer in self.signers[role]:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def write(self, role: str, data: bytes, version: int) -> None:
        self.metadata.mkdir(parents=True, exist_ok=True)
        self.file(role, version).write_bytes(data)
        if role == "snapshot":
            self.timestamp.snapshot_meta = self.meta(data, version)
        elif role not in {"root", "timestamp"}:
            self.snapshot.meta[f"{role}.json"] = self.meta(data, version)

    def file(self, role: str, version: int | None = None) -> Path:
        number = self.signed(role).version if version is None else version
        return self.metadata / ("timestamp.json" if role == "timestamp" else f"{number}.{role}.json")

    def meta(self, data: bytes, version: int) -> MetaFile:
        if not self.hashes:
            return MetaFile(version)
        return MetaFile(version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})


def _order(role: str) -> int:
    order = {"root": 0, "targets": 2, "snapshot": 3, "timestamp": 4}
    return order.get(role, 1)


@dataclass
class Client:
    """A laptop."""

    home: Path
    repository: Repository
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    @property
    def paths(self) -> Paths:
        return Paths(self.home)

    def init(self, root: bytes | None = None) -> str:
        self.anchor = pin_root(self.paths, root or self.repository.file("root", 1).read_bytes())
        return self.anchor

    def refresh(self) -> bool:
        """Open the stick; whether it was accepted."""
        try:
            self.opened: Stick = open_stick(self.repository.stick, self.paths, self.clock)
        except TrustError as error:
            self.error = error
            return False
        return True

    def usable(self) -> bool:
        """Whether it was accepted and may be installed from: what the suite's clients mean by success."""
        return self.refresh() and self.opened.expired is None

    def trusted(self) -> dict[str, int]:
        """Role → version of what the laptop keeps; empty when it keeps nothing yet."""
        files = read_mirror(self.paths, self.anchor)
        found: dict[str, int] = {}
        for name, data in files.items():
            role = name.rpartition("/")[2].removesuffix(".json").rpartition(".")[2]
            if not name.startswith("targets/"):
                found[role] = max(found.get(role, 0), Metadata.from_bytes(data).signed.version)
        return found

    def kept(self, name: str) -> bytes:
        return read_mirror(self.paths, self.anchor)[name]

    def download(self, release: str = "com.acme.pay") -> bytes | None:
        """Open the stick and fetch the payload of a release; None when that was refused."""
        try:
            stick = open_stick(self.repository.stick, self.paths, self.clock)
            item = next((i for i in stick.releases if i.release.id == release), None)
            if item is None:
                return None
            return stick.fetch(item, item.release.files[0], self.paths.payloads).read_bytes()
        except TrustError as error:
            self.error = error
            return None

    def downloaded(self) -> set[bytes]:
        folder = self.paths.payloads
        return {path.read_bytes() for path in folder.iterdir()} if folder.exists() else set()

    def days(self, count: float) -> None:
        self.clock.at = NOW + timedelta(days=count)


def days_from_now(count: float) -> datetime:
    return (NOW + timedelta(days=count)).astimezone(UTC).replace(microsecond=0)
