"""What people give in files and options, for every command alike."""

from __future__ import annotations

from pathlib import Path

from techtool.errors import BadFile
from techtool.i18n import phrase


def first_line(path: Path) -> str:
    """The passphrase in a file; raises :class:`BadFile`."""
    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or "cannot be read") from error
    if not lines or not lines[0]:
        raise BadFile(path=str(path), problem=phrase("its first line is empty"))
    return lines[0]
