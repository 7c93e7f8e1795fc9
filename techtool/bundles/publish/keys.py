"""Signing keys: Ed25519 in OpenSSH's format, under a passphrase when one is given.

OpenSSH's format, because its key derivation (bcrypt) is slow on purpose and because ``ssh-keygen`` shows and re-wraps
it. PKCS#8 files made elsewhere are read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.bundles.publish.keyfiles import MAX_BYTES, KeyFile, hex_of, look_at, look_into
from techtool.errors import BadFile, PublisherError, WrongPassphrase
from techtool.i18n import phrase
from techtool.paths import DISK, Disk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from securesystemslib.signer import CryptoSigner, Key, SSlibKey

SUFFIX: Final = ".key"

KeyMaker = Callable[[str], "Ed25519PrivateKey"]
"""Makes the key of that name; tests give their own, so that a bundle comes out the same each time."""
Passphrases = Callable[[Path], str]
"""Asked for the passphrase of a protected key file, and only then; empty: that key is not used."""


def new_key(_name: str) -> Ed25519PrivateKey:
    """A fresh key from the system's random source."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def no_passphrase(path: Path) -> str:
    """Nobody is there to be asked."""
    raise WrongPassphrase(path=str(path))


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the keys of new owners come from: the public halves that people sent, the others made here."""

    given: Mapping[str, Ed25519PublicKey] = field(default_factory=dict)
    """By owner. Their private halves stay with their owners."""
    passphrase: str = ""
    """Of the key files that are made."""
    make: KeyMaker = new_key


@dataclass(slots=True)
class NewKeys:
    """Keys of new owners, as metadata carries them, and the private halves that were made here."""

    public: dict[str, SSlibKey] = field(default_factory=dict)
    made: dict[str, Ed25519PrivateKey] = field(default_factory=dict, repr=False)

    def save(self, folder: Path, passphrase: str, disk: Disk) -> tuple[Path, ...]:
        """Write what was made to ``folder``, one file for each owner; raises :class:`PublisherError`."""
        paths = []
        for owner, private in self.made.items():
            paths.append(folder / f"{owner}{SUFFIX}")
            write_key(paths[-1], private, passphrase, disk)
        return tuple(paths)


def provide(source: KeySource, fields: Mapping[str, Mapping[str, str]], folder: Path | None = None) -> NewKeys:
    """The key of each owner in ``fields``, with its signed fields; raises :class:`PublisherError`.

    A key file of that name in ``folder`` is taken as it is: an interrupted command left it, or its owner put it there.
    Nobody gets two of them: a threshold counts people.
    """
    keys = NewKeys()
    owner_of: dict[str, str] = {}
    for owner, its in fields.items():
        public = source.given.get(owner) or (_waiting(folder / f"{owner}{SUFFIX}") if folder is not None else None)
        if public is None:
            keys.made[owner] = source.make(owner)
            public = keys.made[owner].public_key()
        twin = owner_of.setdefault(hex_of(public), owner)
        if twin != owner:
            raise PublisherError(problem=phrase("{one} and {other} are one key", one=twin, other=owner))
        keys.public[owner] = public_key(public, its)
    return keys


def _waiting(path: Path) -> Ed25519PublicKey | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    found = look_at(path)
    return (
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(found.public)) if found is not None and found.public else None
    )


def public_key(public: Ed25519PublicKey, fields: Mapping[str, str]) -> SSlibKey:
    """The public half as TUF metadata carries it, with signed ``fields`` of ours."""
    from securesystemslib.signer import SSlibKey

    key = SSlibKey.from_crypto(public)
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
            return file.read(MAX_BYTES)
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or "cannot be read") from error


@dataclass(slots=True)
class KeyRing:
    """The keys that are here: in the bundle's own ``keys`` folder, in somebody's folder, or made a moment ago."""

    places: tuple[Path, ...] = ()
    """Folders, or single key files."""
    passphrases: Passphrases = no_passphrase
    only: frozenset[str] = frozenset()
    """Sign as these owners only; empty: as everyone whose key is here."""
    at_hand: Mapping[str, Ed25519PrivateKey] = field(default_factory=dict, repr=False)
    """By owner: keys that need no file."""
    _open: dict[str, CryptoSigner | None] = field(default_factory=dict, repr=False)
    _files: tuple[KeyFile, ...] | None = None
    _private_of: dict[Path, Ed25519PrivateKey] = field(default_factory=dict, repr=False)

    def signer(self, key: Key, owner: str) -> CryptoSigner | None:
        """Somebody who can sign with ``key``, when it is here; each file is opened once."""
        if self.only and owner not in self.only:
            return None
        if key.keyid not in self._open:
            self._open[key.keyid] = self._find(key, owner)
        return self._open[key.keyid]

    def _find(self, key: Key, owner: str) -> CryptoSigner | None:
        from securesystemslib.signer import CryptoSigner, SSlibKey

        if not isinstance(key, SSlibKey):
            return None
        if owner in self.at_hand:
            return CryptoSigner(self.at_hand[owner], key)
        public = str(key.keyval["public"])
        for file in self._candidates(public, owner):
            private = self._private(file)
            if private is None:
                continue
            if hex_of(private.public_key()) == public:
                return CryptoSigner(private, key)
            raise _another_key(file.path, owner)
        self._refuse_misnamed(public, owner)
        return None

    def _candidates(self, public: str, owner: str) -> list[KeyFile]:
        """The files that are this key by what they say in clear, then those that may be it by their name."""
        files = self._all()
        known = [file for file in files if file.public == public]
        return known or [file for file in files if not file.public and file.path.stem == owner]

    def _refuse_misnamed(self, public: str, owner: str) -> None:
        """A file with the owner's name that is another key, or none, is a mistake to speak of."""
        for path in (place / f"{owner}{SUFFIX}" for place in self.places if place.is_dir()):
            found = look_at(path)
            if found is None and path.is_file():
                load_key(path)
            if found is not None and found.public not in {"", public}:
                raise _another_key(path, owner)

    def _private(self, file: KeyFile) -> Ed25519PrivateKey | None:
        """The key in the file; None where its passphrase is not given."""
        if file.path not in self._private_of:
            given = self.passphrases(file.path) if file.protected else ""
            if file.protected and not given:
                return None
            self._private_of[file.path] = load_key(file.path, lambda _path: given)
        return self._private_of[file.path]

    def _all(self) -> tuple[KeyFile, ...]:
        """Every key file; one that was named and says nothing of itself is opened to know whose it is."""
        if self._files is None:
            found = [file for place in self.places for file in _looked_up(place)]
            for at, file in enumerate(found):
                if not file.public and file.path in self.places and (private := self._private(file)) is not None:
                    found[at] = replace(file, public=hex_of(private.public_key()))
            self._files = tuple(found)
        return self._files


def ring_of(own: Path, others: Sequence[Path], passphrases: Passphrases, only: Sequence[str] = ()) -> KeyRing:
    """The bundle's own ``keys`` folder and what a person names; raises :class:`BadFile` where there is nothing."""
    for place in others:
        if not place.exists():
            raise BadFile(path=str(place), problem=phrase("there is no such file or folder"))
        if place.is_file() and look_at(place) is None:
            load_key(place)
    return KeyRing((own, *others), passphrases, frozenset(only))


def _looked_up(place: Path) -> Iterator[KeyFile]:
    if place.is_dir():
        yield from look_into(place)
    elif (found := look_at(place)) is not None:
        yield found


def _another_key(path: Path, owner: str) -> PublisherError:
    problem = phrase("{path} is another key than the one the bundle knows as {name}", path=str(path), name=owner)
    return PublisherError(problem=problem)
