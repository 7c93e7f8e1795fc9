"""Putting packages back from a backup: what is wished, what is planned, what came of it. Pure.

Packages come back, and the named keys of the configuration files that the allow-list lets be written, in which counters
(batch, trace) only ever go upward: see :mod:`techtool.domain.config_file`.

What is put back is no release of a stick, so it never is a ``VerifiedRelease``: it stands on this laptop's own verified
backup of that very terminal, and records say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from techtool.domain.backup import BackupManifest, ItemDigest, ItemKind
from techtool.domain.codec import encode_json
from techtool.domain.terminal import InstalledPackage, TerminalState
from techtool.i18n import Phrase, phrase

SWAP_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Swap:
    """A swap order: the backup of one terminal may go onto another one, and both are named."""

    from_serial: str
    to_serial: str
    model: str
    work_order: str


@dataclass(frozen=True, slots=True)
class RestoreWish:
    """What a restore was begun with; kept in the visit, so that it can be resumed."""

    asked: str
    """A backup's id, or a visit's."""
    backups: tuple[str, ...]
    """The backups that fit the name; the terminal's serial number, or the swap order's, chooses among them."""
    swap: Swap | None = None


class Way(StrEnum):
    """How a package comes back."""

    INSTALL = "install"
    """It is not there now."""
    OVER = "over"
    """Over what runs now; application data stays."""
    REINSTALL = "reinstall"
    """What runs now is uninstalled first: the application's data is lost."""
    REMOVE = "remove"
    """It was not there before: it is uninstalled."""

    @property
    def loses_data(self) -> bool:
        """Whether something is uninstalled; never done without a word for that package."""
        return self in (Way.REINSTALL, Way.REMOVE)


@dataclass(frozen=True, slots=True)
class PutBack:
    """One package that does not run as it is in the backup."""

    package: str
    way: Way
    now: InstalledPackage | None
    former_code: int | None
    """Version code in the backup; None: the backup does not say, or there is none."""
    files: tuple[ItemDigest, ...]
    """Its APKs in the backup, the base first; none for what is removed."""


@dataclass(frozen=True, slots=True)
class RestoredPackage:
    """One package that was put back, or removed, and read again: from which backup of which terminal."""

    backup: str
    backup_serial: str
    package: InstalledPackage
    """As read back; of what was removed, as it was before."""
    sha256_expected: str
    """Empty: it was to be removed."""
    sha256_found: str
    data_lost: bool


def files_of(manifest: BackupManifest) -> dict[str, tuple[ItemDigest, ...]]:
    """The APKs of each package in a backup, the base first; a package of which a part could not be read is left out."""
    found: dict[str, list[ItemDigest]] = {}
    for item in manifest.items:
        parts = item.name.split("/")
        if item.kind is ItemKind.APK and len(parts) == 3 and parts[0] == "packages":
            found.setdefault(parts[1], []).append(item)
    for missing in manifest.not_read:
        parts = missing.name.split("/")
        if len(parts) == 3 and parts[0] == "packages":
            found.pop(parts[1], None)
    return {package: tuple(items) for package, items in found.items()}


def way_back(former_code: int | None, now: InstalledPackage | None, terminal: TerminalState) -> Way:
    """How a package comes back; an older version over a newer one only where the terminal says that it takes it."""
    if now is None:
        return Way.INSTALL
    if former_code is not None and former_code >= now.version_code:
        return Way.OVER
    return Way.OVER if terminal.takes_older else Way.REINSTALL


def digest_of(serial: str, manifest: BackupManifest, packages: Sequence[str], configs: Sequence[str] = ()) -> str:
    """SHA-256 over terminal, backup, and the files of the packages and configurations that may be put back.

    Not over what differs now: a resumed restore is the same plan.
    """
    files = [[item.name, item.sha256] for package in packages for item in files_of(manifest).get(package, ())]
    files += [[item.name, item.sha256] for item in manifest.items if item.name in configs]
    decided = {"serial": serial, "backup": manifest.id, "of": manifest.serial, "files": files}
    return hashlib.sha256(encode_json(decided)).hexdigest()


def refusal_for(manifest: BackupManifest, terminal: TerminalState, swap: Swap | None) -> Phrase | None:
    """Why this backup may not go onto this terminal; None: it may.

    The same serial number, or a swap order that names both; the same model; the same major version of the system: what
    was made under another one was never tested under this one (and never later onto earlier: ChameleonUltra #155).
    """
    who = terminal.identity
    if swap is None and manifest.serial != who.serial:
        return phrase(
            "it was made of {made_of}, and this is {serial}; only a swap order that names both allows that",
            made_of=manifest.serial,
            serial=who.serial,
        )
    if swap is not None and (swap.from_serial, swap.to_serial) != (manifest.serial, who.serial):
        return phrase(
            "the swap order names {origin} and {target}; the backup was made of {made_of}, and this is {serial}",
            origin=swap.from_serial,
            target=swap.to_serial,
            made_of=manifest.serial,
            serial=who.serial,
        )
    if (manifest.vendor, manifest.model) != (who.vendor, who.model) or (swap and swap.model != who.model):
        ordered = swap.model if swap else manifest.model
        return phrase(
            "it was made of a {made_of}, for a {ordered}; this is a {model}",
            made_of=manifest.model,
            ordered=ordered,
            model=who.model,
        )
    if major(manifest.os_version) != major(who.os_version):
        return phrase(
            "it was made under system {made_under}, and {now} runs now",
            made_under=manifest.os_version,
            now=who.os_version,
        )
    return None


def major(os_version: str) -> str:
    """``7.1.1`` → ``7``."""
    return os_version.strip().partition(".")[0]
