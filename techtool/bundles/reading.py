"""Which metadata counts for a stick: its own, or the newer one that this laptop mirrored from another stick."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from techtool.bundles.find import locate
from techtool.bundles.medium import Carrier, StickFolder
from techtool.bundles.metadata import MirrorSource, StickSource, VerifiedMetadata, timestamp_version, verify_metadata
from techtool.bundles.roots import RootFacts, fingerprint, grouped, root_facts
from techtool.errors import Untrusted
from techtool.i18n import phrase


@dataclass(frozen=True, slots=True)
class StickMetadata:
    """What was verified, and from where."""

    anchor: RootFacts
    """The pinned root that the stick descends from."""
    newest: VerifiedMetadata
    """What decides."""
    own: VerifiedMetadata | None
    """What the stick itself says, when the mirror is newer; None when the stick is the newest."""
    mirrored: Mapping[str, bytes]
    """The mirror as it was."""


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
    anchor = _anchor(stick, versions, roots)
    mirror = mirror_of(anchor)
    _refuse_forks(stick, versions, mirror)
    offered = timestamp_version(stick.read("timestamp.json"))
    if f"root_history/{versions[-1]}.root.json" in mirror and offered < timestamp_version(mirror.get("timestamp.json")):
        own = _reached(verify_metadata(stick, anchor.data, {}, at), versions)
        newest = verify_metadata(MirrorSource(mirror, stick), anchor.data, mirror, at)
        return StickMetadata(anchor, _reached(newest, versions), own, mirror)
    newest = verify_metadata(stick, anchor.data, mirror, at)
    return StickMetadata(anchor, _reached(newest, versions), None, mirror)


def root_of_stick(path: Path) -> RootFacts:
    """The newest root on the stick at ``path``: for a person to compare, nothing is believed yet.

    Raises :class:`NoStick`, :class:`Untrusted`, :class:`BadFile`.
    """
    stick = StickSource(StickFolder(locate(path)))
    versions = stick.root_versions()
    if not versions:
        raise Untrusted(problem=phrase("it has no root"))
    return root_facts(stick.read(f"{versions[-1]}.root.json") or b"", str(path))


def _anchor(stick: StickSource, versions: Sequence[int], roots: Sequence[RootFacts]) -> RootFacts:
    """The pinned root that stands, byte for byte, in the stick's chain."""
    if not versions:
        raise Untrusted(problem=phrase("it has no root"))
    missing = [before + 1 for before, after in pairwise(versions) if after != before + 1]
    if missing:
        text = phrase("its chain of roots is broken: root {missing} is missing", missing=missing[0])
        raise Untrusted(problem=text)
    for root in sorted(roots, key=lambda root: root.version, reverse=True):
        if root.version in versions and stick.read(f"{root.version}.root.json") == root.data:
            return root
    shown = grouped(fingerprint(stick.read(f"{versions[-1]}.root.json") or b""))
    text = phrase("this laptop does not know its publisher (fingerprint of its root: {fingerprint})", fingerprint=shown)
    raise Untrusted(problem=text)


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
