"""A visit's reports written to a folder or a stick, and the file for the support desk with its case code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from techtool.errors import TechtoolError, UsageError
from techtool.i18n import LANGUAGES, N_, _, language, translate
from techtool.tui.actions import bindings
from techtool.tui.back_doors import Wanted
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.export import FORMAT_LABEL, contact_lines, large, spelled
from techtool.tui.views.lines import Line, Mark, Part
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.place_field import PlaceField
from techtool.tui.widgets.text import Plain, lines_grid

if TYPE_CHECKING:
    from techtool.visit.support import Made

FOLDER: Final = "techtool-reports"
"""Where on a drive the reports go."""
BOTH: Final = "both"


class ExportScreen(FormScreen):
    """Formats, language, place, signature."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "Writes the reports of a visit to a folder or a removable drive; the record itself is never changed. Each file "
        "appears whole or not at all. With the passphrase of your report key the statement and the list of checksums "
        "are signed, so that the office can prove both."
    )

    def __init__(self, visit: str) -> None:
        super().__init__()
        self._visit = visit
        self._formats: frozenset[str] = frozenset(FORMAT_LABEL)
        self._language = language()

    def top(self) -> tuple[Part, ...]:
        """Of which visit."""
        return (Part(_("Write reports elsewhere"), keep=1), Part(self._visit, keep=2))

    def body(self) -> Iterable[Widget]:
        """What, in which language, where, signed or not."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield PlaceField(_("Where to"), below=FOLDER)
            yield Plain(_("What"), classes="field-title")
            yield Choices(self._format_options(), id="formats", label_width=34, start=0)
            yield Plain(_("In which language"), classes="field-title")
            yield Choices(self._language_options(), id="languages", label_width=34)
            yield Plain(_("Passphrase of your report key (empty: unsigned)"), classes="field-title")
            hint = self.house.hints.passphrase
            shown = _("Demo: it is {passphrase}").format(passphrase=hint) if hint else ""
            yield Input(placeholder=shown, password=True, id="passphrase", compact=True)
            yield quiet("problem")
            yield quiet("note")
            yield Static(id="written", markup=False)
            yield Button(_("Write them"), id="begin", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Look for drives."""
        self.arm()
        self.query_one("#folder").focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look for drives."""
        self.house.in_background(self.house.doors.drives, self.query_one(PlaceField).offer, self.house.tell_error)

    def _format_options(self) -> list[Option]:
        return [
            Option(word, translate(label), translate(note) if note else "", picked=word in self._formats)
            for word, (label, note) in FORMAT_LABEL.items()
        ]

    def _language_options(self) -> list[Option]:
        names = {"zh": "简体中文", "en": "English", BOTH: _("both")}
        return [Option(word, name, picked=word == self._language) for word, name in names.items()]

    async def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Pick or unpick."""
        event.stop()
        if event.control.id == "formats":
            self._formats ^= {event.value}
            await event.control.offer(self._format_options())
        else:
            self._language = event.value
            await event.control.offer(self._language_options())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """From the folder to what; from the passphrase to the button."""
        event.stop()
        self.query_one("#formats" if event.input.id == "folder" else "#begin").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Write."""
        event.stop()
        self.action_begin()

    def action_begin(self) -> None:
        """Write, or say what is missing."""
        try:
            wanted = self._wanted()
        except TechtoolError as error:
            self.failed(error)
            return
        self.query_one("#written", Static).update("")
        self.work(lambda: self.house.doors.export(wanted), self._written, _("Writing …"))

    def _wanted(self) -> Wanted:
        if not self._formats:
            raise UsageError(problem=_("Nothing is picked: choose at least one kind of file."))
        return Wanted(
            self._visit,
            self.query_one(PlaceField).folder,
            tuple(word for word in FORMAT_LABEL if word in self._formats),
            LANGUAGES if self._language == BOTH else (self._language,),
            self.query_one("#passphrase", Input).value,
        )

    def _written(self, files: Sequence[Path]) -> None:
        if not self.is_mounted:
            return
        self.query_one("#passphrase", Input).value = ""
        folder = files[0].parent if files else ""
        self.note(_("{count} files written to {folder}").format(count=len(files), folder=folder))
        lines = [Line(Mark.OK, path.name) for path in files]
        self.query_one("#written", Static).update(lines_grid(lines, self.glyphs))
        self.call_after_refresh(self.query_one("#written").scroll_visible, animate=False)


class SupportScreen(FormScreen):
    """Where to; then the code."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "Makes one redacted file of this visit for the support desk. Nothing is sent: you hand the file over. Its case "
        "code stands for this very file; read it out on the telephone group by group, letters by their words."
    )

    def __init__(self, visit: str) -> None:
        super().__init__()
        self._visit = visit

    def top(self) -> tuple[Part, ...]:
        """Of which visit."""
        return (Part(_("File for the support desk"), keep=1), Part(self._visit, keep=2))

    def body(self) -> Iterable[Widget]:
        """Where, the code, whom to call."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield PlaceField(_("Where to"))
            yield quiet("problem")
            yield quiet("note")
            yield Button(_("Make the file"), id="begin", variant="primary", compact=True)
            yield Plain("", id="code", classes="large")
            yield Static(id="spelled", markup=False)
            yield Plain(_("Whom to call"), classes="heading")
            yield Static(id="contacts", markup=False)

    def on_mount(self) -> None:
        """Look for drives; show whom to call."""
        self.arm()
        self.query_one("#code").display = False
        self.query_one("#folder").focus()
        self._call(())
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look for drives."""
        self.house.in_background(self.house.doors.drives, self.query_one(PlaceField).offer, self.house.tell_error)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """To the button."""
        event.stop()
        self.query_one("#begin").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Make it."""
        event.stop()
        self.action_begin()

    def action_begin(self) -> None:
        """Make it, or say what is missing."""
        try:
            folder = self.query_one(PlaceField).folder
        except TechtoolError as error:
            self.failed(error)
            return
        self.work(lambda: self.house.doors.support(self._visit, folder), self._made, _("Gathering and redacting …"))

    def _made(self, made: Made) -> None:
        if not self.is_mounted:
            return
        self.note(_("Written: {path}").format(path=made.path))
        code = made.opened.code
        self.query_one("#code", Plain).say(large(code))
        said = [Line(Mark.NOTE, text) for text in spelled(code)]
        said.append(Line(Mark.NOTE, _("Case code: {code}").format(code=code)))
        self.query_one("#spelled", Static).update(lines_grid(said, self.glyphs, indent=2))
        self._call(made.vendors)
        self.call_after_refresh(self.query_one("#spelled").scroll_visible, animate=False)

    def _call(self, vendors: Sequence[str]) -> None:
        from techtool.visit.known_facts import known_facts

        try:
            office = self.house.doors.settings().contacts
        except TechtoolError:
            office = {}
        lines = contact_lines(office, known_facts(self.house.paths).contacts(), vendors)
        self.query_one("#contacts", Static).update(lines_grid(lines, self.glyphs, indent=2))
