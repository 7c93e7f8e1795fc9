"""What Android's commands print, as values. Pure; vendor text around it is passed over, what is not told is None."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from techtool.domain.terminal import Battery

PACKAGE_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_PROPERTY_START: Final = re.compile(r"\[([^\[\]\n]+)\]: \[")
_LISTED: Final = re.compile(r"package:(?P<path>\S+)=(?P<id>[^\s=]+)(?P<rest>(?:\s.*)?)")
_LISTED_SHORT: Final = re.compile(r"package:(?P<id>[^\s=]+)(?P<rest>(?:\s.*)?)")
_DF_ROW: Final = re.compile(r"(?<!\S)(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+|-)%")
_DF_BLOCK: Final = re.compile(r"(?<!\S)(\d+)([kKmM]?)-blocks")
_DF_OLD_ROW: Final = re.compile(r"^/\S+\s+[\d.]+[KMGT]?\s+[\d.]+[KMGT]?\s+([\d.]+)([KMGT]?)\s+\d+\s*$", re.MULTILINE)
_POWERED: Final = re.compile(r"\b\w+ powered:\s*true\b", re.IGNORECASE)
_UNIT: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True, slots=True)
class ListedPackage:
    """One line of ``pm list packages``."""

    id: str
    path: str
    """Of its base APK; empty where the list does not say."""
    version_code: int | None
    installer: str = ""

    @property
    def in_system_image(self) -> bool:
        """Whether it came with the firmware and was never updated: then its file is the firmware's."""
        return not self.path.startswith(("/data/", "/mnt/", "/storage/"))


def parse_properties(text: str) -> dict[str, str]:
    """A ``getprop`` dump; a value may have several lines and brackets of its own."""
    properties: dict[str, str] = {}
    name = ""
    value: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        start = _PROPERTY_START.match(line)
        # Inside a value, a line counts as the next property only when the line before it ended one.
        if start is not None and (not value or value[-1].endswith("]")):
            _keep(properties, name, value)
            name, value = start.group(1), [line[start.end() :]]
        elif name:
            value.append(line)
    _keep(properties, name, value)
    return properties


def _keep(properties: dict[str, str], name: str, lines: list[str]) -> None:
    if name:
        text = "\n".join(lines).rstrip("\n")
        end = text.rfind("]")
        properties[name] = text[:end] if end >= 0 else text


def parse_packages(text: str) -> tuple[ListedPackage, ...]:
    """``pm list packages``, with whatever of ``-f -U -i --show-versioncode`` the terminal knows; sorted by id."""
    found: dict[str, ListedPackage] = {}
    for line in text.splitlines():
        listed = _LISTED.fullmatch(line.strip()) or _LISTED_SHORT.fullmatch(line.strip())
        if listed is None or not PACKAGE_ID.fullmatch(listed["id"]):
            continue
        rest = listed["rest"]
        code = re.search(r"(?<!\S)versionCode:(\d+)", rest)
        installer = re.search(r"(?<!\S)installer=(\S+)", rest)
        found[listed["id"]] = ListedPackage(
            id=listed["id"],
            path=listed.groupdict().get("path") or "",
            version_code=int(code[1]) if code else None,
            installer=installer[1] if installer and installer[1] != "null" else "",
        )
    return tuple(found[key] for key in sorted(found))


def parse_versions(text: str) -> dict[str, tuple[int, str]]:
    """``dumpsys package``: version code and name of each package.

    Only the first block of a package counts: behind “Hidden system packages” stands the version that the firmware
    brought and an update has replaced. A package without a version name goes by its code, as on the publisher's side.
    """
    found: dict[str, tuple[int, str]] = {}
    for block in re.split(r"(?m)^\s*(?=Package \[)", text)[1:]:
        name = re.match(r"Package \[([^\]\s]+)\]", block)
        code = re.search(r"\bversionCode=(\d+)", block)
        if name is None or code is None or name[1] in found:
            continue
        said = re.search(r"(?m)\bversionName=(.*)$", block)
        version = said[1].strip() if said else ""
        found[name[1]] = (int(code[1]), version if version not in ("", "null") else code[1])
    return found


def parse_battery(text: str) -> Battery | None:
    """``dumpsys battery``; None for a terminal without one, or that does not say."""
    level = re.search(r"(?mi)^\s*level:\s*(\d+)", text)
    if level is None or re.search(r"(?mi)^\s*present:\s*false", text):
        return None
    scale = re.search(r"(?mi)^\s*scale:\s*(\d+)", text)
    full = int(scale[1]) if scale and int(scale[1]) else 100
    return Battery(percent=min(100, round(int(level[1]) * 100 / full)), external_power=bool(_POWERED.search(text)))


def parse_free_bytes(text: str) -> int | None:
    """``df -k PATH`` of toybox, busybox (long names wrap the line) or the toolbox of old Androids."""
    row = _DF_ROW.search(text)
    if row is not None:
        block = _DF_BLOCK.search(text)
        size = int(block[1]) * _UNIT[block[2].upper()] if block else 1024
        return max(0, int(row[3])) * (size if size > 1 else 1024)
    old = _DF_OLD_ROW.search(text)
    return int(float(old[1]) * _UNIT[old[2]]) if old else None


def parse_number(text: str) -> float | None:
    """The first word as a number: ``date +%s``, ``/proc/uptime``."""
    found = re.match(r"\s*(-?\d{1,15}(?:\.\d+)?)(?!\S)", text)
    return float(found[1]) if found else None


def parse_paths(text: str) -> tuple[str, ...]:
    """``pm path ID``: the base APK first, then its splits."""
    paths = [line.strip().removeprefix("package:") for line in text.splitlines() if line.startswith("package:/")]
    return tuple(sorted(paths, key=lambda path: not path.endswith("/base.apk")))


def boot_is_complete(properties: Mapping[str, str]) -> bool:
    """Whether the system has come up."""
    return properties.get("sys.boot_completed") == "1" or properties.get("dev.bootcomplete") == "1"
