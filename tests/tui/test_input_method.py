"""Keys and fields while a Chinese input method is on: digits and letters arrive full-width."""

from __future__ import annotations

from techtool.domain.question import AnswerKind, Choice, Question
from techtool.i18n import raw
from techtool.tui.screens.ask import AskScreen
from tests.tui.hand import Hand, Stage


def choice() -> Question:
    return Question("a.b", AnswerKind.CHOICE, raw("Which?"), choices=(Choice("x", raw("one")), Choice("y", raw("two"))))


async def answered(hand: Hand, question: Question, typed: str) -> str:
    given: list[str] = []
    hand.app.house.ask("Asked", question, given.append)
    await hand.on(AskScreen)
    await hand.type(typed, *(() if question.kind is AnswerKind.CHOICE else ("enter",)))
    await hand.until(lambda: bool(given), typed)
    return given[0]


async def test_wide_digits_and_letters_are_what_they_stand_for(stage: Stage) -> None:
    async with stage.screens(size=(80, 24)) as hand:
        assert await answered(hand, choice(), "２") == "y"
        serial = Question("a.c", AnswerKind.LAST4, raw("Last four?"), serial="P2SIM23A1001")
        assert await answered(hand, serial, "１００１") == "1001"
        assert await answered(hand, Question("a.d", AnswerKind.TEXT, raw("Word?")), "ＥＲＡＳＥ") == "ERASE"
        assert await answered(hand, Question("a.e", AnswerKind.TEXT, raw("Found?")), "屏幕裂：Ｐ２") == "屏幕裂：P2"


async def test_a_secret_is_left_as_it_is_and_said_to_be_wide(stage: Stage) -> None:
    async with stage.screens(size=(80, 24)) as hand:
        given: list[str] = []
        hand.app.house.ask("Asked", Question("a.f", AnswerKind.SECRET, raw("Passphrase?")), given.append)
        await hand.on(AskScreen)
        await hand.type("ａｂ")
        await hand.until(lambda: "An input method is on" in " ".join(hand.text().split()), "the warning")
        await hand.press("enter")
        await hand.until(lambda: given == ["ａｂ"], "as it was typed")


async def test_enter_alone_says_how_to_choose(stage: Stage) -> None:
    async with stage.screens(size=(80, 24)) as hand:
        given: list[str] = []
        hand.app.house.ask("Asked", choice(), given.append)
        await hand.on(AskScreen)
        await hand.press("enter")
        await hand.until(lambda: "Choose a line by its digit" in " ".join(hand.text().split()), "how")
        assert not given
        await hand.press("down", "enter")
        await hand.until(lambda: given == ["x"], "chosen")
