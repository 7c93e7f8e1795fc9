"""Signing by several people: each adds the signatures of the keys at hand; what is complete is published.

What is staged is signed role by role. Where a role has what its delegator demands (a publisher's list both a vendor's
and a lab's signature), the stick-maker's key makes a new snapshot and timestamp over it, and it is published.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from techtool.bundles.publish.keys import KeyRing
from techtool.bundles.publish.lint import publishable
from techtool.bundles.publish.restaging import settle
from techtool.bundles.publish.roles import STICK_MAKER, owner_of, snapshot_of, timestamp_of
from techtool.bundles.publish.state import TOP, Loaded, Missing, Shelf, keys_of
from techtool.clock import Clock
from techtool.errors import PublisherError
from techtool.i18n import phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SignReport:
    """What a signing did."""

    signed: tuple[tuple[str, str], ...]
    """Role and the key that signed it now."""
    missing: tuple[Missing, ...]
    """What is still to be signed, by whom."""
    published: bool
    """Whether there is a new state to write to sticks."""
    use_by: datetime | None = None
    """Until when sticks of that state are good: the earliest end of any of its roles."""
    version: int = 0
    """Of the timestamp that was published."""
    roles: tuple[str, ...] = ()
    """What of the staged roles was published."""
    first: bool = False
    """There was no published state before: laptops can be told the root now."""
    refused: PublisherError | None = None
    """Why some of what is signed was not published with the rest: lint errors."""


def sign(
    workspace: Workspace, ring: KeyRing, clock: Clock, *, renew: bool, use_by_days: int, accept_lint: bool = False
) -> SignReport:
    """Add the signatures of the keys in ``ring``; publish what is complete. ``renew`` moves the use-by date on.

    With nothing staged and no ``renew`` nothing is done, and the report says so by being empty. A publisher's list with
    lint errors is not published (:func:`techtool.bundles.publish.lint.publishable`), except with ``accept_lint``:
    raises :class:`PublisherError` where nothing else is ready, else the report carries it.
    """
    settle(workspace, clock.now())
    shelf = Shelf(workspace)
    _refuse_strangers(ring, shelf)
    for role in shelf.finished:
        workspace.unstage(role)
    signed = tuple((role, owner) for role in shelf.staged for owner in _sign_role(workspace, shelf, ring, role))
    missing = shelf.all_missing()
    ready, refused = publishable(workspace, shelf, accept_lint=accept_lint)
    if not ready and not (renew and shelf.published):
        if refused is not None:
            raise refused
        return SignReport(signed, missing, published=False)
    publication = _Publication(workspace, shelf, ready, clock.now())
    signer = publication.signer(ring)
    if signer is None:
        lack = Missing("timestamp", publication.stick_makers, 1)
        return SignReport(signed, (*missing, lack), published=False)
    return replace(publication.run(signer, use_by_days, signed, missing), refused=refused)


def _refuse_strangers(ring: KeyRing, shelf: Shelf) -> None:
    """Nobody signs as somebody who has no key: a slip of the hand must not look like “nothing to sign”."""
    known = shelf.owners()
    for owner in sorted(ring.only - known):
        text = phrase(
            "“{owner}” is no owner of a key here; there are: {owners}", owner=owner, owners=", ".join(sorted(known))
        )
        raise PublisherError(problem=text)


def _sign_role(workspace: Workspace, shelf: Shelf, ring: KeyRing, role: str) -> list[str]:
    """Sign one staged role with every key at hand that may; the names of those that had not yet."""
    staged = shelf.staged[role]
    done: list[str] = []
    for delegator in shelf.delegators(role):
        if role not in {*TOP, *shelf.lists()}:
            continue
        result = delegator.get_verification_result(role, staged.signed_bytes, staged.metadata.signatures)
        for key in result.unsigned.values():
            signer = ring.signer(key, owner_of(key))
            if signer is not None and owner_of(key) not in done:
                staged.metadata.sign(signer, append=True)
                done.append(owner_of(key))
    if done:
        workspace.stage(role, staged.metadata)
    return done


@dataclass(frozen=True, slots=True)
class _Publication:
    """A new state of the bundle: what was published, with the staged roles in ``taken`` in their places."""

    workspace: Workspace
    shelf: Shelf
    taken: Collection[str]
    now: datetime

    @property
    def root(self) -> Root:
        """The root of the new state."""
        root = self.shelf.root(self.taken)
        if root is None:
            raise PublisherError(problem=phrase("the bundle has no role {role}", role="root"))
        return root

    @property
    def stick_makers(self) -> tuple[str, ...]:
        """Who may sign both snapshot and timestamp."""
        snapshot = {key.keyid for key in keys_of(self.root, "snapshot")}
        keys = [key for key in keys_of(self.root, "timestamp") if key.keyid in snapshot]
        return tuple(map(owner_of, keys)) or (STICK_MAKER,)

    def signer(self, ring: KeyRing) -> CryptoSigner | None:
        """The first of them whose key is here."""
        for key in keys_of(self.root, "timestamp"):
            if owner_of(key) in self.stick_makers and (signer := ring.signer(key, owner_of(key))) is not None:
                return signer
        return None

    def run(
        self,
        signer: CryptoSigner,
        use_by_days: int,
        signed: tuple[tuple[str, str], ...],
        missing: tuple[Missing, ...],
    ) -> SignReport:
        """Make snapshot and timestamp over everything, and publish it in an order that is good at any moment."""
        before = self.workspace.timestamp()
        snapshot_version = (before.snapshot_meta.version if before else 0) + 1
        snapshot = Metadata(snapshot_of(*self._lists(), snapshot_version, self.now))
        snapshot.sign(signer)
        data = snapshot.to_bytes()
        version = (before.version if before else 0) + 1
        timestamp = Metadata(timestamp_of(data, snapshot_version, version, self.now, use_by_days))
        timestamp.sign(signer)
        files = {f"{self.shelf.staged[r].version}.{r}.json": self.workspace.staged_file(r) for r in self.taken}
        files |= {f"{snapshot_version}.snapshot.json": data, "timestamp.json": timestamp.to_bytes()}
        self.workspace.publish(files)
        for role in self.taken:
            self.workspace.unstage(role)
        by = owner_of(signer.public_key)
        return SignReport(
            signed=(*signed, ("snapshot", by), ("timestamp", by)),
            missing=missing,
            published=True,
            use_by=min(timestamp.signed.expires, snapshot.signed.expires, self._first_end()),
            version=version,
            roles=tuple(self.taken),
            first=before is None,
        )

    @property
    def _roles(self) -> tuple[str, ...]:
        """What the snapshot names."""
        return ("targets", *self.shelf.lists(self.taken))

    def _lists(self) -> tuple[dict[str, bytes], dict[str, int]]:
        """Every list as it will lie on the stick, and its version."""
        versions = {role: self._loaded(role).version for role in self._roles}
        files = {
            role: self.workspace.staged_file(role)
            if role in self.taken
            else self.workspace.published_file(role, version)
            for role, version in versions.items()
        }
        return files, versions

    def _first_end(self) -> datetime:
        """When the first of the roles that people sign runs out."""
        return min(self._loaded(role).metadata.signed.expires for role in ("root", *self._roles))

    def _loaded(self, role: str) -> Loaded:
        return self.shelf.staged[role] if role in self.taken else self.shelf.published[role]
