"""The metadata of a bundle through python-tuf's client workflow, over files, at a time of our choosing.

python-tuf does the whole verification: root chain, thresholds, rollback, mix-and-match, expiry, path rules. Around it
stand the things it does not know: a source that reads a stick (bounded, no links), a scratch folder on the laptop's own
disk (it keeps ``root.json`` as a symbolic link, which FAT has not), and the reference time.

The reference time is the one private place of python-tuf that is used: ``Updater._trusted_set.reference_time``; there
is no public way to give it a time. The version is pinned and a contract test holds it.

Expired metadata must still be readable: a technician whose stick is past its date goes on identifying, backing up and
reporting, and wants to see what is on it. So the workflow runs at the true reference time first; only when that says
“expired” it runs again at a time before any of it was made, which turns off nothing but the expiry checks (TUF has no
“not before”; signatures, thresholds, versions and hashes are checked the same). What came through that way carries the
dates of every role, and :meth:`VerifiedMetadata.expired_at` says which of them has run out.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from techtool.bundles.medium import Carrier
from techtool.bundles.profile import RECALL, delegated_roles
from techtool.domain.codec import CodecError, decode_json_untyped
from techtool.errors import TechtoolError, Untrusted
from techtool.i18n import Phrase, phrase
from techtool.paths import disk_error

METADATA_URL: Final = "metadata/"
RECALL_FILES: Final = "targets/recalls/"
"""Where recalls lie on a stick, in a refresh file and in the mirror."""
ISSUED: Final = "x-techtool-issued"
"""Signed field of every role: when it was made."""
MAX_METADATA_BYTES: Final = 8_000_000
_MAX_PARTS: Final = 500_000
"""Of one metadata file: a list of 8 MB has fewer; eight megabytes of ``{},`` would take 200 MB to parse."""
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROOT_NAME: Final = re.compile(r"([1-9][0-9]{0,5})\.root\.json")
_CONFIG: Final = UpdaterConfig(
    max_root_rotations=256,
    max_delegations=64,
    root_max_length=512_000,
    timestamp_max_length=16_384,
    snapshot_max_length=2_000_000,
    targets_max_length=MAX_METADATA_BYTES,
)


class Source(Protocol):
    """Where metadata files come from."""

    def read(self, name: str) -> bytes | None:
        """The file ``name`` of the metadata folder; None when it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class StickSource:
    """The metadata folder of a stick, or of a refresh file."""

    folder: Carrier

    def read(self, name: str) -> bytes | None:
        """One file, read whole within bounds."""
        try:
            return self.folder.read(f"{METADATA_URL}{name}", limit_of(name))
        except FileNotFoundError:
            return None

    def root_versions(self) -> list[int]:
        """Which roots lie on the stick, ascending."""
        names = self.folder.names(METADATA_URL.rstrip("/"))
        return sorted(int(found[1]) for found in map(_ROOT_NAME.fullmatch, names) if found)


@dataclass(frozen=True, slots=True)
class MirrorSource:
    """The mirror, which is the newest; delegated roles it never saw come from the stick.

    python-tuf asks for a mirrored file although it has it when the file is past its date.
    """

    mirror: Mapping[str, bytes]
    stick: StickSource

    def read(self, name: str) -> bytes | None:
        """One file."""
        if _ROOT_NAME.fullmatch(name):
            return None
        if name == "timestamp.json":
            return self.mirror.get(name)
        mirrored = self.mirror.get(_unversioned(name))
        return self.stick.read(name) if mirrored is None else mirrored


@dataclass(frozen=True, slots=True)
class NothingNewer:
    """No stick at all: what is mirrored is judged by itself."""

    mirror: Mapping[str, bytes]

    def read(self, name: str) -> bytes | None:
        """What is mirrored; mostly python-tuf takes it from its cache."""
        return self.mirror.get(name if name == "timestamp.json" else _unversioned(name))


@dataclass(frozen=True, slots=True)
class RoleMetadata:
    """One delegated role that lists targets."""

    name: str
    metadata: Metadata[Targets]
    resolved: Mapping[str, TargetFile | None]
    """What python-tuf finds for each path the role lists: another file, or none, where the path is not the role's."""


@dataclass(frozen=True, slots=True)
class VerifiedMetadata:
    """One state of a repository that came through the whole workflow."""

    root: Root
    root_data: bytes
    timestamp: Timestamp
    snapshot: Snapshot
    targets: Targets
    roles: tuple[RoleMetadata, ...]
    absent: tuple[str, ...]
    """Delegated roles whose metadata is neither on the stick nor mirrored: a stick for some of the vendors."""
    files: Mapping[str, bytes]
    """To mirror, by python-tuf's names."""

    def expired_at(self, moment: datetime) -> tuple[str, datetime] | None:
        """The role that ran out first of those that everything stands on, and when, if any has by ``moment``."""
        dates = [("root", self.root.expires), ("timestamp", self.timestamp.expires)]
        dates += [("snapshot", self.snapshot.expires), ("targets", self.targets.expires)]
        dates += [(role.name, role.metadata.signed.expires) for role in self.roles if role.name == RECALL]
        name, first = min(dates, key=lambda entry: entry[1])
        return (name, first) if first <= moment else None

    def lapsed_at(self, moment: datetime) -> dict[str, datetime]:
        """Publishers' roles that have run out by ``moment``, and when: only what they list stands on them."""
        dates = {role.name: role.metadata.signed.expires for role in self.roles if role.name != RECALL}
        return {name: until for name, until in dates.items() if until <= moment}

    @property
    def is_dated_soundly(self) -> bool:
        """Whether its date of issue lies before everything in it ran out; else that date proves no time."""
        return self.expired_at(self.issued) is None and not self.lapsed_at(self.issued)

    @property
    def issued(self) -> datetime:
        """When the newest part of it was made; raises :class:`Untrusted` where nothing says so."""
        return issued(self.timestamp)


def issued(signed: Timestamp) -> datetime:
    """The signed date of issue; raises :class:`Untrusted`."""
    text = signed.unrecognized_fields.get(ISSUED)
    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Untrusted(problem=phrase("its metadata does not say when it was made")) from None


def timestamp_version(data: bytes | None) -> int:
    """The version a timestamp file claims, before anything of it is believed; raises :class:`Untrusted`."""
    if data is None:
        raise _missing("timestamp.json")
    tree = _parsed(data, "timestamp.json")
    signed = tree.get("signed") if isinstance(tree, dict) else None
    version = signed.get("version") if isinstance(signed, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise _unreadable("timestamp.json")
    return version


def verify_metadata(source: Source, anchor: bytes, cached: Mapping[str, bytes], at: datetime) -> VerifiedMetadata:
    """Run the client workflow from the trusted root ``anchor``; raises only errors of techtool's tree.

    ``cached`` is what was verified earlier (for rollback protection); neither it nor anything else on this laptop is
    changed. Expired metadata passes and is found by :meth:`VerifiedMetadata.expired_at`.
    """
    try:
        return _run(source, anchor, cached, at)
    except exceptions.ExpiredMetadataError:
        return _run(source, anchor, cached, _LONG_AGO, past_expiry=True)


def _run(
    source: Source, anchor: bytes, cached: Mapping[str, bytes], at: datetime, *, past_expiry: bool = False
) -> VerifiedMetadata:
    try:
        with tempfile.TemporaryDirectory(prefix="techtool-trust-", ignore_cleanup_errors=True) as scratch:
            folder = Path(scratch)
            _lay_out(folder, cached)
            updater = Updater(scratch, METADATA_URL, fetcher=_Fetcher(source), config=_CONFIG, bootstrap=anchor)
            updater._trusted_set.reference_time = at
            updater.refresh()
            return _collect(updater, folder)
    except TechtoolError:
        raise
    except exceptions.ExpiredMetadataError:
        if past_expiry:
            raise _untrusted(phrase("its metadata is inconsistent")) from None
        raise
    except OSError as error:
        raise disk_error(error, tempfile.gettempdir()) from error
    except Exception as error:
        # Whatever a parser says of hostile bytes, the answer is the same; a narrower list would have holes.
        raise _translated(error) from error


def _lay_out(folder: Path, cached: Mapping[str, bytes]) -> None:
    for name, data in cached.items():
        if name.startswith(RECALL_FILES):
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _collect(updater: Updater, folder: Path) -> VerifiedMetadata:
    """Load every delegated role and resolve every path it lists, through python-tuf's own lookup."""
    targets = Metadata[Targets].from_bytes((folder / "targets.json").read_bytes()).signed
    roles: list[RoleMetadata] = []
    absent: list[str] = []
    for name, probe in delegated_roles(targets):
        try:
            updater.get_targetinfo(probe)
        except exceptions.DownloadHTTPError:
            if name == RECALL:
                raise _untrusted(phrase("its list of recalls is missing")) from None
            absent.append(name)
        else:
            roles.append(_role(updater, folder, name))
    root_data = (folder / "root.json").read_bytes()
    snapshot_data = (folder / "snapshot.json").read_bytes()
    timestamp = Metadata[Timestamp].from_bytes((folder / "timestamp.json").read_bytes()).signed
    # A cached snapshot of the right version is taken by python-tuf without this look at its digest.
    timestamp.snapshot_meta.verify_length_and_hashes(snapshot_data)
    return VerifiedMetadata(
        root=Metadata[Root].from_bytes(root_data).signed,
        root_data=root_data,
        timestamp=timestamp,
        snapshot=Metadata[Snapshot].from_bytes(snapshot_data).signed,
        targets=targets,
        roles=tuple(roles),
        absent=tuple(absent),
        files=_to_mirror(folder, roles),
    )


def _role(updater: Updater, folder: Path, name: str) -> RoleMetadata:
    metadata = Metadata[Targets].from_bytes((folder / f"{name}.json").read_bytes())
    return RoleMetadata(name, metadata, {path: updater.get_targetinfo(path) for path in metadata.signed.targets})


def _to_mirror(folder: Path, roles: list[RoleMetadata]) -> dict[str, bytes]:
    names = [f"root_history/{path.name}" for path in sorted((folder / "root_history").iterdir())]
    names += ["timestamp.json", "snapshot.json", "targets.json", *(f"{role.name}.json" for role in roles)]
    return {name: (folder / name).read_bytes() for name in names}


class _Fetcher(FetcherInterface):
    """Hands python-tuf the source's files; JSON that two parsers could read differently is refused here."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = url.removeprefix(METADATA_URL)
        data = self._source.read(name)
        if data is None:
            raise exceptions.DownloadHTTPError(f"{name} is missing", 404)
        if len(data) <= limit_of(name):
            _parsed(data, name)
        yield data


def _unversioned(name: str) -> str:
    """``vendor-acme.json`` of ``3.vendor-acme.json``: how python-tuf and the mirror call it."""
    return name.partition(".")[2]


def limit_of(name: str) -> int:
    """Bytes that a metadata file has at most, which is where reading it ends."""
    if name == "timestamp.json":
        return _CONFIG.timestamp_max_length
    return _CONFIG.root_max_length if _ROOT_NAME.fullmatch(name) else MAX_METADATA_BYTES


def _parsed(data: bytes, name: str) -> object:
    if sum(map(data.count, (b"{", b"[", b","))) > _MAX_PARTS:
        raise _unreadable(name, "too many parts")
    try:
        return decode_json_untyped(data)
    except CodecError as error:
        raise _unreadable(name, str(error)) from error


def _translated(error: Exception) -> Untrusted:
    match error:
        case exceptions.UnsignedMetadataError():
            problem = phrase("a signature that it needs is missing or is not valid")
        case exceptions.BadVersionNumberError():
            problem = phrase("its metadata is older than what this laptop has seen, or mixed from two bundles")
        case exceptions.LengthOrHashMismatchError() | exceptions.DownloadLengthMismatchError():
            problem = phrase("a metadata file was altered")
        case exceptions.DownloadHTTPError():
            problem = phrase("a metadata file is missing")
        case _ if type(error) is exceptions.RepositoryError:
            problem = phrase("its metadata is inconsistent")
        case _:
            problem = phrase("its metadata cannot be read")
    return _untrusted(problem, f"{type(error).__name__}: {error}")


def _untrusted(problem: Phrase, detail: str = "") -> Untrusted:
    return Untrusted(problem=problem, detail=detail)


def _missing(name: str) -> Untrusted:
    return _untrusted(phrase("a metadata file is missing"), name)


def _unreadable(name: str, detail: str = "") -> Untrusted:
    return _untrusted(phrase("the metadata file {name} cannot be read", name=name), detail)
