"""A terminal that nobody here wrote: Debian's adbd in a network of its own, with programs standing for Android."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.peers.android.state import Android
from tests.peers.debian_adbd import fetch
from tests.peers.namespace import Plan
from tests.peers.tools import REPO, PeerMissing, find, peers_dir

START_S = 30


class AdbdTerminal:
    """One adbd with its Android; :attr:`address` leads to it from this machine's own network, and only there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "adbd.log"
        """What adbd and its supervisor said."""
        self.state_dir = folder / "data"
        """What the terminal sees as ``/data``."""
        self.android = Android(self.state_dir)
        """Its package manager's records, battery, storage and properties, to look at and to change."""
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def address(self) -> str:
        """As techtool writes it."""
        return f"adb://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; raises :class:`PeerMissing` where the machine does not allow private namespaces."""
        self.reset()
        try:
            self._launch()
        except PeerMissing:
            self.stop()
            raise
        if self._answer(START_S) != b"ready\n":
            raise PeerMissing(f"adbd cannot be started in a private namespace: {self._last_words()}")

    def _launch(self) -> None:
        with ExitStack() as closing:
            listener = closing.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.port = listener.getsockname()[1]
            self._control, theirs = socket.socketpair()
            closing.enter_context(theirs)
            log = closing.enter_context(self.log.open("ab"))
            plan = make_plan(self.folder, self.port, theirs.fileno(), listener_fd=listener.fileno())
            self._process = subprocess.Popen(
                enter_namespaces(plan),
                pass_fds=(theirs.fileno(), listener.fileno()),
                stdin=subprocess.DEVNULL,
                stderr=log,
                cwd=REPO,
                start_new_session=True,
            )

    def _answer(self, timeout_s: float) -> bytes:
        if self._control is None:
            raise RuntimeError("the terminal is not running")
        self._control.settimeout(timeout_s)
        try:
            return self._control.recv(64)
        except OSError:
            return b""

    def _last_words(self) -> str:
        self.stop()
        return self.log.read_text("utf-8", "replace")[-2000:].strip()

    def stop(self) -> None:
        """End it and everything that runs in it; may be called twice."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None and self._process.returncode is None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                # The namespaces' first process dies with it (unshare --kill-child), and all the rest with that one.
                self._process.kill()
                self._process.wait()

    def _command(self, word: bytes) -> None:
        if self._control is None:
            raise RuntimeError("the terminal is not running")
        self._control.sendall(word)
        if self._answer(START_S) != b"done\n":
            raise RuntimeError(f"the terminal's supervisor ended: {self._last_words()}")

    def power_off(self) -> None:
        """Kill adbd in the middle of whatever it does; it stays away until :meth:`power_on`."""
        self._command(b"stop\n")

    def power_on(self) -> None:
        """Return when adbd runs and answers: after a cut, after a reboot, or because it never went."""
        self._command(b"start\n")

    def reset(self) -> None:
        """A fresh terminal: nothing installed, no session, no file pushed; known battery, storage, properties."""
        for name in ("data", "run", "root"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for path in self.state_dir.iterdir():
            shutil.rmtree(path)
        for name in ("local/tmp", "app", "media/0"):
            (self.state_dir / name).mkdir(parents=True)
        self.android.format()

    def installed(self, package: str) -> Path | None:
        """The installed package's ``base.apk``, as a file of this machine; None when it is not installed."""
        record = self.android.packages().get(package)
        return self.android.host_path(record.base_apk) if record else None

    def run_in_namespace(
        self, argv: Sequence[str], *, timeout_s: float = 60, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program of this machine in adbd's network; ``ADBD_ADDRESS`` leads straight to the daemon there."""
        enter = [find("nsenter"), f"--target={self._inner_pid()}", "--net"]
        if os.geteuid() != 0:
            enter += ["--user", "--preserve-credentials"]
        environment = {**os.environ, **(env or {}), "ADBD_ADDRESS": f"adb://127.0.0.1:{self.port}"}
        return subprocess.run([*enter, *argv], capture_output=True, timeout=timeout_s, check=False, env=environment)

    def _inner_pid(self) -> str:
        """The first process of the namespaces: unshare's only child."""
        if self._process is None:
            raise RuntimeError("the terminal is not running")
        pid = self._process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()[0]


def make_plan(
    folder: Path, port: int, control_fd: int, *, listener_fd: int | None = None, command: list[str] | None = None
) -> Plan:
    """What :mod:`tests.peers.namespace` is told."""
    for program in ("mount", "aapt", "apksigner"):
        find(program)
    shown = [str(peers_dir() / "adbd"), str(REPO / "tests"), sys.base_prefix]
    return Plan(
        folder=str(folder),
        daemon=fetch().command,
        port=port,
        shown=[path for path in shown if not path.startswith("/usr")],
        repo=str(REPO),
        control_fd=control_fd,
        listener_fd=listener_fd,
        command=command,
    )


def enter_namespaces(plan: Plan) -> list[str]:
    """The command that runs the plan in its own network, mount and process namespaces; as root of a user namespace
    where this user is not root."""
    unshare = [find("unshare"), "--net", "--mount", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
    return [*unshare, sys.executable, "-m", "tests.peers.namespace", json.dumps(asdict(plan))]


def run_beside_adbd(command: list[str]) -> int:
    """Start a fresh terminal, run the command in its network, end both; the command's exit code."""
    with TemporaryDirectory(prefix="adbd-") as folder:
        terminal = AdbdTerminal(Path(folder))
        terminal.reset()
        # A number nobody else has: vsock, which adbd listens on as well, knows no network namespaces.
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        control, theirs = socket.socketpair()
        with control, theirs:
            plan = make_plan(terminal.folder, port, theirs.fileno(), command=command)
            # ^C is the command's to handle.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return subprocess.run(enter_namespaces(plan), pass_fds=(theirs.fileno(),), check=False, cwd=REPO).returncode
