"""A laptop with a stick, a simulated terminal at the end of a cable, and a window in which techtool is started."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from techtool.cli.background import simulated
from techtool.cli.demo_world import PASSPHRASE, DemoWorld
from techtool.domain.visit import VisitRecord
from techtool.simulator.faults import FaultScript
from techtool.simulator.model import find_model
from techtool.simulator.run import TerminalSpec
from techtool.visit.services import Services
from techtool.visit.visits import list_visits, open_record
from tests.peers.relay import Relay
from tests.peers.tmux import Shell


@dataclass
class Cable:
    """Between laptop and terminal; it can be pulled, and plugged in again, from any thread."""

    upstream: tuple[str, int]
    relay: Relay = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        self.relay = Relay(self.upstream)
        self._thread = threading.Thread(target=self._loop.run_forever, name="cable", daemon=True)
        self._thread.start()
        self._do(self.relay.start())
        self._port = self.relay.port

    @property
    def address(self) -> str:
        """Where the terminal is, over this cable."""
        return f"adb://127.0.0.1:{self._port}"

    def pull_after(self, sent_bytes: int) -> None:
        """Out it comes when so much more was sent to the terminal, and it stays out."""
        self._do(self._pull_after(sent_bytes))

    def plug_in(self) -> None:
        """The same port answers again."""
        self.relay = Relay(self.upstream, listener=socket.create_server(("127.0.0.1", self._port)))
        self._do(self.relay.start())

    def end(self) -> None:
        """Out, and done with."""
        self._do(self.relay.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _pull_after(self, sent_bytes: int) -> None:
        self.relay.drop_after_bytes = self.relay.passed_bytes + sent_bytes
        self.relay.stays_lost = True

    def _do(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)


@dataclass
class Shop:
    """Where a visit takes place."""

    world: DemoWorld
    address: str
    screen: Shell
    environment: dict[str, str]
    state: Path
    """Of the simulated terminal."""

    def record(self) -> VisitRecord:
        """The one visit, as its journal tells it."""
        services = Services.real(self.world.paths)
        (summary,) = list_visits(services)
        return open_record(services, summary.id)

    def resume(self) -> subprocess.CompletedProcess[str]:
        """Resume the visit on the command line, with the demo's answers."""
        passphrase = self.world.folder / "passphrase"
        passphrase.write_text(PASSPHRASE + "\n")
        given = ["--answers", str(self.world.answers), "--passphrase-file", str(passphrase)]
        command = [sys.executable, "-m", "techtool", "visit", "resume", *given]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=self.environment, timeout=120)

    def begin(self, address: str) -> None:
        """Start techtool in the window and begin a visit by keys, up to the first question of the visit itself."""
        screen = self.screen
        screen.wait("ready>")
        screen.keys("-l", f"'{sys.executable}' -m techtool")
        screen.keys("Enter")
        screen.wait(screen.say("New visit"))
        screen.press("1", screen.say("Begin the visit"))
        screen.press("a", r"^ +a *$")
        screen.keys("-l", address[1:])
        screen.wait(re.escape(address))
        screen.keys("Enter")
        screen.press("/", r"^ +/ *$")
        screen.keys("-l", str(self.world.stick)[1:])
        screen.wait("world/stick|stick *$")
        screen.press("F2", screen.say("Passphrase of your report key"))
        self.unlock()

    def unlock(self) -> None:
        """Type the passphrase of the report key."""
        question = self.screen.asked()
        self.screen.enter(PASSPHRASE, shown=f"•{{{len(PASSPHRASE)}}}")
        self.screen.keys("Enter")
        assert self.screen.gone(question, 10), self.screen.text()


@contextmanager
def opened(folder: Path, language: str = "en", faults: FaultScript | None = None) -> Iterator[Shop]:
    """A shop with one Sunmi P2, until the block ends."""
    world_folder = folder / "world"
    world_folder.mkdir()
    world = DemoWorld.make(world_folder, language)
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "PS1": "ready> ",
        "TECHTOOL_HOME": str(world.paths.home), "TECHTOOL_LANG": language,
    }  # fmt: skip
    with simulated([TerminalSpec(find_model("sunmi-p2"), 1)], folder / "sim", boot_s=0.1, faults=faults) as terminals:
        screen = Shell(folder / "tmux", environment, language)
        try:
            yield Shop(world, terminals.addresses[0], screen, environment, folder / "sim")
        finally:
            screen.close()
