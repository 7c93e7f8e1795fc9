"""The roots of trust pinned on this laptop, and the newest verified metadata mirrored beside each.

A root is pinned once, by a person who compares its fingerprint with what the office told them by another way. From
then on only the signed chain changes it. The mirror is what python-tuf verified last, in one file that is replaced as
one; it is verified again from the pinned root each time it is used, so that nothing is believed because it lies here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_json, decode_json_untyped, encode_json
from techtool.domain.schema import MIRROR, check_schema, newest
from techtool.errors import BadFile, StoreDamaged
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, Paths, os_problem

MAX_ROOT_BYTES: Final = 512_000
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_MIRRORED: Final = re.compile(r"root_history/[0-9]+\.root\.json|[a-z0-9-]+\.json|targets/recalls/[A-Za-z0-9._+=@-]+")


@dataclass(frozen=True, slots=True)
class RootFacts:
    """A root file as it states itself; nothing says yet that it is anyone's."""

    fingerprint: str
    """SHA-256 of the file, lower-case hex."""
    version: int
    expires: datetime
    keys: int
    threshold: int
    data: bytes

    @property
    def shown(self) -> str:
        """The fingerprint as people compare it."""
        return grouped(self.fingerprint)


@dataclass(frozen=True, slots=True)
class _Mirror:
    schema: int
    files: Mapping[str, str]


def fingerprint(data: bytes) -> str:
    """SHA-256 of a root file, in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def grouped(digest: str) -> str:
    """A fingerprint in groups of four, for reading aloud."""
    return " ".join(digest[i : i + 4] for i in range(0, len(digest), 4))


def read_root(path: Path) -> RootFacts:
    """Read a ``root.json`` a person gave; raises :class:`BadFile`."""
    if path.exists() and not path.is_file():
        raise BadFile(path=str(path), problem=phrase("it is no root of trust that is signed by its own keys"))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ROOT_BYTES + 1)
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    return root_facts(data, str(path))


def root_facts(data: bytes, name: str) -> RootFacts:
    """The facts of root metadata that is signed by its own keys as it demands; raises :class:`BadFile`."""
    from tuf.api.metadata import Metadata, Root

    try:
        if len(data) > MAX_ROOT_BYTES:
            raise CodecError("too long")
        decode_json_untyped(data)
        root = Metadata[Root].from_bytes(data)
        if not isinstance(root.signed, Root):
            raise CodecError("not a root")
        root.signed.verify_delegate("root", root.signed_bytes, root.signatures)
    except Exception as error:  # whatever a parser says of hostile bytes, the answer is the same
        problem = phrase("it is no root of trust that is signed by its own keys")
        raise BadFile(path=name, problem=problem, detail=str(error)) from error
    role = root.signed.roles["root"]
    return RootFacts(
        fingerprint=fingerprint(data),
        version=root.signed.version,
        expires=root.signed.expires,
        keys=len(role.keyids),
        threshold=role.threshold,
        data=data,
    )


def pin_root(paths: Paths, data: bytes, disk: Disk = DISK) -> str:
    """Trust ``data`` from now on and give its fingerprint; a person has compared it. Raises :class:`BadFile`."""
    facts = root_facts(data, "root.json")
    folder = _roots(paths)
    disk.make_folder(folder)
    disk.write_file(folder / f"{facts.fingerprint}.root.json", data)
    return facts.fingerprint


def unpin_root(paths: Paths, digest: str, disk: Disk = DISK) -> None:
    """Trust the root with that fingerprint no more; what was learned under it is not looked at any more."""
    if _FINGERPRINT.fullmatch(digest):
        disk.unlink(_roots(paths) / f"{digest}.root.json")


def pinned(paths: Paths) -> tuple[RootFacts, ...]:
    """Every root pinned here, by fingerprint; raises :class:`StoreDamaged` when one is not what was pinned."""
    found = []
    for path in sorted(_roots(paths).glob("*.root.json")):
        name = path.name.removesuffix(".root.json")
        if not _FINGERPRINT.fullmatch(name):
            continue
        try:
            facts = read_root(path)
        except BadFile as error:
            raise _damaged(path, phrase("it cannot be read"), error.detail) from error
        if facts.fingerprint != name:
            raise _damaged(path, phrase("it is not the root that was pinned"))
        found.append(facts)
    return tuple(found)


def pinned_root(paths: Paths) -> RootFacts | None:
    """One pinned root, the one of the highest version when there are several; None when there is none yet."""
    return max(pinned(paths), key=lambda root: (root.version, root.fingerprint), default=None)


def read_mirror(paths: Paths, anchor: str) -> dict[str, bytes]:
    """The newest verified metadata under the pinned root with that fingerprint; empty when there is none yet.

    The names are python-tuf's (``root_history/1.root.json``, ``timestamp.json`` …); recalls have those of a stick.
    Raises :class:`StoreDamaged`, :class:`StoreTooNew`.
    """
    path = mirror_path(paths, anchor)
    try:
        data = path.read_bytes()
        check_schema(MIRROR, data, path)
        mirror = decode_json(data, _Mirror)
    except FileNotFoundError:
        return {}
    except (OSError, CodecError) as error:
        raise _damaged(path, phrase("it cannot be read"), str(error)) from error
    if not all(_MIRRORED.fullmatch(name) for name in mirror.files):
        raise _damaged(path, phrase("it cannot be read"))
    return {name: text.encode() for name, text in mirror.files.items()}


def write_mirror(paths: Paths, anchor: str, files: Mapping[str, bytes], disk: Disk = DISK) -> None:
    """Replace the mirror as one."""
    path = mirror_path(paths, anchor)
    disk.make_folder(path.parent)
    disk.write_file(path, encode_json(_Mirror(newest(MIRROR), {name: data.decode() for name, data in files.items()})))


def _roots(paths: Paths) -> Path:
    return paths.trust / "roots"


def mirror_path(paths: Paths, anchor: str) -> Path:
    """Where the mirror under the pinned root with that fingerprint lies."""
    return paths.trust / "mirror" / f"{anchor}.json"


def _damaged(path: Path, problem: Phrase, detail: str = "") -> StoreDamaged:
    return StoreDamaged(path=str(path), problem=problem, detail=detail)
