"""How long until the first full frame at 100x30 beside a minimal Textual app, what it keeps in memory, and ``--help``.

``python -m tests.benchmarks.start [--runs 7]`` starts both through a pty, in turn, and prints medians of one run: the
time until the first picture is whole (menu and keys, with which it can be used), until what is looked up behind it
stands in it too (records, sticks), the CPU and memory (RSS) by then; and the CPU of ``techtool --help`` beside a bare
Python. Nothing is asserted: budgets are 1.7 ×, 60 MB and 120 ms.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import resource
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from techtool.cli.demo_world import DemoWorld

SIZE = (30, 100)
"""Rows, columns."""
PAUSE_S = 0.1
"""So long nothing is drawn: a picture is whole."""
QUIET_S = 0.6
"""So long nothing is drawn any more: nothing is looked up behind it."""
MINIMAL = """
from textual.app import App
from textual.widgets import Footer, Header, Static
class Minimal(App):
    BINDINGS = [("f1", "help", "Help")]
    def compose(self):
        yield Header()
        yield Static("A minimal app.")
        yield Footer()
Minimal().run()
"""
MARKS = {"techtool": b"Quit", "minimal": b"palette"}
"""What the footer shows, which each draws with its first full frame."""


@dataclass(frozen=True)
class Start:
    """One start."""

    frame_s: float
    settled_s: float
    cpu_s: float
    memory_mb: float


def start(command: Sequence[str], mark: bytes, home: Path) -> Start:
    """Until the picture stands; then it is closed."""
    leader, follower = pty.openpty()
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "TECHTOOL_HOME": str(home),
        "TECHTOOL_LANG": "en",
    }
    begun_s = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
    )
    os.close(follower)
    try:
        frame_s, settled_s = _pictures(leader, mark)
        known = psutil.Process(process.pid)
        used = known.cpu_times()
        return Start(
            frame_s - begun_s, settled_s - begun_s, float(used.user + used.system), float(known.memory_info().rss) / 1e6
        )
    finally:
        process.kill()
        process.wait(timeout=20)
        os.close(leader)


def _pictures(leader: int, mark: bytes) -> tuple[float, float]:
    """When the last byte came of the first picture that holds ``mark``, and of the last picture."""
    seen, last_s, first_s, end_s = b"", 0.0, 0.0, time.perf_counter() + 60
    while time.perf_counter() < end_s:
        if select.select([leader], [], [], QUIET_S if first_s else PAUSE_S)[0]:
            seen += os.read(leader, 1 << 16)
            last_s = time.perf_counter()
        elif first_s:
            return first_s, last_s
        elif mark in seen:
            first_s = last_s
    sys.exit(f"no picture came: {seen[-2000:]!r}")


def cpu_ms(command: Sequence[str]) -> float:
    """User and system time of a command, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    commands = {"minimal": [sys.executable, "-c", MINIMAL], "techtool": [sys.executable, "-m", "techtool"]}
    found: dict[str, list[Start]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory(prefix="techtool-benchmark-") as folder:
        world = DemoWorld.make(Path(folder), "en")
        for _run in range(runs):
            for name, command in commands.items():
                found[name].append(start(command, MARKS[name], world.paths.home))
    for name, starts in found.items():
        frame, settled, cpu, memory = (
            statistics.median(getattr(one, part) for one in starts)
            for part in ("frame_s", "settled_s", "cpu_s", "memory_mb")
        )
        print(
            f"{name:9} first frame {frame:5.2f} s, settled {settled:5.2f} s, CPU {cpu:5.2f} s, memory {memory:.1f} MB"
        )
    for part, word, budget in (("frame_s", "first frame", 1.7), ("settled_s", "settled", None)):
        own, peer = (statistics.median(getattr(s, part) for s in found[n]) for n in ("techtool", "minimal"))
        print(f"ratio {word:12} {own / peer:5.2f}" + (f"   (budget {budget})" if budget else ""))
    helped = [cpu_ms([sys.executable, "-m", "techtool", "--help"]) for _run in range(runs)]
    bare = [cpu_ms([sys.executable, "-c", "pass"]) for _run in range(runs)]
    own_ms, bare_ms = statistics.median(helped), statistics.median(bare)
    print(f"techtool --help {own_ms:.0f} ms of CPU (budget 120), bare Python {bare_ms:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
