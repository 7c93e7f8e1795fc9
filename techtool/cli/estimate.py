"""``techtool estimate --calibrate``: how good the times were that were foretold on this laptop."""

from __future__ import annotations

import click

from techtool.cli.output import emit_json, say
from techtool.domain.calibration import ENOUGH, Calibration, calibration
from techtool.errors import Exit, UsageError
from techtool.i18n import N_, _, phrase, translate
from techtool.paths import Paths
from techtool.reports.health_words import NOTHING_YET, calibration_word, worth_telling
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
        say(translate(NOTHING_YET))
        return int(Exit.DONE)
    told = [one for one in found if worth_telling(one)]
    for one in told:
        click.echo(calibration_word(one))
    if len(found) > len(told):
        say(
            _("{count} more, by station and model, happened too seldom to say anything.").format(
                count=len(found) - len(told)
            )
        )
    say(_("Good is 85 to 95 % within the foretold most, and half of all less than 25 % off."))
    return int(Exit.DONE)


def _json(one: Calibration) -> dict[str, object]:
    return {
        "step": one.step or None,
        "model": one.model or None,
        "count": one.count,
        "enough": one.enough,
        "within_p90": round(one.within_p90, 3),
        "median_error": round(one.median_error, 3),
    }
