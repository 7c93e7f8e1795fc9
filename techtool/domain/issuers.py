"""What makes a run of digits a payment card's number: check digit, issuer prefix and that issuer's lengths. Pure.

Prefixes and lengths: the card table of the public library credit-card-type (MIT) and the schemes' own published ranges;
the check digit is that of ISO/IEC 7812-1 (Luhn). Prefix and length are needed besides the check digit, because one
random number in ten passes it, and every IMEI does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SHORTEST: Final = 13
LONGEST: Final = 19


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers of one scheme that begin between ``low`` and ``high`` (as many digits as those have)."""

    scheme: str
    low: str
    high: str
    lengths: frozenset[int]

    def holds(self, number: str) -> bool:
        """Whether the scheme issues numbers like this one."""
        return len(number) in self.lengths and self.low <= number[: len(self.low)] <= self.high


def _ranges(scheme: str, prefixes: str, *lengths: int) -> tuple[Range, ...]:
    """``"51-55 2221-2720"`` as ranges."""
    pairs = [prefix.partition("-") for prefix in prefixes.split()]
    return tuple(Range(scheme, low, high or low, frozenset(lengths)) for low, _dash, high in pairs)


RANGES: Final = (
    *_ranges("Visa", "4", 13, 16, 18, 19),
    *_ranges("Mastercard", "51-55 2221-2720", 16),
    *_ranges("American Express", "34 37", 15),
    *_ranges("UnionPay", "62 8100-8171", 16, 17, 18, 19),
    *_ranges("UnionPay, issued before 62", "9558", 19),
    *_ranges("JCB", "3528-3589", 16, 17, 18, 19),
    *_ranges("Discover", "6011 644-649 65", 16, 17, 18, 19),
    *_ranges("Diners Club", "300-305 3095 36 38-39", 14, 16, 17, 18, 19),
    *_ranges("Maestro, Elo, Verve", "50 56-59 63 67", 13, 14, 15, 16, 17, 18, 19),
    *_ranges("other debit schemes", "60-61 66 68-69", 16, 17, 18, 19),
    *_ranges("Mir", "2200-2204", 16, 17, 18, 19),
    *_ranges("Troy", "9792", 16),
    *_ranges("RuPay", "82", 16),
    *_ranges("Napas", "9704", 16, 19),
    *_ranges("Uzcard, Humo", "8600 9860", 16),
)


def _by_beginning() -> dict[str, tuple[Range, ...]]:
    """Two first digits → the ranges that may hold such a number, in the table's order."""
    pairs = [f"{number:02d}" for number in range(100)]
    return {p: tuple(r for r in RANGES if r.low[:2] <= p[: len(r.low)] <= r.high[:2]) for p in pairs}


_BEGINNING: Final = _by_beginning()


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) << (place & 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def scheme_of(number: str) -> str | None:
    """The scheme a run of ASCII digits may be a card number of; None: it is none."""
    if not SHORTEST <= len(number) <= LONGEST:
        return None
    for entry in _BEGINNING[number[:2]]:
        if entry.holds(number):
            return entry.scheme if luhn(number) else None
    return None
