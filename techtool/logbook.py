"""What techtool did, for the support desk: a few small files in the home's ``logs`` that take each other's place.

A line holds fixed words, codes and places in the program: message ids and never their values, so that no text of a
device, a file or a person rides along; and it is searched for card data all the same. Nothing depends on the log:
where it cannot be written (disk full, no home yet) the work goes on without it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import Final

from techtool.domain.sensitive import redact
from techtool.paths import Paths

NAME: Final = "techtool.log"
MAX_BYTES: Final = 256 << 10
"""Of one file."""
KEPT: Final = 3
"""Older files beside it: 1 MiB in all, some hundred visits."""
_LONGEST: Final = 400
"""Characters of one line."""


class _File(RotatingFileHandler):
    """Private to its owner, like everything in the home."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=_private)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """A log that cannot be written stops nothing."""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _Line(logging.Formatter):
    @staticmethod
    def converter(seconds: float | None = None) -> time.struct_time:
        """Times are in UTC, as in the record."""
        return time.gmtime(seconds)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """One line, whatever is in it."""
        text = " ".join(redact(super().formatMessage(record)).split())
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_FORMAT: Final = _Line("%(asctime)s.%(msecs)03dZ %(process)d %(message)s", "%Y-%m-%dT%H:%M:%S")


def note(paths: Paths, text: str) -> None:
    """Append a line; ``text`` is fixed words, codes and numbers of our own. Writes nothing where there is no home."""
    with contextlib.suppress(OSError):  # also of a home that is no possible path, or in a closed folder
        if not paths.home.is_dir():
            return
        paths.logs.mkdir(mode=0o700, exist_ok=True)
        file = _File(paths.logs / NAME, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", errors="replace")
        with contextlib.closing(file):
            file.setFormatter(_FORMAT)
            file.handle(logging.makeLogRecord({"name": "techtool", "msg": text, "levelno": logging.INFO}))


def writer(paths: Paths) -> Callable[[str], None]:
    """:func:`note` for one home."""
    return lambda text: note(paths, text)


def places(error: BaseException) -> str:
    """Where a defect came from: the modules, lines and functions of our own on the way to it, the deepest last."""
    found = []
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", "?"))
        if name.startswith("techtool"):
            found.append(f"{name}:{trace.tb_lineno} {trace.tb_frame.f_code.co_name}")
        trace = trace.tb_next
    return " > ".join(found[-8:])
