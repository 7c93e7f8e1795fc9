"""Work orders as the screens show them: unsigned, they only say what to expect. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from techtool.domain.work_order import ExpectedTerminal, WorkOrder
from techtool.i18n import _, translate
from techtool.reports.redaction import masked, visible
from techtool.tui.views.lines import Line, Mark, named
from techtool.visit.arrive import WHAT

if TYPE_CHECKING:
    from techtool.visit.orders import FoundOrders


def orders_in(found: FoundOrders) -> tuple[WorkOrder, ...]:
    """Every order that can be used, file by file."""
    return tuple(order for file in found.files for order in file.orders)


def order_label(order: WorkOrder) -> str:
    """Its number and merchant."""
    return visible("  ".join(filter(None, (order.number or "-", order.site.merchant_name))))


def order_note(order: WorkOrder) -> str:
    """What is to be done, on how many terminals."""
    return "  ".join((translate(WHAT[order.type]), _("{count} terminals").format(count=len(order.terminals))))


def order_lines(order: WorkOrder) -> tuple[Line, ...]:
    """What it says, and every terminal it expects."""
    rows = (
        (_("Merchant"), order.site.merchant_name),
        (_("Site"), " ".join(filter(None, (order.site.site_id, order.site.site_address)))),
        (_("Ordered by"), order.source),
        (_("Releases"), ", ".join(order.releases)),
        (_("To be installed by"), order.install_by.isoformat() if order.install_by else ""),
        (_("Note"), order.note),
    )
    lines = [Line(Mark.NOTE, visible(named(name, value))) for name, value in rows if value]
    lines += [Line(Mark.WAITING, visible(_("Expected: {terminal}").format(terminal=t))) for t in _expected(order)]
    lines.append(Line(Mark.NOTE, _("Orders are unsigned: they only say what to expect.")))
    return tuple(lines)


def unusable_lines(found: FoundOrders) -> tuple[Line, ...]:
    """Files that cannot be used, each with why."""
    return tuple(Line(Mark.STOPPED, f"{error.code}  {error.what_phrase.text()}") for error in found.unusable)


def _expected(order: WorkOrder) -> Iterator[str]:
    for terminal in order.terminals:
        yield "  ".join(filter(None, _named(terminal))) or "-"


def _named(terminal: ExpectedTerminal) -> tuple[str, ...]:
    return (
        terminal.serial,
        f"{terminal.vendor} {terminal.model}".strip(),
        f"TID {masked(terminal.tid)}" if terminal.tid else "",
        terminal.counter,
        " ".join(terminal.releases),
    )
