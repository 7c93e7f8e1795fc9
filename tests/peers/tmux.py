"""A real terminal emulator: a program in a window of tmux, what the window shows, and the keys a person presses."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from techtool.i18n import translate
from techtool.tui.app import SETTLE_S
from tests.peers.tools import need

PATIENCE_S = 40.0
TRY_AGAIN_S = 2.0
"""Keys that come too early after a question are not taken, by design; a person presses again."""
ANSWER_AGAIN_S = 2 * SETTLE_S
"""An answer is pressed again sooner: one that comes twice finds the next question still shut for keys."""
ALL_IN_ORDER = "a: all in order · Space: mark what is not, then Enter · n: not done"
MAY_BE_EMPTY = "May be left empty: Enter goes on."


class Screen:
    """A tmux session of one window."""

    def __init__(self, socket: Path, command: Sequence[str], *, language: str = "en", size: str = "80x24") -> None:
        self.language = language
        self.tmux = [need("tmux"), "-S", str(socket), "-f", "/dev/null"]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        width, height = size.split("x")
        self.run("new-session", "-d", "-x", width, "-y", height, *command, environment=environment)

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """One command of tmux; what it printed."""
        argv = [*self.tmux, *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True, env=environment).stdout.rstrip("\n")

    def close(self) -> None:
        """End the session, whether or not something runs in it."""
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)

    def text(self) -> str:
        """What the window shows; nothing once it is closed."""
        done = subprocess.run([*self.tmux, "capture-pane", "-p"], check=False, capture_output=True, text=True)
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press these, by tmux's names."""
        self.run("send-keys", *keys)

    def shows(self, pattern: str, patience_s: float = PATIENCE_S) -> bool:
        """Whether the window shows it before the patience ends."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if re.search(pattern, self.text(), re.MULTILINE):
                return True
            time.sleep(0.05)
        return False

    def wait(self, pattern: str) -> None:
        """Wait for it."""
        assert self.shows(pattern), f"no {pattern!r} in:\n{self.text()}"

    def say(self, text: str) -> str:
        """A text of the screens in the language they are in, as a pattern."""
        return re.escape(translate(text, self.language))

    def press(self, key: str, until: str) -> None:
        """Press a key, again where it came too early, until the screen shows what it leads to."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.keys(key)
            if self.shows(until, TRY_AGAIN_S):
                return
        pytest.fail(f"{key} did not lead to {until!r}:\n{self.text()}")

    def enter(self, text: str, shown: str = "") -> None:
        """Write into the field that has the focus; what came too early is written again from its start."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.keys("C-u")
            self.keys("-l", text)
            if self.shows(rf"^ +{shown or re.escape(text)} *$", TRY_AGAIN_S):
                return
        pytest.fail(f"{text!r} is not in the field:\n{self.text()}")


def question_in(text: str) -> str:
    """The first line of the question on this screen, which stands below a rule; empty: none."""
    _above, rule, below = text.rpartition("─" * 20)
    found = re.findall(r"^ +\? (.+)$", below if rule else "", re.MULTILINE)
    return str(found[-1]).strip() if found else ""


class Technician(Screen):
    """A window in which somebody answers what is asked."""

    def asked(self) -> str:
        """The question that is on the screen, its first line; empty: none."""
        return question_in(self.text())

    def gone(self, question: str, patience_s: float) -> bool:
        """Whether something else is asked, or nothing, before the patience ends."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if self.asked() != question:
                return True
            time.sleep(0.05)
        return False

    def answer(self, text: str, given: Mapping[str, str]) -> str:
        """Answer the question that this text of the screen shows, and wait until it is gone; returns it."""
        question = question_in(text)
        typed = [typed for asked, typed in given.items() if translate(asked, self.language).startswith(question)]
        key = "Enter" if typed else self._key(text, question)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if typed:
                self.enter(typed[0])
            self.keys(key)
            if self.gone(question, ANSWER_AGAIN_S):
                return question
        pytest.fail(f"{key} did not answer {question!r}:\n{self.text()}")

    def _key(self, text: str, question: str) -> str:
        """The usual answer: all in order, the first choice, nothing where nothing is needed."""
        below = text[text.rindex(question) :]
        if translate(ALL_IN_ORDER, self.language).split("·")[0] in below:
            return "a"
        if re.search(r"^ +(\S )?1 \S", below, re.MULTILINE):
            return "1"
        if translate(MAY_BE_EMPTY, self.language) in below:
            return "Enter"
        pytest.fail(f"nothing is known to answer {question!r}:\n{text}")

    def answers(self, given: Mapping[str, str], until: str) -> list[str]:
        """Answer what is asked until the screen shows ``until``; returns the questions.

        ``given``: a question in English → what is typed; every other question has its usual answer.
        """
        asked: list[str] = []
        deadline = time.monotonic() + 3 * PATIENCE_S
        while not re.search(until, text := self.text(), re.MULTILINE):
            assert time.monotonic() < deadline, f"no {until!r} after {asked}:\n{text}"
            if question_in(text):
                asked.append(self.answer(text, given))
            else:
                time.sleep(0.05)
        return asked


class Shell(Technician):
    """A shell in a window, and a second window that lives on when the first is closed."""

    def __init__(self, socket: Path, environment: Mapping[str, str], language: str) -> None:
        self.language = language
        self.tmux = [need("tmux"), "-S", str(socket), "-f", "/dev/null"]
        shell = ["sh", "-i"]
        self.run("new-session", "-d", "-x", "80", "-y", "24", "-n", "work", *shell, environment=environment)
        self.run("new-window", "-d", "-n", "other", *shell, environment=environment)

    def told(self, what: str) -> str:
        """What tmux knows of the first window."""
        return self.run("display-message", "-p", "-t", ":work", what)

    def child(self) -> int:
        """The one process that the shell runs."""
        shell = self.told("#{pane_pid}")
        (pid,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(pid)

    def close_window(self) -> None:
        """As a person closes it, with what runs in it."""
        self.run("kill-window", "-t", ":work")
