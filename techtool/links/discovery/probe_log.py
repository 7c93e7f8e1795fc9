"""Who probed what, and when: one JSON line before a probe sends anything, one with what answered.

Kept for ever: a merchant whose network was asked can be told by whom, and an auditor sees that nothing else was.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.paths import DISK, Disk, Paths

_TAIL: Final = 1 << 20
"""Read at most: years of probes."""
_FRESH: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ProbeEntry:
    """One line of the log."""

    at: datetime
    who: str
    """The technician's name of the settings."""
    kind: str
    """``subnet`` or ``serial``."""
    target: str
    """``192.168.1.0/24``, ``/dev/ttyACM0``."""
    asked: int
    """How many hosts or ports."""
    found: tuple[str, ...] | None = None
    """Who answered; None: written before the first packet went out."""


def append(paths: Paths, entry: ProbeEntry, disk: Disk = DISK) -> None:
    """One line, on disk when this returns; raises :class:`StoreError`."""
    disk.make_folder(paths.home)
    fd = disk.create(paths.probes)
    try:
        # A line that a power cut left unfinished must not swallow this one.
        start = b"\n" if _torn(paths) else b""
        disk.write(fd, start + encode_json(entry) + b"\n", paths.probes)
        disk.fsync(fd, paths.probes)
    finally:
        os.close(fd)


def found_by(paths: Paths, place: str, now: datetime) -> ProbeEntry | None:
    """The newest probe of the last day that ``place`` (``HOST:PORT``) answered."""
    told = (one for one in reversed(entries(paths)) if place in (one.found or ()))
    return next((one for one in told if timedelta(0) <= now - one.at <= _FRESH), None)


def _torn(paths: Paths) -> bool:
    with paths.probes.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def entries(paths: Paths) -> list[ProbeEntry]:
    """The newest entries, oldest first; a line cut short by a power cut is left out."""
    try:
        with paths.probes.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            lines = file.read(_TAIL).split(b"\n")
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(decode_json(line, ProbeEntry))
        except CodecError:
            continue
    return found
