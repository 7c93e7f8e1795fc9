"""npm's ``pouchdb-server``: it speaks CouchDB's HTTP API and stands in for the office's database in tests.

``python -m tests.peers.pouchdb_server --fetch`` gets it once, every package pinned by its hash in ``pouchdb/``; the
registry is the one npm is configured for. It is a stand-in: nothing here was tried against Apache CouchDB itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
from filelock import FileLock

from tests.peers.tools import PeerMissing, checked, fetch_command, find, peers_dir

_PINNED: Final = Path(__file__).parent / "pouchdb"
_PROGRAM: Final = "node_modules/pouchdb-server/bin/pouchdb-server"
_PATIENCE_S: Final = 60.0


def fetch() -> Path:
    """Where the server's program lies, installed when it is not there yet; raises :class:`PeerMissing`."""
    folder = peers_dir() / "pouchdb"
    with FileLock(peers_dir() / "pouchdb.lock"):
        lock = (_PINNED / "package-lock.json").read_bytes()
        done = folder / "installed-lock.json"
        if not done.is_file() or done.read_bytes() != lock:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_PINNED / name, folder / name)
            # No package runs a script of its own: the database's native part comes ready made.
            options = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
            checked([find("npm"), "ci", *options], cwd=folder)
            done.write_bytes(lock)
    return folder / _PROGRAM


@dataclass
class PouchServer:
    """A server on a folder of its own; may be killed and started again on the same port and data."""

    folder: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:PORT``"""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it answers; raises :class:`PeerMissing` with its own words."""
        program = fetch()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or _free_port()
        log = (self.folder / "server.log").open("ab")
        with log:
            arguments = ["--host", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--no-stdout-logs"]
            self._process = subprocess.Popen(
                [find("node"), str(program), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            )
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.origin, trust_env=False, timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        self.kill()
        words = (self.folder / "server.log").read_text(errors="replace")[-1000:]
        raise PeerMissing(f"pouchdb-server does not answer: {words}")

    def kill(self) -> None:
        """``kill -9``: no goodbye, nothing is written any more."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)

    def create(self, name: str) -> str:
        """Make a database; returns its address."""
        url = f"{self.origin}/{name}"
        httpx.put(url, trust_env=False, timeout=30).raise_for_status()
        return url

    def documents(self, name: str) -> dict[str, dict[str, object]]:
        """Everything in a database by id, with its conflicts."""
        params = {"include_docs": "true", "conflicts": "true"}
        answer = httpx.get(f"{self.origin}/{name}/_all_docs", params=params, trust_env=False, timeout=120)
        return {row["id"]: row["doc"] for row in answer.raise_for_status().json()["rows"]}


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(fetch_command(lambda: [fetch()]))
