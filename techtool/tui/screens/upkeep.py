"""The end of backups and who opened them: what is past its time, what goes with it, and the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from techtool.domain.question import AnswerKind, Question
from techtool.errors import TechtoolError
from techtool.i18n import N_, _, phrase
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.backups import log_lines, upkeep_lines
from techtool.tui.views.lines import Part, day_and_time
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, lines_grid

if TYPE_CHECKING:
    from techtool.visit.backup_log import LogEntry
    from techtool.visit.retention import Pruned

DELETE: Final = "delete"
CLOCK: Final = "clock"
SHOWN: Final = 200
"""Lines of the log, the newest."""


class UpkeepScreen(FormScreen):
    """Shows what would go before anything does; deleting wants its number typed."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "This laptop's own keys to backups are deleted when their time is up; from then on only the office can open "
        "them. With the office's word, which is kept in the log, the files go too. Nothing goes before you typed how "
        "many. Below: who opened or deleted what, newest first."
    )

    def __init__(self) -> None:
        super().__init__()
        self._pruned: Pruned | None = None
        self._days = 0
        self._clock_is_right = False
        self._doubted = False
        """The clock was not believed: the way to say that it is right is shown."""

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Log and end of backups"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """What is past its time, the office's word, the log."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Past their time"), classes="heading")
            yield Plain(_("Looking …"), id="note", classes="question-note")
            yield quiet("problem")
            yield Static(id="going", markup=False)
            yield Plain(_("The office's word that the files may go too (else left empty)"), classes="field-title")
            yield Input(placeholder=_("who said so, and when"), id="word", max_length=200, compact=True)
            yield Choices(id="ways", label_width=34, classes="first")
            yield Plain(_("Who opened or deleted what, newest first"), classes="heading")
            yield Static(id="log", markup=False)

    def on_mount(self) -> None:
        """Look."""
        self.arm()
        self.query_one(Choices).focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look at what would go, and at the log."""
        doors, word, right = self.house.doors, self._word(), self._clock_is_right

        def job() -> tuple[Sequence[LogEntry], tuple[Pruned, int] | TechtoolError]:
            log = doors.backup_log()
            try:
                return log, doors.prune(word, dry_run=True, clock_is_right=right)
            except TechtoolError as error:
                return log, error

        self.work(job, self._found)

    def _word(self) -> str:
        return self.query_one("#word", Input).value.strip()

    async def _found(self, found: tuple[Sequence[LogEntry], tuple[Pruned, int] | TechtoolError]) -> None:
        if not self.is_mounted:
            return
        log, going = found
        self.query_one("#log", Static).update(lines_grid(log_lines(log[-SHOWN:]), self.glyphs))
        if isinstance(going, TechtoolError):
            self._pruned, self._doubted = None, True
            self.query_one("#going", Static).update("")
            self.failed(going)
        else:
            self._pruned, self._days = going
            self.note("")
            self.query_one("#going", Static).update(lines_grid(upkeep_lines(*going, done=False), self.glyphs))
        await self.query_one(Choices).offer(self._ways())

    def _ways(self) -> list[Option]:
        ways = []
        if self._pruned is not None and self._pruned.any:
            ways.append(Option(DELETE, _("Delete what stands above"), _("the number is asked for first")))
        if self._doubted:
            now = day_and_time(self.house.doors.clock.now())
            right = _("This laptop's clock is right: {now}").format(now=now)
            ways.append(Option(CLOCK, right, picked=self._clock_is_right))
        return ways

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """With the office's word more goes: look again."""
        event.stop()
        self.action_refresh()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Ask for the number, or believe the clock."""
        event.stop()
        if event.value == CLOCK:
            self._clock_is_right = not self._clock_is_right
            self.action_refresh()
        elif self._pruned is not None:
            self._ask(self._pruned)

    def _ask(self, shown: Pruned) -> None:
        """How many go, typed: no stray key deletes a key that is never made again."""
        count = len(shown.keys) + len(shown.wiped) + len(shown.leftovers)
        question = Question(
            "upkeep.count",
            AnswerKind.TEXT,
            phrase("Type how many go: {count}", count=count),
            help=phrase("What is deleted here is not made again; the office can still open every backup that stays."),
        )
        word = self._word()

        def typed(text: str) -> None:
            if text.strip() == str(count):
                self._delete(word, shown)
            else:
                self.complain(_("That is not the number. Nothing was deleted."))

        self.house.ask(_("Delete what is past its time"), question, typed)

    def _delete(self, word: str, shown: Pruned) -> None:
        """Exactly what was shown: where more or less would go by now, it is shown anew first."""
        doors, right = self.house.doors, self._clock_is_right

        def job() -> tuple[Pruned, int] | None:
            now, _days = doors.prune(word, dry_run=True, clock_is_right=right)
            return doors.prune(word, dry_run=False, clock_is_right=right) if now == shown else None

        self.work(job, self._deleted, _("Deleting …"))

    def _deleted(self, done: tuple[Pruned, int] | None) -> None:
        if not self.is_mounted:
            return
        if done is None:
            self.note(_("Something else is past its time by now: look at it first."))
        else:
            self.query_one("#word", Input).value = ""
            self.query_one("#going", Static).update(lines_grid(upkeep_lines(*done, done=True), self.glyphs))
            self.note(_("Deleted:"))
        self._pruned = None
        self.call_later(self._after, keep=done is not None)

    async def _after(self, *, keep: bool) -> None:
        """The log has grown; what was deleted stays on the screen until one looks again."""
        if not keep:
            self.action_refresh()
            return
        await self.query_one(Choices).offer(self._ways())
        self.house.in_background(self.house.doors.backup_log, self._show_log, self.house.tell_error)

    def _show_log(self, log: Sequence[LogEntry]) -> None:
        if self.is_mounted:
            self.query_one("#log", Static).update(lines_grid(log_lines(log[-SHOWN:]), self.glyphs))
