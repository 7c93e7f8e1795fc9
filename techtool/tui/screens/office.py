"""The office: what has not gone home, the two ways there, and the file that enrols this laptop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from techtool.domain.question import AnswerKind, Question
from techtool.domain.typed import TOLD_DIGITS
from techtool.errors import TechtoolError, UsageError
from techtool.i18n import N_, _, phrase
from techtool.tui.actions import bindings
from techtool.tui.background import ours
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.lines import Line, Part
from techtool.tui.views.office import (
    check_typed,
    enrolled_lines,
    offer_lines,
    result_lines,
    state_lines,
    step_text,
)
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.place_field import PlaceField
from techtool.tui.widgets.text import Plain, lines_grid
from techtool.tui.widgets.toast import toast

if TYPE_CHECKING:
    from techtool.office.sync import Step, Synced
    from techtool.tui.office_doors import EnrolmentOffer, OfficeState

SEND: Final = "send"
LOGIN: Final = "login"


class OfficeScreen(FormScreen):
    """Sends over a network, copies to a stick, enrols from a file."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "Closed visits go home over a network or on a stick, as often as you like: nothing is there twice. Leaving "
        "this screen stops the sending; it goes on the next time. An enrolment file sets this laptop up as the office "
        "wants it: the first time you compare its fingerprint with what the office told you."
    )

    def __init__(self) -> None:
        super().__init__()
        self._state: OfficeState | None = None

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Office"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """How it stands, the two ways, enrolment."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Static(id="state", markup=False)
            yield Choices(id="ways", label_width=34)
            yield quiet("problem")
            yield quiet("note")
            yield Static(id="result", markup=False)
            yield PlaceField(_("Home on a stick"))
            yield Button(_("Copy to it"), id="copy", variant="primary", compact=True)
            yield Plain(_("Enrolment"), classes="heading")
            yield Static(id="enrolled", markup=False)
            yield Plain(_("Enrol: path of the office's file"), classes="field-title")
            yield Input(id="file", compact=True)
            yield Static(id="offer", markup=False)

    def on_mount(self) -> None:
        """Show how it stands."""
        self.arm()
        self.query_one("#ways").display = False
        # Not scrolled to before it is known how long the page is and where one begins.
        self.query_one("#folder").focus(scroll_visible=False)
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look again, for drives too."""
        self.house.in_background(self.house.doors.drives, self.query_one(PlaceField).offer, self.house.tell_error)
        self.work(self.house.doors.office, self._read)

    async def _read(self, state: OfficeState) -> None:
        if not self.is_mounted:
            return
        first, self._state = self._state is None, state
        self._draw("#state", state_lines(state))
        self._draw("#enrolled", enrolled_lines(state))
        ways = self.query_one("#ways", Choices)
        ways.display = bool(state.url)
        if state.url:
            login = Option(LOGIN, _("Name and password"), _("for the office's server, kept for it alone"))
            await ways.offer([Option(SEND, _("Send now"), _("over the network")), login])
            if first:
                ways.focus(scroll_visible=False)
        elif first:
            self.call_after_refresh(self.query_one("#folder").scroll_visible, animate=False)

    def _draw(self, place: str, lines: Sequence[Line]) -> None:
        self.query_one(place, Static).update(lines_grid(lines, self.glyphs))

    # -- home -------------------------------------------------------------------------------------------------------

    def action_begin(self) -> None:
        """Over the network where that is known, else onto the stick that is named."""
        if self._state is not None and self._state.url:
            self._send()
        else:
            self._copy()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Send, or say who one is."""
        event.stop()
        if event.value == SEND:
            self._send()
        else:
            self._ask_name()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Onto the stick."""
        event.stop()
        self._copy()

    def _send(self) -> None:
        if self.busy:
            return
        self.busy = True
        self.complain("")
        self._draw("#result", ())
        self.note(_("Sending …"))
        self.run_worker(self._sending(), exclusive=True, exit_on_error=False)

    async def _sending(self) -> None:
        """In the screen's own turn: it ends with the screen, and begins again where it was."""
        try:
            result = await self.house.doors.send_home(self._tell)
        except Exception as error:
            self.busy = False
            self.failed(ours(error))
            return
        self.busy = False
        self._done(result)

    def _copy(self) -> None:
        try:
            folder = self.query_one(PlaceField).folder
        except TechtoolError as error:
            self.failed(error)
            return
        self._draw("#result", ())
        self.work(lambda: self.house.doors.copy_home(folder, _quiet), self._done, _("Copying …"))

    def _tell(self, step: Step) -> None:
        if self.is_mounted:
            self.note(step_text(step))

    def _done(self, result: Synced) -> None:
        if not self.is_mounted:
            return
        self.note("")
        self._draw("#result", result_lines(result))
        self.call_later(self.action_refresh)

    # -- name and password ------------------------------------------------------------------------------------------

    def _ask_name(self) -> None:
        question = Question("office.name", AnswerKind.TEXT, phrase("The name that the office gave this laptop"))
        self.house.ask(_("The office's server"), question, self._ask_password)

    def _ask_password(self, name: str) -> None:
        question = Question("office.password", AnswerKind.SECRET, phrase("The password for it"))
        self.house.ask(_("The office's server"), question, lambda word: self._keep(name, word))

    def _keep(self, name: str, word: str) -> None:
        self.work(lambda: self.house.doors.keep_login(name, word), lambda _none: toast(self.app, _("Kept.")))

    # -- enrolment --------------------------------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """From the folder to the button; of a file what it would change."""
        event.stop()
        if event.input.id == "folder":
            self.query_one("#copy").focus()
            return
        text = event.input.value.strip().strip('"')
        if not text:
            self.failed(UsageError(problem=_("Name the file that the office gave you.")))
            return
        self.work(lambda: self.house.doors.enrolment(Path(text).expanduser()), self._compare)

    def _compare(self, offer: EnrolmentOffer) -> None:
        if not self.is_mounted:
            return
        self._draw("#offer", offer_lines(offer))
        if offer.known:
            self.note(_("This file was taken over before."))
        elif offer.first:
            text = phrase(
                "Type the last {count} digits, as the office told you: {fingerprint}",
                count=TOLD_DIGITS,
                fingerprint=offer.signed.shown,
            )
            help_text = phrase("From then on only files by the same key are taken over.")
            question = Question("office.fingerprint", AnswerKind.TEXT, text, help=help_text)
            title = _("Enrolled by {office}").format(office=offer.signed.enrolment.office)
            self.house.ask(title, question, lambda typed: self._enrol(offer, typed))
        else:
            self._take_over(offer)

    def _enrol(self, offer: EnrolmentOffer, typed: str) -> None:
        try:
            check_typed(offer, typed)
        except TechtoolError as error:
            self.failed(error)
            return
        self._take_over(offer)

    def _take_over(self, offer: EnrolmentOffer) -> None:
        # Once the present job has rested: this is called in its turn.
        self.call_later(lambda: self.work(lambda: self.house.doors.enrol(offer), self._enrolled))

    def _enrolled(self, _none: None) -> None:
        if self.is_mounted:
            self.query_one("#file", Input).value = ""
            toast(self.app, _("Taken over: this laptop is set up as the office wants it."))
            self.call_later(self.action_refresh)


def _quiet(_step: Step) -> None:
    """A thread may not draw."""
