"""The enrolment file: what an office gives its laptops, in one file that it signs. Made, read and judged here.

It can bring trusted roots, recipients of backups, settings and the office's address, and take a root or recipient
back. There is no word in it for leaving out a check, and a word that is not known is refused, as is a file without any
root or recipient. Signed as OpenSSH signs (PROTOCOL.sshsig), so that stock ``ssh-keygen`` judges it the same way.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.backups.keys import parse_recipients
from techtool.bundles.roots import RootFacts, grouped, root_facts
from techtool.clock import from_stamp
from techtool.domain.codec import CodecError, convert_exactly, decode_json_untyped, encode_json
from techtool.domain.schema import ENROLMENT, newest, refuse_newer
from techtool.domain.typed import told_fits
from techtool.errors import BadFile, EnrolmentUntrusted, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.office.address import parse_address
from techtool.paths import os_problem
from techtool.reports.signers import Signature, fingerprint, key_of_line, parse_signature, parse_signers

if TYPE_CHECKING:
    from techtool.reports.keys import ReportKey

NAMESPACE: Final = "techtool-enrolment"
"""What the signature of a file is for."""
KEY_NAMESPACE: Final = "techtool-enrolment-key"
"""What an old key's signature under its successor is for; signed is the successor's public line and a line end."""
MAX_BYTES: Final = 4_000_000
_MAX_ROOTS: Final = 16
_MAX_RECIPIENTS: Final = 64
_MAX_CONTACTS: Final = 64
_MAX_LINKS: Final = 16
_MAX_TEXT: Final = 200
_MAX_DAYS: Final = 3_660
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Server:
    """Where visits go."""

    url: str
    ca: str = ""
    """PEM: the only authority that its certificate is judged by; empty: those of the laptop."""
    plain_http: bool = False
    """The office takes it upon itself that what is sent can be read on the way."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often; None leaves what the laptop has."""

    default_days: int | None = None
    inspection_days: int | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the file says; the lists are whole: what an earlier file brought and this one lacks is taken back."""

    office: str
    issued: str
    roots: tuple[str, ...]
    """``root.json`` files as they are."""
    recipients: tuple[str, ...]
    drop_roots: tuple[str, ...] = ()
    """Fingerprints of roots that are not to be trusted any more, however they got here."""
    allowed_signers: str = ""
    """In OpenSSH's format."""
    contacts: Mapping[str, str] = field(default_factory=dict)
    cadence: Cadence = field(default_factory=Cadence)
    service_company: str = ""
    server: Server | None = None
    schema: int = newest(ENROLMENT)


@dataclass(frozen=True, slots=True)
class _Link:
    to: str
    """Public line of the new key."""
    signature: str
    """Of the old one."""


@dataclass(frozen=True, slots=True)
class _Wire:
    enrolment: str
    """The JSON text that is signed."""
    signature: str
    handed_over: tuple[_Link, ...] = ()
    schema: int = newest(ENROLMENT)


@dataclass(frozen=True, slots=True)
class SignedEnrolment:
    """A file that is whole and signed by the key in it; nothing says yet that the key is the office's."""

    enrolment: Enrolment
    roots: tuple[RootFacts, ...]
    digest: str
    """SHA-256 of what is signed."""
    key: bytes
    """In SSH's wire format."""
    data: bytes
    links: tuple[_Link, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key in lower-case hex: what is compared by telephone."""
        return key_digest(self.key)

    @property
    def shown(self) -> str:
        """The fingerprint as people compare it."""
        return grouped(self.fingerprint)

    def told(self, given: str) -> bool:
        """Whether what a person was told is that fingerprint, in digits or as ``ssh-keygen -l`` shows it."""
        return told_fits(given, self.fingerprint) or given.strip() == fingerprint(self.key)

    def descends_from(self, pinned: bytes) -> bool:
        """Whether the pinned key signed it, or vouches for the one that did, over any number of successors."""
        current, seen = pinned, {pinned}
        while current != self.key:
            following = next((new for new in self._successors(current) if new not in seen), None)
            if following is None:
                return False
            seen.add(following)
            current = following
        return True

    def _successors(self, old: bytes) -> Sequence[bytes]:
        found = []
        for link in self.links:
            new, signature = key_of_line(link.to), parse_signature(link.signature)
            if new is not None and signature.key == old and signature.fits(_vouched(link.to), KEY_NAMESPACE):
                found.append(new)
        return found


def key_digest(key: bytes) -> str:
    """SHA-256 of a public key in SSH's wire format, as lower-case hex."""
    return hashlib.sha256(key).hexdigest()


def make_enrolment(
    enrolment: Enrolment, key: ReportKey, old_key: ReportKey | None = None, previous: SignedEnrolment | None = None
) -> bytes:
    """The signed file. ``old_key`` vouches for ``key``; ``previous`` brings what older keys vouched for before.

    Raises :class:`BadFile` naming what is wrong with it: a file that a laptop would refuse is not made.
    """
    text = encode_json(enrolment)
    links = list(previous.links) if previous is not None else []
    if old_key is not None:
        line = key.public_line()
        links.append(_Link(line, old_key.sign(_vouched(line), KEY_NAMESPACE)))
    wire = _Wire(text.decode(), key.sign(text, NAMESPACE), tuple(links))
    data = encode_json(wire, indent=1)
    parse_enrolment(data, "enrolment")
    return data


def read_enrolment(path: Path) -> SignedEnrolment:
    """Read a file within bounds; raises :class:`BadFile`, :class:`EnrolmentUntrusted`, :class:`StoreTooNew`."""
    if path.exists() and not path.is_file():
        raise BadFile(path=str(path), problem=phrase("it is no enrolment file"))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    return parse_enrolment(data, str(path))


def parse_enrolment(data: bytes, name: str) -> SignedEnrolment:
    """The same of bytes; ``name`` is for messages."""
    try:
        if len(data) > MAX_BYTES:
            raise CodecError("too long")
        tree = decode_json_untyped(data)
        _check_schema(tree, name)
        wire = convert_exactly(tree, _Wire)
        signature = parse_signature(wire.signature)
        if len(wire.handed_over) > _MAX_LINKS:
            raise CodecError("too many keys")
        for link in wire.handed_over:
            parse_signature(link.signature)
    except CodecError as error:
        raise BadFile(path=name, problem=phrase("it is no enrolment file"), detail=str(error)) from error
    text = wire.enrolment.encode()
    if not _fits(signature, text):
        raise EnrolmentUntrusted(problem=phrase("its signature does not fit what it says"))
    try:
        inner = decode_json_untyped(text)
        _check_schema(inner, name)
        enrolment = convert_exactly(inner, Enrolment)
    except CodecError as error:
        problem = phrase("it says something that this techtool does not know: {problem}", problem=str(error))
        raise BadFile(path=name, problem=problem) from error
    enrolment, roots = _checked(enrolment, name)
    digest = hashlib.sha256(text).hexdigest()
    return SignedEnrolment(enrolment, roots, digest, signature.key, data, wire.handed_over)


def _check_schema(tree: object, name: str) -> None:
    schema = tree.get("schema") if isinstance(tree, dict) else None
    if isinstance(schema, int):
        refuse_newer(ENROLMENT, schema, name)


def _fits(signature: Signature, text: bytes) -> bool:
    return not signature.reserved and signature.hash_name == b"sha512" and signature.fits(text, NAMESPACE)


def _vouched(line: str) -> bytes:
    return f"{line}\n".encode()


def _checked(enrolment: Enrolment, name: str) -> tuple[Enrolment, tuple[RootFacts, ...]]:
    """Every part as its own reader judges it; raises :class:`BadFile`."""

    def wrong(problem: Phrase) -> BadFile:
        return BadFile(path=name, problem=problem)

    if not _is_text(enrolment.office) or not enrolment.office.strip():
        raise wrong(phrase("it does not say which office it is of"))
    if not _is_moment(enrolment.issued):
        raise wrong(phrase("it does not say when it was made"))
    if not 0 < len(enrolment.roots) <= _MAX_ROOTS or not 0 < len(enrolment.recipients) <= _MAX_RECIPIENTS:
        raise wrong(phrase("it brings no trusted root or no backup recipient, or too many"))
    roots = tuple(root_facts(text.encode(), name) for text in enrolment.roots)
    dropped = set(enrolment.drop_roots)
    if dropped & {root.fingerprint for root in roots} or not all(map(_FINGERPRINT.fullmatch, dropped)):
        raise wrong(phrase("it brings and drops the same root, or drops what is none"))
    recipients = parse_recipients("\n".join(enrolment.recipients), Path(name))
    parse_signers(enrolment.allowed_signers, name)
    texts = [*enrolment.contacts, *enrolment.contacts.values(), enrolment.service_company]
    if len(enrolment.contacts) > _MAX_CONTACTS or not all(map(_is_text, texts)):
        raise wrong(phrase("a contact in it is too long or cannot be shown"))
    days = (enrolment.cadence.default_days, enrolment.cadence.inspection_days)
    if any(number is not None and not 0 < number <= _MAX_DAYS for number in days):
        raise wrong(phrase("a number of days in it is not from 1 to {most}", most=_MAX_DAYS))
    if enrolment.server is not None:
        _check_server(enrolment.server, name)
    return replace(enrolment, recipients=recipients), roots


def _check_server(server: Server, name: str) -> None:
    try:
        parse_address(server.url, plain_http=server.plain_http)
    except TechtoolError as error:
        raise BadFile(path=name, problem=error.what_phrase) from error
    if server.ca:
        try:
            ssl.create_default_context(cadata=server.ca)
        except (ssl.SSLError, ValueError) as error:
            problem = phrase("the certificate authority in it cannot be read")
            raise BadFile(path=name, problem=problem) from error


def _is_text(text: str) -> bool:
    return len(text) <= _MAX_TEXT and (not text or text.isprintable())


def _is_moment(text: str) -> bool:
    try:
        return from_stamp(text).tzinfo is not None
    except ValueError:
        return False


def issued_at(text: str) -> datetime:
    """When a file that was read was made."""
    return from_stamp(text)
