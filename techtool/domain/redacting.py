"""Whatever was said, in a sentence, a record or a document, without card data: the scanner, with its types kept. Pure.

Used for everything that is journalled, told or printed; ``reports.redaction`` builds on it for what leaves the house.
A terminal's serial number stands in the fields that hold it by their type, because without it nothing proves anything.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from techtool.domain.release import VerifiedRelease
from techtool.domain.sensitive import redact
from techtool.i18n import Phrase, PhraseValue, raw

T = TypeVar("T")

_DIGEST: Final = re.compile(r"[0-9a-f]{32,128}")
_DIGEST_FIELDS: Final = frozenset(
    {"sha256", "sha256_expected", "sha256_found", "root_sha256", "signer", "digest", "confirmed_digest", "head", "keys"}
)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_IDENTITY_FIELDS: Final = frozenset({"serial", "serials", "address", "addresses"})
_SERIAL_PROPERTY: Final = re.compile(r"(?:.*[._])?(?:serial(?:_?no|number)?|sn)")
"""What the properties are called that hold a serial number; only where a device's raw facts are shown."""
_REMEMBERED: Final = 80
_REMEMBERED_MOST: Final = 4_096
_SHORTEST_KNOWN: Final = 6
"""A shorter number is none that could be told from ordinary text."""


@lru_cache(maxsize=512)
def _holds_identity(name: str) -> bool:
    return name in _IDENTITY_FIELDS or _SERIAL_PROPERTY.fullmatch(name) is not None


def standing_alone(words: Collection[str]) -> re.Pattern[str] | None:
    """Finds the words where no letter or digit touches them."""
    known = sorted({w for w in words if len(w) >= _SHORTEST_KNOWN}, key=lambda w: (-len(w), w))
    return re.compile("|".join(rf"(?<![0-9A-Za-z]){re.escape(w)}(?![0-9A-Za-z])" for w in known)) if known else None


class Cleaner:
    """Makes texts and what holds texts harmless; ``known`` are serial numbers that stand wherever they are."""

    def __init__(self, known: Collection[str] = ()) -> None:
        self._known = standing_alone(known)
        self._known_words = tuple(known)
        self._harmless: set[str] = set()
        """Texts that were searched and hold nothing: names and words come again and again in a long document."""

    def text(self, text: str) -> str:
        """``text`` without card data."""
        if text in self._harmless:
            return text
        clean = self._searched(text)
        if clean == text and len(text) <= _REMEMBERED and len(self._harmless) < _REMEMBERED_MOST:
            self._harmless.add(text)
        return clean

    def _searched(self, text: str) -> str:
        if self._known is None:
            return redact(text)
        pieces, end = [], 0
        for match in self._known.finditer(text):
            pieces += [redact(text[end : match.start()]), match.group()]
            end = match.end()
        return "".join([*pieces, redact(text[end:])])

    def phrase(self, phrase: Phrase) -> Phrase:
        """``phrase`` with harmless values; as plain text where only the whole sentence gives a number away."""
        own = [v for key, v in phrase.params.items() if key in _IDENTITY_FIELDS and isinstance(v, str)]
        cleaner = self.knowing(own) if own else self
        params = {key: cleaner._value(value) for key, value in phrase.params.items()}
        clean = phrase if params == dict(phrase.params) else Phrase(phrase.msgid, params)
        whole = clean.text("en")
        redacted_whole = cleaner.text(whole)
        return clean if redacted_whole == whole else raw(redacted_whole)

    def knowing(self, words: Collection[str]) -> Cleaner:
        """The same that lets these numbers stand as well."""
        return Cleaner((*self._known_words, *words))

    def _value(self, value: PhraseValue) -> PhraseValue:
        if isinstance(value, Phrase):
            return self.phrase(value)
        if isinstance(value, str):
            return self.text(value)
        shown = str(value)
        return value if self.text(shown) == shown else self.text(shown)

    def clean(self, value: T, name: str = "") -> T:
        """Any part of a record or event; the same object where nothing had to be changed."""
        return cast("T", self._clean(value, name))

    def _clean(self, value: Any, name: str) -> Any:
        if isinstance(value, Phrase):
            return self.phrase(value)
        if isinstance(value, Enum | VerifiedRelease):
            # What was verified was signed by the office, and only the verification makes one.
            return value
        if isinstance(value, str):
            return self.field(value, name)
        if isinstance(value, Mapping):
            return {self.field(str(key), ""): self._clean(item, str(key)) for key, item in value.items()}
        if isinstance(value, tuple):
            items = tuple(self._clean(item, name) for item in value)
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        if isinstance(value, Sequence):
            return [self._clean(item, name) for item in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            changed = {n: new for n, old in parts.items() if (new := self._clean(old, n)) is not old and new != old}
            return dataclasses.replace(value, **changed) if changed else value
        return value

    def field(self, text: str, name: str) -> str:
        """A text in a field of this name: what its type says stays."""
        if _holds_identity(name):
            return text
        if (name in _DIGEST_FIELDS and _DIGEST.fullmatch(text)) or _MOMENT.fullmatch(text):
            return text
        return self.text(text)
