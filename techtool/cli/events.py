"""Events as lines: for people, or as JSON Lines for scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

from techtool.cli.output import emit_json, say
from techtool.clock import stamp
from techtool.domain.codec import plain
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.plan import VERDICT_LABEL
from techtool.domain.visit import ErrorRecord
from techtool.events import (
    Answered,
    Asked,
    Event,
    Finished,
    LaneFinished,
    LaneIdentified,
    LanePlanned,
    Notice,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
    StillWaiting,
    VisitStarted,
)
from techtool.i18n import Phrase, _, translate


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
    mark = "✓" if event.outcome.is_good else "✗"
    say(f"{mark} {event.address} {event.serial}: {translate(OUTCOME_LABEL[event.outcome])}")
    error = event.error
    if error is not None:
        say(f"  {error.code}  {error.what.text()}")
        say("  " + _("State now: {state}").format(state=error.state_now.text()))
        for number, action in enumerate(error.next_actions, 1):
            say(f"  {number}. {action.text()}")


def print_text(event: Event) -> None:
    """For a person watching a headless run."""
    match event:
        case VisitStarted(visit=visit, resumed=resumed):
            text = _("Visit {visit}, resumed") if resumed else _("Visit {visit}")
            say(text.format(visit=visit))
        case StepStarted(title=title) if title is not None:
            say(f"  ▸ {title.text()}")
        case StepDone(result=result) if result is not None:
            say(f"  ✓ {result.text()}")
        case StepFailed(error=error):
            say(f"  ✗ {error.code} {error.what.text()}")
        case LaneIdentified(address=address, serial=serial):
            say(f"— {address}  {serial}")
        case LanePlanned(plan=plan):
            for finding in plan.findings:
                say(f"    {finding.release_id} {finding.version}: {translate(VERDICT_LABEL[finding.verdict])}")
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
        case Progress() | Asked() | Answered() | StepStarted() | StepDone():
            return


def printer(*, as_json: bool) -> Callable[[Event], None]:
    """Which of the two."""
    return print_json if as_json else print_text
