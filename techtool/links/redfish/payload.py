"""The verified copy of a release's file as it is streamed into a request: counted, and hashed once more on the way."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Final

from techtool.errors import DiskError
from techtool.i18n import phrase
from techtool.links.base import Confirmed
from techtool.paths import disk_error

HELD_BACK: Final = 512 << 10
"""So many bytes may still lie in buffers of this laptop: they count as confirmed only with the device's answer."""


class UpdateFile(io.RawIOBase):
    """A file to be pushed; reading it to its end proves that it is the one that was verified.

    HTTP confirms nothing before the answer. What counts as confirmed while it runs is what TLS has taken, less what
    can lie in buffers; the rest is told by :meth:`answered`. Raises :class:`DiskError` where the copy is another one.
    """

    def __init__(self, path: Path, size_bytes: int, sha256: str, name: str, confirmed: Confirmed | None = None) -> None:
        super().__init__()
        self.name = name
        """As the device is told it."""
        self.size_bytes = size_bytes
        self._path = path
        self._sha256 = sha256
        self._confirmed = confirmed
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise disk_error(error, path) from error
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """Back to its beginning, and to its end for its length."""
        return True

    def tell(self) -> int:
        """Where it stands."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Only to the beginning or the end, which begins the proof anew."""
        if whence == io.SEEK_END:
            return self.size_bytes
        self._digest = hashlib.sha256()
        return self._file.seek(offset)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes; the last ones only when all of it was what it should be."""
        wanted = min(len(buffer), self.size_bytes - self._file.tell())
        try:
            data = self._file.read(wanted) if wanted > 0 else b""
        except OSError as error:
            raise disk_error(error, self._path) from error
        self._digest.update(data)
        there = self._file.tell()
        if len(data) < wanted or (there == self.size_bytes and data and self._digest.hexdigest() != self._sha256):
            problem = phrase("the copy on this laptop is no longer what was verified")
            raise DiskError(path=str(self._path), problem=problem)
        if self._confirmed is not None and data:
            self._confirmed(max(0, there - len(data) - HELD_BACK))
        buffer[: len(data)] = data
        return len(data)

    def answered(self) -> None:
        """The device has answered, so that it has all of it."""
        if self._confirmed is not None:
            self._confirmed(self.size_bytes)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        super().close()
