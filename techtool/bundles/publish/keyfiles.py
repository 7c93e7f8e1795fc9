"""What a key file tells without its passphrase: whether it has one, and whose public half it holds.

So that nobody is asked for the passphrase of a key that is not needed, and so that a person's own key file
(``~/.ssh/id_ed25519``) serves under whatever name it has. Public keys are read here as well: with them a bundle can be
made whose private keys only their owners ever held.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.errors import BadFile
from techtool.i18n import phrase

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_BYTES: Final = 20_000
_MAX_FILES: Final = 500
_OPENSSH: Final = b"OPENSSH PRIVATE KEY"
_MAGIC: Final = b"openssh-key-v1\0"
_ED25519: Final = b"ssh-ed25519"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One file with an Ed25519 private key."""

    path: Path
    protected: bool
    """Whether it asks for a passphrase."""
    public: str
    """Its public half in hex; empty where only the passphrase would tell (an encrypted PKCS#8 file)."""


def look_at(path: Path) -> KeyFile | None:
    """What the file says of itself; None when it is no Ed25519 key or cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except OSError:
        return None
    if _OPENSSH in data:
        return _openssh(path, data)
    if b"BEGIN ENCRYPTED PRIVATE KEY" in data:
        return KeyFile(path, protected=True, public="")
    if b"BEGIN PRIVATE KEY" in data:
        return _pkcs8(path, data)
    return None


def look_into(folder: Path) -> Iterator[KeyFile]:
    """Every key file directly in ``folder``, by name; what is no key is passed over."""
    try:
        names = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError:
        return
    for path in names[:_MAX_FILES]:
        found = look_at(path)
        if found is not None:
            yield found


def read_public(path: Path) -> Ed25519PublicKey:
    """The public key a person sent: a line of OpenSSH (``id_ed25519.pub``) or PEM; raises :class:`BadFile`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES).strip()
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or "cannot be read") from error
    if b"PRIVATE KEY" in data:
        raise BadFile(path=str(path), problem=phrase("it holds a private key; only its owner has that. Give the .pub"))
    try:
        key = load_pem_public_key(data) if data.startswith(b"-----BEGIN") else load_ssh_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        problem = phrase("it is no public key that techtool reads (OpenSSH or PEM)")
        raise BadFile(path=str(path), problem=problem, detail=str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadFile(path=str(path), problem=phrase("it is no Ed25519 key"))
    return key


def hex_of(public: Ed25519PublicKey) -> str:
    """The 32 bytes of a public key in hex, as TUF metadata carries them."""
    return public.public_bytes_raw().hex()


def _openssh(path: Path, data: bytes) -> KeyFile | None:
    """The part of the file before the encrypted one (OpenSSH's PROTOCOL.key): cipher, and the public key in clear."""
    lines = [line.strip() for line in data.splitlines()]
    body = b"".join(line for line in lines if line and not line.startswith(b"-----"))
    try:
        blob = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not blob.startswith(_MAGIC):
        return None
    cipher, rest = _string(blob[len(_MAGIC) :])
    _kdf, rest = _string(rest)
    _options, rest = _string(rest)
    public, _rest = _string(rest[4:])
    kind, public = _string(public)
    raw, _rest = _string(public)
    if kind != _ED25519 or len(raw) != 32:
        return None
    return KeyFile(path, cipher != b"none", raw.hex())


def _string(data: bytes) -> tuple[bytes, bytes]:
    """One length-prefixed string of the SSH wire, and what follows; a short one comes out short."""
    length = int.from_bytes(data[:4], "big")
    return data[4 : 4 + length], data[4 + length :]


def _pkcs8(path: Path, data: bytes) -> KeyFile | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, Ed25519PrivateKey):
        return None
    return KeyFile(path, protected=False, public=hex_of(key.public_key()))
