"""Rows for the office's lists: the register of devices and the log of inspections (PCI DSS 9.5.1.1 and 9.5.1.2).

One row a terminal. UTF-8 with a byte order mark, so that Excel shows Chinese; no cell can be read as a formula. The
header is in the language asked for; the columns and their order are the same in both, named in :data:`REGISTER` and
:data:`INSPECTION_LOG` with what stands in them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, tzinfo
from io import StringIO
from typing import Final

from techtool.domain.conclusion import newest_checks
from techtool.domain.question import CheckResult
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.i18n import N_
from techtool.reports.redaction import redacted
from techtool.reports.terminal import lane_outcome
from techtool.reports.terminal_evidence import is_inspection
from techtool.reports.visit_parts import visit_type
from techtool.reports.words import TAMPER_LABEL, Words

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may read as the begin of a formula (OWASP, CSV injection)."""
_SEALS: Final = "SE-04"

Column = Callable[[VisitRecord, LaneRecord, Words], str]


def safe(text: str) -> str:
    """``text`` as one harmless cell: never a formula, never more than one line."""
    flat = " ".join(text.replace("\r", "\n").split("\n")).strip(" ")
    return f"'{flat}" if flat.startswith(_FORMULA) or text.startswith(_FORMULA) else flat


def _site(visit: VisitRecord, name: str) -> str:
    return str(getattr(visit.order.site, name)) if visit.order else ""


def _expected(lane: LaneRecord, name: str) -> str:
    expected = lane.binding.expected if lane.binding else None
    return str(getattr(expected, name)) if expected else ""


def _state(lane: LaneRecord, name: str) -> str:
    state = lane.after or lane.before
    return str(getattr(state, name) or "") if state else ""


def _identity(lane: LaneRecord, name: str) -> str:
    state = lane.after or lane.before
    return str(getattr(state.identity, name) or "") if state else ""


def _packages(_visit: VisitRecord, lane: LaneRecord, _t: Words) -> str:
    return "; ".join(f"{f.package.id} {f.package.version}" for f in lane.installed)


def _when(visit: VisitRecord, lane: LaneRecord, t: Words) -> str:
    """When the work on this terminal ended, or the visit began."""
    ends = [step.ended_at for step in lane.steps if step.ended_at]
    return t.moment(max(ends) if ends else visit.started_at)


def _inspected(_visit: VisitRecord, lane: LaneRecord, t: Words) -> str:
    times = [c.at for c in lane.checks if is_inspection(c)]
    return t.moment(max(times)) if times else t.recorded("")


def _result(_visit: VisitRecord, lane: LaneRecord, t: Words) -> str:
    """The gravest of the newest words on each item."""
    results = {c.result for c in newest_checks(lane).values() if is_inspection(c)}
    gravest = (CheckResult.FAIL, CheckResult.NOT_DONE, CheckResult.PASS, CheckResult.NOT_APPLICABLE)
    return next((t.check(r.value).text for r in gravest if r.value in results), t.recorded(""))


def _items(lane: LaneRecord, t: Words, result: CheckResult) -> str:
    found = [c for c in newest_checks(lane).values() if is_inspection(c) and c.result == result.value]
    return "; ".join(
        f"{c.id} {t.say(c.title)}" + (f": {said}" if (said := t.say(c.said) or t.clip(c.reason)) else "") for c in found
    )


def _seals(_visit: VisitRecord, lane: LaneRecord, t: Words) -> str:
    check = newest_checks(lane).get(_SEALS)
    return (t.clip(check.value) if check else "") or ", ".join(
        lane.binding.expected.seals if lane.binding and lane.binding.expected else ()
    )


def _tamper(_visit: VisitRecord, lane: LaneRecord, t: Words) -> str:
    state = lane.after or lane.before
    return t(TAMPER_LABEL[state.tamper]) if state and state.tamper else t(N_("not told by the terminal"))


def _reported(_visit: VisitRecord, lane: LaneRecord, t: Words) -> str:
    return "; ".join(f"{i.no}: {t.recorded(i.reported_to)} {i.reported_at}".strip() for i in lane.incidents)


_WHICH: Final[Mapping[str, Column]] = {
    N_("Report no."): lambda visit, _lane, _t: visit.id,
    N_("Visit type"): lambda visit, _lane, t: visit_type(visit, t),
    N_("Date and time"): _when,
    N_("Technician"): lambda visit, _lane, _t: visit.technician,
    N_("Staff no."): lambda visit, _lane, _t: visit.staff_no,
    N_("Merchant"): lambda visit, _lane, _t: visit.merchant,
    N_("Site address"): lambda visit, _lane, _t: _site(visit, "site_address"),
    N_("Counter"): lambda _visit, lane, _t: _expected(lane, "counter"),
    N_("Maker"): lambda _visit, lane, _t: _identity(lane, "vendor_name"),
    N_("Model"): lambda _visit, lane, _t: _identity(lane, "model_name"),
    N_("Serial number"): lambda _visit, lane, _t: lane.serial,
}
REGISTER: Final[Mapping[str, Column]] = {
    **_WHICH,
    N_("Site"): lambda visit, _lane, _t: _site(visit, "site_id"),
    N_("Serial number on the label"): lambda _visit, lane, _t: lane.binding.label_serial if lane.binding else "",
    N_("Asset no."): lambda _visit, lane, _t: _expected(lane, "asset_no"),
    N_("Terminal no. (TID)"): lambda _visit, lane, _t: _state(lane, "tid"),
    N_("Merchant no. (MID)"): lambda _visit, lane, _t: _state(lane, "mid"),
    N_("Hardware revision"): lambda _visit, lane, _t: _identity(lane, "hw_revision"),
    N_("Firmware"): lambda _visit, lane, _t: _identity(lane, "firmware"),
    N_("Installed"): _packages,
    N_("Outcome"): lambda _visit, lane, t: lane_outcome(lane, t).text,
    N_("Work order"): lambda visit, _lane, _t: visit.work_order,
}
"""The register of devices: make, model, place, serial number or other unique mark (PCI DSS 9.5.1.1), and its software.

TID and MID show their last four characters; ``Counter``, ``Asset no.`` and ``Site`` come from the order.
"""
INSPECTION_LOG: Final[Mapping[str, Column]] = {
    **_WHICH,
    N_("Inspected"): _inspected,
    N_("Inspection result"): _result,
    N_("Not in order"): lambda _visit, lane, t: _items(lane, t, CheckResult.FAIL),
    N_("Not looked at"): lambda _visit, lane, t: _items(lane, t, CheckResult.NOT_DONE),
    N_("Seal numbers"): _seals,
    N_("Tamper protection"): _tamper,
    N_("Incidents"): lambda _visit, lane, _t: "; ".join(i.no for i in lane.incidents),
    N_("Reported to"): _reported,
}
"""The log of periodic inspections: when, by whom, which device, where, with what result and anomaly (9.5.1.2)."""


def register_csv(visit: VisitRecord, language: str, zone: tzinfo = UTC) -> bytes:
    """The register's rows."""
    return _rows(REGISTER, visit, Words(language, zone))


def inspection_csv(visit: VisitRecord, language: str, zone: tzinfo = UTC) -> bytes:
    """The inspection log's rows."""
    return _rows(INSPECTION_LOG, visit, Words(language, zone))


def _rows(columns: Mapping[str, Column], visit: VisitRecord, t: Words) -> bytes:
    clean = redacted(visit)
    lines: Iterable[list[str]] = (
        [safe(t.clip(tell(clean, lane, t))) for tell in columns.values()] for lane in clean.lanes
    )
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([t(label) for label in columns])
    writer.writerows(lines)
    return text.getvalue().encode("utf-8-sig", "replace")
