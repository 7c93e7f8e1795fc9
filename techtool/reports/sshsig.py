"""A detached signature that stock ``ssh-keygen -Y verify`` accepts (OpenSSH's PROTOCOL.sshsig, version 1)."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAMESPACE: Final = "techtool-report"
KEY_TYPE: Final = b"ssh-ed25519"
_MAGIC: Final = b"SSHSIG"
_VERSION: Final = 1
_HASH: Final = b"sha512"
_WIDTH: Final = 70
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"


def ssh_string(data: bytes) -> bytes:
    """A string in SSH's wire format (RFC 4251 §5)."""
    return struct.pack(">I", len(data)) + data


def public_blob(public: Ed25519PublicKey) -> bytes:
    """The public key in SSH's wire format (RFC 8709)."""
    return ssh_string(KEY_TYPE) + ssh_string(public.public_bytes_raw())


def sign(data: bytes, private_key: Ed25519PrivateKey, namespace: str = NAMESPACE) -> str:
    """The armored signature over ``data``; ``namespace`` keeps it from being used for anything else."""
    domain = ssh_string(namespace.encode()) + ssh_string(b"") + ssh_string(_HASH)
    signed = _MAGIC + domain + ssh_string(hashlib.sha512(data).digest())
    signature = ssh_string(KEY_TYPE) + ssh_string(private_key.sign(signed))
    public = public_blob(private_key.public_key())
    blob = _MAGIC + struct.pack(">I", _VERSION) + ssh_string(public) + domain + ssh_string(signature)
    return armored(blob)


def armored(blob: bytes) -> str:
    """A signature's bytes as the text that OpenSSH keeps in files."""
    text = base64.b64encode(blob).decode()
    lines = [text[i : i + _WIDTH] for i in range(0, len(text), _WIDTH)]
    return "\n".join([_BEGIN, *lines, _END]) + "\n"
