"""Small terminals and releases, each as plain as a test needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from techtool.domain.recall import Recall, RecalledPackage
from techtool.domain.release import (
    After,
    ApkFacts,
    Conflict,
    Provides,
    Release,
    ReleaseFile,
    ReleaseKind,
    Requirement,
    TrustFacts,
    Urgency,
    VerifiedRelease,
)
from techtool.domain.rules import Environment, Verdict, evaluate
from techtool.domain.terminal import (
    BatchState,
    Battery,
    Evidence,
    Identity,
    InstalledPackage,
    TamperState,
    TerminalState,
)

SIGNER: Final = "ab" * 32
OTHER_SIGNER: Final = "cd" * 32
TOOL: Final = Environment(tool_version="1.3.0")
ANY_ROLE: Final = Environment(tool_version="1.3.0", roles=frozenset({"apk", "image", "data"}))
_MOMENT: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
TRUST: Final = TrustFacts(1, "0" * 64, _MOMENT, _MOMENT, _MOMENT, _MOMENT, "vendor-acme", ("k1", "k2"))

IDENTITY: Final = Identity(
    address="adb://127.0.0.1:5555",
    vendor="acme",
    vendor_name="Acme",
    model="X1",
    model_name="X1",
    family="android",
    hw_revision="B",
    serial="8F210093",
    serial_source="ro.serialno",
    serial_trusted=True,
    os_version="10",
    firmware="2.1.0",
    abis=("arm64-v8a", "armeabi-v7a"),
    sdk=29,
    evidence=Evidence.SIMULATED,
    source="tests",
)
TERMINAL: Final = TerminalState(
    identity=IDENTITY,
    packages=(),
    battery=Battery(80, external_power=True),
    free_storage_bytes=10_000_000_000,
    batch=BatchState.SETTLED,
    tamper=TamperState.NORMAL,
    bootloader="1.4",
    region="EU",
)


def package(package_id: str, version: str, code: int | None = None, signer: str | None = SIGNER) -> InstalledPackage:
    """An installed package; its code follows from ``1.4.0`` → 10400."""
    return InstalledPackage(package_id, version, code_of(version) if code is None else code, signer)


def code_of(version: str) -> int:
    """``1.4.0`` → 10400."""
    first, second, third = (*(int(part) for part in version.split(".")), 0, 0)[:3]
    return first * 10000 + second * 100 + third


def apk(package_id: str, version: str, code: int | None = None, signer: str = SIGNER) -> ApkFacts:
    """What an APK of that version states."""
    return ApkFacts(package_id, version, code_of(version) if code is None else code, 22, (), signer)


def app(
    release_id: str,
    version: str,
    *,
    requires: Sequence[Requirement] = (),
    recommends: Sequence[Requirement] = (),
    conflicts: Sequence[Conflict] = (),
    size_bytes: int = 1_000_000,
    facts: ApkFacts | None = None,
    restart: bool = False,
) -> Release:
    """An application release of one APK whose package id is the release's."""
    facts = facts or apk(release_id, version)
    digest = hashlib.sha256(f"{release_id} {version} {facts.signer}".encode()).hexdigest()
    return Release(
        id=release_id,
        version=version,
        version_format="dotted",
        kind=ReleaseKind.APPLICATION,
        files=(ReleaseFile("apk", f"acme/{release_id}-{version}.apk", size_bytes, digest, facts),),
        provides=(Provides("acme", "X1"),),
        requires=tuple(requires),
        recommends=tuple(recommends),
        conflicts=tuple(conflicts),
        after=After(restart=restart),
    )


def image(
    release_id: str,
    version: str,
    *,
    kind: ReleaseKind = ReleaseKind.FIRMWARE,
    requires: Sequence[Requirement] = (),
    size_bytes: int = 1_000_000,
    restart: bool = True,
) -> Release:
    """A firmware (or other image) release."""
    digest = hashlib.sha256(f"{release_id} {version}".encode()).hexdigest()
    return Release(
        id=release_id,
        version=version,
        version_format="dotted",
        kind=kind,
        files=(ReleaseFile("image", f"acme/{release_id}-{version}.zip", size_bytes, digest),),
        provides=(Provides("acme", "X1"),),
        requires=tuple(requires),
        after=After(restart=restart),
    )


def recall(release_id: str, version: str, **changes: object) -> Recall:
    """The recall of an application release of one package."""
    made = Recall(
        id=release_id,
        version=version,
        urgency=Urgency.HIGH,
        date=date(2026, 11, 20),
        reason={"en": "It leaks.", "zh": "存在泄露。"},
        kind=ReleaseKind.APPLICATION,
        packages=(RecalledPackage(release_id, code_of(version)),),
        provides=(Provides("acme", "X1"),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def verified(*releases: Release) -> tuple[VerifiedRelease, ...]:
    """As if they had come through the trust chain."""
    return tuple(VerifiedRelease(release, TRUST) for release in releases)


def with_packages(*packages: InstalledPackage) -> TerminalState:
    """The plain terminal with these packages."""
    return replace(TERMINAL, packages=packages)


def with_firmware(firmware: str, terminal: TerminalState = TERMINAL) -> TerminalState:
    """The terminal with another firmware."""
    return replace(terminal, identity=replace(terminal.identity, firmware=firmware))


def verdicts(
    release: Release, what: str, terminal: TerminalState = TERMINAL, environment: Environment = TOOL
) -> list[Verdict]:
    """The verdicts of one kind."""
    return [v for v in evaluate(release, terminal, environment, (release,)) if v.what == what]
