import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from techtool.errors import DiskFull, StoreLocked, UsageError
from techtool.paths import Disk
from techtool.simulator.faults import AfterReboot, Faults, FaultScript, RebootLoop
from techtool.simulator.run import Simulation, serve, specs_for
from tests.unit.simulator.apk_maker import make_apk
from tests.unit.simulator.bench import Host


def script(faults: Faults) -> FaultScript:
    return FaultScript(terminal=(faults,))


async def eventually(port: int, *, within_s: float = 5.0) -> Host:
    """Connect as soon as the terminal answers."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await Host.connect(port)
            except (ConnectionError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.01)


async def ask(port: int, command: str) -> str:
    host = await eventually(port)
    try:
        return (await host.shell(command))[1].decode().strip()
    finally:
        await host.close()


async def reboot(port: int) -> None:
    host = await eventually(port)
    await host.open("reboot:")
    await host.until_gone()
    await host.close()


async def test_several_terminals_with_their_own_addresses_and_serials() -> None:
    async with Simulation(specs_for(count=3)) as simulation:
        assert len(set(simulation.addresses)) == 3
        assert simulation.serials == ("P2SIM23A1001", "SIMF2030002", "806-655003")
        models = [await ask(t.port, "getprop ro.product.model") for t in simulation.terminals]
        assert models == ["P2", "Saturn1000F2", "T650p"]
        listed = [await ask(t.port, "pm list packages -3 --show-versioncode") for t in simulation.terminals]
        assert listed == [
            "package:com.example.emvkernel versionCode:70000\npackage:com.example.sunmi.pay versionCode:10400",
            "package:com.example.castles.pay versionCode:10400",
            "package:com.example.verifone.pay versionCode:10400",
        ]


async def test_reboot_refuses_for_its_time_and_counts() -> None:
    async with Simulation(specs_for(), boot_s=0.2) as simulation:
        port = simulation.terminals[0].port
        assert await ask(port, "getprop ro.boot.bootcount") == "1"
        await reboot(port)
        with pytest.raises(ConnectionError):
            await Host.connect(port)
        assert not simulation.terminals[0].is_on
        assert await ask(port, "getprop ro.boot.bootcount") == "2"


async def test_it_never_returns() -> None:
    async with Simulation(
        specs_for(), boot_s=0.01, faults=script(Faults(after_reboot=AfterReboot(True)))
    ) as simulation:
        await reboot(simulation.terminals[0].port)
        for _ in range(5):
            await asyncio.sleep(0.02)
            with pytest.raises(ConnectionRefusedError):
                await Host.connect(simulation.terminals[0].port)


async def test_it_returns_as_another() -> None:
    faults = script(Faults(after_reboot=AfterReboot(serial="OTHER-0001")))
    async with Simulation(specs_for(), boot_s=0.01, faults=faults) as simulation:
        port = simulation.terminals[0].port
        assert await ask(port, "getprop ro.serialno") == "P2SIM23A1001"
        await reboot(port)
        assert await ask(port, "getprop ro.serialno; getprop ro.sunmi.serial") == "OTHER-0001\nOTHER-0001"


async def test_reboot_loop_ends_after_its_rounds() -> None:
    faults = script(Faults(reboot_loop=RebootLoop(times=2, up_s=0.02)))
    async with Simulation(specs_for(), boot_s=0.02, faults=faults) as simulation:
        terminal = simulation.terminals[0]
        await reboot(terminal.port)
        async with asyncio.timeout(5):
            while terminal.device.store.state.boot_count < 4 or not terminal.is_on:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert await ask(terminal.port, "getprop ro.boot.bootcount") == "4"


async def test_a_power_cut_and_back_on_the_same_port(tmp_path: Path) -> None:
    apk = make_apk()
    async with Simulation(specs_for(), state=tmp_path) as simulation:
        port = simulation.terminals[0].port
        host = await eventually(port)
        await host.call(f"exec:cmd package install -S {len(apk)}", stdin=apk)
        simulation.kill(1)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await host.receive()
        await host.close()
        with pytest.raises(ConnectionError):
            await Host.connect(port)
        await simulation.revive(1)
        assert simulation.terminals[0].port == port
        assert "org.example.pay" in await ask(port, "pm list packages -3")
    async with Simulation(specs_for(), state=tmp_path) as simulation:
        assert "org.example.pay" in await ask(simulation.terminals[0].port, "pm list packages -3")
        assert simulation.terminals[0].device.store.state.boot_count == 3


async def test_one_simulator_a_state_folder(tmp_path: Path) -> None:
    async with Simulation(specs_for(), state=tmp_path):
        with pytest.raises(StoreLocked, match="another simulator"):
            async with Simulation(specs_for(), state=tmp_path):
                pass


async def test_a_taken_port_is_named_and_nothing_stays_running() -> None:
    async with Simulation(specs_for()) as simulation:
        port = simulation.terminals[0].port
        with pytest.raises(UsageError, match=f"Port {port} "):
            async with Simulation(specs_for(count=1, port=port)):
                pass


class FullDisk(Disk):
    """Takes what it is given until told to be full."""

    full = False

    def write(self, fd: int, data: bytes, path: Path) -> None:
        if self.full:
            raise DiskFull(path=str(path))
        super().write(fd, data, path)


async def test_a_full_disk_of_this_computer_ends_the_simulation_with_its_error() -> None:
    disk = FullDisk()
    said: list[str] = []
    simulation = Simulation(specs_for(), disk=disk)
    running = asyncio.create_task(serve(simulation, said.append, asyncio.Event()))
    async with asyncio.timeout(5):
        while not said:
            await asyncio.sleep(0.01)
        disk.full = True
        host = await Host.connect(simulation.terminals[0].port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await host.shell("cmd package install-create")
        await host.close()
        with pytest.raises(DiskFull):
            await running


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM for another process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_addresses_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    program = "import sys; from techtool.cli.simulate import command; command(sys.argv[1:])"
    argv = [sys.executable, "-c", program, "--count", "2", "--state", str(tmp_path)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stderr is not None
            lines = [running.stdout.readline() for _ in range(2)]
            assert all(line.startswith("adb://127.0.0.1:") for line in lines)
            model = asyncio.run(ask(int(lines[1].rsplit(":", 1)[1]), "getprop ro.product.model"))
            running.send_signal(number)
            rest, trouble = running.communicate(timeout=10)
        finally:
            running.kill()
    assert (model, rest, trouble, running.returncode) == ("Saturn1000F2", "", "", 0)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "01-sunmi-p2",
        "02-castles-saturn1000f2",
    ]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--model", "nothing"], "TT-100"),
        (["--count", "0"], "TT-100"),
        (["--faults", "/nowhere/faults.toml"], "TT-102"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(options: list[str], error: str) -> None:
    from click.testing import CliRunner

    from techtool.cli.simulate import command

    result = CliRunner().invoke(command, options)
    assert error in str(result.exception)


@pytest.mark.parametrize("turns", range(8))
async def test_stopped_while_it_starts_again_it_leaves_no_port_behind(tmp_path: Path, turns: int) -> None:
    async with Simulation(specs_for("sunmi-p2"), state=tmp_path, boot_s=0.0) as simulation:
        (terminal,) = simulation.terminals
        terminal.reboot()
        for _turn in range(turns):
            await asyncio.sleep(0)
    with socket.socket() as same:
        same.bind(("127.0.0.1", terminal.port))
        same.listen()
    gc.collect()  # a socket that nobody closed is told here, and a warning fails a test
