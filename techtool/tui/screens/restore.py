"""Putting a backup back: onto which terminal, and on whose word; the visit begins with identifying it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input

from techtool.domain.restore import RestoreWish
from techtool.domain.terminal import Address
from techtool.errors import TechtoolError, UsageError
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.backups import HERE, swap_order
from techtool.tui.views.lines import Part
from techtool.tui.views.nearby import announced
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain
from techtool.visit.services import VisitRequest

if TYPE_CHECKING:
    from techtool.domain.restore import Swap
    from techtool.visit.kept_backups import KeptBackup

SAME, OTHER = "same", "other"


class RestoreScreen(FormScreen):
    """Terminal, swap order where it is another one, the office's identity where the key here is gone."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "A restore puts back the packages that the terminal does not run as they were. It is a visit of its own kind: "
        "the terminal is identified, what would be done is shown, and nothing changes before you typed the last four "
        "of its serial number. Onto another terminal it goes only on a swap order that names both."
    )

    def __init__(self, backup: KeptBackup) -> None:
        super().__init__()
        self._backup = backup
        self._which = SAME
        self._announced: frozenset[str] = frozenset()

    def top(self) -> tuple[Part, ...]:
        """Of which terminal it is."""
        return (Part(_("Put back a backup"), keep=1), Part(f"SN {self._backup.serial}", keep=9))

    def body(self) -> Iterable[Widget]:
        """Terminal, swap, identity, begin."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Terminal"), classes="heading")
            hinted = [Option(a, a, _("simulated"), picked=False) for a in self.house.hints.addresses]
            yield Choices(hinted, id="terminals", label_width=34)
            yield Plain(_("Its address"), classes="field-title")
            yield Input(placeholder="adb://192.0.2.10:5555", id="address", compact=True)
            yield Plain(_("Onto which terminal"), classes="field-title")
            yield Choices(self._whiches(), id="which", label_width=34)
            with Vertical(id="swap"):
                yield Plain(_("Serial number of the other terminal"), classes="field-title")
                yield Input(id="to-serial", max_length=100, compact=True)
                yield Plain(_("Its model"), classes="field-title")
                yield Input(id="to-model", max_length=100, compact=True)
                yield Plain(_("Number of the swap order"), classes="field-title")
                yield Input(id="swap-number", max_length=100, compact=True)
            with Vertical(id="office-key"):
                yield Plain(_("The office's identity file: this laptop's key is gone"), classes="field-title")
                yield Input(placeholder=_("file with AGE-SECRET-KEY-…"), id="identity", compact=True)
            yield quiet("note")
            yield quiet("problem")
            yield Button(_("Begin putting back"), id="begin", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Listen, and look for what is connected."""
        self.arm()
        self.query_one("#swap").display = False
        self.query_one("#office-key").display = self._backup.key.value != HERE
        self.query_one("#terminals" if self.house.hints.addresses else "#address").focus()
        self.action_refresh()

    def _whiches(self) -> list[Option]:
        same = _("The one it was made of")
        other = _("Another one, on a swap order")
        return [
            Option(SAME, same, self._backup.serial, picked=self._which == SAME),
            Option(OTHER, other, _("the order names both"), picked=self._which == OTHER),
        ]

    def action_refresh(self) -> None:
        """Look for terminals."""
        self.run_worker(self._look(), exclusive=True, exit_on_error=False)

    async def _look(self) -> None:
        found = await self.house.doors.nearby()
        self._announced = announced(found)
        choices = self.query_one("#terminals", Choices)
        known = {option.value for option in choices.options}
        own = self._backup.serial
        new = [
            Option(n.address, n.address, _("the one it was made of") if own and own in n.address else "", picked=False)
            for n in found
            if n.usable and n.address not in known
        ]
        await choices.offer([*choices.options, *new])

    async def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Take that terminal's address; or which terminal it is."""
        event.stop()
        if event.control.id == "which":
            self._which = event.value
            await event.control.offer(self._whiches())
            self.query_one("#swap").display = self._which == OTHER
            return
        options = [Option(o.value, o.label, o.note, picked=o.value == event.value) for o in event.control.options]
        await event.control.offer(options)
        self.query_one("#address", Input).value = event.value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the next field that is shown, at last to the button."""
        event.stop()
        fields = [field for field in self.query(Input) if field.display and _shown(field)]
        place = fields.index(event.input)
        (fields[place + 1] if place + 1 < len(fields) else self.query_one(Button)).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Begin."""
        event.stop()
        self.action_begin()

    def action_begin(self) -> None:
        """Begin with what is entered, or say what is missing."""
        try:
            address, swap, identity = self._entered()
        except TechtoolError as error:
            self.failed(error)
            return
        doors, backup = self.house.doors, self._backup

        def begin(wish: RestoreWish) -> None:
            number = swap.work_order if swap else ""
            request = VisitRequest((address,), None, work_order=number, restore=wish, identity=identity)
            self.house.begin_visit(request)

        self.work(lambda: doors.restore_wish(backup.id, swap, identity), begin, _("Looking at the backup …"))

    def _entered(self) -> tuple[Address, Swap | None, Path | None]:
        values: dict[str, str] = {field.id or "": field.value.strip() for field in self.query(Input)}
        if not values["address"]:
            raise UsageError(problem=_("No terminal is chosen: pick one of the list, or type its address."))
        swap = None
        if self._which == OTHER:
            swap = swap_order(self._backup.serial, values["to-serial"], values["to-model"], values["swap-number"])
        identity = values["identity"].strip('"') if self._backup.key.value != HERE else ""
        address = Address.parse(values["address"])
        address = replace(address, announced=str(address) in self._announced)
        return address, swap, Path(identity).expanduser() if identity else None


def _shown(widget: Widget) -> bool:
    return all(one.display for one in widget.ancestors if isinstance(one, Widget))
