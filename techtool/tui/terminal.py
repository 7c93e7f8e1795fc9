"""The terminal that is drawn on may go away at any moment: a closed window, a dropped connection.

Textual writes to it in a thread of its own. An error there ends that thread, its queue of thirty writes fills, and the
app waits for ever to put in one more: it would live on without a window and keep the lock on this laptop's records.
"""

from __future__ import annotations

from typing import IO, Any, cast

from textual.driver import Driver


class LastingFile:
    """A terminal's file whose writes come to nothing once the terminal has gone; everything else is the file's own."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.gone = False

    def write(self, text: str) -> int:
        """Write, as long as somebody may see it."""
        self._tried(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, likewise."""
        self._tried(self._file.flush)

    def _tried(self, effect: Any) -> None:
        if self.gone:
            return
        try:
            effect()
        except (OSError, ValueError):
            # The app ends by SIGHUP or by the end of its input; nobody reads what it still draws.
            self.gone = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def lasting(driver: type[Driver]) -> type[Driver]:
    """This driver, drawing on a file that survives its terminal."""

    class LastingDriver(driver):  # type: ignore[misc, valid-type]
        """See :class:`LastingFile`."""

        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            file = getattr(self, "_file", None)
            if file is not None:
                self._file = LastingFile(cast("IO[str]", file))

    return LastingDriver
