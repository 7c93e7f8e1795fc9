"""Check: every rule of every release against this terminal, the questions only a person can answer, the plan."""

from __future__ import annotations

from dataclasses import replace

from techtool.domain.plan import Plan, ReleaseFinding, ReleaseVerdict, StepKind
from techtool.domain.planner import make_plan
from techtool.domain.question import Question
from techtool.domain.rules import Environment, questions
from techtool.domain.terminal import TerminalState
from techtool.errors import GateClosed, NotCompatible, TechtoolError, Withdrawn
from techtool.events import LanePlanned
from techtool.i18n import Phrase, phrase
from techtool.visit.lane import Lane
from techtool.visit.operator import YES

STATE_RULES = frozenset(
    {"battery", "external-power", "free-storage", "no-open-batch", "tamper", "erases-data", "serial", "tool"}
)
"""Rules about the state of a terminal that fits (exit 23); all others are about whether it fits at all (exit 22)."""


async def check(lane: Lane) -> None:
    """Make the plan; raises when nothing on the stick may be installed, leaves an empty plan when nothing need be."""
    async with lane.step(StepKind.CHECK, title=phrase("Check every release on the stick")) as step:
        if lane.stick.expired is not None:
            raise lane.stick.expired
        plan = await _plan_with_answers(lane)
        lane.plan = plan
        lane.log.planned(lane.id, plan, plan.releases[0].trust if plan.releases else None)
        lane.emit(LanePlanned(lane.id, lane.services.clock.now(), plan))
        _raise_if_waiting(lane, plan)
        if not plan.has_work:
            _raise_if_refused(lane, plan)
        step.result = phrase("{count} releases to install", count=len(plan.releases))


async def _plan_with_answers(lane: Lane) -> Plan:
    """Plan on the state before the work, so that a resumed visit comes to the plan that was confirmed."""
    base = lane.known if lane.record.confirmed_at is None else lane.before or lane.known
    environment = Environment(tool_version=lane.services.tool_version)
    plan = _plan(lane, base, environment)
    while open_questions := questions(plan.findings):
        answers = dict(environment.answers)
        for question in open_questions:
            answers[question.id] = await _answer(lane, replace(question, serial=base.identity.serial)) == YES
        environment = replace(environment, answers=answers)
        plan = _plan(lane, base, environment)
    if base is not lane.known:
        _still_allowed(plan, _plan(lane, lane.known, environment))
    return plan


async def _answer(lane: Lane, question: Question) -> str:
    """What was answered before a resume stands."""
    return lane.answered_before(question.id) or await lane.ask(StepKind.CHECK, question)


def _plan(lane: Lane, state: TerminalState, environment: Environment) -> Plan:
    return make_plan(
        state,
        lane.stick.releases,
        environment,
        wanted=lane.wanted,
        withdrawn=lane.stick.withdrawn,
        link=lane.address.scheme,
    )


def _still_allowed(confirmed: Plan, now: Plan) -> None:
    """What was not yet installed must still be allowed: a battery runs down while a laptop is dead."""
    verdicts = {(f.release_id, f.version): f for f in now.findings}
    for verified in confirmed.releases:
        finding = verdicts.get((verified.release.id, verified.release.version))
        if finding is not None and finding.verdict is ReleaseVerdict.BLOCKED:
            raise _closed(finding)


def _raise_if_waiting(lane: Lane, plan: Plan) -> None:
    """A release that fits and only waits for the terminal's state (battery, open batch …) closes the gate for all.

    What can be put right on the spot is put right first; else half of the work would be called a success. Who wants
    the other releases now names them.
    """
    for finding in _wanted(lane, plan):
        failed = finding.failed
        if finding.verdict is ReleaseVerdict.BLOCKED and all(verdict.what in STATE_RULES for verdict in failed):
            raise _closed(finding)


def _wanted(lane: Lane, plan: Plan) -> list[ReleaseFinding]:
    return [f for f in plan.findings if not lane.wanted or f.release_id in lane.wanted]


def _raise_if_refused(lane: Lane, plan: Plan) -> None:
    wanted = _wanted(lane, plan)
    for release_id, version in lane.stick.withdrawn:
        if release_id in lane.wanted:
            raise Withdrawn(release=f"{release_id}@{version}")
    blocked = [f for f in wanted if f.verdict is ReleaseVerdict.BLOCKED]
    if blocked:
        raise _closed(blocked[0])
    if not any(f.verdict in (ReleaseVerdict.INSTALLED, ReleaseVerdict.OLDER) for f in wanted):
        raise NotCompatible(release=phrase("No release on this stick"), reason=phrase("none is made for this model"))


def _closed(finding: ReleaseFinding) -> TechtoolError:
    failed = finding.failed
    state = [verdict for verdict in failed if verdict.what in STATE_RULES]
    release = f"{finding.release_id} {finding.version}"
    if failed and len(state) == len(failed):
        remedy = failed[0].remedy or phrase("Look at the failed rules in the plan.")
        return GateClosed(reason=_joined([v.reason for v in failed]), remedy=remedy)
    fit = [verdict.reason for verdict in failed if verdict.what not in STATE_RULES]
    return NotCompatible(release=release, reason=_joined(fit))


def _joined(reasons: list[Phrase]) -> Phrase:
    joined = reasons[0] if reasons else phrase("a rule is not met")
    for reason in reasons[1:]:
        joined = phrase("{first}; {second}", first=joined, second=reason)
    return joined
