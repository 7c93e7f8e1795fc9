"""The RSA key that terminals are asked to allow: its file, the token signature, Android's own public-key encoding.

Source: AOSP ``libcrypto_utils/android_pubkey.c`` (524 bytes: word count, n0inv, modulus and R² little-endian, exponent)
and ``adb/client/auth.cpp`` (PKCS#1 v1.5 over the 20-byte token taken as a SHA-1 digest).
"""

from __future__ import annotations

import base64
import platform
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from techtool.errors import BadFile
from techtool.i18n import phrase
from techtool.links.permission import fingerprint_of
from techtool.paths import DISK, Disk

TOKEN_SIZE: Final = 20
KEY_BITS: Final = 2048
_BYTES: Final = KEY_BITS // 8
_STRUCT: Final = struct.Struct(f"<II{_BYTES}s{_BYTES}sI")
_MAKING: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class AdbKey:
    """A private key and the name that the terminal shows beside its public half."""

    private: rsa.RSAPrivateKey
    comment: str

    def sign(self, token: bytes) -> bytes:
        """The answer to a daemon's token."""
        # SHA-1 here is only the frame that ADB puts around the random token: nothing is hashed with it.
        return self.private.sign(token, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))  # noqa: S303

    @property
    def public_blob(self) -> bytes:
        """The 524 bytes that Android keeps in ``adb_keys``."""
        numbers = self.private.public_key().public_numbers()
        n = numbers.n
        n0inv = (-pow(n, -1, 1 << 32)) % (1 << 32)
        rr = pow(2, 2 * KEY_BITS, n)
        return _STRUCT.pack(_BYTES // 4, n0inv, n.to_bytes(_BYTES, "little"), rr.to_bytes(_BYTES, "little"), numbers.e)

    @property
    def public_line(self) -> bytes:
        """Base64 of the blob, a space, the comment."""
        return base64.b64encode(self.public_blob) + b" " + self.comment.encode()

    @property
    def fingerprint(self) -> str:
        """What a terminal shows beside its question whether to allow this key."""
        return fingerprint_of(self.public_blob)


def own_comment() -> str:
    """``techtool@host``, of characters that every daemon's dialog can show."""
    host = "".join(c for c in platform.node() if c.isascii() and (c.isalnum() or c in "-._"))
    return f"techtool@{host[:40] or 'laptop'}"


def read_key(path: Path, comment: str) -> AdbKey:
    """The key in a PEM file (Google's adb writes the same form); raises :class:`BadFile`, or FileNotFoundError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or "cannot be read", detail=str(error)) from error
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        problem = phrase("it is not a private key without a passphrase")
        raise BadFile(path=str(path), problem=problem, detail=str(error)) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != KEY_BITS:
        raise BadFile(path=str(path), problem=phrase("terminals take RSA keys of {bits} bits only", bits=KEY_BITS))
    return AdbKey(key, comment)


def load_or_make_key(path: Path, disk: Disk = DISK, *, comment: str = "") -> AdbKey:
    """This laptop's key, made on first need (mode 0600); slow then, so call it off the event loop."""
    comment = comment or own_comment()
    with _MAKING:  # thirty lanes may meet their first AUTH at once: one key for all
        try:
            return read_key(path, comment)
        except FileNotFoundError:
            key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        disk.make_folder(path.parent)
        disk.write_file(path, pem)
        return read_key(path, comment)


def key_maker(path: Path, disk: Disk = DISK) -> Callable[[], AdbKey]:
    """The key of ``path``, read or made when a terminal first asks for it."""
    return lambda: load_or_make_key(path, disk)
