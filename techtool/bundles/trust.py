"""Opening a stick: from a folder a stranger may have prepared to releases that stand for a publisher and a lab.

``open_stick`` is the only door. It looks at what lies on the stick, finds the pinned root that the stick descends from,
has python-tuf verify the metadata from there, holds it to techtool's profile, reads the release descriptions by their
signed digests, and only then keeps what it learned (newest metadata, clock floor). A stick that is refused at any point
leaves this laptop exactly as it was.

An older genuine stick beside a newer mirror is no attack: the newest verified metadata decides, the payloads come
from the stick. What the newest metadata still lists can be installed; what only the old stick lists is ``withdrawn``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from techtool.bundles.clock_floor import ReferenceTime, judge, raise_floor, read_floor
from techtool.bundles.find import locate
from techtool.bundles.medium import StickFolder
from techtool.bundles.payload import Confirmed, Payload, check, fetch
from techtool.bundles.roots import fingerprint, pin_root, pinned, read_mirror, write_mirror
from techtool.clock import Clock, stamp
from techtool.domain.recall import Recall
from techtool.domain.release import ReleaseFile, TrustFacts, VerifiedRelease
from techtool.errors import Damaged, Expired, NotSetUp, Recalled, Withdrawn
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, Paths

if TYPE_CHECKING:
    from techtool.bundles.listing import Listed, Recalls
    from techtool.bundles.reading import StickMetadata


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
class Stick:
    """A verified stick: what may be installed from it, and what people should know about it."""

    root: Path
    """Its ``TECHTOOL`` folder."""
    releases: tuple[VerifiedRelease, ...]
    trust: StickTrust
    withdrawn: tuple[tuple[str, str], ...]
    """Id and version of what this older stick carries and the newest metadata no longer lists."""
    recalls: tuple[Recall, ...]
    """Everything the office recalled, whether it is on this stick or not."""
    notes: tuple[Phrase, ...]
    expired: Expired | None
    """Held, not raised: an expired stick can be read, but nothing is installed from it."""

    @property
    def recalled(self) -> Mapping[str, Recall]:
        """The recalled releases that are on this stick, by ``id@version``."""
        here = {item.release.key for item in self.releases} | {f"{name}@{version}" for name, version in self.withdrawn}
        return {recall.key: recall for recall in self.recalls if recall.key in here}

    def fetch(
        self,
        release: VerifiedRelease,
        file: ReleaseFile,
        into: Path,
        confirmed: Confirmed = lambda _count: None,
        disk: Disk = DISK,
    ) -> Path:
        """Copy one payload to ``into/<sha256>`` and prove it (:func:`techtool.bundles.payload.fetch`).

        Raises :class:`Expired`, :class:`Recalled`, :class:`Withdrawn`, :class:`Damaged`, :class:`DiskFull`.
        """
        if self.expired is not None:
            raise self.expired
        recall = self.recalled.get(release.release.key)
        if recall is not None:
            raise Recalled(release=recall.key, reason=recall.reason_phrase)
        return fetch(StickFolder(self.root), self._payload(release, file), into, confirmed, disk)

    def check(self, release: VerifiedRelease, file: ReleaseFile, confirmed: Confirmed = lambda _count: None) -> None:
        """Hash one payload where it lies, expired or not; raises :class:`Damaged` and :class:`Withdrawn`."""
        check(StickFolder(self.root), self._payload(release, file), confirmed)

    def _payload(self, release: VerifiedRelease, file: ReleaseFile) -> Payload:
        """The payload by this stick's own metadata: a release verified on another stick is looked up again here."""
        wanted = release.release
        own = next((item.release for item in self.releases if item.release.key == wanted.key), None)
        if own is None and (wanted.id, wanted.version) in self.withdrawn:
            raise Withdrawn(release=wanted.key)
        if own is None or file not in own.files:
            raise Damaged(path=file.target, problem=phrase("this stick does not list it"))
        return Payload(file.target, file.size_bytes, file.sha256)


def open_stick(path: Path, paths: Paths, clock: Clock, disk: Disk = DISK) -> Stick:
    """Verify the stick at ``path`` (mount root or ``TECHTOOL/``) from the pinned roots of this laptop.

    Raises :class:`NoStick`, :class:`NotSetUp` when no root is pinned, :class:`Untrusted`, :class:`Damaged` when it
    cannot be read, :class:`StoreDamaged` when this laptop's trust state cannot. Expiry is held in ``Stick.expired``.
    """
    folder = StickFolder(locate(path))
    survey = folder.survey()
    roots = pinned(paths)
    if not roots:
        raise NotSetUp(missing=phrase("the office's root of trust (“techtool trust add FILE”)"))
    from techtool.bundles.listing import carried_by, read_listing, read_recalls, withdrawn
    from techtool.bundles.reading import read_stick_metadata

    now = judge(clock.now(), read_floor(paths))
    state = read_stick_metadata(folder, roots, lambda root: read_mirror(paths, root.fingerprint), now.at)
    carried = {} if state.own is None else carried_by(folder, state.own)
    listing = read_listing(folder, state.newest)
    recalls = read_recalls(folder, state.newest, state.mirrored)
    reference = with_signed_date(now, state.newest.issued)
    trust = trust_of(state, reference)
    notes = (*(() if reference.warning is None else (reference.warning,)), *listing.notes, *survey.notes)
    ended = state.newest.expired_at(reference.at)
    stick = Stick(
        root=folder.root,
        releases=tuple(VerifiedRelease(item.release, _facts(trust, item)) for item in listing.releases),
        trust=trust,
        withdrawn=withdrawn(carried, listing),
        recalls=recalls.entries,
        notes=notes,
        expired=None if ended is None else Expired(role=ended[0], until=stamp(ended[1])),
    )
    keep(paths, state, recalls, reference, disk)
    return stick


def keep(paths: Paths, state: StickMetadata, recalls: Recalls, reference: ReferenceTime, disk: Disk) -> bool:
    """Remember what was verified, and whether any of it was new to this laptop.

    A mirror that another techtool replaced meanwhile is left to the next opening.
    """
    anchor = state.anchor.fingerprint
    verified = {**state.newest.files, **recalls.files}
    news = verified != state.mirrored
    if news and read_mirror(paths, anchor) == state.mirrored:
        write_mirror(paths, anchor, verified, disk)
    if state.newest.expired_at(state.newest.issued) is None:  # else its date of issue is no proof of any time
        raise_floor(paths, reference.floor, disk)
    return news


def with_signed_date(now: ReferenceTime, issued: datetime) -> ReferenceTime:
    """The reference time once the stick's own signed date is believed: nothing can be signed in the future."""
    return judge(now.system, max(now.floor, issued)) if issued > now.floor else now


def trust_of(state: StickMetadata, reference: ReferenceTime) -> StickTrust:
    """What the verification of ``state`` stands on."""
    return StickTrust(
        root_version=state.newest.root.version,
        root_sha256=fingerprint(state.newest.root_data),
        pinned_sha256=state.anchor.fingerprint,
        issued=state.newest.issued,
        use_by=state.newest.timestamp.expires,
        reference_time=reference.at,
        system_time=reference.system,
        from_mirror=state.own is not None,
    )


def _facts(trust: StickTrust, item: Listed) -> TrustFacts:
    return TrustFacts(
        root_version=trust.root_version,
        root_sha256=trust.root_sha256,
        metadata_issued=trust.issued,
        use_by=trust.use_by,
        reference_time=trust.reference_time,
        system_time=trust.system_time,
        publisher=item.role,
        keys=item.keys,
    )


def judge_alone(path: Path, paths: Paths, clock: Clock) -> None:
    """Judge a stick by its own bytes, as a laptop would that trusts the same roots and has seen nothing newer.

    With newer metadata on this laptop a stick with broken lists can still be used here; the next laptop refuses it.
    Raises what :func:`open_stick` raises; keeps nothing.
    """
    open_alone(path, [root.data for root in pinned(paths)], clock)


def open_alone(path: Path, roots: Iterable[bytes], clock: Clock) -> Stick:
    """The stick as a laptop sees it that knows these roots and nothing else; raises as :func:`open_stick`."""
    with tempfile.TemporaryDirectory(prefix="techtool-check-", ignore_cleanup_errors=True) as folder:
        paths = Paths(Path(folder))
        for root in roots:
            pin_root(paths, root)
        return open_stick(path, paths, clock)
