"""Events as lines: for people, or as JSON Lines for scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from techtool.cli.output import emit_json, say
from techtool.clock import stamp
from techtool.domain.codec import plain
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.plan import VERDICT_LABEL, StepKind
from techtool.domain.question import CheckResult
from techtool.domain.risk_views import reasons, risk_json, risk_line
from techtool.domain.visit import ErrorRecord
from techtool.events import (
    Answered,
    Asked,
    Event,
    Finished,
    LaneFinished,
    LaneIdentified,
    LanePlanned,
    LaneRisk,
    Notice,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
    StillWaiting,
    VisitStarted,
)
from techtool.i18n import Phrase, _, language, translate
from techtool.reports.words import CHECK_LABEL


def event_name(event: Event) -> str:
    """``LaneFinished`` → ``lane_finished``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def _error(error: ErrorRecord | None) -> dict[str, object] | None:
    if error is None:
        return None
    return {
        "code": error.code,
        "what": error.what.text(),
        "state_now": error.state_now.text(),
        "next_actions": [a.text() for a in error.next_actions],
    }


def event_json(event: Event) -> dict[str, object]:
    """One line of ``visit run --json``: at least ``event``, ``step``, ``at``."""
    line: dict[str, object] = {"event": event_name(event), "step": None, "at": stamp(event.at)}
    match event:
        case LanePlanned(lane=lane, plan=plan):
            releases = [{"id": f.release_id, "version": f.version, "verdict": f.verdict.value} for f in plan.findings]
            line |= {"lane": lane, "serial": plan.serial, "releases": releases, "digest": plan.digest}
            line["estimate_s"] = {"p50": round(plan.total.p50_s), "p90": round(plan.total.p90_s)}
        case LaneRisk(lane=lane, risk=risk):
            line |= {"lane": lane, "risk": risk_json(risk, language())}
        case Asked(lane=lane, step=step, question=question):
            line |= {"lane": lane, "step": step.value, "question": question.id, "kind": question.kind.value}
            line |= {"text": question.text.text(), "serial": question.serial}
        case Finished(visit=visit, outcome=outcome, exit_code=code, sealed=sealed, reports=reports):
            line["reports"] = reports
            line |= {"visit": visit, "outcome": outcome.value, "exit": code, "sealed": sealed}
        case _:
            for key, value in plain(event).items():
                if key != "at":
                    line[key] = value
            for key in ("text", "result", "title"):
                phrase = getattr(event, key, None)
                if isinstance(phrase, Phrase):
                    line[key] = phrase.text()
            if isinstance(event, StepFailed | LaneFinished):
                line["error"] = _error(event.error)
            if isinstance(event, LaneFinished):
                line["exit"] = line.pop("exit_code")
    return line


def print_json(event: Event) -> None:
    """For scripts."""
    emit_json(event_json(event))


def _print_lane(event: LaneFinished) -> None:
    mark = "✓" if event.outcome.is_good else "✗" if event.final else "!"
    ended = translate(OUTCOME_LABEL[event.outcome]) if event.final else _("stopped, can be resumed")
    say(f"{mark} {event.address} {event.serial}: {ended}")
    error = event.error
    if error is not None:
        say(f"  {error.code}  {error.what.text()}")
        say("  " + _("State now: {state}").format(state=error.state_now.text()))
        for number, action in enumerate(error.next_actions, 1):
            say(f"  {number}. {action.text()}")


def _checked(result: Phrase) -> str:
    """A test's answer in words, with a mark that says how it went."""
    word, colon, reason = result.text("en").partition(":")
    try:
        known = CheckResult(word)
    except ValueError:
        return f"✓ {result.text()}"
    mark = {CheckResult.PASS: "✓", CheckResult.FAIL: "✗"}.get(known, "!")
    return f"{mark} {translate(CHECK_LABEL[known])}" + (f": {reason.strip()}" if colon else "")


@dataclass(slots=True)
class _Told:
    """Which terminals there are, and under whose heading the newest line stands."""

    names: dict[str, str] = field(default_factory=dict)
    """Lane → its address and serial number."""
    lane: str = ""

    def heading(self, event: Event) -> str:
        """The line to be printed before ``event``; empty when it belongs to the same terminal as the one before."""
        lane = getattr(event, "lane", "")
        if isinstance(event, LaneIdentified):
            self.names[lane] = f"{event.address}  {event.serial}"
        elif not lane or lane == self.lane or lane not in self.names or isinstance(event, LaneFinished | _SILENT):
            return ""
        self.lane = lane
        return f"— {self.names[lane]}"


_SILENT: Final = Progress | Asked | Answered


def _print_plan(event: LanePlanned) -> None:
    for finding in event.plan.findings:
        say(f"    {finding.release_id} {finding.version}: {translate(VERDICT_LABEL[finding.verdict])}")


def _print_risk(event: LaneRisk) -> None:
    say(f"    {risk_line(event.risk).text()}")
    for reason in reasons(event.risk):
        say(f"      {reason.text()}")


def print_text(event: Event) -> None:
    """For a person watching a headless run."""
    match event:
        case VisitStarted(visit=visit, resumed=resumed):
            text = _("Visit {visit}, resumed") if resumed else _("Visit {visit}")
            say(text.format(visit=visit))
        case StepStarted(title=title) if title is not None:
            say(f"  ▸ {title.text()}")
        case StepDone(step=step, result=result) if result is not None:
            checked = step in (StepKind.TEST, StepKind.INSPECT)
            say(f"  {_checked(result)}" if checked else f"  ✓ {result.text()}")
        case StepFailed(error=error):
            say(f"  ✗ {error.code} {error.what.text()}")
        case LanePlanned():
            _print_plan(event)
        case LaneRisk():
            _print_risk(event)
        case Notice(text=text, warning=warning):
            say(f"  {'!' if warning else '·'} {text.text()}")
        case StillWaiting(text=text):
            say(f"  · {text.text()}")
        case LaneFinished():
            _print_lane(event)
        case Finished(visit=visit, outcome=outcome, reports=reports):
            say(_("Visit {visit}: {outcome}").format(visit=visit, outcome=translate(OUTCOME_LABEL[outcome])))
            unfinished = _("The visit is not finished: “techtool visit resume” goes on.")
            say(_("Reports: {folder}").format(folder=reports) if reports else unfinished)
        case Progress() | Asked() | Answered() | StepStarted() | StepDone() | LaneIdentified():
            return


def printer(*, as_json: bool) -> Callable[[Event], None]:
    """Which of the two; for people every terminal's lines stand under its own name."""
    if as_json:
        return print_json
    told = _Told()

    def show(event: Event) -> None:
        heading = told.heading(event)
        if heading:
            say(heading)
        print_text(event)

    return show
