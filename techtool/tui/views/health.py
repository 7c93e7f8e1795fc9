"""How this laptop's own records are, as the screens show it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from techtool.domain.calibration import Calibration
from techtool.domain.plan import StepKind
from techtool.domain.timing import STATION_LABEL
from techtool.i18n import _, translate
from techtool.reports.redaction import visible
from techtool.tui.views.lines import Line, Mark

if TYPE_CHECKING:
    from techtool.visit.checkup import Health


def health_lines(health: Health) -> tuple[Line, ...]:
    """What is wrong first, then what is only to be known, then what is well."""
    findings = sorted(health.findings, key=lambda finding: not finding.problem)
    lines = []
    for finding in findings:
        details = [str(finding.path)] if finding.problem else []
        if finding.since is not None:
            details.append(finding.since.text())
        details += [_("Do: {what}").format(what=action.text()) for action in finding.actions]
        mark = Mark.STOPPED if finding.problem else Mark.NOTE
        lines.append(Line(mark, visible(finding.what.text()), tuple(visible(detail) for detail in details)))
    lines.append(Line(Mark.OK, _("{count} visits can be read.").format(count=health.readable)))
    return tuple(lines)


def calibration_lines(found: Sequence[Calibration]) -> tuple[Line, ...]:
    """How good the foretold times were: whole terminals, and what happened often enough."""
    told = [one for one in found if one.enough or not (one.step or one.model)]
    if not told:
        return (Line(Mark.NOTE, _("Nothing to compare yet: no terminal was updated with this laptop.")),)
    return tuple(Line(Mark.NOTE, visible(_told(one))) for one in told)


def _told(one: Calibration) -> str:
    what = translate(STATION_LABEL[StepKind(one.step)]) if one.step else _("The whole terminal")
    name = f"{what}, {one.model}" if one.model else what
    if not one.enough:
        return _("{name}: {count} times; too few to say anything.").format(name=name, count=one.count)
    return _("{name}: {count} times, {within} % within the foretold most, half less than {off} % off.").format(
        name=name, count=one.count, within=round(100 * one.within_p90), off=round(100 * one.median_error)
    )
