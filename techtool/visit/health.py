"""Whether settings, trust state and keys of this laptop can be used, and what to do where they cannot.

Nothing here changes a file, and no passphrase is needed.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from techtool.backups.keys import public_of, read_recipients
from techtool.bundles.clock_floor import read_floor
from techtool.bundles.roots import mirror_path, pinned, read_mirror
from techtool.errors import BadFile, StoreDamaged, StoreKeyUnusable, StoreTooNew, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.paths import Paths, os_problem
from techtool.reports.keys import public_path
from techtool.reports.signers import own_signers
from techtool.settings import read_settings
from techtool.store.keys import HomeKeys, others_may_read, read_store_key
from techtool.visit.known_facts import known_facts

UPDATE: Final = phrase("Update techtool on this laptop.")
_OPENSSH: Final = b"openssh-key-v1\0"
_PEM: Final = ("-----BEGIN ", "-----END ")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know of."""

    path: Path
    what: Phrase
    actions: tuple[Phrase, ...] = ()
    since: Phrase | None = None
    visit: str = ""
    """Of which visit; empty: of none."""
    salvage: bool = False
    """Whether ``doctor --salvage`` can do something."""
    problem: bool = True
    """False: to be known, nothing is wrong."""


def check_settings(paths: Paths) -> Iterator[Finding]:
    """``settings.toml``."""
    try:
        read_settings(paths.settings)
    except StoreTooNew as error:
        yield too_new(paths.settings, error)
    except TechtoolError as error:
        actions = (
            phrase("Correct the line named in {file}.", file=str(paths.settings)),
            phrase("Or give the file another name and start techtool: it asks for name and language again."),
        )
        yield Finding(paths.settings, error.what_phrase, actions)


def check_facts(paths: Paths) -> Iterator[Finding]:
    """What the office supplied of makers."""
    facts = known_facts(paths)
    again = phrase("Ask the office for the file again: “techtool facts --add FILE”. Until then it counts as not there.")
    for path, error in facts.unusable:
        yield Finding(path, error.what_phrase, (again,))
    for path in facts.lost_pictures():
        what = phrase("{path}: it is not the picture that the office signed for, or it is gone", path=str(path))
        yield Finding(path, what, (again,))


def check_trust(paths: Paths) -> Iterator[Finding]:
    """Clock floor, pinned roots, mirrors, recipients."""
    clock = paths.trust / "clock.json"
    yield from _checked(
        clock,
        lambda: read_floor(paths),
        phrase("“techtool doctor --rebuild” sets it aside and makes it again from the times in the visits."),
    )
    try:
        roots = pinned(paths)
    except StoreDamaged as error:
        roots = ()
        action = phrase("Remove the file and trust the office's root again: “techtool trust add FILE”.")
        yield Finding(Path(str(error.params["path"])), error.what_phrase, (action,))
    for root in roots:
        path = mirror_path(paths, root.fingerprint)
        yield from _checked(
            path,
            partial(read_mirror, paths, root.fingerprint),
            phrase("Get the office's newest stick or refresh file first: with this file the recalls are forgotten."),
            phrase("Then give it another name and open that stick, or run “techtool trust refresh”."),
        )
    yield from _checked(
        paths.recipients,
        lambda: read_recipients(paths.recipients),
        phrase("Ask the office for its list of recipients and give it again: “techtool setup --recipients FILE”."),
    )


def check_keys(paths: Paths) -> Iterator[Finding]:
    """The report key and its public half, the visits' backup keys, the ADB key."""
    key = paths.report_key
    if key.exists() or public_path(key).exists():
        yield from _checked(
            key,
            lambda: _report_key(paths),
            phrase("Put back a copy of the key if there is one."),
            phrase(
                "Else give it another name, make a new key (“techtool setup”), and send its public line to the office."
            ),
            phrase("What was sealed before stays provable with the old public line."),
        )
    for path in sorted(paths.visit_keys.glob("*.agekey")):
        yield from _checked(
            path,
            partial(_age_key, path),
            phrase("Backups of this visit can now be opened by the office only; send them there."),
        )
    if paths.adb_key.exists():
        yield from _checked(
            paths.adb_key,
            lambda: _pem(paths.adb_key),
            phrase("Remove it: a new one is made, and each terminal asks once more to allow this laptop."),
        )


def check_store_key(paths: Paths, keys: HomeKeys) -> Iterator[Finding]:
    """The key that opens the records' confidential words, after every record was read with ``keys``."""
    path = paths.store_key
    back = phrase("Put back a copy of {path}.", path=str(path))
    try:
        there = bool(read_store_key(path))
    except StoreKeyUnusable as error:
        yield Finding(path, error.what_phrase, error.action_phrases)
        return
    if keys.masked:
        what = phrase(
            "Of {count} records the confidential words cannot be opened here: {problem}",
            count=len(keys.masked),
            problem=keys.problem or "",
        )
        older = phrase(
            "There is another key by now: do not replace {path}; add the line of the old file to it as its last.",
            path=str(path),
        )
        office = phrase("Else the office opens them with its own key: “techtool visit show FILE --identity KEY”.")
        # A copy put over the key that is there would take away what opens the visits since.
        yield Finding(path, what, (older, office) if there else (back, office))
    if others_may_read(path):
        what = phrase("Other users of this computer can read the key to the records: {path}", path=str(path))
        yield Finding(path, what, (phrase("Make it private: chmod 600 {path}", path=str(path)),))


def too_new(path: Path, error: StoreTooNew) -> Finding:
    """A file that is not damaged, but not for this techtool."""
    return Finding(path, error.what_phrase, (UPDATE,))


def _checked(path: Path, read: Callable[[], object], *actions: Phrase) -> Iterator[Finding]:
    try:
        read()
    except StoreTooNew as error:
        yield too_new(path, error)
    except TechtoolError as error:
        yield Finding(path, error.what_phrase, actions)


def _report_key(paths: Paths) -> None:
    """The key file stands as OpenSSH writes it, and its public half (which is in it, in clear) is the one beside it."""
    path = paths.report_key
    body = _pem(path)
    own = own_signers(paths)
    if not own:
        raise BadFile(path=str(public_path(path)), problem=phrase("there is no such file or folder"))
    if not body.startswith(_OPENSSH):
        raise BadFile(path=str(path), problem=phrase("it is not an OpenSSH key file"))
    try:
        rest = body[len(_OPENSSH) :]
        for _cipher_kdf_options in range(3):
            rest = _after_string(rest)[1]
        public, rest = _after_string(rest[4:])
        _private, rest = _after_string(rest)
    except ValueError as error:
        raise BadFile(path=str(path), problem=phrase("it is cut short")) from error
    if rest:
        raise BadFile(path=str(path), problem=phrase("it is not an OpenSSH key file"))
    if public != own[0].key:
        raise BadFile(path=str(public_path(path)), problem=phrase("it belongs to another key"))


def _age_key(path: Path) -> None:
    public_of(_ascii(path), str(path))


def _after_string(data: bytes) -> tuple[bytes, bytes]:
    if len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
        raise ValueError("cut short")
    size = struct.unpack(">I", data[:4])[0]
    return data[4 : 4 + size], data[4 + size :]


def _pem(path: Path) -> bytes:
    """What stands between the two marks of a key file; raises :class:`BadFile`."""
    lines = _ascii(path).split("\n")
    if len(lines) < 3 or not lines[0].startswith(_PEM[0]) or not lines[-1].startswith(_PEM[1]):
        raise BadFile(path=str(path), problem=phrase("it is no key file"))
    try:
        return base64.b64decode("".join(line.strip() for line in lines[1:-1]), validate=True)
    except ValueError as error:
        raise BadFile(path=str(path), problem=phrase("it is no key file")) from error


def _ascii(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError as error:
        raise BadFile(path=str(path), problem=phrase("it is no key file")) from error
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
