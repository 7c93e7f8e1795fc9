"""Simulated terminals in a thread of their own, so that screens and terminals do not wait for each other."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from techtool.simulator.faults import FaultScript
from techtool.simulator.run import Simulation, TerminalSpec


@dataclass(frozen=True, slots=True)
class RunningTerminals:
    """Where the simulated terminals are."""

    addresses: tuple[str, ...]
    serials: tuple[str, ...]


@contextlib.contextmanager
def simulated(
    specs: Sequence[TerminalSpec],
    state: Path | None = None,
    faults: FaultScript | None = None,
    boot_s: float | None = None,
) -> Iterator[RunningTerminals]:
    """Start the terminals, stop them at the end; an error while starting is raised here."""
    started = threading.Event()
    found: list[RunningTerminals] = []
    failure: list[BaseException] = []
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(done.set))
        async with Simulation(specs, state=state, faults=faults, boot_s=boot_s) as simulation:
            found.append(RunningTerminals(simulation.addresses, simulation.serials))
            started.set()
            await done.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            failure.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="simulated-terminals", daemon=True)
    thread.start()
    started.wait()
    if failure:
        raise failure[0]
    try:
        yield found[0]
    finally:
        stop[0]()
        thread.join(timeout=10)
