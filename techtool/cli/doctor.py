"""``techtool doctor [--rebuild]``."""

from __future__ import annotations

from dataclasses import replace

import click

from techtool.cli.output import emit_json, say
from techtool.errors import Exit, StoreDamaged
from techtool.i18n import N_, _, phrase
from techtool.paths import Paths
from techtool.store.index import VisitState, VisitSummary
from techtool.visit.services import Services
from techtool.visit.visits import open_record, summary_of


@click.command(help=N_("Read every visit's journal to its last byte and say what is damaged."))
@click.option("--rebuild", is_flag=True, help=N_("make the index again from the visits"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(rebuild: bool, as_json: bool) -> int:
    """Check, and rebuild what is derived."""
    services = Services.real(Paths.default())
    good, damaged = _read_all(services)
    known = _indexed(services, damaged, rebuild=rebuild)
    damaged += _not_as_indexed(services, known, good)
    lost = [replace(known[v], state=VisitState.DAMAGED) for v in known if v not in {s.id for s in good}]
    if rebuild:
        with services.home.lock("doctor --rebuild"):
            services.index.rebuild([*good, *lost])
    if as_json:
        emit_json({"visits": len(good), "damaged": [str(e) for e in damaged], "rebuilt": rebuild})
    else:
        say(_("{count} visits can be read.").format(count=len(good)))
        for problem in damaged:
            say(f"✗ {problem.what_phrase.text()}")
        if rebuild:
            say(_("The index was made again."))
    return int(Exit.DAMAGED_STORE if damaged else Exit.DONE)


def _read_all(services: Services) -> tuple[list[VisitSummary], list[StoreDamaged]]:
    """Every journal, to its last byte."""
    good: list[VisitSummary] = []
    damaged: list[StoreDamaged] = []
    for visit_id in services.home.visit_ids():
        try:
            good.append(summary_of(open_record(services, visit_id)))
        except StoreDamaged as error:
            damaged.append(error)
    return good, damaged


def _indexed(services: Services, damaged: list[StoreDamaged], *, rebuild: bool) -> dict[str, VisitSummary]:
    """What the index says of each visit; a damaged index is reported unless it is made again anyway."""
    try:
        return {summary.id: summary for summary in services.index.visits()}
    except StoreDamaged as error:
        if not rebuild:
            damaged.append(error)
        return {}


def _not_as_indexed(services: Services, known: dict[str, VisitSummary], good: list[VisitSummary]) -> list[StoreDamaged]:
    """A chain alone does not show that its end was cut off or the file is gone; the index remembers head and state."""
    found = {summary.id: summary for summary in good}
    there = set(services.home.visit_ids())
    problems: list[StoreDamaged] = []
    for visit_id, summary in known.items():
        path = str(services.home.visit_path(visit_id))
        if visit_id not in there:
            problems.append(StoreDamaged(path=path, problem=phrase("the file is gone")))
        elif visit_id in found and summary.state is not VisitState.OPEN and found[visit_id].head != summary.head:
            problems.append(StoreDamaged(path=path, problem=phrase("it is not the record that was closed")))
    return problems
