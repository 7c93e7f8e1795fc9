"""Which values of a record nobody reads who picks up the laptop, and how they are masked. Pure.

The classes are those of ``reference/field.md`` §3.3: B (confidential) and C (evidence) are stored encrypted; A is not,
and neither are a terminal's serial number (without it a record proves nothing), the shop's name, the site's id and the
terminal's own address in the shop: lists show them, and lists need no key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

NUMBERS: Final = frozenset({"tid", "mid", "merchant_phone", "credit_code", "phone"})
"""Fields of class B whose numbers are hidden wherever else they stand, too. Source: field.md §3.3, B."""
TEXTS: Final = frozenset(
    {
        # field.md §3.3, B: merchant's address, persons, host, IP and APN.
        "merchant_contact",
        "site_address",
        "geo",
        "host",
        "ip",
        "apn",
        "identity_checked_by",
        "second_person",
        "accepted_by",
        "supervisor",
        "reported_to",
        "sign_off.name",
        "sign_off.role",
        # C: what a settlement slip says.
        "settlement.text",
        "settlement.total",
        "settlement.batch_no",
        "settlement.evidence",
        # What a person typed may repeat any of these.
        "answer",
        "reason",
        "note",
        "value",
        "why",
        "closed_because",
        "incidents.what",
        "incidents.reported_at",
        "sign_off.reason",
        "sign_off.findings",
        "sign_off.recommendations",
        "sign_off.followup",
        "sign_off.training",
        "sign_off.rating",
    }
)
"""Fields that are hidden whole; ``PARENT.NAME``: only within that field, or as a field of that table's documents."""
OPEN: Final = frozenset(
    {
        *{"serial", "serials", "address", "addresses", "visit"},
        # Of the visit's key for the office, which is a cipher already.
        *{"keys.age", "keys.recipients", "keys.key_id"},
    }
)
"""What lists and the search for a backup go by: never hidden."""
OPEN_IN_LISTS: Final = frozenset({"technician", "id", "head"})
"""Besides, in what is derived from visits."""

SHORTEST: Final = 6
"""Characters; a shorter number cannot be told from ordinary text."""
HIDDEN: Final = "****"
_SEPARATORS: Final = re.compile(r"[\s\-]+")
_DIGITS: Final = re.compile(r"\d{6}")
_NO_NUMBER: Final = re.compile(
    r"[0-9a-f]{32,128}|\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?|V\d{8}-\d{6}-[0-9A-Za-z._-]*"
)
"""Digests, times, and ids of ours."""


def masked_number(number: str) -> str:
    """A number by its last four, as reports have it."""
    return f"{HIDDEN}{number[-4:]}" if len(number) > 4 else HIDDEN


def is_mask(text: str) -> bool:
    """Whether a number was hidden before: nothing of it is left to hide."""
    return text.startswith(HIDDEN) and len(text) <= len(HIDDEN) + 4


def hidden_by_name(name: str, parent: str) -> bool:
    """Whether a text in a field of this name is hidden whatever it says."""
    if name in NUMBERS:
        # Of a terminal's facts it says how each is known: a word of a few, and no number.
        return parent != "evidence"
    return name in TEXTS or f"{parent}.{name}" in TEXTS


def open_by_name(name: str, parent: str) -> bool:
    """Whether a text in a field of this name stays as it is."""
    return name in OPEN or f"{parent}.{name}" in OPEN


def needs_no_look(text: str) -> bool:
    """Whether ``text`` is as a whole a digest, a time or an id of ours."""
    return _NO_NUMBER.fullmatch(text) is not None


def like_a_number(text: str) -> bool:
    """Whether ``text`` has as many digits in a row as a terminal number has: it may be one that is not known yet."""
    return _DIGITS.search(text) is not None


def _bare(text: str) -> str:
    """Without what people put between the digits of a number, and in one width and case."""
    return _SEPARATORS.sub("", text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()


class Words:
    """Numbers that are known, found again in any text that repeats them, however they are spaced."""

    def __init__(self, numbers: Iterable[str] = ()) -> None:
        self._bare: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.add(numbers)

    def add(self, numbers: Iterable[str]) -> bool:
        """Learn more of them; whether one was new. What is too short, has no digit, or is a mask is passed over."""
        new = {_bare(n) for n in numbers if len(n) >= SHORTEST and any(c.isdigit() for c in n) and not is_mask(n)}
        new = {n for n in new if len(n) >= SHORTEST} - self._bare
        if new:
            self._bare |= new
            self._known = re.compile("|".join(map(re.escape, sorted(self._bare, key=lambda n: (-len(n), n)))))
        return bool(new)

    def within(self, text: str) -> bool:
        """Whether ``text`` repeats one of them."""
        return self._known is not None and len(text) >= SHORTEST and self._known.search(_bare(text)) is not None

    def mask(self, text: str) -> str:
        """``text`` with each of them by its last four; hidden as a whole where more may give one away.

        A text with neither a known number nor one that may be unknown is as it was.
        """
        shown = self.mask_known(text)
        return HIDDEN if self.within(shown) or (like_a_number(shown) and not needs_no_look(shown)) else shown

    def mask_known(self, text: str) -> str:
        """``text`` with each of them by its last four, and else as it was."""
        for number in sorted(self._bare, key=lambda n: (-len(n), n)) if self.within(text) else ():
            spaced = r"[\s\-]*".join(map(re.escape, number))
            text = re.sub(spaced, lambda found: masked_number(found[0]), text, flags=re.IGNORECASE)
        return text


def numbers_in(value: object) -> Iterator[str]:
    """Every number that a document holds in a field of :data:`NUMBERS`, however deep; also in columns."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str):
                if key in NUMBERS:
                    yield item
            elif isinstance(item, dict | list):
                yield from numbers_in(item)
        for name, cells in columns(value):
            if name in NUMBERS:
                yield from (cell for cell in cells if isinstance(cell, str))
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                yield from numbers_in(item)


def columns(document: Mapping[str, object]) -> Iterator[tuple[str, list[object]]]:
    """The columns of a document that has its field names once (``fields``) and values only (``rows``)."""
    names, rows = document.get("fields"), document.get("rows")
    if isinstance(names, list) and isinstance(rows, list) and len(document) == 2:
        for at, name in enumerate(names):
            yield str(name), [row[at] for row in rows if isinstance(row, list) and at < len(row)]
