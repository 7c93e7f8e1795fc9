"""Sign off: what the visit came to is shown to the merchant, and how they took it is recorded as what it was.

Three ways: name, role and a confirmation code typed on the laptop; signed on paper, with a photo of it; refused, with
the reason. What is to stand under “Close” is asked before: the code is the last question, it is derived from the record
as it then stands, and whoever has the record can derive it again. An answers file may ask for it with the word
``auto``, and then the record says that no person typed it. Where only a name is given, only a name is recorded; where
nothing is said, nothing is, and the report shows that.
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
RATINGS: Final = (
    ("1", N_("not at all satisfied")),
    ("2", N_("not satisfied")),
    ("3", N_("neither")),
    ("4", N_("satisfied")),
    ("5", N_("very satisfied")),
    ("", N_("no answer")),
)
"""In this order, so that the digit that chooses a line is the rating."""


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
        """Way, who, what no other step asked, and last what confirms all of it. None: nothing was said."""
        choices = tuple(Choice(way.value, Phrase(label)) for way, label in _WAYS)
        text = phrase("Show the merchant what the visit came to. How is it signed off?")
        question = Question("sign_off.way", AnswerKind.CHOICE, text, what_it_came_to(visit), choices, optional=True)
        said = await self._ask(question)
        way = SignOffWay(said) if said else SignOffWay.TYPED
        match way:
            case SignOffWay.TYPED:
                return await self._typed()
            case SignOffWay.PAPER:
                return await self._on_paper()
            case SignOffWay.REFUSED:
                reason = await self._text("reason", phrase("Why does nobody sign?"), optional=False)
                return await self._closing_words(self._begun(way, reason=reason), who=False)

    def _begun(self, way: SignOffWay, name: str = "", role: str = "", reason: str = "") -> SignOff:
        return SignOff(way, self.services.clock.now(), name, role, reason=reason)

    async def _closing_words(self, begun: SignOff, *, who: bool = True) -> SignOff:
        """What stands under “Close” in the report; each may be skipped. ``who``: somebody is there to rate it."""
        return replace(
            begun,
            findings=await self._text("notes", phrase("Findings, parts and material used?")),
            recommendations=await self._text("recommendations", phrase("What do you recommend to the merchant?")),
            followup=await self._text("followup", phrase("Must somebody come again? Date and reason, e.g. 2026-12-31")),
            training=await self._text("training", phrase("Was somebody trained? Name and topics")),
            rating=await self._rating() if who else "",
        )

    async def _rating(self) -> str:
        choices = tuple(Choice(value, Phrase(label)) for value, label in RATINGS)
        text = phrase("How satisfied is the merchant? Let them choose.")
        return await self._ask(Question("sign_off.rating", AnswerKind.CHOICE, text, choices=choices, optional=True))

    async def _typed(self) -> SignOff | None:
        name = await self._name()
        if not name:
            return None
        made = await self._closing_words(self._begun(SignOffWay.TYPED, name, await self._role()))
        head = self.log.db.head
        code, typed = await self._code(confirmation_code(head), made)
        return replace(made, at=self.services.clock.now(), code=code, code_typed=typed, head=head if code else "")

    async def _on_paper(self) -> SignOff:
        name = await self._name()
        made = await self._closing_words(self._begun(SignOffWay.PAPER, name, await self._role()))
        files = await ask_visit_photo(
            self.services,
            self.log,
            self.operator,
            "sign_off.paper",
            EvidenceKind.SIGNATURE,
            question="sign_off.photo",
            text=phrase("Photo of the signed paper (path of the file)"),
        )
        return replace(made, at=self.services.clock.now(), photo=next(iter(digests(files)), ""))

    async def _name(self) -> str:
        return await self._text("name", phrase("Name of the person at the merchant's who saw the result"))

    async def _role(self) -> str:
        return await self._text("role", phrase("Role of that person (owner, manager, cashier …)"))

    async def _code(self, code: str, made: SignOff) -> tuple[str, bool]:
        """The code and whether a person typed it; empty where nobody did."""
        text = phrase("The merchant types this code to confirm: {code}", code=code)
        hint = what_was_noted(made)
        for _ in range(TRIES):
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


def what_was_noted(made: SignOff) -> Phrase:
    """What the merchant confirms beside the result, shown with the code."""
    hint = phrase("Six letters, small or capital. Empty: the name stands alone, and the report says so.")
    noted = "; ".join(filter(None, (made.findings, made.recommendations, made.followup, made.training)))
    return phrase("{hint} Noted: {noted}", hint=hint, noted=noted) if noted else hint


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
