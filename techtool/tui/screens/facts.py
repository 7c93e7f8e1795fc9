"""Facts about makers: what is known here, from whom, since when; the office's files are taken over from a stick."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from techtool.errors import TechtoolError
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.facts import fact_lines, file_lines, pictures_of, source_words
from techtool.tui.views.lines import Part
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.place_field import PlaceField
from techtool.tui.widgets.text import Plain, lines_grid
from techtool.tui.widgets.toast import toast

if TYPE_CHECKING:
    from techtool.tui.office_doors import FactsState


class FactsScreen(FormScreen):
    """The office's files above, then every fact with its source, then the pictures to compare with."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "What is known of makers: how often they bring updates, until when they support a model, which approvals it "
        "has, whom to call, how it should look. Each with its source. The office's own facts count only with the "
        "signature of the office that enrolled this laptop; F2 takes them over from a stick or a folder."
    )

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Facts of makers"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """Files, where more come from, facts, pictures."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield quiet("problem")
            yield quiet("note")
            yield Plain(_("From the office"), classes="heading")
            yield Static(id="files", markup=False)
            yield PlaceField(_("Take over the office's facts from"))
            yield Button(_("Take over"), id="take", variant="primary", compact=True)
            yield Plain(_("Pictures to compare with"), classes="heading", id="pictures-title")
            yield Choices(id="pictures")
            yield Plain(_("What is known"), classes="heading")
            yield Static(id="facts", markup=False)

    def on_mount(self) -> None:
        """Show what is known, and the drives that are in."""
        self.arm()
        self._show_pictures(shown=False)
        self.query_one("#folder").focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look again, for drives too."""
        self.house.in_background(self.house.doors.drives, self.query_one(PlaceField).offer, self.house.tell_error)
        self.work(self.house.doors.facts, self._read)

    async def _read(self, state: FactsState) -> None:
        if not self.is_mounted:
            return
        self.query_one("#files", Static).update(lines_grid(file_lines(state.facts, state.office), self.glyphs))
        self.query_one("#facts", Static).update(lines_grid(fact_lines(state.rows), self.glyphs))
        pictures = pictures_of(state.rows)
        self._show_pictures(shown=bool(pictures))
        options = [Option(str(row.picture), row.what, source_words(row)) for row in pictures]
        await self.query_one("#pictures", Choices).offer(options)

    def _show_pictures(self, *, shown: bool) -> None:
        for name in ("#pictures-title", "#pictures"):
            self.query_one(name).display = shown

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Look at a picture; its path is told, because not every laptop opens one."""
        event.stop()
        self.app.open_url(Path(event.value).as_uri())
        toast(self.app, _("Opened: {path}").format(path=event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """From the folder to the button."""
        event.stop()
        self.query_one("#take").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take over."""
        event.stop()
        self.action_begin()

    def action_begin(self) -> None:
        """Take over what lies there, or say what is wrong with it."""
        try:
            place = self.query_one(PlaceField).folder
        except TechtoolError as error:
            self.failed(error)
            return
        self.work(lambda: self.house.doors.add_facts(place), self._taken)

    def _taken(self, count: int) -> None:
        if self.is_mounted:
            toast(self.app, _("Taken over: {count} files of facts.").format(count=count))
            self.call_later(self.action_refresh)
