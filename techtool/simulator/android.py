"""Android's own commands: properties, battery, storage, clock, restart, and what ``dumpsys package`` tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from techtool.domain.terminal import BatchState
from techtool.simulator import basics, pm
from techtool.simulator.basics import unknown_option
from techtool.simulator.session_dump import sessions_dump
from techtool.simulator.shell import Context, Program
from techtool.simulator.state import Package


async def getprop(context: Context, arguments: list[str]) -> int:
    """``getprop [KEY [DEFAULT]]``"""
    told = context.device.properties()
    if arguments:
        await context.say(told.get(arguments[0], "".join(arguments[1:2])))
        return 0
    for key in sorted(told):
        await context.say(f"[{key}]: [{told[key]}]")
    return 0


async def setprop(context: Context, arguments: list[str]) -> int:
    """``setprop techtool.sim.batch settled|open``: the trainee settles the takings at the terminal."""
    match arguments:
        case ["techtool.sim.batch", "settled" | "open" as batch]:
            context.device.settle(BatchState(batch))
            return 0
        case ["techtool.sim.offline_sales" | "techtool.sim.reversals" as name, count] if count.isdigit():
            context.device.wait_for_host(name.removeprefix("techtool.sim."), int(count))
            return 0
    await context.complain(f"Failed to set property '{''.join(arguments[:1])}' to '{''.join(arguments[1:2])}'.")
    return 1


async def df(context: Context, arguments: list[str]) -> int:
    """``df -k [PATH…]``: every path lies on ``/data``."""
    parsed = basics.split_options(arguments, "k")
    if parsed is None:
        return await unknown_option(context, "df", arguments)
    total = context.device.model.storage.total_bytes // 1024
    free = min(context.device.free_bytes() // 1024, total)
    used = total - free
    percent = -(-100 * used // total)
    await context.say("Filesystem       1K-blocks    Used Available Use% Mounted on")
    for path in parsed[1] or ["/data"]:
        mounted = "/storage/emulated" if path.startswith(("/sdcard", "/storage")) else "/data"
        device = "/dev/fuse" if mounted != "/data" else "/dev/block/dm-5"
        await context.say(f"{device:<16} {total:>9} {used:>7} {free:>9} {percent:>3}% {mounted}")
    return 0


async def date(context: Context, arguments: list[str]) -> int:
    """``date [-u] [+%s|+%z]``"""
    now = context.device.clock.now().astimezone(UTC) + timedelta(seconds=context.device.faults.faults.clock_off_s)
    match [argument for argument in arguments if argument != "-u"]:
        case ["+%s"]:
            await context.say(str(int(now.timestamp())))
        case ["+%z"]:
            await context.say("+0000")
        case []:
            await context.say(now.strftime("%a %b %e %H:%M:%S UTC %Y"))
        case _:
            return await unknown_option(context, "date", arguments)
    return 0


async def reboot(context: Context, _arguments: list[str]) -> int:
    """``reboot``"""
    context.device.request_reboot()
    return 0


async def identity(context: Context, _arguments: list[str]) -> int:
    """``id``"""
    await context.say("uid=2000(shell) gid=2000(shell) groups=2000(shell) context=u:r:shell:s0")
    return 0


async def dumpsys(context: Context, arguments: list[str]) -> int:
    """``dumpsys battery``, ``connectivity``, ``telephony.registry``, ``package [packages|installs|ID]``"""
    match arguments:
        case ["battery"]:
            await _dump_battery(context)
        case ["connectivity"]:
            await context.say(_CONNECTIVITY)
        case ["telephony.registry"]:
            await context.say(_TELEPHONY)
        case ["package"] | ["package", "packages"]:
            await _dump_packages(context, context.device.packages.all())
        case ["package", "installs"]:
            await context.say(sessions_dump(context.device.packages.sessions(), context.device.model.sdk))
        case ["package", package_id]:
            package = context.device.packages.get(package_id)
            if package is None:
                await context.say(f"Unable to find package: {package_id}")
            else:
                await _dump_packages(context, [package])
        case _:
            await context.say(f"Can't find service: {''.join(arguments[:1])}")
    return 0


async def logcat(context: Context, arguments: list[str]) -> int:
    """``logcat -d -b crash``"""
    if arguments != ["-d", "-b", "crash"]:
        return await unknown_option(context, "logcat", arguments)
    await context.say(f"--------- beginning of crash\n{context.device.crash_log()}".rstrip("\n"))
    return 0


async def am(context: Context, arguments: list[str]) -> int:
    """``am start -a ACTION``: only the settings can be opened."""
    match arguments:
        case ["start", "-a", action] if action.startswith("android.settings."):
            await context.say(f"Starting: Intent {{ act={action} }}")
            return 0
        case ["start", "-a", action]:
            await context.say(f"Starting: Intent {{ act={action} }}")
            await context.complain(
                f"Error: Activity not started, unable to resolve Intent {{ act={action} flg=0x10000000 }}"
            )
            return 1
    return await unknown_option(context, "am", arguments)


_CONNECTIVITY: Final = """\
NetworkFactories for:
    WIFI

Active default network: 100

Current Networks:
  NetworkAgentInfo{network{100}  handle{432902426637}  ni{WIFI CONNECTED extra: } Score{60}  everValidated{true}  \
lastValidated{true}  nc{[ Transports: WIFI Capabilities: NOT_METERED&INTERNET&NOT_RESTRICTED&TRUSTED&NOT_VPN&VALIDATED \
LinkUpBandwidth>=1048576Kbps LinkDnBandwidth>=1048576Kbps SignalStrength: -54]}}"""
_TELEPHONY: Final = """\
last known state:
  Phone Id=0
    mServiceState={mVoiceRegState=0(IN_SERVICE), mDataRegState=0(IN_SERVICE)}
    mSignalStrength=SignalStrength:{mLte=CellSignalStrengthLte: rsrp=-98 level=3,primary=CellSignalStrengthLte}"""
"""As far as the probes read them; laid out as Android 11 does, values made up."""


async def _dump_battery(context: Context) -> None:
    charge = context.device.read_battery()
    powered = charge is None or charge.external_power
    status = 2 if powered else 3
    if charge is not None and charge.percent >= 100 and powered:
        status = 5
    lines = [
        "Current Battery Service state:",
        f"  AC powered: {str(powered).lower()}",
        "  USB powered: false",
        "  Wireless powered: false",
        "  Max charging current: 0",
        "  Max charging voltage: 0",
        "  Charge counter: 0",
        f"  status: {status if charge else 1}",
        f"  health: {(context.device.faults.faults.battery_health or 2) if charge else 1}",
        f"  present: {str(charge is not None).lower()}",
        f"  level: {charge.percent if charge else 0}",
        "  scale: 100",
        "  voltage: 4012",
        "  temperature: 281",
        f"  technology: {'Li-ion' if charge else ''}",
    ]
    await context.say("\n".join(lines))


async def _dump_packages(context: Context, packages: list[Package]) -> None:
    blank = " " if context.device.faults.faults.trailing_blank else ""
    await context.say("\n".join(["Packages:", *(_package_dump(package, blank) for package in packages)]))


def _package_dump(package: Package, blank: str) -> str:
    """The part of a package's record that installers read; ``blank`` ends the version name."""
    tag = f"{package.uid * 2654435761 & 0xFFFFFFF:x}"
    flags = ["SYSTEM"] if package.system else []
    flags += ["DEBUGGABLE"] if package.debuggable else []
    flags += ["HAS_CODE", "ALLOW_CLEAR_USER_DATA"]
    folder = package.path.rpartition("/")[0]
    scheme = package.signing_version or 3
    hashes = package.signature_hash or "0"
    return "\n".join(
        [
            f"  Package [{package.id}] ({tag}):",
            f"    userId={package.uid}",
            f"    pkg=Package{{{tag} {package.id}}}",
            f"    codePath={folder}",
            f"    resourcePath={folder}",
            f"    versionCode={package.version_code} minSdk={package.min_sdk} targetSdk={package.target_sdk}",
            f"    versionName={(package.version or 'null') + blank}",
            "    splits=[base]",
            f"    apkSigningVersion={scheme}",
            f"    flags=[ {' '.join(flags)} ]",
            f"    timeStamp={_moment(package.last_updated_s)}",
            f"    firstInstallTime={_moment(package.first_installed_s)}",
            f"    lastUpdateTime={_moment(package.last_updated_s)}",
            f"    installerPackageName={package.installer or 'null'}",
            f"    signatures=PackageSignatures{{{tag} version:{scheme}, signatures:[{hashes}], past signatures:[]}}",
            f"    pkgFlags=[ {' '.join(flags)} ]",
            "    User 0: ceDataInode=1 installed=true hidden=false suspended=false stopped=false enabled=0",
        ]
    )


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


PROGRAMS: Final[Mapping[str, Program]] = {
    **basics.PROGRAMS,
    "getprop": getprop,
    "setprop": setprop,
    "df": df,
    "date": date,
    "reboot": reboot,
    "id": identity,
    "dumpsys": dumpsys,
    "logcat": logcat,
    "am": am,
    "pm": pm.pm,
    "cmd": pm.cmd,
}
"""Everything a terminal's shell knows."""
