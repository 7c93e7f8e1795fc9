"""The places a person can go to from anywhere: home lists them, and so does the list of everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from techtool.i18n import N_


@dataclass(frozen=True, slots=True)
class Place:
    """One place; ``label`` and ``note`` are translated when they are drawn."""

    id: str
    label: str
    note: str
    on_home: bool = True
    """False: it is reached from another place; the list of everything names it too."""


NEW: Final = "new"
STICK: Final = "stick"
VISITS: Final = "visits"
BACKUPS: Final = "backups"
HISTORY: Final = "history"
DUE: Final = "due"
OFFICE: Final = "office"
SETTINGS: Final = "settings"
UPKEEP: Final = "upkeep"
SUPPORT_CHECK: Final = "support-check"
TRUST: Final = "trust"
HEALTH: Final = "health"
FACTS: Final = "facts"

PLACES: Final = (
    Place(NEW, N_("New visit"), N_("identify, update, test, report")),
    Place(STICK, N_("Check a USB stick"), N_("who signed it, what is on it")),
    Place(VISITS, N_("Visits and reports"), N_("every visit: reports, export, support file")),
    Place(BACKUPS, N_("Backups and restore"), N_("list, read back, put back onto a terminal")),
    Place(HISTORY, N_("History of terminals"), N_("what was found and done; a search")),
    Place(DUE, N_("Due terminals"), N_("overdue ones first, and why")),
    Place(OFFICE, N_("Office"), N_("visits home, newest lists, enrolment")),
    Place(SETTINGS, N_("Settings"), N_("name, language, marks, numbers to call")),
    Place(UPKEEP, N_("Log and end of backups"), N_("who opened them; delete what is past its time"), on_home=False),
    Place(SUPPORT_CHECK, N_("Check a support file"), N_("is it whole, and which case code is it"), on_home=False),
    Place(TRUST, N_("Trust, recipients, clock"), N_("whose sticks are believed, who can open backups"), on_home=False),
    Place(HEALTH, N_("Check this laptop"), N_("every record read to its last byte"), on_home=False),
    Place(FACTS, N_("Facts of makers"), N_("cycles, approvals, contacts, pictures: from the office"), on_home=False),
)
