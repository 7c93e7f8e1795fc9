"""The key of one home, which opens what its records hide; and ciphers for one journal made from it.

``keys/store.key``: one key a line, ``techtool-store-key-1 KEY ID``. The first is the one that is written with; further
lines only open (of a laptop that lost its key, began a new one, and then found the old one again). The id, a digest of
the key, shows a line that was cut or altered, and stands in every word that was sealed with it.

Each journal has a key of its own, derived from the home's with its kind and id, so the office can be given the key of
one visit, and a word of one journal cannot be opened in another.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from techtool.domain.codec import CodecError
from techtool.errors import InternalError, StoreKeyUnusable
from techtool.i18n import Phrase, phrase
from techtool.paths import Disk, Paths, os_problem
from techtool.store.tokens import Token

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

_MARK: Final = "techtool-store-key-1"
_KEY_BYTES: Final = 32
CIPHER_BYTES: Final = 64
"""AES-256 in SIV mode has two keys (RFC 5297 §2.2)."""
_ID_BYTES: Final = 6
_MOST_BYTES: Final = 16_384
"""Of the key file: what is longer is none."""


@dataclass(slots=True)
class Cipher:
    """Seals and opens the words of one journal. AES-SIV (RFC 5297): the same word gives the same token."""

    key_id: str
    """Of the home's key it comes from."""
    kind: str
    id: str
    """Of the journal; with ``kind`` bound to every token as associated data."""
    key: bytes = field(repr=False)
    _siv: AESSIV | None = field(default=None, repr=False)

    def seal(self, text: str, mask: str) -> str:
        """``text`` as a token, which shows ``mask`` to who has no key."""
        sealed = self._cipher().encrypt(text.encode("utf-8"), self._bound_to(mask))
        return str(Token(self.key_id, mask, sealed))

    def open(self, token: Token) -> str:
        """The word; raises :class:`CodecError` for one of another journal, or that was altered."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher().decrypt(token.sealed, self._bound_to(token.mask)).decode("utf-8")
        except (InvalidTag, ValueError) as error:
            raise CodecError("a sealed word in it was altered, or brought here from another record") from error

    def _bound_to(self, mask: str) -> list[bytes]:
        return [b"techtool record 1", self.kind.encode(), self.id.encode(), mask.encode("utf-8")]

    def _cipher(self) -> AESSIV:
        if self._siv is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESSIV

            self._siv = AESSIV(self.key)
        return self._siv


class Keys(Protocol):
    """Where the ciphers come from."""

    def opening(self, key_id: str, kind: str, id: str) -> Cipher | None:  # noqa: A002 - the header's own word
        """The cipher that opens what was sealed with that key; None: it is not here. Never raises."""

    def writing(self, kind: str, id: str) -> Cipher:  # noqa: A002 - the header's own word
        """The cipher to seal with; raises :class:`StoreKeyUnusable`, ``StoreError``."""


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """The keys of one journal, as the office was given them: read, and write nothing."""

    ciphers: tuple[Cipher, ...]

    def opening(self, key_id: str, kind: str, id: str) -> Cipher | None:  # noqa: A002
        """The one of that id."""
        return next((one for one in self.ciphers if (one.key_id, one.kind, one.id) == (key_id, kind, id)), None)

    def writing(self, kind: str, id: str) -> Cipher:  # noqa: A002, ARG002
        """Nobody writes with it."""
        raise InternalError(kind="KeyOfReader", detail=id)


class HomeKeys:
    """``keys/store.key``: read when the first sealed word is met, made when the first one is written."""

    def __init__(self, paths: Paths, disk: Disk, ensure_folder: Callable[[Path], None]) -> None:
        self._paths = paths
        self._disk = disk
        self._ensure_folder = ensure_folder
        self._keys: dict[str, bytes] = {}
        self._seen: tuple[int, int, int] | None = None
        self._last: dict[str, bytes] = {}
        """What the file held last, were it taken away while we work."""
        self._making = threading.Lock()
        self._ciphers: dict[tuple[str, str, str], Cipher] = {}
        self.problem: Phrase | None = None
        """Why no key could be had when one was asked for last."""
        self.masked: set[str] = set()
        """Journals, by id, in which something could not be opened: to be told once."""

    def opening(self, key_id: str, kind: str, id: str) -> Cipher | None:  # noqa: A002
        """The cipher of that key for a journal; None where the key is not here or cannot be read."""
        try:
            keys = self._read()
        except StoreKeyUnusable as error:
            self.problem = error.what_phrase
            keys = {}
        else:
            if key_id not in keys:
                self.problem = (
                    phrase("The key is another one than that of the record: {path}", path=str(self._paths.store_key))
                    if keys
                    else phrase("The key is gone: {path}", path=str(self._paths.store_key))
                )
        if key_id not in keys:
            self.masked.add(id)
            return None
        return self._cipher(key_id, keys[key_id], kind, id)

    def writing(self, kind: str, id: str) -> Cipher:  # noqa: A002
        """The cipher to write a journal with; the holder of the home's lock makes the key where there is none."""
        with self._making:
            keys = self._read() or self._make()
        key_id, key = next(iter(keys.items()))
        return self._cipher(key_id, key, kind, id)

    def every(self, kind: str, id: str) -> list[Cipher]:  # noqa: A002
        """The ciphers of all keys that words of a journal may be sealed with; the one to write with is first.

        Raises as :meth:`writing` does.
        """
        first, keys = self.writing(kind, id), self._read()
        return [
            first,
            *(self._cipher(key_id, key, kind, id) for key_id, key in keys.items() if key_id != first.key_id),
        ]

    def _cipher(self, key_id: str, key: bytes, kind: str, id: str) -> Cipher:  # noqa: A002
        place = (key_id, kind, id)
        if place not in self._ciphers:
            self._ciphers[place] = Cipher(key_id, kind, id, _derived(key, kind, id))
        return self._ciphers[place]

    def _read(self) -> dict[str, bytes]:
        """The keys of the file as it is now: with one that was replaced since nothing more may be sealed.

        One that becomes unreadable while we work stops no visit under way: what it held last is gone on with.
        """
        now = _signature(self._paths.store_key)
        if now is None or now != self._seen:
            try:
                self._keys = read_store_key(self._paths.store_key)
            except StoreKeyUnusable:
                if not self._last:
                    raise
                return self._last
            self._seen = now
            self._last = self._keys or self._last
        return self._keys

    def _make(self) -> dict[str, bytes]:
        """On disk, with its name, before the first word is sealed with it; never over a file that is there.

        Where the file was taken away while we work, what it held is put back instead of a new one.
        """
        keys = list(self._last.values()) or [secrets.token_bytes(_KEY_BYTES)]
        path = self._paths.store_key
        self._ensure_folder(path.parent)
        self._disk.write_file(path, "".join(map(_line, keys)).encode("ascii"))
        return self._read()


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Another one whenever the file is; None where there is none, or it cannot be told."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read_store_key(path: Path) -> dict[str, bytes]:
    """The keys of a file by id, the one to write with first; none where there is no file.

    Raises :class:`StoreKeyUnusable`: a file that is there is never passed over, for another key in its place would
    lock away what the right one opens.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        # A link to where nothing is now (a stick that is not put in) is no reason to begin a new key.
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            return {}
        raise StoreKeyUnusable(path=str(path), problem=os_problem(error)) from error
    found: dict[str, bytes] = {}
    try:
        lines = data.decode("ascii").split("\n") if len(data) <= _MOST_BYTES else []
        for line in filter(None, map(str.strip, lines)):
            mark, key_text, key_id = line.split(" ")
            key = base64.b64decode(key_text, altchars=b"-_", validate=True)
            if mark != _MARK or len(key) != _KEY_BYTES or _id(key) != key_id:
                raise ValueError("not a line of ours")
            found[key_id] = key
    except ValueError as error:
        raise StoreKeyUnusable(path=str(path), problem=phrase("it was cut short or altered")) from error
    if not found:
        raise StoreKeyUnusable(path=str(path), problem=phrase("it was cut short or altered"))
    return found


def others_may_read(path: Path) -> bool:
    """Whether the file's mode lets somebody else on this computer read it (Windows has no such mode)."""
    try:
        return os.name != "nt" and bool(path.stat().st_mode & 0o077)
    except OSError:
        return False


def _line(key: bytes) -> str:
    return f"{_MARK} {base64.urlsafe_b64encode(key).decode()} {_id(key)}\n"


def _id(key: bytes) -> str:
    """Eight characters that name a key of 256 random bits and say nothing of it."""
    digest = hashlib.sha256(b"techtool store key id 1" + key).digest()
    return base64.urlsafe_b64encode(digest[:_ID_BYTES]).decode()


def _derived(key: bytes, kind: str, id: str) -> bytes:  # noqa: A002
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = b"\0".join((b"techtool record key 1", kind.encode(), id.encode()))
    return HKDF(SHA256(), CIPHER_BYTES, salt=None, info=info).derive(key)
