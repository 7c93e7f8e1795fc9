"""What a terminal runs, piece by piece, and what it will run once a release is on it.

A *slot* is a place that holds one version at a time: ``firmware``, ``bootloader``, or ``package:ID``. A rule looks at
one slot, a release writes one or more: that is what the planner reasons with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from techtool.domain.release import ApkFacts, Conflict, Release, ReleaseFile, ReleaseKind, Requirement
from techtool.domain.terminal import InstalledPackage, TerminalState
from techtool.domain.versions import Comparison, compare, parse
from techtool.i18n import Phrase, phrase, raw

FIRMWARE: Final = "firmware"
BOOTLOADER: Final = "bootloader"
_SLOT_OF_KIND: Final = {ReleaseKind.FIRMWARE: FIRMWARE, ReleaseKind.BOOTLOADER: BOOTLOADER}


class Relation(StrEnum):
    """How what is installed stands to what a release brings."""

    ABSENT = "absent"
    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    UNKNOWN = "unknown"
    """Both are known and cannot be put in order."""
    UNREADABLE = "unreadable"
    """The terminal does not say what it runs."""


_RELATION: Final = {
    Comparison.OLDER: Relation.OLDER,
    Comparison.SAME: Relation.SAME,
    Comparison.NEWER: Relation.NEWER,
    Comparison.UNKNOWN: Relation.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Found:
    """What holds a slot now."""

    version: str
    """Empty when nothing is there or nothing is said."""
    readable: bool = True

    @property
    def present(self) -> bool:
        """Whether something is known to be there."""
        return bool(self.version)


class Stock(tuple[Release, ...]):
    """The releases of a stick, found by their id without looking at each: a rule may name any of thousands."""

    def of(self, release_id: str) -> Sequence[Release]:
        """Those of one id, in order."""
        if not hasattr(self, "_by_id"):
            self._by_id: dict[str, list[Release]] = {}
            for release in self:
                self._by_id.setdefault(release.id, []).append(release)
        return self._by_id.get(release_id, ())


@dataclass(frozen=True, slots=True)
class Part:
    """One slot that a release writes: what stands there and what comes."""

    slot: str
    name: Phrase
    found: Found
    brings: str
    relation: Relation
    apk: ApkFacts | None = None


def slot_of_package(package_id: str) -> str:
    """The slot of a package, or of a release that is no package."""
    return f"package:{package_id}"


def shown_version(release: Release) -> str:
    """The text by which a terminal names this release once it runs it."""
    return release.after.expect_version or release.version


def parts(release: Release, terminal: TerminalState) -> tuple[Part, ...]:
    """Every slot that ``release`` writes, in a fixed order."""
    result = [_apk_part(apk, terminal) for apk in release.packages]
    slot = _SLOT_OF_KIND.get(release.kind)
    if slot is not None:
        name = phrase("firmware") if slot == FIRMWARE else phrase("boot loader")
        brings = shown_version(release)
        found = _system(slot, terminal)
        result.append(Part(slot, name, found, brings, _relation(release.version_format, found, brings)))
    if not result:
        package = terminal.package(release.id)
        found = Found(package.version, True) if package else Found("", False)
        relation = _relation(release.version_format, found, release.version)
        result.append(Part(slot_of_package(release.id), raw(release.id), found, release.version, relation))
    return tuple(result)


def relation(release: Release, terminal: TerminalState) -> Relation:
    """How the terminal stands to the whole release: one newer part makes it a downgrade."""
    found = {part.relation for part in parts(release, terminal)}
    for decisive in (Relation.NEWER, Relation.UNKNOWN, Relation.UNREADABLE):
        if decisive in found:
            return decisive
    if found == {Relation.SAME}:
        return Relation.SAME
    return Relation.ABSENT if found == {Relation.ABSENT} else Relation.OLDER


def starting_versions(release: Release, terminal: TerminalState) -> tuple[str, ...]:
    """What stands now where ``release`` goes, in the words of its version scheme; nothing for what is not there."""
    by_code = release.version_format == "android-code"
    packages = [terminal.package(apk.id) for apk in release.packages]
    found = [str(p.version_code) if by_code else p.version for p in packages if p is not None]
    slot = _SLOT_OF_KIND.get(release.kind)
    if slot is not None:
        found.append(_system(slot, terminal).version)
    elif not release.packages:
        found += [p.version for p in terminal.packages if p.id == release.id]
    return tuple(version for version in found if version)


def find(component_id: str, scheme: str, terminal: TerminalState, known: Iterable[Release]) -> Found:
    """The version of a package, or of a release that ``known`` describes, as ``scheme`` compares it.

    A release is recognised by its first package's versionCode, or by the system slot that its kind writes.
    """
    package = terminal.package(component_id)
    if package is not None:
        return Found(str(package.version_code) if scheme == "android-code" else package.version)
    same_id = _of_id(component_id, known)
    if not same_id:
        return Found("")
    slot = _SLOT_OF_KIND.get(same_id[0].kind)
    if slot is not None:
        return _system(slot, terminal)
    main = [(release, release.packages[0]) for release in same_id if release.packages]
    if not main:
        return Found("", False)
    installed = terminal.package(main[0][1].id)
    if installed is None:
        return Found("")
    for release, apk in main:
        if (apk.id, apk.version_code) == (installed.id, installed.version_code):
            return Found(release.version)
    return Found("", False)


def after(release: Release, terminal: TerminalState) -> TerminalState:
    """The terminal once ``release`` is on it, as far as a description can tell.

    A release that is neither package nor system (parameters, keys' public parts) is noted like a package of its id.
    Free storage shrinks by the whole release: what an update gives back is known only afterwards.
    """
    comes = [InstalledPackage(a.id, a.version, a.version_code, a.signer or None) for a in release.packages]
    if slot_of_package(release.id) in slots_written(release) and not comes:
        comes.append(InstalledPackage(release.id, release.version, _code(release)))
    replaced = {package.id for package in comes}
    stays = [package for package in terminal.packages if package.id not in replaced]
    identity, bootloader = terminal.identity, terminal.bootloader
    if release.kind is ReleaseKind.FIRMWARE:
        identity = replace(identity, firmware=shown_version(release))
    if release.kind is ReleaseKind.BOOTLOADER:
        bootloader = shown_version(release)
    free = terminal.free_storage_bytes
    return replace(
        terminal,
        identity=identity,
        bootloader=bootloader,
        packages=tuple(sorted((*stays, *comes), key=lambda package: package.id)),
        free_storage_bytes=None if free is None else max(0, free - release.size_bytes),
    )


def lasting(releases: Sequence[Release]) -> tuple[tuple[Release, ReleaseFile, ApkFacts], ...]:
    """The packages that are there once all of ``releases`` went in one after the other: of each id the last one."""
    brought = [(release, file, file.apk) for release in releases for file in release.files if file.apk is not None]
    last = {apk.id: place for place, (_release, _file, apk) in enumerate(brought)}
    return tuple(one for place, one in enumerate(brought) if last[one[2].id] == place)


def slot_values(terminal: TerminalState) -> dict[str, object]:
    """What stands in every slot."""
    values: dict[str, object] = {
        slot_of_package(p.id): (p.version, p.version_code, p.signer) for p in terminal.packages
    }
    return values | {FIRMWARE: terminal.identity.firmware, BOOTLOADER: terminal.bootloader}


def slots_written(release: Release) -> frozenset[str]:
    """The slots that :func:`after` changes."""
    slots = {slot_of_package(apk.id) for apk in release.packages}
    system = _SLOT_OF_KIND.get(release.kind)
    if system is not None:
        slots.add(system)
    return frozenset(slots or {slot_of_package(release.id)})


def slots_read(release: Release, known: Sequence[Release]) -> frozenset[str]:
    """The slots that the rules of ``release`` look at."""
    slots = slots_written(release)
    rules: tuple[Requirement | Conflict, ...] = (*release.requires, *release.conflicts)
    return slots.union(*(slots_of_rule(rule, known) for rule in rules))


def slots_of_rule(rule: Requirement | Conflict, known: Sequence[Release]) -> frozenset[str]:
    """The slots that one rule looks at; none for rules about the terminal's state."""
    if isinstance(rule, Requirement) and rule.what != "component":
        return frozenset({rule.what} & {FIRMWARE, BOOTLOADER})
    named = [slots_written(other) for other in _of_id(rule.id, known)]
    return frozenset({slot_of_package(rule.id)}).union(*named)


def newer(a: Release, b: Release) -> Comparison:
    """How two releases of one id stand to each other: by their packages' versionCode, else by their version."""
    codes = {apk.id: apk.version_code for apk in b.packages}
    pairs = [(apk.version_code, codes[apk.id]) for apk in a.packages if apk.id in codes]
    older = any(ours < theirs for ours, theirs in pairs)
    later = any(ours > theirs for ours, theirs in pairs)
    if older and later:
        return Comparison.UNKNOWN
    if older or later:
        return Comparison.OLDER if older else Comparison.NEWER
    if a.version_format != b.version_format:
        return Comparison.UNKNOWN
    return compare(a.version_format, a.version, b.version)


def _of_id(release_id: str, known: Iterable[Release]) -> Sequence[Release]:
    return known.of(release_id) if isinstance(known, Stock) else [r for r in known if r.id == release_id]


def _system(slot: str, terminal: TerminalState) -> Found:
    text = terminal.identity.firmware if slot == FIRMWARE else terminal.bootloader
    return Found((text or "").strip(), bool((text or "").strip()))


def _code(release: Release) -> int:
    """A number for what has no versionCode of its own."""
    version = parse("android-code", release.version)
    return int(version.text) if version.line is not None else 0


def _apk_part(apk: ApkFacts, terminal: TerminalState) -> Part:
    """Android compares the versionCode and nothing else."""
    slot = slot_of_package(apk.id)
    brings = f"{apk.version} ({apk.version_code})"
    package = terminal.package(apk.id)
    if package is None:
        return Part(slot, raw(apk.id), Found(""), brings, Relation.ABSENT, apk)
    found = Found(f"{package.version} ({package.version_code})")
    comparison = compare("android-code", str(package.version_code), str(apk.version_code))
    return Part(slot, raw(apk.id), found, brings, _RELATION[comparison], apk)


def _relation(scheme: str, found: Found, brings: str) -> Relation:
    if not found.readable:
        return Relation.UNREADABLE
    return _RELATION[compare(scheme, found.version, brings)]
