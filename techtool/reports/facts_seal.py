"""The office's signature over a file of facts about makers, by the key that enrolled this laptop and by no other.

It lies beside the file as OpenSSH writes it (``acme.toml.sig``, PROTOCOL.sshsig), so that stock ``ssh-keygen -Y sign``
and ``-Y verify`` make and judge the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.domain.codec import CodecError
from techtool.errors import FactsUntrusted
from techtool.i18n import Phrase, phrase
from techtool.reports.signers import parse_signature

if TYPE_CHECKING:
    from techtool.reports.enrolled import Enrolled
    from techtool.reports.keys import ReportKey

NAMESPACE: Final = "techtool-facts"
"""What the signature is for."""
SUFFIX: Final = ".sig"
MAX_BYTES: Final = 4_096
"""Of a signature file; that of an Ed25519 key has about 300."""


def beside(file: Path) -> Path:
    """Where the signature of a facts file lies."""
    return file.with_name(file.name + SUFFIX)


def sign_facts(content: bytes, key: ReportKey) -> str:
    """The signature file's text."""
    return key.sign(content, NAMESPACE)


def read_signature(path: Path) -> bytes | None:
    """What stands in a signature file; None: it is not there, or is none by its length."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_BYTES else None


def judge_facts(path: Path, content: bytes, signature: bytes | None, enrolled: Enrolled | None) -> str:
    """Who signed, as that office calls itself; ``path`` is for messages. Raises :class:`FactsUntrusted`."""

    def refused(problem: Phrase) -> FactsUntrusted:
        return FactsUntrusted(path=str(path), problem=problem)

    if enrolled is None:
        raise refused(phrase("this laptop is not enrolled by any office yet, so nobody's word counts here"))
    if signature is None:
        raise refused(phrase("it is not signed: {file} does not lie beside it", file=beside(path).name))
    try:
        found = parse_signature(signature.decode("ascii"))
    except (CodecError, UnicodeDecodeError) as error:
        raise refused(phrase("its signature cannot be read")) from error
    if found.key != enrolled.key_blob:
        raise refused(
            phrase("key {key} signed it, not that of {office}", key=found.fingerprint, office=enrolled.office)
        )
    if found.reserved or found.hash_name != b"sha512" or not found.fits(content, NAMESPACE):
        raise refused(phrase("its signature does not fit what it says"))
    return enrolled.office
