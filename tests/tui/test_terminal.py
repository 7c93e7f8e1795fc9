"""A terminal that goes away under the app does not keep it alive."""

from __future__ import annotations

import os
import sys
import threading

import pytest

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from techtool.tui.terminal import LastingFile, lasting

PATIENCE_S = 20.0


def drawn_after_the_end(file: object) -> bool:
    """Whether all that is drawn on a terminal that has gone comes to an end."""
    writer = WriterThread(file)  # type: ignore[arg-type]
    writer.start()

    def draw() -> None:
        for _frame in range(4 * MAX_QUEUED_WRITES):
            writer.write("x" * 500)
        writer.stop()

    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    drawing.join(PATIENCE_S)
    return not drawing.is_alive()


def test_what_is_drawn_on_a_closed_window_comes_to_an_end() -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as terminal:
        os.close(master)
        file = LastingFile(terminal)
        assert file.fileno() == slave
        assert drawn_after_the_end(file)
        assert file.gone
        terminal_closed(terminal)


def terminal_closed(terminal: object) -> None:
    """What still lies in the file's buffer cannot be written: thrown away, so that closing it raises nothing."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, terminal.fileno())  # type: ignore[attr-defined]
    os.close(null)


async def test_the_system_s_driver_draws_on_such_a_file() -> None:
    from textual.app import App
    from textual.drivers.linux_driver import LinuxDriver

    driver = lasting(LinuxDriver)(App())
    assert isinstance(driver._file, LastingFile)  # type: ignore[attr-defined]
