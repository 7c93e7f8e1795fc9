"""The rules by which Android refuses a package, in an order near its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from techtool.simulator.apk import ApkFile, InstallRefused
from techtool.simulator.faults import ArmedFaults
from techtool.simulator.model import Model
from techtool.simulator.state import Package, Session


@dataclass(frozen=True, slots=True)
class Staged:
    """The one package that a session holds, read whole."""

    session: Session
    file: Path
    apk: ApkFile


class Judge:
    """What one terminal accepts."""

    def __init__(self, model: Model, faults: ArmedFaults) -> None:
        self._model = model
        self._faults = faults

    def check(self, staged: Sequence[Staged], installed: Mapping[str, Package], free_bytes: int) -> None:
        """Check all of them, before any of them is installed; raises :class:`InstallRefused` for the first that fails.

        One package alone is a sequence of one that is not a child of a multi-package session.
        """
        ids: set[str] = set()
        for place, one in enumerate(staged, 1):
            self._judge(one, installed, free_bytes, place if one.session.parent else 0)
            package_id = one.apk.facts.id
            if package_id in ids:
                # PackageManagerService.installPackagesLI, Android 10.
                detail = f"Duplicate package {package_id} in multi-package install request."
                raise InstallRefused("INSTALL_FAILED_DUPLICATE_PACKAGE", detail)
            ids.add(package_id)
            free_bytes -= one.apk.size_bytes

    def _judge(self, staged: Staged, installed: Mapping[str, Package], free_bytes: int, place: int) -> None:
        apk, session = staged.apk, staged.session
        facts, sdk = apk.facts, self._model.sdk
        if facts.min_sdk > sdk:
            detail = f"Requires newer sdk version #{facts.min_sdk} (current version is #{sdk})"
            raise InstallRefused("INSTALL_FAILED_OLDER_SDK", detail)
        if apk.test_only and not session.test_only:
            raise InstallRefused("INSTALL_FAILED_TEST_ONLY", "installPackageLI")
        refusal = self._faults.refuse_install(facts.id, place)
        if refusal is not None:
            raise InstallRefused(refusal.word, refusal.detail)
        if apk.size_bytes > free_bytes:
            detail = f"Failed to allocate {apk.size_bytes} because only {free_bytes} allocatable"
            raise InstallRefused("INSTALL_FAILED_INSUFFICIENT_STORAGE", detail)
        if facts.abis and not set(facts.abis) & set(self._model.abis):
            raise InstallRefused("INSTALL_FAILED_NO_MATCHING_ABIS", "Failed to extract native libraries, res=-113")
        before = installed.get(facts.id)
        if before is not None:
            _judge_update(apk, before, session, debuggable_build=self._model.debuggable)


def _judge_update(apk: ApkFile, installed: Package, session: Session, *, debuggable_build: bool) -> None:
    """An older one goes over a newer one only with ``-d``, and only where the build or what is installed is debuggable.

    Source: AOSP ``PackageManagerServiceUtils.isDowngradePermitted``.
    """
    facts = apk.facts
    if not session.replace:
        detail = f"Attempt to re-install {facts.id} without first uninstalling."
        raise InstallRefused("INSTALL_FAILED_ALREADY_EXISTS", detail)
    if installed.signer != facts.signer:
        raise InstallRefused(
            "INSTALL_FAILED_UPDATE_INCOMPATIBLE",
            f"Existing package {facts.id} signatures do not match newer version; ignoring!",
        )
    permitted = session.downgrade and (debuggable_build or installed.debuggable)
    if facts.version_code < installed.version_code and not permitted:
        raise InstallRefused(
            "INSTALL_FAILED_VERSION_DOWNGRADE",
            f"Downgrade detected: Update version code {facts.version_code} is older than"
            f" current {installed.version_code}",
        )
