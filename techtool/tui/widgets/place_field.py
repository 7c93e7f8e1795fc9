"""Where to write to: a removable drive that is chosen, or a folder that is typed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from techtool.errors import UsageError
from techtool.i18n import _
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain


class PlaceField(Vertical):
    """The drives that are in, above the folder; choosing one fills the folder in, ``below`` it."""

    def __init__(self, title: str, *, below: str = "", start: str = "") -> None:
        super().__init__()
        self._title_text = title
        self._below = below
        self._start = start

    def compose(self) -> ComposeResult:
        """Drives, folder."""
        yield Plain(self._title_text, classes="field-title")
        yield Choices(id="drives", label_width=34)
        yield Input(self._start, placeholder=_("a folder, or choose a drive above"), id="folder", compact=True)

    def on_mount(self) -> None:
        """Nothing is known of drives yet."""
        self.query_one(Choices).display = False

    async def offer(self, drives: Sequence[Path]) -> None:
        """These are in."""
        choices = self.query_one(Choices)
        choices.display = bool(drives)
        await choices.offer([Option(str(drive), str(drive), _("removable drive")) for drive in drives])

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A folder on that drive."""
        event.stop()
        field = self.query_one("#folder", Input)
        field.value = str(Path(event.value, self._below))
        field.focus()

    @property
    def folder(self) -> Path:
        """What is entered; raises :class:`UsageError` when nothing is."""
        text = self.query_one("#folder", Input).value.strip().strip('"')
        if not text:
            raise UsageError(problem=_("Name a folder, or choose a drive."))
        return Path(text).expanduser()
