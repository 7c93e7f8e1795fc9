"""What lies in a bundle folder: releases and recalls, as they are being made or as they were at any time before.

Nothing is ever removed from the folder, so that a release that was withdrawn years ago can still be named and
recalled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuf.api.metadata import TargetFile

from techtool.bundles.description import decode_release
from techtool.bundles.medium import place_of
from techtool.bundles.profile import RECALL, RELEASES, ROLE_PREFIX
from techtool.bundles.recalls import decode_recall, safe_name
from techtool.domain.codec import CodecError, decode_json_untyped
from techtool.domain.recall import Recall
from techtool.domain.release import Release
from techtool.errors import PublisherError
from techtool.i18n import LANGUAGES, Phrase, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Shown:
    """A release by its list."""

    release: Release
    role: str
    path: str


def files_of(workspace: Workspace, role: str, *, staged: bool = True) -> Mapping[str, TargetFile]:
    """What ``role`` lists, as it is being made or (``staged`` false) as it is published; nothing before its first list.

    Raises :class:`PublisherError` for a list that cannot be read.
    """
    published = bool(workspace.published_version(role))
    if staged and (published or role in workspace.staged_roles()):
        return workspace.list_of(role).signed.targets
    return workspace.published_list(role).signed.targets if published else {}


def releases(workspace: Workspace, *, staged: bool = True) -> Iterator[Shown]:
    """Every release, publisher by publisher; raises :class:`PublisherError` for a description that is not there."""
    for role in workspace.lists:
        if role.startswith(ROLE_PREFIX):
            for path, entry in sorted(files_of(workspace, role, staged=staged).items()):
                if path.startswith(f"{RELEASES}/"):
                    yield Shown(release_at(workspace, path, entry.hashes["sha256"]), role, path)


def recalls(workspace: Workspace, *, staged: bool = True) -> dict[str, Recall]:
    """Every recall by its path; raises :class:`PublisherError` for one that cannot be read."""
    if RECALL not in workspace.lists:
        return {}
    found = {}
    for path, entry in sorted(files_of(workspace, RECALL, staged=staged).items()):
        data = _read(workspace, path, entry.hashes["sha256"])
        try:
            found[path] = decode_recall(data)
        except CodecError as error:
            raise _unreadable(path, str(error)) from error
    return found


def find_release(workspace: Workspace, release_id: str, version: str) -> Release | None:
    """The release of that id and version, listed now or at any time before; None when it never was here."""
    name = f"/{safe_name(f'{release_id}-{version}')}.json"
    for path, sha256 in _ever_listed(workspace):
        if path.endswith(name):
            found = _old_release(workspace, path, sha256)
            if found is not None and (found.id, found.version) == (release_id, version):
                return found
    return None


def unread_languages(texts: Mapping[str, str]) -> list[Phrase]:
    """A note where texts are in a language that techtool does not show; empty when there is none."""
    unread = [name for name in texts if name not in LANGUAGES]
    if not unread:
        return []
    text = phrase(
        "techtool shows no text in: {languages}; the languages it shows are: {known}",
        languages=", ".join(unread),
        known=", ".join(LANGUAGES),
    )
    return [text]


def release_paths(workspace: Workspace, *, staged: bool = True) -> frozenset[str]:
    """The paths of every release description, without reading any."""
    roles = [role for role in workspace.lists if role.startswith(ROLE_PREFIX)]
    paths = (path for role in roles for path in files_of(workspace, role, staged=staged))
    return frozenset(path for path in paths if path.startswith(f"{RELEASES}/"))


def withdrawn(workspace: Workspace) -> tuple[tuple[str, str], ...]:
    """Id and version of every release that was published once and is not listed any more."""
    now = release_paths(workspace)
    gone = {}
    for path, sha256 in _ever_listed(workspace):
        if path not in now and path not in gone:
            release = _old_release(workspace, path, sha256)
            named = path.rpartition("/")[2].removesuffix(".json")
            gone[path] = (named, "") if release is None else (release.id, release.version)
    return tuple(sorted(gone.values()))


def release_at(workspace: Workspace, path: str, sha256: str) -> Release:
    """The release described by a target file; raises :class:`PublisherError`."""
    try:
        return decode_release(_read(workspace, path, sha256))
    except CodecError as error:
        raise _unreadable(path, str(error)) from error


def _old_release(workspace: Workspace, path: str, sha256: str) -> Release | None:
    """The same, or None where somebody cleared old files away."""
    try:
        return release_at(workspace, path, sha256)
    except PublisherError:
        return None


def _ever_listed(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Path and digest of each description in the lists of every publisher, newest first."""
    for role in workspace.lists:
        if not role.startswith(ROLE_PREFIX):
            continue
        for data in workspace.every_version(role):
            for path, entry in _targets_in(data).items():
                digest = entry.get("hashes", {}).get("sha256") if isinstance(entry, dict) else None
                if path.startswith(f"{RELEASES}/") and isinstance(digest, str):
                    yield path, digest


def _targets_in(data: bytes) -> Mapping[str, object]:
    """The files that a list names, without the cost of checking it: old lists are many."""
    try:
        tree = decode_json_untyped(data)
    except CodecError:
        return {}
    signed = tree.get("signed") if isinstance(tree, dict) else None
    listed = signed.get("targets") if isinstance(signed, dict) else None
    return listed if isinstance(listed, dict) else {}


def _read(workspace: Workspace, path: str, sha256: str) -> bytes:
    try:
        return (workspace.folder / place_of(path, sha256)).read_bytes()
    except OSError as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: str, detail: str) -> PublisherError:
    return PublisherError(problem=phrase("{path} cannot be read", path=path), detail=detail)
