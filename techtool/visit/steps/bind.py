"""Bind: is the terminal that answers the one on the counter, the one in the order, the one that was here before?"""

from __future__ import annotations

import asyncio
from typing import Final

from techtool.domain.binding import SHORTEST_LABEL, STOPS, Occasion, bind, label_fits, label_wanted
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.sensitive import redact
from techtool.domain.work_order import Binding, BindingProblem, same
from techtool.errors import GateClosed
from techtool.i18n import N_, Phrase, phrase
from techtool.visit.bind import remembered
from techtool.visit.incidents import open_incident
from techtool.visit.lane import Lane

PROBLEM_LABEL: Final = {
    BindingProblem.LABEL_DIFFERS: N_("the serial number on the label is not the one that the terminal reports"),
    BindingProblem.NOT_IN_ORDER: N_("the order does not name this terminal"),
    BindingProblem.DUPLICATE_SERIAL: N_("another unit with the same serial number was seen before"),
    BindingProblem.WRONG_MODEL: N_("the order names another model for this serial number"),
    BindingProblem.TID_DIFFERS: N_("its terminal number (TID) is not the one in the order"),
    BindingProblem.MID_DIFFERS: N_("its merchant number (MID) is not the one in the order"),
    BindingProblem.DUPLICATE_TID: N_("another terminal had this terminal number (TID) when it was seen last"),
    BindingProblem.RELOCATED: N_("it was seen last at another merchant's (relocated)"),
}
_REMEDY: Final = {
    BindingProblem.NOT_IN_ORDER: N_("Ask the office whether this terminal belongs to the order, or leave it alone."),
}
_STOP: Final = N_("Take the terminal out of use, do not open it, secure it and tell the acquirer.")


async def bind_terminal(lane: Lane) -> None:
    """Compare label, software, order and memory once; raises :class:`GateClosed` for what stops the work.

    What only does not fit is told and recorded. A lane that was bound before a stop is not asked again.
    """
    visit = lane.visit
    order = visit.order if visit else None
    merchant = (visit.merchant if visit else "") or (order.site.merchant_name if order else "")
    site = (order.site.site_id if order else "") or merchant
    occasion = Occasion(order, visit.type, site, merchant) if visit else Occasion()
    known = lane.record.binding
    if known is None or any(problem in STOPS for problem in _open(lane, known)):
        known = await _bound(lane, occasion)
    if order is not None and lane.wanted == order.wanted:
        lane.wanted = order.wanted_on(known.expected)


async def _bound(lane: Lane, occasion: Occasion) -> Binding:
    state = lane.known
    label = await _label(lane, state.identity.serial) if label_wanted(occasion) and not state.typed else ""
    entries = await asyncio.to_thread(remembered, lane.services, state, lane.log.visit_id)
    binding = bind(label, state, occasion, entries)
    lane.log.bound(lane.id, binding)
    # Only what the driver says is a warning; a stop is told as the error it is.
    for problem in binding.problems:
        if problem not in STOPS:
            text = phrase("Does not fit: {problem}.", problem=Phrase(PROBLEM_LABEL[problem]))
            lane.notice(text, step=StepKind.IDENTIFY, warning=True)
    for problem in binding.problems:
        if problem is BindingProblem.NOT_IN_ORDER and await _taken_all_the_same(lane):
            continue
        if problem in STOPS:
            await _stop(lane, problem, binding)
    return binding


async def _label(lane: Lane, serial: str) -> str:
    """What stands on the label; asked twice where it does not fit: a slip of the pen is likelier than a crime."""
    before = [a.answer for a in lane.record.answers if a.question_id == "identify.label"]
    if before and label_fits(before[-1], serial):
        return before[-1]
    said = ""
    for text in (
        phrase("Serial number on the label (the last four will do)"),
        phrase("That is not the serial number the terminal reports. Read the label once more"),
    ):
        question = Question(
            "identify.label",
            AnswerKind.TEXT,
            text,
            help=phrase("The label is on the underside, or under the battery; take the number beside S/N or 序列号."),
            serial=serial,
            optional=True,
        )
        said = (await lane.ask(StepKind.IDENTIFY, question)).strip()
        if not said or label_fits(said, serial):
            break
    if said and len(same(said)) < SHORTEST_LABEL:
        text = phrase(
            "Fewer than {count} characters prove nothing; the label counts as not read.", count=SHORTEST_LABEL
        )
        lane.notice(text, step=StepKind.IDENTIFY, warning=True)
        return ""
    return said


def _reason(lane: Lane) -> str:
    """Why a terminal that the order does not name was taken in, said before a stop."""
    said = [a.answer for a in lane.record.answers if a.question_id == "identify.not_in_order"]
    return said[-1] if said else ""


def _open(lane: Lane, binding: Binding) -> tuple[BindingProblem, ...]:
    """The problems that were not decided by a person."""
    decided = BindingProblem.NOT_IN_ORDER if _reason(lane) else None
    return tuple(problem for problem in binding.problems if problem is not decided)


async def _taken_all_the_same(lane: Lane) -> bool:
    """A terminal that the order forgot is everyday work: whoever says why may go on, and it stands in the report."""
    if _reason(lane):
        return True
    question = Question(
        "identify.not_in_order",
        AnswerKind.TEXT,
        phrase("The order does not name this terminal. Why is it worked on all the same?"),
        help=phrase(
            "For example: the office said so on the telephone, with a name. Without a reason it is left alone."
        ),
        serial=lane.known.identity.serial,
        optional=True,
    )
    reason = (await lane.ask(StepKind.IDENTIFY, question)).strip()
    if reason:
        text = phrase("Taken into the visit although the order does not name it: {reason}", reason=redact(reason))
        lane.notice(text, step=StepKind.IDENTIFY, warning=True)
    return bool(reason)


async def _stop(lane: Lane, problem: BindingProblem, binding: Binding) -> None:
    """Close the gate; a label or a double that does not fit is an incident."""
    reason = Phrase(PROBLEM_LABEL[problem])
    if problem is not BindingProblem.NOT_IN_ORDER:
        found = f"{binding.label_serial or '-'} / {binding.software_serial}"
        await open_incident(lane, f"binding.{problem.value}", found, StepKind.IDENTIFY)
    raise GateClosed(reason=reason, remedy=Phrase(_REMEDY.get(problem, _STOP)))
