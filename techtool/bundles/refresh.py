"""The newest metadata without a stick: what a laptop learns from a refresh file, and what it knows already.

A refresh file is one JSON document with the metadata and the recalls of a bundle by the names they have on a stick. It
weighs a few kilobytes, so that it can come over a telephone; it cures a stick that is past its use-by date and brings
recalls and withdrawals. It is verified exactly as a stick is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.bundles.find import locate
from techtool.bundles.medium import Carrier, StickFolder, is_portable
from techtool.bundles.memory import Judged, StickTrust, judge_carrier, judge_mirror, keep
from techtool.bundles.roots import mirror_path, pinned, read_mirror
from techtool.clock import Clock
from techtool.domain.codec import CodecError, Unread, convert_exactly, decode_json, decode_json_untyped, encode_json
from techtool.domain.recall import Recall
from techtool.errors import BadFile, Expired, RefreshUntrusted, StoreDamaged, TrustError, UnknownOffice, Untrusted
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, Paths, os_problem

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
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    return parse_refresh(data, str(path))


def parse_refresh(data: bytes, name: str) -> RefreshFile:
    """What those bytes hold, ``name`` being for messages; raises :class:`BadFile`."""
    try:
        if len(data) > MAX_BYTES:
            raise CodecError("too long")
        # Another shape ends here, before a million objects are made of it.
        if set(decode_json(data, dict[str, Unread])) != {"schema", "files"}:
            raise CodecError("fields")
        wire = decode_json(data, _Wire)
        if wire.schema != SCHEMA or len(wire.files) > MAX_FILES or not all(map(is_portable, wire.files)):
            raise CodecError("schema or names")
        wire = convert_exactly(decode_json_untyped(data), _Wire)
    except CodecError as error:
        raise BadFile(path=name, problem=phrase("it is no refresh file"), detail=str(error)) from error
    return RefreshFile({name: text.encode() for name, text in wire.files.items()})


def learn(path: Path, paths: Paths, clock: Clock, disk: Disk = DISK) -> Known:
    """Learn from a refresh file, or from the metadata of a stick at ``path``; raises as :func:`refresh`."""
    if not path.is_dir():
        return _refresh_of(read_refresh(path), paths, clock, disk)
    folder = StickFolder(locate(path))
    folder.survey()
    return refresh(folder, paths, clock, disk)


def learn_bytes(data: bytes, name: str, paths: Paths, clock: Clock, disk: Disk = DISK) -> Known:
    """:func:`learn` from a refresh file that came over a network; ``name`` is for messages."""
    return _refresh_of(parse_refresh(data, name), paths, clock, disk)


def _refresh_of(file: RefreshFile, paths: Paths, clock: Clock, disk: Disk) -> Known:
    try:
        return refresh(file, paths, clock, disk)
    except UnknownOffice:
        raise
    except Untrusted as error:
        raise RefreshUntrusted(problem=error.params["problem"], detail=error.detail) from error


def refresh(carrier: Carrier, paths: Paths, clock: Clock, disk: Disk = DISK) -> Known:
    """Verify metadata from the pinned roots and keep what is newer than this laptop knows.

    Raises :class:`NotSetUp` when no root is pinned, :class:`Untrusted`, :class:`Damaged`, :class:`StoreDamaged`; then
    nothing was changed. Metadata past its date is kept too, for it may recall something; ``Known.expired`` says so.
    """
    from techtool.bundles.listing import check_lists

    judged = judge_carrier(carrier, paths, clock)
    check_lists(judged.state.newest)
    absent = judged.state.newest.absent
    if absent and isinstance(carrier, RefreshFile) and not judged.state.from_mirror:
        raise Untrusted(problem=phrase("the list of {role} is missing in it", role=absent[0]))
    return _known(judged, news=keep(judged, paths, disk))


def known(paths: Paths, clock: Clock) -> tuple[Known, ...]:
    """What this laptop knows without any stick, one entry for each pinned root that metadata was seen under.

    The mirror is verified again from the pinned root. Raises :class:`StoreDamaged` when it does not verify any more.
    """
    from techtool.bundles.listing import check_lists

    found: list[Known] = []
    for root in pinned(paths):
        mirror = read_mirror(paths, root.fingerprint)
        if not mirror:
            continue
        try:
            judged = judge_mirror(root, mirror, RefreshFile({}), paths, clock)
            check_lists(judged.state.newest)
        except TrustError as error:
            path = mirror_path(paths, root.fingerprint)
            raise StoreDamaged(path=str(path), problem=error.what_phrase, detail=error.detail) from error
        found.append(_known(judged, news=False))
    return tuple(found)


def _known(judged: Judged, *, news: bool) -> Known:
    warning = judged.reference.warning
    notes = [phrase("The list of {role} ran out: what it lists is not installed.", role=role) for role in judged.lapsed]
    return Known(
        trust=judged.trust,
        recalls=judged.recalls.entries,
        news=news,
        expired=judged.expired,
        notes=(*(() if warning is None else (warning,)), *notes),
    )
