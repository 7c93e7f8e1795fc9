"""``constraints.txt``: ``python -m tests.constraints`` writes it anew from what this environment holds.

Pinned is everything that ``techtool[adb,dev]`` pulls in here, what builds it, and what only other systems need.
"""

from __future__ import annotations

import sys
from importlib.metadata import requires, version
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FILE: Final = Path(__file__).parents[1] / "constraints.txt"
EXTRAS: Final = frozenset({"adb", "dev"})
HEADER: Final = """\
# Every version techtool is built, run and tested with; names no host. Written by: python -m tests.constraints
"""
ELSEWHERE: Final = {
    "setuptools": "84.2.1",  # builds it
    "wheel": "0.48.0",  # builds it, with an older setuptools
    "colorama": "0.4.6",  # click and pytest on Windows
}
"""Pins of what is not installed beside techtool here."""
SPLIT: Final = {"cryptography": ('platform_machine != "ARM64"', '46.0.3; platform_machine == "ARM64"')}
"""Marker of the version installed here, and the pin for where that version has no wheel."""


def needed() -> dict[str, str]:
    """Every distribution that techtool with its extras needs here, and the version installed."""
    found: dict[str, str] = {}
    waiting = [("techtool", EXTRAS)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found[name] = version(name)
        for line in requires(name) or ():
            wanted = Requirement(line)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in (*extras, "")):
                waiting.append((canonicalize_name(wanted.name), frozenset(wanted.extras)))
    del found["techtool"]
    return found


def pinned() -> dict[str, list[Requirement]]:
    """What the file says, by name."""
    pins: dict[str, list[Requirement]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            requirement = Requirement(text)
            pins.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pins


def render() -> str:
    """The file for this environment."""
    lines = []
    for name, found in sorted({**ELSEWHERE, **needed()}.items()):
        if name in SPLIT:
            here, other = SPLIT[name]
            lines += [f"{name}=={found}; {here}", f"{name}=={other}"]
        else:
            lines.append(f"{name}=={found}")
    return HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
    print(f"{FILE.name}: {len(pinned())} versions", file=sys.stderr)
