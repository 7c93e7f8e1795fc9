"""What the signature in a visit's seal signs, and whether one fits: the same words for who seals and who checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from techtool.domain.codec import CodecError
from techtool.reports.signers import Signature, parse_signature

SEAL_NAMESPACE: Final = "techtool-visit"
"""Namespace of the SSH signature in a seal; what it signs is :func:`seal_text`."""
_SEAL_SAYS: Final = {"signed_head", "signed_count", "signature"}


def seal_text(visit_id: str, count: int, head: str) -> bytes:
    """``VISIT COUNT HEAD`` and a line end: the lines before the seal, and the chain value of the last of them."""
    return f"{visit_id} {count} {head}\n".encode()


def seal_signature(visit_id: str, count: int, head: str, extra: Mapping[str, object]) -> Signature | None:
    """The signature in a seal (``extra``: what the closer added), which fits; None when it was sealed without a key.

    Says nothing of whose key it is. Raises :class:`CodecError` where the seal is not what techtool writes.
    """
    if set(extra) != _SEAL_SAYS or not isinstance(extra["signature"], str):
        raise CodecError("not its fields")
    if (extra["signed_head"], extra["signed_count"]) != (head, count):
        raise CodecError("another head or count")
    if not extra["signature"]:
        return None
    signature = parse_signature(extra["signature"])
    if signature.reserved or signature.hash_name != b"sha512" or signature.namespace != SEAL_NAMESPACE:
        raise CodecError("a signature for something else")
    if not signature.fits(seal_text(visit_id, count, head), SEAL_NAMESPACE):
        raise CodecError("the signature does not fit")
    return signature
