"""What techtool demands of a TUF repository beyond TUF itself.

python-tuf's thresholds know keys, not organisations: two lab keys reach a threshold of two. Here a release stands only
when a vendor's key *and* a lab's key have signed the role that lists it; the organisation of a key is a signed field of
the delegation. So that nothing goes around this rule, the top role lists no files, every delegated role is a publisher
with paths of its own, and none delegates further.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tuf.api.metadata import DelegatedRole, Metadata, Root, TargetFile, Targets

from techtool.bundles.key_material import material
from techtool.bundles.medium import is_portable, place_of, shown
from techtool.errors import Untrusted
from techtool.i18n import Phrase, phrase

ORGANISATION: Final = "x-techtool-org"
"""Signed field of a key in a delegation: ``vendor`` or ``lab``."""
OWNER: Final = "x-techtool-keyowner"
"""Signed field of a key: the name people call it by (``lab-1``)."""
VENDOR: Final = "vendor"
LAB: Final = "lab"
OFFICE: Final = "office"
"""Of the keys that recall."""
RECALL: Final = "recall"
"""The role of the office's security people."""
RECALLS: Final = "recalls"
"""The folder of that role's files."""
RECALL_PATHS: Final = (f"{RECALLS}/*",)
ROLE_PREFIX: Final = "vendor-"
RELEASES: Final = "releases"
MAX_ROLES: Final = 64
MAX_RECALLS: Final = 2_000
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PUBLISHER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


@dataclass(frozen=True, slots=True)
class Publisher:
    """One publisher's role with what it lists, after every rule of the profile."""

    role: str
    releases: Mapping[str, TargetFile]
    """Release descriptions by path."""
    payloads: Mapping[str, TargetFile]
    keys: tuple[str, ...]
    """Ids of the keys whose signature over the role is valid."""


def is_publisher_name(name: str) -> bool:
    """Whether ``name`` can stand in ``vendor-NAME`` and be the first folder of its files."""
    return _PUBLISHER.fullmatch(name) is not None and name not in (RELEASES, RECALLS) and is_portable(name)


def paths_of(name: str) -> list[str]:
    """The path patterns of publisher ``name``; a star stands for one path part (TUF's rule)."""
    return [f"{name}/*", f"{name}/*/*", f"{RELEASES}/{name}/*"]


def delegated_roles(targets: Targets) -> Iterator[tuple[str, str]]:
    """Name of each delegated role and a path that only it answers for; raises :class:`Untrusted`."""
    if targets.targets:
        raise _layout(phrase("its top role lists files itself"))
    delegations = targets.delegations
    if delegations is None:
        return
    if delegations.succinct_roles is not None or delegations.roles is None or len(delegations.roles) > MAX_ROLES:
        raise _layout(phrase("it has a kind of delegation that this techtool does not know"))
    for name, role in delegations.roles.items():
        _check_role(name, role)
        yield name, f"{RECALLS}/any" if name == RECALL else f"{RELEASES}/{name.removeprefix(ROLE_PREFIX)}/any"


def _check_role(name: str, role: DelegatedRole) -> None:
    if name == RECALL:
        if not role.terminating or set(role.paths or ()) != set(RECALL_PATHS):
            raise _layout(phrase("the role {role} may list files that are not its own", role=name))
        return
    publisher = name.removeprefix(ROLE_PREFIX)
    if not name.startswith(ROLE_PREFIX) or not is_publisher_name(publisher):
        raise _layout(phrase("it has a role that this techtool does not know: {role}", role=repr(name)[:80]))
    if not role.terminating or set(role.paths or ()) != set(paths_of(publisher)):
        raise _layout(phrase("the role {role} may list files that are not its own", role=name))


def check_root(root: Root) -> None:
    """The top of the profile; raises :class:`Untrusted`."""
    if root.consistent_snapshot is not True:
        raise _layout(phrase("its files are not named by their digests"))


def check_publisher(
    role: str, metadata: Metadata[Targets], resolved: Mapping[str, TargetFile | None], targets: Targets
) -> Publisher:
    """Hold one delegated role to the profile; raises :class:`Untrusted`.

    ``resolved`` is what python-tuf's own lookup finds for each path the role lists.
    """
    keys = check_organisations(role, metadata, targets)
    signed = check_list(role, metadata.signed, resolved)
    releases = {path: file for path, file in signed.targets.items() if path.startswith(f"{RELEASES}/")}
    payloads = {path: file for path, file in signed.targets.items() if path not in releases}
    return Publisher(role, releases, payloads, keys)


def check_recalls(
    metadata: Metadata[Targets], resolved: Mapping[str, TargetFile | None], targets: Targets
) -> Mapping[str, TargetFile]:
    """Hold the role of recalls to the profile, and give what it lists; raises :class:`Untrusted`."""
    result = targets.get_verification_result(RECALL, metadata.signed_bytes, metadata.signatures)
    if not organisations({keyid: key.unrecognized_fields for keyid, key in result.signed.items()}).get(OFFICE):
        text = phrase("the role {role} has no valid signature by the {organisation}", role=RECALL, organisation=OFFICE)
        raise _layout(text)
    signed = check_list(RECALL, metadata.signed, resolved)
    if len(signed.targets) > MAX_RECALLS:
        raise _layout(phrase("it recalls more than {count} releases", count=MAX_RECALLS))
    return signed.targets


def check_list(role: str, signed: Targets, resolved: Mapping[str, TargetFile | None]) -> Targets:
    """A list that does not delegate, of portable paths that are the role's own; raises :class:`Untrusted`."""
    if signed.delegations is not None:
        raise _layout(phrase("the role {role} delegates further", role=role))
    for path, file in signed.targets.items():
        sha256 = file.hashes.get("sha256", "")
        if not _SHA256.fullmatch(sha256):
            raise _layout(phrase("{path} has no SHA-256", path=shown(path)))
        if not (is_portable(path) and is_portable(place_of(path, sha256))):
            raise _layout(phrase("a path leads outside or is not portable: {path}", path=shown(path)))
        if resolved.get(path) != file:
            raise _layout(phrase("the role {role} lists {path}, which is not its own", role=role, path=path))
    return signed


def check_organisations(role: str, metadata: Metadata[Targets], targets: Targets) -> tuple[str, ...]:
    """The ids of the valid signatures, among them a vendor's and a lab's; raises :class:`Untrusted`."""
    result = targets.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    by_organisation = organisations({keyid: key.unrecognized_fields for keyid, key in result.signed.items()})
    publics = {material(key) for key in result.signed.values()}
    for organisation in (VENDOR, LAB):
        if not by_organisation.get(organisation):
            text = phrase(
                "the role {role} has no valid signature by the {organisation}", role=role, organisation=organisation
            )
            raise _layout(text)
    if len(publics) != len(result.signed) or len(publics) < 2:
        raise _layout(phrase("one key signed the role {role} under two names", role=role))
    return tuple(sorted(result.signed))


def organisations(fields_of: Mapping[str, Mapping[str, object]]) -> dict[str, list[str]]:
    """Key ids by the organisation that the keys' signed fields name."""
    found: dict[str, list[str]] = {}
    for keyid, fields in fields_of.items():
        organisation = fields.get(ORGANISATION)
        if isinstance(organisation, str):
            found.setdefault(organisation, []).append(keyid)
    return found


def refuse_collisions(publishers: tuple[Publisher, ...]) -> None:
    """Two signed paths that a case-insensitive file system takes for one; raises :class:`Untrusted`."""
    seen: set[str] = set()
    for publisher in publishers:
        for path in (*publisher.releases, *publisher.payloads):
            if path.casefold() in seen:
                raise _layout(phrase("two names differ only in their capitals: {path}", path=path))
            seen.add(path.casefold())


def _layout(problem: Phrase) -> Untrusted:
    return Untrusted(problem=problem)
