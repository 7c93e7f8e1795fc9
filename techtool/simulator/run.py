"""Start terminals, tell their addresses, stop them: for ``techtool simulate``, ``techtool demo`` and the tests."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from techtool.clock import Clock, SystemClock
from techtool.errors import StoreLocked, TechtoolError, UsageError
from techtool.i18n import phrase
from techtool.paths import DISK, Disk
from techtool.simulator.auth import AuthPolicy
from techtool.simulator.daemon import Terminal
from techtool.simulator.device import Device
from techtool.simulator.faults import FaultScript
from techtool.simulator.model import APKS, Model, choose_models

MAX_COUNT = 64


@dataclass(frozen=True, slots=True)
class TerminalSpec:
    """One terminal to start."""

    model: Model
    position: int
    """From 1; decides its serial number and the name of its folder."""
    port: int = 0
    """0: any free one."""

    @property
    def folder_name(self) -> str:
        """Its folder within the simulation's state."""
        return f"{self.position:02d}-{self.model.id}"


def specs_for(model_id: str | None = None, count: int = 1, port: int = 0) -> tuple[TerminalSpec, ...]:
    """``count`` terminals on ``port`` and the ports after it (0: free ones); raises :class:`UsageError`."""
    if not 1 <= count <= MAX_COUNT:
        raise UsageError(problem=phrase("Between 1 and {most} terminals can be simulated at once.", most=MAX_COUNT))
    if not (port == 0 or 1024 <= port <= 65536 - count):
        raise UsageError(
            problem=phrase(
                "The ports {first} to {last} are not all between 1024 and 65535.", first=port, last=port + count - 1
            )
        )
    models = choose_models(model_id, count)
    return tuple(TerminalSpec(model, i + 1, port + i if port else 0) for i, model in enumerate(models))


class Simulation:
    """Several terminals in this process, with their state in a folder; an async context manager.

    ``state``: None for a temporary folder that goes with the simulation. ``boot_s`` overrides the models' restart
    times.
    """

    def __init__(
        self,
        specs: Sequence[TerminalSpec],
        *,
        state: Path | None = None,
        faults: FaultScript | None = None,
        boot_s: float | None = None,
        auth: AuthPolicy = AuthPolicy.NONE,
        clock: Clock | None = None,
        disk: Disk = DISK,
        apks: Path = APKS,
    ) -> None:
        self._specs = tuple(specs)
        self._state = state
        self._faults = faults or FaultScript()
        self._boot_s = boot_s
        self._auth = auth
        self._clock = clock or SystemClock()
        self._disk = disk
        self._apks = apks
        self._cleanup = contextlib.AsyncExitStack()
        self._terminals: list[Terminal] = []
        self.failure: TechtoolError | None = None
        """Why a terminal could not go on: this computer did not keep its state."""
        self.failed = asyncio.Event()

    async def __aenter__(self) -> Simulation:
        async with contextlib.AsyncExitStack() as stack:
            folder = self._folder(stack)
            for spec in self._specs:
                terminal = await self._start(spec, folder)
                stack.push_async_callback(terminal.stop)
                self._terminals.append(terminal)
            self._cleanup = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._cleanup.aclose()

    def _folder(self, stack: contextlib.AsyncExitStack) -> Path:
        """The state folder, held against a second simulator."""
        if self._state is None:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="techtool-sim-")))
        from filelock import FileLock, Timeout

        self._disk.make_folder(self._state)
        try:
            stack.enter_context(FileLock(self._state / "simulator.lock", timeout=0))
        except Timeout as error:
            holder = phrase("another simulator keeps its terminals in {path}", path=str(self._state))
            raise StoreLocked(holder=holder) from error
        return self._state

    async def _start(self, spec: TerminalSpec, folder: Path) -> Terminal:
        device = await Device.open(
            folder / spec.folder_name,
            spec.model,
            spec.position,
            self._clock,
            faults=self._faults.for_position(spec.position),
            apks=self._apks,
            disk=self._disk,
        )
        terminal = self._terminal(device, spec.port)
        try:
            await terminal.power_on()
        except BaseException:
            await terminal.stop()
            raise
        return terminal

    def _terminal(self, device: Device, port: int) -> Terminal:
        if device.model.redfish is not None:
            from techtool.simulator.redfish.gateway import Gateway

            return Gateway(device, port=port, boot_s=self._boot_s, on_failure=self._fail)
        return Terminal(device, port=port, boot_s=self._boot_s, auth=self._auth, on_failure=self._fail)

    def _fail(self, error: TechtoolError) -> None:
        self.failure = self.failure or error
        self.failed.set()

    @property
    def terminals(self) -> tuple[Terminal, ...]:
        """In order of position."""
        return tuple(self._terminals)

    @property
    def addresses(self) -> tuple[str, ...]:
        """``adb://127.0.0.1:PORT``, ``redfish+https://127.0.0.1:PORT`` each."""
        return tuple(terminal.address for terminal in self._terminals)

    @property
    def serials(self) -> tuple[str, ...]:
        """What each says its serial number is."""
        return tuple(terminal.device.serial for terminal in self._terminals)

    def kill(self, position: int) -> None:
        """Cut the power of one terminal (from 1): it is off, and knows only what is on disk."""
        self._terminals[position - 1].power_cut()

    async def revive(self, position: int) -> None:
        """Switch it on again, rebuilt from its folder, on the same port."""
        spec, old = self._specs[position - 1], self._terminals[position - 1]
        folder = old.device.store.folder.parent
        await old.stop()
        port = old.port
        terminal = await self._start(TerminalSpec(spec.model, spec.position, port), folder)
        self._cleanup.push_async_callback(terminal.stop)
        self._terminals[position - 1] = terminal


async def serve(simulation: Simulation, announce: Callable[[str], None], stop: asyncio.Event) -> None:
    """Run until ``stop``; each address is announced when its terminal answers.

    Raises what the simulation raises at its start, and :class:`techtool.errors.StoreError` when this computer could
    not keep a terminal's state.
    """
    async with simulation:
        for address in simulation.addresses:
            announce(address)
        waits = [asyncio.ensure_future(event.wait()) for event in (stop, simulation.failed)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if simulation.failure is not None:
            raise simulation.failure
