"""Sign-off: typed with a code, on paper, refused; recorded as what it was, and asked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate

import pytest

from techtool.domain.question import Question
from techtool.domain.sign_off import CODE_LETTERS, SignOff, SignOffWay, confirmation_code, same_code
from techtool.errors import Exit
from techtool.events import Finished
from techtool.store.frames import GENESIS, chained, scan
from techtool.visit.operator import Operator, ScriptedOperator
from techtool.visit.steps.sign_off import AUTO, RATINGS, TRIES, what_it_came_to
from tests import factories as f
from tests.unit.reports import evidence as e
from tests.visit.conftest import Shop


@dataclass
class Typist:
    """A person at the counter: types the code from the screen, wrongly so many times first."""

    script: ScriptedOperator
    wrong: int = 0
    asked: list[Question] = field(default_factory=list)

    async def ask(self, question: Question) -> str:
        self.asked.append(question)
        if question.id != "sign_off.code":
            return await self.script.ask(question)
        seen = sum(q.id == question.id for q in self.asked)
        code = str(question.text.params["code"])
        return "WRO-NGG" if seen <= self.wrong else code.replace("-", "").lower()


async def signed_off(shop: Shop, operator: Operator | None = None) -> tuple[Finished, SignOff | None]:
    async with shop.terminals() as simulation:
        if isinstance(operator, Typist):
            last4 = simulation.serials[0][-4:]
            operator.script = ScriptedOperator(shop.answers(), (last4,))
        finished = await shop.run(*simulation.addresses, operator=operator)
    return finished, shop.visit().sign_off


async def test_a_code_that_is_typed_is_derived_from_the_record(shop: Shop) -> None:
    _finished, made = await signed_off(shop, Typist(ScriptedOperator()))
    assert made is not None
    assert (made.way, made.name, made.role) == (SignOffWay.TYPED, "Demo Shopkeeper", "Owner")
    assert made.code_typed
    assert made.code == confirmation_code(made.head)


async def test_the_code_confirms_everything_that_was_said_before_it(shop: Shop) -> None:
    shop.changed = {
        "sign_off.notes": "cable worn",
        "sign_off.recommendations": "a new base",
        "sign_off.followup": "2026-12-31, the base",
        "sign_off.training": "Li: refunds",
        "sign_off.rating": "4",
    }
    typist = Typist(ScriptedOperator())
    finished, made = await signed_off(shop, typist)
    assert made is not None
    noted = (made.findings, made.recommendations, made.followup, made.training, made.rating)
    assert noted == ("cable worn", "a new base", "2026-12-31, the base", "Li: refunds", "4")
    question = typist.asked[-1]
    assert question.id == "sign_off.code"
    assert question.help is not None
    assert "cable worn; a new base" in question.help.text("en")
    frames = scan((shop.world.paths.visits / f"{finished.visit}.jnl").read_bytes())
    chains = list(accumulate(frames.payloads, chained, initial=GENESIS))
    after = frames.payloads[chains.index(made.head) :]
    assert not [line for line in after if b"sign_off." in line], "no answer of the sign-off came after the code"
    assert len(after) == 3, "the sign-off, the outcome and the seal"
    page = (shop.world.paths.reports / finished.visit / f"{finished.visit}.en.html").read_text(encoding="utf-8")
    assert "a new base" in page


@pytest.mark.slow
async def test_a_refusal_is_not_rated(shop: Shop) -> None:
    shop.changed = {"sign_off.way": "refused", "sign_off.reason": "owner away", "sign_off.notes": "cable worn"}
    _finished, made = await signed_off(shop)
    assert made is not None
    assert (made.findings, made.rating) == ("cable worn", "")


async def test_a_wrong_code_is_asked_for_again(shop: Shop) -> None:
    typist = Typist(ScriptedOperator(), wrong=TRIES - 1)
    _finished, made = await signed_off(shop, typist)
    assert made is not None
    assert made.code_typed
    assert [q.id for q in typist.asked].count("sign_off.code") == TRIES


@pytest.mark.slow
async def test_a_code_that_is_never_right_is_left_out(shop: Shop) -> None:
    finished, made = await signed_off(shop, Typist(ScriptedOperator(), wrong=99))
    assert made is not None
    assert (made.code, made.code_typed, made.name) == ("", False, "Demo Shopkeeper")
    assert finished.sealed


async def test_auto_says_that_no_person_typed_it(shop: Shop) -> None:
    shop.changed = {"sign_off.code": AUTO}
    finished, made = await signed_off(shop)
    assert made is not None
    assert made.code == confirmation_code(made.head)
    assert not made.code_typed
    page = (shop.world.paths.reports / finished.visit / f"{finished.visit}.en.html").read_text(encoding="utf-8")
    assert "not typed by a person" in page


@pytest.mark.slow
async def test_an_older_answers_file_with_a_name_alone_still_serves(shop: Shop) -> None:
    shop.changed = {f"sign_off.{name}": "MISSING" for name in ("way", "role", "code")}
    _finished, made = await signed_off(shop)
    assert made is not None
    assert (made.way, made.name, made.code) == (SignOffWay.TYPED, "Demo Shopkeeper", "")


@pytest.mark.slow
async def test_nothing_said_is_nothing_recorded(shop: Shop) -> None:
    shop.changed = {f"sign_off.{name}": "MISSING" for name in ("way", "name", "role", "code")}
    finished, made = await signed_off(shop)
    assert made is None
    assert finished.sealed


async def test_a_refusal_has_its_reason(shop: Shop) -> None:
    shop.changed = {"sign_off.way": "refused", "sign_off.reason": "owner away, 4111 1111 1111 1111"}
    _finished, made = await signed_off(shop)
    assert made is not None
    assert made.way is SignOffWay.REFUSED
    assert made.reason.startswith("owner away, ")
    assert "4111 1111" not in made.reason
    assert made.code == ""


@pytest.mark.slow
async def test_a_refusal_without_reason_leaves_the_visit_open(shop: Shop) -> None:
    shop.changed = {"sign_off.way": "refused"}
    finished, made = await signed_off(shop)
    assert (finished.exit_code, finished.sealed, made) == (Exit.ANSWER_MISSING, False, None)


@pytest.mark.slow
async def test_a_photo_of_the_signed_paper_is_taken_in(shop: Shop) -> None:
    photo = shop.world.folder / "paper.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + b"\x00" * 64 + b"\xff\xd9")
    shop.changed = {"sign_off.way": "paper", "sign_off.photo": str(photo)}
    _finished, made = await signed_off(shop)
    assert made is not None
    assert made.way is SignOffWay.PAPER
    (file,) = [x for x in shop.visit().evidence if x.about == "sign_off.paper"]
    assert made.photo == file.sha256


@pytest.mark.parametrize("typed", ["ABC-DEF", "abcdef", " abc def "])
def test_a_code_is_read_however_it_is_written(typed: str) -> None:
    assert same_code(typed, "ABC-DEF")
    assert not same_code(typed, "ABC-DEE")


def test_codes_are_short_clear_and_differ() -> None:
    codes = {confirmation_code(f.digest_of(str(n))) for n in range(500)}
    assert len(codes) == 500
    assert all(len(code) == 7 and set(code) - {"-"} <= set(CODE_LETTERS) for code in codes)


def test_the_merchant_is_shown_what_is_not_in_order() -> None:
    text = what_it_came_to(f.visit_record(f.lane_done(), f.lane_failed(), e.full_lane())).text("en")
    assert "1 of 3 terminals complete" in text
    assert "P2A0987654321: failed, terminal works as before." in text
    assert "required tests open: SE-02, TX-02" in text


def test_the_digit_that_chooses_a_rating_is_the_rating() -> None:
    """A merchant says “five”, and the technician presses 5."""
    assert [value for value, _label in RATINGS] == ["1", "2", "3", "4", "5", ""]
