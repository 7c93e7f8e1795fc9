"""Who may have signed, and whether a signature fits: the checking half of :mod:`techtool.reports.sshsig`.

Reads what OpenSSH reads: armored SSHSIG signatures (PROTOCOL.sshsig), ``.pub`` lines, and ``allowed_signers`` files
(ssh-keygen(1), ALLOWED SIGNERS). Only Ed25519 keys are known, because techtool signs with no others; lines for other
keys are passed over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError
from techtool.errors import BadFile
from techtool.i18n import Phrase, phrase
from techtool.paths import Paths
from techtool.reports.keys import public_path
from techtool.reports.sshsig import KEY_TYPE, armored, ssh_string

_MAGIC: Final = b"SSHSIG"
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
_HASHES: Final = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_FIELD: Final = re.compile(r'(?:"[^"]*"|[^\s"])+')
_OPTION: Final = re.compile(r'([a-z-]+)(?:="([^"]*)")?(?:,|$)', re.IGNORECASE)
_TIME: Final = re.compile(r"(\d{8})(\d{4})?(\d{2})?(Z?)")


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed SSHSIG signature; nothing says yet that it fits."""

    key: bytes
    """The public key in SSH's wire format: whoever signed put it there."""
    namespace: str
    hash_name: bytes
    reserved: bytes
    raw: bytes
    """The 64 bytes of Ed25519."""

    @property
    def fingerprint(self) -> str:
        """Of the key, as ``ssh-keygen -l`` shows it."""
        return fingerprint(self.key)

    def fits(self, data: bytes, namespace: str) -> bool:
        """Whether the key in it signed ``data`` for ``namespace``. Says nothing of whose key it is."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        hashed = _HASHES[self.hash_name](data).digest()
        words = (namespace.encode(), self.reserved, self.hash_name, hashed)
        try:
            public = Ed25519PublicKey.from_public_bytes(self.key[-32:])
            public.verify(self.raw, _MAGIC + b"".join(map(ssh_string, words)))
        except (InvalidSignature, ValueError):
            return False
        return self.namespace == namespace


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that may sign, and for what."""

    principal: str
    key: bytes
    namespaces: str = "*"
    """Pattern list, as in the file."""
    valid_after: datetime | None = None
    valid_before: datetime | None = None

    def may_sign(self, key: bytes, namespace: str, now: datetime) -> bool:
        """As ``ssh-keygen -Y verify`` judges it at ``now``."""
        in_time = (self.valid_after is None or self.valid_after <= now) and (
            self.valid_before is None or now < self.valid_before
        )
        return key == self.key and in_time and _in_patterns(namespace, self.namespaces)


def fingerprint(key: bytes) -> str:
    """SHA-256 of a public key, as ``ssh-keygen -l`` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def parse_signature(text: str) -> Signature:
    """An armored signature, exactly as techtool and OpenSSH write it; raises :class:`CodecError`."""
    body = text.strip().removeprefix(_BEGIN).removesuffix(_END)
    try:
        blob = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CodecError("no SSH signature") from error
    if armored(blob) != text or blob[:6] != _MAGIC or blob[6:10] != struct.pack(">I", 1):
        raise CodecError("no SSH signature of version 1")
    key, namespace, reserved, hash_name, signature = _strings(blob[10:], 5)
    kind, raw = _strings(signature, 2)
    if not _is_key(key) or kind != KEY_TYPE or len(raw) != 64:
        raise CodecError("not an Ed25519 signature")
    if hash_name not in _HASHES:
        raise CodecError("an unknown digest")
    return Signature(key, namespace.decode("utf-8", "replace"), hash_name, reserved, raw)


def key_of_line(line: str) -> bytes | None:
    """The key of a ``.pub`` line (``ssh-ed25519 BASE64 …``), None when it is none."""
    fields = line.split()
    if len(fields) < 2 or fields[0] != KEY_TYPE.decode():
        return None
    try:
        key = base64.b64decode(fields[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if _is_key(key) else None


def own_signers(paths: Paths) -> tuple[Signer, ...]:
    """This laptop's own report key, from its public half; none when there is none. Raises :class:`BadFile`."""
    path = public_path(paths.report_key)
    if not path.exists():
        return ()
    line = _text(path)
    key = key_of_line(line)
    if key is None:
        raise BadFile(path=str(path), problem=phrase("it is not an Ed25519 key"))
    return (Signer(" ".join(line.split()[2:]) or path.name, key),)


def read_signers(path: Path) -> tuple[Signer, ...]:
    """An ``allowed_signers`` file; raises :class:`BadFile` naming the line, for a rule passed over is a rule broken."""
    return parse_signers(_text(path), str(path))


def parse_signers(text: str, name: str) -> tuple[Signer, ...]:
    """The same of a text that is in no file yet; ``name`` is for messages."""
    found: list[Signer] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            signer = _signer(line)
        except CodecError as error:
            where = phrase("line {number}: {problem}", number=number, problem=str(error))
            raise BadFile(path=name, problem=where) from error
        if signer is not None:
            found.append(signer)
    return tuple(found)


def _signer(line: str) -> Signer | None:
    fields = _FIELD.findall(line)
    principals, rest = fields[0].strip('"'), fields[1:]
    options: Mapping[str, str] = {}
    if rest and not _is_key_type(rest[0]):
        options, rest = _options(rest[0]), rest[1:]
    if len(rest) < 2 or not _is_key_type(rest[0]):
        raise CodecError("no key")
    if rest[0] != KEY_TYPE.decode() or "cert-authority" in options:
        return None
    key = key_of_line(" ".join(rest[:2]))
    if key is None:
        raise CodecError("no Ed25519 key")
    after, before = options.get("valid-after"), options.get("valid-before")
    return Signer(
        principals,
        key,
        options.get("namespaces", "*"),
        _moment(after) if after is not None else None,
        _moment(before) if before is not None else None,
    )


def _is_key_type(word: str) -> bool:
    return word.startswith(("ssh-", "sk-", "ecdsa-"))


def _options(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _OPTION.match(text, at)
        name = match.group(1).lower() if match else ""
        if match is None or name not in ("namespaces", "valid-after", "valid-before", "cert-authority"):
            raise CodecError("an unknown option")
        if name in found or (match.group(2) is None) is not (name == "cert-authority"):
            raise CodecError(f"option {name}")
        found[name] = match.group(2) or ""
        at = match.end()
    return found


def _moment(text: str) -> datetime:
    """``YYYYMMDD[HHMM[SS]][Z]``; without Z the computer's own zone, as ssh-keygen reads it."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise CodecError(f"a time {text}")
    day, minutes, seconds, zulu = match.groups()
    try:
        moment = datetime.strptime(day + (minutes or "0000") + (seconds or "00"), "%Y%m%d%H%M%S")  # noqa: DTZ007
        return moment.replace(tzinfo=UTC) if zulu else moment.astimezone()
    except ValueError as error:
        raise CodecError(f"a time {text}") from error


def _in_patterns(word: str, patterns: str) -> bool:
    """OpenSSH's pattern lists: ``*`` and ``?``, ``!`` before what is refused whatever else fits."""
    fits = False
    for pattern in patterns.split(","):
        refused = pattern.startswith("!")
        expression = re.escape(pattern.removeprefix("!")).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(expression, word):
            if refused:
                return False
            fits = True
    return fits


def _is_key(key: bytes) -> bool:
    return len(key) == 51 and key == ssh_string(KEY_TYPE) + ssh_string(key[-32:])


def _strings(data: bytes, count: int) -> Sequence[bytes]:
    """Exactly so many strings in SSH's wire format; raises :class:`CodecError`."""
    found: list[bytes] = []
    for _number in range(count):
        if len(data) < 4:
            raise CodecError("cut short")
        size = struct.unpack(">I", data[:4])[0]
        if len(data) < 4 + size:
            raise CodecError("cut short")
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    if data:
        raise CodecError("too long")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem: Phrase | str = getattr(error, "strerror", None) or phrase("it is no text file")
        raise BadFile(path=str(path), problem=problem) from error
