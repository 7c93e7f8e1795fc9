"""A case code: ten characters that stand for one file and can be read out on the telephone. Pure.

Nine characters are the beginning of the file's SHA-256, the tenth checks them. There is no 0, O, 1 or I, so that
nothing heard or seen can be taken for another. The check is a sum in GF(32) with another power of its generator at each
place: every single wrong character is found, and every two that changed places.
"""

from __future__ import annotations

from typing import Final

from techtool.domain.typed import narrow
from techtool.errors import BadCaseCode

LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_DATA: Final = 9
_POLYNOMIAL: Final = 0b100101
"""x⁵ + x² + 1, primitive over GF(2)."""


def case_code(sha256: str) -> str:
    """``XXXX-XXXX-XX`` for a digest in hex."""
    bits = int(sha256, 16) >> (256 - 5 * _DATA)
    places = [bits >> (5 * (_DATA - 1 - place)) & 31 for place in range(_DATA)]
    return _grouped("".join(LETTERS[value] for value in (*places, _check(places))))


def parse_code(text: str) -> str:
    """A code as a person types it, in its one form; raises :class:`BadCaseCode` when it cannot be one."""
    plain = "".join(c for c in narrow(text).upper() if c.isalnum())
    if len(plain) != _DATA + 1 or any(c not in LETTERS for c in plain):
        raise BadCaseCode(code=text)
    values = [LETTERS.index(c) for c in plain]
    if values[-1] != _check(values[:-1]):
        raise BadCaseCode(code=text)
    return _grouped(plain)


def _check(values: list[int]) -> int:
    total = 0
    for value in values:
        total = _doubled(total ^ value)
    return total


def _doubled(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 32 else value


def _grouped(plain: str) -> str:
    return f"{plain[:4]}-{plain[4:8]}-{plain[8:]}"
