"""``techtool simulate``: simulated terminals until ^C."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.i18n import N_

if TYPE_CHECKING:
    from techtool.simulator.faults import FaultScript
    from techtool.simulator.run import TerminalSpec


@click.command("simulate", help=N_("Run simulated terminals on this computer until ^C; prints one address per line."))
@click.option("--model", "model_id", metavar="ID", help=N_("Simulate this model only; otherwise all models in turn."))
@click.option("--count", default=1, show_default=True, metavar="N", help=N_("How many terminals."))
@click.option(
    "--port", default=0, metavar="P", help=N_("First port; the terminals take P to P+N-1. Otherwise free ones.")
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=N_("Keep the terminals in DIR across runs."),
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=N_("What goes wrong: a fault script."),
)
@click.option(
    "--medium",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=N_("Instead: a terminal with only a menu of its own; DIR stands for the stick that is carried to it."),
)
@click.option(
    "--menu-fault",
    type=click.Choice(["not-found", "wrong-version", "bad-file"]),
    help=N_("With --medium: what goes wrong at its menu."),
)
def command(
    model_id: str | None,
    count: int,
    port: int,
    state: Path | None,
    faults: Path | None,
    *,
    medium: Path | None,
    menu_fault: str | None,
) -> None:
    """Start the terminals, print their addresses, wait."""
    if medium is not None:
        from techtool.cli.simulate_menu import run_menu

        run_menu(medium, state, menu_fault)
        return
    import asyncio
    import contextlib

    from techtool.simulator.faults import load_faults
    from techtool.simulator.run import specs_for

    specs = specs_for(model_id, count, port)
    script = load_faults(faults) if faults else None
    # ^C is how a simulation ends: exit code 0.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(specs, state, script))


async def _run(specs: tuple[TerminalSpec, ...], state: Path | None, script: FaultScript | None) -> None:
    import asyncio
    import contextlib
    import signal

    from techtool.simulator.run import Simulation, serve

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: ^C arrives as KeyboardInterrupt
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(Simulation(specs, state=state, faults=script), _announce, stop)


def _announce(address: str) -> None:
    """One line each, flushed, so that a script can read it at once."""
    click.echo(address)
    sys.stdout.flush()
