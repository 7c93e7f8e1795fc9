"""An office with its people and keys, and a forger who has stolen some of them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.medium import place_of
from techtool.bundles.publish.adding import withdraw
from techtool.bundles.publish.roles import Quorum, key_fields, snapshot_of, timestamp_of
from techtool.bundles.publish.workspace import Workspace
from techtool.bundles.roots import pin_root
from techtool.bundles.trust import Stick, open_stick
from techtool.clock import FixedClock
from techtool.domain.release import ReleaseKind, Requirement
from techtool.errors import TechtoolError, Untrusted
from techtool.paths import Paths

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
PUBLISHERS = ("acme", "beta")
QUORUM = Quorum(lab_keys=2)
ACME = "vendor-acme"
ACME_SIGNS = ("vendor-acme-1", "lab-1")


def private_key(owner: str) -> Ed25519PrivateKey:
    """The same key for the same name in every run."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(owner.encode()).digest())


def public(owner: str) -> SSlibKey:
    key = SSlibKey.from_crypto(private_key(owner).public_key())
    organisations = {"lab": "lab", "vendor": "vendor", "recall": "office"}
    organisation = organisations.get(owner.partition("-")[0], "")
    key.unrecognized_fields.update(key_fields(owner, organisation))
    return key


def signer(owner: str) -> CryptoSigner:
    return CryptoSigner(private_key(owner), public(owner))


@dataclass
class Office:
    """A bundle folder, its sticks, and one technician's laptop."""

    folder: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    @classmethod
    def make(cls, folder: Path, publishers: Sequence[str] = PUBLISHERS) -> Office:
        office = cls(folder)
        Workspace.create(folder / "bundle", publishers, office.clock, quorum=QUORUM, make_key=private_key)
        return office

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self.folder / "bundle")

    @property
    def laptop(self) -> Paths:
        return Paths(self.folder / "laptop")

    def payload(self, name: str, content: bytes) -> Path:
        path = self.folder / "payloads" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def add(
        self,
        release_id: str,
        version: str = "1.0",
        publisher: str = "acme",
        content: bytes = b"payload",
        requires: tuple[Requirement, ...] = (),
    ) -> None:
        draft = Description(
            id=release_id,
            version=version,
            version_format="dotted",
            kind=ReleaseKind.PARAMETERS,
            provides=(ProvidesEntry("sunmi", "P2"),),
            requires=requires,
        )
        path = self.payload(f"{release_id}-{version}.bin", content + f"{release_id} {version}".encode())
        self.workspace.add(publisher, [path], draft, self.clock)

    def withdraw(self, release_id: str, version: str = "1.0") -> None:
        withdraw(self.workspace, release_id, version, self.clock)

    def stick(self, name: str = "stick") -> Path:
        """Sign with everybody and write."""
        self.workspace.sign(self.clock)
        self.workspace.write(self.folder / name, self.clock)
        return self.folder / name

    def enrol(self) -> None:
        pin_root(self.laptop, self.workspace.root_data())

    def open(self, stick: Path) -> Stick:
        return open_stick(stick, self.laptop, self.clock)

    def pocket(self, *owners: str) -> Path:
        """Somebody carries these keys away."""
        pocket = self.folder / "pockets" / "-".join(owners)
        pocket.mkdir(parents=True)
        for owner in owners:
            shutil.move(self.folder / f"bundle/keys/{owner}.key", pocket / f"{owner}.key")
        return pocket

    def later(self, **delta: float) -> None:
        self.clock.at += timedelta(**delta)

    def trust_state(self) -> dict[str, bytes]:
        """Everything the laptop believes, to see that it did not change."""
        trust = self.laptop.trust
        return {str(p.relative_to(trust)): p.read_bytes() for p in sorted(trust.rglob("*")) if p.is_file()}


@dataclass
class Forger:
    """Somebody who holds keys and rewrites a stick, with everything around it fitting again."""

    stick: Path
    at: datetime = NOW
    online_key: str = "stick-maker"

    @property
    def root(self) -> Path:
        return self.stick / "TECHTOOL"

    @property
    def metadata(self) -> Path:
        return self.root / "metadata"

    def newest(self, role: str) -> Path:
        return max(self.metadata.glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0]))

    def change_list(self, role: str, change: Callable[[Targets], None], owners: Sequence[str]) -> None:
        """A new version of a list, signed by ``owners`` only."""
        metadata = Metadata[Targets].from_bytes(self.newest(role).read_bytes())
        change(metadata.signed)
        self.put_list(role, metadata.signed, owners)

    def put_list(self, role: str, signed: Targets, owners: Sequence[str]) -> None:
        metadata = Metadata(signed)
        signed.version += 1
        for owner in owners:
            metadata.sign(signer(owner), append=True)
        (self.metadata / f"{signed.version}.{role}.json").write_bytes(metadata.to_bytes())
        self.restamp()

    def restamp(self, version: int | None = None) -> None:
        """Snapshot and timestamp over the newest lists, by the stolen online key."""
        old = Metadata[Timestamp].from_bytes((self.metadata / "timestamp.json").read_bytes()).signed
        snapshot_name = f"{old.snapshot_meta.version}.snapshot.json"
        snapshot = Metadata[Snapshot].from_bytes((self.metadata / snapshot_name).read_bytes()).signed
        lists, versions = {}, {}
        for name in snapshot.meta:
            path = self.newest(name.removesuffix(".json"))
            lists[name.removesuffix(".json")] = path.read_bytes()
            versions[name.removesuffix(".json")] = int(path.name.split(".")[0])
        self.put_state(lists, versions, snapshot.version + 1, version or old.version + 1)

    def put_state(self, lists: dict[str, bytes], versions: dict[str, int], snapshot: int, timestamp: int) -> None:
        made = Metadata(snapshot_of(lists, versions, snapshot, self.at))
        made.sign(signer(self.online_key))
        data = made.to_bytes()
        (self.metadata / f"{snapshot}.snapshot.json").write_bytes(data)
        self.put_timestamp(Metadata(timestamp_of(data, snapshot, timestamp, self.at, 120)))

    def put_timestamp(self, metadata: Metadata[Timestamp]) -> None:
        metadata.sign(signer(self.online_key))
        (self.metadata / "timestamp.json").write_bytes(metadata.to_bytes())

    def put_target(self, path: str, data: bytes, signed: Targets) -> None:
        """A file on the stick and its line in a list."""
        digest = hashlib.sha256(data).hexdigest()
        place = self.root / place_of(path, digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        signed.targets[path] = TargetFile(len(data), {"sha256": digest}, path)

    def rotate_root(self, change: Callable[[Root], None], owners: Sequence[str]) -> None:
        """The next root, signed by ``owners``."""
        metadata = Metadata[Root].from_bytes(self.newest("root").read_bytes())
        change(metadata.signed)
        metadata.signed.version += 1
        metadata.signatures.clear()
        for owner in owners:
            metadata.sign(signer(owner), append=True)
        (self.metadata / f"{metadata.signed.version}.root.json").write_bytes(metadata.to_bytes())


def refused(office: Office, stick: Path, error: type[TechtoolError] = Untrusted) -> TechtoolError:
    """The stick is refused, and this laptop is as it was."""
    before = office.trust_state()
    with pytest.raises(error) as caught:
        office.open(stick)
    assert office.trust_state() == before
    return caught.value


def copy_of(stick: Path, name: str) -> Path:
    return Path(shutil.copytree(stick, stick.with_name(name)))
