"""New visit: which terminals, which stick."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input

from techtool.domain.nearby import TWIN, How, Nearby
from techtool.domain.pace import MOST, WRITERS
from techtool.errors import TechtoolError
from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.requests import Order, addresses_of, visit_request
from techtool.tui.screens.base import HouseScreen
from techtool.tui.screens.pair import PairScreen
from techtool.tui.views.lines import Part
from techtool.tui.views.nearby import PAIR, after_cables, announced, first_advice, listed, option_of
from techtool.tui.views.problem import complaint
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.order_picker import OrderPicker
from techtool.tui.widgets.text import Plain

if TYPE_CHECKING:
    from techtool.visit.orders import FoundOrders


class NewVisitScreen(HouseScreen):
    """Pick terminals, name the stick, begin."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "begin", "pick_all", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "begin", "pick_all", "refresh", "back", "pair")]
    ABOUT: ClassVar[str] = N_(
        "Pick the terminals on the counter: those on a USB cable are listed, one on the network is typed as "
        "adb://HOST:PORT. Then the stick from the office. Beginning only reads; what would change is shown first. "
        "Several addresses are parted by blanks, and adb://HOST:5555-5584 stands for thirty of them; F4 picks the "
        "whole list. The list follows the cables by itself. F6 pairs an Android terminal over the network."
    )

    order = Order.ONE_FIRST
    """What is chosen where there are several terminals."""

    def __init__(self, stick: str = "", serial: str = "") -> None:
        """``stick``: named already; ``serial``: of the terminal that is meant, picked where a cable reaches it."""
        super().__init__()
        self._stick = stick
        self._serial = serial
        self._seen: dict[str, Nearby] = {}
        self._picks: set[str] = set()
        self._others: list[Nearby] = []
        """On a cable, but nothing can be done with them yet."""

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("New visit"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """Terminals, stick, begin."""
        hints = self.house.hints
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Terminals"), classes="heading")
            self._picks = set(hints.addresses[:1])
            yield Choices(self._terminals(), id="terminals", start=0, label_width=34)
            yield Plain("", id="looking", classes="question-note")
            yield Plain(_("Another terminal, or several"), classes="field-title")
            yield Input(placeholder="adb://192.0.2.10:5555", id="address", compact=True)
            yield Button(_("Pair over the network … (F6)"), id="pair", compact=True)
            yield Plain(_("In what order"), classes="field-title", id="order-title")
            yield Choices(self._orders(), id="order", label_width=34)
            yield Plain(_("USB stick"), classes="heading")
            yield Choices(id="sticks", label_width=34)
            yield Plain(_("Folder of the stick"), classes="field-title")
            place = self._stick or hints.stick
            yield Input(place, placeholder=_("the folder that holds TECHTOOL"), id="stick", compact=True)
            yield OrderPicker(self._read_orders)
        yield Plain("", id="problem", classes="problem-text beside")
        yield Button(_("Begin the visit"), id="begin", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Listen, and look for what is connected."""
        self.arm()
        self.query_one("#sticks").display = False
        self._take_settings()
        self._show_order()
        self.query_one(OrderPicker).look(self.query_one("#stick", Input).value)
        self.action_refresh()
        first = "#terminals" if self.query_one("#terminals", Choices).options else "#address"
        self.query_one(first).focus()

    def _read_orders(
        self, place: Path, then: Callable[[FoundOrders], object], failed: Callable[[TechtoolError], object]
    ) -> None:
        self.house.in_background(lambda: self.house.doors.orders(place), then, failed)

    def _take_settings(self) -> None:
        """The order of work that was chosen for this laptop; broken settings are told of elsewhere."""
        with contextlib.suppress(TechtoolError):
            self.order = Order(self.house.doors.settings().fleet.order)
        self.call_later(self.query_one("#order", Choices).offer, self._orders())

    def action_refresh(self) -> None:
        """Look for terminals and sticks."""
        self.query_one("#looking", Plain).say(_("Looking for terminals on USB …"))
        self.run_worker(self._look(), exclusive=True, exit_on_error=False)

    async def _look(self) -> None:
        """Everything once, then the cables for as long as the screen is there."""
        try:
            await self._follow()
        except TechtoolError as error:  # broken settings: an address that is typed still serves
            self.query_one("#looking", Plain).say("")
            # Behind the first messages of the fields, which take a complaint away.
            self.call_after_refresh(self.query_one("#problem", Plain).say, complaint(error))

    async def _follow(self) -> None:
        everything = await self.house.doors.nearby()
        found = listed(everything)
        self._others = [one for one in everything if one.how is How.USB or one.state == TWIN]
        usable = [key for key, one in found.items() if one.usable]
        if self._serial:
            self._picks |= {key for key in usable if key.endswith(f":{self._serial}")}
        elif not self._seen and not self.house.hints.addresses and len(usable) == 1:
            self._picks.add(usable[0])
        pulled = {key: one for key, one in self._seen.items() if key in self._picks and key not in found}
        new = found.keys() - self._seen.keys()
        await self._show({**found, **pulled})
        if new and not self.query_one("#address", Input).value:
            self.query_one("#terminals").focus()
            # The field below had the focus: the list that has come above it is to be seen from its first line.
            self.call_after_refresh(self.query_one(".body").scroll_home, animate=False)
        await self._offer_sticks(await asyncio.to_thread(self.house.doors.sticks))
        async with aclosing(self.house.doors.cables()) as changes:
            async for cables in changes:
                await self._show(after_cables(self._seen, cables, self._picks))

    async def _show(self, seen: dict[str, Nearby]) -> None:
        self._seen = seen
        choices = self.query_one("#terminals", Choices)
        await choices.offer(self._terminals(), start=0)
        self._show_order()
        none = _("No terminal on USB is seen; type its address.") if not choices.options else ""
        self.query_one("#looking", Plain).say(first_advice([*seen.values(), *self._others]) or none)

    def _terminals(self) -> list[Option]:
        simulated = [Option(a, a, _("simulated"), picked=a in self._picks) for a in self.house.hints.addresses]
        seen = self._seen.items()
        return simulated + [option_of(key, one, self._picks) for key, one in seen if not self._simulated(key)]

    async def _offer_sticks(self, sticks: Sequence[str]) -> None:
        field = self.query_one("#stick", Input)
        if not field.value and len(sticks) == 1:
            field.value = sticks[0]
        choices = self.query_one("#sticks", Choices)
        choices.display = bool(sticks)
        await choices.offer([Option(place, place) for place in sticks])

    async def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Pick or unpick a terminal; take a stick's place."""
        event.stop()
        if event.control.id == "sticks":
            self.query_one("#stick", Input).value = event.value
            self.query_one(OrderPicker).look(event.value)
            return
        if event.control.id == "order":
            self.order = Order(event.value)
            await event.control.offer(self._orders())
            return
        if event.value.startswith(PAIR):
            self.house.open(lambda: PairScreen(event.value.removeprefix(PAIR)))
            return
        self._picks ^= {event.value}
        await event.control.offer(self._terminals())
        self._show_order()

    def action_pair(self) -> None:
        """Pair with a terminal over the network."""
        self.house.open(PairScreen)

    def _picked(self) -> list[str]:
        return [option.value for option in self.query_one("#terminals", Choices).options if option.picked]

    def _orders(self) -> list[Option]:
        texts = {
            Order.ONE_FIRST: (_("One first, then the rest"), _("the rest begin when the first is well")),
            Order.ONE_BY_ONE: (_("One after the other"), _("one terminal always stays of use")),
            Order.ALL: (_("All at once"), _("{count} are written at the same time").format(count=WRITERS)),
        }
        return [Option(o.value, label, note, picked=o is self.order) for o, (label, note) in texts.items()]

    def _show_order(self) -> None:
        """The order matters where there are several."""
        try:
            several = len({*self._picked(), *addresses_of(self.query_one("#address", Input).value)}) > 1
        except TechtoolError:
            several = True
        for name in ("#order", "#order-title"):
            self.query_one(name).display = several

    async def action_pick_all(self) -> None:
        """Every terminal of the list that is ready, as many as one visit takes; none when all were picked."""
        terminals = self.query_one("#terminals", Choices)
        ready = [option.value for option in terminals.options if option.picked or self._is_ready(option.value)][:MOST]
        self._picks = set() if self._picks.issuperset(ready) else set(ready)
        await terminals.offer(self._terminals())
        self._show_order()

    def _is_ready(self, key: str) -> bool:
        return self._simulated(key) or (key in self._seen and self._seen[key].usable)

    def _simulated(self, key: str) -> bool:
        return key in self.house.hints.addresses

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on: from the address to the stick, from the stick to the button."""
        event.stop()
        self.query_one("#stick" if event.input.id == "address" else "#begin").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The complaint goes when it is being mended."""
        event.stop()
        self.query_one("#problem", Plain).say("")
        if event.input.id == "address":
            self._show_order()
        elif event.input.id == "stick":
            self.query_one(OrderPicker).look(event.value)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Begin, or pair."""
        event.stop()
        if event.button.id == "pair":
            self.action_pair()
        else:
            self.action_begin()

    def action_begin(self) -> None:
        """Begin with what is entered, or say what is missing."""
        problem = self.query_one("#problem", Plain)
        try:
            address, stick = (self.query_one(name, Input).value for name in ("#address", "#stick"))
            picker = self.query_one(OrderPicker)
            stick = stick if picker.job.needs_stick else "."
            heard = announced(self._seen.values())
            request = picker.into(visit_request(self._picked(), address, stick, self.order, announced=heard))
        except TechtoolError as error:
            problem.say(complaint(error))
            problem.call_after_refresh(problem.scroll_visible, animate=False)
            self.app.bell()
            return
        problem.say("")
        self.house.begin_visit(request)
