"""``techtool simulate --medium DIR``: the menu of a terminal that only eats a stick, in this window."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from techtool.cli.output import say
from techtool.i18n import _
from techtool.simulator.menu import MENU, RESTART_NOW, MenuFault, MenuTerminal, stand_in


def run_menu(stick: Path, state: Path | None, fault: str | None) -> None:
    """Print the stick's address, then show the menu until 0, the end of the input or ^C."""
    stick = stick.absolute()
    stand_in(stick)
    terminal = MenuTerminal.load(state, MenuFault(fault) if fault else None)
    click.echo(f"medium:{stick}")
    sys.stdout.flush()
    say(_("The terminal's own menu: type a number and press Enter."))
    asked_restart = False
    while True:
        say(f"[{MENU}]")
        key = sys.stdin.readline()
        if not key or key.strip() == "0":
            return
        asked_restart = _press(terminal, key.strip(), stick, asked_restart=asked_restart)
        if state is not None:
            terminal.save(state)


def _press(terminal: MenuTerminal, key: str, stick: Path, *, asked_restart: bool) -> bool:
    """One key; whether the screen now asks for the restart (1: yes, anything else: the prompt goes away)."""
    if key == "3" or (asked_restart and key == "1"):
        say(f"[{terminal.restart()}]")
    elif key == "1":
        shown = terminal.update(stick)
        say(f"[{shown}]")
        return shown == RESTART_NOW
    elif key == "2":
        for name, value in terminal.shown.items():
            say(f"[{name} {value}]")
    return False
