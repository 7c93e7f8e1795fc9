"""age keys: one of its own for each visit, and the office's recipients."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from techtool.errors import BadFile
from techtool.i18n import phrase
from techtool.paths import os_problem


class AgeKey(NamedTuple):
    """Both halves of an X25519 key, as the ``age`` command writes them."""

    secret: str
    """``AGE-SECRET-KEY-1…``; a file that holds it opens a backup with ``age -d -i FILE``."""
    public: str
    """``age1…``"""


def new_identity() -> AgeKey:
    """A new key from the system's randomness."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    return AgeKey(str(identity), str(identity.to_public()))


def public_of(secret: str, path: str = "*.agekey") -> str:
    """The recipient that ``secret``, read from ``path``, opens; raises :class:`BadFile` when it is no age key."""
    import pyrage

    try:
        return str(pyrage.x25519.Identity.from_str(secret.strip()).to_public())
    except pyrage.IdentityError as error:
        raise BadFile(path=path, problem=phrase("it is no age secret key")) from error


def read_recipients(path: Path) -> tuple[str, ...]:
    """The recipients of a file, one a line, ``#`` before comments; none when there is no file yet.

    Raises :class:`BadFile` naming the line: a mistyped recipient means a backup that the office cannot open.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except UnicodeDecodeError as error:
        raise BadFile(path=str(path), problem=phrase("it is no text file")) from error
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    return parse_recipients(text, path)


def parse_recipients(text: str, path: Path) -> tuple[str, ...]:
    """The same of a text that is in no file yet; ``path`` is for messages."""
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            check_recipient(entry, path, number)
            found[entry] = None
    return tuple(found)


def check_recipient(entry: str, path: Path, line: int) -> None:
    """Raise :class:`BadFile` unless ``entry`` is an age X25519 recipient."""
    import pyrage

    try:
        pyrage.x25519.Recipient.from_str(entry)
    except pyrage.RecipientError as error:
        raise BadFile(path=str(path), problem=phrase("line {line}: no age recipient (age1…)", line=line)) from error
