"""What is to be done in a new visit, and on whose order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from techtool.domain.work_order import VisitType, WorkOrder
from techtool.errors import TechtoolError
from techtool.i18n import _
from techtool.tui.views.lines import Line, Mark
from techtool.tui.views.orders import order_label, order_lines, order_note, orders_in, unusable_lines
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, glyphs_of, lines_grid
from techtool.visit.services import VisitRequest

if TYPE_CHECKING:
    from techtool.visit.orders import FoundOrders

NONE = "none"
Reader = Callable[[Path, Callable[["FoundOrders"], object], Callable[[TechtoolError], object]], None]
"""Reads the orders at a place beside the screen, then calls the one or the other."""


class Job(StrEnum):
    """What a visit is begun for; the first is what nobody needs to choose."""

    UPDATE = "update"
    INSPECT = "inspect"
    BACK_UP = "back-up"

    @property
    def needs_stick(self) -> bool:
        """Whether anything is installed."""
        return self is Job.UPDATE


class OrderPicker(Vertical):
    """What is to be done; the orders on the stick, or in a file that is named; what the chosen one says."""

    def __init__(self, read: Reader) -> None:
        super().__init__()
        self._read = read
        self._orders: tuple[WorkOrder, ...] = ()
        self._looked = ""
        self.job = Job.UPDATE
        self.order: WorkOrder | None = None

    def compose(self) -> ComposeResult:
        """Job, orders, file, what it says."""
        yield Plain(_("What is to be done"), classes="field-title")
        yield Choices(self._jobs(), id="jobs", label_width=22)
        yield Plain(_("Work order (may be left out)"), classes="field-title")
        yield Choices(id="orders", label_width=44)
        yield Input(placeholder=_("file of a work order, where it is not on the stick"), id="order-file", compact=True)
        yield Static(id="order-says", markup=False)

    def on_mount(self) -> None:
        """Nothing is known of orders yet."""
        self.query_one("#orders").display = False
        self.query_one("#order-says").display = False

    def into(self, request: VisitRequest) -> VisitRequest:
        """The request with job and order: merchant, number and releases come from the order."""
        if self.job is not Job.UPDATE:
            request = replace(request, bundle=None, inspection=self.job is Job.INSPECT)
        return replace(request, order=self.order)

    def look(self, place: str) -> None:
        """For orders on this stick, once."""
        text = place.strip().strip('"')
        if text and text != self._looked and not self.query_one("#order-file", Input).value.strip():
            self._looked = text
            self._read(Path(text).expanduser(), self._found, self._none_there)

    async def _found(self, found: FoundOrders) -> None:
        if not self.is_mounted:
            return
        self._orders = orders_in(found)
        if self.order not in self._orders:
            self.order = None
        self._say(unusable_lines(found))
        await self._offer()

    async def _named(self, found: FoundOrders) -> None:
        """A file was named: the only order in it is the one that is meant."""
        await self._found(found)
        if self.is_mounted and len(self._orders) == 1:
            await self._pick(self._orders[0])

    def _none_there(self, _error: TechtoolError) -> None:
        """A stick need not have any, and need not be one yet."""

    def _refused(self, error: TechtoolError) -> None:
        if self.is_mounted:
            self.order = None
            self._say((Line(Mark.STOPPED, f"{error.code}  {error.what_phrase.text()}"),))

    async def _offer(self) -> None:
        choices = self.query_one("#orders", Choices)
        choices.display = bool(self._orders)
        options = [
            Option(str(place), order_label(order), order_note(order), picked=order is self.order)
            for place, order in enumerate(self._orders)
        ]
        if options:
            options.append(Option(NONE, _("Without an order"), picked=self.order is None))
        await choices.offer(options)

    async def _pick(self, order: WorkOrder | None) -> None:
        self.order = order
        if order is not None:
            self.job = Job.INSPECT if order.type is VisitType.INSPECTION else Job.UPDATE
            await self.query_one("#jobs", Choices).offer(self._jobs())
        self._say(order_lines(order) if order is not None else ())
        await self._offer()

    def _say(self, lines: tuple[Line, ...]) -> None:
        says = self.query_one("#order-says", Static)
        says.update(lines_grid(lines, glyphs_of(self.app), indent=2))
        says.display = bool(lines)

    def _jobs(self) -> list[Option]:
        texts = {
            Job.UPDATE: (_("Update from the stick"), _("identify, check, back up, install, test")),
            Job.INSPECT: (_("Inspect only"), _("read, look, test; no stick is needed")),
            Job.BACK_UP: (_("Back up only"), _("nothing is changed; no stick is needed")),
        }
        return [Option(j.value, label, note, picked=j is self.job) for j, (label, note) in texts.items()]

    async def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A job, or an order."""
        event.stop()
        if event.control.id == "jobs":
            self.job = Job(event.value)
            await event.control.offer(self._jobs())
        else:
            await self._pick(None if event.value == NONE else self._orders[int(event.value)])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read the file that is named; none: without an order."""
        event.stop()
        text = event.value.strip().strip('"')
        if text:
            self._read(Path(text).expanduser(), self._named, self._refused)
        else:
            self._looked = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """An order that was taken from another file is not this one's."""
        event.stop()
        if self.order is not None:
            self.call_later(self._pick, None)
