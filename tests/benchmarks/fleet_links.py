"""How much longer thirty terminals at once take than one, each behind a link of 4 MB/s.

``python -m tests.benchmarks.fleet_links [--terminals 30] [--size-mb 64]`` prints the times of whole visits and of their
installations, and the ratios, of one run. What is budgeted (1.3) is the installations: the time that links and laptop
need. The whole visit is printed beside it; in it a person who answers at once stands in for the technician, so that
thirty times the questions are thirty times the answers. The terminals are simulated in processes of their own on the
same machine: what their CPU costs is printed, because real terminals bring their own. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.cli.demo_world import PASSPHRASE, DemoWorld
from techtool.clock import SystemClock
from techtool.domain.pace import Pace
from techtool.domain.plan import StepKind
from techtool.domain.release import ReleaseKind
from techtool.domain.terminal import Address
from techtool.events import Finished, LaneFinished, LaneIdentified, StepDone, StepStarted
from techtool.visit.engine import Engine
from techtool.visit.operator import Answers, ScriptedOperator
from techtool.visit.services import Services, VisitRequest
from techtool.visit.setup import trust_root
from tests.unit.simulator.apk_maker import make_apk

MODEL = "sunmi-p2"
LINK_BYTES_S = 4_000_000
BUDGET = 1.3
IN_ONE_PROCESS = 5


@dataclass(frozen=True)
class Took:
    """Seconds of one visit, and what they cost this process."""

    visit_s: float
    through_s: float
    """Until the last terminal was through: what comes after it, sign-off and reports, holds no terminal."""
    install_s: float
    """From the first installation's begin to the last one's end."""
    slowest_s: float
    """The longest that one terminal's installation took."""
    cpu_s: float
    simulated_cpu_s: float
    """What the simulated terminals cost, from the visit's begin to its end."""


def make_stick(folder: Path, size_bytes: int) -> Path:
    """One release of one package of that size; its root is returned."""
    clock = SystemClock()
    apk = folder / "big.apk"
    apk.write_bytes(make_apk("org.example.big", 3, "3.0", padding=size_bytes))
    workspace = Workspace.create(folder / "bundle", ("sunmi",), clock)
    draft = Description(kind=ReleaseKind.RESOURCES, install_duration=10, provides=(ProvidesEntry("sunmi", "P2"),))
    workspace.add("sunmi", [apk], draft, clock)
    workspace.sign(clock)
    stick = folder / "stick"
    stick.mkdir()
    workspace.write(stick, clock)
    return stick


@contextmanager
def terminals(folder: Path, count: int) -> Iterator[tuple[list[str], Callable[[], float]]]:
    """Simulated terminals behind slow links, a few in a process: addresses, and what CPU they took so far.

    A terminal at the end of its installation hashes and copies for a while; it must not hold up thirty others by
    sharing one Python with them, which no real terminal does.
    """
    with ExitStack() as processes:
        started = [
            processes.enter_context(
                _simulated(folder / f"{count}-{first}", first, min(IN_ONE_PROCESS, count + 1 - first))
            )
            for first in range(1, count + 1, IN_ONE_PROCESS)
        ]
        addresses = [address for some, _cpu in started for address in some]
        yield addresses, lambda: sum(cpu() for _some, cpu in started)


@contextmanager
def _simulated(state: Path, first: int, count: int) -> Iterator[tuple[list[str], Callable[[], float]]]:
    command = [sys.executable, "-m", "tests.benchmarks.slow_terminals", MODEL]
    command += [str(first), str(count), str(LINK_BYTES_S), str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise RuntimeError("no output")
        measured = psutil.Process(process.pid)

        def cpu_s() -> float:
            used = measured.cpu_times()
            return float(used.user + used.system)

        yield [process.stdout.readline().strip() for _n in range(count)], cpu_s
    finally:
        process.terminate()
        process.wait(timeout=30)


async def visit(
    world: DemoWorld, stick: Path, addresses: Sequence[str], pace: Pace, others_s: Callable[[], float]
) -> Took:
    """A whole visit."""
    operator = ScriptedOperator(Answers.read(world.answers), passphrase=PASSPHRASE)
    request = VisitRequest(tuple(Address.parse(a) for a in addresses), stick, pace=pace)
    begun_s, cpu_s, simulated_s = time.perf_counter(), _cpu_s(), others_s()
    begun: dict[str, float] = {}
    first_s = last_s = slowest_s = through_s = 0.0
    code = -1
    async for event in Engine(Services.real(world.paths), operator).run(request):
        now_s = time.perf_counter()
        if isinstance(event, LaneIdentified):
            operator.serials.add(event.serial)
            operator.confirmations = (*operator.confirmations, event.serial[-4:])
        elif isinstance(event, StepStarted) and event.step is StepKind.INSTALL and event.item.startswith("org."):
            first_s = first_s or now_s
            begun[event.lane] = now_s
        elif isinstance(event, StepDone) and event.step is StepKind.INSTALL and event.item.startswith("org."):
            last_s = now_s
            slowest_s = max(slowest_s, now_s - begun[event.lane])
        elif isinstance(event, LaneFinished):
            through_s = now_s - begun_s
        elif isinstance(event, Finished):
            code = event.exit_code
    if code:
        sys.exit(f"the visit ended with {code}")
    whole_s = time.perf_counter() - begun_s
    return Took(whole_s, through_s, last_s - first_s, slowest_s, _cpu_s() - cpu_s, others_s() - simulated_s)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(folder: Path, count: int, size_mb: int) -> None:
    """One terminal, then all of them."""
    (folder / "world").mkdir()
    world = DemoWorld.make(folder / "world", "en")
    stick = make_stick(folder, size_mb * 1_000_000)
    trust_root(world.paths, stick / "TECHTOOL" / "metadata" / "1.root.json")
    line_s = size_mb * 1_000_000 / LINK_BYTES_S
    print(f"{size_mb} MB over a link of {LINK_BYTES_S / 1e6:.0f} MB/s: {line_s:.2f} s on the line")
    found: dict[int, Took] = {}
    for number in (1, count):
        with terminals(folder, number) as (addresses, others_s):
            pace = Pace(number, number, one_first=False) if number > 1 else Pace()
            took = found[number] = asyncio.run(visit(world, stick, addresses, pace, others_s))
        print(
            f"{number:3} terminal(s): whole visit {took.visit_s:6.2f} s, "
            f"terminals through after {took.through_s:6.2f} s, installations {took.install_s:6.2f} s "
            f"(the slowest {took.slowest_s:5.2f} s), "
            f"CPU of techtool {took.cpu_s:5.2f} s, of the simulated terminals {took.simulated_cpu_s:5.2f} s"
        )
    one, all_ = found[1], found[count]
    print(f"ratio installations  {all_.install_s / one.install_s:5.2f}   (budget {BUDGET})")
    print(f"ratio of the slowest {all_.slowest_s / one.slowest_s:5.2f}")
    print(f"ratio terminals      {all_.through_s / one.through_s:5.2f}")
    print(f"ratio whole visit    {all_.visit_s / one.visit_s:5.2f}")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--terminals", type=int, default=30)
    parser.add_argument("--size-mb", type=int, default=64, help="size of the package in MB (10^6 bytes)")
    parser.add_argument("--folder", type=Path, help="where the files are made (default: the temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="techtool-benchmark-", dir=arguments.folder) as folder:
        measure(Path(folder), arguments.terminals, arguments.size_mb)
    return 0


if __name__ == "__main__":
    sys.exit(main())
