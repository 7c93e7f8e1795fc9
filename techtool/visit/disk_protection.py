"""Whether what is kept on this laptop is safe from somebody who has the laptop: private files, an encrypted disk.

Backups are encrypted by themselves; records are not, so that they can be proven and searched without a passphrase. They
hold merchants' and terminals' numbers, and rely on the system's own disk encryption, which is looked at here.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from techtool.i18n import phrase
from techtool.paths import Paths
from techtool.visit.health import Finding

_DEVICES: Final = Path("/sys/dev/block")
_ONLY_CHECKED: Final = ("CRYPT-INTEGRITY-", "CRYPT-VERITY-")
"""cryptsetup's names for devices that detect changes and hide nothing (integritysetup(8), veritysetup(8))."""
_DEEPEST: Final = 8
"""Devices one upon the other: a partition, a volume, a group of them."""


def check_protection(paths: Paths) -> Iterator[Finding]:
    """Notes, never problems: the records themselves are sound."""
    if not paths.home.is_dir():
        return
    encrypted = disk_encrypted(paths.home)
    ask = phrase("Switch on the system's disk encryption (LUKS, FileVault, BitLocker); the office knows how.")
    if encrypted is False:
        what = phrase(
            "No disk encryption was found: whoever has this laptop may read merchants' and terminals' numbers."
        )
        yield Finding(paths.home, what, (ask,), problem=False)
    elif encrypted is None:
        what = phrase("Whether the disk is encrypted cannot be told from here.")
        look = phrase("Look into the system's settings: the key to the records lies on the same disk.")
        yield Finding(paths.home, what, (look,), problem=False)
    yield from _open_to_others(paths)


def _open_to_others(paths: Paths) -> Iterator[Finding]:
    """Folders that were made private and are not any more; Windows keeps a person's folders apart by itself."""
    if sys.platform == "win32":
        return
    for folder in (paths.visits, paths.backups, paths.report_key.parent, paths.reports, paths.logs):
        try:
            mode = stat.S_IMODE(folder.stat().st_mode)
        except OSError:
            continue
        if mode & 0o077:
            what = phrase("Other users of this computer can look into {folder}.", folder=str(folder))
            yield Finding(
                folder, what, (phrase("Make it private: chmod 700 {folder}", folder=str(folder)),), problem=False
            )


def disk_encrypted(folder: Path, devices: Path = _DEVICES) -> bool | None:
    """Whether the disk that holds ``folder`` is encrypted; None: it cannot be told from here."""
    if sys.platform == "darwin":
        return _filevault()
    if not sys.platform.startswith("linux"):
        return None
    try:
        number = folder.stat().st_dev
    except OSError:
        return None
    device = devices / f"{os.major(number)}:{os.minor(number)}"
    return _crypt(device, _DEEPEST) if device.exists() else None


def _crypt(device: Path, depth: int) -> bool:
    """Linux: device-mapper names its targets; an encrypted one, or volumes that all lie on such."""
    try:
        made_by = (device / "dm" / "uuid").read_text(encoding="ascii", errors="replace")
    except OSError:
        made_by = ""
    if made_by.startswith("CRYPT-") and not made_by.startswith(_ONLY_CHECKED):
        return True
    beneath = sorted((device / "slaves").glob("*"))
    return depth > 0 and bool(beneath) and all(_crypt(one, depth - 1) for one in beneath)


def _filevault() -> bool | None:
    """macOS: ``fdesetup status`` begins with “FileVault is On.” or “FileVault is Off.” (its manual page)."""
    try:
        said = subprocess.run(
            ["/usr/bin/fdesetup", "status"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    return True if "FileVault is On" in said else False if "FileVault is Off" in said else None
