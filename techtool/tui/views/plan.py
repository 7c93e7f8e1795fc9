"""The plan as the one gate shows it: what will happen, how long, what can be undone, why each release is in or out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from techtool.domain.estimate import human_duration, human_estimate, together
from techtool.domain.plan import VERDICT_LABEL, Estimate, Plan, PlanStep, ReleaseFinding, ReleaseVerdict, StepKind
from techtool.domain.risk import Band, Risk
from techtool.domain.risk_views import explained, reasons, risk_words
from techtool.domain.rollback import rollback_lines
from techtool.domain.rules import Force, Verdict
from techtool.i18n import _, language, translate
from techtool.tui.views.lines import Line, Mark

_MARK: Final = {
    ReleaseVerdict.INSTALL: Mark.OK,
    ReleaseVerdict.BLOCKED: Mark.STOPPED,
    ReleaseVerdict.WITHDRAWN: Mark.STOPPED,
    ReleaseVerdict.RECALLED: Mark.STOPPED,
}
_BEHIND: Final = frozenset({StepKind.IDENTIFY, StepKind.INSPECT, StepKind.CHECK, StepKind.CONFIRM})
"""Stations that are done, or being done, when the plan is shown."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One thing that will happen."""

    number: int
    title: str
    effect: str
    time: str
    attended: bool
    changes: bool
    """Whether it changes the terminal."""


@dataclass(frozen=True, slots=True)
class PlannedRelease:
    """One release of the stick and what was found about it."""

    mark: Mark
    name: str
    verdict: str
    news: str
    rules: tuple[Line, ...]
    """What is not met, or every rule."""
    met: int
    """How many rules are met."""


@dataclass(frozen=True, slots=True)
class PlanView:
    """The gate."""

    serial: str
    model: str
    system: str
    steps: tuple[PlannedStep, ...]
    total: str
    attended: str
    downtime: str
    undo: str
    releases: tuple[PlannedRelease, ...]
    hidden_rules: int
    """Rules that are met and not shown."""
    risk: str = ""
    """Band and score, and what adds to it; empty: not weighed yet."""


def plan_view(plan: Plan, model: str, system: str, *, every_rule: bool = False, risk: Risk | None = None) -> PlanView:
    """The view of ``plan``; ``every_rule``: those that are met too, and every number of the risk."""
    ahead = [step for step in plan.steps if step.kind not in _BEHIND]
    texts = {v.release.key: v.release.text for v in plan.releases}
    order = {v.release.key: place for place, v in enumerate(plan.releases)}
    last = len(order)
    findings = sorted(plan.findings, key=lambda f: (order.get(_key(f), last), f.verdict is not ReleaseVerdict.BLOCKED))
    releases = tuple(_release(f, texts.get(_key(f), {}), every_rule=every_rule) for f in findings)
    shown = sum(len(release.rules) for release in releases)
    return PlanView(
        serial=plan.serial,
        model=model,
        system=system,
        steps=tuple(_step(number, step) for number, step in enumerate(ahead, 1)),
        total=_time(together([step.estimate for step in ahead])),
        attended=_time(together([step.estimate for step in ahead if step.attended])),
        downtime=_time(plan.downtime),
        undo="\n".join(line.text() for line in (plan.undo, *rollback_lines(plan.rollback))),
        releases=releases,
        hidden_rules=sum(len(f.rules) for f in findings) - shown,
        risk=_risk(risk, every_number=every_rule) if risk is not None else "",
    )


def _risk(risk: Risk, *, every_number: bool) -> str:
    """The line alone where the risk is low; else with what adds to it."""
    lines = explained(risk) if every_number else () if risk.band is Band.LOW else reasons(risk)
    return "\n".join(line.text() for line in (risk_words(risk), *lines))


def _key(finding: ReleaseFinding) -> str:
    return f"{finding.release_id}@{finding.version}"


def _time(estimate: Estimate) -> str:
    return human_estimate(estimate).text()


def _step(number: int, step: PlanStep) -> PlannedStep:
    return PlannedStep(
        number=number,
        title=step.title.text(),
        effect=step.effect.text(),
        time=human_duration(step.estimate.p50_s).text(),
        attended=step.attended,
        changes=step.kind is StepKind.INSTALL,
    )


def _release(finding: ReleaseFinding, texts: Mapping[str, str], *, every_rule: bool) -> PlannedRelease:
    rules = [rule for rule in finding.rules if every_rule or not rule.ok]
    if finding.verdict is ReleaseVerdict.NOT_FOR_THIS_MODEL and not every_rule:
        rules = [rule for rule in rules if rule.what == "model"][:1]
    mark = _MARK.get(finding.verdict, Mark.NOTE)
    if finding.verdict is ReleaseVerdict.INSTALL and finding.warnings:
        mark = Mark.WARNING
    return PlannedRelease(
        mark=mark,
        name=f"{finding.release_id} {finding.version}",
        verdict=translate(VERDICT_LABEL[finding.verdict]),
        news=_news(texts),
        rules=tuple(rule_line(rule) for rule in rules),
        met=sum(rule.ok for rule in finding.rules),
    )


def _news(texts: Mapping[str, str]) -> str:
    return " ".join((texts.get(language()) or texts.get("en") or "").split())


def rule_line(rule: Verdict) -> Line:
    """One rule with its reason and, when it is not met, what to do."""
    if rule.ok:
        return Line(Mark.OK, rule.reason.text())
    mark = Mark.STOPPED if rule.force is Force.GATE else Mark.WARNING
    details = (_("Do: {what}").format(what=rule.remedy.text()),) if rule.remedy else ()
    return Line(mark, rule.reason.text(), details)
