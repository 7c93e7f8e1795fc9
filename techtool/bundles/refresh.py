"""The newest metadata without a stick: what a laptop learns from a refresh file, and what it knows already.

A refresh file is one JSON document with the metadata and the recalls of a bundle by the names they have on a stick. It
weighs a few kilobytes, so that it can come over a telephone; it cures a stick that is past its use-by date and brings
recalls and withdrawals. It is verified exactly as a stick is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.bundles.clock_floor import judge, read_floor
from techtool.bundles.find import locate
from techtool.bundles.medium import Carrier, StickFolder, is_portable
from techtool.bundles.roots import RootFacts, mirror_path, pinned, read_mirror
from techtool.bundles.trust import StickTrust, keep, trust_of, with_signed_date
from techtool.clock import Clock, stamp
from techtool.domain.codec import CodecError, convert_exactly, decode_json, decode_json_untyped, encode_json
from techtool.domain.recall import Recall
from techtool.errors import BadFile, Expired, NotSetUp, StoreDamaged, TrustError
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, Paths

if TYPE_CHECKING:
    from techtool.bundles.reading import StickMetadata

SCHEMA: Final = 1
MAX_BYTES: Final = 16_000_000
MAX_FILES: Final = 4_000


@dataclass(frozen=True, slots=True)
class _Wire:
    schema: int
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RefreshFile:
    """What a refresh file holds, by names below ``TECHTOOL/``; nothing of it is believed yet."""

    files: Mapping[str, bytes]

    def names(self, folder: str) -> list[str]:
        """See :class:`techtool.bundles.medium.Carrier`."""
        return sorted(name for path in self.files for at, _, name in [path.rpartition("/")] if at == folder)

    def read(self, path: str, limit: int) -> bytes:
        """See :class:`techtool.bundles.medium.Carrier`."""
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path][: limit + 1]

    def exists(self, path: str) -> bool:
        """See :class:`techtool.bundles.medium.Carrier`."""
        return path in self.files


@dataclass(frozen=True, slots=True)
class Known:
    """The newest verified metadata of one office on this laptop."""

    trust: StickTrust
    recalls: tuple[Recall, ...]
    news: bool
    """Whether this laptop learned something just now."""
    expired: Expired | None
    notes: tuple[Phrase, ...]


def encode_refresh(files: Mapping[str, bytes]) -> bytes:
    """The refresh file that holds ``files`` (UTF-8 texts by their names below ``TECHTOOL/``)."""
    return encode_json(_Wire(SCHEMA, {name: data.decode() for name, data in files.items()}))


def read_refresh(path: Path) -> RefreshFile:
    """Read a refresh file within bounds; raises :class:`BadFile`."""
    if path.exists() and not path.is_file():
        raise BadFile(path=str(path), problem=phrase("it is no refresh file"))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or "cannot be read") from error
    try:
        if len(data) > MAX_BYTES:
            raise CodecError("too long")
        wire = decode_json(data, _Wire)  # another shape ends here, before a million objects are made of it
        if wire.schema != SCHEMA or len(wire.files) > MAX_FILES or not all(map(is_portable, wire.files)):
            raise CodecError("schema or names")
        wire = convert_exactly(decode_json_untyped(data), _Wire)
    except CodecError as error:
        raise BadFile(path=str(path), problem=phrase("it is no refresh file"), detail=str(error)) from error
    return RefreshFile({name: text.encode() for name, text in wire.files.items()})


def learn(path: Path, paths: Paths, clock: Clock, disk: Disk = DISK) -> Known:
    """Learn from a refresh file, or from the metadata of a stick at ``path``; raises as :func:`refresh`."""
    if not path.is_dir():
        return refresh(read_refresh(path), paths, clock, disk)
    folder = StickFolder(locate(path))
    folder.survey()
    return refresh(folder, paths, clock, disk)


def refresh(carrier: Carrier, paths: Paths, clock: Clock, disk: Disk = DISK) -> Known:
    """Verify metadata from the pinned roots and keep what is newer than this laptop knows.

    Raises :class:`NotSetUp` when no root is pinned, :class:`Untrusted`, :class:`Damaged`, :class:`StoreDamaged`; then
    nothing was changed. Metadata past its date is kept too, for it may recall something; ``Known.expired`` says so.
    """
    from techtool.bundles.reading import read_stick_metadata

    roots = pinned(paths)
    if not roots:
        raise NotSetUp(missing=phrase("the office's root of trust (“techtool trust add FILE”)"))
    now = judge(clock.now(), read_floor(paths))
    state = read_stick_metadata(carrier, roots, lambda root: read_mirror(paths, root.fingerprint), now.at)
    return _weigh(carrier, state, paths, clock, disk)


def known(paths: Paths, clock: Clock) -> tuple[Known, ...]:
    """What this laptop knows without any stick, one entry for each office it has seen metadata of.

    The mirror is verified again from the pinned root. Raises :class:`StoreDamaged` when it does not verify any more.
    """
    found: list[Known] = []
    for root in pinned(paths):
        mirror = read_mirror(paths, root.fingerprint)
        if not mirror:
            continue
        try:
            found.append(_of_mirror(root, mirror, paths, clock))
        except TrustError as error:
            path = mirror_path(paths, root.fingerprint)
            raise StoreDamaged(path=str(path), problem=error.what_phrase, detail=error.detail) from error
    return tuple(found)


def _of_mirror(root: RootFacts, mirror: Mapping[str, bytes], paths: Paths, clock: Clock) -> Known:
    from techtool.bundles.metadata import NothingNewer, verify_metadata
    from techtool.bundles.reading import StickMetadata

    now = judge(clock.now(), read_floor(paths))
    newest = verify_metadata(NothingNewer(mirror), root.data, mirror, now.at)
    return _weigh(RefreshFile({}), StickMetadata(root, newest, newest, mirror), paths, clock, None)


def _weigh(carrier: Carrier, state: StickMetadata, paths: Paths, clock: Clock, disk: Disk | None) -> Known:
    """Hold verified metadata to the profile; with ``disk``, keep it."""
    from techtool.bundles.listing import check_lists, read_recalls

    check_lists(state.newest)
    recalls = read_recalls(carrier, state.newest, state.mirrored)
    reference = with_signed_date(judge(clock.now(), read_floor(paths)), state.newest.issued)
    news = disk is not None and keep(paths, state, recalls, reference, disk)
    ended = state.newest.expired_at(reference.at)
    return Known(
        trust=trust_of(state, reference),
        recalls=recalls.entries,
        news=news,
        expired=None if ended is None else Expired(role=ended[0], until=stamp(ended[1])),
        notes=() if reference.warning is None else (reference.warning,),
    )
