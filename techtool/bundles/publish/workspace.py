"""The folder a bundle is made in; it may be passed around between the people who sign.

::

    keys/OWNER.key                private keys that are here; each person takes theirs away to where it belongs
    staged/ROLE.json              made, but not signed by everyone yet
    staged/lost                   ids of root keys that nobody has any more
    metadata/N.ROLE.json          published: exactly what goes onto a stick
    metadata/timestamp.json       written last; what it names is the state of the bundle
    targets/…                     payloads, release descriptions and recalls, named by their digests

Every file is replaced as one. A publication that is cut off anywhere leaves ``staged`` as it was and the timestamp old
or new: signing again finishes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from techtool.bundles.profile import RECALL, ROLE_PREFIX
from techtool.bundles.publish.keys import KeyMaker, KeySource, Passphrases, new_key, no_passphrase, ring_of
from techtool.bundles.publish.roles import USE_BY_DAYS, Quorum, publisher_list
from techtool.clock import Clock
from techtool.errors import PublisherError
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from techtool.bundles.description import Description
    from techtool.bundles.publish.adding import Added
    from techtool.bundles.publish.signing import SignReport
    from techtool.bundles.publish.stick import Written

KEYS: Final = "keys"
_STAGED: Final = "staged"
_LOST: Final = "lost"
_TOP: Final = {"root": 0, "targets": 1, RECALL: 2}

S = TypeVar("S", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True, slots=True)
class Workspace:
    """One bundle being made. Every command reads it from disk and leaves it there."""

    folder: Path
    disk: Disk = DISK

    @classmethod
    def create(
        cls,
        folder: Path,
        publishers: Sequence[str],
        clock: Clock,
        *,
        quorum: Quorum | None = None,
        passphrase: str = "",
        given: Mapping[str, Ed25519PublicKey] | None = None,
        make_key: KeyMaker = new_key,
        disk: Disk = DISK,
    ) -> Workspace:
        """Make roles, keys and first metadata (:func:`techtool.bundles.publish.creating.create`)."""
        from techtool.bundles.publish.creating import create

        source = KeySource(given or {}, passphrase, make_key)
        return create(folder, publishers, quorum or Quorum(), source, clock, disk)

    @classmethod
    def open(cls, folder: Path, disk: Disk = DISK) -> Workspace:
        """An existing bundle folder; raises :class:`PublisherError`."""
        workspace = cls(folder, disk)
        if not workspace.metadata.is_dir() and not workspace.staged_roles():
            raise PublisherError(
                problem=phrase("{path} is no bundle folder; “bundle init” makes one", path=str(folder))
            )
        return workspace

    def add(self, publisher: str, files: Sequence[Path], draft: Description, clock: Clock) -> Added:
        """Add one release of ``publisher`` (:func:`techtool.bundles.publish.adding.add_release`)."""
        from techtool.bundles.publish.adding import add_release

        return add_release(self, publisher, files, draft, clock)

    def sign(
        self,
        clock: Clock,
        *,
        key_folders: Sequence[Path] = (),
        passphrases: Passphrases = no_passphrase,
        only: Sequence[str] = (),
        renew: bool = False,
        use_by_days: int = USE_BY_DAYS,
        accept_lint: bool = False,
    ) -> SignReport:
        """Sign with the keys that are here (:func:`techtool.bundles.publish.signing.sign`).

        ``key_folders`` may name single key files; ``only`` are the owners to sign as, where not all are meant.
        """
        from techtool.bundles.publish.signing import sign

        ring = ring_of(self.keys, key_folders, passphrases, only)
        return sign(self, ring, clock, renew=renew, use_by_days=use_by_days, accept_lint=accept_lint)

    def write(self, stick: Path, clock: Clock) -> Written:
        """Write the published state to a stick (:func:`techtool.bundles.publish.stick.write_stick`)."""
        from techtool.bundles.publish.stick import write_stick

        return write_stick(self, stick, clock)

    # -- what is in the folder ----------------------------------------------------------------------------------------

    @property
    def keys(self) -> Path:
        """Private keys that are still here."""
        return self.folder / KEYS

    @property
    def metadata(self) -> Path:
        """Published metadata."""
        return self.folder / "metadata"

    @property
    def targets(self) -> Path:
        """Payloads, descriptions and recalls."""
        return self.folder / "targets"

    @property
    def lists(self) -> tuple[str, ...]:
        """The roles that list files: one a publisher, and the recalls."""
        delegations = self.list_of("targets").signed.delegations
        return tuple(delegations.roles) if delegations is not None and delegations.roles is not None else ()

    @property
    def publishers(self) -> tuple[str, ...]:
        """Whose releases the bundle can carry."""
        return tuple(name.removeprefix(ROLE_PREFIX) for name in self.lists if name.startswith(ROLE_PREFIX))

    def staged_roles(self) -> tuple[str, ...]:
        """Roles that wait for signatures, delegators first."""
        names = {path.stem for path in (self.folder / _STAGED).glob("*.json")}
        return tuple(sorted(names, key=lambda name: (_TOP.get(name, len(_TOP)), name)))

    def stage(self, role: str, metadata: Metadata[Root] | Metadata[Targets]) -> None:
        """Keep what waits for signatures."""
        self.disk.make_folder(self.folder / _STAGED)
        self.disk.write_file(self._staged(role), metadata.to_bytes())

    def unstage(self, role: str) -> None:
        """Forget what was staged: it is published now."""
        self.disk.unlink(self._staged(role))
        if role == "root":
            self.disk.unlink(self.folder / _STAGED / _LOST)

    def lost_keys(self) -> frozenset[str]:
        """Ids of keys whose signature under the next root nobody counts on."""
        path = self.folder / _STAGED / _LOST
        return frozenset(_bytes_of(path).decode("ascii", "replace").split()) if path.exists() else frozenset()

    def remember_lost(self, keyids: Collection[str]) -> None:
        """Keep who is not to be asked for a signature any more, until the next root is published."""
        self.disk.make_folder(self.folder / _STAGED)
        self.disk.write_file(self.folder / _STAGED / _LOST, "\n".join(sorted(keyids)).encode())

    def root(self) -> Metadata[Root]:
        """The root as it is being made, else as it is published."""
        return read_as(Root, self._read("root"), "root")

    def root_data(self) -> bytes:
        """The newest published root as a file: what a laptop pins."""
        version = self.published_version("root")
        if not version or self.timestamp() is None:
            raise PublisherError(problem=phrase("nothing is signed yet; “bundle sign” comes first"))
        return self.published_file("root", version)

    def list_of(self, role: str) -> Metadata[Targets]:
        """A publisher's list, the recalls, or the top role ``targets``: as it is being made, else as published."""
        return read_as(Targets, self._read(role), role)

    def published_list(self, role: str) -> Metadata[Targets]:
        """The same as it is published; raises :class:`PublisherError` where it is not."""
        return read_as(Targets, self.published_file(role, self.published_version(role)), role)

    def every_version(self, role: str) -> Iterator[bytes]:
        """Each file of ``role`` that is here, the staged one first, then the newest."""
        if self._staged(role).exists():
            yield self.staged_file(role)
        for version in sorted(self._versions(role), reverse=True):
            yield self.published_file(role, version)

    def parsed(self, role: str, data: bytes) -> Metadata[Root] | Metadata[Targets]:
        """Metadata of a role that people sign; raises :class:`PublisherError`."""
        return read_as(Root, data, role) if role == "root" else read_as(Targets, data, role)

    def published_roles(self) -> tuple[str, ...]:
        """Root, top role and lists of the published state; empty before the first."""
        snapshot = self.snapshot()
        if snapshot is None or not self.published_version("root"):
            return ()
        return ("root", *(name.removesuffix(".json") for name in snapshot.meta))

    def published_version(self, role: str) -> int:
        """The version of ``role`` in the published state; 0 when it has none.

        The timestamp says which, through the snapshot. A root stands in neither: it is the newest there that is not
        staged still.
        """
        if role != "root":
            snapshot = self.snapshot()
            meta = None if snapshot is None else snapshot.meta.get(f"{role}.json")
            return 0 if meta is None else meta.version
        staged = self.root().signed.version if self._staged(role).exists() else None
        return max((n for n in self._versions(role) if staged is None or n < staged), default=0)

    def next_version(self, role: str) -> int:
        """The number of the next version of ``role``: no number is ever used for two contents."""
        return max(self._versions(role), default=0) + 1

    def timestamp(self) -> Timestamp | None:
        """What the published state stands on; None before the first."""
        if not (self.metadata / "timestamp.json").exists():
            return None
        return read_as(Timestamp, self.timestamp_data(), "timestamp").signed

    def timestamp_data(self) -> bytes:
        """Its file."""
        return _bytes_of(self.metadata / "timestamp.json")

    def snapshot(self) -> Snapshot | None:
        """The published state of all lists; None before the first."""
        timestamp = self.timestamp()
        if timestamp is None:
            return None
        path = self.metadata / f"{timestamp.snapshot_meta.version}.snapshot.json"
        return read_as(Snapshot, _bytes_of(path), "snapshot").signed

    def published_file(self, role: str, version: int) -> bytes:
        """One published metadata file as it lies there."""
        return _bytes_of(self.metadata / f"{version}.{role}.json")

    def staged_file(self, role: str) -> bytes:
        """One staged metadata file as it lies there."""
        return _bytes_of(self._staged(role))

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Write published metadata in the order given; the timestamp comes last."""
        self.disk.make_folder(self.metadata)
        for name, data in files.items():
            self.disk.write_file(self.metadata / name, data)

    def replace_list(self, role: str, entries: Mapping[str, TargetFile], now: datetime) -> None:
        """Stage a list with other entries; signatures over the former one are gone."""
        self.stage(role, Metadata(publisher_list(entries, self.next_version(role), now)))

    def _versions(self, role: str) -> list[int]:
        names = (path.name.split(".", 1)[0] for path in self.metadata.glob(f"[0-9]*.{role}.json"))
        return [int(name) for name in names if name.isdigit()]

    def _staged(self, role: str) -> Path:
        return self.folder / _STAGED / f"{role}.json"

    def _read(self, role: str) -> bytes:
        if self._staged(role).exists():
            return self.staged_file(role)
        version = self.published_version(role)
        if not version:
            raise PublisherError(problem=phrase("the bundle has no role {role}", role=role))
        return self.published_file(role, version)


def read_as(kind: type[S], data: bytes, role: str) -> Metadata[S]:
    """Metadata of the kind that belongs in its place; raises :class:`PublisherError`."""
    try:
        metadata = Metadata[S].from_bytes(data)
    except RepositoryError as error:
        raise PublisherError(problem=_unreadable(role), detail=str(error)) from error
    if not isinstance(metadata.signed, kind):
        raise PublisherError(problem=_unreadable(role))
    return metadata


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PublisherError(problem=_unreadable(path.name), detail=str(error)) from error


def _unreadable(name: str) -> Phrase:
    return phrase("{name} in the bundle folder cannot be read", name=name)
