"""The terminal's file system as the debug daemon sees it: a few folders, of which two may be written.

``/data/local/tmp`` and ``/sdcard`` (also ``/storage/emulated/0``) live in the state folder. Every component of a path
is percent-encoded on its way to this computer's disk, so that no name can leave that folder on any operating system.
Installed APKs can be read at the path the package manager tells; everything else is read-only or forbidden.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO, Final, TypeVar
from urllib.parse import quote, unquote

from techtool.paths import Disk

T = TypeVar("T")

S_IFDIR: Final = 0o040000
S_IFREG: Final = 0o100000


class Errno(IntEnum):
    """Linux's numbers: they travel over the wire and do not depend on this computer."""

    NO_ENTRY = 2
    IO = 5
    DENIED = 13
    EXISTS = 17
    NOT_A_FOLDER = 20
    IS_A_FOLDER = 21
    INVALID = 22
    NO_SPACE = 28
    READ_ONLY = 30
    TOO_LONG = 36
    NOT_EMPTY = 39


TEXT: Final = {
    Errno.NO_ENTRY: "No such file or directory",
    Errno.IO: "I/O error",
    Errno.DENIED: "Permission denied",
    Errno.EXISTS: "File exists",
    Errno.NOT_A_FOLDER: "Not a directory",
    Errno.IS_A_FOLDER: "Is a directory",
    Errno.INVALID: "Invalid argument",
    Errno.NO_SPACE: "No space left on device",
    Errno.READ_ONLY: "Read-only file system",
    Errno.TOO_LONG: "File name too long",
    Errno.NOT_EMPTY: "Directory not empty",
}
_FROM_HOST: Final = {
    errno.ENOENT: Errno.NO_ENTRY,
    errno.EEXIST: Errno.EXISTS,
    errno.ENOTDIR: Errno.NOT_A_FOLDER,
    errno.EISDIR: Errno.IS_A_FOLDER,
    errno.ENAMETOOLONG: Errno.TOO_LONG,
    errno.ENOTEMPTY: Errno.NOT_EMPTY,
}


class FileRefused(Exception):
    """The terminal's answer to a file operation; ``errno`` as Linux numbers it."""

    def __init__(self, number: Errno) -> None:
        super().__init__(TEXT[number])
        self.errno = number


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or folder."""

    name: str
    mode: int
    size_bytes: int
    modified_s: int

    @property
    def is_folder(self) -> bool:
        """Whether it can be listed."""
        return bool(self.mode & S_IFDIR)


_FIXED_FOLDERS: Final = (
    "/",
    "/data",
    "/data/app",
    "/data/local",
    "/data/local/tmp",
    "/proc",
    "/sdcard",
    "/storage",
    "/storage/emulated",
    "/storage/emulated/0",
    "/system",
)
_NAME_MAX: Final = 240
_PATH_MAX: Final = 1000
"""Of encoded names: what every computer's file system takes."""
_WRITABLE: Final = ("/data/local/tmp", "/sdcard")
_UNLISTABLE: Final = ("/data", "/data/app")
_READ_ONLY: Final = ("/system", "/vendor", "/product", "/system_ext", "/proc")


class FileTree:
    """Paths of the terminal onto the state folder, installed APKs and a few made-up files."""

    def __init__(
        self,
        root: Path,
        disk: Disk,
        *,
        apks: Callable[[], Mapping[str, Path]],
        texts: Callable[[], Mapping[str, bytes]],
        sealed: Callable[[], frozenset[str]],
    ) -> None:
        """``apks``: device path → file here. ``texts``: device path → content. ``sealed``: exist, may not be read."""
        self._root = root
        self._disk = disk
        self._apks = apks
        self._texts = texts
        self._sealed = sealed

    def stat(self, path: str) -> Entry:
        """What is at ``path``; raises :class:`FileRefused`."""
        path = normal(path)
        name = posixpath.basename(path)
        host = self._host(path)
        if host is not None and host.exists():
            info = _guard(host.stat)
            if host.is_dir():
                return Entry(name, S_IFDIR | 0o771, 4096, int(info.st_mtime))
            return Entry(name, S_IFREG | 0o644, info.st_size, int(info.st_mtime))
        apk = self._apks().get(path)
        if apk is not None:
            info = _guard(apk.stat)
            return Entry(name, S_IFREG | 0o644, info.st_size, int(info.st_mtime))
        text = self._texts().get(path)
        if text is not None:
            return Entry(name, S_IFREG | 0o444, 0, 0)
        if path in self._sealed():
            return Entry(name, S_IFREG | 0o600, 0, 1_230_768_000)
        if path in _FIXED_FOLDERS:
            return Entry(name or "/", S_IFDIR | 0o755, 4096, 1_230_768_000)
        raise FileRefused(Errno.NO_ENTRY)

    def list(self, path: str) -> list[Entry]:
        """The folder's entries by name; raises :class:`FileRefused`."""
        path = normal(path)
        if not self.stat(path).is_folder:
            raise FileRefused(Errno.NOT_A_FOLDER)
        if path in _UNLISTABLE:
            raise FileRefused(Errno.DENIED)
        names = {posixpath.basename(p) for p in _FIXED_FOLDERS if posixpath.dirname(p) == path and p != path}
        names |= {posixpath.basename(p) for p in self._texts() if posixpath.dirname(p) == path}
        host = self._host(path)
        if host is not None and host.is_dir():
            names |= {unquote(child.name) for child in _guard(lambda: list(host.iterdir()))}
        return [self.stat(posixpath.join(path, name)) for name in sorted(names)]

    def open(self, path: str) -> BinaryIO:
        """The file, to read; raises :class:`FileRefused`."""
        path = normal(path)
        if self.stat(path).is_folder:
            raise FileRefused(Errno.IS_A_FOLDER)
        text = self._texts().get(path)
        if text is not None:
            return io.BytesIO(text)
        host = self._apks().get(path) or self._host(path)
        if host is None:
            raise FileRefused(Errno.DENIED)
        return _guard(lambda: host.open("rb"))

    def place(self, path: str) -> Path:
        """Where a new file for ``path`` belongs on this computer, its folders made; raises :class:`FileRefused`."""
        path = normal(path)
        host = self._writable(path)
        if host.is_dir() or path in _FIXED_FOLDERS:
            raise FileRefused(Errno.IS_A_FOLDER)
        _guard(lambda: host.parent.mkdir(parents=True, exist_ok=True))
        return host

    @contextmanager
    def appending(self, path: str, free_bytes: int) -> Iterator[Callable[[bytes], None]]:
        """``>> path``, made when there is none; both this and what it gives raise :class:`FileRefused`."""
        host = self.place(path)
        fd = self._disk.create(host)
        left_bytes = free_bytes

        def append(data: bytes) -> None:
            nonlocal left_bytes
            if len(data) > left_bytes:
                raise FileRefused(Errno.NO_SPACE)
            self._disk.write(fd, data, host)
            left_bytes -= len(data)

        try:
            yield append
        finally:
            os.close(fd)

    def rename(self, source: str, target: str) -> None:
        """``mv source target``, both of them files; raises :class:`FileRefused`."""
        if self.stat(source).is_folder:
            raise FileRefused(Errno.IS_A_FOLDER)
        self._disk.replace(self._writable(normal(source)), self.place(target))

    def make_folder(self, path: str, *, parents: bool) -> None:
        """``mkdir``; raises :class:`FileRefused`."""
        path = normal(path)
        if path in _FIXED_FOLDERS:
            if parents:
                return
            raise FileRefused(Errno.EXISTS)
        host = self._writable(path)
        if not parents and not self.stat(posixpath.dirname(path)).is_folder:
            raise FileRefused(Errno.NOT_A_FOLDER)
        _guard(lambda: host.mkdir(parents=True, exist_ok=parents))

    def remove(self, path: str, *, recursive: bool) -> None:
        """``rm``; raises :class:`FileRefused`."""
        path = normal(path)
        entry = self.stat(path)
        host = self._writable(path)
        if entry.is_folder:
            if not recursive:
                raise FileRefused(Errno.IS_A_FOLDER)
            if path in _FIXED_FOLDERS:
                raise FileRefused(Errno.DENIED)
            for child in self.list(path):
                self.remove(posixpath.join(path, child.name), recursive=True)
            _guard(host.rmdir)
        else:
            self._disk.unlink(host)

    def used_bytes(self) -> int:
        """How much the pushed files take."""
        return sum(p.stat().st_size for p in self._root.rglob("*") if p.is_file())

    def sha256(self, path: str) -> str:
        """Digest of a file's content; raises :class:`FileRefused`."""
        digest = hashlib.sha256()
        with self.open(path) as stream:
            while data := stream.read(1 << 20):
                digest.update(data)
        return digest.hexdigest()

    def _host(self, path: str) -> Path | None:
        """The place on this computer, for paths under the writable folders."""
        for top in _WRITABLE:
            if path == top or path.startswith(top + "/"):
                parts = [quote(part, safe=" +@=,") for part in path.strip("/").split("/")]
                if max(map(len, parts)) > _NAME_MAX or sum(map(len, parts)) > _PATH_MAX:
                    raise FileRefused(Errno.TOO_LONG)
                return self._root.joinpath(*parts)
        return None

    def _writable(self, path: str) -> Path:
        host = self._host(path)
        if host is None:
            read_only = path.startswith(tuple(top + "/" for top in _READ_ONLY)) or path.count("/") == 1
            raise FileRefused(Errno.READ_ONLY if read_only else Errno.DENIED)
        return host


def normal(path: str) -> str:
    """An absolute path without ``.``, ``..``, doubled slashes and aliases; raises :class:`FileRefused` on NUL."""
    if "\0" in path:
        raise FileRefused(Errno.INVALID)
    path = posixpath.normpath("/" + path.lstrip("/"))
    for alias in ("/storage/emulated/0", "/storage/self/primary", "/mnt/sdcard"):
        if path == alias or path.startswith(alias + "/"):
            return "/sdcard" + path.removeprefix(alias)
    return path


def _guard(action: Callable[[], T]) -> T:
    """Run a file operation of this computer; its failure is the terminal's."""
    try:
        return action()
    except OSError as error:
        raise FileRefused(_FROM_HOST.get(error.errno or 0, Errno.IO)) from error


def unix_time(path: Path, modified_s: int) -> None:
    """Give a pushed file the time its sender told."""
    _guard(lambda: os.utime(path, (modified_s, modified_s)))
