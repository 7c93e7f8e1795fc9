"""A stop at every effect of a whole visit; ``python -m tests.visit.stops`` prints how many ended untruthful.

An effect is a write, fsync, rename, unlink or new folder on the laptop's disk, or a packet to the terminal. At effect
*i* the disk and the link freeze: what follows, ``finally`` included, has no effect. The record is judged at once, then
a fresh engine goes on from that image until the visit is closed, and it is judged again.

Every *i* is tried by :mod:`tests.visit.stop_images`, from images of one run; a sample of them, and the rarer ways that
power and disks fail, by :mod:`tests.visit.stop_trial`, with a run that is stopped for each.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from techtool.cli.demo_world import DemoWorld
from tests.quick_keys import quick_keys
from tests.visit.stop_images import every_effect
from tests.visit.stop_trial import TWO, Judged, Setting, Stops, counted, prepare, tried

PARTS = 24
"""Runs of the visit whose images are gone on from: few, for each costs a visit; many, for images take room."""


@dataclass(frozen=True)
class Tally:
    """What is printed."""

    tried: int
    effects: Counter[str]
    untruthful: tuple[Judged, ...]
    seconds: float

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.effects.items()))
        lines = [f"{judged.stops}: {'; '.join(judged.lies)}" for judged in self.untruthful]
        head = f"{self.tried} stops tried over {sum(self.effects.values())} effects ({kinds}) in {self.seconds:.0f} s"
        return "\n".join([*lines, f"{head}, {len(self.untruthful)} untruthful"])


@contextlib.contextmanager
def fast_folder() -> Iterator[Path]:
    """In memory where the system has a place for that: what is proven does not depend on the disk's speed."""
    shm = Path("/dev/shm")
    base = Path(tempfile.mkdtemp(prefix="stops-", dir=shm if shm.is_dir() and os.access(shm, os.W_OK) else None))
    try:
        yield base
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextlib.contextmanager
def template() -> Iterator[Path]:
    """A world to copy."""
    with fast_folder() as base, quick_keys():
        (base / "template").mkdir()
        DemoWorld.make(base / "template", "en")
        yield base / "template"


@contextlib.contextmanager
def workers(count: int | None, *, staged: bool) -> Iterator[ProcessPoolExecutor]:
    """Processes that try stops."""
    with ProcessPoolExecutor(
        count or os.cpu_count() or 1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=partial(prepare, staged=staged),
    ) as pool:
        yield pool


Chosen = Callable[[int, int], list[Stops]]
"""Trials for a visit of so many effects and so many writes."""


def try_some(choose: Chosen, *, count: int | None = None, staged: bool = False, one: bool = False) -> Tally:
    """What ``choose`` says, each in a run that is stopped."""
    begun = time.monotonic()
    with template() as made, workers(count, staged=staged) as pool:
        setting = _setting(made, one=one)
        kinds, writes = pool.submit(counted, setting).result()
        judged = list(pool.map(partial(tried, setting), choose(len(kinds), writes), chunksize=1))
    return _tally(judged, kinds, begun)


def try_all(*, count: int | None = None, staged: bool = False, one: bool = False) -> Tally:
    """Every single effect, from images."""
    begun = time.monotonic()
    with template() as made, workers(count, staged=staged) as pool:
        work = partial(every_effect, _setting(made, one=one), parts=PARTS)
        parts = list(pool.map(work, range(PARTS), chunksize=1))
    longest = max((part.kinds for part in parts), key=len)
    return _tally([judged for part in parts for judged in part.judged], list(longest), begun)


def _setting(made: Path, *, one: bool) -> Setting:
    return Setting(made, TWO[:1] if one else TWO)


def _tally(judged: list[Judged], kinds: list[str], begun: float) -> Tally:
    wrong = tuple(one for one in judged if one.lies)
    return Tally(len(judged), Counter(kinds), wrong, time.monotonic() - begun)


def spread(sample: int) -> Chosen:
    """That many single stops, evenly spread."""
    return lambda effects, _writes: [Stops((at,)) for at in range(0, effects, max(1, effects // sample))]


def rows(seed: int, count: int, length: int = 5) -> Chosen:
    """``count`` times five random stops, each in the run after the last."""
    chance = random.Random(seed)
    return lambda effects, _writes: [
        Stops(tuple(chance.randrange(effects) for _ in range(length))) for _ in range(count)
    ]


def torn(seed: int, count: int) -> Chosen:
    """Power cuts that keep only a part of what was not synced."""
    chance = random.Random(seed)
    hows: list[str | int] = ["nothing", "everything", *range(count)]
    return lambda effects, _writes: [Stops((chance.randrange(effects),), hows[n]) for n in range(count)]


def full(sample: int = 0) -> Chosen:
    """A disk that is full at each write."""
    return lambda _effects, writes: [
        Stops(full_at=at) for at in range(0, writes, max(1, writes // sample) if sample else 1)
    ]


def main() -> int:
    """Exit code 1 when a record said what was not so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many stops instead of all, each in a run of its own")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--way", choices=("stops", "rows", "torn", "full"), default="stops", help="what goes wrong")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--staged", action="store_true", help="packages are laid down first, as large ones are")
    parser.add_argument("--one", action="store_true", help="one package instead of two")
    chosen = parser.parse_args()
    count = chosen.sample or 40
    how = {"count": chosen.workers, "staged": chosen.staged, "one": chosen.one}
    if chosen.way == "stops" and not chosen.sample:
        tally = try_all(**how)
    else:
        ways = {
            "stops": spread(count),
            "rows": rows(chosen.seed, count),
            "torn": torn(chosen.seed, count),
            "full": full(chosen.sample),
        }
        tally = try_some(ways[chosen.way], **how)
    print(tally)
    return 1 if tally.untruthful else 0


if __name__ == "__main__":
    sys.exit(main())
