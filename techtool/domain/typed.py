"""What a person types, read as it was meant: an input method may leave full-width signs, and blanks of its own."""

from __future__ import annotations

import re
from typing import Final

TOLD_DIGITS: Final = 16
"""So many of a fingerprint's last digits are typed: 64 bits. One that ends in eight given digits is made in a day."""
WIDE: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
"""The full-width forms of ASCII (Unicode, Halfwidth and Fullwidth Forms), and the ideographic space."""
_PROSE: Final = frozenset(map(ord, "！（），：；？"))
"""Signs that belong into a Chinese sentence as they are."""
_WIDE_IN_PROSE: Final = {code: to for code, to in WIDE.items() if code not in _PROSE}
_STOP_IN_NUMBER: Final = re.compile(r"(?<=[0-9])。(?=[0-9])")


def narrow(text: str) -> str:
    """A code, a number, an address: every full-width sign as the ASCII sign it stands for, no blanks around it."""
    return _STOP_IN_NUMBER.sub(".", text.translate(WIDE)).strip()


def narrow_words(text: str) -> str:
    """A sentence, or what may be one: letters and digits alone, its punctuation stays as it was written."""
    return _STOP_IN_NUMBER.sub(".", text.translate(_WIDE_IN_PROSE)).strip()


def told_fits(typed: str, digest: str) -> bool:
    """Whether what a person was told by another way is this fingerprint (lower-case hex), or at least its last 16.

    Groups, colons and capitals do not matter.
    """
    plain = re.sub(r"[\s:.-]", "", narrow(typed)).lower()
    return len(plain) >= TOLD_DIGITS and digest.endswith(plain)
