"""Sign off: what the visit came to is shown to the merchant, and how they took it is recorded as what it was.

Three ways: name, role and a confirmation code typed on the laptop; signed on paper, with a photo of it; refused, with
the reason. The code is derived from the record as it stands, so whoever has the record can derive it again; an answers
file may ask for it with the word ``auto``, and then the record says that no person typed it. Where only a name is
given, only a name is recorded; where nothing is said, nothing is, and the report shows that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from techtool.domain.conclusion import CONCLUSION_LABEL, conclusion, lane_conclusion, open_required
from techtool.domain.evidence import EvidenceKind
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.sensitive import redact
from techtool.domain.sign_off import Conclusion, SignOff, SignOffWay, confirmation_code, same_code
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.i18n import N_, Phrase, phrase
from techtool.visit.evidence import ask_visit_photo, digests
from techtool.visit.log import WHOLE_VISIT, VisitLog, read_visit
from techtool.visit.operator import Operator
from techtool.visit.services import Services

AUTO: Final = "auto"
"""What an answers file says for the code when nobody is there to type it."""
TRIES: Final = 3
"""A code that was mistyped so often is left out, and the record says so."""
_MOST_SHOWN: Final = 5
"""Terminals that need a word, on a screen of 24 lines."""
_WAYS: Final = (
    (SignOffWay.TYPED, N_("Type name and code here")),
    (SignOffWay.PAPER, N_("It was signed on paper")),
    (SignOffWay.REFUSED, N_("Nobody signs")),
)


async def sign_off(services: Services, log: VisitLog, operator: Operator) -> None:
    """Ask how the merchant takes it; a visit that was signed off before it was stopped is not asked again."""
    visit = read_visit(log.db)
    if visit.sign_off is None:
        made = await _Desk(services, log, operator).ask_all(visit)
        if made is not None:
            log.signed_off(made)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The questions at the counter."""

    services: Services
    log: VisitLog
    operator: Operator

    async def ask_all(self, visit: VisitRecord) -> SignOff | None:
        """Way first, then what that way needs; two more lines for what no other step asked. None: nothing was said."""
        choices = tuple(Choice(way.value, Phrase(label)) for way, label in _WAYS)
        text = phrase("Show the merchant what the visit came to. How is it signed off?")
        question = Question("sign_off.way", AnswerKind.CHOICE, text, what_it_came_to(visit), choices, optional=True)
        said = await self._ask(question)
        way = SignOffWay(said) if said else SignOffWay.TYPED
        match way:
            case SignOffWay.TYPED:
                made = await self._typed()
            case SignOffWay.PAPER:
                made = await self._on_paper()
            case SignOffWay.REFUSED:
                reason = await self._text("reason", phrase("Why does nobody sign?"), optional=False)
                made = SignOff(way, self.services.clock.now(), reason=reason)
        if made is None:
            return None
        notes = await self._text("notes", phrase("Findings, parts and material used, what is to follow?"))
        training = await self._text("training", phrase("Was somebody trained? Name and topics"))
        return replace(made, findings=notes, training=training)

    async def _typed(self) -> SignOff | None:
        name = await self._name()
        if not name:
            return None
        role = await self._role()
        head = self.log.db.head
        code, typed = await self._code(confirmation_code(head))
        at = self.services.clock.now()
        return SignOff(SignOffWay.TYPED, at, name, role, code, code_typed=typed, head=head if code else "")

    async def _on_paper(self) -> SignOff:
        name = await self._name()
        role = await self._role()
        files = await ask_visit_photo(
            self.services,
            self.log,
            self.operator,
            "sign_off.paper",
            EvidenceKind.SIGNATURE,
            question="sign_off.photo",
            text=phrase("Photo of the signed paper (path of the file)"),
        )
        at = self.services.clock.now()
        return SignOff(SignOffWay.PAPER, at, name, role, photo=next(iter(digests(files)), ""))

    async def _name(self) -> str:
        return await self._text("name", phrase("Name of the person at the merchant's who saw the result"))

    async def _role(self) -> str:
        return await self._text("role", phrase("Role of that person (owner, manager, cashier …)"))

    async def _code(self, code: str) -> tuple[str, bool]:
        """The code and whether a person typed it; empty where nobody did."""
        text = phrase("The merchant types this code to confirm: {code}", code=code)
        for _ in range(TRIES):
            hint = phrase("Six letters, small or capital. Empty: the name stands alone, and the report says so.")
            given = (
                await self.operator.ask(Question("sign_off.code", AnswerKind.TEXT, text, hint, optional=True))
            ).strip()
            if not given:
                return "", False
            if given.casefold() == AUTO:
                return code, False
            if same_code(given, code):
                return code, True
            text = phrase("That is not the code. Type it as it stands here: {code}", code=code)
        self.log.noted(WHOLE_VISIT, phrase("The confirmation code was not typed as shown."), warning=True)
        return "", False

    async def _text(self, name: str, text: Phrase, *, optional: bool = True) -> str:
        return redact(await self._ask(Question(f"sign_off.{name}", AnswerKind.TEXT, text, optional=optional)))

    async def _ask(self, question: Question) -> str:
        answer = (await self.operator.ask(question)).strip()
        if answer:
            self.log.answered(WHOLE_VISIT, question, answer)
        return answer


def what_it_came_to(visit: VisitRecord) -> Phrase:
    """What the merchant is shown before signing: the conclusion, then each terminal that is not in order, and why."""
    good = sum(lane_conclusion(lane) is Conclusion.COMPLETE for lane in visit.lanes)
    said = phrase(
        "{conclusion}: {good} of {count} terminals complete.",
        conclusion=Phrase(CONCLUSION_LABEL[conclusion(visit)]),
        good=good,
        count=len(visit.lanes),
    )
    lines = [line for lane in visit.lanes if (line := _not_in_order(lane)) is not None]
    for line in lines[:_MOST_SHOWN]:
        said = phrase("{before} {line}", before=said, line=line)
    if len(lines) > _MOST_SHOWN:
        more = phrase("{count} more terminals are not in order.", count=len(lines) - _MOST_SHOWN)
        said = phrase("{before} {line}", before=said, line=more)
    return said


def _not_in_order(lane: LaneRecord) -> Phrase | None:
    """One sentence about a terminal that is not complete."""
    if lane_conclusion(lane) is Conclusion.COMPLETE:
        return None
    name = lane.serial or lane.address
    outcome = Phrase(OUTCOME_LABEL[lane.outcome]) if lane.outcome else phrase("not finished")
    tests = ", ".join(test.id for test in open_required(lane))
    if tests:
        return phrase(
            "{terminal}: {outcome}; required tests open: {tests}.", terminal=name, outcome=outcome, tests=tests
        )
    return phrase("{terminal}: {outcome}.", terminal=name, outcome=outcome)
