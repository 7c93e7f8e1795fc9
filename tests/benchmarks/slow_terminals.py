"""Some of many simulated terminals, in a process of their own, for :mod:`tests.benchmarks.fleet_links`.

``python -m tests.benchmarks.slow_terminals MODEL FIRST COUNT BYTES_PER_S STATE`` serves the terminals FIRST to
FIRST + COUNT - 1 until it is terminated, prints one address a line; serial numbers are those of that many in one
``techtool simulate``.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from techtool.simulator.faults import load_faults
from techtool.simulator.run import Simulation, serve, specs_for


async def _serve(model: str, first: int, count: int, bytes_per_s: int, state: Path) -> None:
    faults = state.with_suffix(".toml")
    faults.write_text(f"schema = 1\n[[terminal]]\nslow_bytes_per_s = {bytes_per_s}\n", encoding="utf-8")
    specs = specs_for(model, first + count - 1, 0)[first - 1 :]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve(Simulation(specs, state=state, faults=load_faults(faults)), lambda at: print(at, flush=True), stop)


if __name__ == "__main__":
    model, first, count, bytes_per_s, state = sys.argv[1:]
    asyncio.run(_serve(model, int(first), int(count), int(bytes_per_s), Path(state)))
