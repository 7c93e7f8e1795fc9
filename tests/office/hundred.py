"""A whole office's evening: many laptops send at once, twice, and the server is killed again and again meanwhile.

``python -m tests.office.hundred [--laptops 100] [--kills 10]`` counts and compares every document at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from techtool.errors import OfficeError
from techtool.office.http import Patience
from techtool.office.marks import Marks
from techtool.office.sync import Step
from techtool.paths import Paths
from techtool.store.home import Home
from tests.office.laptops import expected, held, laptop, sync
from tests.peers.pouchdb_server import PouchServer

DATABASE: Final = "office"
AT_ONCE: Final = 16
PATIENCE: Final = Patience(tries=4, first_pause_s=0.2, longest_pause_s=1.0)


@dataclass
class Tally:
    """What happened, and what is there."""

    laptops: int
    kills: int = 0
    broken_off: int = 0
    """Syncs that ended because the server was gone, and were begun again."""
    documents: int = 0
    expected: int = 0
    lost: int = 0
    wrong: int = 0
    """More, other or conflicting ones."""
    unmarked: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Nothing lost, nothing double, all known to be home."""
        return not (self.lost or self.wrong or self.unmarked) and self.documents == self.expected > 0


@dataclass
class _Killer:
    """Kills the server at even distances of progress, not of time: the same on a quick and a slow computer."""

    server: PouchServer
    tally: Tally
    kills: int
    steps: int
    seen: int = 0
    down: asyncio.Lock = field(default_factory=asyncio.Lock)

    def due(self) -> bool:
        self.seen += 1
        return self.tally.kills < self.kills and self.seen * (self.kills + 1) >= self.steps * (self.tally.kills + 1)

    async def kill(self) -> None:
        if self.down.locked():
            return
        async with self.down:
            self.tally.kills += 1
            self.server.kill()
            await asyncio.to_thread(self.server.start)


async def _evening(paths: Paths, url: str, killer: _Killer, running: set[asyncio.Task[None]]) -> None:
    """One laptop: sends, begins again when the server goes away, forgets what it knows, and sends all once more."""
    loop = asyncio.get_running_loop()

    def told(_step: Step) -> None:
        if killer.due():
            task = loop.create_task(killer.kill())
            running.add(task)
            task.add_done_callback(running.discard)

    for _time in range(2):
        while True:
            try:
                await sync(paths, url, patience=PATIENCE, tell=told)
                break
            except OfficeError:
                killer.tally.broken_off += 1
        marks = paths.office / "home.jnl"
        if _time == 0:
            marks.unlink()


async def evening(folder: Path, server: PouchServer, laptops: int, kills: int, lines: int = 50) -> Tally:
    """Run it and compare what the database holds with what every laptop has."""
    tally = Tally(laptops)
    homes = [laptop(folder / f"{number:04}", visits=2, lines=lines) for number in range(laptops)]
    url = server.create(DATABASE)
    killer = _Killer(server, tally, kills, steps=laptops * 4)
    gate, running = asyncio.Semaphore(AT_ONCE), set[asyncio.Task[None]]()
    started = time.monotonic()

    async def one(paths: Paths) -> None:
        async with gate:
            await _evening(paths, url, killer, running)

    await asyncio.gather(*(one(paths) for paths in homes))
    await asyncio.gather(*running)
    tally.seconds = time.monotonic() - started
    wanted: dict[str, object] = {}
    for paths in homes:
        wanted |= expected(paths)
        known = Marks(Home(paths)).known(url).heads
        tally.unmarked += len(set(Home(paths).visit_ids()) - set(known))
    found = held(server.documents(DATABASE))
    tally.documents, tally.expected = len(found), len(wanted)
    tally.lost = len(wanted.keys() - found.keys())
    tally.wrong = sum(wanted.get(key) != document for key, document in found.items())
    return tally


def main(arguments: list[str]) -> int:
    """Run it and print the tally."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--laptops", type=int, default=100)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--lines", type=int, default=50)
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as scratch, PouchServer(Path(scratch, "couch")) as server:
        tally = asyncio.run(evening(Path(scratch), server, given.laptops, given.kills, given.lines))
    print(tally)
    return 0 if tally.good and tally.kills == given.kills else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
