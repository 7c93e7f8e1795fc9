"""How this laptop's own records are, as the screens show it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from techtool.domain.calibration import Calibration
from techtool.i18n import _, translate
from techtool.reports.health_words import NOTHING_YET, calibration_word, readable_word, worth_telling
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
    lines.append(Line(Mark.OK, readable_word(health.readable)))
    return tuple(lines)


def calibration_lines(found: Sequence[Calibration]) -> tuple[Line, ...]:
    """How good the foretold times were: whole terminals, and what happened often enough."""
    told = [one for one in found if worth_telling(one)]
    if not told:
        return (Line(Mark.NOTE, translate(NOTHING_YET)),)
    return tuple(Line(Mark.NOTE, visible(calibration_word(one))) for one in told)
