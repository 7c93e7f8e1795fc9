"""The archive inside a backup: POSIX tar, one member an item, ``manifest.json`` last. Written and read as a stream.

No byte is handed on before it was searched for card data; ``domain.sensitive`` says what is found, ``packed`` what is
unpacked for it, the catalogue's allow-list what becomes of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, Final

from techtool.backups.packed import LARGEST_BYTES, LONGEST_MAGIC, TOO_LARGE, NotSearchable, how_packed, search
from techtool.domain.backup import STRICT, BackupItem, ItemDigest, ItemKind, Noted, NotRead, OnFinding, Scan
from techtool.domain.sensitive import KIND_LABEL, Finding, OwnNumber, Scanner, find
from techtool.errors import BackupNotVerified, ForbiddenContent
from techtool.i18n import Phrase, phrase

MANIFEST_NAME: Final = "manifest.json"
UNSIZED_LIMIT_BYTES: Final = 16 << 20
"""An item whose length is not known beforehand waits in memory, so it must be small: properties, package lists."""
_MANIFEST_LIMIT_BYTES: Final = 64 << 20
_CHUNK: Final = 1 << 20
_PIECE: Final = 1 << 16
_PROGRAM: Final = b"PK\x03\x04"
"""A program begins as a ZIP archive."""
MOST_NOTED: Final = 20
"""Places that the manifest names of one program."""


class ArchiveWriter:
    """Turns items into tar bytes and hands them to ``put``; nothing unscanned leaves it.

    ``serial`` is the terminal's own number, which may look like a card's and stands in fields of its own.
    """

    def __init__(self, put: Callable[[bytes], Awaitable[None]], made_at: datetime, serial: str = "") -> None:
        self._put = put
        self._made_at = made_at
        self._serial = serial
        self._names: set[str] = set()
        self.items: list[ItemDigest] = []
        self.noted: list[Noted] = []
        self.content_bytes = 0
        """Of all items so far."""

    async def add(self, item: BackupItem) -> NotRead | None:
        """Store one item; raises :class:`ForbiddenContent` before the first forbidden byte is handed on.

        What is packed so that nobody can say what it holds is not stored: then the reason is returned.
        """
        self._check_name(item.name)
        own = OwnNumber(self._serial, item.serial_fields)
        first, chunks = await _peeked(item.chunks)
        size = item.size_bytes
        packed = item.kind is ItemKind.FILE and how_packed(first)
        if packed and size is not None and size > LARGEST_BYTES:
            return NotRead(item.name, TOO_LARGE)
        if packed or size is None:
            data = await _gathered(item.name, chunks)
            size, chunks = len(data) if size is None else size, _once(data)
            if packed:
                try:
                    _refuse(item.name, await asyncio.to_thread(search, data, own))
                except NotSearchable as reason:
                    return NotRead(item.name, str(reason))
        await self._store(item, size, scanned(item.name, _rule(item, first), chunks, own, self.noted))
        return None

    async def _store(self, item: BackupItem, size: int, content: AsyncIterator[bytes]) -> None:
        await self._put(self._header(item.name, size))
        digest = hashlib.sha256()
        stored = 0
        async for clean in content:
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


async def scanned(
    name: str, rule: Scan, chunks: AsyncIterator[bytes], own: OwnNumber, noted: list[Noted]
) -> AsyncIterator[bytes]:
    """The same bytes, each only after it was judged; raises :class:`ForbiddenContent`, or adds to ``noted``."""
    scanner = Scanner(rule.profile, own)
    most = len(noted) + MOST_NOTED

    def judge(findings: tuple[Finding, ...]) -> None:
        if rule.found is OnFinding.REFUSE:
            _refuse(name, findings)
        noted.extend(Noted(name, f.kind, f.start) for f in findings[: most - len(noted)])

    waiting = b""
    passed = 0
    async for chunk in chunks:
        waiting += chunk
        judge(scanner.feed(chunk))
        clean, waiting = waiting[: scanner.cleared - passed], waiting[scanner.cleared - passed :]
        passed += len(clean)
        if clean:
            yield clean
    judge(scanner.finish())
    if waiting:
        yield waiting


def _rule(item: BackupItem, first: bytes) -> Scan:
    """Only what begins as a program is searched as one."""
    return item.scan if item.kind is not ItemKind.APK or first.startswith(_PROGRAM) else STRICT


def _refuse(name: str, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        shown = "********" if find(name) else name
        raise ForbiddenContent(item=shown, kind=Phrase(KIND_LABEL[finding.kind]), offset=finding.start)


async def _peeked(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The beginning, and all of it."""
    first = b""
    async for chunk in chunks:
        first += chunk
        if len(first) >= LONGEST_MAGIC:
            break

    async def again() -> AsyncIterator[bytes]:
        if first:
            yield first
        async for chunk in chunks:
            yield chunk

    return first, again()


async def _gathered(name: str, chunks: AsyncIterator[bytes]) -> bytes:
    data = bytearray()
    async for chunk in chunks:
        data += chunk
        if len(data) > UNSIZED_LIMIT_BYTES:
            raise BackupNotVerified(
                problem=phrase("{item} is larger than {limit} bytes", item=name, limit=UNSIZED_LIMIT_BYTES)
            )
    return bytes(data)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    """In pieces, so that a search does not keep every other lane waiting."""
    for at in range(0, len(data), _PIECE):
        yield data[at : at + _PIECE]


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
