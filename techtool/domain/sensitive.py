"""Find what may never be stored: card numbers, tracks, codes, keys (PCI DSS 3.3.1, 3.5.1). Pure, streaming.

A finding says what and where, never the content. Looked for in ASCII and UTF-8 (digits of every script), in UTF-16 of
either byte order, in hexadecimal and packed digits where a tag or the rest of a track says what they are:

- card numbers (check digit *and* issuer *and* that issuer's length) with one space or hyphen between groups of three
  digits and more; with any one separator of up to three characters where they are grouped as on a card; over a line
  break where the line is as long as lines are wrapped at;
- tracks 1, 2 and 3 by their sentinels; a card number followed by the rest of a track 2;
- codes, keys and PIN blocks in fields named so.

Exempt, because it only looks like it: digits inside a hexadecimal digest or a UUID, fractions of decimal numbers, an
IMEI or ICCID in a field named so, a terminal's own serial number in its own fields. Not found by design: a card number
inside a longer run of digits, spelt with groups of one or two digits, or with one group a line; what is compressed,
encrypted, in base64, percent-coded or written with escapes (``backups.packed`` says what is unpacked before).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from techtool.domain.sensitive_kinds import KIND_LABEL, TRACKS, Finding, Kind, OwnNumber, Profile
from techtool.domain.sensitive_text import CONTEXT, number_findings, text_findings
from techtool.domain.sensitive_tlv import packed_findings
from techtool.domain.sensitive_views import View, foreign_views, unwrapped_views, wide_views

__all__ = ["CONTEXT", "KIND_LABEL", "Finding", "Kind", "OwnNumber", "Profile", "Scanner", "find", "redact"]

_NOBODY: Final = OwnNumber()
_FEWEST_DIGITS: Final = 12
"""Every number and every track has as many."""
_DIGIT: Final = re.compile(r"\d")
_HINT: Final = re.compile(r"[0-9A-Fa-f]{8}|(?:[0-9A-Fa-f]{2,4}[ :\-]){3}|[cC][vV]|PRIVATE KEY")
"""What a text without so many digits holds, if it holds a key or a code."""


def find(text: str, profile: Profile = Profile.TEXT) -> tuple[Finding, ...]:
    """Everything in ``text`` that may not be stored, in order."""
    if not _may_hold(text):
        return ()
    data = text.encode("utf-8", "surrogatepass")
    found = _ordered(_look(data, profile, _NOBODY, from_start=True))
    if len(data) == len(text):
        return tuple(found)
    return tuple(Finding(f.kind, _characters(data, f.start), _characters(data, f.end)) for f in found)


def _may_hold(text: str) -> bool:
    """A quick look: almost every text that is recorded holds nothing."""
    if text.isascii():
        data = text.encode("ascii")
        digits = len(data) - len(data.translate(None, b"0123456789"))
    else:
        digits = len(_DIGIT.findall(text))
    return digits >= _FEWEST_DIGITS or _HINT.search(text) is not None


def _characters(data: bytes, end: int) -> int:
    return len(data[:end].decode("utf-8", "surrogatepass"))


def redact(text: str) -> str:
    """``text`` with every finding made harmless: first six and last four of a card number stay, nothing else does."""
    pieces: list[str] = []
    end = 0
    for finding in find(text):
        start, stop = max(finding.start, end), finding.end
        if stop <= end:
            continue
        if finding.kind is Kind.CARD_NUMBER and start == finding.start:
            mask = _masked(text[start:stop])
        else:
            stop = _end_of_track(text, stop) if finding.kind in TRACKS else stop
            mask = "********"
        pieces += [text[end:start], mask]
        end = stop
    return "".join([*pieces, text[end:]])


class Scanner:
    """The same over a stream of bytes, with matches across the borders of chunks.

    What :meth:`feed` was given is judged up to ``cleared``; the rest waits for what follows it, so that a caller who
    stores only cleared bytes never stores the beginning of a number whose end comes later.
    """

    def __init__(self, profile: Profile = Profile.TEXT, own: OwnNumber = _NOBODY) -> None:
        self._profile = profile
        self._own = own
        self._tail = b""
        self._tail_at = 0
        self.cleared = 0
        """Bytes from the start in which everything was found that there is."""

    def feed(self, chunk: bytes) -> tuple[Finding, ...]:
        """Look at the next bytes; returns what begins before ``cleared``."""
        return self._advance(self._tail + chunk, CONTEXT)

    def finish(self) -> tuple[Finding, ...]:
        """Look at what still waits: nothing follows it."""
        return self._advance(self._tail, 0)

    def _advance(self, data: bytes, held: int) -> tuple[Finding, ...]:
        low = self.cleared - self._tail_at
        high = max(low, len(data) - held)
        found: tuple[Finding, ...] = ()
        if high > low:
            everything = _look(data, self._profile, self._own, from_start=self._tail_at == 0)
            found = tuple(
                Finding(f.kind, f.start + self._tail_at, f.end + self._tail_at)
                for f in _ordered(everything)
                if low <= f.start < high
            )
        self.cleared += high - low
        keep = max(0, high - CONTEXT)
        self._tail = data[keep:]
        self._tail_at += keep
        return found


def _ordered(found: Iterator[Finding]) -> list[Finding]:
    """From the start on, one of a kind at each place, the longest; a number that a track begins with is the track's."""
    longest: dict[tuple[int, Kind], Finding] = {}
    for finding in found:
        known = longest.get((finding.start, finding.kind))
        if known is None or known.end < finding.end:
            longest[finding.start, finding.kind] = finding
    tracks = {start for start, kind in longest if kind in TRACKS}
    kept = [f for f in longest.values() if f.kind is not Kind.CARD_NUMBER or f.start not in tracks]
    return sorted(kept, key=lambda f: (f.start, -f.end, f.kind))


def _look(data: bytes, profile: Profile, own: OwnNumber, *, from_start: bool) -> Iterator[Finding]:
    yield from text_findings(data, profile, own)
    yield from packed_findings(data, untagged=profile is Profile.TEXT)
    for view in wide_views(data):
        yield from (view.back(found, data) for found in text_findings(view.data, profile, own))
    if profile is Profile.BINARY:
        return
    for view in unwrapped_views(data, from_start=from_start):
        yield from (view.back(found, data) for found in number_findings(view.data, own))
    for view in foreign_views(data):
        yield from (view.back(found, data) for found in text_findings(view.data, profile, own))
        for line in unwrapped_views(view.data, from_start=from_start and view.places[0] == 0):
            source = View(line.data, [view.places[place] for place in line.places])
            yield from (source.back(found, data) for found in number_findings(source.data, own))


def _masked(number: str) -> str:
    """The middle of a card number starred, separators kept."""
    total = sum(c.isdecimal() for c in number)
    seen = 0
    out: list[str] = []
    for c in number:
        seen += c.isdecimal()
        out.append("*" if c.isdecimal() and 6 < seen <= total - 4 else c)
    return "".join(out)


def _end_of_track(text: str, end: int) -> int:
    """A track goes on to its end sentinel or the end of the line."""
    rest = re.compile(r"[^?\r\n]*\??").match(text, end)
    return rest.end() if rest else end
