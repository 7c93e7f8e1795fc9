"""What Android's commands print for the probes, as values. Pure; what is not told is None."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from techtool.domain.probe import Crash

_AGENT: Final = re.compile(r"NetworkAgentInfo\b.*?Transports: (?P<transport>[A-Z_|]+)(?P<rest>.*)")
_STRENGTH: Final = re.compile(r"\bSignalStrength: (-?\d+)")
_LEVEL: Final = re.compile(r"\blevel=(\d)\b")
_IN_SERVICE: Final = re.compile(r"mServiceState=(?:\{[^}]*?RegState=0\(IN_SERVICE\)|0\b)")
_PROCESS: Final = re.compile(r"\bAndroidRuntime: Process: (?P<name>[A-Za-z0-9_.:]+), PID: \d+")
_NATIVE: Final = re.compile(r"\bDEBUG\s*: pid: \d+, tid: \d+, name: .*>>> (?P<name>\S+) <<<")
_TIME: Final = re.compile(r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
_FEATURE: Final = re.compile(r"(?m)^feature:([A-Za-z0-9._]+)")
_SPACE: Final = re.compile(r"(?<!\S)(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+|-)%")


@dataclass(frozen=True, slots=True)
class Charging:
    """``dumpsys battery`` in the constants of ``android.os.BatteryManager``."""

    present: bool
    health: int
    """1 unknown, 2 good, 3 too hot, 4 dead, 5 over voltage, 6 failure, 7 too cold."""
    status: int
    """1 unknown, 2 charging, 3 discharging, 4 not charging, 5 full."""
    percent: int
    powered: bool


@dataclass(frozen=True, slots=True)
class Network:
    """One connected network, as ``ConnectivityService`` lists it: it has a link and an address."""

    transport: str
    """``WIFI``, ``ETHERNET``, ``CELLULAR`` …"""
    signal_dbm: int | None


def parse_charging(text: str) -> Charging | None:
    """``dumpsys battery``; None where it does not say health or level."""
    numbers = {
        name.lower(): int(value) for name, value in re.findall(r"(?m)^\s*(health|status|level|scale): (\d+)", text)
    }
    if "health" not in numbers or "level" not in numbers:
        return None
    return Charging(
        present=re.search(r"(?m)^\s*present: false", text) is None,
        health=numbers["health"],
        status=numbers.get("status", 1),
        percent=round(100 * numbers["level"] / (numbers.get("scale") or 100)),
        powered=re.search(r"\b\w+ powered: true\b", text) is not None,
    )


def parse_networks(text: str) -> tuple[Network, ...] | None:
    """``dumpsys connectivity``; None where it does not list networks at all."""
    if "NetworkAgentInfo" not in text and "Current Networks:" not in text:
        return None
    found: dict[str, Network] = {}
    for line in text.splitlines():
        agent = _AGENT.search(line)
        if agent is None:
            continue
        strength = _STRENGTH.search(agent["rest"])
        for transport in agent["transport"].split("|"):
            found.setdefault(transport, Network(transport, int(strength[1]) if strength else None))
    return tuple(found.values())


def parse_cellular(text: str) -> tuple[bool, int | None]:
    """``dumpsys telephony.registry``: registered with a network, and the best level (0 to 4) that is told."""
    levels = [int(level) for line in text.splitlines() if "mSignalStrength" in line for level in _LEVEL.findall(line)]
    return _IN_SERVICE.search(text) is not None, max(levels, default=None)


def parse_crashes(text: str) -> tuple[Crash, ...]:
    """``logcat -d -b crash``: each crash, Java's and native ones, oldest first."""
    found = (_PROCESS.search(line) or _NATIVE.search(line) for line in text.splitlines())
    return tuple(Crash(hit["name"].partition(":")[0], _moment(hit.string)) for hit in found if hit is not None)


def _moment(line: str) -> str:
    """The time that a line of the log begins with (``threadtime``); empty: it has none."""
    time = _TIME.match(line)
    return time[0] if time is not None else ""


def parse_features(text: str) -> frozenset[str] | None:
    """``pm list features``; None where it lists none, which no Android does."""
    return frozenset(_FEATURE.findall(text)) or None


def parse_space(text: str) -> tuple[int, int] | None:
    """``df -k PATH``: size and free bytes."""
    row = _SPACE.search(text)
    return (int(row[1]) * 1024, max(0, int(row[3])) * 1024) if row else None


def parse_zone_s(text: str) -> int | None:
    """``date +%z``: ``+0800`` → 28800."""
    found = re.match(r"\s*([+-])(\d\d):?(\d\d)\s*$", text)
    if found is None:
        return None
    seconds = int(found[2]) * 3600 + int(found[3]) * 60
    return -seconds if found[1] == "-" else seconds
