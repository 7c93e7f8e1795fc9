"""``techtool estimate --calibrate``: how good the times were that were foretold on this laptop."""

from __future__ import annotations

import click

from techtool.cli.output import emit_json, say
from techtool.domain.calibration import ENOUGH, Calibration, calibration
from techtool.domain.plan import StepKind
from techtool.domain.timing import STATION_LABEL
from techtool.errors import Exit, UsageError
from techtool.i18n import N_, _, phrase, translate
from techtool.paths import Paths
from techtool.visit.services import Services


@click.command(help=N_("How often the actual time was within the foretold most, and how far off the likely one was."))
@click.option("--calibrate", is_flag=True, help=N_("compare what was foretold with what it took"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(*, calibrate: bool, as_json: bool) -> int:
    """Reads, changes nothing; raises :class:`UsageError` without ``--calibrate``: a plan has the other estimates."""
    if not calibrate:
        raise UsageError(problem=phrase("“techtool plan” estimates a visit; here only --calibrate is known"))
    services = Services.real(Paths.default())
    found = calibration(services.index.forecasts())
    if as_json:
        emit_json({"enough_from": ENOUGH, "groups": [_json(one) for one in found]})
        return int(Exit.DONE)
    if not found:
        say(_("Nothing to compare yet: no terminal was updated with this laptop."))
        return int(Exit.DONE)
    told = [one for one in found if one.enough or not (one.step or one.model)]
    for one in told:
        click.echo(_line(one))
    if len(found) > len(told):
        say(
            _("{count} more, by station and model, happened too seldom to say anything.").format(
                count=len(found) - len(told)
            )
        )
    say(_("Good is 85 to 95 % within the foretold most, and half of all less than 25 % off."))
    return int(Exit.DONE)


def _line(one: Calibration) -> str:
    what = translate(STATION_LABEL[StepKind(one.step)]) if one.step else _("The whole terminal")
    name = f"{what}, {one.model}" if one.model else what
    if not one.enough:
        return _("{name}: {count} times; too few to say anything.").format(name=name, count=one.count)
    return _("{name}: {count} times, {within} % within the foretold most, half less than {off} % off.").format(
        name=name, count=one.count, within=round(100 * one.within_p90), off=round(100 * one.median_error)
    )


def _json(one: Calibration) -> dict[str, object]:
    return {
        "step": one.step or None,
        "model": one.model or None,
        "count": one.count,
        "enough": one.enough,
        "within_p90": round(one.within_p90, 3),
        "median_error": round(one.median_error, 3),
    }
