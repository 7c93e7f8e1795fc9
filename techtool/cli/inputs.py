"""What people give in files and options, for every command alike."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from techtool.domain.typed import TOLD_DIGITS
from techtool.errors import BadFile, OptionMissing, OtherFingerprint, RefusedByPerson
from techtool.i18n import _, phrase
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


def ask_told(shown: str, fits: Callable[[str], bool]) -> None:
    """Have a fingerprint's end typed as it was told by another way: a yes is given before anybody has compared.

    Raises :class:`OptionMissing` where nobody can be asked, :class:`RefusedByPerson`, :class:`OtherFingerprint`.
    """
    if not sys.stdin.isatty():
        raise OptionMissing(text=phrase("Is the fingerprint right?"), option="--fingerprint")
    question = _("Its last {count} digits, as you were told them by another way").format(count=TOLD_DIGITS)
    typed = click.prompt(question, default="", show_default=False, err=True)
    if not typed.strip():
        raise RefusedByPerson(question=question)
    if not fits(typed):
        raise OtherFingerprint(found=shown)
