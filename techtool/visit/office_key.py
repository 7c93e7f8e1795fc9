"""The key of one visit's record for the office: wrapped with age to its recipients, in the record itself.

So the office opens what a laptop seals, one visit at a time, and neither the laptop's own key nor another visit's is
ever given away. A visit that was begun before the office's recipients were known gets it when it is gone on with or
closed.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.backups.keys import read_recipients
from techtool.backups.taking_out import secret_in
from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.schema import VISIT
from techtool.domain.visit import VisitRecord
from techtool.errors import BadFile, StoreDamaged
from techtool.i18n import phrase
from techtool.paths import Paths
from techtool.store.db import JournalDB
from techtool.store.home import Home
from techtool.store.keys import CIPHER_BYTES, Cipher, GivenKeys, HomeKeys, Keys
from techtool.visit.log import read_visit
from techtool.visit.visits import record_in

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

TABLE: Final = "keys"
"""Of a visit's database: a document for each key of the laptop that it was written with, mostly one."""
_KIND: Final = "techtool-visit-key-1"


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """What the office's identity opens."""

    kind: str
    visit: str
    key_id: str
    key: str
    """Base64."""


def give_to_office(db: JournalDB, keys: HomeKeys, paths: Paths) -> None:
    """Record the visit's key for the office, unless that was done or nobody to give it to is known.

    Where the laptop has more than one key, each: who goes on with a visit may have got another one since. A list of
    recipients that cannot be read is told by the backup and by ``doctor``, and stops no visit here. Raises
    :class:`StoreKeyUnusable`, ``StoreError``.
    """
    ciphers = keys.every(VISIT, db.id)
    recipients: tuple[str, ...] = ()
    with contextlib.suppress(BadFile):
        recipients = read_recipients(paths.recipients)
    given = {(document.get("key_id"), one) for document in db.table(TABLE) for one in _names(document)}
    for cipher in ciphers:
        new = [one for one in recipients if (cipher.key_id, one) not in given]
        if new:
            db.table(TABLE).insert({"key_id": cipher.key_id, "recipients": new, "age": _wrapped(cipher, db.id, new)})


def _names(document: Mapping[str, object]) -> list[object]:
    found = document.get("recipients")
    return found if isinstance(found, list) else []


def _wrapped(cipher: Cipher, visit: str, recipients: Sequence[str]) -> str:
    import pyrage

    data = encode_json(_Wrapped(_KIND, visit, cipher.key_id, base64.b64encode(cipher.key).decode()))
    return base64.b64encode(
        pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(one) for one in recipients])
    ).decode()


def open_file(path: Path, identity: Path | None = None, keys: Keys | None = None) -> JournalDB:
    """A visit's journal wherever it lies, opened with the office's age identity; without one, with ``keys``.

    Raises :class:`NotFoundError`, :class:`StoreDamaged`, :class:`StoreTooNew`, and :class:`BadFile` where the
    identity does not open it.
    """
    db = JournalDB.open_read(path, keys if identity is None else None)
    if db.kind != VISIT:
        raise StoreDamaged(path=str(path), problem=phrase("it is the record of {kind} {id}", kind=db.kind, id=db.id))
    return db if identity is None else JournalDB.open_read(path, keys_with(identity, db))


def journal_of(home: Home, visit: str, identity: Path | None) -> JournalDB:
    """The journal of a visit of this laptop, or of one in a file; opened with an identity where one is given.

    Raises what :func:`open_file` and :meth:`Home.open_visit` raise.
    """
    if visit.endswith(".jnl") or any(mark in visit for mark in "/\\"):
        return open_file(Path(visit).expanduser(), identity, home.keys)
    db = home.open_visit(visit, masked=identity is not None)
    return db if identity is None else open_file(db.path, identity)


def read_any(home: Home, visit: str, identity: Path | None) -> tuple[VisitRecord, JournalDB]:
    """The record of such a visit, and its journal."""
    db = journal_of(home, visit, identity)
    if identity is None and db.path == home.paths.visits / f"{db.id}.jnl":
        return record_in(home, db.id), db
    return read_visit(db, str(db.path)), db


def keys_with(identity: Path, db: JournalDB) -> GivenKeys:
    """The keys of a visit that the office's age identity opens; raises :class:`BadFile` where it opens none.

    Not every one need be for it: recipients change, and so may the laptop's key.
    """
    import pyrage

    try:
        opener = pyrage.x25519.Identity.from_str(secret_in(identity))
    except pyrage.IdentityError as error:
        raise BadFile(path=str(identity), problem=phrase("it is no age secret key")) from error
    documents = db.table(TABLE).all()
    if not documents and db.locked:
        problem = phrase("the record of visit {visit} holds no key for the office", visit=db.id)
        raise BadFile(path=str(db.path), problem=problem)
    found = [_unwrapped(str(one.get("age", "")), opener) for one in documents]
    given = [one for one in found if one is not None]
    if documents and not given:
        problem = phrase("it does not open the record of visit {visit}", visit=db.id)
        raise BadFile(path=str(identity), problem=problem)
    if any(one.visit != db.id for one in given):
        raise BadFile(path=str(db.path), problem=phrase("the key in it is that of another visit"))
    return GivenKeys(tuple(Cipher(one.key_id, VISIT, db.id, base64.b64decode(one.key)) for one in given))


def _unwrapped(text: str, opener: Identity) -> _Wrapped | None:
    """None for what is for somebody else, or no key of a visit."""
    import pyrage

    try:
        one = decode_json(pyrage.decrypt(base64.b64decode(text, validate=True), [opener]), _Wrapped)
        sound = one.kind == _KIND and len(base64.b64decode(one.key, validate=True)) == CIPHER_BYTES
    except (pyrage.DecryptError, CodecError, ValueError):
        return None
    return one if sound else None
