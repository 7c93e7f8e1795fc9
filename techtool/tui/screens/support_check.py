"""A support file that somebody brings or names: whether it is whole, and which case code stands for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.export import large, spelled
from techtool.tui.views.lines import Line, Mark, Part
from techtool.tui.widgets.text import Plain, lines_grid

if TYPE_CHECKING:
    from techtool.reports.support import Opened


class SupportCheckScreen(FormScreen):
    """File, code, answer."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "back")]
    ABOUT: ClassVar[str] = N_(
        "Opens a support file and compares everything in it with its digests; nothing is changed, nothing is sent. The "
        "case code that was read out on the telephone may be typed as well: then it is said whether it is this file's."
    )

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Check a support file"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """The file, the code, what came out."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("The file"), classes="field-title")
            yield Input(placeholder=_("its path, or drag it into this window"), id="file", compact=True)
            yield Plain(_("Case code that was read out (may be left empty)"), classes="field-title")
            yield Input(id="code", max_length=40, compact=True)
            yield quiet("problem")
            yield quiet("note")
            yield Button(_("Check it"), id="begin", variant="primary", compact=True)
            yield Plain("", id="large", classes="large")
            yield Static(id="spelled", markup=False)

    def on_mount(self) -> None:
        """Listen."""
        self.arm()
        self.query_one("#large").display = False
        self.query_one("#file").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """From the file to the code, from the code to the answer."""
        event.stop()
        if event.input.id == "file":
            self.query_one("#code").focus()
        else:
            self.action_begin()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Check."""
        event.stop()
        self.action_begin()

    def action_begin(self) -> None:
        """Check it, or say what is missing."""
        self.query_one("#large").display = False
        self.query_one("#spelled", Static).update("")
        file = self.query_one("#file", Input).value.strip().strip("\"'")
        code = self.query_one("#code", Input).value.strip()
        if not file:
            self.complain(_("Name the file."))
            return
        self.work(lambda: self.house.doors.check_support(Path(file).expanduser(), code), self._checked, _("Reading …"))

    def _checked(self, opened: Opened) -> None:
        if not self.is_mounted:
            return
        self.note("")
        self.query_one("#large", Plain).say(large(opened.code))
        whole = _("All {count} files in it are as they were made.").format(count=len(opened.names))
        lines = [Line(Mark.OK, whole), *(Line(Mark.NOTE, text) for text in spelled(opened.code))]
        if self.query_one("#code", Input).value.strip():
            lines.insert(0, Line(Mark.OK, _("The code that was read out is this file's.")))
        self.query_one("#spelled", Static).update(lines_grid(lines, self.glyphs, indent=2))
        self.call_after_refresh(self.query_one("#spelled").scroll_visible, animate=False)
