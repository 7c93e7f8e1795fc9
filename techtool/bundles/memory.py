"""What this laptop remembers of an office: its newest verified metadata, what it recalled, and the time it proves.

Whatever carries metadata, a stick or a refresh file, is judged here in one way. A laptop may have pinned several roots
of one office (the first, and a later one after a rotation); they share one memory, because every pin that stands in the
signed chain is told. So nothing is forgotten by pinning again, and an old root does not outlive its rotation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from techtool.bundles.clock_floor import ReferenceTime, judge, raise_floor, read_floor
from techtool.bundles.medium import Carrier
from techtool.bundles.roots import RootFacts, fingerprint, pinned, read_mirror, write_mirror
from techtool.clock import Clock, stamp
from techtool.errors import Expired, NotSetUp, StoreLocked
from techtool.i18n import phrase
from techtool.paths import Disk, Paths, disk_error

if TYPE_CHECKING:
    from techtool.bundles.listing import Recalls
    from techtool.bundles.metadata import VerifiedMetadata
    from techtool.bundles.reading import StickMetadata

_LOCK_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class StickTrust:
    """What the verification stands on, for the screen."""

    root_version: int
    root_sha256: str
    """Fingerprint of the root that the signed chain reached."""
    pinned_sha256: str
    """Fingerprint of the root that a person pinned here."""
    issued: datetime
    use_by: datetime
    reference_time: datetime
    """Expiry is judged by this time, which is never before the clock floor."""
    system_time: datetime
    from_mirror: bool
    """The stick is older than what this laptop knows: the mirrored metadata decides."""

    @property
    def age_days(self) -> int:
        """Whole days since the metadata was issued."""
        return max(0, (self.reference_time - self.issued).days)


@dataclass(frozen=True, slots=True)
class Judged:
    """Verified metadata with everything that follows from it and from this laptop's memory."""

    state: StickMetadata
    recalls: Recalls
    reference: ReferenceTime

    @property
    def trust(self) -> StickTrust:
        """What it stands on."""
        newest = self.state.newest
        return StickTrust(
            root_version=newest.root.version,
            root_sha256=fingerprint(newest.root_data),
            pinned_sha256=self.state.anchors[-1].fingerprint,
            issued=newest.issued,
            use_by=newest.timestamp.expires,
            reference_time=self.reference.at,
            system_time=self.reference.system,
            from_mirror=self.state.from_mirror,
        )

    @property
    def expired(self) -> Expired | None:
        """What ran out for everything: root, timestamp, snapshot, board, recalls."""
        ended = self.state.newest.expired_at(self.reference.at)
        return None if ended is None else Expired(role=ended[0], until=stamp(ended[1]))

    @property
    def lapsed(self) -> Mapping[str, Expired]:
        """Publishers' roles that ran out: only what they list is not to be installed."""
        ended = self.state.newest.lapsed_at(self.reference.at)
        return {role: Expired(role=role, until=stamp(until)) for role, until in ended.items()}


def judge_carrier(carrier: Carrier, paths: Paths, clock: Clock) -> Judged:
    """Verify what ``carrier`` holds from the pinned roots and weigh it against the memory; keeps nothing.

    Raises :class:`NotSetUp` when no root is pinned, :class:`Untrusted`, :class:`Damaged`, :class:`StoreDamaged`.
    """
    from techtool.bundles.reading import read_stick_metadata

    roots = pinned(paths)
    if not roots:
        raise NotSetUp(missing=phrase("the office's root of trust (“techtool trust add FILE”)"))
    now = judge(clock.now(), read_floor(paths))
    state = read_stick_metadata(carrier, roots, lambda root: read_mirror(paths, root.fingerprint), now.at)
    return _judged(carrier, state, now)


def judge_mirror(root: RootFacts, mirror: Mapping[str, bytes], nothing: Carrier, paths: Paths, clock: Clock) -> Judged:
    """What is remembered under one pinned root, verified again; ``nothing`` is an empty carrier. Raises as above."""
    from techtool.bundles.metadata import NothingNewer, verify_metadata
    from techtool.bundles.reading import StickMetadata

    now = judge(clock.now(), read_floor(paths))
    newest = verify_metadata(NothingNewer(mirror), root.data, mirror, now.at)
    return _judged(nothing, StickMetadata((root,), newest, None, mirror, from_mirror=True), now)


def keep(judged: Judged, paths: Paths, disk: Disk) -> bool:
    """Remember what was verified under every pin of the office, and say whether any of it was new to this laptop.

    Another techtool may have learned something meanwhile: what is newer stays. Raises :class:`StoreLocked`,
    :class:`DiskError`, :class:`DiskFull`.
    """
    from filelock import FileLock, Timeout

    state = judged.state
    verified = {**state.newest.files, **judged.recalls.files}
    news = False
    disk.make_folder(paths.trust)
    try:
        with FileLock(paths.trust / "lock", timeout=_LOCK_TIMEOUT_S, fallback_to_soft=False):
            for anchor in state.anchors:
                there = read_mirror(paths, anchor.fingerprint)
                meanwhile = there not in ({}, state.mirrored) and there != verified
                if meanwhile and _is_newer(there, verified):
                    continue
                if there != verified:
                    write_mirror(paths, anchor.fingerprint, verified, disk)
                    news = True
            if state.newest.is_dated_soundly:
                raise_floor(paths, judged.reference.floor, disk)
    except Timeout as error:
        raise StoreLocked(holder=str(paths.trust / "lock")) from error
    except OSError as error:
        raise disk_error(error, paths.trust / "lock") from error
    return news


def _is_newer(there: Mapping[str, bytes], ours: Mapping[str, bytes]) -> bool:
    """Whether a mirror that another techtool wrote knows more; both were verified from the same pinned root."""
    from techtool.bundles.metadata import timestamp_version

    def rank(files: Mapping[str, bytes]) -> tuple[int, int]:
        roots = sum(name.startswith("root_history/") for name in files)
        return roots, timestamp_version(files.get("timestamp.json"))

    return rank(there) > rank(ours)


def _judged(carrier: Carrier, state: StickMetadata, now: ReferenceTime) -> Judged:
    from techtool.bundles.listing import read_recalls

    recalls = read_recalls(carrier, state.newest, state.mirrored)
    return Judged(state, recalls, _with_signed_date(now, state.newest))


def _with_signed_date(now: ReferenceTime, newest: VerifiedMetadata) -> ReferenceTime:
    """The reference time once the signed date is believed: nothing can be signed in the future."""
    issued = newest.issued
    return judge(now.system, max(now.floor, issued)) if issued > now.floor else now
