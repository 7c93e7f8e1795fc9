"""``techtool doctor [--rebuild] [--salvage VISIT]… [--salvage-all]``."""

from __future__ import annotations

import click

from techtool.cli.output import emit_json, error_json, say, show_error
from techtool.clock import SystemClock, stamp
from techtool.domain.salvage import SalvageRecord
from techtool.errors import Exit, TechtoolError
from techtool.i18n import N_, _
from techtool.paths import Paths
from techtool.reports.health_words import readable_word
from techtool.reports.salvage import salvage_lines
from techtool.visit.checkup import Health, examine, rebuild
from techtool.visit.health import Finding
from techtool.visit.rescue import House, Rescued, rescue


@click.command(
    help=N_(
        "Read every visit's journal to its last byte, check seals, index, settings, trust state and keys; say what is "
        "damaged, since when, and what to do."
    )
)
@click.option("--rebuild", "make_again", is_flag=True, help=N_("make the index again from the visits"))
@click.option(
    "--salvage", "visits", multiple=True, metavar="VISIT", help=N_("set its damaged file aside, save what can be read")
)
@click.option("--salvage-all", is_flag=True, help=N_("the same for every damaged visit"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(make_again: bool, visits: tuple[str, ...], salvage_all: bool, as_json: bool) -> int:
    """Repair what is asked for, then check everything."""
    house = House.at(Paths.default(), SystemClock())
    saved: list[Rescued] = []
    failed: list[TechtoolError] = []
    if visits or salvage_all:
        saved, failed = _salvage(house, visits, salvage_all=salvage_all)
    if make_again:
        with house.home.lock("doctor --rebuild"):
            aside = [path.name for path in rebuild(house)]
    health = examine(house)
    if as_json:
        emit_json(
            {
                "visits": health.readable,
                "damaged": [finding.what.text() for finding in health.problems],
                "findings": [_json(finding) for finding in health.findings],
                "salvaged": [_saved_json(one) for one in saved],
                "failed": [error_json(error) for error in failed],
                "rebuilt": make_again,
                "store_key": str(health.store_key) if health.store_key else None,
            }
        )
    else:
        for one in saved:
            _tell_saved(one)
        for error in failed:
            show_error(error, as_json=False)
        _tell(health)
        if make_again:
            for name in aside:
                say(_("Set aside: {file}").format(file=name))
            say(_("The index was made again."))
    if failed:
        return int(failed[0].exit_code)
    return int(Exit.DAMAGED_STORE if health.problems else Exit.DONE)


def _salvage(house: House, visits: tuple[str, ...], *, salvage_all: bool) -> tuple[list[Rescued], list[TechtoolError]]:
    """One after the other; what cannot be saved keeps nobody from the next."""
    saved: list[Rescued] = []
    failed: list[TechtoolError] = []
    with house.home.lock("doctor --salvage"):
        wanted = dict.fromkeys([*visits, *(examine(house).salvageable if salvage_all else ())])
        for visit in wanted:
            try:
                saved.append(rescue(house, visit))
            except TechtoolError as error:
                failed.append(error)
    return saved, failed


def _tell(health: Health) -> None:
    say(readable_word(health.readable))
    if health.store_key is not None:
        say(
            _(
                "The key to the confidential words of the records lies beside them: {path}. Only disk encryption keeps "
                "both from whoever has the laptop."
            ).format(path=health.store_key)
        )
    for finding in health.findings:
        say(f"{'✗' if finding.problem else '·'} {finding.what.text()}")
        if finding.problem:
            say(f"  {finding.path}")
        if finding.since is not None:
            say(f"  {finding.since.text()}")
        for number, action in enumerate(finding.actions, 1):
            say(f"  {number}. {action.text()}")


def _tell_saved(one: Rescued) -> None:
    say(_("Visit {visit} was saved; the damaged file is {file}.").format(visit=one.visit.id, file=one.aside))
    if one.salvage is None:
        say("  " + _("Every entry and the seal were whole; what stood behind them is in that file only."))
    else:
        for line in salvage_lines(one.salvage):
            say(f"  {line.text()}")
        if not one.visit.remains:
            say(
                "  "
                + _("It is unfinished: “techtool visit resume {visit}”, or close it as stopped.").format(
                    visit=one.visit.id
                )
            )
    if one.index is not None:
        say(f"  {one.index.text()}")


def _json(finding: Finding) -> dict[str, object]:
    return {
        "path": str(finding.path),
        "visit": finding.visit or None,
        "problem": finding.problem,
        "what": finding.what.text(),
        "since": finding.since.text() if finding.since is not None else None,
        "salvage": finding.salvage,
        "next_actions": [action.text() for action in finding.actions],
    }


def _saved_json(one: Rescued) -> dict[str, object]:
    return {
        "visit": one.visit.id,
        "aside": str(one.aside),
        "resumable": not one.visit.sealed and not one.visit.remains,
        "salvage": _salvage_json(one.salvage) if one.salvage is not None else None,
    }


def _salvage_json(salvage: SalvageRecord) -> dict[str, object]:
    return {
        "lines_in_place": salvage.lines_in_place,
        "lines_after_damage": salvage.lines_after_damage,
        "gaps": [{"offset": gap.offset, "size_bytes": gap.size_bytes} for gap in salvage.gaps],
        "closed": salvage.closed,
        "proven_until": stamp(salvage.proven_until) if salvage.proven_until is not None else None,
        "made_up": list(salvage.made_up),
    }
