"""Check: every rule of every release against this terminal as it is now, the questions only a person can answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from techtool.domain.estimate import Timings
from techtool.domain.plan import Plan, ReleaseFinding, ReleaseVerdict, StepKind
from techtool.domain.planner import make_plan
from techtool.domain.question import TAKINGS, evidence_question, totals_question
from techtool.domain.recalled import recalled_installed, runs_recalled
from techtool.domain.refusal import closed, refusal
from techtool.domain.rules import questions
from techtool.domain.settlement import settlement
from techtool.domain.terminal import TerminalState
from techtool.events import LanePlanned
from techtool.i18n import phrase
from techtool.visit.by_hand import is_by_hand
from techtool.visit.lane import Lane
from techtool.visit.learned import learned_timings
from techtool.visit.operator import YES
from techtool.visit.steps.identify import read_state
from techtool.visit.steps.link_check import check_link
from techtool.visit.steps.terminal_stick import stick_fits

TAKINGS_FRESH: Final = timedelta(minutes=3)
"""So long a person's word that no takings wait is believed before a terminal's own menu; a sale takes less than one."""


async def check(lane: Lane) -> None:
    """Make the plan; raises when nothing on the stick may be installed, leaves an empty plan when nothing need be."""
    async with lane.step(StepKind.CHECK, title=phrase("Check every release on the stick")) as step:
        if lane.stick.expired is not None:
            _warn_of_recalled(lane, lane.known)
            raise lane.stick.expired
        await check_link(lane)
        lane.state = await read_state(lane)
        plan = await _plan_with_answers(lane)
        lane.plan = plan
        lane.log.planned(lane.id, plan, plan.releases[0].trust if plan.releases else None)
        _warn_of_recalled(lane, lane.known, plan.findings)
        lane.emit(LanePlanned(lane.id, lane.services.clock.now(), plan))
        refused = refusal(plan, lane.wanted)
        if refused is not None:
            raise refused
        if is_by_hand(lane.address) and plan.releases and not lane.changing:
            await stick_fits(lane, plan)
        step.result = phrase("{count} releases to install", count=len(plan.releases))


def _warn_of_recalled(lane: Lane, state: TerminalState, findings: Sequence[ReleaseFinding] = ()) -> None:
    """Tell of everything recalled that the terminal runs now, also where nothing on the stick can help it."""
    stick = lane.stick
    for recall in recalled_installed(state, stick.recalls, [verified.release for verified in stick.releases]):
        lane.notice(runs_recalled(recall, findings), step=StepKind.CHECK, warning=True)


async def _plan_with_answers(lane: Lane) -> Plan:
    """The plan that was confirmed, where it still is the same; else one for the terminal as it is now.

    The confirmed plan was made for the terminal before the work: a resumed visit comes to it again from there.
    """
    if lane.record.confirmed_digest and lane.before is not None:
        plan = await _answered(lane, lane.before)
        if plan.digest == lane.record.confirmed_digest:
            _still_allowed(lane, plan)
            return plan
    return await _answered(lane, lane.known)


async def _answered(lane: Lane, state: TerminalState) -> Plan:
    """Plan, ask what the terminal does not say, plan again; asked anew in every run, for takings come in meanwhile."""
    plan = _plan(lane, state)
    while open_questions := questions(plan.findings):
        answers = dict(lane.environment.answers)
        for question in open_questions:
            asked = replace(question, serial=state.identity.serial)
            answers[question.id] = await lane.ask(StepKind.CHECK, asked) == YES
            if question.id in TAKINGS and answers[question.id]:
                shown = await lane.ask(StepKind.CHECK, evidence_question(asked))
                typed = await lane.ask(StepKind.CHECK, totals_question(asked))
                lane.log.settled(lane.id, settlement(typed, shown, lane.services.clock.now()))
        lane.environment = replace(lane.environment, answers=answers)
        plan = _plan(lane, state)
    return plan


def _plan(lane: Lane, state: TerminalState) -> Plan:
    stick = lane.stick
    known = lane.services.catalogue.environment(lane.services.tool_version, state.identity.family)
    return make_plan(
        state,
        stick.releases,
        replace(known, answers=lane.environment.answers),
        wanted=lane.wanted,
        withdrawn=stick.withdrawn,
        recalled={recall.key: recall for recall in stick.recalls},
        lapsed=stick.lapsed,
        link=lane.address.scheme,
        timings=_timings(lane),
    )


def _timings(lane: Lane) -> Timings:
    """Read once, so that a plan foretells the same whenever it is made again."""
    if lane.timings is None:
        lane.timings = learned_timings(lane.services)
    return lane.timings


async def check_again(lane: Lane) -> None:
    """Right before the first installation: read again, for the person and the backup took their time."""
    async with lane.step(StepKind.CHECK, "again", title=phrase("Check the terminal again")):
        lane.state = await read_state(lane)
        _still_allowed(lane, lane.agreed)


def said_just_now(lane: Lane) -> bool:
    """Whether a person's word on waiting takings is not older than ``TAKINGS_FRESH``; a clock set back makes it old."""
    said = [answer.at for answer in lane.log.answers_of(lane.id) if answer.question_id in TAKINGS]
    return bool(said) and timedelta() <= lane.services.clock.now() - said[-1] <= TAKINGS_FRESH


async def ask_again(lane: Lane) -> None:
    """The same where nothing can be read: what only a person knows of waiting takings is asked anew."""
    if not said_just_now(lane) and lane.environment.answers.keys() & TAKINGS:
        text = phrase("A sale may have come in since you looked: the takings are asked for once more.")
        lane.notice(text, step=StepKind.CHECK)
    said = lane.environment.answers
    lane.environment = replace(lane.environment, answers={k: v for k, v in said.items() if k not in TAKINGS})
    async with lane.step(StepKind.CHECK, "again", title=phrase("Check the terminal again")):
        await _answered(lane, lane.known)
        _still_allowed(lane, lane.agreed)


def _still_allowed(lane: Lane, plan: Plan) -> None:
    """What is not yet installed must be allowed as things are: batteries run down, batches open."""
    now = {(f.release_id, f.version): f for f in _plan(lane, lane.known).findings}
    for verified in plan.releases:
        finding = now.get((verified.release.id, verified.release.version))
        if finding is not None and finding.verdict is ReleaseVerdict.BLOCKED:
            raise closed(finding)
