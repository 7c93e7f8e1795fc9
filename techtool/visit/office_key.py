"""The key of one visit's record for the office: wrapped with age to its recipients, in the record itself.

So the office opens what a laptop seals, one visit at a time, and neither the laptop's own key nor another visit's is
ever given away. A visit that was begun before the office's recipients were known gets it when it is gone on with or
closed.
"""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
from techtool.store.keys import CIPHER_BYTES, Cipher, GivenKeys, Keys
from techtool.visit.log import read_visit
from techtool.visit.visits import record_in

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


def give_to_office(db: JournalDB, keys: Keys, paths: Paths) -> None:
    """Record the visit's key for the office, unless that was done or nobody to give it to is known.

    A list of recipients that cannot be read is told by the backup and by ``doctor``, and stops no visit here. Raises
    :class:`StoreKeyUnusable`, ``StoreError``.
    """
    cipher = keys.writing(VISIT, db.id)
    if any(document.get("key_id") == cipher.key_id for document in db.table(TABLE).all()):
        return
    recipients: tuple[str, ...] = ()
    with contextlib.suppress(BadFile):
        recipients = read_recipients(paths.recipients)
    if not recipients:
        return
    import pyrage

    data = encode_json(_Wrapped(_KIND, db.id, cipher.key_id, base64.b64encode(cipher.key).decode()))
    wrapped = base64.b64encode(pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(one) for one in recipients]))
    db.table(TABLE).insert({"key_id": cipher.key_id, "recipients": list(recipients), "age": wrapped.decode()})


def open_file(path: Path, identity: Path | None = None) -> JournalDB:
    """A visit's journal wherever it lies, opened with the office's age identity; without one, its masks are read.

    Raises :class:`NotFoundError`, :class:`StoreDamaged`, :class:`StoreTooNew`, and :class:`BadFile` where the
    identity does not open it.
    """
    db = JournalDB.open_read(path)
    if db.kind != VISIT:
        raise StoreDamaged(path=str(path), problem=phrase("it is the record of {kind} {id}", kind=db.kind, id=db.id))
    return db if identity is None else JournalDB.open_read(path, keys_with(identity, db))


def journal_of(home: Home, visit: str, identity: Path | None) -> JournalDB:
    """The journal of a visit of this laptop, or of one in a file; opened with an identity where one is given.

    Raises what :func:`open_file` and :meth:`Home.open_visit` raise.
    """
    if visit.endswith(".jnl") or any(mark in visit for mark in "/\\"):
        return open_file(Path(visit).expanduser(), identity)
    db = home.open_visit(visit, masked=identity is not None)
    return db if identity is None else open_file(db.path, identity)


def read_any(home: Home, visit: str, identity: Path | None) -> tuple[VisitRecord, JournalDB]:
    """The record of such a visit, and its journal."""
    db = journal_of(home, visit, identity)
    if identity is None and db.path == home.paths.visits / f"{db.id}.jnl":
        return record_in(home, db.id), db
    return read_visit(db, str(db.path)), db


def keys_with(identity: Path, db: JournalDB) -> GivenKeys:
    """The keys of a visit with the office's age identity; raises :class:`BadFile` where it opens none."""
    secret = secret_in(identity)
    documents = db.table(TABLE).all()
    if not documents and db.locked:
        problem = phrase("the record of visit {visit} holds no key for the office", visit=db.id)
        raise BadFile(path=str(db.path), problem=problem)
    return GivenKeys(tuple(_unwrapped(str(one.get("age", "")), secret, identity, db) for one in documents))


def _unwrapped(text: str, secret: str, identity: Path, db: JournalDB) -> Cipher:
    import pyrage

    try:
        opener = pyrage.x25519.Identity.from_str(secret)
        one = decode_json(pyrage.decrypt(base64.b64decode(text, validate=True), [opener]), _Wrapped)
        key = base64.b64decode(one.key, validate=True)
    except pyrage.IdentityError as error:
        raise BadFile(path=str(identity), problem=phrase("it is no age secret key")) from error
    except (pyrage.DecryptError, CodecError, ValueError) as error:
        problem = phrase("it does not open the record of visit {visit}", visit=db.id)
        raise BadFile(path=str(identity), problem=problem) from error
    if (one.kind, one.visit, len(key)) != (_KIND, db.id, CIPHER_BYTES):
        raise BadFile(path=str(db.path), problem=phrase("the key in it is that of another visit"))
    return Cipher(one.key_id, VISIT, db.id, key)
