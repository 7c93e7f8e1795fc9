"""The first process of the private namespaces in which adbd runs; started by :mod:`tests.peers.terminal`.

It builds a small Android around the daemon (a root with ``/system`` and ``/data``, nothing else that can be written),
starts it, and lets the tests in through a listening socket it was handed: that socket belongs to the outer network and
is bound to loopback, adbd itself is only reachable from in here. When the control socket closes, this process ends and
the kernel ends everything else in its process namespace.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.peers.relay import Relay

TOOLS = """
basename cat chmod cmp cp cut date dd dirname du echo env expr false find grep head hostname id kill ln ls md5sum mkdir
mktemp mv nice od printf ps pwd readlink realpath rm rmdir sed seq sha1sum sha256sum sha512sum sleep sort split stat
sync tail tar tee test timeout touch tr true truncate uname uniq wc which whoami xargs yes
"""
"""What Android's toybox offers too; taken from the machine."""

SHIMS = ("cmd", "df", "dumpsys", "getprop", "pm", "reboot")
"""The programs of :mod:`tests.peers.android`."""

START_TRIES = 400
SPAWN_TRIES = 3
REBOOT_S = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What the outer process wants; it comes as JSON in the one argument."""

    folder: str
    """Scratch: the new root is mounted on ``root`` in it, ``data`` becomes ``/data``, ``run`` ``/run``."""
    daemon: list[str]
    port: int
    shown: list[str]
    """Folders that stay visible, read-only, under their own paths: the daemon, Python, the programs."""
    repo: str
    control_fd: int
    listener_fd: int | None = None
    command: list[str] | None = None
    """Run this beside the daemon, with the machine's own file system, and end with its exit code."""


def loopback_up() -> None:
    """What ``ip link set lo up`` does (netdevice(7): SIOCSIFFLAGS, IFF_UP)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 1))


def mount(*arguments: str) -> None:
    """mount(8)."""
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)


def bind(source: Path, target: Path, *, writable: bool = False) -> None:
    """Show ``source`` at ``target``; a read-only view keeps the flags that an unprivileged user may not clear."""
    target.mkdir(parents=True, exist_ok=True)
    mount("--rbind", str(source), str(target))
    if not writable:
        told = os.statvfs(target).f_flag
        kept = [n for n in ("nosuid", "nodev", "noexec", "noatime") if told & getattr(os, f"ST_{n.upper()}")]
        mount("-o", ",".join(("remount", "bind", "ro", *kept)), str(target))


def build_root(plan: Plan) -> Path:
    """Android's folders over the parts of the machine that its programs need."""
    folder = Path(plan.folder)
    root = folder / "root"
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(root))
    # First of all: the repository itself may lie in /tmp.
    (root / "tmp").mkdir()
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(root / "tmp"))
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        there = Path("/", name)
        if there.is_symlink():
            (root / name).symlink_to(there.readlink())
        elif there.is_dir():
            bind(there, root / name)
    for text in ("/usr", "/etc", *plan.shown):
        bind(Path(text), root / text.lstrip("/"))
    bind(Path("/dev"), root / "dev", writable=True)
    mount_proc(root / "proc")
    bind(folder / "data", root / "data", writable=True)
    bind(folder / "run", root / "run", writable=True)
    (root / "sdcard").symlink_to("/data/media/0")
    fill_system(root / "system/bin", plan.repo)
    mount("-o", "remount,bind,ro", str(root))
    return root


def mount_proc(target: Path) -> None:
    """The processes of this namespace; where a container forbids that, the machine's."""
    target.mkdir()
    with contextlib.suppress(subprocess.CalledProcessError):
        mount("-t", "proc", "proc", str(target))
        return
    bind(Path("/proc"), target, writable=True)


def fill_system(folder: Path, repo: str) -> None:
    """``/system/bin``: the shell, toybox's tools, and our programs standing for Android's."""
    folder.mkdir(parents=True)
    (folder / "sh").symlink_to("/bin/sh")
    for tool in TOOLS.split():
        for there in (Path("/usr/bin", tool), Path("/bin", tool)):
            if there.exists():
                (folder / tool).symlink_to(there)
                break
    # The interpreter itself, not the virtual environment's link: the programs need the standard library only.
    python = os.path.realpath(sys.executable)
    for shim in SHIMS:
        program = folder / shim
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{repo}" exec "{python}" -B -s -S -m tests.peers.android.{shim} "$@"\n', "utf-8"
        )
        program.chmod(0o755)


class Supervisor:
    """Keeps adbd running while it is wanted."""

    def __init__(self, plan: Plan, root: Path) -> None:
        self.plan = plan
        self.root = root
        self.wanted = True
        self.process: asyncio.subprocess.Process | None = None
        self.watch: asyncio.Task[None] | None = None
        self.lock = asyncio.Lock()

    async def start(self) -> None:
        """Return when the daemon runs and listens, whether it had to be started or not."""
        async with self.lock:
            self.wanted = True
            spawned = 0
            for _ in range(START_TRIES):
                if self.process is None or self.process.returncode is not None:
                    spawned += 1
                    if spawned > SPAWN_TRIES:
                        break
                    await self._spawn()
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.plan.port)
                    writer.close()
                    return
                await asyncio.sleep(0.01)
            raise RuntimeError("adbd does not begin to listen")

    async def _spawn(self) -> None:
        with (Path(self.plan.folder) / "adbd.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.plan.daemon,
                preexec_fn=self._enter_root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    "PATH": "/system/bin",
                    "ANDROID_ROOT": "/system",
                    "ANDROID_DATA": "/data",
                    "ADBD_PORT": str(self.plan.port),
                    "LANG": "C.UTF-8",
                },
            )
        (Path(self.plan.folder) / "run/adbd.pid").write_text(f"{self.process.pid}\n", "ascii")
        self.watch = asyncio.create_task(self._restart_after(self.process))

    def _enter_root(self) -> None:
        os.chroot(self.root)
        os.chdir("/")

    async def _restart_after(self, process: asyncio.subprocess.Process) -> None:
        """A daemon that ended by itself (a reboot) comes back after a while, as a terminal does."""
        await process.wait()
        await asyncio.sleep(REBOOT_S)
        if self.wanted and self.process is process:
            await self.start()

    async def stop(self) -> None:
        """Kill the daemon at once, as a power cut does."""
        async with self.lock:
            self.wanted = False
            if self.process is not None and self.process.returncode is None:
                self.process.kill()
                await self.process.wait()


async def serve(plan: Plan, root: Path) -> int:
    """Run the daemon until the outer process lets go, or until the command beside it has ended."""
    control = socket.socket(fileno=plan.control_fd)
    reader, writer = await asyncio.open_connection(sock=control)
    supervisor = Supervisor(plan, root)
    await supervisor.start()
    if plan.command:
        environment = {**os.environ, "ADBD_ADDRESS": f"adb://127.0.0.1:{plan.port}"}
        beside = await asyncio.create_subprocess_exec(*plan.command, env=environment)
        return await beside.wait()
    if plan.listener_fd is None:
        raise RuntimeError("neither a listening socket nor a command was given")
    async with Relay(("127.0.0.1", plan.port), listener=socket.socket(fileno=plan.listener_fd)):
        writer.write(b"ready\n")
        while line := await reader.readline():
            if line == b"stop\n":
                await supervisor.stop()
            elif line == b"start\n":
                await supervisor.start()
            writer.write(b"done\n")
    return 0


def main() -> int:
    """Set up, serve; what goes wrong is printed for the outer process."""
    plan = Plan(**json.loads(sys.argv[1]))
    try:
        loopback_up()
        root = build_root(plan)
    except subprocess.CalledProcessError as e:
        print(f"{' '.join(e.cmd)}: {e.stderr.strip()}", file=sys.stderr)
        return 1
    return asyncio.run(serve(plan, root))


if __name__ == "__main__":
    sys.exit(main())
