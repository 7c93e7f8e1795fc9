"""Signing keys as files: Ed25519 in OpenSSH's format, under a passphrase when one is given.

OpenSSH's format, because its key derivation (bcrypt) is slow on purpose and because ``ssh-keygen`` shows and re-wraps
it. PKCS#8 files made elsewhere are read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.errors import BadFile, PublisherError, WrongPassphrase
from techtool.i18n import phrase
from techtool.paths import DISK, Disk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from securesystemslib.signer import CryptoSigner, Key, SSlibKey

SUFFIX: Final = ".key"
_MAX_BYTES: Final = 20_000

KeyMaker = Callable[[str], "Ed25519PrivateKey"]
"""Makes the key of that name; tests give their own, so that a bundle comes out the same each time."""
Passphrases = Callable[[Path], str]
"""Asked for the passphrase of a protected key file, and only then."""


def new_key(_name: str) -> Ed25519PrivateKey:
    """A fresh key from the system's random source."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def no_passphrase(path: Path) -> str:
    """Nobody is there to be asked."""
    raise WrongPassphrase(path=str(path))


def public_key(private: Ed25519PrivateKey, fields: dict[str, str]) -> SSlibKey:
    """The public half as TUF metadata carries it, with signed ``fields`` of ours."""
    from securesystemslib.signer import SSlibKey

    key = SSlibKey.from_crypto(private.public_key())
    key.unrecognized_fields.update(fields)
    return key


def write_key(path: Path, private: Ed25519PrivateKey, passphrase: str = "", disk: Disk = DISK) -> None:
    """Keep a key in a file that only its owner reads; an existing one is never replaced."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    if path.exists():
        raise PublisherError(problem=phrase("the key {path} exists already", path=str(path)))
    protection: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    )
    disk.make_folder(path.parent)
    disk.write_file(path, private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, protection))


def load_key(path: Path, passphrases: Passphrases = no_passphrase) -> Ed25519PrivateKey:
    """Read an OpenSSH or PKCS#8 key file; raises :class:`WrongPassphrase` and :class:`BadFile`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    data = _read(path)
    try:
        key = _open(data, None)
    except TypeError:  # what cryptography says of a protected key that is opened without a passphrase
        try:
            key = _open(data, passphrases(path).encode())
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise WrongPassphrase(path=str(path), detail=str(error)) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        problem = phrase("it is no private key that techtool reads (OpenSSH or PKCS#8)")
        raise BadFile(path=str(path), problem=problem, detail=str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadFile(path=str(path), problem=phrase("it is no Ed25519 key"))
    return key


def _open(data: bytes, passphrase: bytes | None) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    if b"BEGIN OPENSSH PRIVATE KEY" in data:
        return load_ssh_private_key(data, passphrase)
    return load_pem_private_key(data, passphrase)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or "cannot be read") from error


@dataclass(slots=True)
class KeyRing:
    """The key files that are here: in the bundle's own ``keys`` folder, or on somebody's token stick."""

    folders: tuple[Path, ...]
    passphrases: Passphrases = no_passphrase
    _open: dict[str, CryptoSigner | None] = field(default_factory=dict, repr=False)

    def signer(self, key: Key, owner: str) -> CryptoSigner | None:
        """Somebody who can sign with ``key``, when ``OWNER.key`` is here and is that key; each file is opened once."""
        if key.keyid not in self._open:
            self._open[key.keyid] = self._find(key, owner)
        return self._open[key.keyid]

    def _find(self, key: Key, owner: str) -> CryptoSigner | None:
        from securesystemslib.exceptions import KeyMismatchError
        from securesystemslib.signer import CryptoSigner, SSlibKey

        for path in self._files(owner):
            private = load_key(path, self.passphrases)
            if not isinstance(key, SSlibKey):
                continue
            try:
                return CryptoSigner(private, key)
            except KeyMismatchError:
                problem = phrase(
                    "{path} is another key than the one the bundle knows as {name}", path=str(path), name=owner
                )
                raise PublisherError(problem=problem) from None
        return None

    def _files(self, owner: str) -> Iterable[Path]:
        return (path for folder in self.folders if (path := folder / f"{owner}{SUFFIX}").is_file())
