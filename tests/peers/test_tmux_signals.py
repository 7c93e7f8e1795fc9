"""The screens are told to end in the middle of an installation: by a closed window, and by SIGTERM.

The process ends, a shell that lives on has a clean terminal, the record is open and true, and the next command ends
the visit well.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.visit import CatmAction
from techtool.errors import Exit
from techtool.simulator.faults import Faults, FaultScript, Hang
from tests.peers.shop import Shop, opened
from tests.peers.tmux import PATIENCE_S

pytestmark = pytest.mark.peers

HANG = FaultScript(terminal=(Faults(hang=Hang(command="install-commit")),))
"""The terminal never answers the installation, so that there is a middle of it; once."""
INSTALLED = '"version": "7.1.0"'
"""What the first installation brings, in the terminal's own state."""
GATE = "Type the last four of the serial number"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path, faults=HANG) as shop:
        yield shop


def install(shop: Shop) -> int:
    """Begin a visit by keys until the terminal hangs in the installation; the process of the screens."""
    screen = shop.screen
    shop.begin(shop.address)
    screen.answers({}, until=GATE)
    screen.enter(shop.record().lanes[0].serial[-4:])
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
    assert screen.told(modes).split()[0] == "1"
    os.kill(pid, signal.SIGTERM)
    assert ended(pid)
    screen.wait(r"ready> *$")
    assert screen.told(modes) == "0 0 0 0 0 1"
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
