"""``techtool backup restore BACKUP|VISIT --address ADDRESS``."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.visiting import (
    answers_option,
    confirm_option,
    follow_events,
    json_option,
    operator_for,
    order_number_option,
    order_of,
    order_option,
    passphrase_option,
)
from techtool.domain.codec import CodecError, convert_exactly, decode_json_untyped
from techtool.domain.restore import SWAP_SCHEMA, Swap
from techtool.domain.terminal import Address
from techtool.errors import BadFile
from techtool.i18n import N_, phrase
from techtool.paths import Paths, os_problem
from techtool.visit.services import Services, VisitRequest


@click.command(
    "restore",
    help=N_(
        "Put back from a backup the packages that the terminal does not run as they were: the same terminal only, or "
        "with a swap order. A visit of its own kind; what loses data is asked for by its own word."
    ),
)
@click.argument("backup", metavar="BACKUP|VISIT")
@click.option("--address", required=True, metavar="ADDRESS", help=N_("the terminal"))
@click.option(
    "--swap-order",
    type=click.Path(path_type=Path),
    help=N_("JSON that names both terminals: the backup of one goes onto the other"),
)
@click.option(
    "--identity",
    type=click.Path(path_type=Path),
    help=N_("age identity file of the office, where this laptop's own key to the backup is gone"),
)
@order_option
@order_number_option
@answers_option
@confirm_option
@passphrase_option
@json_option
def restore_command(
    backup: str,
    *,
    address: str,
    swap_order: Path | None,
    identity: Path | None,
    order: Path | None,
    order_number: str,
    answers: Path | None,
    confirm: tuple[str, ...],
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """From identify to report."""
    from techtool.visit.engine import Engine
    from techtool.visit.restore_source import refuse_hopeless, wish_for

    operator = operator_for(answers, confirm, passphrase_file)
    parsed = Address.parse(address)
    swap = read_swap(swap_order) if swap_order is not None else None
    given = order_of(order, order_number)
    services = Services.real(Paths.default())
    work_order = (given.number if given else "") or (swap.work_order if swap else "")
    wish = wish_for(services, backup, swap)
    refuse_hopeless(services, wish, identity)
    request = VisitRequest(
        (parsed,),
        None,
        work_order=work_order,
        order=given,
        restore=wish,
        identity=identity,
    )
    return follow_events(Engine(services, operator).run(request), operator, as_json=as_json)


def read_swap(path: Path) -> Swap:
    """``{"schema": 1, "swap": {"from": …, "to": …, "model": …, "work_order": …}}``; raises :class:`BadFile`."""
    try:
        document = decode_json_untyped(path.read_bytes())
        order = convert_exactly(document, dict[str, int | dict[str, str]])
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    except CodecError as error:
        raise BadFile(path=str(path), problem=str(error)) from error
    fields = order.get("swap")
    if order.get("schema") != SWAP_SCHEMA or not isinstance(fields, dict):
        raise BadFile(path=str(path), problem=phrase("it is no swap order of schema {schema}", schema=SWAP_SCHEMA))
    names = ("from", "to", "model", "work_order")
    if set(fields) != set(names) or not all(fields[name].strip() for name in names):
        raise BadFile(path=str(path), problem=phrase("a swap order names {names}", names=", ".join(names)))
    if fields["from"] == fields["to"]:
        raise BadFile(path=str(path), problem=phrase("it names the same terminal twice"))
    return Swap(fields["from"], fields["to"], fields["model"], fields["work_order"])
