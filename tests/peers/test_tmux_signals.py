"""The screens are told to end in the middle of an installation: by a closed window, and by SIGTERM.

The process ends, a shell that lives on has a clean terminal, the record is open and true, and the next command ends
the visit well.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from techtool.cli.background import simulated
from techtool.cli.demo_world import PASSPHRASE, DemoWorld
from techtool.domain.outcome import Outcome
from techtool.domain.visit import CatmAction, VisitRecord
from techtool.errors import Exit
from techtool.simulator.faults import Faults, FaultScript, Hang
from techtool.simulator.model import find_model
from techtool.simulator.run import TerminalSpec
from techtool.visit.services import Services
from techtool.visit.visits import list_visits, open_record
from tests.peers.test_tmux import PATIENCE_S, Screen
from tests.peers.tools import need

pytestmark = pytest.mark.peers

HANG = FaultScript(terminal=(Faults(hang=Hang(command="install-commit")),))
"""The terminal never answers the installation, so that there is a middle of it; once."""
INSTALLED = '"version": "7.1.0"'
"""What the first installation brings, in the terminal's own state."""


class ShellScreen(Screen):
    """A shell in a window of a real terminal, and a second window that lives on when it is closed."""

    def __init__(self, socket: Path, environment: dict[str, str]) -> None:
        self.tmux = [need("tmux"), "-S", str(socket), "-f", "/dev/null"]
        shell = ["sh", "-i"]
        self._run("new-session", "-d", "-x", "80", "-y", "24", "-n", "work", *shell, environment=environment)
        self._run("new-window", "-d", "-n", "other", *shell, environment=environment)

    def _run(self, *words: str, environment: dict[str, str] | None = None) -> str:
        done = subprocess.run([*self.tmux, *words], check=True, capture_output=True, text=True, env=environment)
        return done.stdout.strip()

    def said(self, what: str) -> str:
        return self._run("display-message", "-p", "-t", ":work", what)

    def child(self) -> int:
        """The one process that the shell runs."""
        shell = self.said("#{pane_pid}")
        (pid,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(pid)

    def close_window(self) -> None:
        self._run("kill-window", "-t", ":work")


@dataclass
class Shop:
    """A laptop, a stick, a terminal that hangs once, and a window with the screens in it."""

    world: DemoWorld
    address: str
    screen: ShellScreen
    environment: dict[str, str]
    state: Path
    """Of the simulated terminal."""

    def record(self) -> VisitRecord:
        services = Services.real(self.world.paths)
        (summary,) = list_visits(services)
        return open_record(services, summary.id)

    def resume(self) -> subprocess.CompletedProcess[str]:
        passphrase = self.world.folder / "passphrase"
        passphrase.write_text(PASSPHRASE + "\n")
        given = ["--answers", str(self.world.answers), "--passphrase-file", str(passphrase)]
        command = [sys.executable, "-m", "techtool", "visit", "resume", *given]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=self.environment, timeout=120)


@contextmanager
def opened(folder: Path) -> Iterator[Shop]:
    world_folder = folder / "world"
    world_folder.mkdir()
    world = DemoWorld.make(world_folder, "en")
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "PS1": "ready> ",
        "TECHTOOL_HOME": str(world.paths.home), "TECHTOOL_LANG": "en",
    }  # fmt: skip
    with simulated([TerminalSpec(find_model("sunmi-p2"), 1)], folder / "sim", boot_s=0.1, faults=HANG) as terminals:
        screen = ShellScreen(folder / "tmux", environment)
        try:
            yield Shop(world, terminals.addresses[0], screen, environment, folder / "sim")
        finally:
            screen.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as shop:
        yield shop


def install(shop: Shop) -> int:
    """Begin a visit by keys until the terminal hangs in the installation; the process of the screens."""
    screen = shop.screen
    screen.wait("ready>")
    screen.keys("-l", f"'{sys.executable}' -m techtool")
    screen.keys("Enter")
    screen.wait("New visit")
    screen.press("1", "Begin the visit")
    screen.press("a", r"^ +a *$")
    screen.keys("-l", shop.address[1:])
    screen.wait(re.escape(shop.address))
    screen.keys("Enter")
    screen.press("/", r"^ +/ *$")
    screen.keys("-l", str(shop.world.stick)[1:])
    screen.wait("world/stick|stick *$")
    screen.press("F2", "Passphrase of your report key")
    screen.press("d", "•")
    screen.keys("-l", PASSPHRASE[1:])
    screen.press("Enter", "Merchant")
    screen.press("x", "x")
    screen.press("Enter", "Work order")
    screen.press("x", "x")
    screen.press("Enter", "Casing and skimmer")
    screen.press("1", "last four of the serial number")
    screen.press("1", r"^ +1 *$")
    screen.keys("-l", "001")
    screen.keys("Enter")
    deadline = time.monotonic() + PATIENCE_S
    while not installing(shop):
        assert time.monotonic() < deadline, screen.text()
        time.sleep(0.05)
    return screen.child()


def installing(shop: Shop) -> bool:
    """The terminal has carried it out and never says so; techtool waits for its word."""
    step = shop.record().lanes[0].unfinished_step
    begun = step is not None and step.action is CatmAction.INSTALL
    return begun and any(INSTALLED in path.read_text() for path in shop.state.rglob("terminal.json"))


def ended(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False


def true_and_ends_well(shop: Shop) -> None:
    record = shop.record()
    assert (record.sealed, record.finished_at) == (False, None)
    (lane,) = record.lanes
    assert lane.outcome is None or lane.outcome is not Outcome.SUCCESS
    assert lane.installed == ()
    assert any(step.action is CatmAction.INSTALL for step in lane.steps)
    done = shop.resume()
    assert done.returncode == Exit.DONE, done.stdout + done.stderr
    record = shop.record()
    assert (record.sealed, record.outcome) == (True, Outcome.SUCCESS)


@pytest.mark.timeout(300)
def test_a_closed_window(shop: Shop) -> None:
    pid = install(shop)
    shop.screen.close_window()
    assert ended(pid)
    true_and_ends_well(shop)


@pytest.mark.timeout(300)
def test_sigterm_leaves_the_shell_a_clean_terminal(shop: Shop, tmp_path: Path) -> None:
    pid = install(shop)
    screen = shop.screen
    modes = (
        "#{alternate_on} #{mouse_any_flag} #{mouse_button_flag} #{mouse_standard_flag} #{mouse_sgr_flag} #{cursor_flag}"
    )
    assert screen.said(modes).split()[0] == "1"
    os.kill(pid, signal.SIGTERM)
    assert ended(pid)
    screen.wait(r"ready> *$")
    assert screen.said(modes) == "0 0 0 0 0 1"
    screen.keys("-l", f"stty -a > {tmp_path}/stty; echo typed-$((40 + 2))")
    screen.wait(r"echo typed-\$")
    screen.keys("Enter")
    screen.wait("^typed-42")
    told = (tmp_path / "stty").read_text().replace(";", " ").split()
    assert {"echo", "icanon", "isig", "icrnl", "opost"} <= set(told)
    text = screen.text()
    assert "Traceback" not in text
    assert "[<" not in text
    true_and_ends_well(shop)
