"""What the screen of thirty busy terminals costs, beside the same screen at rest: through a pty, in one run.

``python -m tests.benchmarks.fleet_screen [--terminals 30] [--seconds 10]`` prints the share of a core that each takes
and the bytes it sends to the terminal. Every terminal has ten confirmations a second, as the engine tells them. Nothing
is asserted: the share over the one at rest is what is budgeted (15 % of a core).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

from techtool.clock import SystemClock
from techtool.domain.plan import StepKind
from techtool.domain.terminal import Address
from techtool.events import Event, LaneIdentified, LanePlanned, Progress, StepStarted, VisitStarted
from techtool.i18n import raw
from techtool.tui import app as app_module
from techtool.tui.app import TechtoolApp
from techtool.tui.bridge import EngineLike
from techtool.tui.doors import HouseDoors
from techtool.visit.hints import Hints
from techtool.visit.operator import Operator
from techtool.visit.services import ResumeRequest, VisitRequest
from tests.tui.scene_shop import PAY, plan
from tests.tui.scenes import Scene

SIZE = (30, 100)
"""Rows, columns."""
PACKAGE_BYTES = 18_204_331
BUDGET = 15.0


class Busy:
    """An engine whose terminals all receive a package, for ever; at rest they only stand there."""

    def __init__(self, *, at_rest: bool) -> None:
        self.at_rest = at_rest

    async def run(self, request: VisitRequest) -> AsyncGenerator[Event, None]:
        now = datetime.now(UTC)
        yield VisitStarted("V20261122-135800-7f3a", now)
        lanes = [str(n) for n in range(1, len(request.addresses) + 1)]
        for lane in lanes:
            yield LaneIdentified(lane, now, "adb://h:1", f"P2A01234{int(lane):05}", "SUNMI", "SUNMI P2", "11")
            yield LanePlanned(lane, now, plan())
            yield StepStarted(lane, StepKind.INSTALL, now, PAY, raw("Install"))
        count = 0
        while True:
            await asyncio.sleep(0.1)
            count = (count + 40_000) % PACKAGE_BYTES
            for place, lane in enumerate([] if self.at_rest else lanes):
                sent = (count + place * 600_000) % PACKAGE_BYTES
                yield Progress(lane, StepKind.INSTALL, now, PAY, sent, PACKAGE_BYTES)

    def resume(self, request: ResumeRequest) -> AsyncGenerator[Event, None]:
        raise NotImplementedError


class BusyDoors(HouseDoors):
    """A house with that engine."""

    at_rest = False

    def engine(self, operator: Operator) -> EngineLike:
        return Busy(at_rest=self.at_rest)


class Watched(TechtoolApp):
    """Begins its visit at once."""

    CSS_PATH = str(Path(app_module.__file__).with_name("app.tcss"))
    terminals = 30

    async def on_ready(self) -> None:
        addresses = tuple(Address.parse(f"adb://192.0.2.1:{5000 + n}") for n in range(self.terminals))
        self.house.begin_visit(VisitRequest(addresses, Path("/stick")))


def child(folder: Path, terminals: int, *, at_rest: bool) -> None:
    """The screens themselves, in a terminal."""
    paths = Scene("home").app(folder).house.paths  # a home that seems set up
    doors = BusyDoors(paths)
    doors.at_rest = at_rest
    doors.clock = SystemClock()
    app = Watched(doors, Hints())
    app.terminals = terminals
    app.run()


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(terminals: int, seconds: float, *, at_rest: bool) -> tuple[float, float]:
    """Percent of a core, and kB a second to the terminal, once the screen stands."""
    leader, follower = pty.openpty()
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.benchmarks.fleet_screen", "--child", folder]
        command += ["--terminals", str(terminals), *(["--at-rest"] if at_rest else [])]
        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        process = subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
        )
        os.close(follower)
        try:
            warm = read(leader, 6.0)
            if b"terminals" not in warm:
                sys.exit(f"the screen did not come: {warm[-2000:]!r}")
            before, begun = cpu_s(process.pid), time.perf_counter()
            sent = len(read(leader, seconds))
            took = time.perf_counter() - begun
            return 100 * (cpu_s(process.pid) - before) / took, sent / took / 1000
        finally:
            process.terminate()
            with contextlib.suppress(OSError):
                read(leader, 1.0)
            process.wait(timeout=20)
            os.close(leader)


def read(leader: int, seconds: float) -> bytes:
    """What arrives within so many seconds, or until the other side is closed."""
    found = b""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        if select.select([leader], [], [], left)[0]:
            try:
                found += os.read(leader, 1 << 16)
            except OSError:
                break
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--terminals", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--at-rest", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        child(arguments.child, arguments.terminals, at_rest=arguments.at_rest)
        return 0
    shares = {}
    for at_rest in (True, False):
        share, kilobytes = measure(arguments.terminals, arguments.seconds, at_rest=at_rest)
        name = "at rest" if at_rest else "busy"
        shares[name] = share
        print(f"{arguments.terminals} terminals {name:8} {share:5.1f} % of a core, {kilobytes:6.1f} kB/s")
    print(f"over the one at rest  {shares['busy'] - shares['at rest']:5.1f} %   (budget {BUDGET:.0f} %)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
