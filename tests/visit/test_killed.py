"""The real process, killed and told to stop: the record is true at once, and the next process ends the visit well."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from techtool.cli.demo_world import PASSPHRASE
from techtool.errors import Exit
from techtool.simulator.run import Simulation
from tests.visit.conftest import Shop
from tests.visit.stop_trial import Setting, Trial, lies

LAST4 = "1001"
KILLS = 20


@pytest.fixture
def trial(shop: Shop, tmp_path: Path) -> Trial:
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    return Trial(Setting(shop.world.folder), shop.world, tmp_path / "sim")


async def techtool(
    trial: Trial, tmp_path: Path, *args: str, after_events: int = 1 << 30, send: signal.Signals = signal.SIGKILL
) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command; it gets the signal when it has told so many events."""
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
async def test_twenty_kills(trial: Trial, tmp_path: Path) -> None:
    """Seeded: each process is killed after so many events; whatever is then open is gone on with by the next."""
    chance, killed, sealed = random.Random(20), 0, 0
    async with trial.terminal() as simulation:
        while killed < KILLS:
            command = next_command(trial, simulation)
            code, _told, _errors = await techtool(trial, tmp_path, *command, after_events=chance.randint(1, 80))
            assert not lies(trial, simulation), killed
            killed += code == -signal.SIGKILL
            sealed += code in (Exit.DONE, Exit.NOTHING_TO_DO)
            if code >= 0 and killed < KILLS:
                assert code in (Exit.DONE, Exit.NOTHING_TO_DO)
        if next_command(trial, simulation)[0] == "resume":
            code, told, errors = await techtool(trial, tmp_path, "resume", "--confirm", LAST4)
            assert code in (Exit.DONE, Exit.NOTHING_TO_DO), errors
            assert told[-1]["sealed"]
        assert not lies(trial, simulation)
        assert simulation.terminals[0].device.store.state.sessions == {}
    print(f"{killed} kills, 0 untruthful")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
async def test_told_to_stop(trial: Trial, tmp_path: Path, number: signal.Signals) -> None:
    """^C, an ended session, a closed window: exit 130, no traceback, the visit open; resume ends it."""
    async with trial.terminal() as simulation:
        command = next_command(trial, simulation)
        code, told, errors = await techtool(trial, tmp_path, *command, after_events=12, send=number)
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
