"""Taking items out of a backup: what is asked for, after every byte of the whole backup was compared with its manifest.

Programs go into files, for an installation streams them from there; anything else is handed over in memory only. A file
gets its name when its digest agrees with the manifest; until then it is called ``.part``.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tarfile
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

from techtool.backups.age import decrypt_into
from techtool.backups.archive import MANIFEST_NAME
from techtool.domain.backup import BackupManifest
from techtool.errors import BackupNotVerified, BadFile
from techtool.i18n import phrase
from techtool.paths import DISK, Disk

_CHUNK: Final = 1 << 20
_TEXT_LIMIT_BYTES: Final = 16 << 20


async def take_out(
    path: Path,
    secret: str,
    manifest: BackupManifest,
    *,
    texts: Collection[str] = (),
    files: Mapping[str, Path] | None = None,
    disk: Disk = DISK,
) -> dict[str, bytes]:
    """The content of ``texts`` by name; ``files`` (name → path) are written. Raises :class:`BackupNotVerified`."""
    job = _Job(manifest, frozenset(texts), files or {}, disk)
    return await asyncio.to_thread(_read, path, secret, job)


class _Job:
    """What is looked for, and what was found so far."""

    def __init__(self, manifest: BackupManifest, texts: frozenset[str], files: Mapping[str, Path], disk: Disk) -> None:
        self._expected = {item.name: item for item in manifest.items}
        self._texts = texts
        self._files = files
        self._disk = disk
        self._seen: set[str] = set()
        self.found: dict[str, bytes] = {}

    def member(self, name: str, content: IO[bytes]) -> None:
        """Hash one member, and keep it where it is wanted."""
        want = self._expected.get(name)
        if want is None:
            raise BackupNotVerified(problem=phrase("{item} is not in its manifest", item=name))
        if name in self._files:
            size_bytes, sha256 = self._to_file(self._files[name], content, want.sha256)
        else:
            size_bytes, sha256 = self._to_memory(name, content)
        if (size_bytes, sha256) != (want.size_bytes, want.sha256):
            raise BackupNotVerified(problem=phrase("{item} does not read back as it was read", item=name))
        self._seen.add(name)

    def finish(self) -> None:
        """Everything the manifest names was there."""
        if len(self._seen) != len(self._expected):
            found, wanted = len(self._seen), len(self._expected)
            raise BackupNotVerified(problem=phrase("{found} of {wanted} items read back", found=found, wanted=wanted))

    def _to_memory(self, name: str, content: IO[bytes]) -> tuple[int, str]:
        digest = hashlib.sha256()
        kept = bytearray()
        size = 0
        while block := content.read(_CHUNK):
            digest.update(block)
            size += len(block)
            if name in self._texts and size <= _TEXT_LIMIT_BYTES:
                kept += block
        if name in self._texts:
            self.found[name] = bytes(kept)
        return size, digest.hexdigest()

    def _to_file(self, path: Path, content: IO[bytes], wanted: str) -> tuple[int, str]:
        digest = hashlib.sha256()
        size = 0
        part = path.with_name(path.name + ".part")
        self._disk.make_folder(path.parent)
        self._disk.unlink(part)
        fd = self._disk.create(part)
        try:
            while block := content.read(_CHUNK):
                digest.update(block)
                size += len(block)
                self._disk.write(fd, block, part)
            self._disk.fsync(fd, part)
        finally:
            os.close(fd)
        if digest.hexdigest() == wanted:
            self._disk.replace(part, path)
        else:
            self._disk.unlink(part)
        return size, digest.hexdigest()


def _read(path: Path, secret: str, job: _Job) -> dict[str, bytes]:
    read_fd, write_fd = os.pipe()
    problem = ""
    with ThreadPoolExecutor(1, thread_name_prefix="age") as pool:
        decryption = pool.submit(decrypt_into, write_fd, path, secret)
        error: BaseException | None = None
        with os.fdopen(read_fd, "rb") as stream:
            try:
                _members(stream, job)
            except (tarfile.TarError, EOFError) as broken:
                problem = str(broken)
            except BaseException as broken:
                error = broken
        if error is not None:
            decryption.exception()
            raise error
        decryption.result()
    if problem:
        raise BackupNotVerified(problem=phrase("its content cannot be read"), detail=problem)
    job.finish()
    return job.found


def _members(stream: IO[bytes], job: _Job) -> None:
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                raise tarfile.ReadError(f"{member.name!r} is no file")
            if member.name != MANIFEST_NAME:
                job.member(member.name, content)
    while stream.read(_CHUNK):
        pass


def secret_in(path: Path) -> str:
    """The age secret of an identity file, as ``age-keygen`` writes it; raises :class:`BadFile`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(path=str(path), problem=phrase("it cannot be read")) from error
    found = [line.strip() for line in lines if line.strip().startswith("AGE-SECRET-KEY-1")]
    if len(found) != 1:
        raise BadFile(path=str(path), problem=phrase("it does not hold exactly one age secret key"))
    return found[0]
