"""The published state of a bundle folder, held to what a laptop will hold it to before any of it leaves the office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuf.api.metadata import TargetFile, Timestamp

from techtool.bundles.find import METADATA
from techtool.bundles.listing import read_listing, read_recalls
from techtool.bundles.medium import StickFolder, place_of
from techtool.bundles.profile import RECALL
from techtool.bundles.publish.contents import files_of
from techtool.bundles.reading import read_stick_metadata
from techtool.bundles.refresh import RefreshFile, encode_refresh, read_refresh
from techtool.bundles.roots import root_facts
from techtool.clock import Clock, stamp
from techtool.domain.recall import Recall
from techtool.errors import Damaged, PublisherError, TrustError
from techtool.i18n import Phrase, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace

_TIMESTAMP: Final = f"{METADATA}/timestamp.json"
_ONLINE: Final = ("snapshot", "timestamp")
_REFRESH_STARTS: Final = b'{"schema":'


@dataclass(frozen=True, slots=True)
class PublishedState:
    """What goes onto a stick, apart from the bytes of the payloads."""

    folder: Path
    timestamp: Timestamp
    use_by: datetime
    """The earliest end of any role."""
    files: Mapping[str, bytes]
    """Metadata by its place below ``TECHTOOL/``."""
    listed: Mapping[str, TargetFile]
    """Every file that the lists name, by target path."""
    recalls: tuple[Recall, ...]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A refresh file that was written."""

    path: Path
    size_bytes: int
    recalls: int
    use_by: datetime
    notes: tuple[Phrase, ...]


def published_state(workspace: Workspace, clock: Clock) -> PublishedState:
    """The state that a laptop accepts today; raises :class:`PublisherError` where it would not."""
    timestamp, snapshot = workspace.timestamp(), workspace.snapshot()
    if timestamp is None or snapshot is None:
        raise PublisherError(problem=phrase("nothing is signed yet; “bundle sign” comes first"))
    roles = [name.removesuffix(".json") for name in snapshot.meta]
    listed = {path: entry for role in roles for path, entry in files_of(workspace, role, staged=False).items()}
    files = _metadata_files(workspace, roles, timestamp)
    use_by, recalls = _judged(workspace, files, clock)
    return PublishedState(workspace.folder, timestamp, use_by, files, listed, recalls)


def write_refresh(workspace: Workspace, path: Path, clock: Clock) -> Refreshed:
    """Write the metadata and the recalls of the published state as one small file, for a laptop far away.

    Raises :class:`PublisherError`, :class:`DiskFull`, :class:`Damaged` when it does not read back.
    """
    state = published_state(workspace, clock)
    _refuse_strange_file(path)
    files = dict(state.files)
    for target, entry in files_of(workspace, RECALL, staged=False).items():
        place = place_of(target, entry.hashes["sha256"])
        files[place] = (workspace.folder / place).read_bytes()
    data = encode_refresh(files)
    workspace.disk.write_file(path, data)
    if read_refresh(path).files != files:
        raise Damaged(path=str(path), problem=phrase("what was written does not read back the same"))
    return Refreshed(path, len(data), len(state.recalls), state.use_by, waiting_notes(workspace))


def waiting_notes(workspace: Workspace) -> tuple[Phrase, ...]:
    """What is staged and therefore does not go along; a recall first, for that must not wait."""
    waiting = workspace.staged_roles()
    notes = []
    if RECALL in waiting:
        notes.append(phrase("A RECALL IS NOT SIGNED YET and does not go along. Have it signed first: “bundle sign”."))
    others = [role for role in waiting if role != RECALL]
    if others:
        notes.append(phrase("Not signed yet, so not on the stick: {roles}", roles=", ".join(others)))
    return tuple(notes)


def _metadata_files(workspace: Workspace, roles: list[str], timestamp: Timestamp) -> dict[str, bytes]:
    """The chain of roots, the lists, the snapshot and the timestamp, by their places."""
    files: dict[str, bytes] = {}
    for version in range(1, workspace.published_version("root") + 1):
        files[f"{METADATA}/{version}.root.json"] = workspace.published_file("root", version)
    for role in roles:
        version = workspace.published_version(role)
        files[f"{METADATA}/{version}.{role}.json"] = workspace.published_file(role, version)
    version = timestamp.snapshot_meta.version
    files[f"{METADATA}/{version}.snapshot.json"] = workspace.published_file("snapshot", version)
    files[_TIMESTAMP] = workspace.timestamp_data()
    return files


def _judged(workspace: Workspace, files: Mapping[str, bytes], clock: Clock) -> tuple[datetime, tuple[Recall, ...]]:
    """Read it as a laptop does that trusts the first root, without the payloads: the use-by date, the recalls."""
    root = root_facts(workspace.published_file("root", 1), "1.root.json")
    here = StickFolder(workspace.folder)
    try:
        found = read_stick_metadata(RefreshFile(files), [root], lambda _root: {}, clock.now()).newest
        read_listing(here, found)
        recalls = read_recalls(here, found, {})
    except TrustError as error:
        problem = phrase("a laptop would refuse it: {problem}", problem=error.what_phrase)
        raise PublisherError(problem=problem, detail=error.detail) from error
    ended = found.expired_at(clock.now())
    if ended is not None:
        again = phrase("“bundle sign --renew”") if ended[0] in _ONLINE else phrase("“bundle renew”")
        text = phrase(
            "{role} was good until {until}; {command} comes first", role=ended[0], until=stamp(ended[1]), command=again
        )
        raise PublisherError(problem=text)
    first = found.expired_at(datetime.max.replace(tzinfo=UTC))
    return found.timestamp.expires if first is None else first[1], recalls.entries


def _refuse_strange_file(path: Path) -> None:
    """A refresh file replaces a refresh file, and nothing else by a slip of the hand."""
    if not path.parent.is_dir():
        raise PublisherError(problem=phrase("there is no folder {path}", path=str(path.parent)))
    if path.is_dir():
        raise PublisherError(
            problem=phrase("{path} is a folder; a refresh file needs a name of its own", path=str(path))
        )
    if path.exists():
        with path.open("rb") as file:
            start = file.read(len(_REFRESH_STARTS))
        if start != _REFRESH_STARTS:
            raise PublisherError(problem=phrase("{path} is there and is no refresh file", path=str(path)))
