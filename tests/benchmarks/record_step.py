"""How long it takes to record a step, with few and with many visits behind it.

``python -m tests.benchmarks.record_step [--folder DIR]`` prints medians and ratios of one run on this disk. Nothing is
asserted: a disk's speed is not ours, the ratios are what is budgeted.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from techtool.domain.codec import encode_json
from techtool.domain.outcome import Outcome
from techtool.domain.visit_state import VisitState
from techtool.paths import DISK, Disk, Paths
from techtool.store.db import JournalDB
from techtool.store.frames import GENESIS, frame
from techtool.store.home import Home
from techtool.store.index import Index, VisitSummary

FEW, MANY = 10, 2000
STEPS_PER_VISIT = 50
ROUNDS = 400
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class NoSync(Disk):
    """For making the history, which is not measured."""

    def fsync(self, fd: int, path: Path) -> None:
        """Nothing."""

    def fsync_folder(self, folder: Path) -> None:
        """Nothing."""


def step(number: int) -> dict[str, object]:
    """A step's record of about 540 bytes, Chinese and English."""
    return {
        "lane": "1",
        "seq": number,
        "step": "verify",
        "item": "com.acme.pay",
        "state": "done",
        "started_at": "2026-11-22T08:15:30.250Z",
        "ended_at": "2026-11-22T08:15:31.900Z",
        "result": {
            "msgid": "{package} {version} 已安装并核对",
            "params": {"package": "com.acme.pay", "version": "4.2.1"},
        },
        "checks": [{"id": "signer", "ok": True}, {"id": "version", "ok": True}, {"id": "sha256", "ok": True}],
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "note": "读回的文件与发布说明一致；终端已重启，联机交易正常。" * 2,
    }


def summary(number: int) -> VisitSummary:
    """One visit of the past in the index, three terminals each."""
    started = START + timedelta(hours=number)
    serials = tuple(f"1851{number % 700:05}{lane}" for lane in range(3))
    ended = started + timedelta(minutes=35)
    return VisitSummary(
        f"V{number:06}", started, ended, "张伟", "幸福超市", VisitState.SEALED, Outcome.SUCCESS, serials, "ab" * 32
    )


def history(root: Path, visits: int) -> Home:
    """A home with that many sealed visits of 50 steps."""
    quick = Home(Paths(root), NoSync())
    with quick.lock("benchmark"):
        for number in range(visits):
            db = quick.create_visit(f"V{number:06}")
            db.table("steps").insert_multiple(step(n) for n in range(STEPS_PER_VISIT))
            db.seal()
        Index(quick).rebuild(summary(number) for number in range(visits))
    return Home(Paths(root))


def timed_ms(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


class Bare:
    """The least that any way of recording must do: append the same bytes, fsync."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = DISK.create(path)
        line, _head = frame(GENESIS, encode_json([["put", "steps", "1", step(1)]]))
        self.line = line

    def __call__(self) -> None:
        """One line."""
        os.write(self.fd, self.line)
        os.fsync(self.fd)


def measure(few: Home, many: Home, bare: Bare) -> dict[str, list[float]]:
    """One of each in turn, so that whatever else the computer does falls on all of them alike."""
    times: dict[str, list[float]] = {"few": [], "many": [], "bare": [], "index few": [], "index many": []}
    with few.lock("benchmark"), many.lock("benchmark"):
        tables = [(name, home.create_visit("V999999").table("steps")) for name, home in (("few", few), ("many", many))]
        indexes = [("index few", Index(few)), ("index many", Index(many))]
        for _name, index in indexes:
            index.put_visit(summary(999_999))
        for number in range(ROUNDS):
            for name, table in tables:
                times[name].append(timed_ms(partial(table.insert, step(number))))
            times["bare"].append(timed_ms(bare))
            for name, index in indexes:
                times[name].append(timed_ms(partial(index.put_visit, summary(999_999))))
    return {name: values[20:] for name, values in times.items()}


def opening_ms(home: Home) -> tuple[float, float]:
    """Open the index for reading; and list all visits from it as well."""
    gc.collect()
    opened = [timed_ms(lambda: JournalDB.open_read(home.paths.index)) for _ in range(9)]
    listed = [timed_ms(lambda: Index(home).visits()) for _ in range(9)]
    return median(opened), median(listed)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure (default: the temporary folder)")
    with tempfile.TemporaryDirectory(dir=parser.parse_args().folder) as folder:
        root = Path(folder)
        few, many = history(root / "few", FEW), history(root / "many", MANY)
        bare = Bare(root / "bare")
        opened, listed = opening_ms(many)
        times = {name: median(values) for name, values in measure(few, many, bare).items()}
        size = many.paths.index.stat().st_size
        os.close(bare.fd)
    print(
        f"Medians of {ROUNDS - 20} rounds; a step is a line of {len(bare.line)} bytes, on disk when the call returns."
    )
    print(f"bare write + fsync of the same bytes        {times['bare']:8.3f} ms")
    print(f"record a step, {FEW:>5} visits behind it        {times['few']:8.3f} ms")
    print(f"record a step, {MANY:>5} visits behind it        {times['many']:8.3f} ms")
    print(f"update the index, {FEW:>5} visits in it         {times['index few']:8.3f} ms")
    print(f"update the index, {MANY:>5} visits in it         {times['index many']:8.3f} ms")
    print(
        f"open the index of {MANY} visits ({size / 1e6:.1f} MB)     {opened:8.1f} ms, to list them all {listed:.1f} ms"
    )
    print()
    print(f"step with {MANY} visits / with {FEW}               {times['many'] / times['few']:8.2f}   (budget 1.5)")
    print(f"step with {MANY} visits / bare write + fsync     {times['many'] / times['bare']:8.2f}   (budget 3)")
    print(f"index with {MANY} visits / with {FEW}              {times['index many'] / times['index few']:8.2f}")
    print(f"open the index of {MANY} visits               {opened:8.1f} ms   (budget 100 ms)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
