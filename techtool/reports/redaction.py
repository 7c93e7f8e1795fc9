"""What a report may say: one pass over the record, before any writer sees it.

Card numbers never leave (`techtool.domain.sensitive`), TID and MID keep their last four, and characters that could hide
or turn text around on screen become visible. Serial numbers stay: without them a report proves nothing.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Final

from techtool.domain.sensitive import redact
from techtool.domain.visit import VisitRecord
from techtool.i18n import Phrase, PhraseValue, raw

_DIGEST: Final = re.compile(r"[0-9a-f]{32,128}")
_DIGEST_FIELDS: Final = frozenset(
    {"sha256", "sha256_expected", "sha256_found", "root_sha256", "signer", "digest", "head", "keys"}
)
_IDENTITY_FIELDS: Final = frozenset({"serial", "address"})
_MASKED_FIELDS: Final = frozenset({"tid", "mid"})
_SHORTEST_KNOWN: Final = 6
"""A shorter id is no id that could be told from ordinary text."""
_KEPT_CONTROLS: Final = "\n\t"


def visible(text: str) -> str:
    """``text`` with control, bidirectional and lone surrogate characters written out, e.g. ``[U+202E]``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"[U+{ord(c):04X}]" if c not in _KEPT_CONTROLS and unicodedata.category(c) in ("Cc", "Cf", "Cs") else c
        for c in text
    )


def masked(number: str) -> str:
    """A merchant or terminal number by its last four."""
    return f"****{number[-4:]}" if len(number) > 4 else "****"


def _standing_alone(words: Collection[str]) -> re.Pattern[str] | None:
    known = sorted({w for w in words if len(w) >= _SHORTEST_KNOWN}, key=lambda w: (-len(w), w))
    return re.compile("|".join(rf"(?<![0-9A-Za-z]){re.escape(w)}(?![0-9A-Za-z])" for w in known)) if known else None


class Redactor:
    """Redacts the texts of one visit, whose serial, TID and MID it knows."""

    def __init__(self, serials: Collection[str] = (), numbers: Collection[str] = ()) -> None:
        self._serials = _standing_alone(serials)
        self._numbers = _standing_alone(numbers)

    def text(self, text: str) -> str:
        """``text`` without card numbers, with known TIDs and MIDs masked; the visit's serial numbers stand."""
        if self._numbers:
            text = self._numbers.sub(lambda m: masked(m.group()), text)
        if not self._serials:
            return visible(redact(text))
        pieces, end = [], 0
        for match in self._serials.finditer(text):
            pieces += [redact(text[end : match.start()]), match.group()]
            end = match.end()
        return visible("".join([*pieces, redact(text[end:])]))

    def phrase(self, phrase: Phrase) -> Phrase:
        """``phrase`` with redacted values; as plain text where only the whole sentence gives a number away."""
        clean = Phrase(phrase.msgid, {key: self._value(value) for key, value in phrase.params.items()})
        whole = clean.text("en")
        redacted_whole = self.text(whole)
        return clean if redacted_whole == whole else raw(redacted_whole)

    def _value(self, value: PhraseValue) -> PhraseValue:
        if isinstance(value, Phrase):
            return self.phrase(value)
        if isinstance(value, str):
            return self.text(value)
        shown = str(value)
        return value if self.text(shown) == shown else self.text(shown)

    def walk(self, value: object, name: str = "") -> object:
        """Any part of a record, redacted; a field that is new to this module is redacted too."""
        if isinstance(value, Phrase):
            return self.phrase(value)
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            return self._field(value, name)
        if isinstance(value, Mapping):
            return {self._field(str(key), ""): self.walk(item, str(key)) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(self.walk(item, name) for item in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts = {f.name: self.walk(getattr(value, f.name), f.name) for f in dataclasses.fields(value)}
            return dataclasses.replace(value, **parts)
        return value

    def _field(self, text: str, name: str) -> str:
        if name in _MASKED_FIELDS:
            return masked(visible(text))
        if name in _IDENTITY_FIELDS or (name in _DIGEST_FIELDS and _DIGEST.fullmatch(text)):
            return visible(text)
        return self.text(text)


def redacted(visit: VisitRecord) -> VisitRecord:
    """The record that reports are made from; its id, our own, stays as it is."""
    states = [s for lane in visit.lanes for s in (lane.before, lane.after) if s is not None]
    serials = {lane.serial for lane in visit.lanes} | {s.identity.serial for s in states}
    numbers = {n for s in states for n in (s.tid, s.mid) if n}
    clean = Redactor(serials, numbers).walk(visit)
    assert isinstance(clean, VisitRecord)  # noqa: S101 - walk keeps the type of every dataclass
    return dataclasses.replace(clean, id=visit.id)
