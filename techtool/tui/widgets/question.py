"""One question of the engine and the ways to answer it: by digit, by typing, never by a stray key."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from techtool.domain.question import AnswerKind, CheckResult, Choice, Question
from techtool.domain.typed import narrow, narrow_words
from techtool.i18n import _
from techtool.tui.theme import COLOUR
from techtool.tui.views.lines import Mark, named
from techtool.tui.widgets.checklist import Checklist
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, glyphs_of
from techtool.visit.operator import NO, YES, acceptable

_TYPED = frozenset({AnswerKind.TEXT, AnswerKind.LAST4, AnswerKind.SECRET, AnswerKind.FILE})

_LONGEST = {AnswerKind.LAST4: 4, AnswerKind.FILE: 4_000}
"""Characters that may be typed; several paths are long."""


class QuestionPanel(VerticalScroll, can_focus=False):
    """Asks one question at a time and posts ``Answered`` with an answer of the right shape."""

    @dataclass
    class Answered(Message):
        """The person answered."""

        question: Question
        text: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.question: Question | None = None
        self._hint = ""
        self._before_reason = ""
        """What stands in the answer before the reason that is being typed."""
        self._field: Widget | None = None
        """Where this question is answered: what an older field still says does not count."""
        self._reason: Input | None = None

    async def ask(self, question: Question | None, hint: str = "") -> None:
        """Show this question, or nothing."""
        if question is self.question:
            return
        self.question, self._hint, self._before_reason, self._reason = question, hint, "", None
        self.display = question is not None
        self.set_class(question is not None and question.kind is AnswerKind.CHECKLIST, "-checklist")
        await self.recompose()
        self.focus_first()

    def focus_first(self) -> None:
        """Put the cursor where the answer goes."""
        for widget in self.query("Choices, Input"):
            widget.focus(scroll_visible=False)
            return

    def compose(self) -> ComposeResult:
        """The question, what helps to answer it, the answers."""
        question = self.question
        if question is None:
            return
        mark = glyphs_of(self.app).marks[Mark.NEEDS]
        yield Plain(f"{mark} {question.text.text()}", classes="question-text")
        if question.help is not None and question.kind is not AnswerKind.CHECKLIST:
            yield Plain(question.help.text(), classes="question-help")
        if question.kind in _TYPED:
            self._field = self._input(question)
        elif question.kind is AnswerKind.CHECKLIST:
            self._field = Checklist(question.items, id="answers")
        else:
            self._field = Choices(_options(question), id="answers")
        yield self._field
        if question.kind is AnswerKind.CHECKLIST:
            yield Plain(_item_help(question.items[0]), classes="question-help", id="item-help")
        yield Plain(self._note(question), classes="question-note")
        yield Plain("", classes="problem-text")

    def _input(self, question: Question) -> Input:
        return Input(
            password=question.kind is AnswerKind.SECRET,
            max_length=_LONGEST.get(question.kind, 200),
            id="answer",
            compact=True,
        )

    def _note(self, question: Question) -> str:
        notes = [self._hint] if self._hint else []
        if question.kind is AnswerKind.LAST4:
            notes.append(_("Four characters, then Enter. Nothing on the terminal changes before that."))
        elif question.kind in (AnswerKind.TEXT, AnswerKind.FILE) and question.optional:
            notes.append(_("May be left empty: Enter goes on."))
        elif question.kind is AnswerKind.CHECKLIST:
            notes.append(_("a: all in order · Space: mark what is not, then Enter · n: not done"))
        return "  ".join(notes)

    def refuse(self, text: str) -> None:
        """Say why the answer does not do."""
        for problem in self.query(".problem-text").results(Plain):
            problem.styles.color = COLOUR[Mark.STOPPED]
            problem.say(text)
            self.call_after_refresh(problem.scroll_visible, animate=False)
        self.app.bell()

    async def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A choice is an answer, unless it needs a reason."""
        event.stop()
        question = self.question
        if question is None or event.control is not self._field:
            return
        if question.kind is AnswerKind.TEST_RESULT:
            result = CheckResult(event.value)
            if result in (CheckResult.NOT_APPLICABLE, CheckResult.NOT_DONE):
                await self._ask_reason(f"{result.value}: ", _("Why? It stands in the report."))
                return
        self._offer(question, event.value)

    def on_choices_undecided(self, event: Choices.Undecided) -> None:
        """Enter alone chooses nothing, and says how something is chosen."""
        event.stop()
        if event.control is self._field:
            self.refuse(_("Choose a line by its digit, or with ↑ ↓ and then Enter."))

    async def on_checklist_ended(self, event: Checklist.Ended) -> None:
        """All in order is an answer; what is not needs words."""
        event.stop()
        question = self.question
        if question is None or event.control is not self._field:
            return
        if event.result is CheckResult.PASS:
            self._offer(question, event.result.value)
        elif event.result is CheckResult.NOT_DONE:
            await self._ask_reason(f"{event.result.value}: ", _("Why? It stands in the report."))
        elif not event.items:
            self.refuse(_("Nothing is marked: “a” says that all is in order."))
        else:
            marked = f"{event.result.value}: {', '.join(event.items)}; "
            await self._ask_reason(marked, _("What did you find? It stands in the report."))

    def on_checklist_looked(self, event: Checklist.Looked) -> None:
        """When the item under the cursor is in order."""
        event.stop()
        for line in self.query("#item-help").results(Plain):
            line.say(_item_help(event.item))

    async def _ask_reason(self, before: str, hint: str) -> None:
        self._before_reason = before
        await self.query("#reason").remove()
        field = Input(placeholder=hint, id="reason", max_length=200, compact=True)
        self._reason = field
        await self.mount(field, after=self.query_one("#answers"))
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """What was typed is the answer, if it fits."""
        event.stop()
        question = self.question
        if question is None or event.input not in (self._field, self._reason):
            return
        if event.input is self._reason:
            self._offer(question, f"{self._before_reason}{narrow_words(event.value)}")
            return
        self._offer(question, _as_meant(question, event.value))

    def on_input_changed(self, event: Input.Changed) -> None:
        """The complaint goes when it is being mended, not when the field is emptied for it."""
        event.stop()
        if not event.value:
            return
        unseen = self.question is not None and self.question.kind is AnswerKind.SECRET
        for problem in self.query(".problem-text").results(Plain):
            problem.say(widened(event.value) if unseen else "")

    def _offer(self, question: Question, text: str) -> None:
        if acceptable(question, text):
            self.post_message(self.Answered(question, text))
            return
        self.refuse(_refusal(question))
        for field in self.query("#answer").results(Input):
            if question.kind is AnswerKind.LAST4:
                field.value = ""


def _as_meant(question: Question, text: str) -> str:
    """What was typed without an input method's wide letters and digits; a secret and a path are left as they are."""
    match question.kind:
        case AnswerKind.SECRET:
            return text
        case AnswerKind.LAST4:
            return narrow(text)
        case AnswerKind.TEXT:
            return narrow_words(text)
        case _:
            return text.strip()


def widened(secret: str) -> str:
    """A warning where an input method widens what nobody sees; empty: it does not."""
    wide = narrow(secret) != secret.strip()
    return _("An input method is on: these letters arrive full-width. Switch it off and type again.") if wide else ""


def _item_help(item: Choice) -> str:
    return named(item.label.text(), item.help.text()) if item.help else ""


def _options(question: Question) -> list[Option]:
    match question.kind:
        case AnswerKind.CONFIRM:
            return [Option(YES, _("Yes")), Option(NO, _("No"))]
        case AnswerKind.TEST_RESULT:
            return [
                Option(CheckResult.PASS.value, _("Pass")),
                Option(CheckResult.FAIL.value, _("Fail")),
                Option(CheckResult.NOT_APPLICABLE.value, _("Not applicable"), _("with a reason")),
                Option(CheckResult.NOT_DONE.value, _("Not done"), _("with a reason")),
            ]
        case _:
            return [Option(choice.value, choice.label.text()) for choice in question.choices]


def _refusal(question: Question) -> str:
    if question.kind is AnswerKind.LAST4:
        return _("These are not the last four of {serial}. Nothing was started.").format(serial=question.serial)
    if question.kind in (AnswerKind.TEST_RESULT, AnswerKind.CHECKLIST):
        return _("A reason is needed; it stands in the report.")
    return _("An answer is needed.")
