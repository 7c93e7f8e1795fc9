"""What a report tells of one terminal beside the work itself: binding, risk, time, inspection, tests, issues."""

from __future__ import annotations

from datetime import datetime

from techtool.domain import timing
from techtool.domain.evidence import Incident
from techtool.domain.known_issues import IssueRecord
from techtool.domain.plan import Estimate
from techtool.domain.risk import Band, Factor
from techtool.domain.risk_views import BAND_LABEL
from techtool.domain.visit import CheckRecord, LaneRecord
from techtool.domain.work_order import Binding
from techtool.i18n import N_, phrase
from techtool.reports.labels import (
    BAND_TONE,
    BINDING_LABEL,
    FINDING_LABEL,
    MODE_LABEL,
    RESULT_LABEL,
    RESULT_TONE,
    SIDE_LABEL,
)
from techtool.reports.parts import Cell, Fact, Facts, Table, Tone
from techtool.reports.words import Words

INSPECTION: tuple[str, ...] = ("SE-02", "SE-03", "SE-04")
"""Tests of the catalogue that are looked at on the casing, with their items ``SE-02.card-slot`` …"""


def is_inspection(check: CheckRecord) -> bool:
    """Whether it is looked at on the casing, not tried out."""
    return check.id.partition(".")[0] in INSPECTION


# -- binding ----------------------------------------------------------------------------------------------------------


def binding(lane: LaneRecord, t: Words) -> Facts:
    """Label = software = order, or which of them differs."""
    title, bound = t(N_("Label, software and order")), lane.binding
    if bound is None:
        return Facts(title, (), t(N_("They were not compared.")))
    facts = [
        t.fact(
            N_("Serial number on the label"), Cell(bound.label_serial, mono=True) if bound.label_serial else _none(t)
        ),
        t.fact(N_("Serial number of the software"), Cell(bound.software_serial, mono=True)),
    ]
    if bound.order_serial:
        facts.append(t.fact(N_("Serial number in the order"), Cell(bound.order_serial, mono=True)))
    facts += _ordered(bound, t)
    problems = "\n".join(t(BINDING_LABEL[problem]) for problem in bound.problems)
    compared = Cell(problems, tone=Tone.WARN) if problems else _equal(bound, t)
    return Facts(title, (*facts, t.fact(N_("Compared"), compared)))


def _none(t: Words) -> Cell:
    return Cell(t.recorded(""))


def _equal(bound: Binding, t: Words) -> Cell:
    if not bound.label_serial and not bound.order_serial:
        return Cell(t(N_("nothing to compare with")))
    return Cell(t(N_("all the same")), tone=Tone.GOOD)


def _ordered(bound: Binding, t: Words) -> list[Fact]:
    ordered = bound.expected
    if ordered is None:
        return []
    known = (
        (N_("Asset no."), ordered.asset_no),
        (N_("Counter"), ordered.counter),
        (N_("Terminal no. in the order"), ordered.tid),
        (N_("Merchant no. in the order"), ordered.mid),
        (N_("Seal numbers on record"), ", ".join(ordered.seals)),
    )
    return [t.fact(label, value) for label, value in known if value]


# -- risk and time ----------------------------------------------------------------------------------------------------


def risk(lane: LaneRecord, t: Words) -> Facts:
    """The score with its two numbers, the floors, and who took it on."""
    title, record = t(N_("Risk")), lane.risk
    if record is None:
        return Facts(title, (), t(N_("It was not assessed.")))
    found = record.risk
    sum_of = phrase(
        "likelihood {likelihood} × impact {impact} = {score}",
        likelihood=found.likelihood,
        impact=found.impact,
        score=found.score,
    )
    facts = [t.fact(N_("Risk"), Cell(t(BAND_LABEL[found.band]), t.say(sum_of), BAND_TONE[found.band]))]
    facts += [
        t.fact(N_("Not lower than"), Cell(t(BAND_LABEL[floor.band]), t.say(floor.reason))) for floor in found.floors
    ]
    if found.band is not Band.LOW:
        facts.append(t.fact(N_("Mitigations confirmed"), t.yes_no(record.mitigated)))
    if record.accepted_by or found.band in (Band.HIGH, Band.CRITICAL):
        facts.append(t.fact(N_("Accepted by"), t.recorded(record.accepted_by)))
        facts.append(t.fact(N_("Supervisor"), t.recorded(record.supervisor)))
    return Facts(title, (*facts, t.fact(N_("Assessed"), t.moment(record.at))))


def factors(lane: LaneRecord, t: Words) -> Table:
    """Every factor with its points and where they come from; none is left out."""
    columns = (t(N_("What was found")), t(N_("Counts for")), t(N_("Points")), t(N_("What lowers it")))
    found = lane.risk.risk.factors if lane.risk else ()
    return Table(t(N_("Factors of the risk")), columns, tuple(_factor(f, t) for f in found), "", kind="factors")


def _factor(factor: Factor, t: Words) -> tuple[Cell, ...]:
    return (
        Cell(t.say(factor.fact), t.clip(factor.source)),
        Cell(t(SIDE_LABEL[factor.side])),
        Cell(str(factor.points)),
        Cell(t.say(factor.mitigation)),
    )


def times(lane: LaneRecord, t: Words) -> Table:
    """Foretold beside measured; what failed or has no end is no measure of how long it takes."""
    columns = (
        t(N_("Station")),
        t(N_("Expected")),
        t(N_("Nine times of ten under")),
        t(N_("Measured")),
        t(N_("Of that: a person")),
    )
    rows = timing.times(lane)
    shown = tuple(_time(row, t) for row in rows)
    if any(row.estimate is not None and row.done for row in rows):
        sums = timing.totals(rows)
        whole = (t(N_("All stations with a good end")), sums.estimate, sums.actual_s, sums.attended_s)
        shown += (_time_cells(*whole, t),)
    return Table(t(N_("Time expected and measured")), columns, shown, "", kind="times")


def _time(row: timing.StationTime, t: Words) -> tuple[Cell, ...]:
    return _time_cells(t.say(row.title), row.estimate, row.actual_s, row.attended_s, t)


def _time_cells(
    title: str, estimate: Estimate | None, actual_s: float | None, attended_s: float, t: Words
) -> tuple[Cell, ...]:
    return (
        Cell(title),
        Cell(t.duration(estimate.p50_s) if estimate else "–"),
        Cell(t.duration(estimate.p90_s) if estimate else "–"),
        Cell(t.duration(actual_s) if actual_s is not None else "–"),
        Cell(t.duration(attended_s) if attended_s else "–"),
    )


# -- inspection, tests, issues ----------------------------------------------------------------------------------------


def inspection(lane: LaneRecord, started_at: datetime, t: Words) -> Table:
    """Casing, slots and seals, item by item."""
    found = [c for c in lane.checks if is_inspection(c)]
    return _checks(t(N_("Inspection")), found, t(N_("No inspection was recorded.")), started_at, t)


def tests(lane: LaneRecord, started_at: datetime, t: Words) -> Table:
    """Functional tests."""
    found = [c for c in lane.checks if not is_inspection(c)]
    return _checks(t(N_("Functional tests")), found, t(N_("No test was done.")), started_at, t)


def _checks(title: str, found: list[CheckRecord], empty: str, started_at: datetime, t: Words) -> Table:
    columns = (t(N_("Test")), t(N_("Result")), t(N_("Value or reason")), t(N_("Done by")), t(N_("Time")))
    rows = tuple(_check(c, started_at, t) for c in found)
    return Table(title, columns, rows, empty, kind="checks")


def _check(check: CheckRecord, started_at: datetime, t: Words) -> tuple[Cell, ...]:
    marks = [check.id]
    if check.required:
        marks.append(t(N_("required")) + (f": {t.say(check.because)}" if check.because else ""))
    if check.host:
        marks.append(t(N_("with the host")))
    reason = t.say(check.said) or t.clip(check.reason)
    compared = ""
    if check.compared:
        compared = t.say(phrase("Compared with pictures: {pictures}", pictures="; ".join(check.compared)))
    said = "\n".join(filter(None, (t.clip(check.value), reason, compared)))
    photos = "\n".join(digest[:12] for digest in check.evidence)
    return (
        Cell(t.say(check.title), " · ".join(marks)),
        t.check(check.result),
        Cell(said, photos),
        Cell(t(MODE_LABEL[check.mode]) if check.mode in MODE_LABEL else t.clip(check.mode) or "–"),
        Cell(t.time(check.at, started_at)),
    )


def issues(lane: LaneRecord, t: Words) -> Table:
    """What the releases claim to mend, before and after on this very terminal."""
    columns = (t(N_("Known issue")), t(N_("Before")), t(N_("After")), t(N_("Result")), t(N_("Seen by")))
    rows = tuple(_issue(issue, t) for issue in lane.issues)
    return Table(t(N_("Known issues")), columns, rows, "", kind="issues")


def _issue(issue: IssueRecord, t: Words) -> tuple[Cell, ...]:
    title = Cell(
        t.say(issue.title),
        " · ".join(filter(None, (issue.id, issue.release_key, t.clip(t(issue.note) if issue.note else "")))),
    )
    mark = Cell(t(RESULT_LABEL[issue.result]), tone=RESULT_TONE.get(issue.result, Tone.PLAIN))
    seen = t(N_("the terminal")) if issue.automatic else t(N_("a person"))
    return title, Cell(t(FINDING_LABEL[issue.before])), Cell(t(FINDING_LABEL[issue.after])), mark, Cell(seen)


def incidents(lane: LaneRecord, t: Words) -> Table:
    """Anomalies that stopped the work, and what was done about them."""
    columns = (t(N_("Incident")), t(N_("What")), t(N_("Secured")), t(N_("Reported to")))
    rows = tuple(_incident(incident, t) for incident in lane.incidents)
    return Table(t(N_("Incidents")), columns, rows, "", kind="incidents")


def _incident(incident: Incident, t: Words) -> tuple[Cell, ...]:
    def said(label: str, value: bool | None) -> str:
        word = t.recorded("") if value is None else t.yes_no(value)
        return f"{label}: {word}"

    secured = "\n".join(
        (
            said(t(N_("out of use")), incident.removed_from_use),
            said(t(N_("kept safe")), incident.secured),
        )
    )
    files = "\n".join(digest[:12] for digest in incident.evidence)
    released = phrase("Released: {by}", by=t.clip(incident.closed_because)).text(t.language)
    if incident.is_open:
        released = t(N_("Not released"))
    return (
        Cell(incident.no, t.moment(incident.at), Tone.BAD if incident.is_open else Tone.WARN),
        Cell(t.clip(incident.what), "\n".join(filter(None, (t.clip(incident.note), files)))),
        Cell(secured, released),
        Cell(t.recorded(incident.reported_to), t.clip(incident.reported_at)),
    )
