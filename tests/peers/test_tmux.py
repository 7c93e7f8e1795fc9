"""``techtool demo`` in a real terminal emulator at 80x24: a whole visit by the keys a person would press."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.tools import need

pytestmark = pytest.mark.peers

PATIENCE_S = 40.0
TRY_AGAIN_S = 1.5
"""Keys that come too early after a question are not taken, by design; a person presses again."""


class Screen:
    """A tmux session of one window."""

    def __init__(self, socket: Path, language: str, width: int, height: int) -> None:
        self.tmux = [need("tmux"), "-S", str(socket), "-f", "/dev/null"]
        command = f"exec '{sys.executable}' -m techtool demo --lang {language}"
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        size = ["-x", str(width), "-y", str(height)]
        subprocess.run([*self.tmux, "new-session", "-d", *size, command], check=True, env=environment)

    def close(self) -> None:
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)

    def text(self) -> str:
        done = subprocess.run([*self.tmux, "capture-pane", "-p"], check=False, capture_output=True, text=True)
        return done.stdout

    def keys(self, *keys: str) -> None:
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    def shows(self, pattern: str, patience_s: float = PATIENCE_S) -> bool:
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if re.search(pattern, self.text(), re.MULTILINE):
                return True
            time.sleep(0.05)
        return False

    def wait(self, pattern: str) -> None:
        assert self.shows(pattern), f"no {pattern!r} in:\n{self.text()}"

    def press(self, key: str, until: str) -> None:
        """Press a key, again where it came too early, until the screen shows what it leads to."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.keys(key)
            if self.shows(until, TRY_AGAIN_S):
                return
        pytest.fail(f"{key} did not lead to {until!r}:\n{self.text()}")


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    screen = Screen(tmp_path / "tmux", "en", 80, 24)
    yield screen
    screen.close()


def test_a_whole_visit_by_keys(screen: Screen) -> None:
    screen.wait("New visit")
    screen.press("1", "Begin the visit")
    screen.press("F2", "Passphrase of your report key")
    screen.press("d", "•")
    screen.keys("-l", "emo-passphrase")
    screen.press("Enter", "Merchant")
    screen.press("Enter", "Work order")
    screen.press("Enter", "Casing and skimmer")
    screen.press("1", "last four of the serial number")
    screen.press("1", r"^ +1 *$")
    screen.keys("-l", "001")
    screen.press("Enter", r"\? PIN pad")
    for _test in range(8):
        if screen.shows(r"\? Name of the person", 0.1):
            break
        question = re.search(r"^ +\? (.+)$", screen.text(), re.MULTILINE)
        assert question, screen.text()
        screen.press("1", rf"^ +\? (?!{re.escape(question[1].strip())})")
    screen.press("Enter", "done and verified")
    text = screen.text()
    assert "P2SIM23A1001" in text
    assert not [line for line in text.splitlines() if len(line) > 80]
