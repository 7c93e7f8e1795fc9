"""The technician's report key: an Ed25519 key in an OpenSSH key file, opened by a passphrase."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from techtool.errors import BadFile, NotSetUp, UsageError, WrongPassphrase
from techtool.i18n import phrase
from techtool.paths import DISK, Disk, disk_error
from techtool.reports.sshsig import KEY_TYPE, NAMESPACE, public_blob, sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ROUNDS: Final = 32
"""bcrypt_pbkdf rounds, twice OpenSSH's default: every guess at the passphrase costs that much."""
_MAGIC: Final = b"openssh-key-v1\0"
_BEGIN: Final = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_END: Final = b"-----END OPENSSH PRIVATE KEY-----"
_NOT_IN_PRINCIPAL: Final = re.compile(r"[^\w@.+-]+")


@dataclass(frozen=True, slots=True)
class ReportKey:
    """The key, opened; it lives in memory for one visit."""

    private: Ed25519PrivateKey

    def sign(self, data: bytes, namespace: str = NAMESPACE) -> str:
        """The armored SSH signature over ``data``."""
        return sign(data, self.private, namespace)

    def public_line(self, comment: str = "") -> str:
        """The public half as a ``.pub`` file holds it, without a line end."""
        text = f"{KEY_TYPE.decode()} {base64.b64encode(public_blob(self.private.public_key())).decode()}"
        return " ".join([text, *comment.split()])


def public_path(path: Path) -> Path:
    """Where the public half of the key file at ``path`` lies."""
    return path.with_name(path.name + ".pub")


def make_report_key(path: Path, passphrase: str, comment: str, disk: Disk = DISK) -> str:
    """Make a key, write ``path`` (encrypted) and ``path.pub``; returns the public line for the office's list.

    An existing key is never replaced: :class:`BadFile`. An empty passphrase is a :class:`UsageError`. Slow on purpose
    (bcrypt): call it in a worker thread.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

    if not passphrase:
        raise UsageError(problem=phrase("The report key needs a passphrase."))
    if path.exists():
        raise BadFile(path=str(path), problem=phrase("a key is there already"))
    private = Ed25519PrivateKey.generate()
    protection = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(_ROUNDS).build(passphrase.encode())
    data = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, protection)
    line = ReportKey(private).public_line(comment)
    disk.make_folder(path.parent)
    disk.write_file(public_path(path), f"{line}\n".encode())
    disk.write_file(path, data)
    return line


def load_report_key(path: Path, passphrase: str) -> ReportKey:
    """Open the key file; raises :class:`NotSetUp`, :class:`BadFile` or :class:`WrongPassphrase`.

    As slow as making it: call it in a worker thread.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    data = _read(path)
    if not _is_key_file(data):
        raise BadFile(path=str(path), problem=phrase("it is not an OpenSSH key file"))
    if not passphrase:
        raise WrongPassphrase(path=str(path))
    try:
        private = load_ssh_private_key(data, passphrase.encode())
    except (UnsupportedAlgorithm, TypeError) as error:
        problem = phrase("it is no key that a passphrase protects the usual way")
        raise BadFile(path=str(path), problem=problem, detail=str(error)) from error
    except ValueError as error:
        raise WrongPassphrase(path=str(path), detail=str(error)) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise BadFile(path=str(path), problem=phrase("it is not an Ed25519 key"))
    return ReportKey(private)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotSetUp(missing=phrase("the report key ({path})", path=str(path))) from None
    except OSError as error:
        raise disk_error(error, path) from error


def _is_key_file(data: bytes) -> bool:
    """Whether it has the frame of a key file: tells a file of another kind, or a cut one, from a wrong passphrase."""
    lines = data.split()
    text = data.strip()
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        return False
    try:
        body = base64.b64decode(b"".join(lines[4:-4]), validate=True)
    except ValueError:
        return False
    return body.startswith(_MAGIC)


def principal_for(name: str) -> str:
    """A name as ``ssh-keygen -I`` and an ``allowed_signers`` file take it: no blanks, quotes or patterns."""
    return _NOT_IN_PRINCIPAL.sub("-", name.strip()).strip("-") or "technician"


def allowed_signers_line(public: str, principal: str, namespaces: Sequence[str] = (NAMESPACE,)) -> str:
    """One line of the office's ``allowed_signers`` file, without a line end; ``public`` is a ``.pub`` line.

    Raises :class:`UsageError` where the principal could not be looked up as it is (see :func:`principal_for`) or where
    the public line is none.
    """
    fields = public.split()
    if len(fields) < 2 or fields[0] != KEY_TYPE.decode():
        raise UsageError(problem=phrase("“{text}” is not a public report key.", text=public))
    for name in (principal, *namespaces):
        if name != principal_for(name):
            raise UsageError(problem=phrase("“{name}” cannot stand in an allowed_signers file.", name=name))
    return f'{principal} namespaces="{",".join(namespaces)}" {" ".join(fields)}'
