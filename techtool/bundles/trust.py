"""Opening a stick: from a folder a stranger may have prepared to releases that stand for a publisher and a lab.

``open_stick`` is the only door. It looks at what lies on the stick, finds the pinned root that the stick descends from,
has python-tuf verify the metadata from there, holds it to techtool's profile, reads the release descriptions by their
signed digests, and only then keeps what it learned (newest metadata, clock floor). A stick that is refused at any point
leaves this laptop exactly as it was.

An older genuine stick beside a newer mirror is no attack: the newest verified metadata decides, the payloads come
from the stick. What the newest metadata still lists can be installed; what only the old stick lists is ``withdrawn``.
"""

from __future__ import annotations

import contextlib
import gc
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from techtool.bundles.find import locate
from techtool.bundles.medium import StickFolder
from techtool.bundles.memory import Judged, StickTrust, judge_carrier, keep
from techtool.bundles.payload import Confirmed, Payload, check, fetch
from techtool.bundles.roots import pin_root, pinned
from techtool.clock import Clock
from techtool.domain.recall import Recall
from techtool.domain.release import Release, ReleaseFile, TrustFacts, VerifiedRelease
from techtool.errors import Damaged, DiskError, DiskFull, Expired, Recalled, Withdrawn
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, Paths

if TYPE_CHECKING:
    from techtool.bundles.listing import Listed


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
    absent: tuple[str, ...]
    """Publishers' roles whose list is neither on the stick nor known here."""
    notes: tuple[Phrase, ...]
    expired: Expired | None
    """Held, not raised: an expired stick can be read, but nothing is installed from it."""
    lapsed: Mapping[str, Expired]
    """Releases (``id@version``) of publishers whose own list ran out: only these are not installed."""

    @property
    def recalled(self) -> Mapping[str, Recall]:
        """The recalled releases that are on this stick, by ``id@version``."""
        here = {item.release.key for item in self.releases} | {f"{name}@{version}" for name, version in self.withdrawn}
        return {recall.key: recall for recall in self.recalls if recall.key in here}

    @property
    def offered(self) -> tuple[Release, ...]:
        """What this stick still offers: the releases that were neither withdrawn nor recalled."""
        gone = {f"{name}@{version}" for name, version in self.withdrawn} | {recall.key for recall in self.recalls}
        return tuple(item.release for item in self.releases if item.release.key not in gone)

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
        lapsed = self.lapsed.get(release.release.key)
        if lapsed is not None:
            raise lapsed
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


def open_stick(path: Path, paths: Paths, clock: Clock, disk: Disk = DISK, *, to_install: bool = True) -> Stick:
    """Verify the stick at ``path`` (mount root or ``TECHTOOL/``) from the pinned roots of this laptop.

    Raises :class:`NoStick`, :class:`NotSetUp` when no root is pinned, :class:`Untrusted`, :class:`Damaged` when it
    cannot be read, :class:`StoreDamaged` when this laptop's trust state cannot. Expiry is held in ``Stick.expired``.

    What the stick proves is remembered. Where the disk does not take it that is an error, or, for one who only looks
    (``to_install`` is False), a note: an installation from it would forget recalls.
    """
    with _collector_at_rest():
        stick, judged = _open(StickFolder(locate(path)), paths, clock)
        try:
            keep(judged, paths, disk)
        except (DiskError, DiskFull) as error:
            if to_install:
                raise
            text = phrase("What this stick proves could not be remembered on this laptop: {why}", why=error.what_phrase)
            return replace(stick, notes=(*stick.notes, text))
        return stick


@contextlib.contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No search for garbage while thousands of descriptions are read: nothing of them is any, and it took a third."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _open(folder: StickFolder, paths: Paths, clock: Clock) -> tuple[Stick, Judged]:
    from techtool.bundles.listing import carried_by, read_listing, withdrawn

    survey = folder.survey()
    judged = judge_carrier(folder, paths, clock)
    state, trust, lapsed = judged.state, judged.trust, judged.lapsed
    carried = {} if state.own is None else carried_by(folder, state.own)
    listing = read_listing(folder, state.newest)
    warning = judged.reference.warning
    stick = Stick(
        root=folder.root,
        releases=tuple(VerifiedRelease(item.release, _facts(trust, item)) for item in listing.releases),
        trust=trust,
        withdrawn=withdrawn(carried, listing),
        recalls=judged.recalls.entries,
        absent=state.newest.absent,
        notes=(*(() if warning is None else (warning,)), *listing.notes, *survey.notes),
        expired=judged.expired,
        lapsed={item.release.key: lapsed[item.role] for item in listing.releases if item.role in lapsed},
    )
    return stick, judged


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


def judge_alone(path: Path, paths: Paths, clock: Clock) -> Stick:
    """Judge a stick by its own bytes, as a laptop would that trusts the same roots and has seen nothing newer.

    With newer metadata on this laptop a stick with broken lists can still be used here; the next laptop refuses it.
    Raises what :func:`open_stick` raises; keeps nothing.
    """
    return open_alone(path, [root.data for root in pinned(paths)], clock)


def open_alone(path: Path, roots: Iterable[bytes], clock: Clock) -> Stick:
    """The stick as a laptop sees it that knows these roots and nothing else; raises as :func:`open_stick`."""
    with tempfile.TemporaryDirectory(prefix="techtool-check-", ignore_cleanup_errors=True) as folder:
        paths = Paths(Path(folder))
        for root in roots:
            pin_root(paths, root)
        return open_stick(path, paths, clock)
