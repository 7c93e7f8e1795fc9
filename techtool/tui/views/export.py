"""What can be written of a visit, and a case code as it is read out on the telephone; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from techtool.catalogue.contacts import Contact
from techtool.i18n import N_, _, language
from techtool.tui.views.lines import Line, Mark, named

FORMAT_LABEL: Final = {
    "html": (N_("Report pages (HTML)"), N_("opens in any browser")),
    "merchant": (N_("Merchant's copy"), N_("what the merchant may keep: no secrets of the office")),
    "pdf": (N_("Report to print (PDF)"), ""),
    "csv": (N_("Tables (CSV)"), N_("register of terminals, inspections")),
    "json": (N_("Statement for the office (JSON)"), N_("with a passphrase: signed")),
}
"""Format → what a person calls it, and a note."""

_WORDS: Final = (
    "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel Juliett Kilo Lima Mike November Papa Quebec Romeo Sierra Tango "
    "Uniform Victor Whiskey X-ray Yankee Zulu"
)
"""ICAO spelling alphabet (Annex 10, volume II, 5.2.1.3), without the letters that no case code has."""


def large(code: str) -> str:
    """``7 K M 2   9 9 A B   C D``: wide enough to be read at arm's length, group by group."""
    return "   ".join(" ".join(group) for group in code.split("-"))


def spelled(code: str) -> tuple[str, ...]:
    """One line a group, each letter with the word that stands for it: what is said on the telephone."""
    return tuple("  ".join(_said(sign) for sign in group) for group in code.split("-"))


def _said(sign: str) -> str:
    word = next((word for word in _WORDS.split() if word[0] == sign), "")
    return f"{sign} ({word})" if word else sign


def contact_lines(office: Mapping[str, str], known: Iterable[Contact], vendors: Sequence[str]) -> tuple[Line, ...]:
    """Whom to call, the office first; of the makers those whose terminals are concerned."""
    lines = [Line(Mark.OK, named(name, value)) for name, value in office.items()]
    if not lines:
        lines.append(Line(Mark.NOTE, _("Your office's numbers are not in the settings yet.")))
    wanted = {vendor.casefold() for vendor in vendors}
    for contact in known:
        if contact.vendor in wanted:
            ways = "  ".join(filter(None, (contact.phone, contact.mail, contact.page)))
            region = contact.region.get(language()) or contact.region.get("en", "")
            source = _("Source: {source}").format(source=contact.source)
            lines.append(Line(Mark.NOTE, f"{contact.name} ({region}): {ways}", (source,)))
    return tuple(lines)
