"""How a sealed word stands in a journal: ``sealed:1:KEY:MASK:BASE64``. Pure; what it shows needs no key."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "sealed:1:"
MARK: Final = b"sealed:1:"
"""The same in a line: where it does not stand there is nothing to open."""
_ID: Final = 8


@dataclass(frozen=True, slots=True)
class Token:
    """One sealed word."""

    key_id: str
    mask: str
    """What stands for the word where it cannot be opened; not secret, and bound to the word."""
    sealed: bytes

    def __str__(self) -> str:
        return f"{PREFIX}{self.key_id}:{self.mask}:{base64.urlsafe_b64encode(self.sealed).decode()}"

    @classmethod
    def read(cls, text: str) -> Token | None:
        """None where ``text`` is no token, or only looks like one."""
        if not text.startswith(PREFIX):
            return None
        key_id, _colon, rest = text[len(PREFIX) :].partition(":")
        mask, colon, encoded = rest.rpartition(":")
        if not colon or len(key_id) != _ID:
            return None
        try:
            return cls(key_id, mask, base64.b64decode(encoded, altchars=b"-_", validate=True))
        except ValueError:
            return None


def shown(text: str) -> str:
    """``text``, and of a token its mask."""
    token = Token.read(text)
    return text if token is None else token.mask
