"""How far a bundle folder is: what is staged, what is published, who must still sign, and what may go out now.

A staged role counts by what its delegator demands: a new root by the former root's keys and by its own, a publisher's
list by a vendor's and a lab's. What is complete goes out and does not wait for what is not: a recall must not wait for
a vendor's holidays. But nothing goes out that a laptop would refuse, so roles that only stand together go together: a
new top role and the lists that had to be signed again because of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root, Targets

from techtool.bundles.profile import LAB, ORGANISATION, RECALL, ROLE_PREFIX, VENDOR, organisations
from techtool.bundles.publish.roles import owner_of
from techtool.errors import PublisherError
from techtool.i18n import phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace

TOP: Final = ("root", "targets")


@dataclass(frozen=True, slots=True)
class Missing:
    """Signatures that a role needs and has not."""

    role: str
    owners: tuple[str, ...]
    """Any of these may sign."""
    signatures: int
    """How many of them are still needed."""
    organisations: tuple[str, ...] = ()
    """One of each of these must be among them (``vendor``, ``lab``)."""
    former: bool = False
    """Of the keys that the root had until now: they hand over to the new ones."""


@dataclass(slots=True)
class Loaded:
    """One metadata file, parsed once."""

    metadata: Metadata[Root] | Metadata[Targets]
    _signed_bytes: bytes = field(default=b"", repr=False)

    @property
    def signed_bytes(self) -> bytes:
        """What the signatures are made over."""
        if not self._signed_bytes:
            self._signed_bytes = self.metadata.signed_bytes
        return self._signed_bytes

    @property
    def version(self) -> int:
        """Of the role."""
        return int(self.metadata.signed.version)


class Shelf:
    """Every role of the bundle folder, as it is staged and as it is published; read once, changed by nobody."""

    def __init__(self, workspace: Workspace) -> None:
        self.staged: dict[str, Loaded] = {}
        self.published: dict[str, Loaded] = {}
        self.finished: list[str] = []
        """Still staged, but published already: a publication was interrupted at its very end."""
        self._lost = workspace.lost_keys()
        for role in workspace.published_roles():
            self.published[role] = _load(workspace, role, staged=False)
        for role in workspace.staged_roles():
            self._take(role, _load(workspace, role, staged=True))

    def _take(self, role: str, staged: Loaded) -> None:
        there = self.published.get(role)
        if there is not None and staged.version <= there.version:
            if staged.signed_bytes != there.signed_bytes:
                text = phrase(
                    "staged/{role}.json is version {version}, but another version {published} is published already: "
                    "remove that file and make the change again",
                    role=role,
                    version=staged.version,
                    published=there.version,
                )
                raise PublisherError(problem=text)
            self.finished.append(role)
            return
        self.staged[role] = staged

    def current(self, role: str) -> Loaded | None:
        """The role as it is being made, else as it is published."""
        return self._pick(role, self.staged)

    def lists(self, taken: Collection[str] | None = None) -> tuple[str, ...]:
        """The roles that list files, in a state where the roles in ``taken`` are as they are staged."""
        targets = self._pick("targets", self.staged if taken is None else taken)
        if targets is None or not isinstance(targets.metadata.signed, Targets):
            return ()
        delegations = targets.metadata.signed.delegations
        return tuple(delegations.roles) if delegations is not None and delegations.roles is not None else ()

    def missing(self, role: str, taken: Collection[str] | None = None) -> tuple[Missing, ...]:
        """What ``role`` lacks in such a state (default: with all that is staged); empty when it is complete."""
        taken = self.staged if taken is None else taken
        loaded = self._pick(role, taken)
        if loaded is None:
            return (Missing(role, (), 1),)
        found = (self._wanted(role, loaded, by, former) for by, former in self._delegators(role, taken))
        return tuple(lack for lack in found if lack is not None)

    def all_missing(self) -> tuple[Missing, ...]:
        """Who must still sign what of everything that is staged."""
        known = {*TOP, *self.lists()}
        return tuple(lack for role in self.staged if role in known for lack in self.missing(role))

    def ready(self, held: Collection[str] = ()) -> tuple[str, ...]:
        """The most of what is staged that can be published now and makes a state that a laptop accepts.

        The roles in ``held`` stay as they are published.
        """
        taken = dict.fromkeys(role for role in self.staged if role not in held)
        while taken:
            faulty = self._faulty(taken)
            if not faulty:
                return tuple(taken)
            own = [role for role in faulty if role in taken]
            # A delegator waits first: what is faulty beside it may stand beside the published one, and the other way
            # round where a list is fit as it is published but not beside a staged delegator.
            above = [role for role in TOP if role in own] or ([] if own else [r for r in reversed(TOP) if r in taken])
            for role in above[:1] or own or list(taken):
                del taken[role]
        return ()

    def root(self, taken: Collection[str]) -> Root | None:
        """The root in such a state."""
        loaded = self._pick("root", taken)
        return loaded.metadata.signed if loaded is not None and isinstance(loaded.metadata.signed, Root) else None

    def delegators(self, role: str) -> Iterator[Root | Targets]:
        """Who says which keys sign ``role``, with all that is staged.

        A recall may be signed by the keys that laptops know now as well, for it does not wait until others are known.
        """
        yield from (by for by, _former in self._delegators(role, self.staged))
        if role == RECALL and "targets" in self.staged and role in self.lists(()):
            yield from (by for by, _former in self._delegators(role, ()))

    def delegator(self, role: str) -> Root | Targets | None:
        """Who says it once all that is staged is published."""
        above = self._pick("root" if role in TOP else "targets", self.staged)
        return None if above is None else above.metadata.signed

    def owners(self) -> frozenset[str]:
        """Everybody who has a key now or will have one."""
        top = [role for role in (self.staged.get("root"), self.published.get("root")) if role is not None]
        keys = [
            key for role in top if isinstance(role.metadata.signed, Root) for key in role.metadata.signed.keys.values()
        ]
        for role in (self.staged.get("targets"), self.published.get("targets")):
            if role is not None and isinstance(role.metadata.signed, Targets) and role.metadata.signed.delegations:
                keys += role.metadata.signed.delegations.keys.values()
        return frozenset(map(owner_of, keys))

    def _faulty(self, taken: Collection[str]) -> list[str]:
        """Roles of such a state that a laptop would refuse, and staged ones that have no place in it."""
        lists = self.lists(taken)
        strays = [role for role in taken if role not in {*TOP, *lists}]
        return strays + [role for role in (*TOP, *lists) if self.missing(role, taken)]

    def _pick(self, role: str, taken: Collection[str]) -> Loaded | None:
        return self.staged.get(role) if role in taken else self.published.get(role)

    def _delegators(self, role: str, taken: Collection[str]) -> Iterator[tuple[Root | Targets, bool]]:
        if role == "root" and role in taken and role in self.published:
            yield self.published[role].metadata.signed, True
        above = self._pick("root" if role in TOP else "targets", taken)
        if above is not None:
            yield above.metadata.signed, False

    def _wanted(self, role: str, loaded: Loaded, by: Root | Targets, former: bool) -> Missing | None:
        try:
            result = by.get_verification_result(role, loaded.signed_bytes, loaded.metadata.signatures)
        except ValueError:
            return Missing(role, (), 1)
        wanted = result.missing
        absent: list[str] = []
        if role.startswith(ROLE_PREFIX):
            there = organisations({i: key.unrecognized_fields for i, key in result.signed.items()})
            absent = [name for name in (VENDOR, LAB) if name not in there]
            wanted = max(wanted, len(absent))
        if not wanted:
            return None
        keys = [key for keyid, key in result.unsigned.items() if not (former and keyid in self._lost)]
        if wanted == len(absent):
            keys = [key for key in keys if key.unrecognized_fields.get(ORGANISATION) in absent]
        return Missing(role, tuple(sorted(map(owner_of, keys))), wanted, tuple(absent), former)


def keys_of(delegator: Root | Targets, role: str) -> list[Key]:
    """The keys that may sign ``role``, in the order they are named."""
    return [delegator.get_key(keyid) for keyid in delegator.get_delegated_role(role).keyids]


def _load(workspace: Workspace, role: str, *, staged: bool) -> Loaded:
    data = workspace.staged_file(role) if staged else workspace.published_file(role, workspace.published_version(role))
    return Loaded(workspace.parsed(role, data))
