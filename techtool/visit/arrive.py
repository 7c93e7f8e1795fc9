"""Arrive: what a merchant may see before anybody touches a terminal, and who at the merchant's looked at it.

PCI DSS 9.5.1.3: people who say that they come to maintain terminals are verified, with a valid order, before they get
at one. Nothing here closes a gate: what was not asked or not answered stands in the report as not recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from techtool.clock import Clock
from techtool.domain.lint_shelf import joined
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.sensitive import redact
from techtool.domain.work_order import Arrival, VisitType, WorkOrder
from techtool.i18n import N_, Phrase, phrase, raw
from techtool.settings import Settings
from techtool.visit.operator import NO, YES, Operator

METHODS: Final = {
    "card-and-order": N_("Identity card and order were looked at"),
    "called-company": N_("The service company was called"),
    "known-person": N_("The technician is known there"),
}
WHAT: Final = {
    VisitType.INSTALL: N_("install a terminal"),
    VisitType.UPDATE: N_("update the terminals"),
    VisitType.INSPECTION: N_("inspect the terminals"),
    VisitType.REPAIR: N_("repair a terminal"),
    VisitType.SWAP: N_("swap a terminal"),
    VisitType.RELOCATION: N_("move a terminal to another place"),
    VisitType.REMOVAL: N_("take a terminal away"),
    VisitType.TRAINING: N_("train the staff"),
}
_NOT_COMPARED: Final = "not-compared"


@dataclass(frozen=True, slots=True)
class Met:
    """Where the visit is, and who was met."""

    merchant: str
    work_order: str
    arrival: Arrival


async def arrive(
    operator: Operator,
    clock: Clock,
    settings: Settings,
    order: WorkOrder | None,
    merchant: str,
    work_order: str,
    kind: VisitType,
) -> Met:
    """Ask what the order does not say, then for the identity check; every answer is optional."""
    arrived_at = clock.now()
    merchant = merchant or (order.site.merchant_name if order else "")
    work_order = work_order or (order.number if order else "")
    merchant = merchant or await _text(operator, "merchant", phrase("Merchant (name or number)"))
    work_order = work_order or await _text(operator, "work_order", phrase("Work order number"))
    shown = Question(
        "arrive.identity",
        AnswerKind.CONFIRM,
        phrase("Has the merchant seen who you are and what you come for?"),
        help=card(settings, order, work_order, kind),
        optional=True,
    )
    identity = {YES: True, NO: False}.get(await operator.ask(shown))
    by = method = ""
    if identity:
        by = await _text(operator, "identity_by", phrase("Who at the merchant's checked it? (name)"))
        method = await operator.ask(
            Question(
                "arrive.identity_method",
                AnswerKind.CHOICE,
                phrase("How was it checked?"),
                choices=tuple(Choice(value, Phrase(label)) for value, label in METHODS.items()),
                optional=True,
            )
        )
    match = await _address(operator, order)
    return Met(merchant, work_order, Arrival(arrived_at, identity, redact(by), method, address_match=match))


def card(settings: Settings, order: WorkOrder | None, work_order: str, kind: VisitType) -> Phrase:
    """What the merchant is shown: name, staff number, company, order, and what will be done."""
    company = (order.service_company if order else "") or settings.service_company
    who = [
        raw(settings.technician or "-"),
        *([phrase("staff no. {staff_no}", staff_no=settings.staff_no)] if settings.staff_no else []),
        *([raw(company)] if company else []),
        *([phrase("order {order}", order=work_order)] if work_order else []),
    ]
    return phrase("Show the merchant: {who}: {what}.", who=joined(who), what=Phrase(WHAT[kind]))


async def _text(operator: Operator, name: str, text: Phrase) -> str:
    return (await operator.ask(Question(f"arrive.{name}", AnswerKind.TEXT, text, optional=True))).strip()


async def _address(operator: Operator, order: WorkOrder | None) -> str:
    """Only an order that names an address can be compared with the place."""
    if order is None or not order.site.site_address:
        return ""
    question = Question(
        "arrive.address_match",
        AnswerKind.CHOICE,
        phrase("Is this the address of the order: {address}?", address=order.site.site_address),
        choices=(
            Choice(YES, phrase("Yes")),
            Choice(NO, phrase("No")),
            Choice(_NOT_COMPARED, phrase("Not compared")),
        ),
        optional=True,
    )
    answer = await operator.ask(question)
    return answer if answer in (YES, NO) else ""
