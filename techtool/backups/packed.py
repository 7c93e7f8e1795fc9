"""What is packed (gzip, zlib, bzip2, xz, ZIP) is unpacked before it is searched: card data in it would not be seen.

What is packed in another way, is encrypted, is packed more than twice, or comes to more than can be looked through, is
not stored: nobody could say what it holds.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from techtool.domain.sensitive import Finding, OwnNumber, Profile, Scanner
from techtool.i18n import N_

LARGEST_BYTES: Final = 16 << 20
"""A packed file waits in memory until it was looked through."""
LARGEST_CONTENT_BYTES: Final = 64 << 20
_DEEPEST: Final = 2
_MAGIC: Final[dict[bytes, str]] = {
    b"\x1f\x8b": "gzip",
    b"x\x01": "zlib",
    b"x\x9c": "zlib",
    b"x\xda": "zlib",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "ZIP",
    b"PK\x05\x06": "ZIP",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x1f\x9d": "compress",
    b"age-encryption.org/": "age",
    b"-----BEGIN PGP MESSAGE": "PGP",
    b"Salted__": "OpenSSL",
    b"LUKS\xba\xbe": "LUKS",
}
LONGEST_MAGIC: Final = max(map(len, _MAGIC))

TOO_LARGE: Final = N_("it is packed and too large to be searched for card data")
NOT_OPENED: Final = N_("it is packed or encrypted in a way that cannot be searched for card data")


class NotSearchable(Exception):
    """Nobody can say what the file holds; the text is a message id."""


class _Unpacker(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def how_packed(beginning: bytes) -> str:
    """The name of the packing that a file begins with; empty: it is none that is known."""
    return next((name for magic, name in _MAGIC.items() if beginning.startswith(magic)), "")


def search(data: bytes, own: OwnNumber) -> tuple[Finding, ...]:
    """What a packed file holds that may not be stored; offsets are those in the unpacked part.

    Raises :class:`NotSearchable`.
    """
    left = [LARGEST_CONTENT_BYTES]
    for part in _parts(data, left, 1):
        scanner = Scanner(Profile.TEXT, own)
        found = (*scanner.feed(part), *scanner.finish())
        if found:
            return found
    return ()


def _parts(data: bytes, left: list[int], depth: int) -> Iterator[bytes]:
    """Every unpacked part; ``left``: bytes that may still come."""
    how = how_packed(data[:LONGEST_MAGIC])
    if depth > _DEEPEST:
        raise NotSearchable(NOT_OPENED)
    for name, part in _members(data, left) if how == "ZIP" else (("", _stream(data, how, left)),):
        yield name.encode("utf-8", "replace")
        if how_packed(part[:LONGEST_MAGIC]):
            yield from _parts(part, left, depth + 1)
        else:
            yield part


def _members(data: bytes, left: list[int]) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield "", archive.comment
            for member in archive.infolist():
                with archive.open(member) as content:
                    yield member.filename, _bounded(content.read(left[0] + 1), left)
    except (
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
        zlib.error,
        lzma.LZMAError,
        OSError,
        EOFError,
    ) as error:
        # RuntimeError: encrypted; NotImplementedError: a packing of its own.
        raise NotSearchable(NOT_OPENED) from error


def _stream(data: bytes, how: str, left: list[int]) -> bytes:
    """One or several packed streams, one behind the other."""
    content: list[bytes] = []
    try:
        while data:
            unpacker = _unpacker(how)
            content.append(_bounded(unpacker.decompress(data, left[0] + 1), left))
            if not unpacker.eof:
                raise NotSearchable(NOT_OPENED)
            data = unpacker.unused_data.lstrip(b"\0")
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
        raise NotSearchable(NOT_OPENED) from error
    return b"".join(content)


def _unpacker(how: str) -> _Unpacker:
    if how in ("gzip", "zlib"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)
    if how == "bzip2":
        return bz2.BZ2Decompressor()
    if how == "xz":
        return lzma.LZMADecompressor()
    raise NotSearchable(NOT_OPENED)


def _bounded(part: bytes, left: list[int]) -> bytes:
    if len(part) > left[0]:
        raise NotSearchable(TOO_LARGE)
    left[0] -= len(part)
    return part
