"""The releases of a stick: descriptions read by their signed digests and held against the signed list of payloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from techtool.bundles.description import MAX_BYTES, NewerSchema, decode_release
from techtool.bundles.medium import Carrier, StickFolder, place_of
from techtool.bundles.metadata import METADATA_URL, VerifiedMetadata
from techtool.bundles.profile import (
    RECALL,
    RELEASES,
    ROLE_PREFIX,
    Publisher,
    check_publisher,
    check_recalls,
    check_root,
    refuse_collisions,
)
from techtool.bundles.recalls import MAX_BYTES as MAX_RECALL_BYTES
from techtool.bundles.recalls import decode_recall
from techtool.domain.codec import CodecError
from techtool.domain.recall import Recall
from techtool.domain.release import Release
from techtool.errors import Damaged, Untrusted
from techtool.i18n import Phrase, phrase


@dataclass(frozen=True, slots=True)
class Listed:
    """One release and whose signatures stand for it."""

    release: Release
    role: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything a verified state of the metadata lists, as far as it is on the stick."""

    releases: tuple[Listed, ...]
    paths: frozenset[str]
    """Of every release description that is listed, on this stick or not."""
    unknown: tuple[str, ...]
    """Folders of publishers whose newest list is not known here: nobody can say what is still on it."""
    notes: tuple[Phrase, ...]


def read_listing(folder: StickFolder, verified: VerifiedMetadata) -> Listing:
    """Read and check every description; raises :class:`Untrusted` and :class:`Damaged`."""
    publishers = _publishers(verified)
    found: list[Listed] = []
    notes: list[Phrase] = [_absent(name) for name in verified.absent]
    elsewhere = 0
    for publisher in publishers:
        for path, file in sorted(publisher.releases.items()):
            data = _read_signed(folder, path, file)
            if data is None and _carries(folder, verified, publisher):
                raise Damaged(path=path, problem=phrase("it is missing"))
            if data is None:
                elsewhere += 1
                continue
            release = _decode(path, data)
            if release is None:
                notes.append(phrase("{path} needs a newer techtool and is not shown.", path=path))
                continue
            _refuse_strangers(release, publisher)
            found.append(Listed(release, publisher.role, publisher.keys))
    _refuse_twins(found)
    if elsewhere:
        notes.append(phrase("{count} releases of the newest metadata are not on this stick.", count=elsewhere))
    paths = frozenset(path for publisher in publishers for path in publisher.releases)
    unknown = tuple(f"{RELEASES}/{name.removeprefix(ROLE_PREFIX)}/" for name in verified.absent)
    return Listing(_in_order(found), paths, unknown, tuple(notes))


@dataclass(frozen=True, slots=True)
class Recalls:
    """What the office recalled, by the newest verified metadata."""

    entries: tuple[Recall, ...]
    files: Mapping[str, bytes]
    """Their files by the names they have on a stick: to mirror."""


def read_recalls(carrier: Carrier, verified: VerifiedMetadata, mirrored: Mapping[str, bytes]) -> Recalls:
    """Read every recall that is listed, from this laptop's mirror or from ``carrier``.

    One that is listed and nowhere to be read is an error, for leaving it out would be the way to make a laptop forget
    it. Raises :class:`Untrusted` and :class:`Damaged`.
    """
    role = next((role for role in verified.roles if role.name == RECALL), None)
    if role is None:
        return Recalls((), {})
    entries: list[Recall] = []
    files: dict[str, bytes] = {}
    for path, file in sorted(check_recalls(role.metadata, role.resolved, verified.targets).items()):
        place = place_of(path, file.hashes["sha256"])
        data = mirrored.get(place)
        if data is None or not _is_signed(file, data):
            data = _read_signed(carrier, path, file, MAX_RECALL_BYTES)
        if data is None:
            raise Damaged(path=path, problem=phrase("it is missing"))
        files[place] = data
        try:
            entries.append(decode_recall(data))
        except CodecError as error:
            text = phrase("the recall {path} cannot be read: {problem}", path=path, problem=str(error))
            raise Untrusted(problem=text) from error
    return Recalls(tuple(entries), files)


def _absent(role: str) -> Phrase:
    return phrase("The newest list of {role} is not here: nothing of it is installed from this stick.", role=role)


def check_lists(verified: VerifiedMetadata) -> None:
    """Hold every publisher's list to the profile without reading any file; raises :class:`Untrusted`."""
    _publishers(verified)


def carried_by(folder: StickFolder, own: VerifiedMetadata) -> dict[str, tuple[str, str]]:
    """What an older genuine stick lists by itself: path of each description → id and version.

    Held to the same rules as any stick; raises :class:`Untrusted` and :class:`Damaged`.
    """
    carried: dict[str, tuple[str, str]] = {}
    for publisher in _publishers(own):
        for path, file in publisher.releases.items():
            data = _read_signed(folder, path, file)
            release = None if data is None else _decode(path, data)
            if release is not None:
                carried[path] = (release.id, release.version)
    return carried


def withdrawn(carried: Mapping[str, tuple[str, str]], newest: Listing) -> tuple[tuple[str, str], ...]:
    """Id and version of what an older stick carries and the newest metadata does not list.

    Where the newest list of a publisher is not known here, nothing of that publisher is called withdrawn.
    """
    judged = {path: named for path, named in carried.items() if not path.startswith(newest.unknown)}
    gone = {named for path, named in judged.items() if path not in newest.paths}
    listed = {(item.release.id, item.release.version) for item in newest.releases}
    return tuple(sorted(gone - listed))


def _publishers(verified: VerifiedMetadata) -> tuple[Publisher, ...]:
    check_root(verified.root)
    publishers = tuple(
        check_publisher(role.name, role.metadata, role.resolved, verified.targets)
        for role in verified.roles
        if role.name != RECALL
    )
    refuse_collisions(publishers)
    return publishers


def _carries(folder: StickFolder, verified: VerifiedMetadata, publisher: Publisher) -> bool:
    """Whether this very list of the publisher lies on the stick, so that its files should, too."""
    version = verified.snapshot.meta[f"{publisher.role}.json"].version
    return folder.exists(f"{METADATA_URL}{version}.{publisher.role}.json")


def _is_signed(file: TargetFile, data: bytes) -> bool:
    try:
        file.verify_length_and_hashes(data)
    except LengthOrHashMismatchError:
        return False
    return True


def _read_signed(folder: Carrier, path: str, file: TargetFile, limit: int = MAX_BYTES) -> bytes | None:
    """A small target file proven by its signed length and digests; None when it is not on the stick."""
    if file.length > limit:
        raise Untrusted(problem=phrase("the description {path} is too long", path=path))
    try:
        data = folder.read(place_of(path, file.hashes["sha256"]), file.length)
    except FileNotFoundError:
        return None
    try:
        file.verify_length_and_hashes(data)
    except LengthOrHashMismatchError as error:
        raise Damaged(path=path, problem=phrase("its content is not what was signed"), detail=str(error)) from error
    return data


def _decode(path: str, data: bytes) -> Release | None:
    """The release, or None when only a newer techtool can read it."""
    try:
        return decode_release(data)
    except NewerSchema:
        return None
    except CodecError as error:
        text = phrase("the description {path} cannot be read: {problem}", path=path, problem=str(error))
        raise Untrusted(problem=text) from error


def _refuse_strangers(release: Release, publisher: Publisher) -> None:
    """A description may only name payloads that the same role lists, with the same length and digest."""
    for file in release.files:
        listed = publisher.payloads.get(file.target)
        if listed is None or (listed.length, listed.hashes["sha256"]) != (file.size_bytes, file.sha256):
            text = phrase("the description of {release} names a file that was not signed", release=release.key)
            raise Untrusted(problem=text)


def _refuse_twins(found: Iterable[Listed]) -> None:
    seen: set[str] = set()
    for item in found:
        if item.release.key in seen:
            raise Untrusted(problem=phrase("it describes {release} twice", release=item.release.key))
        seen.add(item.release.key)


def _in_order(found: Iterable[Listed]) -> tuple[Listed, ...]:
    return tuple(sorted(found, key=lambda item: (item.release.id, item.release.version)))
