"""What is known of makers, one row a fact, in words: the same on the command line and on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from techtool.catalogue.approvals import Approvals
from techtool.catalogue.facts import IssuedFacts, OfficeFacts
from techtool.domain.terminal import Evidence
from techtool.i18n import N_, _, language
from techtool.reports.redaction import visible

KIND_LABEL: Final = {
    "cadence": N_("Cycle"),
    "life": N_("Support"),
    "approval": N_("Approval"),
    "contact": N_("Contact"),
    "picture": N_("Picture"),
}
"""Section of a facts file → what a person calls one of its entries; the order in which they are shown."""
HOW_KNOWN: Final = {
    Evidence.DOCUMENTED: N_("documented"),
    Evidence.RECORDED: N_("recorded"),
    Evidence.SIMULATED: N_("simulated"),
    Evidence.ASKED: N_("asked"),
}


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact."""

    kind: str
    what: str
    source: str
    """With the issuer, where the office supplied it."""
    evidence: Evidence
    picture: Path | None = None
    """A reference picture: where its copy lies."""


def rows_of(facts: OfficeFacts, known: Approvals) -> Iterator[FactRow]:
    """Every fact in the order in which it counts, the office's first; ``known``: the built-in approvals."""
    cycles = facts.cycles()
    for one in cycles.cadence:
        what = " ".join(filter(None, (one.vendor, one.model, one.kind.value if one.kind else "")))
        text = _("{what}: every {days} days").format(what=what, days=one.days)
        yield FactRow("cadence", text, one.source, one.evidence)
    for life in cycles.life:
        what = " ".join(filter(None, (life.vendor, life.model, life.hw_revision)))
        until = _("no updates after {day}").format(day=life.end_of_life.isoformat()) if life.end_of_life else ""
        highest = ", ".join(f"{name} {version}" for name, version in life.last_supported.items())
        last = _("highest version {versions}").format(versions=highest) if highest else ""
        yield FactRow("life", " · ".join(filter(None, (what, until, last))), life.source, life.evidence)
    for approval in facts.approvals(known).approval:
        what = " ".join(filter(None, (approval.vendor, approval.model, approval.hardware, approval.firmware)))
        text = f"{what}: {approval.number} {approval.version} → {approval.expires.isoformat()}"
        yield FactRow("approval", text, approval.source, approval.evidence)
    for contact in facts.contacts():
        region = contact.region.get(language()) or contact.region.get("en", "")
        name = f"{contact.name} ({region})" if region else contact.name
        ways = "  ".join(filter(None, (name, contact.phone, contact.mail, contact.page)))
        yield FactRow("contact", f"{contact.vendor}: {ways}", contact.source, contact.evidence)
    for picture, path in facts.pictures():
        shown = picture.title.text() if picture.title else picture.file
        yield FactRow(
            "picture", f"{picture.vendor} {picture.model}: {shown}", picture.source, picture.evidence, picture=path
        )


def issued_words(issued: IssuedFacts) -> str:
    """From whom a file is, as of when, who signed it, and since when it is here."""
    text = _("{file}: from {issuer}, as of {day}, signed by {office}")
    return text.format(
        file=visible(issued.path.name),
        issuer=visible(issued.file.issued_by),
        day=issued.file.dated.isoformat(),
        office=visible(issued.office),
    )


def here_since(issued: IssuedFacts) -> str:
    """The day on which its copy was written."""
    try:
        day = datetime.fromtimestamp(issued.path.stat().st_mtime).astimezone().date().isoformat()
    except (OSError, OverflowError, ValueError):  # a stick's or a broken disk's time may be no day of the calendar
        return ""
    return _("on this laptop since {day}").format(day=day)
