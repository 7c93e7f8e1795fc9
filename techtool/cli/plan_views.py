"""A plan as lines: what is done in which order, how long it takes, every release and what to do about its rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from techtool.domain.estimate import human_duration, time_line
from techtool.domain.plan import VERDICT_LABEL, Plan, PlanStep, ReleaseFinding, ReleaseVerdict, StepKind
from techtool.domain.recall import Recall
from techtool.domain.recalled import runs_recalled
from techtool.domain.risk import Risk
from techtool.domain.risk_views import explained, reasons, risk_line
from techtool.domain.rollback import rollback_lines
from techtool.domain.rules import Force, Verdict, questions
from techtool.domain.rules_lab import KNOWN_ISSUE
from techtool.domain.terminal import UNVERIFIED, Identity
from techtool.i18n import _, translate

_MARK: Final = {
    ReleaseVerdict.INSTALL: "✓",
    ReleaseVerdict.BLOCKED: "✗",
    ReleaseVerdict.WITHDRAWN: "✗",
    ReleaseVerdict.RECALLED: "✗",
}
_SPOKEN_OF: Final = frozenset(
    {ReleaseVerdict.INSTALL, ReleaseVerdict.BLOCKED, ReleaseVerdict.WITHDRAWN, ReleaseVerdict.RECALLED}
)
"""Verdicts of which every rule that is not met is shown; the others say by themselves why not."""


def plan_lines(
    plan: Plan, identity: Identity, recalled: Sequence[Recall], *, refused: bool = False, every_rule: bool = False
) -> Iterator[str]:
    """The whole plan; ``refused``: it would not be carried out; ``every_rule``: also the rules that are met.

    What a device or a publisher wrote is brought to one line of printable text.
    """
    for line in _lines(plan, identity, recalled, refused=refused, every_rule=every_rule):
        yield "".join(letter if letter.isprintable() else " " for letter in line)


def risk_lines(risk: Risk, *, explain: bool = False) -> Iterator[str]:
    """The risk in a line with what adds to it; ``explain``: every number."""
    yield ""
    yield risk_line(risk).text()
    if explain:
        yield from (f"  {line.text()}" for line in explained(risk))
    else:
        yield from (f"  {line.text()}" for line in reasons(risk))
    for mitigation in dict.fromkeys(mitigation.text() for mitigation in risk.mitigations):
        yield f"  → {mitigation}"


def _lines(
    plan: Plan, identity: Identity, recalled: Sequence[Recall], *, refused: bool, every_rule: bool
) -> Iterator[str]:
    yield _("{model}, serial number {serial}").format(model=identity.title, serial=identity.serial)
    if identity.unverified:
        yield f"! {translate(UNVERIFIED)}"
    for recall in recalled:
        yield f"! {runs_recalled(recall, plan.findings).text()}"
    yield ""
    yield from _work(plan, refused=refused)
    yield ""
    yield _("Every release on this stick:")
    for finding in _in_order(plan):
        yield from _release(finding, refused=refused, every_rule=every_rule)
    asked = questions(plan.findings)
    if asked:
        yield ""
        yield _("A visit will ask before the plan is final:")
        yield from (f"  ? {question.text.text()}" for question in asked)


def _work(plan: Plan, *, refused: bool) -> Iterator[str]:
    """The order, the steps with their times, and what can be undone."""
    if not plan.has_work:
        yield _("Nothing will be installed.")
        return
    order = " → ".join(f"{v.release.id} {v.release.version}" for v in plan.releases)
    if refused:
        options = " ".join(f"--release {v.release.key}" for v in plan.releases)
        yield _("Nothing will be installed as it stands. The rest alone would be, in this order: {order}").format(
            order=order
        )
        yield _("To ask for the rest alone: {options}").format(options=options)
    else:
        yield _("Will be installed, in this order: {order}").format(order=order)
    for number, step in enumerate(plan.steps, 1):
        yield from _step(number, step)
    yield time_line(plan.total, plan.attended, plan.downtime).text()
    yield plan.undo.text()
    yield from (f"  {line.text()}" for line in rollback_lines(plan.rollback))


def _step(number: int, step: PlanStep) -> Iterator[str]:
    time = human_duration(step.estimate.p50_s).text()
    if step.attended:
        time = _("{time}, with you").format(time=time)
    yield f"{number:3}. {step.title.text()}  ({time})"
    if step.kind is StepKind.INSTALL:
        yield f"       {step.effect.text()}"


def _in_order(plan: Plan) -> list[ReleaseFinding]:
    """What is planned first, in the order of the plan; then what is blocked; then the rest as it is on the stick."""
    place = {verified.release.key: number for number, verified in enumerate(plan.releases)}
    last = len(place)
    return sorted(plan.findings, key=lambda f: (place.get(f.key, last), f.verdict not in _SPOKEN_OF))


def _release(finding: ReleaseFinding, *, refused: bool, every_rule: bool) -> Iterator[str]:
    label, mark = translate(VERDICT_LABEL[finding.verdict]), _MARK.get(finding.verdict, "·")
    if refused and finding.verdict is ReleaseVerdict.INSTALL:
        label, mark = _("could be installed alone"), "·"
    yield f"  {mark} {finding.release_id} {finding.version}: {label}"
    spoken_of = every_rule or finding.verdict in _SPOKEN_OF
    met = 0
    for rule in finding.rules:
        if every_rule or (spoken_of and (not rule.ok or rule.what == KNOWN_ISSUE)):
            yield from _rule(rule)
        elif rule.ok:
            met += 1
    if met and spoken_of:
        yield "      " + _("{count} rules are met.").format(count=met)


def _rule(rule: Verdict) -> Iterator[str]:
    mark = "·" if rule.what == KNOWN_ISSUE else "✓" if rule.ok else "✗" if rule.force is Force.GATE else "!"
    yield f"      {mark} {rule.reason.text()}"
    if not rule.ok and rule.remedy is not None:
        yield f"        → {rule.remedy.text()}"
