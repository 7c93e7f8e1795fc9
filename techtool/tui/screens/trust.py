"""Whose sticks are believed, who can open backups, and since when the clock is believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from techtool.domain.question import AnswerKind, Question
from techtool.domain.typed import TOLD_DIGITS, narrow
from techtool.errors import UsageError
from techtool.i18n import N_, _, phrase
from techtool.tui import setup_flow
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.lines import Line, Part
from techtool.tui.views.settings import clock_line, recipient_lines, root_lines
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, lines_grid
from techtool.tui.widgets.toast import toast

if TYPE_CHECKING:
    from techtool.bundles.roots import RootFacts
    from techtool.tui.back_doors import TrustState

CLOCK = "clock"


class TrustScreen(FormScreen):
    """Shown; added to from a file, after a person has typed what the office told them."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "A root of trust and the recipients of backups are taken from a file only after you have typed what the office "
        "told you of them by telephone or on paper. A new list of recipients takes the place of the old one. The clock "
        "is not believed before the newest moment this laptop has proof of."
    )

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Trust, recipients, clock"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """Roots, recipients, clock; below each what can be done."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield quiet("problem")
            yield quiet("note")
            yield Plain(_("Trusted roots"), classes="heading")
            yield Static(id="roots", markup=False)
            yield Plain(_("Trust another: path of root.json, or of a stick"), classes="field-title")
            yield Input(id="root", compact=True)
            yield Plain(_("Recipients of backups"), classes="heading")
            yield Static(id="recipients", markup=False)
            yield Plain(_("Another list: path of the recipients file"), classes="field-title")
            yield Input(id="list", compact=True)
            yield Plain(_("Clock"), classes="heading")
            yield Static(id="clock", markup=False)
            yield Choices(id="clock-ways")

    def on_mount(self) -> None:
        """Show what is there."""
        self.arm()
        self.query_one("#root").focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Read it."""
        self.work(self.house.doors.trust, self._read)

    async def _read(self, state: TrustState) -> None:
        if not self.is_mounted:
            return
        self._draw("#roots", root_lines(state.roots))
        self._draw("#recipients", recipient_lines(state.recipients))
        self._draw("#clock", (clock_line(state.floor, state.now),))
        late = state.floor > state.now
        ways = [Option(CLOCK, _("The clock is right; it once ran ahead"))] if late else []
        await self.query_one(Choices).offer(ways)

    def _draw(self, place: str, lines: Sequence[Line]) -> None:
        self.query_one(place, Static).update(lines_grid(lines, self.glyphs, indent=2))

    # -- a root -----------------------------------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read the file that is named; nothing is kept yet."""
        event.stop()
        text = event.input.value
        if event.input.id == "root":
            self.work(lambda: setup_flow.root_at(text), self._compare)
        elif event.input.id == "list":
            self.work(lambda: _recipients_in(text), lambda found: self._hear(text, found, found))

    def _compare(self, facts: RootFacts) -> None:
        question = Question(
            "trust.fingerprint",
            AnswerKind.TEXT,
            phrase(
                "Type the last {count} digits, as the office told you: {fingerprint}",
                count=TOLD_DIGITS,
                fingerprint=facts.shown,
            ),
            help=phrase("From then on sticks that descend from this root are believed."),
        )
        self.house.ask(_("Trust another root"), question, lambda typed: self._pin(facts, typed))

    def _pin(self, facts: RootFacts, typed: str) -> None:
        self.work(lambda: setup_flow.accept_root(self.house.paths, facts, typed), self._done)

    # -- recipients -------------------------------------------------------------------------------------------------

    def _hear(self, text: str, found: Sequence[str], left: Sequence[str]) -> None:
        """Each recipient of the new list is compared, one after the other; then the list is kept."""
        if not left:
            self.work(lambda: self._keep(text, found), self._done)
            return
        question = Question(
            "trust.recipient",
            AnswerKind.TEXT,
            phrase(
                "Type the last {count} signs, as the office told you: {recipient}",
                count=TOLD_DIGITS,
                recipient=left[0],
            ),
            help=phrase("Whoever holds the key to it can open every backup made from now on."),
        )
        title = _("Recipient {number} of {count}").format(number=len(found) - len(left) + 1, count=len(found))
        self.house.ask(title, question, lambda typed: self._heard(text, found, left, typed))

    def _heard(self, text: str, found: Sequence[str], left: Sequence[str], typed: str) -> None:
        plain = "".join(narrow(typed).split()).lower()
        if len(plain) < TOLD_DIGITS or not left[0].endswith(plain):
            self.failed(
                UsageError(problem=_("This is not what the office told you. Nothing was changed; ask the office."))
            )
            return
        self._hear(text, found, left[1:])

    def _keep(self, text: str, found: Sequence[str]) -> None:
        if tuple(found) != _recipients_in(text):
            raise UsageError(problem=_("The file changed while it was compared; nothing was kept."))
        setup_flow.keep_recipients(self.house.paths, text)

    # -- the clock --------------------------------------------------------------------------------------------------

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Which day it is, is typed: a stray key sets no clock back."""
        event.stop()
        question = Question(
            "trust.today",
            AnswerKind.TEXT,
            phrase("Type today's date: YYYY-MM-DD"),
            help=phrase("It is compared with this laptop's clock; the clock itself is set in the system."),
        )
        self.house.ask(_("The clock once ran ahead"), question, self._set_back)

    def _set_back(self, typed: str) -> None:
        now = self.house.doors.clock.now()
        if typed not in (f"{now:%Y-%m-%d}", f"{now.astimezone():%Y-%m-%d}"):
            text = _("This laptop's clock says {now}, not {today}: correct the clock first.")
            self.failed(UsageError(problem=text.format(now=f"{now.astimezone():%Y-%m-%d}", today=typed)))
            return
        self.work(self.house.doors.set_clock_back, self._clock_set)

    def _clock_set(self, _floor: datetime) -> None:
        self._done(None)

    def _done(self, _result: object) -> None:
        toast(self.app, _("Kept."))
        for field in self.query(Input):
            field.value = ""
        self.call_later(self.action_refresh)


def _recipients_in(text: str) -> tuple[str, ...]:
    """The recipients in a file that is named; raises :class:`UsageError`, :class:`BadFile`."""
    from techtool.backups.keys import read_recipients

    if not text.strip():
        raise UsageError(problem=_("Name the file with the office's backup recipients."))
    found = read_recipients(Path(text.strip().strip('"')).expanduser())
    if not found:
        raise UsageError(problem=_("No age recipient is in this file."))
    return found
