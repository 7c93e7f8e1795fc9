"""The first run: language, name, report key, trusted root, recipients; one thing at a time, errors in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from techtool.domain.typed import TOLD_DIGITS
from techtool.errors import TechtoolError
from techtool.i18n import N_, _, translate
from techtool.tui import setup_flow
from techtool.tui.actions import bindings
from techtool.tui.screens.base import HouseScreen
from techtool.tui.setup_flow import Progress, SetupStep
from techtool.tui.views.lines import Line, Mark, Part
from techtool.tui.views.problem import complaint
from techtool.tui.views.settings import SAMPLE
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.question import widened
from techtool.tui.widgets.text import Plain, lines_grid

if TYPE_CHECKING:
    from techtool.bundles.roots import RootFacts

T = TypeVar("T")
TITLES: Final = {
    SetupStep.LANGUAGE: "语言 / Language",
    SetupStep.NAME: N_("Your name"),
    SetupStep.PASSPHRASE: N_("Your report key"),
    SetupStep.ROOT: N_("The office's root of trust"),
    SetupStep.RECIPIENTS: N_("The office's backup recipients"),
}
WORDS: Final = {
    SetupStep.LANGUAGE: "",
    SetupStep.NAME: N_("It stands in every report."),
    SetupStep.PASSPHRASE: N_(
        "Every report is signed with a key of your own. Choose its passphrase (8 characters or more); it cannot be "
        "recovered, and it is asked for at the beginning of each visit."
    ),
    SetupStep.ROOT: N_(
        "Sticks are believed only when they descend from the office's root. Give the file root.json, or the folder of "
        "a stick; then compare its fingerprint with what the office told you by telephone or on paper."
    ),
    SetupStep.RECIPIENTS: N_("Backups are encrypted to the office. Give the file with its age recipients, one a line."),
}
FIELDS: Final = {
    SetupStep.NAME: (("name", N_("Name"), False),),
    SetupStep.PASSPHRASE: (("first", N_("Passphrase"), True), ("second", N_("Passphrase again"), True)),
    SetupStep.ROOT: (("root", N_("Path of root.json, or of a stick"), False),),
    SetupStep.RECIPIENTS: (("recipients", N_("Path of the recipients file"), False),),
}


class StepForm(Vertical):
    """The fields of one step, made anew for each."""

    def __init__(self) -> None:
        super().__init__(id="form")
        self.step: SetupStep | None = None
        self.facts: RootFacts | None = None
        self.public = ""
        self.language = ""
        """Chosen just now; how the marks come out is asked next, and both are kept together."""

    def compose(self) -> ComposeResult:
        """Title, words, fields, the place for an error."""
        if self.step is None:
            yield from self._ready()
            return
        yield Plain(translate(TITLES[self.step]), classes="heading")
        if WORDS[self.step]:
            yield Plain(translate(WORDS[self.step]), classes="words")
        if self.step is SetupStep.LANGUAGE and self.language:
            yield from self._marks()
        elif self.step is SetupStep.LANGUAGE:
            yield Choices([Option("zh", "简体中文"), Option("en", "English")], id="languages")
        elif self.facts is not None:
            yield from self._fingerprint(self.facts)
        else:
            for name, title, secret in FIELDS[self.step]:
                yield Plain(translate(title), classes="field-title")
                yield Input(id=name, password=secret, compact=True)
        yield Plain("", id="problem", classes="problem-text")

    def _marks(self) -> Iterable[Widget]:
        """In both languages: the chosen one is in force only when the screens start again."""
        yield Plain("下面两行的竖线对齐吗？ / Do these two lines end at the same place?", classes="words first")
        for line in SAMPLE:
            yield Plain(f"  {line}")
        options = [Option("unicode", "对齐 / They do"), Option("ascii", "不对齐 / They do not")]
        yield Choices(options, id="marks", classes="first")

    def _fingerprint(self, facts: RootFacts) -> Iterable[Widget]:
        groups = facts.shown.split()
        yield Plain(_("Fingerprint of this root:"), classes="field-title")
        yield Plain("  " + " ".join(groups[:8]), classes="fingerprint")
        yield Plain("  " + " ".join(groups[8:]), classes="fingerprint")
        told = _("Its last {count} digits, as the office told you").format(count=TOLD_DIGITS)
        yield Plain(told, classes="field-title")
        yield Input(id="fingerprint", max_length=100, compact=True)

    def _ready(self) -> Iterable[Widget]:
        yield Plain(_("This laptop is ready"), classes="heading")
        if self.public:
            yield Plain(_("Send this line to the office; with it your reports can be checked:"), classes="words")
            yield Plain(self.public, classes="fingerprint")
        yield Choices([Option("home", _("Go to work"))], id="ready", start=0)


class FirstRunScreen(HouseScreen):
    """Asks only for what is missing."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "back", "quit")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "back")]
    ABOUT: ClassVar[str] = N_(
        "What this laptop needs before its first visit. Every step is kept as soon as it is right; leaving in between "
        "loses nothing. The same can be done with “techtool setup”."
    )

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress((), None)
        self._busy = False

    def top(self) -> tuple[Part, ...]:
        """How far it is."""
        text = _("First run: {done} of {all} done").format(done=len(self._progress.done), all=len(SetupStep))
        return (Part(text, keep=1),)

    def body(self) -> Iterable[Widget]:
        """Steps above, the form below."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Welcome. Five things first, once on this laptop."), classes="words first")
            yield Static(id="steps", markup=False)
            yield StepForm()

    def on_mount(self) -> None:
        """Find out what is missing."""
        self._go_on()

    def _go_on(self) -> None:
        self._work(lambda: setup_flow.progress(self.house.paths), self._show)

    async def _show(self, progress: Progress) -> None:
        self._progress = progress
        self.tell_top()
        lines = [
            Line(
                Mark.OK if s in progress.done else Mark.BUSY if s is progress.due else Mark.WAITING,
                translate(TITLES[s]),
            )
            for s in SetupStep
        ]
        self.query_one("#steps", Static).update(lines_grid(lines, self.glyphs, indent=2, words=False))
        await self._form(progress.due, None)

    async def _form(self, step: SetupStep | None, facts: RootFacts | None) -> None:
        form = self.query_one(StepForm)
        form.step, form.facts, form.language = step, facts, ""
        form.public = setup_flow.public_line(self.house.paths) if step is None else ""
        await form.recompose()
        self.arm()
        for field in form.query("Input, Choices"):
            field.focus()
            break

    def action_back(self) -> None:
        """From the fingerprint back to the file; nothing else is undone."""
        if self.query_one(StepForm).facts is not None and not self._busy:
            self._go_on()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """The language, or the end."""
        event.stop()
        form = self.query_one(StepForm)
        if event.control.id == "languages":
            form.language = event.value
            self.call_later(self._ask_marks)
        elif event.control.id == "marks":
            self.house.set_look(form.language, ascii_only=event.value == "ascii")
        else:
            self.house.first_run_done()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The next field, or the step."""
        event.stop()
        fields = list(self.query_one(StepForm).query(Input))
        place = fields.index(event.input)
        if place + 1 < len(fields):
            fields[place + 1].focus()
            return
        self._submit([field.value for field in fields])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say it at once where an input method widens a passphrase that nobody sees."""
        event.stop()
        for problem in self.query("#problem").results(Plain):
            problem.say(widened(event.value) if event.input.password else "")

    def _submit(self, values: list[str]) -> None:
        form, paths = self.query_one(StepForm), self.house.paths
        facts = form.facts
        match form.step:
            case SetupStep.NAME:
                self._work(lambda: setup_flow.keep_name(paths, values[0]), self._next)
            case SetupStep.PASSPHRASE:
                self._work(lambda: setup_flow.keep_passphrase(paths, values[0], values[1]), self._next)
            case SetupStep.ROOT if facts is None:
                self._work(lambda: setup_flow.root_at(values[0]), self._compare)
            case SetupStep.ROOT if facts is not None:
                self._work(lambda: setup_flow.accept_root(paths, facts, values[0]), self._next)
            case SetupStep.RECIPIENTS:
                self._work(lambda: setup_flow.keep_recipients(paths, values[0]), self._next)

    async def _ask_marks(self) -> None:
        form = self.query_one(StepForm)
        await form.recompose()
        self.arm()
        form.query_one(Choices).focus()

    async def _next(self, _result: object) -> None:
        self._go_on()

    async def _compare(self, facts: RootFacts) -> None:
        await self._form(SetupStep.ROOT, facts)

    def _work(self, job: Callable[[], T], then: Callable[[T], object]) -> None:
        """Do ``job`` in a thread, then go on, or say what is wrong where it was typed."""
        if not self._busy:
            self._busy = True
            self.house.in_background(job, then, self._complain, self._rested)

    def _rested(self) -> None:
        self._busy = False

    def _complain(self, error: TechtoolError) -> None:
        for problem in self.query("#problem").results(Plain):
            problem.say(complaint(error))
            self.call_after_refresh(problem.scroll_visible, animate=False)
        self.app.bell()


def _mark(done: bool, due: bool) -> Mark:
    return Mark.OK if done else Mark.BUSY if due else Mark.WAITING
