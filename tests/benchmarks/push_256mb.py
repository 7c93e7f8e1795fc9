"""How fast techtool pushes and pulls beside Google's adb, to and from the same terminal, in turn.

    python tests/benchmarks/push_256mb.py --address adb://HOST:PORT [--adb PATH] [--rounds 5] [--size-mb 256]

It makes a file of random bytes (APKs do not compress either), and in every round pushes it by techtool's own link, by
``adb push`` and by ``adb push -Z`` (Google's adb tries to compress unless told not to), then pulls it back the same
three ways. So whatever else the machine does falls on all. The adb program works through a server of its own on a
private port, which is stopped at the end; the file on the terminal is removed. Nothing is asserted: it prints each
run, the medians, and techtool's median divided by the better of adb's two. The budget for push is 0.8.

Both are timed from the first byte until the terminal has confirmed the last one: techtool with the link open, adb by
the time that it prints itself, which leaves out its start.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from techtool.domain.terminal import Address
from techtool.links.adb.link import AdbLink
from techtool.links.adb.serverprocess import find_adb
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings

MB = 1_000_000
MIB = 1 << 20
TARGET = "/data/local/tmp/techtool-benchmark"


@dataclass(frozen=True)
class GoogleAdb:
    """The adb program with a server of its own."""

    program: str
    serial: str
    home: Path
    port: int

    @property
    def compresses(self) -> bool:
        """Whether it knows ``-Z`` (adb 30 and later)."""
        usage = subprocess.run([self.program, "help"], capture_output=True, text=True, check=False)
        return "-Z" in usage.stdout + usage.stderr

    def call(self, *arguments: str) -> str:
        env = {**os.environ, "TMPDIR": str(self.home), "ADB_MDNS": "0", "ADB_EMU": "0"}
        command = [self.program, "-P", str(self.port), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def transfer(self, *arguments: str) -> float:
        """Seconds, as adb prints them."""
        answer = self.call("-s", self.serial, *arguments)
        found = re.search(r"bytes in ([\d.]+)s", answer)
        if found is None:
            sys.exit(f"adb printed no time: {answer}")
        return float(found[1])


async def own_push(link: AdbLink, path: Path) -> float:
    with path.open("rb") as source:
        begin = time.perf_counter()
        await link.push(source, path.stat().st_size, TARGET)
        return time.perf_counter() - begin


async def own_pull(link: AdbLink, path: Path) -> float:
    with path.open("wb") as target:
        begin = time.perf_counter()
        async for chunk in link.pull(TARGET):
            target.write(chunk)
        return time.perf_counter() - begin


def contestants(link: AdbLink, adb: GoogleAdb, folder: Path) -> dict[str, dict[str, Callable[[], Awaitable[float]]]]:
    """``push``/``pull`` → name → one run."""
    sent, back = folder / "sent", folder / "back"

    def theirs(*arguments: str) -> Callable[[], Awaitable[float]]:
        return lambda: asyncio.to_thread(adb.transfer, *arguments)

    options: dict[str, list[str]] = {"adb": []}
    if adb.compresses:
        options["adb -Z"] = ["-Z"]
    push = {name: theirs("push", *more, str(sent), TARGET) for name, more in options.items()}
    pull = {name: theirs("pull", *more, TARGET, str(back)) for name, more in options.items()}
    return {
        "push": {"techtool": lambda: own_push(link, sent), **push},
        "pull": {"techtool": lambda: own_pull(link, back), **pull},
    }


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    address = Address.parse(arguments.address)
    adb = GoogleAdb(arguments.adb, f"{address.host}:{address.port}", folder, free_port())
    print(f"adb: {arguments.adb}: {adb.call('version').splitlines()[1]}")
    write_random(folder / "sent", arguments.size_mb * MIB)
    link = AdbLink.direct(address, LinkSettings(), Paths(folder))
    await link.open()
    try:
        adb.call("connect", adb.serial)
        for direction, runs in contestants(link, adb, folder).items():
            await compare(direction, runs, arguments)
        if (folder / "back").read_bytes() != (folder / "sent").read_bytes():
            sys.exit("what came back is not what was sent")
    finally:
        adb.call("kill-server")
        await link.run(f"rm -f {TARGET}")
        await link.close()


async def compare(
    direction: str, runs: dict[str, Callable[[], Awaitable[float]]], arguments: argparse.Namespace
) -> None:
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(arguments.rounds + 1):
        for name, run in runs.items():
            speed = arguments.size_mb * MIB / MB / await run()
            if number:  # the first round warms the caches of all
                speeds[name].append(speed)
        if number:
            print(f"{direction} {number}: " + ", ".join(f"{name} {all_[-1]:.0f}" for name, all_ in speeds.items()))
    medians = {name: statistics.median(all_) for name, all_ in speeds.items()}
    best = max(speed for name, speed in medians.items() if name != "techtool")
    print(f"{direction} median MB/s: " + ", ".join(f"{name} {speed:.0f}" for name, speed in medians.items()))
    print(f"{direction} ratio techtool / better adb: {medians['techtool'] / best:.2f}\n")


def write_random(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        for start in range(0, size_bytes, MIB):
            file.write(os.urandom(min(MIB, size_bytes - start)))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", required=True, help="adb://HOST:PORT of the terminal")
    parser.add_argument("--adb", default=find_adb(AdbSettings()), help="Google's adb (default: as techtool finds it)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size-mb", type=int, default=256, help="size of the file in MiB")
    parser.add_argument("--folder", help="where the files are made (default: the temporary folder)")
    arguments = parser.parse_args()
    if not arguments.adb:
        sys.exit("no adb program found: give --adb PATH")
    folder = Path(tempfile.mkdtemp(prefix="techtool-benchmark-", dir=arguments.folder))
    try:
        asyncio.run(measure(arguments, folder))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
