"""What the settings screen takes and makes of it; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from techtool.domain.typed import narrow
from techtool.errors import UsageError
from techtool.i18n import N_, _, translate
from techtool.settings import Settings
from techtool.tui.views.lines import Line, Mark, day_and_time

if TYPE_CHECKING:
    from techtool.bundles.roots import RootFacts

SAMPLE: Final = ("━━━━…→●✓▸|", "=========|")
"""Two lines of nine cells and an end: where the terminal draws the marks of the first in two cells, they part."""
_MOST_DAYS: Final = 36_500


@dataclass(frozen=True, slots=True)
class Field:
    """One line of text or a number of the settings."""

    id: str
    label: str
    note: str = ""
    number: bool = False


FIELDS: Final = (
    Field("technician", N_("Your name"), N_("it stands in every report")),
    Field("staff_no", N_("Staff number")),
    Field("service_company", N_("Service company"), N_("as merchants are shown it")),
    Field("keep_backups_days", N_("Days that this laptop keeps its keys to backups"), number=True),
    Field("cadence_days", N_("Days between updates where nobody says it (0: no due date)"), number=True),
    Field("inspection_days", N_("Days between inspections (0: no due date)"), number=True),
    Field("contacts", N_("Numbers to call"), N_("name: number; name: number")),
)


def values_of(settings: Settings) -> dict[str, str]:
    """What the fields show."""
    return {
        "technician": settings.technician,
        "staff_no": settings.staff_no,
        "service_company": settings.service_company,
        "keep_backups_days": str(settings.keep_backups_days),
        "cadence_days": str(settings.cadence.default_days),
        "inspection_days": str(settings.cadence.inspection_days),
        "contacts": contacts_text(settings.contacts),
    }


def with_values(
    settings: Settings, values: Mapping[str, str], *, language: str, ascii_only: bool, order: str
) -> Settings:
    """The settings with what was entered; raises :class:`UsageError` naming the field that cannot be used."""
    technician = values["technician"].strip()
    if not technician:
        raise UsageError(problem=_("The name may not be empty; it stands in every report."))
    cadence = replace(
        settings.cadence,
        default_days=_days(values, "cadence_days"),
        inspection_days=_days(values, "inspection_days"),
    )
    return replace(
        settings,
        language=language,
        ascii=ascii_only,
        technician=technician,
        staff_no=values["staff_no"].strip(),
        service_company=values["service_company"].strip(),
        keep_backups_days=_days(values, "keep_backups_days"),
        cadence=cadence,
        fleet=replace(settings.fleet, order=order),
        contacts=contacts_of(values["contacts"]),
    )


def _days(values: Mapping[str, str], field: str) -> int:
    text = narrow(values[field])
    if not (text.isascii() and text.isdigit() and int(text) <= _MOST_DAYS):
        label = next(translate(one.label) for one in FIELDS if one.id == field)
        raise UsageError(problem=_("{field}: a number of days is needed, not “{text}”.").format(field=label, text=text))
    return int(text)


def contacts_text(contacts: Mapping[str, str]) -> str:
    """``Help desk: 400 123; Night: 139 456``"""
    return "; ".join(f"{name}: {value}" for name, value in contacts.items())


def contacts_of(text: str) -> dict[str, str]:
    """The same the other way round, as an input method writes it too; raises :class:`UsageError`."""
    found: dict[str, str] = {}
    for piece in filter(None, (part.strip() for part in re.split(r"[;；\n]", text))):
        name, _colon, value = piece.replace("：", ":", 1).partition(":")
        if not (name.strip() and value.strip()):
            raise UsageError(problem=_("Numbers to call: “{text}” is no “name: number”.").format(text=piece))
        found[name.strip()] = value.strip()
    return found


def needs_restart(before: Settings, after: Settings, shown: str) -> bool:
    """Whether the screens, which are in the language ``shown``, must start again to show what was chosen."""
    return after.language != shown or before.ascii != after.ascii


def root_lines(roots: Sequence[RootFacts]) -> tuple[Line, ...]:
    """Every trusted root with its fingerprint, to be compared with what the office says."""
    if not roots:
        return (Line(Mark.STOPPED, _("No root is trusted yet.")),)
    text = _("root {version}, {threshold} of {keys} keys, good until {day}")
    return tuple(
        Line(
            Mark.OK,
            text.format(version=r.version, threshold=r.threshold, keys=r.keys, day=f"{r.expires:%Y-%m-%d}"),
            (r.shown,),
        )
        for r in roots
    )


def recipient_lines(recipients: Sequence[str]) -> tuple[Line, ...]:
    """For whom backups are encrypted."""
    if not recipients:
        return (Line(Mark.STOPPED, _("Backups have no recipient yet.")),)
    return tuple(Line(Mark.OK, recipient) for recipient in recipients)


def clock_line(floor: datetime, now: datetime) -> Line:
    """Since when the clock is believed, and whether it can be now."""
    text = _("Not believed before {floor}; the clock says {now}.")
    mark = Mark.STOPPED if floor > now else Mark.OK
    return Line(mark, text.format(floor=day_and_time(floor), now=day_and_time(now)))
