"""The device side of ADB's AUTH that nobody here wrote: npm's ``@devicefarmer/adbkit`` in front of an adb server.

``python -m tests.peers.adbkit_bridge --fetch`` gets it once. What it needs is pinned by the lock file in ``adbkit``
(versions and SHA-512 of every archive, no host), so npm takes nothing else.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from filelock import FileLock

from tests.peers.tools import checked, fetch_command, find, peers_dir

RECIPE = Path(__file__).parent / "adbkit"
"""``package.json``, ``package-lock.json``, and ``bridge.js``, which hands adbkit's questions to the test."""


def fetch() -> Path:
    """The folder with its ``node_modules``; raises :class:`PeerMissing`."""
    pinned = hashlib.sha256((RECIPE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = peers_dir() / f"adbkit-{pinned}"
    with FileLock(peers_dir() / "adbkit.lock"):
        if not folder.is_dir():
            scratch = peers_dir() / "adbkit.new"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(RECIPE / name, scratch)
            prefix = f"--prefix={scratch.resolve()}"  # npm loses its way through a symbolic link
            checked([find("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", prefix])
            scratch.rename(folder)
    return folder


class Bridge:
    """A running bridge; it says what it sees on its output and takes ``allow`` or ``refuse`` on its input."""

    def __init__(self, process: subprocess.Popen[str], out: IO[str]) -> None:
        self._process = process
        self._out = out
        self.port = int(self.line("port"))

    def line(self, word: str) -> str:
        """What it says next behind ``word``; other lines are passed over. Raises RuntimeError when it ends."""
        for text in self._out:
            head, _, rest = text.strip().partition(" ")
            if head == word:
                return rest
        raise RuntimeError(f"the bridge ended ({self._process.wait()}) before it said “{word}”")

    def say(self, word: str) -> None:
        """The person at the terminal decides."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()


@contextmanager
def bridge(server_port: int, serial: str, known: Path | None = None) -> Iterator[Bridge]:
    """In front of the terminal that the adb server knows as ``serial``; ``known``: a key it has allowed already."""
    command = [find("node"), str(RECIPE / "bridge.js"), str(fetch() / "node_modules"), str(server_port), serial]
    with subprocess.Popen(
        [*command, *([str(known)] if known else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Bridge(process, process.stdout)
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(fetch_command(lambda: [fetch()]))
