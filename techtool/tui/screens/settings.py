"""Settings: who works here, how the screens look, in what order terminals are worked on, whom to call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Input

from techtool.errors import TechtoolError
from techtool.i18n import N_, _, language, translate
from techtool.settings import Settings
from techtool.tui.actions import bindings
from techtool.tui.requests import Order
from techtool.tui.screens.facts import FactsScreen
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.screens.health import HealthScreen
from techtool.tui.screens.support_check import SupportCheckScreen
from techtool.tui.screens.trust import TrustScreen
from techtool.tui.views.lines import Part
from techtool.tui.views.settings import FIELDS, SAMPLE, needs_restart, values_of, with_values
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain
from techtool.tui.widgets.toast import toast

TRUST, HEALTH, SUPPORT_CHECK, FACTS = "trust", "health", "support-check", "facts"
_MORE: Final[dict[str, Callable[[], Screen[None]]]] = {
    TRUST: TrustScreen,
    HEALTH: HealthScreen,
    SUPPORT_CHECK: SupportCheckScreen,
    FACTS: FactsScreen,
}


class SettingsScreen(FormScreen):
    """Everything is kept at once, with F2 or the button; nothing before."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "save", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "save", "back")]
    ABOUT: ClassVar[str] = N_(
        "Nothing is changed before F2. Another language or other marks start the screens again in place. If the two "
        "sample lines do not end at the same place, choose ASCII marks. Whose sticks are believed and who can open "
        "backups is on a place of its own."
    )

    def __init__(self) -> None:
        super().__init__()
        self._settings = Settings()
        self._language = language()
        self._ascii = False
        self._order = Order.ONE_FIRST.value

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Settings"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """Fields, choices, the button, other places."""
        with VerticalScroll(can_focus=False, classes="body", id="settings"):
            for field in FIELDS:
                note = translate(field.note) if field.note else ""
                yield Plain(translate(field.label), classes="field-title")
                yield Input(placeholder=note, id=field.id.replace("_", "-"), max_length=500, compact=True)
            yield Plain(_("Language"), classes="field-title")
            yield Choices(id="language", label_width=34)
            yield Plain(_("Marks on the screen"), classes="field-title")
            for line in SAMPLE:
                yield Plain(f"  {line}")
            yield Choices(id="marks", label_width=34)
            yield Plain(_("Several terminals"), classes="field-title")
            yield Choices(id="order", label_width=34)
            yield quiet("problem")
            yield quiet("note")
            yield Button(_("Keep these settings"), id="keep", variant="primary", compact=True)
            yield Plain(_("More"), classes="heading")
            more = [
                Option(TRUST, _("Trust, recipients, clock"), _("whose sticks are believed, who can open backups")),
                Option(HEALTH, _("Check this laptop"), _("every record read to its last byte")),
                Option(SUPPORT_CHECK, _("Check a support file"), _("is it whole, and which case code is it")),
                Option(FACTS, _("Facts of makers"), _("cycles, approvals, contacts, pictures: from the office")),
            ]
            yield Choices(more, id="more", label_width=34)

    async def on_mount(self) -> None:
        """Show what stands there."""
        self.arm()
        try:
            self._settings = self.house.doors.settings()
        except TechtoolError as error:
            self.failed(error)
        self._ascii, self._order = self._settings.ascii, self._settings.fleet.order
        with self.prevent(Input.Changed):
            for name, value in values_of(self._settings).items():
                self.query_one(f"#{name.replace('_', '-')}", Input).value = value
        await self._show_choices()
        self.query_one("#technician").focus(scroll_visible=False)
        self.call_after_refresh(self.query_one("#settings").scroll_home, animate=False)

    async def _show_choices(self) -> None:
        languages = [("zh", "简体中文"), ("en", "English")]
        await self._offer("language", [Option(v, t, picked=v == self._language) for v, t in languages])
        marks = [
            Option("unicode", _("The lines end at the same place"), picked=not self._ascii),
            Option("ascii", _("They do not: ASCII marks only"), picked=self._ascii),
        ]
        await self._offer("marks", marks)
        orders = {
            Order.ONE_FIRST: _("One first, then the rest"),
            Order.ONE_BY_ONE: _("One after the other"),
            Order.ALL: _("All at once"),
        }
        await self._offer("order", [Option(o.value, t, picked=o.value == self._order) for o, t in orders.items()])

    async def _offer(self, name: str, options: list[Option]) -> None:
        await self.query_one(f"#{name}", Choices).offer(options)

    async def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Mark it; it is kept with the rest. Or go to another place."""
        event.stop()
        match event.control.id:
            case "language":
                self._language = event.value
            case "marks":
                self._ascii = event.value == "ascii"
            case "order":
                self._order = event.value
            case _:
                self.house.open(_MORE[event.value])
                return
        await self._show_choices()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The next field, at last the button."""
        event.stop()
        fields = list(self.query(Input))
        place = fields.index(event.input) + 1
        (fields[place] if place < len(fields) else self.query_one("#keep")).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Keep."""
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Keep what is entered, or say what cannot be."""
        values = {field.id: self.query_one(f"#{field.id.replace('_', '-')}", Input).value for field in FIELDS}
        before = self._settings
        try:
            after = with_values(before, values, language=self._language, ascii_only=self._ascii, order=self._order)
        except TechtoolError as error:
            self.failed(error)
            return

        def kept(_nothing: None) -> None:
            self._settings = after
            if needs_restart(before, after, language()):
                self.house.start_again()
            else:
                toast(self.app, _("Kept."))
                self.house.look_around()

        self.work(lambda: self.house.doors.save_settings(after), kept)
