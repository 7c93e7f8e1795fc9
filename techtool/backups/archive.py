"""The archive inside a backup: POSIX tar, one member an item, ``manifest.json`` last. Written and read as a stream."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, Final

from techtool.domain.backup import BackupItem, ItemDigest, ItemKind
from techtool.domain.sensitive import KIND_LABEL, Finding, Profile, Scanner, find
from techtool.errors import BackupNotVerified, ForbiddenContent
from techtool.i18n import Phrase, phrase

MANIFEST_NAME: Final = "manifest.json"
UNSIZED_LIMIT_BYTES: Final = 16 << 20
"""An item whose length is not known beforehand waits in memory, so it must be small: properties, package lists."""
_MANIFEST_LIMIT_BYTES: Final = 64 << 20
_CHUNK: Final = 1 << 20


class ArchiveWriter:
    """Turns items into tar bytes and hands them to ``put``; nothing unscanned leaves it."""

    def __init__(self, put: Callable[[bytes], Awaitable[None]], made_at: datetime) -> None:
        self._put = put
        self._made_at = made_at
        self._names: set[str] = set()
        self.items: list[ItemDigest] = []
        self.content_bytes = 0
        """Of all items so far."""

    async def add(self, item: BackupItem) -> None:
        """Store one item; raises :class:`ForbiddenContent` before the first forbidden byte is handed on."""
        self._check_name(item.name)
        size, chunks = (item.size_bytes, item.chunks) if item.size_bytes is not None else await _gathered(item)
        await self._put(self._header(item.name, size))
        digest = hashlib.sha256()
        stored = 0
        async for clean in scanned(item.name, item.kind, chunks):
            stored += len(clean)
            if stored > size:
                break
            digest.update(clean)
            self.content_bytes += len(clean)
            await self._put(clean)
        if stored != size:
            raise BackupNotVerified(
                problem=phrase("{item} changed while it was read (it said {size} bytes)", item=item.name, size=size)
            )
        await self._put(_padding(size))
        self.items.append(ItemDigest(item.name, item.kind, size, digest.hexdigest()))

    async def finish(self, manifest: bytes) -> None:
        """Store the manifest and the end mark."""
        await self._put(self._header(MANIFEST_NAME, len(manifest)) + manifest + _padding(len(manifest)))
        await self._put(bytes(2 * tarfile.BLOCKSIZE))

    def _header(self, name: str, size: int) -> bytes:
        info = tarfile.TarInfo(name)
        info.size = size
        info.mode = 0o600
        info.mtime = int(self._made_at.timestamp())
        return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")

    def _check_name(self, name: str) -> None:
        """Names come from the terminal: none may lead out of the folder it is unpacked to, or stand for another."""
        path = PurePosixPath(name)
        plain = name.isprintable() and "\\" not in name and ":" not in name
        if not plain or path.is_absolute() or ".." in path.parts or str(path) != name or name in self._names:
            raise BackupNotVerified(problem=phrase("the terminal gave a name that cannot be used: {name}", name=name))
        if name == MANIFEST_NAME:
            raise BackupNotVerified(problem=phrase("the terminal gave a name that cannot be used: {name}", name=name))
        _refuse(name, find(name))
        self._names.add(name)


async def scanned(name: str, kind: ItemKind, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, each only after it was judged; raises :class:`ForbiddenContent`."""
    scanner = Scanner(Profile.BINARY if kind is ItemKind.APK else Profile.TEXT)
    waiting = b""
    passed = 0
    async for chunk in chunks:
        waiting += chunk
        _refuse(name, scanner.feed(chunk))
        clean, waiting = waiting[: scanner.cleared - passed], waiting[scanner.cleared - passed :]
        passed += len(clean)
        if clean:
            yield clean
    _refuse(name, scanner.finish())
    if waiting:
        yield waiting


def _refuse(name: str, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        shown = "********" if find(name) else name
        raise ForbiddenContent(item=shown, kind=Phrase(KIND_LABEL[finding.kind]))


async def _gathered(item: BackupItem) -> tuple[int, AsyncIterator[bytes]]:
    parts: list[bytes] = []
    size = 0
    async for chunk in item.chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > UNSIZED_LIMIT_BYTES:
            raise BackupNotVerified(
                problem=phrase("{item} is larger than {limit} bytes", item=item.name, limit=UNSIZED_LIMIT_BYTES)
            )

    async def again() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return size, again()


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class ReadMember:
    """One member as it reads back."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(slots=True)
class ReadArchive:
    """An archive as it reads back; content is hashed and dropped, except the manifest's."""

    members: list[ReadMember] = field(default_factory=list)
    manifest: bytes = b""


def read_archive(stream: IO[bytes]) -> ReadArchive:
    """Hash every member of a tar stream; raises ``tarfile.TarError`` or ``OSError`` where it is none."""
    archive = ReadArchive()
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                raise tarfile.ReadError(f"{member.name!r} is no file")
            if member.name == MANIFEST_NAME:
                archive.manifest = content.read(_MANIFEST_LIMIT_BYTES)
                continue
            digest = hashlib.sha256()
            while block := content.read(_CHUNK):
                digest.update(block)
            archive.members.append(ReadMember(member.name, member.size, digest.hexdigest()))
    while stream.read(_CHUNK):
        pass
    return archive
