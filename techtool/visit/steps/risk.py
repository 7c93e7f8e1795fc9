"""Risk: weigh the plan before the one gate, ask what can change the band, have it accepted by whom it takes.

Low goes on. Moderate asks the technician whether what lowers it was done; where nobody answers (an answers file that
was written for less) the work goes on and the record says that nobody confirmed it, because stopping there would stop
most visits and protect nobody. High needs that word and two names: without them the visit stops for want of an answer.
Critical closes the gate, and no answer opens it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from techtool.catalogue.risk import load_weights
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.risk import Band, Risk, RiskRecord
from techtool.domain.risk_facts import Around, facts_of
from techtool.domain.risk_model import ORDER, assess, open_questions
from techtool.domain.risk_subject import TRADING_LABEL, Facts, Trading
from techtool.domain.risk_views import BAND_LABEL
from techtool.domain.risk_weights import Weights
from techtool.domain.sensitive import redact
from techtool.errors import AnswerUnusable, LinkLost, LinkTimeout, RefusedByPerson, RiskTooHigh, Unreachable
from techtool.events import LaneRisk
from techtool.i18n import N_, Phrase, phrase
from techtool.visit.lane import Lane
from techtool.visit.learned import past_for
from techtool.visit.operator import YES

MOST_SHOWN = 4
"""Ways to lower it that a question names: the heaviest."""
_LOST = (LinkLost.code, LinkTimeout.code, Unreachable.code)


async def risk(lane: Lane) -> None:
    """Raises :class:`RiskTooHigh` when it is critical, :class:`RefusedByPerson` when nobody takes it on.

    A resumed lane asks nothing again that was answered for the same plan.
    """
    if not lane.agreed.releases or lane.record.confirmed_digest == lane.agreed.digest:
        return
    async with lane.step(StepKind.CONFIRM, "risk", title=phrase("Weigh the risk")):
        weights = load_weights()
        weighed = assess(await _facts(lane, weights), weights)
        lane.emit(LaneRisk(lane.id, lane.services.clock.now(), weighed))
        lane.log.risk(lane.id, RiskRecord(weighed, at=lane.services.clock.now()))
        if weighed.band is Band.CRITICAL:
            raise RiskTooHigh(score=weighed.score, lower=_lowered_by(weighed, 1))
        if weighed.band is not Band.LOW:
            lane.log.risk(lane.id, await _accepted(lane, weighed))


async def _facts(lane: Lane, weights: Weights) -> Facts:
    """What is known, and what only a person knows where it can change the band."""
    stick = [verified.release for verified in lane.stick.releases]
    around = _around(lane)
    past = past_for(lane.services, lane.agreed, lane.known, lane.log.visit_id)
    facts = facts_of(lane.agreed, lane.known, weights, past, around, stick)
    if "trading" in open_questions(facts, weights):
        said = await _said(lane, _trading_question(lane))
        facts = replace(facts, trading=Trading(said) if said else None)
    if "spare" in open_questions(facts, weights):
        said = await _said(lane, _spare_question(lane))
        facts = replace(facts, spare=said == YES if said else None)
    return facts


def _around(lane: Lane) -> Around:
    order = lane.visit.order if lane.visit else None
    lost = [s for s in lane.log.steps_of(lane.id) if s.error is not None and s.error.code in _LOST]
    return Around(
        now=lane.services.clock.now().astimezone(),
        trading_hours=order.site.trading_hours if order else "",
        critical_merchant=order.site.critical if order else False,
        drops=len(lost),
        errors_percent=lane.link_errors_percent or 0.0,
        settled=lane.environment.settled,
        anomaly=any(incident.is_open for incident in lane.log.incidents_of(lane.id)),
    )


async def _accepted(lane: Lane, weighed: Risk) -> RiskRecord:
    """Who confirmed and who took it on; raises :class:`RefusedByPerson` where a high risk was not lowered."""
    high = weighed.band is Band.HIGH
    question = _mitigations_question(lane, weighed)
    done = await _said(lane, question, weighed, reuse=(YES,)) == YES
    if high and not done:
        raise RefusedByPerson(question=question.text)
    record = RiskRecord(weighed, mitigated=done, at=lane.services.clock.now())
    if high:
        accepted_by, supervisor = await _two_persons(lane, weighed)
        return replace(record, accepted_by=accepted_by, supervisor=supervisor, at=lane.services.clock.now())
    if not done:
        text = phrase(
            "The risk is {band} ({score} of 25), and nobody confirmed that it was lowered.",
            band=Phrase(BAND_LABEL[weighed.band]),
            score=weighed.score,
        )
        lane.notice(text, step=StepKind.CONFIRM, warning=True)
    return record


async def _said(lane: Lane, question: Question, weighed: Risk | None = None, reuse: Sequence[str] | None = None) -> str:
    """The answer that was given for this plan before a stop, as long as the risk is no higher; else it is asked."""
    before, planned = lane.record.risk, lane.record.plan
    same = before is not None and planned is not None and planned.digest == lane.agreed.digest
    if same and before is not None and weighed is not None:
        same = ORDER.index(weighed.band) <= ORDER.index(before.risk.band)
    if same:
        given = [a.answer for a in lane.record.answers if a.question_id == question.id]
        if given and (reuse is None or given[-1] in reuse):
            return given[-1]
    return await lane.ask(StepKind.CONFIRM, question)


def _trading_question(lane: Lane) -> Question:
    return Question(
        "confirm.trading",
        AnswerKind.CHOICE,
        phrase("Does the merchant sell meanwhile?"),
        help=phrase("It decides how much harm a failure would do."),
        choices=tuple(Choice(trading.value, Phrase(TRADING_LABEL[trading])) for trading in Trading),
        serial=lane.known.identity.serial,
        optional=True,
    )


def _spare_question(lane: Lane) -> Question:
    return Question(
        "confirm.spare",
        AnswerKind.CONFIRM,
        phrase("Is a spare terminal at hand that could take its place at once?"),
        serial=lane.known.identity.serial,
        optional=True,
    )


def _mitigations_question(lane: Lane, weighed: Risk) -> Question:
    return Question(
        "confirm.mitigations",
        AnswerKind.CONFIRM,
        phrase(
            "The risk is {band} ({score} of 25). Is done what lowers it, as far as it can be done here?",
            band=Phrase(BAND_LABEL[weighed.band]),
            score=weighed.score,
        ),
        help=_lowered_by(weighed, MOST_SHOWN),
        serial=lane.known.identity.serial,
        optional=weighed.band is not Band.HIGH,
    )


_ATTEMPTS: Final = 2
"""How often names that do not do are asked again."""
_ACCEPTED_BY = N_("The risk is high. Who at the merchant's was told and accepts it (name)?")
_SUPERVISOR = N_("Which supervisor agrees (name, or the code given on the telephone)?")


async def _two_persons(lane: Lane, weighed: Risk) -> tuple[str, str]:
    """A high risk is taken on by two people, and by nobody who does the work.

    Names that are not three different ones are asked again; raises :class:`AnswerUnusable` when they stay so.
    """
    first = _name_question(lane, "accepted_by", _ACCEPTED_BY)
    second = _name_question(lane, "supervisor", _SUPERVISOR)
    technician = lane.services.settings.technician.strip().casefold()
    accepted_by, supervisor = await _said(lane, first, weighed), await _said(lane, second, weighed)
    for _attempt in range(_ATTEMPTS):
        if len({technician, accepted_by.strip().casefold(), supervisor.strip().casefold()}) == 3:
            return accepted_by, supervisor
        lane.notice(
            phrase("Two people take it on, neither of them the technician."), step=StepKind.CONFIRM, warning=True
        )
        accepted_by, supervisor = await lane.ask(StepKind.CONFIRM, first), await lane.ask(StepKind.CONFIRM, second)
    allowed = phrase("a name that is neither the technician's nor the merchant's contact's")
    raise AnswerUnusable(question=second.id, text=second.text, answer=redact(supervisor)[:40], allowed=allowed)


def _name_question(lane: Lane, name: str, text: str) -> Question:
    return Question(
        f"confirm.{name}",
        AnswerKind.TEXT,
        Phrase(text),
        help=phrase("It is kept in the report."),
        serial=lane.known.identity.serial,
    )


def _lowered_by(weighed: Risk, most: int) -> Phrase:
    """The heaviest ways to lower it, in one sentence after the other."""
    first, *rest = weighed.mitigations[:most] or (phrase("Nothing lowers it here."),)
    for one in rest:
        first = phrase("{first} {second}", first=first, second=one)
    return first
