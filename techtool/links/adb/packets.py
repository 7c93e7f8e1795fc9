"""The ADB wire format: 24-byte headers, shell_v2 and sync sub-protocols. Pure; both sides use it.

Source: AOSP ``packages/modules/adb`` protocol.txt, SYNC.TXT, shell_protocol.h, file_sync_protocol.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

VERSION_NO_CHECKSUM: Final = 0x01000001
"""Announced so that neither side sums every byte."""
VERSION_MIN: Final = 0x01000000
MAX_PAYLOAD: Final = 1 << 20
"""What we offer; the other side's smaller value is honoured."""
MAX_PAYLOAD_OLD: Final = 4096
HEADER: Final = struct.Struct("<6I")


class Command(IntEnum):
    """Packet types, as little-endian four-letter words."""

    SYNC = 0x434E5953
    CNXN = 0x4E584E43
    AUTH = 0x48545541
    OPEN = 0x4E45504F
    OKAY = 0x59414B4F
    CLSE = 0x45534C43
    WRTE = 0x45545257
    STLS = 0x534C5453
    HDSK = 0x4B534448
    """PAX PayDroid's private handshake; no AOSP peer sends it."""


class AuthType(IntEnum):
    """First argument of AUTH."""

    TOKEN = 1
    SIGNATURE = 2
    RSAPUBLICKEY = 3


class ShellId(IntEnum):
    """Packet ids of shell_v2: one byte id, four bytes length, data."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    EXIT = 3
    CLOSE_STDIN = 4
    WINDOW_SIZE = 5


SHELL_HEADER: Final = struct.Struct("<BI")
SYNC_HEADER: Final = struct.Struct("<4sI")
STAT_V1: Final = struct.Struct("<4sIII")
"""id, mode, size, mtime (32 bits: wrong over 4 GiB)."""
DENT_V1: Final = struct.Struct("<4sIIII")
"""id, mode, size, mtime, length of the name that follows."""
STAT_V2: Final = struct.Struct("<4sIQQIIIIQqqq")
"""id, error, dev, ino, mode, nlink, uid, gid, size, atime, mtime, ctime."""
SYNC_CHUNK: Final = 64 * 1024
"""Most a sync DATA chunk may hold."""


class PacketError(ValueError):
    """A header that is none."""


@dataclass(frozen=True, slots=True)
class Header:
    """What precedes every payload."""

    command: int
    arg0: int
    arg1: int
    length: int
    checksum: int

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """Read 24 bytes; raises :class:`PacketError` when the magic or the length is impossible."""
        command, arg0, arg1, length, checksum, magic = HEADER.unpack(data)
        if command ^ 0xFFFFFFFF != magic:
            raise PacketError(f"magic of {data[:4]!r} is wrong")
        if length > MAX_PAYLOAD:
            raise PacketError(f"payload of {length} bytes")
        return cls(command, arg0, arg1, length, checksum)


def checksum(data: bytes) -> int:
    """The sum of all bytes that protocol version 0x01000000 wants."""
    return sum(data) & 0xFFFFFFFF


def encode(command: int, arg0: int, arg1: int, data: bytes = b"", *, with_checksum: bool = False) -> bytes:
    """One packet, header and payload together, so that it goes out in one write."""
    total = checksum(data) if with_checksum else 0
    return HEADER.pack(command, arg0, arg1, len(data), total, command ^ 0xFFFFFFFF) + data
