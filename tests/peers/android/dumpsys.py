"""``dumpsys battery``, ``dumpsys package NAME`` and ``dumpsys package installs``, laid out as Android 11 does."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tests.peers.android.state import Android, Package, Session, here

CHARGING, NOT_CHARGING = 2, 3
USER_STATE = (
    "ceDataInode=0 installed=true hidden=false suspended=false distractionFlags=0 stopped=true notLaunched=true "
    "enabled=0 instant=false virtual=false"
)


def battery(android: Android) -> str:
    """The battery service's state."""
    now = android.battery()
    powered = now.usb_powered or now.ac_powered
    return "\n".join(
        (
            "Current Battery Service state:",
            f"  AC powered: {str(now.ac_powered).lower()}",
            f"  USB powered: {str(now.usb_powered).lower()}",
            "  Wireless powered: false",
            f"  Max charging current: {500000 if powered else 0}",
            f"  Max charging voltage: {5000000 if powered else 0}",
            f"  Charge counter: {now.level * 25600}",
            f"  status: {CHARGING if powered else NOT_CHARGING}",
            "  health: 2",
            "  present: true",
            f"  level: {now.level}",
            "  scale: 100",
            "  voltage: 7820",
            "  temperature: 271",
            "  technology: Li-ion",
        )
    )


def package(record: Package) -> str:
    """One package's record.

    A real Android prints a 32-bit hash code of the certificates here and no digest: who wants to know the signer has to
    read the APK. So the eight digits below are good for nothing, as there.
    """
    name, digits = record.name, record.signers[0][:8]
    flags = " ".join((*(["DEBUGGABLE"] if record.debuggable else []), "HAS_CODE", "ALLOW_CLEAR_USER_DATA"))
    signatures = (
        f"PackageSignatures{{7d50f26 version:{record.signing_version}, signatures:[{digits}], past signatures:[]}}"
    )
    return "\n".join(
        (
            "Packages:",
            f"  Package [{name}] (5c9d1e3):",
            f"    userId={record.uid}",
            f"    pkg=Package{{a01f2e0 {name}}}",
            f"    codePath={record.code_path}",
            f"    resourcePath={record.code_path}",
            f"    legacyNativeLibraryDir={record.code_path}/lib",
            "    primaryCpuAbi=null",
            "    secondaryCpuAbi=null",
            f"    versionCode={record.version_code} minSdk={record.min_sdk} targetSdk={record.target_sdk}",
            f"    versionName={record.version_name}",
            "    splits=[base]",
            f"    apkSigningVersion={record.signing_version}",
            f"    applicationInfo=ApplicationInfo{{a01f2e0 {name}}}",
            f"    flags=[ {flags} ]",
            f"    dataDir=/data/user/0/{name}",
            "    supportsScreens=[small, medium, large, xlarge, resizeable, anyDensity]",
            f"    timeStamp={record.last_updated}",
            f"    firstInstallTime={record.first_installed}",
            f"    lastUpdateTime={record.last_updated}",
            f"    installerPackageName={record.installer or 'null'}",
            f"    signatures={signatures}",
            "    installPermissionsFixed=true",
            f"    pkgFlags=[ {flags} ]",
            f"    User 0: {USER_STATE}",
            "      gids=[3003]",
        )
    )


def installs(sessions: Iterable[Session]) -> str:
    """The package installer's open sessions; everything comes over adb here, which is user 2000."""
    lines = ["Active install sessions:"]
    for session in sessions:
        stage = None if session.multi_package else session.stage
        parent = -1 if session.parent is None else session.parent
        lines += [
            f"  Session {session.id}:",
            "    userId=0 mOriginalInstallerUid=2000 mOriginalInstallerPackageName=com.android.shell ",
            f"    mInstallerUid=2000 stageDir={stage or 'null'} stageCid=null ",
            f"    mode=1 installFlags=0x400012 installLocation=0 sizeBytes={session.size_bytes} appPackageName=null ",
            "    mClientProgress=0.0 mProgress=0.0 mCommitted=false mSealed=false mDestroyed=false ",
            f"    params.isMultiPackage={str(session.multi_package).lower()} mParentSessionId={parent} ",
            "",
        ]
    return "\n".join((*lines, "  ", "Finalized install sessions:", "  ", "Historical install sessions:", "  "))


def main(arguments: list[str]) -> int:
    """``dumpsys SERVICE [ARGUMENT]``; like the real one it ends with 0 whatever it found."""
    android = here()
    match arguments:
        case ["-l"]:
            print("Currently running services:\n  battery\n  package")
        case ["battery"]:
            print(battery(android))
        case ["package"]:
            print("\n".join(package(record) for record in android.packages().values()))
        case ["package", "installs"]:
            print(installs(android.sessions().values()))
        case ["package", name]:
            record = android.packages().get(name)
            print(package(record) if record else f"Unable to find package: {name}")
        case [service, *_]:
            print(f"Can't find service: {service}")
        case _:
            print("dumpsys: name a service; -l lists them", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
