"""Who a terminal is that tells files and nothing that a rule could read: a person reads its label."""

from __future__ import annotations

from typing import Final

from techtool.catalogue.model import ModelRule
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.sensitive import redact
from techtool.domain.terminal import Evidence
from techtool.errors import GateClosed, UnknownModel
from techtool.i18n import phrase, raw
from techtool.links.base import Link
from techtool.terminals.base import Terminal
from techtool.terminals.identify import driver_for, typed_identity
from techtool.visit.lane import Lane

FAMILY: Final = "prolin"
OTHER: Final = "other"
_TRIES: Final = 3
_LONGEST: Final = 40


async def ask_identity(lane: Lane, link: Link, unknown: UnknownModel) -> Terminal:
    """The driver for the model that a person picks, with the serial number typed twice.

    Raises ``unknown`` where the model is none of those listed, :class:`GateClosed` where the number stays unsure. A
    visit that goes on asks for the serial number anew: only the label tells which terminal lies here.
    """
    rule = _known_before(lane) or await _model(lane, unknown)
    text = phrase("Nothing in what this terminal tells is known to be its serial number: it is read from the label.")
    lane.notice(text, step=StepKind.IDENTIFY, warning=True)
    identity = typed_identity(link, rule, await _serial(lane))
    return driver_for(link, identity, lane.services.catalogue, lane.services.clock)


def _known_before(lane: Lane) -> ModelRule | None:
    """The model that was picked earlier in this visit."""
    state = lane.record.before or lane.state
    if state is None:
        return None
    chosen = (state.identity.vendor, state.identity.model)
    return next((rule for rule in _rules(lane) if (rule.vendor, rule.model) == chosen), None)


async def _model(lane: Lane, unknown: UnknownModel) -> ModelRule:
    rules = {f"{rule.vendor}/{rule.model}": rule for rule in _rules(lane)}
    question = Question(
        "identify.model",
        AnswerKind.CHOICE,
        phrase("Which model is the terminal?"),
        help=phrase("Read it from the label. A model that is only similar is another one."),
        choices=(
            *(Choice(name, raw(rule.model_name), raw(rule.source)) for name, rule in rules.items()),
            Choice(OTHER, phrase("None of these")),
        ),
    )
    chosen = await lane.ask(StepKind.IDENTIFY, question)
    if chosen not in rules:
        raise unknown
    return rules[chosen]


def _rules(lane: Lane) -> list[ModelRule]:
    """Models of which a source says that this link is used with them, and that no rule can read."""
    listed = lane.services.catalogue.models
    return [r for r in listed if r.family == FAMILY and not r.model_from and r.evidence is not Evidence.SIMULATED]


async def _serial(lane: Lane) -> str:
    for _try in range(_TRIES):
        first = await _typed(lane, "identify.serial", again=False)
        if first and first.upper() == (await _typed(lane, "identify.serial.again", again=True)).upper():
            return first
    raise GateClosed(
        reason=phrase("the serial number was not typed the same way twice"),
        remedy=phrase("Clean the label, take a photo of it and read the number from the photo."),
    )


async def _typed(lane: Lane, name: str, *, again: bool) -> str:
    text = (
        phrase("Read the serial number once more and type it again")
        if again
        else phrase("Serial number of the terminal")
    )
    help_ = phrase("Read the label on the underside of the terminal.")
    answer = await lane.ask(StepKind.IDENTIFY, Question(name, AnswerKind.TEXT, text, help=help_))
    return redact("".join(c for c in answer if c.isprintable()).strip()[:_LONGEST])
