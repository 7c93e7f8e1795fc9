"""``techtool visit run|resume|list|show|abandon|verify``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import click

from techtool.cli.events import printer
from techtool.cli.inputs import first_line
from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.cli.visit_attach import attach_command
from techtool.cli.visit_verify import verify_command
from techtool.clock import said
from techtool.domain.codec import plain
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.pace import MOST, WRITERS, Pace
from techtool.domain.terminal import Address
from techtool.errors import InternalError, UsageError
from techtool.events import Event, Finished, LaneIdentified
from techtool.i18n import N_, _, translate
from techtool.paths import Paths
from techtool.reports.salvage import salvage_lines
from techtool.store.index import VisitState
from techtool.visit.engine import Engine
from techtool.visit.operator import Answers, ScriptedOperator
from techtool.visit.orders import read_order
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from techtool.visit.visits import list_visits, open_record

STATE_LABEL: Final = {
    VisitState.OPEN: N_("unfinished"),
    VisitState.SEALED: N_("closed and sealed"),
    VisitState.ABANDONED: N_("closed as stopped"),
    VisitState.DAMAGED: N_("record damaged"),
    VisitState.SALVAGED: N_("saved from a damaged file"),
    VisitState.NEWER: N_("made by a newer techtool"),
}


@click.group(help=N_("Run, resume, list, show, abandon or verify visits."))
def command() -> None:
    """The group."""


command.add_command(verify_command)
command.add_command(attach_command)


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


_COUNT = click.IntRange(1, MOST)
_answers = click.option("--answers", type=click.Path(path_type=Path), help=N_("JSON object: question id → answer"))
_passphrase = click.option(
    "--passphrase-file", type=click.Path(path_type=Path), help=N_("first line: the report key's passphrase")
)
_confirm = click.option(
    "--confirm", multiple=True, metavar="LAST4", help=N_("last four of a terminal's serial number; may be repeated")
)
_json = click.option("--json", "as_json", is_flag=True, help=N_("JSON Lines on stdout, nothing else"))


@command.command("run", help=N_("Do a whole visit to the terminals at these addresses."))
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS…")
@click.option("--bundle", required=True, type=click.Path(path_type=Path), help=N_("the stick, or its TECHTOOL folder"))
@click.option("--release", "releases", multiple=True, metavar="ID", help=N_("only these releases; may be repeated"))
@click.option(
    "--at-once", type=click.IntRange(1, MOST), default=1, metavar="N", help=N_("terminals worked on together")
)
@click.option(
    "--writers",
    type=click.IntRange(1, MOST),
    default=WRITERS,
    metavar="N",
    help=N_("of those: written at the same time"),
)
@click.option("--no-first", is_flag=True, help=N_("with --at-once: do not bring one to a good end first"))
@click.option("--order", type=click.Path(path_type=Path), help=N_("work order: a JSON or CSV file"))
@click.option("--order-number", default="", metavar="N", help=N_("which order of the file, where it holds several"))
@_answers
@_confirm
@_passphrase
@_json
def run_visit(
    addresses: tuple[str, ...],
    *,
    bundle: Path,
    releases: tuple[str, ...],
    at_once: int,
    writers: int,
    no_first: bool,
    order: Path | None,
    order_number: str,
    answers: Path | None,
    confirm: tuple[str, ...],
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """From identify to report."""
    operator = operator_for(answers, confirm, passphrase_file)
    parsed = tuple(Address.parse(a) for a in addresses)
    if len(set(parsed)) != len(parsed):
        raise UsageError(problem=_("The same address is named twice."))
    if order_number and order is None:
        raise UsageError(problem=_("--order-number needs --order."))
    request = VisitRequest(
        parsed,
        bundle,
        releases,
        order=read_order(order, order_number) if order else None,
        pace=Pace(at_once, writers, one_first=not no_first),
    )
    engine = Engine(Services.real(Paths.default()), operator)
    return follow_events(engine.run(request), operator, as_json=as_json)


@command.command("inspect", help=N_("Look at terminals and test them; nothing on them is changed, no stick is needed."))
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS…")
@click.option("--order", type=click.Path(path_type=Path), help=N_("work order: a JSON or CSV file"))
@click.option("--order-number", default="", metavar="N", help=N_("which order of the file, where it holds several"))
@_answers
@_passphrase
@_json
def inspect_visit(
    addresses: tuple[str, ...],
    *,
    order: Path | None,
    order_number: str,
    answers: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """From identify to report, without an installation."""
    operator = operator_for(answers, (), passphrase_file)
    parsed = tuple(Address.parse(a) for a in addresses)
    if len(set(parsed)) != len(parsed):
        raise UsageError(problem=_("The same address is named twice."))
    if order_number and order is None:
        raise UsageError(problem=_("--order-number needs --order."))
    request = VisitRequest(parsed, None, order=read_order(order, order_number) if order else None, inspection=True)
    engine = Engine(Services.real(Paths.default()), operator)
    return follow_events(engine.run(request), operator, as_json=as_json)


@command.command("resume", help=N_("Go on with an unfinished visit after reading each terminal again."))
@click.argument("visit", required=False, default="", metavar="[ID]")
@click.option("--bundle", type=click.Path(path_type=Path), help=N_("where the stick is now"))
@click.option("--address", "moved", multiple=True, metavar="SERIAL=ADDRESS", help=N_("where a terminal is now"))
@click.option("--identity", type=click.Path(path_type=Path), help=N_("of a restore: age identity file of the office"))
@_answers
@_confirm
@_passphrase
@_json
def resume_visit(
    visit: str,
    bundle: Path | None,
    moved: tuple[str, ...],
    identity: Path | None,
    answers: Path | None,
    confirm: tuple[str, ...],
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """From where it stopped."""
    operator = operator_for(answers, confirm, passphrase_file)
    addresses: dict[str, Address] = {}
    for item in moved:
        serial, equals, address = item.partition("=")
        if not equals:
            raise UsageError(problem=_("--address takes SERIAL=ADDRESS."))
        addresses[serial] = Address.parse(address)
    engine = Engine(Services.real(Paths.default()), operator)
    return follow_events(engine.resume(ResumeRequest(visit, bundle, addresses, identity)), operator, as_json=as_json)


@command.command("list", help=N_("The visits on this laptop, newest last."))
@_json
def show_list(as_json: bool) -> None:
    """One line a visit."""
    summaries = list_visits(Services.real(Paths.default()))
    if as_json:
        emit_json({"visits": plain(summaries)})
        return
    if not summaries:
        say(_("No visit yet on this laptop."))
    for s in summaries:
        label = translate(OUTCOME_LABEL[s.outcome]) if s.outcome else ""
        state = translate(STATE_LABEL[s.state])
        click.echo("  ".join(part for part in (s.id, said(s.started_at), state, ", ".join(s.serials), label) if part))
    for s in summaries:
        if s.state is VisitState.OPEN:
            say(_("{visit} is not finished: “techtool visit resume {visit}” goes on with it.").format(visit=s.id))
        if s.state is VisitState.DAMAGED:
            say(_("✗ The record of {visit} is damaged: “techtool doctor” says more.").format(visit=s.id))


@command.command("show", help=N_("One visit as its journal tells it."))
@click.argument("visit")
@click.option("--tinydb", type=click.Path(path_type=Path), help=N_("write a copy that stock TinyDB opens"))
@_json
def show_visit(visit: str, tinydb: Path | None, as_json: bool) -> None:
    """The whole record, or a summary for people."""
    services = Services.real(Paths.default())
    record = open_record(services, visit)
    if tinydb is not None:
        db = services.home.open_visit(visit, write=False)
        db.to_tinydb(tinydb)
        db.close()
        say(_("Written: {path}").format(path=tinydb))
    if as_json:
        emit_json({"visit": plain(record)})
        return
    click.echo(f"{record.id}  {record.technician}  {said(record.started_at)}")
    for salvage in record.salvaged:
        for line in salvage_lines(salvage):
            say(f"✗ {line.text()}")
    for lane in record.lanes:
        label = translate(OUTCOME_LABEL[lane.outcome]) if lane.outcome else _("unfinished")
        click.echo(f"  {lane.serial or '?':20} {lane.address:28} {label}")
        if lane.error is not None:
            click.echo(f"    {lane.error.code} {lane.error.what.text()}")


@command.command("abandon", help=N_("Close an unfinished visit as stopped; nothing more is done to its terminals."))
@click.argument("visit")
@_passphrase
@_json
def abandon_visit(visit: str, passphrase_file: Path | None, as_json: bool) -> None:
    """Outcomes are set truthfully, the reports written, the journal sealed."""
    from techtool.visit.abandon import abandon

    operator = operator_for(None, (), passphrase_file)
    record = abandon(Services.real(Paths.default()), visit, operator.passphrase)
    if as_json:
        emit_json({"visit": record.id, "outcome": record.outcome.value if record.outcome else None})
        return
    say(_("Visit {visit} was closed as stopped.").format(visit=record.id))
    for lane in record.lanes:
        if lane.outcome is not None:
            say(f"  {lane.serial or lane.address}: {translate(OUTCOME_LABEL[lane.outcome])}")
