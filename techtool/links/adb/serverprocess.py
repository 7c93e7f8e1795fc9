"""An adb server of our own, on a private port, for laptops where none runs; nobody else's server is ever stopped.

One such server serves all lanes of a process and stops with the last of them. What is running stands in
``HOME/adb/server.json``: after a crash of techtool the next one finds the server that was left behind, which still
holds the cable, uses it, and stops it in the end.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.errors import NotCapable, Unreachable
from techtool.i18n import phrase
from techtool.links.adb.smartsocket import Server
from techtool.paths import DISK, Disk, Paths
from techtool.settings import AdbSettings

_START_STEP_S: Final = 0.05
_START_TRIES: Final = 200
_STOP_S: Final = 3.0
_ASK_S: Final = 2.0
_LOG_TAIL: Final = 500
_PRIVATE: Final = ("ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_PORT", "ANDROID_ADB_SERVER_ADDRESS", "ANDROID_SERIAL")


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """``server.json``: which server, and which techtool will stop it."""

    server_pid: int
    port: int
    owner_pid: int


@dataclass(slots=True)
class _Running:
    server: Server
    process: subprocess.Popen[bytes] | None
    """None: taken over from a techtool that is gone."""
    stops: bool
    """False: a techtool that is alive will stop it."""
    users: int = 0


_RUNNING: Final[dict[Path, _Running]] = {}
_LOCK: Final = threading.Lock()


def find_adb(settings: AdbSettings) -> str | None:
    """The adb program: the settings' own, the one on PATH, or the one that the adbutils package carries."""
    if settings.path:
        return shutil.which(settings.path)
    if found := shutil.which("adb"):
        return found
    package = importlib.util.find_spec("adbutils")  # does not import it
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        if found := shutil.which("adb", path=str(Path(folder) / "binaries")):
            return found
    return None


def answers(server: Server, timeout_s: float = _ASK_S) -> bool:
    """Whether an adb server answers there."""
    return _ask(server, b"000chost:version", timeout_s) == b"OKAY"


def acquire(settings: AdbSettings, paths: Paths, peer: str, disk: Disk = DISK) -> Server:
    """The private server of this home, started where it does not run; blocks, so call it in a thread.

    Raises :class:`NotCapable` without an adb program, :class:`Unreachable` when it does not start.
    """
    folder = paths.home / "adb"
    with _LOCK:
        running = _RUNNING.get(folder)
        if running is not None and not answers(running.server):
            _stop(_RUNNING.pop(folder), folder, disk)
            running = None
        if running is None:
            running = _RUNNING[folder] = _left_behind(folder, disk) or _start(settings, paths, folder, peer, disk)
        running.users += 1
        return running.server


def release(paths: Paths, disk: Disk = DISK) -> None:
    """One user less; the last one stops the server. Blocks, so call it in a thread."""
    folder = paths.home / "adb"
    with _LOCK:
        running = _RUNNING.get(folder)
        if running is None:
            return
        running.users -= 1
        if running.users <= 0:
            _stop(_RUNNING.pop(folder), folder, disk)


def environment(folder: Path, adb_key: Path, base: Mapping[str, str]) -> dict[str, str]:
    """The environment for our server: its log in a folder of ours (the usual place may belong to another user)."""
    env = {name: value for name, value in base.items() if name not in _PRIVATE}
    env.update(dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(folder)))
    env["ADB_EMU"] = "0"  # no look-out for emulators: what listens on 5555 here is not ours to touch
    if adb_key.exists():
        # Terminals that allowed techtool's own key need not be asked again.
        env["ADB_VENDOR_KEYS"] = os.pathsep.join(filter(None, (base.get("ADB_VENDOR_KEYS"), str(adb_key))))
    return env


def _start(settings: AdbSettings, paths: Paths, folder: Path, peer: str, disk: Disk) -> _Running:
    program = find_adb(settings)
    if program is None:
        what = phrase("a program “adb” is needed for it (Android platform tools, or pip install techtool[adb])")
        raise NotCapable(address=peer, capability=what)
    disk.make_folder(folder)
    port, log_path = _free_port(), folder / "server.log"
    try:
        process = _spawn(program, port, folder, log_path, environment(folder, paths.adb_key, os.environ))
    except OSError as error:
        raise Unreachable(address=peer, detail=f"{program}: {error}") from error
    server = Server("127.0.0.1", port)
    try:
        if not _comes_up(process, server):
            tail = log_path.read_bytes()[-_LOG_TAIL:].decode("utf-8", "replace").strip()
            raise Unreachable(address=peer, detail=f"{program} did not start a server: {tail}")
        disk.write_file(folder / "server.json", encode_json(ServerRecord(process.pid, port, os.getpid())))
    except BaseException:
        _end(process)
        raise
    return _Running(server, process, stops=True)


def _spawn(program: str, port: int, folder: Path, log_path: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    with log_path.open("wb") as log:
        return subprocess.Popen(
            [program, "-P", str(port), "nodaemon", "server"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            cwd=folder,
            start_new_session=True,  # ^C is for techtool, which then stops it in order
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0,
        )


def _comes_up(process: subprocess.Popen[bytes], server: Server) -> bool:
    for _ in range(_START_TRIES):
        if answers(server):
            return True
        try:
            process.wait(_START_STEP_S)
        except subprocess.TimeoutExpired:
            continue
        return False
    return False


def _left_behind(folder: Path, disk: Disk) -> _Running | None:
    """The server that another techtool of this home started, if it still answers."""
    import psutil

    try:
        record = decode_json((folder / "server.json").read_bytes(), ServerRecord)
    except (OSError, CodecError):
        return None
    server = Server("127.0.0.1", record.port)
    if not psutil.pid_exists(record.server_pid) or not answers(server):
        return None
    theirs = record.owner_pid != os.getpid() and psutil.pid_exists(record.owner_pid)
    if not theirs:
        ours = ServerRecord(record.server_pid, record.port, os.getpid())
        disk.write_file(folder / "server.json", encode_json(ours))
    return _Running(server, None, stops=not theirs)


def _stop(running: _Running, folder: Path, disk: Disk) -> None:
    if not running.stops:
        return
    if running.process is not None:
        _end(running.process)
    else:
        _ask(running.server, b"0009host:kill", _ASK_S)
    disk.unlink(folder / "server.json")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ask(server: Server, request: bytes, timeout_s: float) -> bytes:
    try:
        with socket.create_connection((server.host, server.port), timeout_s) as sock:
            sock.settimeout(timeout_s)
            sock.sendall(request)
            with sock.makefile("rb") as answer:
                return answer.read(4)
    except OSError:
        return b""


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
