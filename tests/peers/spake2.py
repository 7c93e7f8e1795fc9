"""SPAKE2 over edwards25519 as BoringSSL has it and ``adb pair`` uses it: the terminal's side (“Bob”), for tests only.

Written here because nothing that is well kept offers it: the registry's ``spake2`` takes other points for M and N, and
the one binding of BoringSSL's own lines has no build for every system the tests run on. It takes its time and hides
nothing from a clock: no terminal should do it so. Whether it is right, Google's adb says: it pairs, or it does not.
Source: BoringSSL ``crypto/curve25519/spake25519.cc``; the curve's arithmetic from RFC 8032, section 5.1.4.
"""

from __future__ import annotations

import hashlib
import os
from typing import Final

Point = tuple[int, int, int, int]
"""X, Y, Z, T: x = X/Z, y = Y/Z, xy = T/Z."""

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_NEUTRAL: Final = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    minus, plus = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    twist, both = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = plus - minus, both - twist, both + twist, plus + minus
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(factor: int, point: Point) -> Point:
    total = _NEUTRAL
    while factor:
        if factor & 1:
            total = _add(total, point)
        point = _add(point, point)
        factor >>= 1
    return total


def _negative(point: Point) -> Point:
    return -point[0] % _P, point[1], point[2], -point[3] % _P


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data: bytes) -> Point:
    """Raises ValueError for what is no point."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if len(data) != 32 or x * x % _P != square:
        raise ValueError("no point of the curve")
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


_BASE: Final = _decode(bytes.fromhex("58" + "66" * 31))
_M: Final = _decode(bytes.fromhex("5ada7e4bf6ddd9adb6626d32131c6b5c51a1e347a3478f53cfcf441b88eed12e"))
_N: Final = _decode(bytes.fromhex("10e3df0ae37d8e7a99b5fe74b44672103dbddcbd06af680d71329a11693bc778"))


class Bob:
    """One exchange; ``alice_name`` and ``bob_name`` are bytes that both sides know."""

    def __init__(self, password: bytes, alice_name: bytes, bob_name: bytes) -> None:
        self._names = alice_name, bob_name
        self._digest = hashlib.sha512(password).digest()
        scalar = int.from_bytes(self._digest, "little") % _ORDER
        # BoringSSL once forgot to multiply by the cofactor; what it adds instead makes the same points.
        for bit in (1, 2, 4):
            scalar += _ORDER * bit if scalar & bit else 0
        self._password = scalar
        self._private = 8 * (int.from_bytes(os.urandom(64), "little") % _ORDER)
        self.message = _encode(_add(_times(self._private, _BASE), _times(scalar, _N)))
        """What Alice is sent."""

    def key(self, message: bytes) -> bytes:
        """The 64 bytes that both have if both knew the password; raises ValueError for a message that is none."""
        theirs = _add(_decode(message), _negative(_times(self._password, _M)))
        shared = _encode(_times(self._private, theirs))
        parts = (*self._names, message, self.message, shared, self._digest)
        return hashlib.sha512(b"".join(len(part).to_bytes(8, "little") + part for part in parts)).digest()
