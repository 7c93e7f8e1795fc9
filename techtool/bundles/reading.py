"""Which metadata counts for a stick: its own, or the newer one that this laptop mirrored from another stick."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from techtool.bundles.find import locate
from techtool.bundles.medium import Carrier, StickFolder
from techtool.bundles.metadata import MirrorSource, StickSource, VerifiedMetadata, timestamp_version, verify_metadata
from techtool.bundles.roots import RootFacts, fingerprint, grouped, root_facts
from techtool.errors import BadFile, UnknownOffice, Untrusted
from techtool.i18n import phrase

_MIRRORED_ROOT: Final = re.compile(r"root_history/([0-9]+)\.root\.json")


@dataclass(frozen=True, slots=True)
class StickMetadata:
    """What was verified, and from where."""

    anchors: tuple[RootFacts, ...]
    """The pinned roots in its chain, the first one first: they share one memory."""
    newest: VerifiedMetadata
    """What decides."""
    own: VerifiedMetadata | None
    """What the stick itself says, when the mirror is newer; None when the stick is the newest."""
    mirrored: Mapping[str, bytes]
    """The mirror as it was."""
    from_mirror: bool
    """Whether this laptop's memory decides and not the stick."""


def read_stick_metadata(
    folder: Carrier,
    roots: Sequence[RootFacts],
    mirror_of: Callable[[RootFacts], Mapping[str, bytes]],
    at: datetime,
) -> StickMetadata:
    """Verify the stick's metadata and weigh it against the mirror; raises :class:`Untrusted` and changes nothing.

    A stick whose timestamp is older than the mirrored one must still be genuine by itself: it is verified alone, from
    the same pinned root, before the mirror is asked what of it may still be installed. Anything else that is older than
    what this laptop has seen is a rollback, and python-tuf refuses it. A stick with a newer root is always left to
    python-tuf: where that root replaced the key of the timestamp, what a thief signed with the old one, at however high
    a version, counts no more (TUF specification 5.3.11).
    """
    stick = StickSource(folder)
    versions = stick.root_versions()
    anchors = _anchors(stick, versions, roots)
    anchor = anchors[0]
    mirror = max((mirror_of(root) for root in anchors), key=_knows)
    _refuse_forks(stick, versions, mirror)
    offered = timestamp_version(stick.read("timestamp.json"))
    if f"root_history/{versions[-1]}.root.json" in mirror and offered < timestamp_version(mirror.get("timestamp.json")):
        own = _reached(verify_metadata(stick, anchor.data, {}, at), versions)
        newest = verify_metadata(MirrorSource(mirror, stick), anchor.data, mirror, at)
        return StickMetadata(anchors, _reached(newest, versions), own, mirror, from_mirror=True)
    newest = verify_metadata(stick, anchor.data, mirror, at)
    return StickMetadata(anchors, _reached(newest, versions), None, mirror, from_mirror=False)


def root_of_stick(path: Path) -> RootFacts:
    """The newest root on the stick at ``path``: for a person to compare, nothing is believed yet.

    Raises :class:`NoStick`, :class:`Untrusted`, :class:`BadFile`.
    """
    stick = StickSource(StickFolder(locate(path)))
    versions = stick.root_versions()
    if not versions:
        raise Untrusted(problem=phrase("it has no root"))
    return root_facts(stick.read(f"{versions[-1]}.root.json") or b"", str(path))


def _knows(mirror: Mapping[str, bytes]) -> tuple[int, int]:
    """How new a mirror is: by its roots, then by its timestamp."""
    roots = [int(found[1]) for found in map(_MIRRORED_ROOT.fullmatch, mirror) if found]
    return max(roots, default=0), timestamp_version(mirror.get("timestamp.json")) if mirror else 0


def _anchors(stick: StickSource, versions: Sequence[int], roots: Sequence[RootFacts]) -> tuple[RootFacts, ...]:
    """The pinned roots that stand, byte for byte, in the stick's chain, which is whole and holds from its first root.

    python-tuf verifies the chain from the first pin on. What stands before it is held together here, so that nobody
    hides an older pin of this laptop, and with it what it remembers, by leaving out or exchanging the first roots.
    """
    if not versions:
        raise Untrusted(problem=phrase("it has no root"))
    missing = [1] if versions[0] != 1 else []
    missing += [before + 1 for before, after in pairwise(versions) if after != before + 1]
    if missing:
        text = phrase("its chain of roots is broken: root {missing} is missing", missing=missing[0])
        raise Untrusted(problem=text)
    here = sorted((root for root in roots if root.version in versions), key=lambda root: root.version)
    anchors = tuple(root for root in here if stick.read(f"{root.version}.root.json") == root.data)
    if anchors:
        _check_before(stick, anchors[0].version)
        return anchors
    if any(root.version > versions[-1] and _is_ancestor(stick, versions[-1], root) for root in roots):
        raise Untrusted(problem=phrase("it is older than the root that this laptop was set up with"))
    shown = grouped(fingerprint(stick.read(f"{versions[-1]}.root.json") or b""))
    raise UnknownOffice(fingerprint=shown)


def _check_before(stick: StickSource, version: int) -> None:
    """Every root before the first pin is signed by its own keys and signs its follower; raises :class:`Untrusted`."""
    for number in range(1, version):
        if not _is_ancestor(stick, number, None):
            raise Untrusted(
                problem=phrase("its chain of roots is broken: root {missing} does not hold", missing=number)
            )


def _is_ancestor(stick: StickSource, version: int, follower: RootFacts | None) -> bool:
    """Whether the stick's root ``version`` is sound and signed the next one (on the stick, or ``follower``)."""
    try:
        own = root_facts(stick.read(f"{version}.root.json") or b"", "")
        next_data = follower.data if follower else stick.read(f"{version + 1}.root.json") or b""
        signed = Metadata[Root].from_bytes(own.data).signed
        after = Metadata[Root].from_bytes(next_data)
        signed.verify_delegate("root", after.signed_bytes, after.signatures)
    except (BadFile, RepositoryError, ValueError):
        return False
    return True


def _refuse_forks(stick: StickSource, versions: Sequence[int], mirror: Mapping[str, bytes]) -> None:
    """Two different roots of one number: one of them is a lie, whichever it is."""
    for version in versions:
        known = mirror.get(f"root_history/{version}.root.json")
        if known is not None and stick.read(f"{version}.root.json") != known:
            raise Untrusted(problem=phrase("its root {version} is not the one this laptop knows", version=version))


def _reached(verified: VerifiedMetadata, versions: Sequence[int]) -> VerifiedMetadata:
    """python-tuf stops silently at the last root it can reach; a stick that carries more is refused."""
    if verified.root.version < versions[-1]:
        text = phrase(
            "it carries root {carried}, but only root {reached} can be reached",
            carried=versions[-1],
            reached=verified.root.version,
        )
        raise Untrusted(problem=text)
    return verified
