"""What every command that makes a visit shares: its options, what they stand for, and how the visit is followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import click

from techtool.cli.events import printer
from techtool.cli.inputs import first_line
from techtool.cli.output import say
from techtool.cli.runner import run_async
from techtool.domain.terminal import Address
from techtool.domain.work_order import WorkOrder
from techtool.errors import InternalError, UsageError
from techtool.events import Event, Finished, LaneIdentified
from techtool.i18n import N_, _
from techtool.visit.operator import Answers, ScriptedOperator

order_option = click.option("--order", type=click.Path(path_type=Path), help=N_("work order: a JSON or CSV file"))
order_number_option = click.option(
    "--order-number", default="", metavar="N", help=N_("which order of the file, where it holds several")
)
answers_option = click.option(
    "--answers", type=click.Path(path_type=Path), help=N_("JSON object: question id → answer")
)
passphrase_option = click.option(
    "--passphrase-file", type=click.Path(path_type=Path), help=N_("first line: the report key's passphrase")
)
confirm_option = click.option(
    "--confirm", multiple=True, metavar="LAST4", help=N_("last four of a terminal's serial number; may be repeated")
)
json_option = click.option("--json", "as_json", is_flag=True, help=N_("JSON Lines on stdout, nothing else"))


def addresses_of(texts: Sequence[str]) -> tuple[Address, ...]:
    """The terminals of one visit; raises :class:`BadAddress`, and :class:`UsageError` for one that is named twice."""
    parsed = tuple(Address.parse(text) for text in texts)
    if len(set(parsed)) != len(parsed):
        raise UsageError(problem=_("The same address is named twice."))
    return parsed


def order_of(order: Path | None, number: str) -> WorkOrder | None:
    """The work order that was named; raises :class:`BadOrder`, and :class:`UsageError` for a number without a file."""
    from techtool.visit.orders import read_order

    if number and order is None:
        raise UsageError(problem=_("--order-number needs --order."))
    return read_order(order, number) if order else None


def operator_for(answers: Path | None, confirm: tuple[str, ...], passphrase_file: Path | None) -> ScriptedOperator:
    """Who answers in a person's place, from the command line's options."""
    passphrase = first_line(passphrase_file) if passphrase_file is not None else None
    for last4 in confirm:
        if len(last4) != 4:
            raise UsageError(problem=_("--confirm takes the last four of a serial number."))
    return ScriptedOperator(Answers.read(answers) if answers else Answers(), confirm, passphrase)


def follow_events(events: AsyncIterator[Event], operator: ScriptedOperator, *, as_json: bool) -> int:
    """Print events as they come; the exit code is the visit's."""
    show = printer(as_json=as_json)

    async def follow() -> int:
        async for event in events:
            if isinstance(event, LaneIdentified):
                operator.serials.add(event.serial)
            show(event)
            if isinstance(event, Finished):
                _tell_unused(operator)
                return event.exit_code
        raise InternalError(kind="no end")

    return run_async(follow())


def _tell_unused(operator: ScriptedOperator) -> None:
    """A confirmation that fitted none of the terminals that answered is most likely a slip."""
    for last4 in operator.confirmations:
        if operator.serials and not any(serial.upper().endswith(last4.upper()) for serial in operator.serials):
            say(_("--confirm {last4} fitted no terminal of this visit.").format(last4=last4))
