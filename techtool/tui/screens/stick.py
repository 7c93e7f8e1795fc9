"""Check a stick without a terminal: who stands for it, what is on it, whether every byte is as signed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from techtool.errors import InternalError, TechtoolError
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.base import HouseScreen
from techtool.tui.views.lines import Line, Mark, Part
from techtool.tui.views.stick import StickView, known_view, stick_view
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, lines_grid

if TYPE_CHECKING:
    from techtool.bundles.trust import Stick


class StickScreen(HouseScreen):
    """Name a stick, see what it is worth."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "Verifies a stick from the root this laptop trusts, lists its releases, and hashes every payload in place. "
        "Nothing is installed, nothing is written to the stick. A refresh file of the office can be named instead: it "
        "brings the newest lists and recalls, and cures a stick that is past its date."
    )

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Check a USB stick"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """Where it is, what it is worth."""
        with VerticalScroll(can_focus=False, classes="body", id="check"):
            yield Choices(id="sticks", label_width=34, classes="first")
            yield Plain(_("Folder of the stick"), classes="field-title")
            yield Input(
                self.house.hints.stick,
                placeholder=_("the folder that holds TECHTOOL, or a refresh file"),
                id="stick",
                compact=True,
            )
            yield Plain(_("Enter checks it."), id="note", classes="question-note")
            yield Static(id="trust", markup=False)
            yield Plain(_("Releases on the stick"), classes="heading", id="releases-title")
            yield Static(id="releases", markup=False)

    def on_mount(self) -> None:
        """Look for sticks."""
        self.arm()
        self.query_one("#sticks").display = False
        self.query_one("#releases-title").display = False
        self.query_one("#stick").focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look for sticks."""
        self.house.in_background(self.house.doors.sticks, self._sticks_found, self.house.tell_error)

    async def _sticks_found(self, sticks: tuple[str, ...]) -> None:
        choices, field = self.query_one("#sticks", Choices), self.query_one("#stick", Input)
        choices.display = bool(sticks)
        await choices.offer([Option(place, place) for place in sticks])
        if not field.value and len(sticks) == 1:
            field.value = sticks[0]

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Check that one."""
        event.stop()
        self.query_one("#stick", Input).value = event.value
        self.action_begin()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Check it."""
        event.stop()
        self.action_begin()

    def action_begin(self) -> None:
        """Check what is named."""
        text = self.query_one("#stick", Input).value.strip().strip('"')
        if text:
            self._note(_("Checking signatures …"))
            self._clear()
            self.run_worker(self._check(Path(text).expanduser()), exclusive=True, exit_on_error=False)

    async def _check(self, place: Path) -> None:
        try:
            if await asyncio.to_thread(place.is_file):
                known = await asyncio.to_thread(self.house.doors.learn, place)
                self._draw(known_view(known, str(place)), _("Recalled by the office"))
                self._note(_("Sticks of this office are judged by it from now on."))
                return
            stick = await asyncio.to_thread(self.house.doors.open_stick, place)
        except TechtoolError as error:
            self._refused(error)
            return
        except Exception as error:
            self._refused(InternalError(kind=type(error).__name__))
            return
        self._draw(stick_view(stick))
        await self._read_payloads(stick)

    async def _read_payloads(self, stick: Stick) -> None:
        """Hash every payload where it lies, one after the other."""
        checked: list[str] = []
        damaged: list[str] = []
        for item in stick.releases:
            for file in item.release.files:
                self._note(_("Reading {file} …").format(file=file.target))
                try:
                    await asyncio.to_thread(stick.check, item, file)
                    checked.append(file.target)
                except TechtoolError:
                    damaged.append(file.target)
                self._draw(stick_view(stick, tuple(checked), tuple(damaged)))
        view = stick_view(stick, tuple(checked), tuple(damaged))
        self._note(_("This stick can be used.") if view.usable else _("Nothing may be installed from this stick."))

    def _draw(self, view: StickView, heading: str = "") -> None:
        digest = view.fingerprint
        root = " ".join(digest[i : i + 4] for i in range(0, len(digest), 4))
        lines = (*view.trust, Line(Mark.NOTE, _("Root: {fingerprint}").format(fingerprint=root)))
        self.query_one("#trust", Static).update(lines_grid(lines, self.glyphs))
        title = self.query_one("#releases-title", Plain)
        title.say(heading or _("Releases on the stick"))
        title.display = bool(view.releases)
        self.query_one("#releases", Static).update(lines_grid(view.releases, self.glyphs, words=False))

    def _refused(self, error: TechtoolError) -> None:
        self._note(_("Nothing may be installed from this stick."))
        advice = tuple(_("Do: {what}").format(what=action.text()) for action in error.action_phrases)
        details = (_("State now: {state}").format(state=error.state_phrase.text()), *advice)
        lines = [Line(Mark.STOPPED, f"{error.code}  {error.what_phrase.text()}", details)]
        self.query_one("#trust", Static).update(lines_grid(lines, self.glyphs))

    def _clear(self) -> None:
        self.query_one("#trust", Static).update("")
        self.query_one("#releases", Static).update("")
        self.query_one("#releases-title").display = False

    def _note(self, text: str) -> None:
        self.query_one("#note", Plain).say(text)
