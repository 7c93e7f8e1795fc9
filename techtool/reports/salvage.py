"""What a report says of a record that was saved from a damaged file: what is missing, and what it is no proof of."""

from __future__ import annotations

from collections.abc import Iterator

from techtool.clock import stamp
from techtool.domain.salvage import Gap, SalvageRecord
from techtool.domain.visit import VisitRecord
from techtool.i18n import N_, Phrase, phrase
from techtool.reports.parts import Notice, Tone
from techtool.reports.words import Words

_MOST_GAPS = 20
"""Listed one by one; more are in the record."""


def salvage_notices(visit: VisitRecord, t: Words) -> Iterator[Notice]:
    """One notice for each time the record was saved."""
    for salvage in visit.salvaged:
        yield Notice(t(N_("Salvaged")), Tone.BAD, tuple(line.text(t.language) for line in salvage_lines(salvage)))


def salvage_lines(salvage: SalvageRecord) -> Iterator[Phrase]:
    """The same in sentences, for reports and for the command line."""
    yield phrase(
        "The file of this record was damaged. It was set aside as {file} at {at} (SHA-256 {digest}); what is here was "
        "saved from it.",
        file=salvage.source,
        at=stamp(salvage.at),
        digest=salvage.sha256,
    )
    yield _in_place(salvage)
    for gap in salvage.gaps[:_MOST_GAPS]:
        yield _gap(gap)
    if len(salvage.gaps) > _MOST_GAPS:
        yield phrase("{count} more gaps are in the record.", count=len(salvage.gaps) - _MOST_GAPS)
    if salvage.made_up:
        yield phrase(
            "Lost, and begun anew with what is known from elsewhere: {parts}.", parts=", ".join(salvage.made_up)
        )
    if salvage.closed:
        yield phrase(
            "The visit had been closed. Its seal stands for the damaged file as it was, not for this record. "
            "Head of the journal then: {head}",
            head=(salvage.seal.head if salvage.seal else salvage.known_head) or "–",
        )


def _in_place(salvage: SalvageRecord) -> Phrase:
    if salvage.proven_until is None:
        return phrase(
            "No entry from its beginning is proven; {after} lines were read behind the damage, and entries may be "
            "missing.",
            after=salvage.lines_after_damage,
        )
    return phrase(
        "{lines} lines from its beginning are proven whole and in order, up to {until}; {after} more were read behind "
        "the damage, and entries between them may be missing.",
        lines=salvage.lines_in_place,
        until=stamp(salvage.proven_until),
        after=salvage.lines_after_damage,
    )


def _gap(gap: Gap) -> Phrase:
    if gap.size_bytes:
        return phrase("At byte {offset}: {size} bytes cannot be read.", offset=gap.offset, size=gap.size_bytes)
    return phrase("At byte {offset}: entries were removed or moved.", offset=gap.offset)
