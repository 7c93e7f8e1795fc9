"""Pair this laptop with an Android terminal over the network: address and code from its screen, one button."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input

from techtool.domain.typed import narrow
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.lines import Part
from techtool.tui.widgets.text import Plain


class PairScreen(FormScreen):
    """Where, which code; then where it is reached."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "back")]
    ABOUT: ClassVar[str] = N_(
        "For Android 11 and later. On the terminal: developer options, “Wireless debugging”, “Pair device with pairing "
        "code”. Its screen shows an address and six digits; both change each time. The code is not kept. After that "
        "the page before shows another address: that is where the terminal is reached."
    )

    def __init__(self, place: str = "") -> None:
        """``place``: ``HOST:PORT`` where a terminal waits to be paired, where it is known."""
        super().__init__()
        self._place = place

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Pair a terminal"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """Address, code, the other address."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(
                _("On the terminal: “Wireless debugging”, then “Pair device with pairing code”."), classes="words"
            )
            yield Plain(_("Address on that page"), classes="field-title")
            yield Input(self._place, placeholder="192.168.1.23:37099", id="place", compact=True)
            yield Plain(_("The six digits"), classes="field-title")
            yield Input(id="code", password=True, max_length=20, compact=True)
            yield Plain(_("Address on the page before, if you want to connect now"), classes="field-title")
            yield Input(placeholder="192.168.1.23:41231", id="connect", compact=True)
            yield quiet("problem")
            yield quiet("note")
            yield Button(_("Pair"), id="begin", variant="primary", compact=True)

    def on_mount(self) -> None:
        """To the first field that is empty."""
        self.arm()
        self.query_one("#code" if self._place else "#place").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field, at last to the button."""
        event.stop()
        following = {"place": "#code", "code": "#connect"}
        self.query_one(following.get(event.input.id or "", "#begin")).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Pair."""
        event.stop()
        self.action_begin()

    def action_begin(self) -> None:
        """Pair, or say what is missing; the code leaves the screen at once."""
        place, code, at = (narrow(self.query_one(f"#{name}", Input).value) for name in ("place", "code", "connect"))
        self.query_one("#code", Input).value = ""
        self.query_one("#code").focus()  # where the hand goes on if it was the wrong one
        self.work(lambda: self.house.doors.pair(place, code, at), self._paired, _("Pairing …"))

    def _paired(self, address: str) -> None:
        if not self.is_mounted:
            return
        text = _("Paired. Go back; the list shows the terminal as soon as adb has found it.")
        self.note(_("Paired, and reached at {address}.").format(address=address) if address else text)
