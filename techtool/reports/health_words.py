"""How this laptop's records and its foretold times are, in the words that the command line and the screens share."""

from __future__ import annotations

from typing import Final

from techtool.domain.calibration import Calibration
from techtool.domain.plan import StepKind
from techtool.domain.timing import STATION_LABEL
from techtool.i18n import N_, _, translate

NOTHING_YET: Final = N_("Nothing to compare yet: no terminal was updated with this laptop.")


def readable_word(count: int) -> str:
    """How many visits are in order."""
    return _("{count} visits can be read.").format(count=count)


def worth_telling(one: Calibration) -> bool:
    """Whole terminals always; a station or a model only once it happened often enough."""
    return one.enough or not (one.step or one.model)


def calibration_word(one: Calibration) -> str:
    """How good the foretold times of one station and model were."""
    what = translate(STATION_LABEL[StepKind(one.step)]) if one.step else _("The whole terminal")
    name = f"{what}, {one.model}" if one.model else what
    if not one.enough:
        return _("{name}: {count} times; too few to say anything.").format(name=name, count=one.count)
    return _("{name}: {count} times, {within} % within the foretold most, half less than {off} % off.").format(
        name=name, count=one.count, within=round(100 * one.within_p90), off=round(100 * one.median_error)
    )
