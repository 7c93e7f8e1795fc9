"""Reading a stick that a stranger may have prepared: names, links, sizes and read errors, before content is believed.

A stick may have been written by Windows, macOS or Linux and may hold what they leave behind (dot-files, ``._`` twins):
those are never read, only counted. Links, pipes and devices have no place on it and are refused, and so are two names
that a case-insensitive file system would take for one.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from techtool.errors import Damaged, Untrusted
from techtool.i18n import Phrase, phrase

OUTBOX: Final = "outbox"
_MAX_ENTRIES: Final = 50_000
_MAX_DEPTH: Final = 8
_MAX_PATH: Final = 400
_MAX_SHOWN: Final = 160
_NAME: Final = (
    r"(?!(?i:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:[./]|\Z))"  # devices of Windows, whatever follows the first dot
    r"[A-Za-z0-9_](?:[A-Za-z0-9._+=@-]{0,238}[A-Za-z0-9_+=@-])?"  # FAT drops a dot at the end
)
_PORTABLE: Final = re.compile(f"{_NAME}(?:/{_NAME})*")
_REPARSE_POINT: Final = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT: links and junctions of Windows
_READ_ONLY: Final = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)


def is_portable(path: str) -> bool:
    """Whether ``path`` is relative, stays inside, and names the same file on FAT, Windows, macOS and Linux."""
    return len(path) <= _MAX_PATH and _PORTABLE.fullmatch(path) is not None


def shown(name: str) -> str:
    """A name from the stick as it may be shown: bounded, and without what would move a terminal's cursor."""
    plain = "".join(letter if letter.isprintable() else "�" for letter in name[: _MAX_SHOWN + 1])
    return plain if len(plain) <= _MAX_SHOWN else f"{plain[:_MAX_SHOWN]}…"


def place_of(target: str, sha256: str) -> str:
    """Path below ``TECHTOOL/`` of a target with that digest."""
    folder, _, name = target.rpartition("/")
    return f"targets/{folder}/{sha256}.{name}" if folder else f"targets/{sha256}.{name}"


class Carrier(Protocol):
    """What carries signed metadata and recalls: the ``TECHTOOL`` folder of a stick, or a refresh file."""

    def names(self, folder: str) -> list[str]:
        """The names in one folder that may be read; empty when there is no such folder."""
        ...

    def read(self, path: str, limit: int) -> bytes:
        """All of one file when it is not longer than ``limit`` (else one byte more); raises ``FileNotFoundError``."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is anything of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies on the stick, before anything of it was opened."""

    ignored: tuple[str, ...]
    """Dot-files and ``._`` twins: at most a few names of them."""
    ignored_count: int

    @property
    def notes(self) -> tuple[Phrase, ...]:
        """For people."""
        if not self.ignored_count:
            return ()
        text = phrase(
            "{count} hidden files that other systems left on the stick were not read, such as {name}.",
            count=self.ignored_count,
            name=shown(self.ignored[0]),
        )
        return (text,)


class StickFolder:
    """The ``TECHTOOL`` folder of a stick, read only."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: set[str] = set()

    def survey(self) -> Survey:
        """Look at every entry but open none; raises :class:`Untrusted` for what has no place on a stick."""
        ignored: list[str] = []
        count = 0
        folders = [""]
        seen = 0
        while folders:
            folder = folders.pop()
            names: set[str] = set()
            for entry in self._entries(folder):
                seen += 1
                relative = f"{folder}/{entry.name}" if folder else entry.name
                if seen > _MAX_ENTRIES or relative.count("/") > _MAX_DEPTH:
                    raise Untrusted(problem=phrase("it holds more files than a bundle has"))
                if entry.name.startswith("."):
                    count += 1
                    if len(ignored) < 5:
                        ignored.append(relative)
                    continue
                if entry.name.casefold() in names:
                    raise Untrusted(problem=_twins(relative))
                names.add(entry.name.casefold())
                if self._is_folder(entry, relative) and relative != OUTBOX:
                    folders.append(relative)
        return Survey(tuple(ignored), count)

    def names(self, folder: str) -> list[str]:
        """The names in one folder that may be read; empty when there is no such folder."""
        if not self.exists(folder):
            return []
        found = islice(self._entries(folder), _MAX_ENTRIES)  # a stick may show other entries than it did to the survey
        return sorted(entry.name for entry in found if not entry.name.startswith("."))

    def open(self, path: str) -> BinaryIO:
        """Open one regular file; raises :class:`FileNotFoundError`, :class:`Untrusted`, :class:`Damaged`."""
        if not is_portable(path):
            raise Untrusted(problem=phrase("a path leads outside or is not portable: {path}", path=shown(path)))
        self._check_folders(path)
        place = self.root / path
        if not hasattr(os, "O_NOFOLLOW"):
            self._refuse_link(place, path)
        try:
            fd = os.open(place, _READ_ONLY)
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing(path) from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Untrusted(problem=_link(path)) from error
            raise read_error(path, error) from error
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise Untrusted(problem=_no_file(path))
            return io.FileIO(fd, "rb")
        except OSError as error:
            os.close(fd)
            raise read_error(path, error) from error
        except BaseException:
            os.close(fd)
            raise

    def read(self, path: str, limit: int) -> bytes:
        """All of one file when it is not longer than ``limit``; one byte more than ``limit`` when it is."""
        with self.open(path) as file:
            return b"".join(read_chunks(file, path, limit + 1))

    def exists(self, path: str) -> bool:
        """Whether there is anything of that name; raises :class:`Damaged` where the stick does not say."""
        if not is_portable(path):
            return False
        try:
            os.lstat(self.root / path)
        except (FileNotFoundError, NotADirectoryError):
            self._refuse_gone(path)
            return False
        except OSError as error:
            raise read_error(path, error) from error
        return True

    def _missing(self, path: str) -> FileNotFoundError:
        """The error for a file that is not there, while the stick is."""
        self._refuse_gone(path)
        return FileNotFoundError(errno.ENOENT, "missing", path)

    def _refuse_gone(self, path: str) -> None:
        """A stick that was pulled is no stick that lacks files: raises :class:`Damaged`."""
        try:
            os.lstat(self.root)
        except OSError as error:
            raise read_error(path, error) from error

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                yield from entries
        except OSError as error:
            raise read_error(folder or self.root.name, error) from error

    def _is_folder(self, entry: os.DirEntry[str], relative: str) -> bool:
        try:
            if entry.is_symlink() or _is_reparse_point(entry):
                raise Untrusted(problem=_link(relative))
            if entry.is_dir(follow_symlinks=False):
                return True
            if not entry.is_file(follow_symlinks=False):
                raise Untrusted(problem=_no_file(relative))
        except OSError as error:
            raise read_error(relative, error) from error
        return False

    def _check_folders(self, path: str) -> None:
        """No folder on the way to ``path`` is a link; each is looked at once."""
        at = path.find("/")
        while at > 0:
            folder = path[:at]
            if folder not in self._folders:
                self._refuse_link(self.root / folder, path)
                self._folders.add(folder)
            at = path.find("/", at + 1)

    def _refuse_link(self, place: Path, path: str) -> None:
        try:
            status = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing(path) from None
        except OSError as error:
            raise read_error(path, error) from error
        _refuse_odd(status, path)


def read_chunks(file: BinaryIO, path: str, limit: int, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
    """At most ``limit`` bytes in pieces; a read error becomes :class:`Damaged`."""
    left = limit
    while left > 0:
        try:
            chunk = file.read(min(chunk_bytes, left))
        except OSError as error:
            raise read_error(path, error) from error
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


def read_error(path: str, error: OSError) -> Damaged:
    """The stick does not give what it holds: pulled, worn out, or gone."""
    problem = phrase("the stick cannot be read there: {error}", error=error.strerror or type(error).__name__)
    return Damaged(path=shown(path), problem=problem, detail=str(error))


def _refuse_odd(status: os.stat_result, path: str) -> None:
    if stat.S_ISLNK(status.st_mode) or getattr(status, "st_file_attributes", 0) & _REPARSE_POINT:
        raise Untrusted(problem=_link(path))
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise Untrusted(problem=_no_file(path))


def _is_reparse_point(entry: os.DirEntry[str]) -> bool:
    """Junctions are folders to ``is_symlink``; Windows has the flag at hand, the others have no such thing."""
    return sys.platform == "win32" and bool(entry.stat(follow_symlinks=False).st_file_attributes & _REPARSE_POINT)


def _link(path: str) -> Phrase:
    return phrase("{path} is a link; a bundle has none", path=shown(path))


def _no_file(path: str) -> Phrase:
    return phrase("{path} is no ordinary file", path=shown(path))


def _twins(path: str) -> Phrase:
    return phrase("two names differ only in their capitals: {path}", path=shown(path))
