"""Redfish tools that nobody here wrote: OpenStack's ``sushy-tools`` emulator, DMTF's ``redfish-utilities``.

``python -m tests.peers.redfish_tools --fetch`` gets them once, into a folder of their own, from wherever pip is told to
get packages; the versions and hashes are in ``redfish_tools.txt``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from filelock import FileLock

from tests.peers.tools import checked, fetch_command, peers_dir

PINS = Path(__file__).with_suffix(".txt")


def fetch() -> Path:
    """The folder that holds them, fetched when it is not there yet; raises :class:`PeerMissing`."""
    mark = hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]
    folder = peers_dir() / "redfish"
    with FileLock(peers_dir() / "redfish.lock"):
        if not (folder / mark).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            scratch = folder.with_name("redfish.part")
            shutil.rmtree(scratch, ignore_errors=True)
            options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
            checked([sys.executable, "-m", "pip", "install", *options, f"--target={scratch}", f"--requirement={PINS}"])
            (scratch / mark).touch()
            scratch.rename(folder)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """For a process that runs one of them."""
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore"}


if __name__ == "__main__":
    sys.exit(fetch_command(lambda: [fetch()]))
