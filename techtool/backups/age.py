"""age encryption in worker threads: from a pipe into a file, and from the file into hashes. No plaintext on disk.

``pyrage.encrypt_io`` and ``decrypt_io`` let other threads run between their blocks; the ``_file`` calls do not.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from techtool.backups.archive import ReadArchive, read_archive
from techtool.backups.pipe import BytePipe
from techtool.errors import BackupNotVerified
from techtool.i18n import phrase
from techtool.paths import Disk, disk_error


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The encrypted file as it lies on disk."""

    size_bytes: int
    sha256: str


class _DiskSink:
    """Where the encryption writes; keeps the disk's own error, of which the encryption passes on only the text."""

    def __init__(self, fd: int, path: Path, disk: Disk) -> None:
        self._fd = fd
        self._path = path
        self._disk = disk
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            self._disk.write(self._fd, data, self._path)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def encrypt_into(pipe: BytePipe, part: Path, recipients: Sequence[str], disk: Disk) -> None:
    """Everything from the pipe into a new file, on disk when it returns.

    Raises :class:`BackupNotVerified`, ``DiskFull`` or ``DiskError``.
    """
    import pyrage

    try:
        fd = disk.create(part, exclusive=True)
        sink = _DiskSink(fd, part, disk)
        try:
            pyrage.encrypt_io(pipe, sink, [pyrage.x25519.Recipient.from_str(r) for r in recipients])
            disk.fsync(fd, part)
        except (pyrage.EncryptError, pyrage.RecipientError, OSError) as error:
            if sink.error is not None:
                raise sink.error from error
            raise BackupNotVerified(problem=phrase("it could not be encrypted"), detail=str(error)) from error
        finally:
            os.close(fd)
    finally:
        pipe.reader_left()


def read_back(path: Path, secret: str) -> tuple[ReadArchive, FileFacts]:
    """Decrypt a backup from disk and hash all that is in it; raises :class:`BackupNotVerified`."""
    read_fd, write_fd = os.pipe()
    archive: ReadArchive | None = None
    problem = ""
    with ThreadPoolExecutor(1, thread_name_prefix="age") as pool:
        decryption = pool.submit(decrypt_into, write_fd, path, secret)
        with os.fdopen(read_fd, "rb") as stream:
            try:
                archive = read_archive(stream)
            except (tarfile.TarError, OSError, EOFError) as error:
                problem = str(error)
        facts = decryption.result()
    if archive is None:
        raise BackupNotVerified(problem=phrase("its content cannot be read"), detail=problem)
    return archive, facts


class _HashingFile:
    """A file that hashes what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._digest.update(data)
        self._size += len(data)
        return data

    def facts(self) -> FileFacts:
        while self.read(1 << 20):
            pass
        return FileFacts(self._size, self._digest.hexdigest())


def decrypt_into(write_fd: int, path: Path, secret: str) -> FileFacts:
    """Worker thread: the whole file through the decryption into a kernel pipe."""
    import pyrage

    try:
        with os.fdopen(write_fd, "wb", buffering=0) as sink, path.open("rb") as stream:
            source = _HashingFile(stream)
            pyrage.decrypt_io(source, sink, [pyrage.x25519.Identity.from_str(secret.strip())])
            return source.facts()
    except BrokenPipeError as error:
        raise BackupNotVerified(problem=phrase("its content cannot be read"), detail=str(error)) from error
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise BackupNotVerified(problem=phrase("it cannot be decrypted"), detail=str(error)) from error
    except OSError as error:
        if error.errno is not None:
            raise disk_error(error, path) from error
        raise BackupNotVerified(problem=phrase("it is damaged or cut off"), detail=str(error)) from error
