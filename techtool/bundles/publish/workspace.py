"""The folder a bundle is made in; it may be passed around between the people who sign.

::

    keys/OWNER.key                private keys that are here; each person takes theirs away to where it belongs
    staged/ROLE.json              made, but not signed by everyone yet
    metadata/N.ROLE.json          published: exactly what goes onto a stick
    metadata/timestamp.json       written last; what it names is the state of the bundle
    targets/…                     payloads and release descriptions, named by their digests
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from techtool.bundles.profile import ROLE_PREFIX, is_publisher_name
from techtool.bundles.publish.keys import SUFFIX, KeyMaker, KeyRing, Passphrases, new_key, no_passphrase, public_key
from techtool.bundles.publish.keys import write_key as write_key_file
from techtool.bundles.publish.roles import (
    USE_BY_DAYS,
    Quorum,
    first_root,
    first_targets,
    key_fields,
    publisher_list,
)
from techtool.clock import Clock
from techtool.errors import PublisherError
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk

if TYPE_CHECKING:
    from techtool.bundles.description import Description
    from techtool.bundles.publish.adding import Added
    from techtool.bundles.publish.signing import SignReport
    from techtool.bundles.publish.stick import Written

KEYS: Final = "keys"
_STAGED: Final = "staged"

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
        make_key: KeyMaker = new_key,
        disk: Disk = DISK,
    ) -> Workspace:
        """Make roles, keys and first metadata in a new folder, signed and ready for releases."""
        _check_new(folder, publishers)
        quorum = quorum or Quorum()
        workspace = cls(folder, disk)
        private = {owner: make_key(owner) for owner in quorum.owners(publishers)}
        for owner, key in private.items():
            write_key_file(folder / KEYS / f"{owner}{SUFFIX}", key, passphrase, disk)
        fields = quorum.owners(publishers).items()
        keys = {owner: public_key(private[owner], key_fields(owner, organisation)) for owner, organisation in fields}
        now = clock.now()
        workspace.stage("root", Metadata(first_root(keys, quorum, now)))
        workspace.stage("targets", Metadata(first_targets(keys, publishers, quorum, now)))
        for publisher in publishers:
            workspace.stage(f"{ROLE_PREFIX}{publisher}", Metadata(publisher_list({}, 1, now)))
        workspace.sign(clock, passphrases=(lambda _path: passphrase) if passphrase else no_passphrase)
        return workspace

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
        renew: bool = False,
        use_by_days: int = USE_BY_DAYS,
    ) -> SignReport:
        """Sign with the keys that are here (:func:`techtool.bundles.publish.signing.sign`)."""
        from techtool.bundles.publish.signing import sign

        ring = KeyRing((self.folder / KEYS, *key_folders), passphrases)
        return sign(self, ring, clock, renew=renew, use_by_days=use_by_days)

    def write(self, stick: Path, clock: Clock) -> Written:
        """Write the published state to a stick (:func:`techtool.bundles.publish.stick.write_stick`)."""
        from techtool.bundles.publish.stick import write_stick

        return write_stick(self, stick, clock)

    # -- what is in the folder ----------------------------------------------------------------------------------------

    @property
    def metadata(self) -> Path:
        """Published metadata."""
        return self.folder / "metadata"

    @property
    def targets(self) -> Path:
        """Payloads and descriptions."""
        return self.folder / "targets"

    @property
    def publishers(self) -> tuple[str, ...]:
        """Whose releases the bundle can carry."""
        delegations = self.list_of("targets").signed.delegations
        names = delegations.roles if delegations is not None and delegations.roles is not None else {}
        return tuple(name.removeprefix(ROLE_PREFIX) for name in names)

    def staged_roles(self) -> tuple[str, ...]:
        """Roles that wait for signatures, delegators first."""
        names = {path.stem for path in (self.folder / _STAGED).glob("*.json")}
        return tuple(sorted(names, key=lambda name: ({"root": 0, "targets": 1}.get(name, 2), name)))

    def stage(self, role: str, metadata: Metadata[Root] | Metadata[Targets]) -> None:
        """Keep what waits for signatures."""
        self.disk.make_folder(self.folder / _STAGED)
        self.disk.write_file(self._staged(role), metadata.to_bytes())

    def unstage(self, role: str) -> None:
        """Forget what was staged: it is published now."""
        self.disk.unlink(self._staged(role))

    def root(self) -> Metadata[Root]:
        """The root as it is being made, else as it is published."""
        return read_as(Root, self._read("root"), "root")

    def published_root(self) -> Metadata[Root] | None:
        """The root that laptops know; None before the first publication."""
        return read_as(Root, self.root_data(), "root") if self.published_version("root") else None

    def root_data(self) -> bytes:
        """The newest published root as a file: what a laptop pins."""
        version = self.published_version("root")
        if not version:
            raise PublisherError(problem=phrase("nothing is signed yet; “bundle sign” comes first"))
        return _bytes_of(self.metadata / f"{version}.root.json")

    def list_of(self, role: str) -> Metadata[Targets]:
        """A publisher's list, or the top role ``targets``, as it is being made, else as it is published."""
        return read_as(Targets, self._read(role), role)

    def published_version(self, role: str) -> int:
        """The version of ``role`` that was published last; 0 before the first."""
        versions = [int(path.name.split(".", 1)[0]) for path in self.metadata.glob(f"[0-9]*.{role}.json")]
        return max(versions, default=0)

    def timestamp(self) -> Timestamp | None:
        """What the published state stands on; None before the first."""
        path = self.metadata / "timestamp.json"
        return read_as(Timestamp, _bytes_of(path), "timestamp").signed if path.exists() else None

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

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Write published metadata in the order given; the timestamp comes last."""
        self.disk.make_folder(self.metadata)
        for name, data in files.items():
            self.disk.write_file(self.metadata / name, data)

    def replace_list(self, role: str, entries: Mapping[str, TargetFile], now: datetime) -> None:
        """Stage a publisher's list with other entries; signatures over the former one are gone."""
        self.stage(role, Metadata(publisher_list(entries, self.published_version(role) + 1, now)))

    def _staged(self, role: str) -> Path:
        return self.folder / _STAGED / f"{role}.json"

    def _read(self, role: str) -> bytes:
        staged = self._staged(role)
        if staged.exists():
            return _bytes_of(staged)
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


def _check_new(folder: Path, publishers: Sequence[str]) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PublisherError(problem=phrase("the folder {path} is not empty", path=str(folder)))
    if not publishers or len(set(publishers)) != len(publishers):
        raise PublisherError(problem=phrase("a bundle needs at least one publisher, each named once"))
    for name in publishers:
        if not is_publisher_name(name):
            text = phrase("“{name}” cannot be a publisher's name: small letters, digits and hyphens only", name=name)
            raise PublisherError(problem=text)
