"""What people give in files and options, for every command alike."""

from __future__ import annotations

from pathlib import Path

from techtool.errors import BadFile
from techtool.i18n import phrase
from techtool.paths import os_problem


def first_line(path: Path) -> str:
    """The passphrase in a file; raises :class:`BadFile`."""
    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    if not lines or not lines[0]:
        raise BadFile(path=str(path), problem=phrase("its first line is empty"))
    return lines[0]
