"""What Android checks when a session is committed, and in which order."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.peers.android.apk import Manifest, Refused, read_manifest, read_signing
from tests.peers.android.state import DATA, Android, Package, Session

STATUS = {
    "INSTALL_FAILED_ALREADY_EXISTS": 5,
    "INSTALL_FAILED_DUPLICATE_PACKAGE": 5,
    "INSTALL_FAILED_INVALID_APK": 4,
    "INSTALL_FAILED_INSUFFICIENT_STORAGE": 6,
    "INSTALL_FAILED_NO_MATCHING_ABIS": 7,
    "INSTALL_FAILED_OLDER_SDK": 7,
    "INSTALL_FAILED_TEST_ONLY": 4,
    "INSTALL_FAILED_UPDATE_INCOMPATIBLE": 5,
    "INSTALL_FAILED_VERSION_DOWNGRADE": 4,
    "INSTALL_PARSE_FAILED_NOT_APK": 4,
    "INSTALL_PARSE_FAILED_NO_CERTIFICATES": 4,
    "INSTALL_PARSE_FAILED_UNEXPECTED_EXCEPTION": 4,
}
"""``PackageInstaller.STATUS_FAILURE_…`` of each refusal, which is the exit code of ``install-commit``."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A package that may be installed: its record, and the file that was written for it."""

    package: Package
    staged: Path


def commit(android: Android, session: Session, *, announce: bool) -> int:
    """Judge and install what was written; the session is gone afterwards, whatever the answer. Returns the status.

    A multi-package session: everything in its children is judged before anything of it is installed.
    """
    sessions = android.sessions()
    parts = [sessions[number] for number in session.children] if session.multi_package else [session]
    try:
        accepted: dict[str, Accepted] = {}
        for part in parts:
            one = _judge(android, part, free_uid=android.free_uid() + len(accepted))
            if one.package.name in accepted:
                words = f"Duplicate package {one.package.name} in multi-package install request."
                raise Refused("INSTALL_FAILED_DUPLICATE_PACKAGE", words)
            accepted[one.package.name] = one
        _put(android, list(accepted.values()))
    except Refused as e:
        print(f"Failure [{e}]")
        return STATUS[e.code]
    finally:
        android.remove_sessions(*{session.id, *session.children})
    if announce:
        print("Success")
    return 0


def _put(android: Android, accepted: Sequence[Accepted]) -> None:
    for one in accepted:
        folder = android.host_path(one.package.code_path)
        folder.mkdir(parents=True)
        one.staged.rename(folder / "base.apk")
        (folder / "base.apk").chmod(0o644)
    android.put_packages([one.package for one in accepted])


def _judge(android: Android, session: Session, *, free_uid: int) -> Accepted:
    shown = f"{session.stage}/base.apk"
    written = sorted(android.host_path(session.stage).glob("*.apk"))
    if not written:
        raise Refused("INSTALL_FAILED_INVALID_APK", "No packages staged")
    if len(written) > 1:
        raise Refused("INSTALL_FAILED_INVALID_APK", "Split APKs are beyond this terminal")
    (staged,) = written
    properties = android.properties()
    sdk = int(properties["ro.build.version.sdk"])
    manifest = read_manifest(staged, shown)
    signing = read_signing(staged, shown, sdk)
    before = android.packages().get(manifest.package)
    _may_replace(manifest, before, session, debuggable_build=properties.get("ro.debuggable") == "1")
    _fits(manifest, session, sdk, properties["ro.product.cpu.abilist"].split(","), shown)
    if before is not None and set(before.signers) != set(signing.signers):
        words = f"Package {manifest.package} signatures do not match previously installed version; ignoring!"
        raise Refused("INSTALL_FAILED_UPDATE_INCOMPATIBLE", words)
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    package = Package(
        name=manifest.package,
        version_code=manifest.version_code,
        version_name=manifest.version_name,
        min_sdk=manifest.min_sdk,
        target_sdk=manifest.target_sdk,
        debuggable=manifest.debuggable,
        signers=signing.signers,
        signing_version=signing.version,
        uid=before.uid if before else free_uid,
        code_path=f"{DATA}/app/~~{_random_name()}/{manifest.package}-{_random_name()}",
        installer=session.installer,
        first_installed=before.first_installed if before else now,
        last_updated=now,
    )
    return Accepted(package, staged)


def _may_replace(manifest: Manifest, before: Package | None, session: Session, *, debuggable_build: bool) -> None:
    """Whether the installed package may be replaced by this version at all."""
    if before is None:
        return
    if not session.replace:
        words = f"Attempt to re-install {manifest.package} without first uninstalling."
        raise Refused("INSTALL_FAILED_ALREADY_EXISTS", words)
    # -d is honoured for debuggable packages only, or where the whole system is a debuggable build.
    allowed = session.downgrade and (before.debuggable or debuggable_build)
    if manifest.version_code < before.version_code and not allowed:
        raise Refused("INSTALL_FAILED_VERSION_DOWNGRADE")


def _fits(manifest: Manifest, session: Session, sdk: int, abis: list[str], shown: str) -> None:
    """Whether this terminal can run it."""
    if manifest.min_sdk > sdk:
        words = f"Requires newer sdk version #{manifest.min_sdk} (current version is #{sdk})"
        where = f"Failed parse during installPackageLI: {shown} (at Binary XML file line #7)"
        raise Refused("INSTALL_FAILED_OLDER_SDK", f"{where}: {words}")
    if manifest.test_only and not session.test_only:
        raise Refused("INSTALL_FAILED_TEST_ONLY", "installPackageLI")
    if manifest.abis and not set(manifest.abis) & set(abis):
        raise Refused("INSTALL_FAILED_NO_MATCHING_ABIS", "Failed to extract native libraries, res=-113")


def _random_name() -> str:
    """As Android 11 names the folders: 16 random bytes in URL-safe base64, with its two padding signs."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii")
