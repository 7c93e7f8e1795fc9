"""The real process, killed and told to stop: the record is true at once, and the next process ends the visit well."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from techtool.cli.demo_world import PASSPHRASE, DemoWorld
from techtool.errors import Exit
from techtool.simulator.faults import Faults, FaultScript, Hang
from techtool.simulator.run import Simulation
from tests.visit.conftest import Shop
from tests.visit.stop_trial import Setting, Trial, lies

PATIENCE_S = 60.0
LAST4 = "1001"
KILLS = 20
EVENTS = 120
"""A process is killed after one of so many: a whole visit tells a few more."""


@pytest.fixture
def trial(shop: Shop, tmp_path: Path) -> Trial:
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    return Trial(Setting(shop.world.folder), shop.world, tmp_path / "sim")


async def techtool(
    trial: Trial,
    tmp_path: Path,
    *args: str,
    after_events: int = 1 << 30,
    send: signal.Signals = signal.SIGKILL,
    when: Callable[[], bool] = lambda: True,
) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command; it gets the signal when it has told so many events, and ``when`` is so."""
    given = ["--answers", str(trial.world.answers), "--passphrase-file", str(tmp_path / "passphrase"), "--json"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "techtool", "visit", *args, *given),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TECHTOOL_HOME": str(trial.world.paths.home), "TECHTOOL_LANG": "en"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    told: list[dict[str, Any]] = []
    async for line in process.stdout:
        told.append(json.loads(line))
        if len(told) == after_events:
            async with asyncio.timeout(PATIENCE_S):
                while not when():
                    await asyncio.sleep(0.01)
            process.send_signal(send)
            if send is signal.SIGKILL:
                break
    errors = await process.stderr.read()
    return await process.wait(), told, errors.decode()


def next_command(trial: Trial, simulation: Simulation) -> list[str]:
    record = trial.record()
    if record is not None and not record.sealed:
        return ["resume", "--confirm", LAST4]
    return ["run", simulation.addresses[0], "--bundle", str(trial.world.stick), "--confirm", LAST4]


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_twenty_kills(tmp_path: Path, world_template: Path) -> None:
    """Seeded: each process is killed after so many events; whatever is then open is gone on with by the next.

    A visit that was closed is followed by one at another shop, so that every kill hits one with something to install.
    """
    chance, killed, shops = random.Random(20), 0, 0
    while killed < KILLS:
        folder = tmp_path / f"shop-{shops}"
        shutil.copytree(world_template, folder / "world")
        (folder / "passphrase").write_text(PASSPHRASE + "\n")
        trial = Trial(Setting(world_template), DemoWorld(folder / "world"), folder / "sim")
        shops += 1
        assert shops <= KILLS, "the processes end before they are killed"
        async with trial.terminal() as simulation:
            sealed = False
            while not sealed:
                after = chance.randint(1, EVENTS) if killed < KILLS else 1 << 30
                command = next_command(trial, simulation)
                code, told, errors = await techtool(trial, folder, *command, after_events=after)
                assert not lies(trial, simulation), killed
                killed += code == -signal.SIGKILL
                sealed = code >= 0
                if sealed:
                    # Killed behind the seal, the visit was over, and the next one finds nothing to do.
                    assert code in (Exit.DONE, Exit.NOTHING_TO_DO), errors
                    assert told[-1]["sealed"]
            assert simulation.terminals[0].device.store.state.sessions == {}
    print(f"{killed} kills in {shops} visits, 0 untruthful")


HANG = FaultScript(terminal=(Faults(hang=Hang(command="install-commit")),))
"""The terminal installs and never says so, once: the signal comes in the middle."""


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="SIGINT"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, id="SIGHUP", marks=pytest.mark.slow),
    ],
)
async def test_told_to_stop(trial: Trial, tmp_path: Path, number: signal.Signals) -> None:
    """^C, an ended session, a closed window: exit 130, no traceback, the visit open; resume ends it."""
    async with trial.terminal(faults=HANG) as simulation:
        command = next_command(trial, simulation)
        code, told, errors = await techtool(
            trial, tmp_path, *command, after_events=12, send=number, when=lambda: bool(trial.commits)
        )
        assert code == Exit.INTERRUPTED, errors
        assert "Traceback" not in errors
        assert told[-1]["event"] != "finished" or not told[-1]["sealed"]
        assert not lies(trial, simulation)
        assert next_command(trial, simulation)[0] == "resume"
        code, told, errors = await techtool(trial, tmp_path, "resume", "--confirm", LAST4)
        assert (code, told[-1]["sealed"]) == (Exit.DONE, True), errors


async def test_a_home_that_cannot_be_written(trial: Trial, tmp_path: Path) -> None:
    """Said before anything is touched. (Root may write everywhere: there a file stands where a folder should be.)"""
    visits = trial.world.paths.visits
    visits.parent.mkdir(exist_ok=True)
    visits.write_text("in the way")
    async with trial.terminal() as simulation:
        before = simulation.terminals[0].device.store.state
        command = next_command_without_record(trial, simulation)
        code, told, errors = await techtool(trial, tmp_path, *command)
        assert simulation.terminals[0].device.store.state == before
    assert code not in (Exit.DONE, Exit.INTERRUPTED)
    assert "TT-" in errors + json.dumps(told)
    assert "Traceback" not in errors


def next_command_without_record(trial: Trial, simulation: Simulation) -> list[str]:
    return ["run", simulation.addresses[0], "--bundle", str(trial.world.stick), "--confirm", LAST4]
