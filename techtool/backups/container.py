"""A configuration snapshot on disk: a tar inside an age file, verified by reading it back.

Plaintext is only ever in memory: items go through the scanner and a pipe into the encryption, and back through the
decryption into a hash. Until it is verified the file is called ``.part``; what goes wrong leaves nothing behind.
``age -d -i KEY FILE | tar -x`` opens it without techtool.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from techtool.backups.age import FileFacts, encrypt_into, read_back
from techtool.backups.archive import ArchiveWriter, ReadMember
from techtool.backups.keys import public_of
from techtool.backups.pipe import BytePipe, PipeBroken
from techtool.clock import Clock
from techtool.domain.backup import Announced, BackupManifest, NotRead, SnapshotPart, StoredBackup
from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.schema import MANIFEST, check_schema
from techtool.domain.sensitive import redact
from techtool.domain.terminal import Identity
from techtool.errors import BackupNotVerified, NotEnoughRoom, TechtoolError
from techtool.i18n import phrase
from techtool.links.base import Confirmed
from techtool.paths import DISK, Disk

RESERVE_BYTES: Final = 32 << 20
"""Left free on the laptop's disk besides the backup: journals and reports must still be written."""
_OVERHEAD: Final = 1000
"""One byte in so many is added by the encryption (16 for each 64 KiB) and the archive, generously."""
SUFFIX: Final = ".age"


async def write_backup(
    items: AsyncIterator[SnapshotPart],
    *,
    backup_id: str,
    identity: Identity,
    recipients: Sequence[str],
    identity_key: str,
    folder: Path,
    clock: Clock,
    disk: Disk = DISK,
    confirmed: Confirmed | None = None,
) -> StoredBackup:
    """Encrypt ``items`` to ``recipients`` and the visit's own key, read it back from disk, then give it its name.

    ``identity_key`` is the visit's age secret; ``confirmed`` is told the bytes taken from the terminal. Raises
    :class:`ForbiddenContent`, :class:`BackupNotVerified`, :class:`NotEnoughRoom`, ``DiskFull``, ``DiskError`` and
    whatever the items raise.
    """
    everyone = tuple(dict.fromkeys((*recipients, public_of(identity_key))))
    final = folder / f"{backup_id}{SUFFIX}"
    part = folder / f"{backup_id}{SUFFIX}.part"
    disk.make_folder(folder)
    disk.unlink(part)
    try:
        manifest = await _encrypt(items, part, backup_id, identity, everyone, clock, disk, confirmed)
        facts = await verify_backup(part, identity_key, manifest)
        disk.replace(part, final)
    except BaseException:
        with contextlib.suppress(TechtoolError):
            disk.unlink(part)
        raise
    return StoredBackup(manifest, final.name, facts.size_bytes, facts.sha256, everyone, verified=True)


async def verify_backup(path: Path, identity_key: str, manifest: BackupManifest) -> FileFacts:
    """Decrypt from disk and compare every digest with the manifest; raises :class:`BackupNotVerified`."""
    archive, facts = await asyncio.to_thread(read_back, path, identity_key)
    expected = [ReadMember(item.name, item.size_bytes, item.sha256) for item in manifest.items]
    for want, have in zip(expected, archive.members, strict=False):
        if want != have:
            raise BackupNotVerified(problem=phrase("{item} does not read back as it was read", item=want.name))
    if len(expected) != len(archive.members):
        raise BackupNotVerified(
            problem=phrase("{found} of {wanted} items read back", found=len(archive.members), wanted=len(expected))
        )
    if read_manifest(archive.manifest, path) != manifest:
        raise BackupNotVerified(problem=phrase("its manifest does not read back"))
    return facts


def manifest_bytes(manifest: BackupManifest) -> bytes:
    """The manifest as it stands in the archive."""
    return encode_json(manifest, indent=1)


def read_manifest(data: bytes, path: Path) -> BackupManifest | None:
    """The manifest of an archive, in today's shape; None when it is none. Raises :class:`StoreTooNew`.

    Compared as a value, not as bytes: a manifest of an older schema must verify for as long as its backup is kept.
    """
    try:
        check_schema(MANIFEST, data, path)
        return decode_json(data, BackupManifest)
    except CodecError:
        return None


async def _encrypt(
    items: AsyncIterator[SnapshotPart],
    part: Path,
    backup_id: str,
    identity: Identity,
    recipients: Sequence[str],
    clock: Clock,
    disk: Disk,
    confirmed: Confirmed | None,
) -> BackupManifest:
    pipe = BytePipe(asyncio.get_running_loop())
    made_at = clock.now()
    writer = ArchiveWriter(pipe.put, made_at, identity.serial)
    worker = asyncio.create_task(asyncio.to_thread(encrypt_into, pipe, part, recipients, disk))
    try:
        not_read = await _collect(items, writer, part, disk, confirmed)
        manifest = BackupManifest(
            id=backup_id,
            serial=identity.serial,
            vendor=redact(identity.vendor),
            model=redact(identity.model),
            os_version=redact(identity.os_version),
            made_at=made_at,
            items=tuple(writer.items),
            not_read=not_read,
            noted=tuple(writer.noted),
        )
        await writer.finish(manifest_bytes(manifest))
        pipe.close()
        await worker
    except PipeBroken:
        await worker  # it ended before its time; its error is the one to tell
        raise
    except BaseException:
        pipe.abort()
        await asyncio.gather(worker, return_exceptions=True)
        raise
    return manifest


async def _collect(
    items: AsyncIterator[SnapshotPart],
    writer: ArchiveWriter,
    part: Path,
    disk: Disk,
    confirmed: Confirmed | None,
) -> tuple[NotRead, ...]:
    """Everything that could be read goes into the archive; what could not is returned, with redacted words."""
    not_read: list[NotRead] = []
    async with _closing(items):
        async for item in items:
            if isinstance(item, Announced):
                _check_room(disk, part, item.size_bytes)
                continue
            if not isinstance(item, NotRead):
                _check_room(disk, part, item.size_bytes or 0)
                left_out = await writer.add(item)
            else:
                left_out = item
            if left_out is not None:
                not_read.append(NotRead(redact(left_out.name), redact(left_out.reason)))
            if confirmed is not None:
                confirmed(writer.content_bytes)
    return tuple(not_read)


@contextlib.asynccontextmanager
async def _closing(items: AsyncIterator[SnapshotPart]) -> AsyncIterator[None]:
    """Whatever ends the reading, the terminal is not left in the middle of sending a file."""
    try:
        yield
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()


def _check_room(disk: Disk, part: Path, size_bytes: int) -> None:
    """Before the terminal is asked for the bytes; raises :class:`NotEnoughRoom` with the numbers."""
    needed = size_bytes + size_bytes // _OVERHEAD + RESERVE_BYTES
    free = disk.free_bytes(part.parent)
    if free < needed:
        raise NotEnoughRoom(path=str(part.parent), needed=_megabytes(needed), free=_megabytes(free))


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
