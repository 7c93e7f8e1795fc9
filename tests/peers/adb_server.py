"""A private server of Google's own adb: another port, another home, never the user's."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

LEASH = '"$@" & pid=$!; cat >/dev/null; kill -9 $pid; wait $pid'
"""The shell that holds the server ends it when our end of the pipe closes, however we end; its port is free then."""


class AdbServer:
    """Google's adb server with nothing but what :meth:`connect` adds."""

    def __init__(self, adb: str, home: Path) -> None:
        self.adb_path = adb
        self.home = home
        self.serial = ""
        """The terminal that :meth:`connect` reached last."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For programs that are to use this server."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ADB_", "ANDROID_"))}
        own = {"HOME": str(self.home), "TMPDIR": str(self.home), "ANDROID_ADB_SERVER_PORT": str(self.port)}
        # No look-out for emulators, for other people's terminals, or for USB, which takes adb 36 three seconds.
        return {**kept, **own, "ADB_EMU": "0", "ADB_MDNS": "0", "ADB_LIBUSB": "0"}

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", LEASH, "leash", self.adb_path, "-P", str(self.port), "nodaemon", "server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=self.environment,
            )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        self.stop()
        raise RuntimeError(f"adb's server did not start: {(self.home / 'server.log').read_text('utf-8', 'replace')}")

    def stop(self) -> None:
        """End it; may be called twice."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def connect(self, host_port: str) -> str:
        """Make the server connect anew to a terminal over TCP; returns the serial it is known by."""
        self.run("disconnect", host_port)
        answer = self.run("connect", host_port)
        if f"connected to {host_port}" not in answer.stdout:
            raise RuntimeError(f"adb connect: {answer.stdout}{answer.stderr}")
        self.serial = host_port
        return self.serial

    @property
    def command(self) -> list[str]:
        """Google's adb, told to use this server and the terminal last connected."""
        return [self.adb_path, "-P", str(self.port), "-s", self.serial]

    def run(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run Google's adb against this server, no terminal chosen."""
        return subprocess.run(
            [self.adb_path, "-P", str(self.port), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            env=self.environment,
        )

    def adb(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run Google's adb against the terminal last connected."""
        return self.run("-s", self.serial, *arguments, timeout_s=timeout_s)
