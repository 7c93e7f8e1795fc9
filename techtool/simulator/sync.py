"""The device side of ADB's file transfer: STAT, LIST, SEND, RECV and their 64-bit relatives.

Source: AOSP ``packages/modules/adb`` SYNC.TXT and file_sync_protocol.h.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Iterator
from typing import Final

from techtool.links.adb.packets import STAT_V1, STAT_V2, SYNC_CHUNK, SYNC_HEADER
from techtool.simulator.device import Device
from techtool.simulator.files import Entry, Errno, FileRefused, normal, unix_time
from techtool.simulator.wire import Stream

_MAX_PATH: Final = 1024
_DENT_V1: Final = struct.Struct("<4sIIII")
"""id, mode, size, mtime, length of the name that follows."""
_DENT_V2: Final = struct.Struct("<4sIQQIIIIQqqqI")
"""id, error, dev, ino, mode, nlink, uid, gid, size, atime, mtime, ctime, length of the name."""
_S_IFMT: Final = 0o170000
_S_IFREG: Final = 0o100000


class SyncService:
    """One ``sync:`` stream."""

    def __init__(self, device: Device, stream: Stream) -> None:
        self._device = device
        self._stream = stream

    async def run(self) -> None:
        """Answer requests until QUIT or a request that is none."""
        features = self._device.model.daemon.features
        while True:
            word, length = SYNC_HEADER.unpack(await self._stream.read_exactly(SYNC_HEADER.size))
            if word == b"QUIT":
                return
            if length > _MAX_PATH:
                await self._fail("path too long")
                return
            path = (await self._stream.read_exactly(length)).decode("utf-8", "replace")
            match word:
                case b"STAT":
                    await self._stream.write(self._stat_v1(path))
                case b"STA2" | b"LST2" if "stat_v2" in features:
                    await self._stream.write(self._stat_v2(word, path))
                case b"LIST":
                    await self._list_v1(path)
                case b"LIS2" if "ls_v2" in features:
                    await self._list_v2(path)
                case b"SEND":
                    await self._send(path)
                case b"RECV":
                    await self._receive(path)
                case _:
                    await self._fail(f"unknown command {word.decode('ascii', 'replace')}")
                    return

    async def _fail(self, reason: str) -> None:
        text = reason.encode()
        await self._stream.write(SYNC_HEADER.pack(b"FAIL", len(text)) + text)

    def _look(self, path: str) -> Entry | Errno:
        try:
            return self._device.files.stat(path)
        except FileRefused as error:
            return error.errno

    def _stat_v1(self, path: str) -> bytes:
        """All zeros where there is nothing; sizes lose what is over 32 bits, as the protocol has it."""
        entry = self._look(path)
        if isinstance(entry, Errno):
            return STAT_V1.pack(b"STAT", 0, 0, 0)
        return STAT_V1.pack(b"STAT", entry.mode, entry.size_bytes & 0xFFFFFFFF, entry.modified_s & 0xFFFFFFFF)

    def _stat_v2(self, word: bytes, path: str) -> bytes:
        entry = self._look(path)
        if isinstance(entry, Errno):
            return STAT_V2.pack(word, entry, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        seconds = entry.modified_s
        return STAT_V2.pack(word, 0, 1, 1, entry.mode, 1, 2000, 2000, entry.size_bytes, seconds, seconds, seconds)

    def _entries(self, path: str) -> Iterator[tuple[bytes, Entry]]:
        """The folder's entries and their names as bytes; nothing where it cannot be listed, as adbd does."""
        try:
            entries = self._device.files.list(path)
        except FileRefused:
            return
        for entry in entries:
            yield entry.name.encode("utf-8", "replace"), entry

    async def _list_v1(self, path: str) -> None:
        for name, entry in self._entries(path):
            size, seconds = entry.size_bytes & 0xFFFFFFFF, entry.modified_s & 0xFFFFFFFF
            await self._stream.write(_DENT_V1.pack(b"DENT", entry.mode, size, seconds, len(name)) + name)
        await self._stream.write(_DENT_V1.pack(b"DONE", 0, 0, 0, 0))

    async def _list_v2(self, path: str) -> None:
        for name, entry in self._entries(path):
            at = entry.modified_s
            head = _DENT_V2.pack(b"DNT2", 0, 1, 1, entry.mode, 1, 2000, 2000, entry.size_bytes, at, at, at, len(name))
            await self._stream.write(head + name)
        await self._stream.write(_DENT_V2.pack(b"DONE", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    async def _receive(self, path: str) -> None:
        try:
            stream = self._device.files.open(path)
        except FileRefused as error:
            await self._fail(
                f"open failed: {error}" if error.errno != Errno.IS_A_FOLDER else "read failed: Is a directory"
            )
            return
        with stream:
            while data := stream.read(SYNC_CHUNK):
                await self._stream.write(SYNC_HEADER.pack(b"DATA", len(data)) + data)
        await self._stream.write(SYNC_HEADER.pack(b"DONE", 0))

    async def _send(self, request: str) -> None:
        """Take a file: on disk beside its place, flushed, then renamed; the refused rest is read and dropped."""
        path, _, mode = request.rpartition(",")
        upload: _Upload | None = None
        trouble = ""
        try:
            if not mode.isdigit() or (int(mode) & _S_IFMT) not in (0, _S_IFREG):
                trouble = "couldn't create symlink: Permission denied" if mode.isdigit() else "missing , in ID_SEND_V1"
            else:
                upload = _Upload(self._device, path)
        except FileRefused as error:
            trouble = f"couldn't create file: {error}"
        if trouble:
            await self._fail(trouble)
        try:
            await self._take(upload)
        finally:
            if upload is not None:
                upload.abort()

    async def _take(self, upload: _Upload | None) -> None:
        """Read DATA until DONE; ``None``, or an upload that failed on the way, only swallows them."""
        while True:
            word, value = SYNC_HEADER.unpack(await self._stream.read_exactly(SYNC_HEADER.size))
            if word == b"DONE":
                break
            if word != b"DATA" or value > SYNC_CHUNK:
                await self._fail("invalid data message")
                return
            data = await self._stream.read_exactly(value)
            if upload is not None:
                try:
                    upload.write(data)
                except FileRefused as error:
                    upload.abort()
                    upload = None
                    await self._fail(f"write failed: {error}")
        if upload is None:
            return
        try:
            await upload.finish(value)
        except FileRefused as error:
            await self._fail(f"write failed: {error}")
            return
        await self._stream.write(SYNC_HEADER.pack(b"OKAY", 0))


class _Upload:
    """A file on its way in; a power cut leaves the old one."""

    def __init__(self, device: Device, path: str) -> None:
        self._device = device
        self._disk = device.store.disk
        self._path = normal(path)
        place = device.files.place(self._path)
        self._part = device.store.incoming / f"{id(self):x}-{place.name[:40]}"
        self._left = device.free_bytes()
        self._disk.unlink(self._part)
        self._fd = self._disk.create(self._part)

    def write(self, data: bytes) -> None:
        """Take some bytes; raises :class:`FileRefused` when the storage is full."""
        self._left -= len(data)
        if self._left < 0:
            raise FileRefused(Errno.NO_SPACE)
        self._disk.write(self._fd, data, self._part)

    async def finish(self, modified_s: int) -> None:
        """Make it durable and give it its name and time."""
        await asyncio.to_thread(self._disk.fsync, self._fd, self._part)
        os.close(self._fd)
        self._fd = -1
        unix_time(self._part, modified_s)
        # Asked again: its folder may have been removed meanwhile.
        self._disk.replace(self._part, self._device.files.place(self._path))

    def abort(self) -> None:
        """Throw it away; after :meth:`finish` it does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._disk.unlink(self._part)
