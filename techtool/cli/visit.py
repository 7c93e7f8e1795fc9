"""``techtool visit run|resume|list|show|abandon|verify``."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.masked import tell_locked
from techtool.cli.output import emit_json, say
from techtool.cli.recording_option import record_option, recorded
from techtool.cli.visit_attach import attach_command
from techtool.cli.visit_verify import verify_command
from techtool.cli.visiting import (
    addresses_of,
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
from techtool.clock import said
from techtool.domain.codec import plain
from techtool.domain.outcome import OUTCOME_LABEL
from techtool.domain.pace import MOST, WRITERS, Pace
from techtool.domain.terminal import Address
from techtool.domain.visit_state import STATE_LABEL, VisitState
from techtool.errors import UsageError
from techtool.i18n import N_, _, translate
from techtool.paths import Paths
from techtool.reports.salvage import salvage_lines
from techtool.visit.engine import Engine
from techtool.visit.office_key import read_any
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from techtool.visit.visits import list_visits


@click.group(help=N_("Run, resume, list, show, abandon or verify visits."))
def command() -> None:
    """The group."""


command.add_command(verify_command)
command.add_command(attach_command)


_COUNT = click.IntRange(1, MOST)


@command.command("run", help=N_("Do a whole visit to the terminals at these addresses."))
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS…")
@click.option("--bundle", required=True, type=click.Path(path_type=Path), help=N_("the stick, or its TECHTOOL folder"))
@click.option("--release", "releases", multiple=True, metavar="ID", help=N_("only these releases; may be repeated"))
@click.option("--at-once", type=_COUNT, default=1, metavar="N", help=N_("terminals worked on together"))
@click.option("--writers", type=_COUNT, default=WRITERS, metavar="N", help=N_("of those: written at the same time"))
@click.option("--no-first", is_flag=True, help=N_("with --at-once: do not bring one to a good end first"))
@order_option
@order_number_option
@answers_option
@confirm_option
@passphrase_option
@record_option
@json_option
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
    record: Path | None,
    as_json: bool,
) -> int:
    """From identify to report."""
    if record is not None and len(addresses) > 1:
        raise UsageError(problem=_("--record takes one terminal at a time."))
    operator = operator_for(answers, confirm, passphrase_file)
    request = VisitRequest(
        addresses_of(addresses),
        bundle,
        releases,
        order=order_of(order, order_number),
        pace=Pace(at_once, writers, one_first=not no_first),
    )
    with recorded(Services.real(Paths.default()), record, addresses) as (services, recorder):
        try:
            return follow_events(Engine(services, operator).run(request), operator, as_json=as_json)
        finally:
            if recorder is not None:
                recorder.know(*operator.serials)


@command.command("inspect", help=N_("Look at terminals and test them; nothing on them is changed, no stick is needed."))
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS…")
@order_option
@order_number_option
@answers_option
@passphrase_option
@json_option
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
    request = VisitRequest(addresses_of(addresses), None, order=order_of(order, order_number), inspection=True)
    engine = Engine(Services.real(Paths.default()), operator)
    return follow_events(engine.run(request), operator, as_json=as_json)


@command.command("resume", help=N_("Go on with an unfinished visit after reading each terminal again."))
@click.argument("visit", required=False, default="", metavar="[ID]")
@click.option("--bundle", type=click.Path(path_type=Path), help=N_("where the stick is now"))
@click.option("--address", "moved", multiple=True, metavar="SERIAL=ADDRESS", help=N_("where a terminal is now"))
@click.option("--identity", type=click.Path(path_type=Path), help=N_("of a restore: age identity file of the office"))
@answers_option
@confirm_option
@passphrase_option
@json_option
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
@json_option
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


@command.command(
    "show",
    help=N_("One visit as its journal tells it; VISIT may be a file, as “office fetch” and an outbox have it."),
)
@click.argument("visit")
@click.option(
    "--tinydb",
    type=click.Path(path_type=Path),
    help=N_("write a copy that stock TinyDB opens; nothing in it is sealed or masked"),
)
@click.option(
    "--identity",
    type=click.Path(path_type=Path),
    help=N_("age identity file of the office, which opens the record's confidential words"),
)
@json_option
def show_visit(visit: str, tinydb: Path | None, identity: Path | None, as_json: bool) -> None:
    """The whole record, or a summary for people."""
    services = Services.real(Paths.default())
    record, db = read_any(services.home, visit, identity)
    if tinydb is not None:
        db.to_tinydb(tinydb)
        say(_("Written: {path}").format(path=tinydb))
    if db.locked:
        tell_locked()
    db.close()
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
@passphrase_option
@json_option
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
