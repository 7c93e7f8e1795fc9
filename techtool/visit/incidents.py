"""An anomaly that stops the work is an incident: it gets a number at once, then it is asked who was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from techtool.domain.evidence import Incident
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.sensitive import redact
from techtool.errors import GateClosed
from techtool.i18n import phrase
from techtool.visit.lane import Lane
from techtool.visit.operator import YES


async def open_incident(lane: Lane, what: str, note: str, step: StepKind, evidence: Sequence[str] = ()) -> Incident:
    """Record it before anything is asked; the answers, both of them optional, are recorded after.

    Found again in the same visit, it keeps its number.
    """
    log = lane.log
    known = log.incidents_of(lane.id)
    before = next((incident for incident in known if incident.what == what), None)
    number = before.no if before else f"{log.visit_id}-{lane.id}-{len(known) + 1}"
    incident = Incident(number, what, redact(note), lane.services.clock.now(), evidence=tuple(evidence))
    log.incident(lane.id, incident)
    text = phrase("Incident {number} was opened: it stands in the report.", number=number)
    lane.notice(text, step=step, warning=True)
    serial = lane.known.identity.serial
    removed = Question(
        f"{step.value}.incident.removed_from_use",
        AnswerKind.CONFIRM,
        phrase("Was the terminal taken out of use and secured, unopened?"),
        help=phrase("Do not open or examine it further; put it where nobody can reach it."),
        serial=serial,
        optional=True,
    )
    reported = Question(
        f"{step.value}.incident.reported_to",
        AnswerKind.TEXT,
        phrase("Who was told of it, and when?"),
        help=phrase("The acquirer and the merchant's person in charge; name and time."),
        serial=serial,
        optional=True,
    )
    said = await lane.ask(step, removed)
    told = await lane.ask(step, reported)
    out = None if not said else said == YES
    incident = replace(incident, removed_from_use=out, secured=out, reported_to=redact(told))
    log.incident(lane.id, incident)
    return incident


async def close_incidents(lane: Lane) -> None:
    """Before the work goes on: of each open incident it is said who released the terminal, and what it was.

    A better answer the second time does not undo an anomaly. Raises :class:`GateClosed` where nobody says it.
    """
    for incident in lane.log.incidents_of(lane.id):
        if not incident.is_open:
            continue
        question = Question(
            f"{StepKind.INSPECT.value}.incident.closed",
            AnswerKind.TEXT,
            phrase(
                "Incident {number} ({what}) is open. Who released the terminal, and what was it?",
                number=incident.no,
                what=incident.what,
            ),
            help=phrase("Name, and what was found. Without it the terminal stays out of use; leave it empty then."),
            serial=lane.known.identity.serial,
            optional=True,
        )
        said = redact((await lane.ask(StepKind.INSPECT, question)).strip())
        if not said:
            raise GateClosed(
                reason=phrase("incident {number} is open", number=incident.no),
                remedy=phrase("Take the terminal out of use, do not open it, secure it and tell the acquirer."),
            )
        lane.log.incident(lane.id, replace(incident, closed_because=said, closed_at=lane.services.clock.now()))
