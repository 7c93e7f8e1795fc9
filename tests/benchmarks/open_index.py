"""How long the index of 2 000 visits takes to open, and what lies beside it.

``python -m tests.benchmarks.open_index [--folder DIR]`` prints medians and ratios of one run on this disk. Nothing is
asserted: a laptop's speed is not ours; the ratios are to the bare reading and hashing of the same bytes.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from techtool.domain.estimate import Phase
from techtool.domain.history import TerminalEntry, VersionSeen, VisitDetails
from techtool.domain.learning import Forecast, Observation
from techtool.domain.outcome import Outcome
from techtool.paths import Paths
from techtool.store.home import Home
from techtool.store.index import Index
from tests.benchmarks.record_step import MANY, START, NoSync, summary, timed_ms

LANES = 3
ROUNDS = 9


def details(number: int) -> VisitDetails:
    """Three terminals, each with every phase and the forecast of the whole."""
    at = START + timedelta(hours=number, minutes=30)
    visit, serials = f"V{number:06}", summary(number).serials
    terminals = [entry(visit, lane, serial, number) for lane, serial in enumerate(serials, 1)]
    seen = [
        Observation(
            visit, serial, phase.value, "sunmi", "P2", "android", "adb", "com.acme.pay@2.0", "application", 12.375, at
        )
        for serial in serials
        for phase in Phase
    ]
    foretold = [Forecast(visit, serial, at, 840.0, 1200.0, 901.5, 300.0, 420.0, 333.3) for serial in serials]
    return VisitDetails(tuple(terminals), tuple(seen), tuple(foretold))


def entry(visit: str, lane: int, serial: str, number: int) -> TerminalEntry:
    """One terminal of the past."""
    at = START + timedelta(hours=number, minutes=30)
    return TerminalEntry(
        visit,
        str(lane),
        at,
        serial,
        "sunmi",
        "P2",
        "SUNMI",
        "SUNMI P2",
        f"{20_010_000 + number}",
        "104110058120001",
        f"S-{number % 300}",
        "幸福超市",
        f"WO-2026-{number}",
        "张伟",
        "update",
        "update",
        Outcome.SUCCESS,
        0,
        (VersionSeen("com.acme.pay", "1.9.0", "2.0.0"), VersionSeen("com.acme.kernel", "7.0", "7.1")),
        ("com.acme.pay@2.0.0", "com.acme.kernel@7.1"),
        f"{visit}-{lane}",
        "P2_3.0.20",
        "B",
        at,
        planned=("com.acme.pay@2.0.0", "com.acme.kernel@7.1"),
    )


def median_ms(work: Callable[[], object]) -> float:
    """Of nine calls."""
    gc.collect()
    return median(timed_ms(work) for _round in range(ROUNDS))


def bare(path: Path) -> None:
    """The least that opening a journal must do."""
    hashlib.sha256(path.read_bytes()).digest()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure (default: the temporary folder)")
    with tempfile.TemporaryDirectory(dir=parser.parse_args().folder) as folder:
        home = Home(Paths(Path(folder) / "home"), NoSync())
        with home.lock("benchmark"):
            every = {f"V{number:06}": details(number) for number in range(MANY)}
            Index(home).rebuild((summary(number) for number in range(MANY)), every)
        paths, one = home.paths, summary(0).serials[0]
        rows: list[tuple[str, Path, Callable[[], object]]] = [
            ("list the visits", paths.index, lambda: Index(home).visits()),
            ("all terminals", paths.terminals, lambda: Index(home).terminals()),
            ("one terminal by its serial number", paths.terminals, lambda: Index(home).terminals(serial=one)),
            ("all observations", paths.timings, lambda: Index(home).observations()),
            ("all forecasts", paths.timings, lambda: Index(home).forecasts()),
        ]
        print(f"{MANY} visits, {MANY * LANES} terminals; medians of {ROUNDS}, each with the opening of its file.")
        for name, path, work in rows:
            took, least = median_ms(work), median_ms(partial(bare, path))
            size = path.stat().st_size / 1e6
            print(f"{name:36}{took:8.1f} ms  {size:6.1f} MB  {took / least:6.1f} × reading and hashing it")
        print()
        print(f"list the visits                     {median_ms(rows[0][2]):8.1f} ms   (budget 100 ms)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
