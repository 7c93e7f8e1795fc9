"""Adding a release: facts are read from the files, the rest is what the publisher wrote; nothing is typed twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.bundles.apk import read_apk
from techtool.bundles.description import Description, FileEntry, encode_release, to_release
from techtool.bundles.medium import is_portable, place_of
from techtool.bundles.profile import RELEASES, ROLE_PREFIX
from techtool.bundles.publish.contents import files_of, release_at
from techtool.bundles.publish.copying import copy_as
from techtool.bundles.publish.restaging import RENEW_DAYS, settle
from techtool.bundles.publish.roles import file_entry
from techtool.bundles.recalls import safe_name
from techtool.clock import Clock
from techtool.domain.codec import CodecError
from techtool.domain.release import ApkFacts, Release, ReleaseKind
from techtool.domain.versions import SCHEMES, parse
from techtool.errors import PublisherError
from techtool.i18n import Phrase, phrase
from techtool.paths import disk_error

if TYPE_CHECKING:
    from tuf.api.metadata import TargetFile

    from techtool.bundles.publish.workspace import Workspace

_CHUNK: Final = 1 << 20
_DATA_KINDS: Final = (ReleaseKind.PARAMETERS, ReleaseKind.AID_CAPK, ReleaseKind.CERTIFICATES, ReleaseKind.RESOURCES)


@dataclass(frozen=True, slots=True)
class Added:
    """What a release became, and whose list it waits in."""

    release: Release
    role: str


def add_release(workspace: Workspace, publisher: str, files: Sequence[Path], draft: Description, clock: Clock) -> Added:
    """Add a release made of ``files`` to the list of ``publisher``; it waits there for signatures.

    Id, version, scheme and kind come from the first APK where ``draft`` leaves them out. Raises
    :class:`PublisherError`; until the list is staged nothing counts.
    """
    if publisher not in workspace.publishers:
        raise PublisherError(problem=phrase("the bundle has no publisher “{name}”", name=publisher))
    if not files:
        raise PublisherError(problem=phrase("a release needs at least one file"))
    facts = [read_apk(path) if path.suffix.lower() == ".apk" else None for path in files]
    filled = _filled(draft, next((apk for apk in facts if apk is not None), None))
    entries = [_entry(publisher, filled, path, apk) for path, apk in zip(files, facts, strict=True)]
    release = _release(replace(filled, files=tuple(entries)))
    role = f"{ROLE_PREFIX}{publisher}"
    target = f"{RELEASES}/{publisher}/{safe_name(f'{release.id}-{release.version}')}.json"
    _refuse_odd_name(target)
    listed = files_of(workspace, role)
    _refuse_clash(listed, files_of(workspace, role, staged=False), release, target, entries)
    description = encode_release(release)
    for path, entry in zip(files, entries, strict=True):
        _keep_copy(workspace, path, entry)
    digest = hashlib.sha256(description).hexdigest()
    _put(workspace, place_of(target, digest), description)
    listed = dict(listed)
    for entry in entries:
        listed[entry.target] = file_entry(entry.target, entry.size, entry.sha256)
    listed[target] = file_entry(target, len(description), digest)
    workspace.replace_list(role, listed, clock.now())
    return Added(release, role)


@dataclass(frozen=True, slots=True)
class TakenOff:
    """What a withdrawal did."""

    role: str
    published: bool
    """Whether sticks carry the release: then its end has to be signed."""
    waits: bool
    """Whether the list is still another one than the published one."""


def withdraw(workspace: Workspace, release_id: str, version: str, clock: Clock) -> TakenOff:
    """Take a release and what only it uses off its publisher's list.

    Older sticks carry it on; where a laptop has seen the newer list, they report it as withdrawn. A list that is what
    is published already then waits for no signature any more.
    """
    name = f"{safe_name(f'{release_id}-{version}')}.json"
    for publisher in workspace.publishers:
        role = f"{ROLE_PREFIX}{publisher}"
        listed = dict(files_of(workspace, role))
        entry = listed.pop(f"{RELEASES}/{publisher}/{name}", None)
        if entry is None or _described(workspace, name, publisher, entry).key != f"{release_id}@{version}":
            continue
        descriptions = [(path, entry) for path, entry in listed.items() if path.startswith(f"{RELEASES}/")]
        used = {
            file.target
            for path, entry in descriptions
            for file in release_at(workspace, path, entry.hashes["sha256"]).files
        }
        kept = {path: entry for path, entry in listed.items() if path.startswith(f"{RELEASES}/") or path in used}
        there = files_of(workspace, role, staged=False)
        published = f"{RELEASES}/{publisher}/{name}" in there
        workspace.replace_list(role, kept, clock.now())
        if not published and kept == there and _is_fit(workspace, role, clock):
            workspace.unstage(role)
            settle(workspace, clock.now())
        return TakenOff(role, published, role in workspace.staged_roles())
    raise PublisherError(problem=phrase("{release} is not in the bundle", release=f"{release_id}@{version}"))


def _is_fit(workspace: Workspace, role: str, clock: Clock) -> bool:
    """Whether the published list holds for long enough: one that is being renewed is not forgotten."""
    if not workspace.published_version(role):
        return False
    return workspace.published_list(role).signed.expires > clock.now() + timedelta(days=RENEW_DAYS)


def _described(workspace: Workspace, name: str, publisher: str, entry: TargetFile) -> Release:
    return release_at(workspace, f"{RELEASES}/{publisher}/{name}", entry.hashes["sha256"])


def _filled(draft: Description, apk: ApkFacts | None) -> Description:
    """The draft with what the first APK states."""
    if apk is not None:
        version = draft.version or apk.version
        scheme = draft.version_format or _scheme_of(version)
        kind = draft.kind or ReleaseKind.APPLICATION
        return replace(draft, id=draft.id or apk.id, version=version, version_format=scheme, kind=kind)
    missing = [name for name in ("id", "version", "version_format", "kind") if not getattr(draft, name)]
    if missing:
        problem = phrase(
            "without an APK {fields} must be said, as options (--id, --version, --version-format, --kind) or in the "
            "release file (--release)",
            fields=", ".join(missing),
        )
        raise PublisherError(problem=problem)
    return draft


def _scheme_of(version: str) -> str:
    """How a version name of an APK can be ordered; between packages Android's code decides in any case."""
    return next((s for s in ("dotted", "semver") if parse(s, version).line is not None), "android-code")


def _entry(publisher: str, draft: Description, path: Path, apk: ApkFacts | None) -> FileEntry:
    if apk is not None:
        role, name = "apk", f"{apk.id}-{apk.version}-{apk.version_code}.apk"
    else:
        role, name = "data" if draft.kind in _DATA_KINDS else "image", path.name
    target = f"{publisher}/{safe_name(draft.id)}/{safe_name(name)}"
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise PublisherError(problem=_unreadable(path), detail=str(error)) from error
    if size == 0:
        raise PublisherError(problem=phrase("{path} is empty", path=str(path)))
    _refuse_odd_name(target)
    return FileEntry(role, target, size, digest, apk)


def _release(wire: Description) -> Release:
    if not wire.provides:
        raise PublisherError(problem=phrase("no model is named that the release is for (--model VENDOR/MODEL)"))
    if wire.version_format not in SCHEMES:
        problem = phrase(
            "the version scheme “{scheme}” is not known; there are: {schemes}",
            scheme=wire.version_format,
            schemes=", ".join(sorted(SCHEMES)),
        )
        raise PublisherError(problem=problem)
    targets = [entry.target.casefold() for entry in wire.files]
    if len(set(targets)) != len(targets):
        raise PublisherError(problem=phrase("two files of the release have one name"))
    try:
        return to_release(wire)
    except CodecError as error:
        raise PublisherError(problem=phrase("the release file is not right: {problem}", problem=str(error))) from error


def _refuse_clash(
    listed: Mapping[str, TargetFile],
    published: Mapping[str, TargetFile],
    release: Release,
    target: str,
    entries: Sequence[FileEntry],
) -> None:
    """No listed path may come to mean another file, not even on a file system that ignores capitals."""
    taken = {path.casefold(): path for path in listed}
    if target.casefold() in taken and target.casefold() not in {path.casefold() for path in published}:
        problem = phrase(
            "{release} is in the bundle already, and not published yet: to replace it, “bundle withdraw”, then “bundle "
            "add” again",
            release=release.key,
        )
        raise PublisherError(problem=problem)
    if target.casefold() in taken:
        problem = phrase("{release} is in the bundle already; a new file needs a new version", release=release.key)
        raise PublisherError(problem=problem)
    for entry in entries:
        there = taken.get(entry.target.casefold())
        if there is not None and (there != entry.target or listed[there].hashes.get("sha256") != entry.sha256):
            problem = phrase("another file is in the bundle as {path} already", path=there)
            raise PublisherError(problem=problem)


def _refuse_odd_name(target: str) -> None:
    if not (is_portable(target) and is_portable(place_of(target, "0" * 64))):
        raise PublisherError(problem=phrase("{path} is a name that does not fit on a stick", path=target))


def _keep_copy(workspace: Workspace, source: Path, entry: FileEntry) -> None:
    """Copy a payload into the bundle, proving on the way that it is still the file whose facts were read."""
    target = workspace.folder / place_of(entry.target, entry.sha256)
    if target.exists() and target.stat().st_size == entry.size:
        return
    if not copy_as(workspace.disk, _chunks(source), target, entry.sha256):
        raise PublisherError(problem=phrase("{path} changed while it was read", path=str(source)))


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise disk_error(error, source) from error


def _put(workspace: Workspace, place: str, data: bytes) -> None:
    path = workspace.folder / place
    workspace.disk.make_folder(path.parent)
    workspace.disk.write_file(path, data)


def _unreadable(path: Path) -> Phrase:
    return phrase("{path} cannot be read", path=str(path))
