"""What a public key is, however it is written down: how one key under two names is noticed."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.signer import Key


def material(key: Key) -> bytes:
    """The key itself: capitals, blanks, line breaks and the kind of PEM make no other key of it."""
    public = str(key.keyval.get("public", ""))
    try:
        if "-----BEGIN" in public:
            return load_pem_public_key(public.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return bytes.fromhex(public)
    except (ValueError, UnsupportedAlgorithm):
        return public.encode()
