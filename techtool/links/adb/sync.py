"""Files of a terminal: the sync service. Every operation uses a stream of its own.

Source: AOSP ``SYNC.TXT`` and ``file_sync_protocol.h``. SEND and RECV have no sizes in them and so work over 4 GiB;
STAT has 32 bits for a size, STA2 has 64.
"""

from __future__ import annotations

import errno
import stat as modes
from collections.abc import AsyncGenerator
from typing import BinaryIO, Final

from techtool.errors import CommandRefused, LinkError, LinkLost, LinkTimeout, WrongProtocol
from techtool.i18n import Phrase, phrase, raw
from techtool.links.adb.bytestream import ByteStream
from techtool.links.adb.packets import DENT_V1, MAX_PAYLOAD, STAT_V1, STAT_V2, SYNC_CHUNK, SYNC_HEADER
from techtool.links.adb.payload import Payload, Pump
from techtool.links.base import Confirmed, FileStat, FolderEntry

SERVICE: Final = "sync:"
_TEXT_LIMIT: Final = 64 * 1024
_NAME_LIMIT: Final = 4096
_ENTRIES: Final = 20_000
"""More than any folder that is worth a technician's while."""
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR)


async def push(
    stream: ByteStream,
    source: BinaryIO,
    size_bytes: int,
    path: str,
    *,
    mode: int,
    modified_s: int = 0,
    confirmed: Confirmed | None = None,
) -> None:
    """Write a file; returns when the terminal says that it is written, :class:`CommandRefused` when it says no."""
    command = f"push {path}"
    await stream.write(_request(b"SEND", f"{path},{modes.S_IFREG | modes.S_IMODE(mode)}"))
    pump = Pump(stream, Payload(source, size_bytes), pack_data, confirmed)
    if not (await pump.run() and await stream.ready()):
        raise await _refused(stream, command)
    stream.send(SYNC_HEADER.pack(b"DONE", modified_s & 0xFFFFFFFF))
    await _expect_okay(stream, command)


async def pull(stream: ByteStream, path: str) -> AsyncGenerator[bytes, None]:
    """Read a file in chunks of at most 64 KiB; :class:`CommandRefused` where the terminal says no."""
    await stream.write(_request(b"RECV", path))
    while True:
        kind, length = SYNC_HEADER.unpack(await stream.read_exactly(SYNC_HEADER.size))
        if kind == b"DONE":
            return
        if kind == b"FAIL":
            raise await _refusal(stream, length, f"pull {path}")
        if kind != b"DATA" or length > MAX_PAYLOAD:
            raise _broken(stream, kind, length)
        yield await stream.read_exactly(length)


async def stat(stream: ByteStream, path: str, *, v2: bool) -> FileStat | None:
    """Size, mode and time; None when nothing is there. Without ``v2`` a size over 4 GiB comes out wrong."""
    await stream.write(_request(b"STA2" if v2 else b"STAT", path))
    kind = await stream.read_exactly(4)
    if kind == b"FAIL":
        _, length = SYNC_HEADER.unpack(kind + await stream.read_exactly(4))
        raise await _refusal(stream, length, f"stat {path}")
    if kind != (b"STA2" if v2 else b"STAT"):
        raise _broken(stream, kind, 0)
    if not v2:
        _, mode, size, modified = STAT_V1.unpack(kind + await stream.read_exactly(STAT_V1.size - 4))
        return FileStat(size, mode, modified) if mode else None
    fields = STAT_V2.unpack(kind + await stream.read_exactly(STAT_V2.size - 4))
    error, mode, size, modified = fields[1], fields[4], fields[8], fields[10]
    if error in _NOT_THERE:
        return None
    if error:
        # The numbers are Linux's; their names here are this computer's, so the number is told as well.
        answer = phrase("error {number} ({name})", number=error, name=errno.errorcode.get(error, "?"))
        raise CommandRefused(command=f"stat {path}", answer=answer)
    return FileStat(size, mode, modified)


async def list_folder(stream: ByteStream, path: str) -> tuple[FolderEntry, ...]:
    """What stands in a folder, without ``.`` and ``..``; empty where there is none or it may not be seen.

    Sizes have 32 bits: over 4 GiB they come out wrong.
    """
    await stream.write(_request(b"LIST", path))
    found: list[FolderEntry] = []
    for _ in range(_ENTRIES):
        kind = await stream.read_exactly(4)
        if kind == b"FAIL":
            _, length = SYNC_HEADER.unpack(kind + await stream.read_exactly(4))
            raise await _refusal(stream, length, f"list {path}")
        _, mode, size, modified, length = DENT_V1.unpack(kind + await stream.read_exactly(DENT_V1.size - 4))
        if kind == b"DONE":
            return tuple(found)
        if kind != b"DENT" or length > _NAME_LIMIT:
            raise _broken(stream, kind, length)
        name = (await stream.read_exactly(length)).decode("utf-8", "surrogateescape")
        if name not in (".", ".."):
            found.append(FolderEntry(name, FileStat(size, mode, modified)))
    raise _broken(stream, b"DENT", _ENTRIES)


def _request(kind: bytes, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return SYNC_HEADER.pack(kind, len(data)) + data


def pack_data(payload: Payload, space: bytearray) -> tuple[int, int]:
    """Fill ``space`` with DATA chunks, as many as fit."""
    view = memoryview(space)
    used = size = 0
    while payload.left_bytes and used + SYNC_HEADER.size < len(space):
        start = used + SYNC_HEADER.size
        got = payload.fill(view[start : start + SYNC_CHUNK])
        SYNC_HEADER.pack_into(space, used, b"DATA", got)
        used, size = start + got, size + got
    return used, size


async def _expect_okay(stream: ByteStream, command: str) -> None:
    kind, length = SYNC_HEADER.unpack(await stream.read_exactly(SYNC_HEADER.size))
    if kind == b"FAIL":
        raise await _refusal(stream, length, command)
    if kind != b"OKAY":
        raise _broken(stream, kind, length)


async def _refused(stream: ByteStream, command: str) -> LinkError:
    """The terminal speaks while we still send: that can only be a refusal."""
    kind, length = SYNC_HEADER.unpack(await stream.read_exactly(SYNC_HEADER.size))
    return await _refusal(stream, length, command) if kind == b"FAIL" else _broken(stream, kind, length)


async def _refusal(stream: ByteStream, length: int, command: str) -> CommandRefused:
    if length > _TEXT_LIMIT:
        raise _broken(stream, b"FAIL", length)
    text: Phrase
    try:
        text = raw((await stream.read_exactly(length)).decode("utf-8", "replace").strip())
    except (LinkLost, LinkTimeout):
        text = phrase("it gave no reason")
    return CommandRefused(command=command, answer=text)


def _broken(stream: ByteStream, kind: bytes, length: int) -> WrongProtocol:
    what = f"sync answer {kind!r}, {length} bytes"
    return WrongProtocol(address=stream.peer, problem=phrase("it breaks the ADB protocol: {what}", what=what))
