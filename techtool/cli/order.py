"""``techtool order``: what the office's orders say. Unsigned, they name what is expected and decide nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.cli.output import emit_json, error_json, say, shown
from techtool.domain.codec import plain
from techtool.errors import Exit, UsageError
from techtool.i18n import N_, Phrase, _, phrase, translate

if TYPE_CHECKING:
    from techtool.domain.work_order import ExpectedTerminal, WorkOrder
    from techtool.visit.orders import FoundOrders

_PATH = click.Path(path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))


@click.group(help=N_("Look at work orders; they are unsigned and only say what to expect."))
def command() -> None:
    """The group."""


@command.command("list", help=N_("The orders in a file or folder, or on a stick (its orders folders)."))
@click.argument("path", required=False, type=_PATH)
@click.option("--bundle", type=_PATH, help=N_("the stick, or its TECHTOOL folder"))
@_json
def list_orders(path: Path | None, bundle: Path | None, as_json: bool) -> int:
    """One line an order; a file that cannot be used is named and the others are listed."""
    from techtool.visit.orders import orders_on

    place = path or bundle
    if place is None or (path and bundle):
        raise UsageError(problem=_("Give either a path or --bundle."))
    found = orders_on(place)
    if as_json:
        emit_json(_listed(found))
    else:
        for file in found.files:
            for order in file.orders:
                click.echo(
                    f"{order.number or '-'}  {_type(order)}  {order.site.merchant_name}  {_count(order)}  {file.path}"
                )
            _tell_ignored(file.ignored)
        say(_("Orders are unsigned: they only say what to expect."))
    for error in found.unusable:
        say(f"✗ {error.code}  {shown(error.what_phrase)}")
    if not found.files and not found.unusable:
        say(_("There is no order there."))
        return int(Exit.NOT_FOUND)
    return int(Exit.USAGE if found.unusable else Exit.DONE)


@command.command("show", help=N_("One order, as techtool understands it."))
@click.argument("file", type=_PATH)
@click.option("--number", default="", metavar="N", help=N_("which order of the file, where it holds several"))
@_json
def show_order(file: Path, number: str, as_json: bool) -> None:
    """Everything it says."""
    from techtool.visit.orders import read_order

    order = read_order(file, number)
    if as_json:
        emit_json({"order": plain(order), "signed": False})
        return
    for name, value in _facts(order):
        click.echo(f"{name.text()}: {value}")
    for terminal in order.terminals:
        click.echo(f"  · {_terminal(terminal)}")
    say(_("Orders are unsigned: they only say what to expect."))


def _listed(found: FoundOrders) -> dict[str, object]:
    orders = [
        {**plain(order), "path": str(file.path), "signed": False} for file in found.files for order in file.orders
    ]
    ignored = {str(file.path): list(file.ignored) for file in found.files if file.ignored}
    return {"orders": orders, "ignored_columns": ignored, "errors": [error_json(error) for error in found.unusable]}


def _tell_ignored(columns: tuple[str, ...]) -> None:
    if columns:
        say(_("These columns mean nothing here and were passed over: {names}").format(names=", ".join(columns)))


def _type(order: WorkOrder) -> str:
    from techtool.visit.arrive import WHAT

    return translate(WHAT[order.type])


def _count(order: WorkOrder) -> str:
    return _("{count} terminals").format(count=len(order.terminals))


def _facts(order: WorkOrder) -> Iterator[tuple[Phrase, str]]:
    """What it says of the whole; what it leaves out is left out."""
    site = order.site
    rows = (
        (phrase("Work order no."), order.number),
        (phrase("What is to be done"), _type(order)),
        (phrase("Ordered by"), order.source),
        (phrase("Acquirer"), order.acquirer),
        (phrase("Service company"), order.service_company),
        (phrase("Merchant"), site.merchant_name),
        (phrase("Merchant no."), site.mid),
        (phrase("Merchant's contact"), " ".join(filter(None, (site.merchant_contact, site.merchant_phone)))),
        (phrase("Site"), " ".join(filter(None, (site.site_id, site.site_address)))),
        (phrase("Trading hours"), site.trading_hours),
        (phrase("Releases"), ", ".join(order.releases)),
        (phrase("To be installed by"), order.install_by.isoformat() if order.install_by else ""),
        (phrase("Note"), order.note),
        (phrase("Terminals"), str(len(order.terminals))),
    )
    yield from ((name, value) for name, value in rows if value)


def _terminal(terminal: ExpectedTerminal) -> str:
    named = (
        ("", terminal.serial),
        ("", f"{terminal.vendor} {terminal.model}".strip()),
        ("TID ", terminal.tid),
        ("MID ", terminal.mid),
        ("", terminal.counter),
        ("", terminal.asset_no),
        ("", " ".join(terminal.seals)),
        ("", " ".join(terminal.releases)),
    )
    return "  ".join(f"{name}{value}" for name, value in named if value)
